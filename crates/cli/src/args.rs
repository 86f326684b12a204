//! The command line.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::text::Text;
use crate::convert::ConvertArgs;
use crate::exit;

const EXAMPLES: &str = "\
Examples:
  tokaki run --case DIR                      aggregate DIR/input into ./tokaki.db
  tokaki run --config tokaki.toml --plan     see what a run would read and write
  tokaki convert --input payload.tar.gz --output data --org ORG --source UUID
                                             make Parquet of what the operator uploads
  tokaki config show                         see every setting and where it comes from
";

/// Aggregates OpenShift usage line items from Parquet into Koku's daily summary.
#[derive(Debug, Parser)]
#[command(name = "tokaki", version, after_help = format!("{EXAMPLES}\n{}", exit::HELP), max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Where settings come from.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read, aggregate and replace the rows of a scope
    Run(RunArgs),
    /// Write an operator's payload as Parquet in Koku's layout
    Convert(ConvertArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at the plugins
    #[command(subcommand)]
    Plugins(PluginsCommand),
}

/// Where settings come from: defaults < file < TOKAKI_… variables < --case < --set and the other flags.
#[derive(Debug, Default, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file [default: $TOKAKI_CONFIG, else ./tokaki.toml]; relative paths in it start at the current
    /// directory
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One setting, for instance --set run.workers=4 (repeatable)
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// How logs, errors and the summary are written
    #[arg(long, global = true, value_parser = ["text", "json"], value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

/// `tokaki run`.
#[derive(Debug, Default, Args)]
pub(crate) struct RunArgs {
    /// Case folder: reference.json and input/; ./tokaki.toml is then not looked for
    #[arg(long, value_name = "DIR")]
    pub(crate) case: Option<PathBuf>,
    /// Where rows go: sqlite:FILE, parquet:DIR, csv:FILE, jsonl:FILE, csv:- or postgresql://…
    #[arg(long, value_name = "URL")]
    pub(crate) sink: Option<String>,
    /// How joins are counted
    #[arg(long, value_parser = ["koku", "conserving"], value_name = "NAME")]
    pub(crate) semantics: Option<String>,
    /// Aggregators to run, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub(crate) aggregators: Vec<String>,
    /// First day, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    pub(crate) start_date: Option<String>,
    /// Last day, inclusive, in the same month
    #[arg(long, value_name = "DAY")]
    pub(crate) end_date: Option<String>,
    /// Customer schema, for instance org1234567
    #[arg(long)]
    pub(crate) org: Option<String>,
    /// Provider uuid of the source
    #[arg(long, value_name = "UUID")]
    pub(crate) source: Option<String>,
    /// Print what would be read and written, and stop
    #[arg(long)]
    pub(crate) plan: bool,
    /// Write an empty result if there is nothing to read
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Write even if a day loses more rows than run.shrink_limit allows
    #[arg(long)]
    pub(crate) accept_shrink: bool,
    /// Do without files that cannot be read; the run then ends with code 3
    #[arg(long)]
    pub(crate) quarantine: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `tokaki config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its origin, secrets masked
    Show {
        /// Case folder, as for `tokaki run`
        #[arg(long, value_name = "DIR")]
        case: Option<PathBuf>,
    },
    /// Print the JSON schema of the configuration
    Schema,
    /// Print a configuration to start from, with every setting explained
    Init(InitArgs),
}

/// `tokaki config init`.
#[derive(Debug, Default, Args)]
pub(crate) struct InitArgs {
    /// Aggregators to run, separated by commas [default: pod,storage,unallocated]
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub(crate) aggregators: Vec<String>,
    /// Where rows go: sqlite:FILE, parquet:DIR, csv:FILE, jsonl:FILE or postgresql://…
    #[arg(long, value_name = "URL")]
    pub(crate) sink: Option<String>,
    /// Catalog plugin, which knows where files are [default: koku]
    #[arg(long, value_name = "NAME")]
    pub(crate) catalog: Option<String>,
    /// Reader plugin [default: parquet, or the one that the catalog is for]
    #[arg(long, value_name = "NAME")]
    pub(crate) reader: Option<String>,
    /// Where reference data comes from, a plugin [default: file]
    #[arg(long, value_name = "NAME")]
    pub(crate) reference: Option<String>,
}

/// `tokaki plugins`.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginsCommand {
    /// List all plugins
    List,
    /// Print all plugins and settings as a page of Markdown
    Manual,
    /// Show a plugin's settings and a sample
    Show {
        /// Name, or kind and name as in sink/sqlite
        name: String,
    },
}

impl Cli {
    /// The command line of this process; ends the process on `--help`, `--version` and wrong usage.
    pub(crate) fn from_process() -> Self {
        let cli = Self::parse();
        if let Some(message) = cli.config.malformed_set() {
            Self::command().error(clap::error::ErrorKind::ValueValidation, message).exit();
        }
        cli
    }

    /// The case folder, if one was given.
    pub(crate) fn case(&self) -> Option<&PathBuf> {
        match &self.command {
            Command::Run(run) => run.case.as_ref(),
            Command::Config(ConfigCommand::Show { case }) => case.as_ref(),
            _ => None,
        }
    }

    /// All flags that are settings, the later ones stronger.
    pub(crate) fn settings(&self) -> Vec<Text> {
        let set = self.config.set.iter().filter_map(|pair| pair.split_once('='));
        let mut texts: Vec<_> =
            set.map(|(key, value)| Text::new(key.trim(), value, format!("--set {}=…", key.trim()))).collect();
        let mut flag = |name: &str, key: &str, value: Option<&str>| {
            texts.extend(value.map(|value| Text::new(key, value, name)));
        };
        flag("--log-format", "log.format", self.config.log_format.as_deref());
        if let Command::Run(run) = &self.command {
            // A list in TOML's own notation; a name that breaks it is no plugin's name either.
            let aggregators = (!run.aggregators.is_empty()).then(|| format!("{:?}", run.aggregators));
            flag("--sink", "sink.url", run.sink.as_deref());
            flag("--semantics", "semantics", run.semantics.as_deref());
            flag("--aggregators", "aggregators.enabled", aggregators.as_deref());
            flag("--start-date", "scope.start_date", run.start_date.as_deref());
            flag("--end-date", "scope.end_date", run.end_date.as_deref());
            flag("--org", "scope.org", run.org.as_deref());
            flag("--source", "scope.source_uuid", run.source.as_deref());
            flag("--allow-empty", "run.allow_empty", run.allow_empty.then_some("true"));
            flag("--accept-shrink", "run.shrink_limit", run.accept_shrink.then_some("1"));
            flag("--quarantine", "run.quarantine", run.quarantine.then_some("true"));
        }
        texts
    }
}

impl ConfigArgs {
    /// What is wrong with a `--set`, without its value: that may be a secret.
    fn malformed_set(&self) -> Option<String> {
        self.set.iter().find_map(|pair| match pair.split_once('=') {
            None => Some("--set takes KEY=VALUE, for instance --set run.workers=4".to_owned()),
            Some((key, _)) => key
                .trim()
                .split('.')
                .any(str::is_empty)
                .then(|| format!("--set takes a dotted key such as run.workers, not `{}`", key.trim())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let cli = Cli::parse_from(["tokaki", "run", "--set", "store.url=s3://b/p", "--aggregators", "pod,storage"]);
        let settings: Vec<_> = cli.settings().into_iter().map(|text| (text.key, text.raw)).collect();
        assert_eq!(settings[0], ("store.url".to_owned(), "s3://b/p".to_owned()));
        assert_eq!(settings[1], ("aggregators.enabled".to_owned(), r#"["pod", "storage"]"#.to_owned()));
    }

    #[test]
    fn a_malformed_set_is_answered_without_its_value() {
        let args = |pair: &str| ConfigArgs { set: vec![pair.to_owned()], ..ConfigArgs::default() };
        assert!(args("run.workers=4").malformed_set().is_none());
        let message = args("store.secret_access_key:hunter2").malformed_set().expect("no equals sign");
        assert!(!message.contains("hunter2"));
        assert!(args("run..workers=4").malformed_set().is_some());
    }
}
