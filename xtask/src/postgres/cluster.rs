//! A temporary cluster that dies with this process.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use super::Installation;

/// Ports to try: a port that is free now may be taken when the server comes to it.
const ATTEMPTS: u32 = 3;
/// A server takes about a second; a machine under full load is given more.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running server. The watchdog ends it when its standard input does, so when this value or this process is gone.
#[derive(Debug)]
pub(super) struct Cluster {
    watchdog: Child,
    port: u16,
}

impl Cluster {
    /// Makes a cluster with the programs of `installation` and waits until it answers.
    pub(super) fn start(installation: &Installation) -> Result<Self, String> {
        let mut refusal = String::new();
        for _ in 0..ATTEMPTS {
            match Self::attempt(installation) {
                Ok(Ok(cluster)) => return Ok(cluster),
                Ok(Err(reason)) => refusal = reason,
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(refusal)
    }

    /// URL up to the database's name.
    pub(super) fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/", self.port)
    }

    fn attempt(installation: &Installation) -> io::Result<Result<Self, String>> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = new_folder()?;
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("watchdog.sh"), "watchdog"]);
        command.args([installation.bin.as_os_str(), folder.as_os_str(), port.to_string().as_ref()]);
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        become_unprivileged(&mut command, &folder)?;
        let mut cluster = Self { watchdog: command.spawn()?, port };
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if is_ready(&folder) {
                return Ok(Ok(cluster));
            }
            if cluster.watchdog.try_wait()?.is_some() {
                let output = cluster.watchdog.wait_with_output()?;
                return Ok(Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(Err(format!("no answer within {} seconds", PATIENCE.as_secs())))
    }
}

/// Has `command` run on its own in `folder`, just made: out of reach of the terminal, without the user's settings for
/// PostgreSQL, and not as root.
pub(super) fn become_unprivileged(command: &mut Command, folder: &Path) -> io::Result<()> {
    // In a group of its own an interrupt from the terminal does not reach it, and it can tidy up.
    command.process_group(0);
    remove_postgres_variables(command);
    // PostgreSQL refuses to run as root, and the owner of a folder just made is who we are.
    if fs::metadata(folder)?.uid() == 0 {
        let (uid, gid) = unprivileged(&fs::read_to_string("/etc/passwd")?)?;
        chown(folder, Some(uid), Some(gid))?;
        command.uid(uid).gid(gid);
    }
    Ok(())
}

/// A folder that nobody else has.
pub(super) fn new_folder() -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanoseconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tokaki-postgres-{}-{nanoseconds}-{count}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Line 8 of the lock file is the server's state.
fn is_ready(folder: &Path) -> bool {
    let lock = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    lock.lines().nth(7).is_some_and(|state| state.starts_with("ready"))
}

/// User and group id of someone who is not root, from the lines of `/etc/passwd`.
fn unprivileged(passwd: &str) -> io::Result<(u32, u32)> {
    let ids = |user: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).ok_or_else(|| {
        io::Error::other("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
    })
}

/// Variables such as `PGPORT` or `PGOPTIONS` are meant for the user's own server.
pub(super) fn remove_postgres_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_server_ends_with_whoever_started_it() {
        let installation = super::super::find().expect("an installation");
        let Cluster { mut watchdog, port } = Cluster::start(&installation).expect("a server");
        let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!(answers());
        // What the system does to the pipe when the process is killed.
        drop(watchdog.stdin.take());
        watchdog.wait().expect("the watchdog's end");
        assert!(!answers());
    }

    #[test]
    fn root_becomes_postgres_else_nobody() {
        let nobody = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(unprivileged(nobody).ok(), Some((65534, 65533)));
        assert_eq!(unprivileged(&format!("{nobody}postgres:x:101:104::/:/bin/sh")).ok(), Some((101, 104)));
        assert!(unprivileged("root:x:0:0::/root:/bin/sh").is_err());
    }
}
