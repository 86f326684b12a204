//! Plugins of others: what `cargo xtask new` makes outside the repository, and what docs/writing-an-aggregator.md says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;
use tokaki_core::testkit::shown;
use tokaki_tests::cases::Case;
use tokaki_tests::table;
use xtask::new::new;

use crate::support::root;

/// The case that the page runs.
const CASE: &str = "three-namespaces";

/// Where the workspace is compiled: `target/debug`.
fn compiled() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tokaki-under-test")).parent().expect("a program lies in a folder")
}

/// Cargo with what the workspace has already compiled: no registry is asked, and no dependency is built again.
fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    let target = compiled().parent().expect("the folder of a profile lies in one of all");
    let (verb, rest) = arguments.split_first().expect("a verb");
    command.arg(verb).args(["--quiet", "--offline", "--config", "profile.dev.debug=\"line-tables-only\""]);
    command.args(["--config", "profile.dev.package.\"*\".debug=false"]);
    command.args(rest).current_dir(folder).env("CARGO_TARGET_DIR", target);
    // Of this package; build scripts that watch them would run anew.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().expect("it starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

fn made(kind: &str, name: &str) -> (TempDir, PathBuf) {
    let nowhere = TempDir::new().expect("a folder");
    let folder = nowhere.path().join(name);
    let made = new(&root(), &[kind, name, "--external", folder.to_str().expect("UTF-8")]).expect("made");
    // Some test of the workspace wants this feature. With it sqlx, sea-orm and parquet need not be built again.
    let manifest = fs::read_to_string(&made.manifest).expect("a manifest");
    let manifest = manifest.replace("[dev-dependencies]\n", "[dev-dependencies]\nthiserror = \"2\"\n");
    fs::write(&made.manifest, manifest).expect("written");
    (nowhere, folder)
}

/// The page's files by path: code whose first line says ```` ```rust file=PATH ````.
fn files_of(page: &str) -> Vec<(&str, String)> {
    let blocks = page.split("```").skip(1).step_by(2);
    let files = blocks.filter_map(|block| {
        let (head, text) = block.split_once('\n')?;
        Some((head.split_once("file=")?.1, text.to_owned()))
    });
    files.collect()
}

/// Lines of `text` with code in them that `known` has not.
fn own_lines(text: &str, known: &str) -> usize {
    let known: BTreeSet<&str> = known.lines().map(str::trim).collect();
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    text.lines().map(str::trim).filter(is_code).filter(|line| !known.contains(line)).count()
}

#[test]
fn a_stranger_who_follows_the_page_has_a_tested_aggregator() {
    let began = Instant::now();
    let (_nowhere, folder) = made("aggregator", "namespace_quota");
    let page = fs::read_to_string(root().join("docs/writing-an-aggregator.md")).expect("the page");
    let mut lines = 0;
    for (path, text) in files_of(&page) {
        let file = folder.join(path);
        lines += own_lines(&text, &fs::read_to_string(&file).expect("the page changes what was made"));
        fs::write(file, text).expect("written");
    }
    let tests = succeeds(cargo(&folder, &["test"]));
    assert_eq!(
        tests.matches("test result: ok").count(),
        3,
        "its own, the kit's and those of its documentation\n{tests}"
    );

    let case = Case::of_repository(CASE).folder.display().to_string();
    let out = format!("parquet:{}", folder.join("out").display());
    assert!(page.contains(&format!("tests/scenarios/{CASE}")), "the page runs another case");
    let tokaki = |arguments: &[&str]| {
        // What `cargo run` would build once more without the tests' features.
        let mut command = Command::new(compiled().join("namespace-quota"));
        command.args(arguments).current_dir(&folder);
        succeeds(command)
    };
    tokaki(&["run", "--case", &case, "--config", "src/sample.toml", "--sink", &out]);
    let rows = table::read(&folder.join("out/namespace_quota.parquet")).expect("rows");
    assert_eq!(
        shown(&rows, &["namespace", "request_core_hours", "quota_core_hours"]),
        ["bank 24 30", "shop 48 40"],
        "the scenario says how these come about"
    );
    let manual = tokaki(&["plugins", "show", "namespace_quota"]);
    assert!(manual.contains("Core-hours a day that each namespace may request"), "{manual}");
    assert!(lines < 80, "{lines} lines of the author's own");
    report(&format!("an aggregator of {lines} own lines, made, tested and run in {:.0?}", began.elapsed()));
}

#[expect(clippy::print_stderr, reason = "how long it takes is what somebody wants to know")]
fn report(text: &str) {
    eprintln!("{text}");
}

/// What the tests of a made plugin say when a line is taken out of one of its files.
fn told_without(line: &str, folder: &Path, file: &str) -> String {
    let file = folder.join(file);
    let whole = fs::read_to_string(&file).expect("a file");
    let kept: Vec<_> = whole.lines().filter(|known| !known.starts_with(line)).collect();
    assert_eq!(kept.len() + 1, whole.lines().count(), "{line} stands on one line");
    fs::write(file, kept.join("\n")).expect("written");
    let output = cargo(folder, &["test", "--test", "conformance"]).output().expect("it starts");
    assert!(!output.status.success(), "nobody misses {line}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_reader_and_a_sink_work_as_they_are_made_and_their_tests_miss_what_is_not_there() {
    for (kind, line, file, told) in [
        (
            "reader",
            "fixture!(",
            "tests/conformance.rs",
            "my_text registers the reader `my_text`, and no test knows how",
        ),
        ("sink", "tokaki_core::register!(", "src/lib.rs", "registers no plugin: is there a `register!`?"),
    ] {
        let (_nowhere, folder) = made(kind, "my_text");
        let tests = succeeds(cargo(&folder, &["test", "--lib", "--tests"]));
        assert!(tests.contains("test result: ok"), "{tests}");
        let without = told_without(line, &folder, file);
        assert!(without.contains(told), "{without}");
    }
}

#[test]
fn two_cores_in_one_program_are_refused_before_anything_compiles() {
    // Each core would have a registry of its own, and a plugin of one would be missing in the other without a word.
    let nowhere = TempDir::new().expect("a folder");
    let other = nowhere.path().join("other/crates/core");
    crate::support::copy(&root().join("crates/core"), &other);
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    let of_core = |line: &str| match line.split(' ').next() {
        Some("members") => "members = [\"crates/core\"]\n".to_owned(),
        Some("default-members") => String::new(),
        _ => format!("{line}\n"),
    };
    fs::write(nowhere.path().join("other/Cargo.toml"), workspace.lines().map(of_core).collect::<String>())
        .expect("written");
    let program = nowhere.path().join("program");
    fs::create_dir_all(program.join("src")).expect("a folder");
    fs::write(program.join("src/lib.rs"), "").expect("written");
    fs::copy(root().join("Cargo.lock"), program.join("Cargo.lock")).expect("copied");
    let core = |path: &Path| format!("{{ package = \"tokaki-core\", path = {:?} }}", path.display().to_string());
    let with = |second: &str| {
        let package =
            "[package]\nname = \"program\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n";
        let first = format!("one = {}\n", core(&root().join("crates/core")));
        fs::write(program.join("Cargo.toml"), format!("{package}{first}{second}")).expect("written");
        cargo(&program, &["tree", "--depth", "1"]).output().expect("cargo starts")
    };
    assert!(with("").status.success(), "one core is no trouble");
    let refused = with(&format!("two = {}\n", core(&other)));
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && message.contains("links to the native library `tokaki-core`"), "{message}");
}
