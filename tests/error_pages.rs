//! The examples in `docs/errors/config-*.md` are what the program says: each page's TOML goes through `load`, and its
//! text block is what people see of that page's code. `BROKKR_PUBLISH_UPDATE_CORPUS=1` writes the blocks anew.

#![allow(clippy::expect_used)] // A test that cannot read its files fails.

use std::path::Path;

use brokkr_publish::config::{self, LoadOptions, Loaded};
use brokkr_publish::diagnostic::{Code, Diagnostic};
use brokkr_publish::report::diagnostics::{Style, human};

const STYLE: Style = Style { color: false, unicode: true, width: 80 };

/// What stands between the line `opening` and the next fence.
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

#[test]
fn examples_are_what_people_see() {
    let codes: Vec<Code> =
        Code::ALL.iter().copied().filter(|code| code.as_str().starts_with("publish::config::")).collect();
    assert_eq!(codes.len(), 16);
    for code in codes {
        let name = code.as_str().trim_start_matches("publish::").replace("::", "-").replace('_', "-");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/errors/{name}.md"));
        let page = std::fs::read_to_string(&path).expect("a page");
        assert!(page.starts_with(&format!("# `{code}`\n")), "{name}");
        let found = block(&page, "```text\n").unwrap_or_else(|| panic!("{name} has no text block"));
        let loaded = load(code, block(&page, "```toml\n"));
        // A fragment lacks more than the page is about; the first diagnostic is what it shows.
        let of_page: Vec<Diagnostic> =
            loaded.diagnostics.into_iter().filter(|it| it.code == code).take(1).collect();
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
