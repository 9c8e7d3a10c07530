//! `tests/corpus`: files that are right, and files with one mistake each, through the schema and the parser.
//!
//! The first line of a file gives the expected result of the schema alone: `# schema: valid` or `# schema: invalid`. A
//! line `# profile: NAME` after it chooses a profile. The `.stderr` file beside it has the diagnostics;
//! `BROKKR_PUBLISH_UPDATE_CORPUS=1` writes these files again.

use std::path::{Path, PathBuf};

use brokkr_publish::config::{self, ConfigFile, LoadOptions, Loaded};
use brokkr_publish::report::Style;
use brokkr_publish::report::diagnostics::human;

fn files(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

/// Returns the facts of the header: whether the schema accepts the file, and the profile.
fn header(text: &str) -> (bool, Option<String>) {
    let mut lines = text.lines();
    let schema = match lines.next() {
        Some("# schema: valid") => true,
        Some("# schema: invalid") => false,
        other => panic!("the first line is {other:?}"),
    };
    let profile = lines.next().and_then(|line| line.strip_prefix("# profile: ")).map(str::to_owned);
    (schema, profile)
}

fn load(path: &Path, profile: Option<String>) -> Loaded {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    config::load(&LoadOptions {
        path: path.to_owned(),
        display_name: name,
        profile,
        ..LoadOptions::default()
    })
}

/// Returns whether the schema accepts the file. A file that is not TOML passes, because the schema cannot check it.
fn schema_takes(text: &str) -> bool {
    let schema = jsonschema::validator_for(&config::json_schema()).expect("a schema");
    let Ok(table) = toml::from_str::<toml::Table>(text) else { return true };
    schema.is_valid(&serde_json::to_value(table).expect("JSON"))
}

fn shown(loaded: &Loaded) -> String {
    human(&loaded.diagnostics, Style { color: false, unicode: true, width: 100, limit: None, verbose: false })
}

#[test]
fn valid_files_pass_the_schema_and_the_parser() {
    let files = files("valid");
    assert!(files.len() >= 15);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a text");
        assert!(header(&text).0 && schema_takes(&text), "the schema refuses {}", path.display());
        let loaded = load(&path, None);
        let file = ConfigFile::read(&path, "publish.toml");
        let profiles: Vec<String> = file.profiles().map(str::to_owned).collect();
        for loaded in std::iter::once(loaded).chain(profiles.into_iter().map(|name| load(&path, Some(name))))
        {
            assert!(
                loaded.config.is_some() && loaded.diagnostics.is_empty(),
                "{}\n{}",
                path.display(),
                shown(&loaded)
            );
        }
    }
}

#[test]
fn invalid_files_fail_with_words_that_help() {
    let update = std::env::var_os("BROKKR_PUBLISH_UPDATE_CORPUS").is_some();
    let files = files("invalid");
    assert!(files.len() >= 40);
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a text");
        let (schema, profile) = header(&text);
        assert_eq!(schema_takes(&text), schema, "the schema on {}", path.display());
        let loaded = load(&path, profile);
        assert!(loaded.config.is_none(), "{} loads", path.display());
        assert!(loaded.diagnostics.iter().all(|diagnostic| diagnostic.help.is_some()), "{}", path.display());
        let shown = shown(&loaded);
        assert!(!shown.contains("hunter2"), "{shown}");
        let expected = path.with_extension("stderr");
        if update {
            std::fs::write(&expected, &shown).expect("written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{}\n{shown}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "BROKKR_PUBLISH_UPDATE_CORPUS=1 accepts these changes:\n{}", wrong.join("\n"));
}
