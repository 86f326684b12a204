//! The server that a test process uses, and databases in it.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use super::cluster::{Cluster, remove_postgres_variables};
use super::{ADVICE, all, external};
use crate::chore::output;

/// Reads names of databases until standard input ends, which it does when this process is gone; then drops them.
const DROP_DATABASES: &str = r#"
names=$(cat)
for name in $names; do "$1" -X -q -d "$2" -c "DROP DATABASE IF EXISTS $name WITH (FORCE)"; done
"#;

/// A PostgreSQL server for the tests of this process: that of `TEST_DATABASE_URL`, else a temporary one.
#[derive(Debug)]
pub struct Server {
    /// Where databases are created from.
    admin_url: String,
    psql: PathBuf,
    life: Life,
}

/// What has to happen when this process ends. Both wait for a pipe to close, because nothing in this process could be
/// relied upon to run when it is killed.
#[derive(Debug)]
enum Life {
    /// The whole server goes.
    Temporary { _cluster: Cluster },
    /// The databases made here go; their names are written to this child.
    External { janitor: Mutex<Child> },
}

impl Server {
    /// The one server of this process, started at the first call.
    ///
    /// # Errors
    /// No PostgreSQL is here or none starts; the message says what to do.
    pub fn shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
        let start = || external().map_or_else(Self::temporary, |url| Self::at(&url));
        SHARED.get_or_init(start).as_ref().map_err(String::clone)
    }

    /// Creates a database that nothing else uses and returns its `postgresql://` URL. It is gone when the process is.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn create_database(&self) -> Result<String, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let nanoseconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tokaki_test_{}_{nanoseconds}_{count}", std::process::id());
        let mut command = Command::new(&self.psql);
        match &self.life {
            Life::Temporary { .. } => remove_postgres_variables(&mut command),
            Life::External { janitor } => {
                let mut janitor = janitor.lock().unwrap_or_else(PoisonError::into_inner);
                let stdin = janitor.stdin.as_mut().ok_or("the child that drops databases has no standard input")?;
                writeln!(stdin, "{name}").map_err(|error| format!("the child that drops databases: {error}"))?;
            }
        }
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.admin_url]);
        command.args(["-c", &format!("CREATE DATABASE {name}")]);
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("psql does not start: {error}"))?;
        if output.status.success() {
            Ok(with_database(&self.admin_url, &name))
        } else {
            Err(format!("no database could be created: {}", String::from_utf8_lossy(&output.stderr).trim_end()))
        }
    }

    /// A temporary server of its own, for a test that changes the server's settings or ends it.
    ///
    /// # Errors
    /// No PostgreSQL is installed here or none starts; the message says what to do.
    pub fn temporary() -> Result<Self, String> {
        let mut refusals = Vec::new();
        for installation in all() {
            match Cluster::start(&installation) {
                Ok(cluster) => {
                    let admin_url = format!("{}postgres", cluster.url());
                    let psql = psql(Some(installation.bin))?;
                    return Ok(Self { admin_url, psql, life: Life::Temporary { _cluster: cluster } });
                }
                Err(reason) => refusals.push(format!("{installation}, does not start: {reason}\n")),
            }
        }
        Err(format!("{}{ADVICE}", refusals.concat()))
    }

    /// The server that `admin_url` names, as a user who may create databases.
    ///
    /// # Errors
    /// There is no `psql` here; the message says what to do.
    pub fn at(admin_url: &str) -> Result<Self, String> {
        let psql = psql(None)?;
        let mut command = Command::new("sh");
        let arguments: [OsString; 5] =
            ["-c".into(), DROP_DATABASES.into(), "janitor".into(), psql.clone().into(), admin_url.into()];
        command.args(arguments).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let janitor = command.spawn().map_err(|error| format!("sh does not start: {error}"))?;
        Ok(Self { admin_url: admin_url.to_owned(), psql, life: Life::External { janitor: Mutex::new(janitor) } })
    }
}

/// `psql` in `bin`, on the `PATH`, or of any installation.
fn psql(bin: Option<PathBuf>) -> Result<PathBuf, String> {
    // By its bare name the system looks it up on the `PATH`.
    let on_path = [PathBuf::from("psql")];
    let beside = bin.into_iter().map(|bin| bin.join("psql"));
    let installed = std::iter::once_with(all).flatten().map(|installation| installation.bin.join("psql"));
    let runs = |psql: &PathBuf| psql.to_str().and_then(|psql| output(psql, &["--version"])).is_some();
    beside.chain(on_path).chain(installed).find(runs).ok_or_else(|| format!("there is no psql\n{ADVICE}"))
}

/// The URL of another database on the same server.
fn with_database(url: &str, name: &str) -> String {
    let (before_query, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let authority_start = before_query.find("://").map_or(0, |scheme_end| scheme_end + 3);
    let authority_end =
        before_query[authority_start..].find('/').map_or(before_query.len(), |slash| authority_start + slash);
    format!("{}/{name}{query}", &before_query[..authority_end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_database_is_another_one() {
        let server = Server::shared().expect("a server");
        let urls = [(), ()].map(|()| server.create_database().expect("a database"));
        assert_ne!(urls[0], urls[1]);
    }

    #[test]
    fn another_database_keeps_the_rest_of_the_url() {
        assert_eq!(with_database("postgresql://u@h:1/postgres", "a"), "postgresql://u@h:1/a");
        assert_eq!(with_database("postgresql://u@h:1", "a"), "postgresql://u@h:1/a");
        assert_eq!(with_database("postgresql:///x?host=/run", "a"), "postgresql:///a?host=/run");
        assert_eq!(with_database("postgres://u@h?sslmode=disable", "a"), "postgres://u@h/a?sslmode=disable");
    }
}
