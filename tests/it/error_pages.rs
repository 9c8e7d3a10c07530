//! The examples in `docs/errors/config-*.md` and `check-*.md` are what the program says: each page's TOML goes through
//! `load`, or is a check of the page's YAML, and its text block is what people see of that page's code. `BROKKR_PUBLISH_UPDATE_CORPUS=1` writes the blocks anew.

use std::path::Path;

use brokkr_publish::checks;
use brokkr_publish::config::{self, LoadOptions, Loaded};
use brokkr_publish::context::Context;
use brokkr_publish::desired::{self, Selection};
use brokkr_publish::diagnostic::{Code, Diagnostic};
use brokkr_publish::model::EventName;
use brokkr_publish::report::diagnostics::{Style, human};

const STYLE: Style = Style { color: false, unicode: true, width: 80 };

/// Returns the text between the line `opening` and the next fence.
fn block<'a>(page: &'a str, opening: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(opening)?;
    rest.split_once("```\n").map(|(block, _)| block)
}

fn load(code: Code, toml: Option<&str>) -> Loaded {
    let mut options = LoadOptions { display_name: "publish.toml".into(), ..LoadOptions::default() };
    match code {
        Code::ConfigFile => {
            let folder = tempfile::tempdir().expect("a folder");
            options.path = folder.path().join("publish.toml");
            std::fs::write(&options.path, b"version = 1\n\n[vars]\nplace = \"caf\xe9\"\n").expect("written");
            return config::load(&options);
        }
        Code::ConfigOverride => options.set = vec!["images.broker.source".into()],
        Code::ConfigUnknownProfile => options.profile = Some("dve".into()),
        _ => {}
    }
    config::load_text(toml.unwrap_or("version = 1\n"), &options)
}

/// Returns the findings of the check `toml` about `file` on the release of version 1.2.3.
fn checked(toml: &str, file: &str) -> Vec<Diagnostic> {
    let options = LoadOptions { display_name: "publish.toml".into(), ..LoadOptions::default() };
    let config = config::load_text(toml, &options).part.expect("a part of a configuration");
    let mut context = Context::new(EventName::Tag);
    context.tag = Some("v1.2.3".to_owned());
    let (checks, wrong) = desired::checks(&config, &context, &Selection::default());
    assert!(wrong.is_empty(), "{wrong:?}");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(&checks.first().expect("a check").file), file).expect("written");
    checks::run_checks(&checks, folder.path(), Path::new("."))
}

#[test]
fn examples_are_what_people_see() {
    let held =
        |code: &Code| ["config", "check"].iter().any(|room| code.as_str().split("::").nth(1) == Some(room));
    let codes: Vec<Code> = Code::ALL.iter().copied().filter(held).collect();
    assert_eq!(codes.len(), 18);
    for code in codes {
        let name = code.as_str().trim_start_matches("publish::").replace("::", "-").replace('_', "-");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/errors/{name}.md"));
        let page = std::fs::read_to_string(&path).expect("a page");
        assert!(page.starts_with(&format!("# `{code}`\n")), "{name}");
        let found = block(&page, "```text\n").unwrap_or_else(|| panic!("{name} has no text block"));
        let toml = block(&page, "```toml\n");
        let told = match block(&page, "```yaml\n") {
            Some(file) => checked(toml.expect("a check"), file),
            None => load(code, toml).diagnostics,
        };
        // A fragment lacks more than the page is about; the first diagnostic is what it shows.
        let of_page: Vec<Diagnostic> = told.into_iter().filter(|it| it.code == code).take(1).collect();
        assert!(!of_page.is_empty(), "the example of {name} is no example of it");
        let shown = human(&of_page, STYLE);
        if std::env::var_os("BROKKR_PUBLISH_UPDATE_CORPUS").is_some() {
            let anew = page.replacen(&format!("```text\n{found}```"), &format!("```text\n{shown}```"), 1);
            std::fs::write(&path, anew).expect("written");
        } else {
            assert_eq!(found, shown, "{name}");
            assert!((15..=45).contains(&page.lines().count()), "{name} has {} lines", page.lines().count());
        }
    }
}
