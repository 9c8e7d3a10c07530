//! Values of TOML, JSON and YAML: which text is found, at which place, and the message if there is none.

use std::path::Path;

use proptest::prelude::*;

use super::{DocumentError, DocumentFormat, DocumentText, TextDocument};
use crate::diagnostic::ToDiagnostic;
use crate::model::KeyPath;

fn document(format: DocumentFormat, text: &str) -> TextDocument {
    TextDocument::of("file", "file", Path::new("file"), format, text.to_owned())
}

fn key(text: &str) -> KeyPath {
    text.parse().expect("a key")
}

fn found(format: DocumentFormat, text: &str, path: &str) -> Result<DocumentText, Box<DocumentError>> {
    document(format, text).text(&key(path))
}

/// Returns the value, and the part of the text that its place covers.
fn value(format: DocumentFormat, text: &str, path: &str) -> (String, String) {
    let found = found(format, text, path).unwrap_or_else(|error| panic!("{path} of {text:?}: {error}"));
    let place = found.location.unwrap_or_else(|| panic!("{path} of {text:?} has no place"));
    (found.text, text[place.span].to_owned())
}

/// Returns the message, the help, and the part of the text that the label covers.
fn wrong(format: DocumentFormat, text: &str, path: &str) -> (String, String, Option<String>) {
    let error = found(format, text, path).expect_err(text);
    let diagnostic = error.to_diagnostic();
    let place = diagnostic.labels.first().map(|label| text[label.place.span.clone()].to_owned());
    (error.to_string(), diagnostic.help.expect("help"), place)
}

#[test]
fn values_are_found_with_their_places() {
    for (format, text, path, expected, written) in [
        (
            DocumentFormat::Toml,
            "[workspace.package]\nversion = \"1.2.3\"\n",
            "workspace.package.version",
            "1.2.3",
            "\"1.2.3\"",
        ),
        (DocumentFormat::Toml, "a = { b = [\"x\", '''y''' ] }", "a.b.1", "y", "'''y'''"),
        (
            DocumentFormat::Toml,
            "[[bin]]\nname = \"one\"\n[[bin]]\nname = \"two\"",
            "bin.1.name",
            "two",
            "\"two\"",
        ),
        (DocumentFormat::Toml, "\"a.b\" = \"c\"", "'a.b'", "c", "\"c\""),
        (DocumentFormat::Toml, "0 = \"zero\"", "0", "zero", "\"zero\""),
        (DocumentFormat::Json, "{\"é\": 1, \"version\": \"1.2.3\"}", "version", "1.2.3", "\"1.2.3\""),
        (
            DocumentFormat::Json,
            "{ \"a\" : [ {}, {\"b\":\n \"\\u0041\\n\"} ] }",
            "a.1.b",
            "A\n",
            "\"\\u0041\\n\"",
        ),
        (DocumentFormat::Json, "[\"x\"]", "0", "x", "\"x\""),
        (DocumentFormat::Json, "{\"a\": \"first\", \"a\": \"last\"}", "a", "last", "\"last\""),
        (DocumentFormat::Yaml, "name: é\nversion: 1.2.3\n", "version", "1.2.3", "1.2.3"),
        (DocumentFormat::Yaml, "appVersion: \"1.2\" # quoted\n", "appVersion", "1.2", "\"1.2\""),
        (DocumentFormat::Yaml, "a:\n- b: x\n- b: 'it''s'\n", "a.1.b", "it's", "'it''s'"),
        (DocumentFormat::Yaml, "--- \na: {b: [x, \"y\"]}\n---\na: z\n", "a.b.1", "y", "\"y\""),
        (DocumentFormat::Yaml, "{\"a\": {\"b\": \"json\"}}", "a.b", "json", "\"json\""),
        (DocumentFormat::Yaml, "base: &base\n  tag: v1\nimage: *base\n", "image.tag", "v1", "v1"),
        (DocumentFormat::Yaml, "a: &a v1\nb: *a\nc: {d: *a}", "c.d", "v1", "v1"),
        (DocumentFormat::Yaml, "a: &x {b: &y {c: deep}}\nd: *x\ne: *y", "d.b.c", "deep", "deep"),
        (DocumentFormat::Yaml, "a: !!str 1.2", "a", "1.2", "1.2"),
        (DocumentFormat::Yaml, "a: ! 12", "a", "12", "12"),
        (DocumentFormat::Yaml, "1: one", "1", "one", "one"),
        (DocumentFormat::Yaml, "? [complex, key]\n: x\na: b", "a", "b", "b"),
        (DocumentFormat::Yaml, "a: 2026-01-02\n", "a", "2026-01-02", "2026-01-02"),
        (DocumentFormat::Yaml, "a: yes", "a", "yes", "yes"),
        (DocumentFormat::Yaml, "- x\n- y", "1", "y", "y"),
    ] {
        assert_eq!(
            value(format, text, path),
            (expected.to_owned(), written.to_owned()),
            "{path} of {text:?}"
        );
    }
}

/// Asserts the messages for values that are not strings: format, text, key, message, help.
fn assert_no_strings(cases: &[(DocumentFormat, &str, &str, &str, &str)]) {
    for (format, text, path, message, help) in cases {
        let (found, way_out, place) = wrong(*format, text, path);
        assert_eq!((found.as_str(), way_out.as_str()), (*message, *help), "{text:?}");
        assert!(place.is_some(), "{text:?}");
    }
}

#[test]
fn a_yaml_value_that_is_not_a_string_gets_help() {
    assert_no_strings(&[
        (
            DocumentFormat::Yaml,
            "v: 1.2",
            "v",
            "`v` in `file` is the number `1.2`, not a string",
            "put it in quotes: `\"1.2\"`",
        ),
        (
            DocumentFormat::Yaml,
            "v: 12e4",
            "v",
            "`v` in `file` is the number `12e4`, not a string",
            "put it in quotes: `\"12e4\"`",
        ),
        (
            DocumentFormat::Yaml,
            "v: 0x1F",
            "v",
            "`v` in `file` is the number `0x1F`, not a string",
            "put it in quotes: `\"0x1F\"`",
        ),
        (
            DocumentFormat::Yaml,
            "v: -.inf",
            "v",
            "`v` in `file` is the number `-.inf`, not a string",
            "put it in quotes: `\"-.inf\"`",
        ),
        (
            DocumentFormat::Yaml,
            "v: True",
            "v",
            "`v` in `file` is the boolean `True`, not a string",
            "put it in quotes: `\"True\"`",
        ),
        (
            DocumentFormat::Yaml,
            "v:",
            "v",
            "`v` in `file` is empty (null), not a string",
            "give it a value, in quotes",
        ),
        (
            DocumentFormat::Yaml,
            "v: ~",
            "v",
            "`v` in `file` is empty (null), not a string",
            "give it a value, in quotes",
        ),
        (
            DocumentFormat::Yaml,
            "v: !!int \"1\"",
            "v",
            "`v` in `file` is of the type `!!int`, not a string",
            "remove the tag and put the value in quotes",
        ),
        (
            DocumentFormat::Yaml,
            "v: [a, b]",
            "v",
            "`v` in `file` is a list, not a string",
            "`v` is a list of 2: `v.0` is its first item",
        ),
        (DocumentFormat::Yaml, "v: {a: 1}", "v", "`v` in `file` is a table, not a string", "`v` has `a`"),
        (
            DocumentFormat::Yaml,
            "v: &v [*v]",
            "v.0.0.0",
            "`v.0.0.0` in `file` is a list, not a string",
            "`v.0.0.0` is a list of 1: `v.0.0.0.0` is its first item",
        ),
    ]);
}

#[test]
fn a_toml_or_json_value_that_is_not_a_string_gets_help() {
    assert_no_strings(&[
        (
            DocumentFormat::Toml,
            "v = 1.2",
            "v",
            "`v` in `file` is the number `1.2`, not a string",
            "put it in quotes: `\"1.2\"`",
        ),
        (
            DocumentFormat::Toml,
            "v = true",
            "v",
            "`v` in `file` is the boolean `true`, not a string",
            "put it in quotes: `\"true\"`",
        ),
        (
            DocumentFormat::Toml,
            "v = 2026-01-02",
            "v",
            "`v` in `file` is the date `2026-01-02`, not a string",
            "put it in quotes: `\"2026-01-02\"`",
        ),
        (
            DocumentFormat::Toml,
            "v.workspace = true",
            "v",
            "`v` in `file` is a table, not a string",
            "it is inherited: check the file of the workspace, usually at `workspace.package.version`",
        ),
        (
            DocumentFormat::Json,
            "{\"v\": 1.20}",
            "v",
            "`v` in `file` is the number `1.20`, not a string",
            "put it in quotes: `\"1.20\"`",
        ),
        (
            DocumentFormat::Json,
            "{\"v\": null}",
            "v",
            "`v` in `file` is empty (null), not a string",
            "give it a value, in quotes",
        ),
        (
            DocumentFormat::Json,
            "{\"v\": []}",
            "v",
            "`v` in `file` is a list, not a string",
            "`v` is an empty list",
        ),
    ]);
}

#[test]
fn a_missing_key_lists_the_existing_ones() {
    let toml = "[package]\nname = \"x\"\nlist = [\"a\"]\n";
    let json = "{\"package\": {\"name\": \"x\", \"list\": [\"a\"]}}";
    let yaml = "package:\n  name: x\n  list: [a]\n";
    for (format, text) in
        [(DocumentFormat::Toml, toml), (DocumentFormat::Json, json), (DocumentFormat::Yaml, yaml)]
    {
        for (path, help) in [
            ("pakage.version", "the file has `package`"),
            ("package.version", "`package` has `name`, `list`"),
            ("package.version.a.b", "`package` has `name`, `list`"),
            ("package.list.1", "`package.list` is a list of 1: `package.list.0` is its first item"),
            ("package.list.x", "`package.list` is a list of 1: `package.list.0` is its first item"),
            ("package.list.-1", "`package.list` is a list of 1: `package.list.0` is its first item"),
            ("package.name.x", "`package.name` is not a table and has no keys"),
        ] {
            let message = format!("`file` has no key `{path}`");
            assert_eq!(wrong(format, text, path), (message, help.to_owned(), None), "{text:?}");
        }
    }
    for (format, text, help) in [
        (DocumentFormat::Toml, "", "the file has no keys"),
        (DocumentFormat::Json, "{}", "the file has no keys"),
        (DocumentFormat::Json, "\"x\"", "the file is not a table and has no keys"),
        (DocumentFormat::Yaml, "", "the file is not a table and has no keys"),
        (DocumentFormat::Yaml, "---\n---\na: b", "the file is not a table and has no keys"),
        (DocumentFormat::Yaml, "a: &a {<<: *a}", "the file has `a`"),
    ] {
        assert_eq!(wrong(format, text, "x").1, help, "{text:?}");
    }
}

#[test]
fn a_syntax_error_points_at_its_place() {
    for (format, text, message, place) in [
        (DocumentFormat::Toml, "a = \"x\"\nb = nope\n", "`file` is not valid TOML: ", "nope"),
        (
            DocumentFormat::Json,
            "{\"a\": \"x\",\n \"é\": nope}",
            "`file` is not valid JSON: expected ident",
            "o",
        ),
        (DocumentFormat::Json, "{} x", "`file` is not valid JSON: trailing characters", "x"),
        (DocumentFormat::Yaml, "a: x\nb: [", "`file` is not valid YAML: ", ""),
        (DocumentFormat::Yaml, "a: *missing", "`file` is not valid YAML: ", ""),
        (
            DocumentFormat::Yaml,
            "a: x\nb: y\na: z",
            "`file` is not valid YAML: the key `a` appears twice",
            "a",
        ),
    ] {
        let (found, _, pointed) = wrong(format, text, "a");
        assert!(found.starts_with(message), "{text:?}: {found}");
        assert_eq!(pointed.as_deref(), Some(place), "{text:?}");
    }
    let (message, _, place) = wrong(DocumentFormat::Json, "{\"a\": ", "a");
    assert_eq!(
        (message.as_str(), place),
        ("`file` is not valid JSON: EOF while parsing a value", Some(" ".to_owned()))
    );
}

#[test]
fn a_bomb_is_never_expanded() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..=60 {
        let item = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{item}, {item}, {item}, {item}]\n"));
    }
    let zeros = ".0".repeat(60);
    assert_eq!(value(DocumentFormat::Yaml, &text, &format!("a60{zeros}.1")).0, "x");
    assert!(wrong(DocumentFormat::Yaml, &text, "a60").0.ends_with("is a list, not a string"));
    let nested = "[".repeat(100_000);
    for format in [DocumentFormat::Toml, DocumentFormat::Json, DocumentFormat::Yaml] {
        assert!(found(format, &nested, "a").is_err());
        assert!(found(format, &format!("{{\"a\":{nested}"), "a").is_err());
    }
}

#[test]
fn credentials_are_masked_in_shown_text() {
    let text = "password: hunter2\nversion: 1.2.3\ntoken: hunter2\n";
    let found = found(DocumentFormat::Yaml, text, "version").expect("a value");
    let shown = &found.location.expect("a place").source.text;
    assert!(shown.contains("version: 1.2.3") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn files_that_are_not_documents_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    write("marked.yml", b"\xef\xbb\xbfa: b");
    write("latin.toml", b"a = \"\xe9\"");
    write("none.txt", b"");
    write("none", b"");
    write("LOUD.JSON", b"{\"a\": \"b\"}");
    std::fs::create_dir(folder.path().join("folder.toml")).expect("a folder");
    let large = std::fs::File::create(folder.path().join("large.json")).expect("a file");
    large.set_len(4 * 1024 * 1024 + 1).expect("a size");
    for (name, expected) in [
        ("marked.yml", Ok("b")),
        ("LOUD.JSON", Ok("b")),
        ("missing.toml", Err("there is no file `missing.toml`")),
        ("latin.toml", Err("`latin.toml` cannot be read: it is not UTF-8")),
        ("none.txt", Err("`none.txt` is not a TOML, JSON or YAML file")),
        ("none", Err("`none` is not a TOML, JSON or YAML file")),
        ("folder.toml", Err("`folder.toml` cannot be read: is a directory")),
        ("large.json", Err("`large.json` is larger than 4 MiB")),
    ] {
        let read =
            TextDocument::read(folder.path(), name, name).and_then(|document| document.text(&key("a")));
        let read = read.map(|found| found.text).map_err(|error| error.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{name}");
    }
    #[cfg(unix)]
    {
        let name = "zero.toml";
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(name)).expect("a link");
        let error = TextDocument::read(folder.path(), name, name).err().expect("no endless file");
        assert_eq!(error.to_string(), "`zero.toml` cannot be read: it is not a regular file");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_panic(text in "[ab:\\-\\[\\]{}&*!|>'\"#,.0-9\n \t\u{e9}%?<=~]{0,40}", path in "[ab0](\\.[ab01]){0,3}") {
        for format in [DocumentFormat::Toml, DocumentFormat::Json, DocumentFormat::Yaml] {
            let document = document(format, &text);
            let place = match document.text(&key(&path)) {
                Ok(found) => found.location,
                Err(error) => error.to_diagnostic().labels.first().map(|label| label.place.clone()),
            };
            if let Some(place) = place {
                prop_assert!(text.get(place.span).is_some());
            }
        }
    }

    #[test]
    fn a_value_in_json_is_found_as_yaml_too(value in "[a-z0-9.\u{e9} \"\\\\]{0,12}", name in "[a-z.]{1,5}") {
        let text = serde_json::json!({ "x": [1, { &name: &value }] }).to_string();
        let path = format!("x.1.'{name}'");
        let json = found(DocumentFormat::Json, &text, &path).map(|it| it.text);
        prop_assert_eq!(json.as_ref().ok(), Some(&value));
        prop_assert_eq!(json, found(DocumentFormat::Yaml, &text, &path).map(|it| it.text));
    }
}
