//! PostgreSQL for tests: found or installed, started once per test process, gone when that process is.

mod cluster;
mod find;
mod install;
mod pooler;
mod server;

pub use find::{Installation, all, external, find};
pub use install::{install, install_pgbouncer};
pub use pooler::{Pooler, pgbouncer};
pub use server::Server;

/// What to do where there is no PostgreSQL.
const ADVICE: &str = "\
the tests need a PostgreSQL server. One of these helps:
  apt-get install postgresql            Debian, Ubuntu
  dnf install postgresql-server         Fedora, RHEL
  brew install postgresql@17            macOS
  PG_BIN_DIR=/path/to/bin               a folder with initdb and postgres
  TEST_DATABASE_URL=postgresql://…      a running server, as a user who may create databases";
