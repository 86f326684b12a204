//! The layers of the configuration: defaults < Koku's variables < file < environment < case folder < flags.
//!
//! A case folder is named on the command line, so it is stronger than what lies around: a variable that somebody
//! exported must not send a case's run to other data.

use std::path::{Path, PathBuf};

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use tokaki_core::{Error, Result};
use toml_edit::Document;

use super::environment::Environment;
use super::origin::ConfigFile;
use super::settings::{LogFormat, Settings};
use super::text::Text;
use super::{case, origin};
use crate::failure::Failure;

/// Origin of settings that nobody gave.
pub(crate) const DEFAULT: &str = "default";
/// File that is looked for in the current directory.
const USUAL_FILE: &str = "tokaki.toml";

/// Where settings may come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// Case folder.
    pub(crate) case: Option<PathBuf>,
    /// `--config`.
    pub(crate) file: Option<PathBuf>,
    /// Variables of the environment.
    pub(crate) environment: Environment,
    /// Flags, the later ones stronger.
    pub(crate) flags: Vec<Text>,
}

/// Settings of one origin.
struct Layer {
    origin: String,
    settings: Dict,
}

impl Layer {
    fn new(origin: impl Into<String>, settings: impl Serialize) -> Result<Self> {
        let settings = Value::serialize(settings).ok().and_then(Value::into_dict);
        Ok(Self { origin: origin.into(), settings: settings.ok_or_else(|| Error::bug("a layer is no table"))? })
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.settings.clone()))
    }
}

impl From<&Text> for Layer {
    fn from(text: &Text) -> Self {
        let nested = figment::util::nest(&text.key, text.value());
        Self { origin: text.origin.clone(), settings: nested.into_dict().unwrap_or_default() }
    }
}

impl Sources {
    /// All layers, merged, and the file among them.
    ///
    /// # Errors
    /// A file that cannot be read or is no TOML; a case folder that is none.
    pub(crate) fn merge(&self) -> Result<(Figment, Option<ConfigFile>), Failure> {
        let over = |figment: Figment, text: &Text| figment.merge(Layer::from(text));
        let mut figment = Figment::from(Layer::new(DEFAULT, Settings::default())?);
        figment = self.environment.aliases.iter().fold(figment, over);
        let file = self.file().map(|(path, given_by)| read(&path, given_by)).transpose()?;
        if let Some((layer, _)) = &file {
            figment = figment.merge(layer);
        }
        let file = file.map(|(_, file)| file);
        figment = self.environment.settings.iter().fold(figment, over);
        if let Some(folder) = &self.case {
            figment = figment.merge(Layer::new(format!("case folder {}", folder.display()), case::settings(folder)?)?);
        }
        Ok((self.flags.iter().fold(figment, over), file))
    }

    /// Everything that was given as text, the later ones stronger.
    pub(crate) fn texts(&self) -> impl DoubleEndedIterator<Item = &Text> {
        self.environment.aliases.iter().chain(&self.environment.settings).chain(&self.flags)
    }

    /// The log format as far as environment and flags say, for errors in the configuration itself.
    pub(crate) fn log_format(&self) -> LogFormat {
        let given = self.texts().rfind(|text| text.key == "log.format");
        if given.is_some_and(|text| text.raw == "json") { LogFormat::Json } else { LogFormat::Text }
    }

    fn file(&self) -> Option<(PathBuf, &'static str)> {
        let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|path| self.case.is_none() && path.exists());
        let given = self.file.clone().map(|path| (path, "--config"));
        given
            .or_else(|| self.environment.file.clone().map(|path| (path, "TOKAKI_CONFIG")))
            .or_else(|| usual().map(|path| (path, USUAL_FILE)))
    }
}

/// Parsed twice: by `toml_edit` for the places of keys, by figment for the values.
fn read(path: &Path, given_by: &str) -> Result<(Layer, ConfigFile), Failure> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::new(tokaki_core::ErrorKind::Config, format!("cannot read {shown}: {error}")))
        .map_err(|error| Failure::from(error).given_at(Some(given_by.to_owned())))?;
    // Only the messages of the parsers are shown: their full text quotes the line, and the line may hold a secret.
    let malformed = |message: &str, span: Option<std::ops::Range<usize>>| {
        let place = span.map_or_else(|| shown.clone(), |span| origin::place(&shown, &text, span.start));
        let error = Error::new(tokaki_core::ErrorKind::Config, format!("not valid TOML: {}", message.trim()));
        Failure::from(error).given_at(Some(place))
    };
    let settings: Dict = Toml::from_str(&text).map_err(|error| malformed(error.message(), error.span()))?;
    let document = Document::parse(text.clone()).map_err(|error| malformed(error.message(), error.span()))?;
    Ok((Layer { origin: shown.clone(), settings }, ConfigFile { shown, document }))
}
