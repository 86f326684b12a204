//! PostgreSQL from the system's packages.

use super::{ADVICE, Installation, find};
use crate::chore::{output, run, say};

/// A file that keeps Debian's package from making and starting a cluster of its own, and the folder it is in.
const NO_CLUSTER: (&str, &str) =
    ("/etc/postgresql-common/createcluster.d", "/etc/postgresql-common/createcluster.d/tokaki-tests.conf");

/// Installs PostgreSQL with the package manager there is, as root or through `sudo` if that asks for no password.
///
/// # Errors
/// Nothing could be installed; the message says what the user can do.
pub fn install() -> Result<Installation, String> {
    say("PostgreSQL: none found, installing it");
    let outcome = if exists("apt-get") {
        apt()
    } else if exists("dnf") {
        as_root(&["dnf", "install", "-y", "postgresql-server"])
    } else if exists("brew") {
        run(&[], &["brew", "install", "postgresql@17"])
    } else {
        Err("no package manager is known here".to_owned())
    };
    outcome.map_err(|reason| format!("PostgreSQL is not here and could not be installed: {reason}\n{ADVICE}"))?;
    find().ok_or_else(|| format!("PostgreSQL was installed but not found\n{ADVICE}"))
}

/// Installs pgbouncer likewise.
///
/// # Errors
/// As for [`install`].
pub fn install_pgbouncer() -> Result<(), String> {
    say("pgbouncer: none found, installing it");
    let outcome = if exists("apt-get") {
        as_root(&["apt-get", "update"]).and_then(|()| apt_install("pgbouncer"))
    } else if exists("dnf") {
        as_root(&["dnf", "install", "-y", "pgbouncer"])
    } else if exists("brew") {
        run(&[], &["brew", "install", "pgbouncer"])
    } else {
        Err("no package manager is known here".to_owned())
    };
    outcome.map_err(|reason| {
        format!("pgbouncer is not here and could not be installed: {reason}\ninstall the package `pgbouncer`")
    })
}

fn apt() -> Result<(), String> {
    let (folder, file) = NO_CLUSTER;
    as_root(&["apt-get", "update"])?;
    as_root(&["sh", "-c", &format!("mkdir -p {folder} && echo 'create_main_cluster = false' > {file}")])?;
    let installed = apt_install("postgresql");
    // Installed or not: whoever installs PostgreSQL later may want the cluster.
    as_root(&["rm", "-f", file])?;
    installed
}

fn apt_install(package: &str) -> Result<(), String> {
    let install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"];
    as_root(&[&install[..], &[package]].concat())
}

fn as_root(line: &[&str]) -> Result<(), String> {
    if output("id", &["-u"]).as_deref() == Some("0") {
        run(&[], line)
    } else if output("sudo", &["-n", "true"]).is_some() {
        run(&[], &[&["sudo", "-n"], line].concat())
    } else {
        Err("that takes root, or sudo without a password".to_owned())
    }
}

fn exists(program: &str) -> bool {
    output(program, &["--version"]).is_some()
}
