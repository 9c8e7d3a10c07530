//! Tests of the four formats with difficult diagnostics.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::diagnostic::{Code, Location, SourceText};

const PLAIN: Style = Style { color: false, unicode: true, width: 80, limit: None, verbose: false };

fn file(text: &str) -> Arc<SourceText> {
    let name = "publish.toml".to_owned();
    Arc::new(SourceText { file: Some(PathBuf::from(&name)), name, text: text.to_owned() })
}

fn place(source: &Arc<SourceText>, text: &str) -> Location {
    let start = source.text.find(text).expect("the text");
    Location { source: Arc::clone(source), span: start..start + text.len() }
}

/// Returns an error with labels in two sources, and a warning without labels.
fn two() -> Vec<Diagnostic> {
    let file = file("[tags.é]\nname = \"ü\", template = \"v1\"\nlast = 1\n");
    let variable = Arc::new(SourceText {
        name: "environment variable `BROKKR_PUBLISH_VARS__A`".into(),
        file: None,
        text: "BROKKR_PUBLISH_VARS__A=x".into(),
    });
    vec![
        Diagnostic::error(Code::TagCollision, "two rules make `v1`, 100%\nas one does")
            .at(place(&file, "\"v1\""), "made here")
            .at(place(&variable, "x"), "and by this")
            .help("give one of them\nanother template"),
        Diagnostic::warning(Code::ConfigValue, "nothing to point at"),
    ]
}

#[test]
fn for_people() {
    insta::assert_snapshot!(human(&two(), PLAIN), @r#"
    error: publish::tag::collision (brokkr-publish explain tag::collision)

      × two rules make `v1`, 100%
      │ as one does
       ╭─[publish.toml:2:24]
     1 │ [tags.é]
     2 │ name = "ü", template = "v1"
       ·                        ──┬─
       ·                          ╰── made here
     3 │ last = 1
       ╰────
      ☞ and in environment variable `BROKKR_PUBLISH_VARS__A`
       ╭─[environment variable `BROKKR_PUBLISH_VARS__A`:1:24]
     1 │ BROKKR_PUBLISH_VARS__A=x
       ·                        ┬
       ·                        ╰── and by this
       ╰────
      help: give one of them
            another template

    warning: publish::config::value (brokkr-publish explain config::value)

      ⚠ nothing to point at
    "#);
    let ascii = human(&two(), Style { unicode: false, ..PLAIN });
    assert!(ascii.is_ascii() || !ascii.contains('│'), "{ascii}");
    let colored = human(&two(), Style { color: true, ..PLAIN });
    assert!(colored.contains("\u{1b}[31m") && colored.contains("error: publish::tag::collision"));
    assert!(!human(&two(), PLAIN).contains('\u{1b}'));
    assert_eq!(human(&[], PLAIN), "");
}

#[test]
fn as_json() {
    let document: serde_json::Value = serde_json::from_str(&json(&two())).expect("JSON");
    assert_eq!(document["format_version"], 1);
    let label = &document["diagnostics"][0]["labels"][0];
    assert_eq!(label["file"], "publish.toml");
    assert_eq!(label["start"], serde_json::json!({ "line": 2, "column": 24, "offset": 34 }));
    assert_eq!(document["diagnostics"][0]["labels"][1]["file"], serde_json::Value::Null);
    assert_eq!(document["diagnostics"][1]["severity"], "warning");
    assert_eq!(document["diagnostics"][1]["help"], serde_json::Value::Null);
}

#[test]
fn as_commands_of_github() {
    assert_eq!(
        github(&two()),
        concat!(
            "::error file=publish.toml,line=2,col=24,endLine=2,endColumn=28,title=publish%3A%3Atag%3A%3Acollision::",
            "two rules make `v1`, 100%25%0Aas one does%0Amade here%0A",
            "environment variable `BROKKR_PUBLISH_VARS__A`:1:24: and by this%0A",
            "help: give one of them%0Aanother template\n",
            "::warning title=publish%3A%3Aconfig%3A%3Avalue::nothing to point at\n",
        )
    );
}

#[test]
fn as_sarif() {
    let log: serde_json::Value = serde_json::from_str(&sarif(&two())).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in run["results"].as_array().expect("results") {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let first = &run["results"][0];
    let physical = &first["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "publish.toml");
    assert_eq!(
        physical["region"],
        serde_json::json!({ "startLine": 2, "startColumn": 24, "endLine": 2, "endColumn": 28 })
    );
    assert_eq!(first["level"], "error");
    assert!(first["relatedLocations"][0]["logicalLocations"][0]["fullyQualifiedName"].is_string());
    let fingerprint = |diagnostics: &[Diagnostic], index: usize| {
        let log: serde_json::Value = serde_json::from_str(&sarif(diagnostics)).expect("JSON");
        log["runs"][0]["results"][index]["partialFingerprints"]["brokkrPublish/v1"].clone()
    };
    let moved = file("\n\n[tags.é]\nname = \"ü\", template = \"v1\"\n");
    let mut later = two();
    later[0].labels[0].place = place(&moved, "\"v1\"");
    assert_eq!(fingerprint(&two(), 0), fingerprint(&later, 0));
    let twice = [two(), two()].concat();
    assert_ne!(fingerprint(&twice, 0), fingerprint(&twice, 2));
}

#[test]
fn every_code_has_its_page_at_the_address_in_sarif() {
    for code in Code::ALL {
        let log: serde_json::Value =
            serde_json::from_str(&sarif(&[Diagnostic::error(*code, "x")])).expect("JSON");
        let uri =
            log["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"].as_str().expect("an address").to_owned();
        let name = uri.rsplit('/').next().expect("a name");
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors").join(name);
        assert!(page.is_file(), "{}", page.display());
    }
}

#[test]
fn nothing_acts_on_the_terminal() {
    let file = file("a = \"\u{1b}[31m\u{202e}x\"\rb\r\n");
    let diagnostic = Diagnostic::error(Code::ConfigValue, "bad \u{1b}]0;title\u{7} value\u{202e}")
        .at(place(&file, "x"), "\u{1b}[0m")
        .help("\u{9b}1m");
    let text = human(std::slice::from_ref(&diagnostic), PLAIN) + &github(&[diagnostic]);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n') && !text.contains('\u{202e}'), "{text:?}");
    assert!(text.contains("\\u{1b}]0;title"));
}

#[test]
fn odd_places_are_drawn() {
    let empty = file("");
    let end = file("a = 1");
    let long = file(&format!("a = \"{}x{}\"\nb = 1", "ä".repeat(50_000), "y".repeat(100_000)));
    let lines = file(&"a\n".repeat(1000));
    for (source, span) in [
        (&empty, 0..0),
        (&end, 5..5),
        (&end, 4..900),
        (&long, 100_005..100_006),
        (&long, 5..6),
        (&long, 0..200_000),
        (&lines, 0..2000),
        (&lines, 2000..2000),
    ] {
        let place = Location { source: Arc::clone(source), span };
        let text = human(&[Diagnostic::error(Code::ConfigValue, "odd").at(place, "here")], PLAIN);
        assert!(text.len() < 3_000 && !text.contains("Failed"), "{text}");
        assert!(text.contains("publish.toml:") && text.contains("here"), "{text}");
    }
}
