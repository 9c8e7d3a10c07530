//! Trees of YAML: their contents, byte ranges and bounds.

use proptest::prelude::*;

use super::*;

const MANY: usize = 100_000;

/// Returns the document as JSON. Aliases are written out, so a document with a cycle, or one that grows, is cut at `depth`.
fn outline(node: YamlNode<'_>, depth: usize) -> serde_json::Value {
    match node.content() {
        _ if depth == 0 => "…".into(),
        YamlContent::Scalar(scalar) if scalar.is_null() => serde_json::Value::Null,
        YamlContent::Scalar(scalar) => scalar.text.as_str().into(),
        YamlContent::Sequence(items) => items.into_iter().map(|item| outline(item, depth - 1)).collect(),
        YamlContent::Mapping(entries) => {
            let text = |key: YamlNode<'_>| match key.content() {
                YamlContent::Scalar(scalar) => scalar.text.clone(),
                _ => "?".to_owned(),
            };
            let entry = |entry: YamlEntry<'_>| (text(entry.key), outline(entry.value, depth - 1));
            serde_json::Value::Object(entries.into_iter().map(entry).collect())
        }
    }
}

fn read(text: &str) -> serde_json::Value {
    let document = YamlDocument::parse(text, MANY).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    document.root().map_or(serde_json::Value::Null, |root| outline(root, 6))
}

#[test]
fn documents_are_trees() {
    for (text, expected) in [
        ("", serde_json::json!(null)),
        ("---\n---\na: b", serde_json::json!(null)),
        ("a: 1\nb: [x, {c: \"d\\n\"}]\n---\ne: f", serde_json::json!({"a": "1", "b": ["x", {"c": "d\n"}]})),
        ("a: &x [1]\nb: *x\n", serde_json::json!({"a": ["1"], "b": ["1"]})),
        ("&k a: 1\nb: {*k : 2}\n", serde_json::json!({"a": "1", "b": {"a": "2"}})),
        ("a: ~\nb: '~'\nc:\n", serde_json::json!({"a": null, "b": "~", "c": null})),
        ("? [x]\n: y\n", serde_json::json!({"?": "y"})),
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn a_node_has_the_bytes_of_its_alias_and_its_own() {
    let text = "a: &x one\nb: *x\nc: [y]\n";
    let document = YamlDocument::parse(text, MANY).expect("YAML");
    let Some(YamlContent::Mapping(entries)) = document.root().map(|root| root.content()) else { panic!() };
    let [_, alias, list] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((&text[alias.key.span()], &text[alias.value.span()]), ("b", "*x"));
    assert_eq!(&text[alias.value.own_span()], "one");
    assert_eq!(list.value.span(), 19..19);
}

#[test]
fn scalars_keep_their_style_and_tag() {
    let text = "[a, 'a', !!str a, ! a, !own a, !!int 'a', |-\n a]";
    let document = YamlDocument::parse(text, MANY);
    // A block scalar is not allowed in flow style.
    assert!(document.is_err());
    let document = YamlDocument::parse("[a, 'a', !!str a, ! a, !own a, !!int 'a']", MANY).expect("YAML");
    let Some(YamlContent::Sequence(items)) = document.root().map(|root| root.content()) else { panic!() };
    let found: Vec<(bool, Option<&str>, bool)> = items
        .iter()
        .map(|item| match item.content() {
            YamlContent::Scalar(scalar) => (scalar.is_plain, scalar.tag.as_deref(), scalar.is_tagged_string),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            (true, None, false),
            (false, None, false),
            (true, Some("!!str"), true),
            (true, Some("!"), true),
            (true, Some("!own"), false),
            (false, Some("!!int"), false),
        ]
    );
}

#[test]
fn texts_that_are_not_yaml_are_refused_at_their_byte() {
    for (text, message, span) in [
        ("é: [", "unclosed bracket", 4..4),
        ("a: *x", "unknown anchor", 3..3),
        ("[a, b, c, d]", "the file has more than 4 values", 10..11),
    ] {
        let error = YamlDocument::parse(text, 4).expect_err(text);
        assert!(error.message.contains(message), "{text:?}: {error}");
        assert_eq!(error.span, span, "{text:?}: {error}");
    }
    assert_eq!(YamlDocument::parse("a: &a [*a]", MANY).expect("YAML").cycle(), Some(7..9));
    assert_eq!(YamlDocument::parse("a: &a []\nb: *a", MANY).expect("YAML").cycle(), None);
}

#[test]
fn nesting_is_bounded() {
    for open in ["[", "{a: ", "- ", "? "] {
        assert!(YamlDocument::parse(&open.repeat(100_000), MANY).is_err(), "{open}");
    }
    assert!(YamlDocument::parse(&format!("{}{}", "[".repeat(200), "]".repeat(200)), MANY).is_ok());
}

#[test]
fn documents_that_must_be_mappings_are_checked() {
    for (text, expected) in [
        ("", None),
        ("# nothing\n", None),
        ("a: 1\n---\nb: 2\n", None),
        ("---\n", None),
        ("- a\n", Some(0..0)),
        ("a: 1\n---\nword\n", Some(9..9)),
        ("'~'", Some(0..0)),
        ("a: [", Some(3..3)),
    ] {
        assert_eq!(check_mappings(text).err().map(|error| error.span), expected, "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_a_tree_or_an_error_inside_the_text(text in "[ab:\\-\\[\\]{}&*!|>'\"#,.0-9\n \t\u{e9}%?<=~]{0,60}", max in 0_usize..20) {
        match YamlDocument::parse(&text, max) {
            Ok(document) => {
                prop_assert!(document.nodes.len() <= max);
                for node in &document.nodes {
                    prop_assert!(text.get(node.span.clone()).is_some(), "{:?}", node);
                }
                if let Some(root) = document.root() {
                    outline(root, 8);
                }
            }
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error),
        }
        let _ = check_mappings(&text);
    }

    #[test]
    fn json_is_the_same_tree(keys in prop::collection::btree_map("[a-z.\u{e9} \"]{1,5}", "[a-z0-9.\u{e9} \"\\\\]{1,12}", 0..6)) {
        let json = serde_json::json!({ "map": keys, "list": keys.values().collect::<Vec<_>>() });
        prop_assert_eq!(read(&json.to_string()), json);
    }
}
