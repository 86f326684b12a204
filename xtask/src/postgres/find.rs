//! Where PostgreSQL's programs are.

use std::collections::HashSet;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::chore;

/// Folders that packages use, up to the version; the programs are in `bin` below. Debian, for one, keeps the
/// server off the `PATH`.
const PACKAGES: [&str; 4] =
    ["/usr/lib/postgresql/", "/usr/pgsql-", "/opt/homebrew/opt/postgresql@", "/usr/local/opt/postgresql@"];

/// A folder with the programs `initdb` and `postgres`, both of which run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The folder.
    pub bin: PathBuf,
    /// What `postgres --version` says.
    pub version: String,
    /// What led to the folder.
    pub found_by: &'static str,
}

impl Installation {
    fn at(found_by: &'static str, bin: PathBuf) -> Option<Self> {
        let version = |program: &str| chore::output(bin.join(program).to_str()?, &["--version"]);
        version("initdb")?;
        let version = version("postgres")?;
        Some(Self { bin, version, found_by })
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}, found by {}", self.version, self.bin.display(), self.found_by)
    }
}

/// The server that the user names in `TEST_DATABASE_URL`, if any.
pub fn external() -> Option<String> {
    env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// The first usable installation.
pub fn find() -> Option<Installation> {
    all().next()
}

/// All usable installations, each once, the preferred one first.
pub fn all() -> impl Iterator<Item = Installation> {
    let mut seen = HashSet::new();
    let named = env::var_os("PG_BIN_DIR").map(|bin| ("PG_BIN_DIR", PathBuf::from(bin)));
    let configured = || chore::output("pg_config", &["--bindir"]).map(|bin| ("pg_config", PathBuf::from(bin)));
    let in_path = || programs_in_path("initdb").map(|bin| ("PATH", bin));
    let packaged = || PACKAGES.into_iter().flat_map(newest_first);
    named
        .into_iter()
        .chain(std::iter::once_with(configured).flatten())
        .chain(std::iter::once_with(in_path).flatten())
        .chain(std::iter::once_with(packaged).flatten().map(|bin| ("its package's folder", bin)))
        .filter(move |(_, bin)| seen.insert(bin.clone()))
        .filter_map(|(found_by, bin)| Installation::at(found_by, bin))
}

/// Folders behind `program` on the `PATH`, links followed: a link's neighbours need not be the program's.
fn programs_in_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    folders
        .into_iter()
        .filter_map(move |folder| fs::canonicalize(folder.join(program)).ok())
        .filter_map(|program| program.parent().map(Path::to_owned))
}

fn newest_first(before: &str) -> Vec<PathBuf> {
    let (parent, prefix) = before.rsplit_once('/').unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.split('.').next()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let parent = env::temp_dir().join(format!("xtask-find-{}", std::process::id()));
        for name in ["pg-9.6", "pg-17", "pg-15", "pg-next", "other-18"] {
            fs::create_dir_all(parent.join(name)).expect("a folder in the temporary folder");
        }
        let found = newest_first(&format!("{}/pg-", parent.display()));
        fs::remove_dir_all(&parent).expect("the folder just made");
        assert_eq!(found, ["pg-17/bin", "pg-15/bin", "pg-9.6/bin"].map(|bin| parent.join(bin)));
    }

    #[test]
    fn a_folder_without_a_server_is_no_installation() {
        assert_eq!(Installation::at("a test", env::temp_dir()), None);
    }
}
