//! The variables that are settings: `TOKAKI_RUN__WORKERS` is `run.workers`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokaki_core::{Error, ErrorKind, Result};

use super::aliases;
use super::text::Text;

const PREFIX: &str = "TOKAKI_";
/// Names the configuration file; no setting itself.
const FILE: &str = "TOKAKI_CONFIG";
/// Variables of the project's own tests.
const OF_TESTS: [&str; 2] = ["TOKAKI_CASES", "TOKAKI_TEST_"];

/// What Kubernetes tells every pod about a Service that happens to be called `tokaki`.
fn is_of_service(name: &str) -> bool {
    name == "TOKAKI_PORT" || name.starts_with("TOKAKI_PORT_") || name.starts_with("TOKAKI_SERVICE_")
}

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `$TOKAKI_CONFIG`.
    pub(crate) file: Option<PathBuf>,
    /// What Koku's own variables stand for, the later ones stronger.
    pub(crate) aliases: Vec<Text>,
    /// All other variables with the prefix, sorted by name.
    pub(crate) settings: Vec<Text>,
}

impl Environment {
    /// The environment of this process.
    ///
    /// # Errors
    /// `Config` if a value is not Unicode.
    pub(crate) fn of_process() -> Result<Self> {
        let mut variables = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str() else { continue };
            if !name.starts_with(PREFIX) && !aliases::is_alias(name) {
                continue;
            }
            let value = value.into_string().map_err(|_| {
                Error::new(ErrorKind::Config, format!("the variable {name} does not hold Unicode text"))
            })?;
            variables.push((name.to_owned(), value));
        }
        Ok(Self::from_variables(variables))
    }

    /// What these variables say.
    pub(crate) fn from_variables(mut variables: Vec<(String, String)>) -> Self {
        variables.sort();
        let koku: BTreeMap<_, _> = variables.iter().filter(|(name, _)| aliases::is_alias(name)).cloned().collect();
        let mut environment = Self { aliases: aliases::settings(&koku), ..Self::default() };
        for (name, value) in variables {
            if name == FILE {
                environment.file = Some(value.into()).filter(|file: &PathBuf| !file.as_os_str().is_empty());
            } else if name.starts_with(PREFIX)
                && !OF_TESTS.iter().any(|ignored| name.starts_with(ignored))
                && !is_of_service(&name)
            {
                environment.settings.push(Text::new(key_of(&name), value, name));
            }
        }
        environment
    }
}

fn key_of(variable: &str) -> String {
    variable.trim_start_matches(PREFIX).replace("__", ".").to_lowercase()
}

/// The variable that sets `key`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_underscores_nest_and_foreign_variables_are_left_alone() {
        let variables = [
            ("TOKAKI_TEST_POSTGRES", "x"),
            ("TOKAKI_CASES", "x"),
            ("TOKAKI_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("TOKAKI_SERVICE_HOST", "10.0.0.1"),
            ("HOME", "/"),
            ("TOKAKI_CONFIG", "a.toml"),
            ("TOKAKI_STORE__SECRET_ACCESS_KEY", "x"),
        ];
        let environment =
            Environment::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        assert_eq!(environment.file, Some("a.toml".into()));
        let keys: Vec<_> = environment.settings.iter().map(|text| text.key.as_str()).collect();
        assert_eq!(keys, ["store.secret_access_key"]);
        assert_eq!(variable_of(keys[0]), "TOKAKI_STORE__SECRET_ACCESS_KEY");
    }
}
