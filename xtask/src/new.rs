//! `cargo xtask new`: a plugin that compiles, is registered and has tests, made of the files in `templates/`.
//!
//! The templates are a plugin called `new_plugin`. Whatever has that name gets the new one.

use std::fs;
use std::path::{Path, PathBuf};

/// How the verb is used.
pub const USAGE: &str = "\
cargo xtask new aggregator|reader|sink NAME
                                make a plugin's folder in this repository
cargo xtask new aggregator|reader|sink NAME --external DIR [--git URL]
                                make a crate of its own with a command that has the plugin besides ours; it takes
                                tokaki from this folder, or from the git repository at URL";

/// What a plugin of each kind is made of, beside its template.
struct Kind {
    word: &'static str,
    /// Crate of this repository that holds them.
    package: &'static str,
    /// How the crate names a plugin's module.
    module: &'static str,
    /// What the template names beside tokaki-core, as the root `Cargo.toml` has it.
    dependencies: &'static [&'static str],
    dev_dependencies: &'static [&'static str],
    /// Whether its author must say how to open it in an empty place, for the tests of what all of its kind promise.
    has_fixture: bool,
}

const KINDS: [Kind; 3] = [
    Kind {
        word: "aggregator",
        package: "aggregators",
        module: "pub mod",
        dependencies: &["schemars", "serde"],
        dev_dependencies: &[],
        has_fixture: false,
    },
    Kind {
        word: "reader",
        package: "readers",
        module: "pub mod",
        dependencies: &["async-trait", "chrono", "serde", "tokio"],
        dev_dependencies: &["tempfile"],
        has_fixture: true,
    },
    Kind {
        word: "sink",
        package: "sinks",
        module: "mod",
        dependencies: &["async-trait", "schemars", "serde", "tokio"],
        dev_dependencies: &["tempfile"],
        has_fixture: true,
    },
];

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The `Cargo.toml` that it belongs to.
    pub manifest: PathBuf,
    /// What to do with it.
    pub advice: String,
}

/// Makes a plugin as `words`, those after the verb, ask for, in the repository at `root`.
///
/// # Errors
/// Wrong words, a name that is taken or none, a folder that cannot be written.
pub fn new(root: &Path, words: &[&str]) -> Result<Made, String> {
    let wrong = || format!("expected what to make and its name\n\n{USAGE}");
    let (kind, name, rest) = match words {
        [kind, name, rest @ ..] => (*kind, *name, rest),
        _ => return Err(wrong()),
    };
    let kind = KINDS.iter().find(|known| known.word == kind).ok_or_else(wrong)?;
    let name = Name::new(name)?;
    match rest {
        [] => inside(root, kind, &name),
        ["--external", folder] => outside(root, kind, &name, Path::new(folder), None),
        ["--external", folder, "--git", url] => outside(root, kind, &name, Path::new(folder), Some(url)),
        _ => Err(wrong()),
    }
}

/// A plugin's name, spelled as Rust's modules are.
struct Name(String);

impl Name {
    fn new(name: &str) -> Result<Self, String> {
        let name = name.replace('-', "_");
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let good = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(letters);
        if good && !name.ends_with('_') && !name.contains("__") {
            Ok(Self(name))
        } else {
            Err(format!("`{name}` is no name: expected lowercase words such as namespace_quota"))
        }
    }

    /// As packages are called.
    fn kebab(&self) -> String {
        self.0.replace('_', "-")
    }

    /// As types are called.
    fn camel(&self) -> String {
        let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        self.0.split('_').map(capital).collect()
    }

    fn given_to(&self, template: &str) -> String {
        template.replace("new_plugin", &self.0).replace("new-plugin", &self.kebab()).replace("NewPlugin", &self.camel())
    }
}

fn inside(root: &Path, kind: &Kind, name: &Name) -> Result<Made, String> {
    let source = root.join("crates").join(kind.package).join("src");
    let folder = source.join(&name.0);
    let library = source.join("lib.rs");
    refuse_existing(&folder)?;
    for file in ["mod.rs", "tests.rs", "sample.toml", "README.md"] {
        write(&folder.join(file), &name.given_to(&template(&format!("{}/{file}", kind.word))?))?;
    }
    name_module(&library, kind.module, name)?;
    if kind.has_fixture {
        let tests = root.join("crates").join(kind.package).join("tests/conformance");
        let fixture = template(&format!("{}/conformance.rs", kind.word))?;
        write(&tests.join(format!("{}.rs", name.0)), &name.given_to(&fixture))?;
        name_module(&tests.join("main.rs"), "mod", name)?;
    }
    let advice = format!(
        "{} holds a plugin that works; {} names it\nnext: cargo test --workspace {}, then cargo xtask docs",
        folder.display(),
        library.display(),
        name.0
    );
    Ok(Made { manifest: root.join("crates").join(kind.package).join("Cargo.toml"), advice })
}

/// Adds the module to those that `file` names in the order of the alphabet.
fn name_module(file: &Path, word: &str, name: &Name) -> Result<(), String> {
    let text = read(file)?;
    let line = format!("{word} {};", name.0);
    let mut lines: Vec<&str> = text.lines().collect();
    let is_module = |known: &&str| known.starts_with(&format!("{word} ")) && known.ends_with(';');
    let later = lines.iter().position(|known| is_module(known) && *known > line.as_str());
    let after_last = lines.iter().rposition(is_module).map_or(lines.len(), |last| last + 1);
    lines.insert(later.unwrap_or(after_last), &line);
    write(file, &(lines.join("\n") + "\n"))
}

fn outside(root: &Path, kind: &Kind, name: &Name, folder: &Path, git: Option<&str>) -> Result<Made, String> {
    refuse_existing(folder)?;
    // Outside, core says which Arrow it speaks.
    let arrow = |code: String| code.replace("use arrow::", "use tokaki_core::arrow::");
    for (file, of_template) in [
        ("src/lib.rs", format!("{}/mod.rs", kind.word)),
        ("src/tests.rs", format!("{}/tests.rs", kind.word)),
        ("src/sample.toml", format!("{}/sample.toml", kind.word)),
        ("README.md", format!("{}/README.md", kind.word)),
        ("src/main.rs", "external/main.rs".to_owned()),
    ] {
        write(&folder.join(file), &name.given_to(&arrow(template(&of_template)?)))?;
    }
    let promises = if kind.has_fixture { kind.word } else { "external" };
    let call = "\ntokaki_core::testkit::conformance!(new_plugin);\n";
    let promises = template(&format!("{promises}/conformance.rs"))? + call;
    write(&folder.join("tests/conformance.rs"), &name.given_to(&promises))?;
    write(&folder.join("Cargo.toml"), &name.given_to(&manifest(root, kind, git)?))?;
    write(&folder.join(".gitignore"), "/target\n")?;
    // The versions that tokaki itself was tested with.
    write(&folder.join("Cargo.lock"), &read(&root.join("Cargo.lock"))?)?;
    write(&folder.join("rustfmt.toml"), &read(&root.join("rustfmt.toml"))?)?;
    let advice = format!(
        "{0} holds a crate that works\nnext: cd {0} && cargo test && cargo run -- plugins show {1}",
        folder.display(),
        name.0
    );
    Ok(Made { manifest: folder.join("Cargo.toml"), advice })
}

fn manifest(root: &Path, kind: &Kind, git: Option<&str>) -> Result<String, String> {
    let tokaki = |folder: &str, more: &str| match git {
        Some(url) => format!("{{ git = {url:?}{more} }}"),
        None => format!("{{ path = {:?}{more} }}", root.join("crates").join(folder).display().to_string()),
    };
    let versions = read(&root.join("Cargo.toml"))?;
    let with_versions = |names: &[&str]| -> Result<String, String> {
        let line = |name: &&str| {
            let found = versions.lines().find(|line| line.starts_with(&format!("{name} = ")));
            found.ok_or_else(|| format!("Cargo.toml has no version of {name}"))
        };
        Ok(names.iter().map(line).collect::<Result<Vec<_>, _>>()?.join("\n"))
    };
    let dev = with_versions(kind.dev_dependencies)?;
    Ok(template("external/manifest.toml")?
        .replace("@tokaki-core", &tokaki("core", ""))
        .replace("@tokaki-cli", &tokaki("cli", ""))
        .replace("@testkit", &tokaki("core", ", features = [\"testkit\"]"))
        .replace("@dependencies", &with_versions(kind.dependencies)?)
        .replace("@dev-dependencies\n", &if dev.is_empty() { dev } else { dev + "\n" }))
}

fn template(file: &str) -> Result<String, String> {
    read(&PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).join(file))
}

fn refuse_existing(folder: &Path) -> Result<(), String> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken { Err(format!("{} is there already", folder.display())) } else { Ok(()) }
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    let folder = file.parent().ok_or("a file lies in a folder")?;
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(file, text));
    written.map_err(|error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much of the repository as is changed.
    fn repository(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("tokaki-new-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("crates/sinks/src")).expect("a folder");
        fs::write(root.join("crates/sinks/src/lib.rs"), "//! Sinks.\n\nmod apple;\nmod tree;\n\npub use x;\n")
            .expect("a file");
        fs::create_dir_all(root.join("crates/sinks/tests/conformance")).expect("a folder");
        fs::write(
            root.join("crates/sinks/tests/conformance/main.rs"),
            "//! Tests.\n\nmod apple;\n\nconformance!(sinks);\n",
        )
        .expect("a file");
        root
    }

    #[test]
    fn a_folder_is_made_and_named_in_its_place() {
        let root = repository("inside");
        new(&root, &["sink", "object-store"]).expect("made");
        let library = read(&root.join("crates/sinks/src/lib.rs")).expect("a file");
        assert_eq!(library, "//! Sinks.\n\nmod apple;\nmod object_store;\nmod tree;\n\npub use x;\n");
        let code = read(&root.join("crates/sinks/src/object_store/mod.rs")).expect("a file");
        assert!(code.contains("struct ObjectStore {") && code.contains("\"object_store\""));
        let tests = read(&root.join("crates/sinks/tests/conformance/main.rs")).expect("a file");
        assert_eq!(tests, "//! Tests.\n\nmod apple;\nmod object_store;\n\nconformance!(sinks);\n");
        let fixture = read(&root.join("crates/sinks/tests/conformance/object_store.rs")).expect("a file");
        assert!(fixture.contains("fixture!(Anew, \"object_store\""), "{fixture}");
        let again = new(&root, &["sink", "object_store"]).expect_err("it is there");
        assert!(again.contains("is there already"), "{again}");
        fs::remove_dir_all(root).expect("removed");
    }

    #[test]
    fn nothing_of_the_template_is_left_over() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        for kind in &KINDS {
            let folder = std::env::temp_dir().join(format!("tokaki-new-{}-{}", kind.word, std::process::id()));
            let shown = folder.to_str().expect("UTF-8");
            new(root, &[kind.word, "fresh_name", "--external", shown]).expect("made");
            for file in [
                "Cargo.toml",
                "README.md",
                "src/lib.rs",
                "src/main.rs",
                "src/tests.rs",
                "src/sample.toml",
                "tests/conformance.rs",
            ] {
                let text = read(&folder.join(file)).expect("a file");
                let left =
                    ["new_plugin", "new-plugin", "NewPlugin", "use arrow::", "@"].map(|word| text.contains(word));
                assert_eq!(left, [false; 5], "{} {file}\n{text}", kind.word);
            }
            fs::remove_dir_all(folder).expect("removed");
        }
    }

    #[test]
    fn names_are_words() {
        for name in ["", "Quota", "2", "a b", "../x", "a__b", "a_"] {
            assert!(Name::new(name).is_err(), "{name}");
        }
        assert_eq!(Name::new("namespace-quota").map(|name| name.camel()), Ok("NamespaceQuota".to_owned()));
    }
}
