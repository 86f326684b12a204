//! A pgbouncer in front of a server, for tests of what works behind one.

use std::ffi::OsStr;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cluster::{become_unprivileged, new_folder};
use crate::chore::output;

/// Where packages put it; Debian's place is not on everybody's `PATH`.
const PROGRAMS: [&str; 3] = ["pgbouncer", "/usr/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
/// It starts within milliseconds; a machine under full load is given more.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running pgbouncer in transaction mode: each transaction may get another one of the server's few connections. It is
/// gone when this value or this process is.
#[derive(Debug)]
pub struct Pooler {
    _watchdog: Child,
    port: u16,
}

/// The program, where it is installed.
pub fn pgbouncer() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| output(program, &["--version"]).is_some())
}

impl Pooler {
    /// Starts one with `size` connections to the server on `port` of this machine.
    ///
    /// # Errors
    /// There is none here, or it does not start; the message says what to do.
    pub fn start(port: u16, size: u32) -> Result<Self, String> {
        let program = pgbouncer().ok_or("there is no pgbouncer; install the package of that name")?;
        Self::run(program, port, size).map_err(|error| format!("pgbouncer does not start: {error}"))
    }

    /// URL up to the database's name, as the user `postgres`.
    pub fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/", self.port)
    }

    fn run(program: &str, server: u16, size: u32) -> io::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = new_folder()?;
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {size}\nserver_reset_query = DISCARD ALL\n"
        );
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("pooler.sh"), "pooler"]);
        command.args([OsStr::new(program), folder.as_os_str(), settings.as_ref()]);
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        become_unprivileged(&mut command, &folder)?;
        let mut watchdog = command.spawn()?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if watchdog.try_wait()?.is_some() || Instant::now() > deadline {
                drop(watchdog.stdin.take());
                let words = watchdog.wait_with_output()?.stderr;
                return Err(io::Error::other(String::from_utf8_lossy(&words).trim_end().to_owned()));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(Self { _watchdog: watchdog, port })
    }
}
