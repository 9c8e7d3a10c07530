//! Values that are set in texts of every form.

use proptest::prelude::*;

use super::*;

fn edit(path: &str, value: impl Into<Value>) -> ValueEdit {
    ValueEdit { path: path.split('.').map(str::to_owned).collect(), value: value.into() }
}

fn edited(text: &str, path: &str, value: &str) -> String {
    with_values(text, &[edit(path, value)]).unwrap_or_else(|| panic!("{path} in {text}"))
}

#[test]
fn a_value_is_replaced_in_its_own_style() {
    for (text, path, expected) in [
        ("image:\n  tag: \"\" # of the app\n", "image.tag", "image:\n  tag: \"v1\" # of the app\n"),
        ("image: {repository: a, tag: b}\n", "image.tag", "image: {repository: a, tag: v1}\n"),
        ("tag: 'x'\nb: 2\n", "tag", "tag: 'v1'\nb: 2\n"),
        ("tag:\nb: 2\n", "tag", "tag: v1\nb: 2\n"),
        ("tag: # none\n", "tag", "tag: v1 # none\n"),
        ("tag: ~\n", "tag", "tag: v1\n"),
        ("tag: 1.10\r\nb: 2\r\n", "tag", "tag: v1\r\nb: 2\r\n"),
        ("a:\n- image: x\n- image: y # second\n", "a.1.image", "a:\n- image: x\n- image: v1 # second\n"),
        ("a: [x, y]\n", "a.1", "a: [x, v1]\n"),
        ("# top\n{\"a\": {\"tag\": \"x\"}}\n", "a.tag", "# top\n{\"a\": {\"tag\": \"v1\"}}\n"),
        ("a: !!str x\n", "a", "a: !!str v1\n"),
    ] {
        assert_eq!(edited(text, path, "v1"), expected);
    }
}

#[test]
fn a_key_that_is_missing_is_added_to_its_mapping() {
    for (text, expected) in [
        (
            "image:\n  repository: a # here\n  pullPolicy: Always\nb: 1\n",
            "image:\n  repository: a # here\n  pullPolicy: Always\n  tag: \"v1\"\nb: 1\n",
        ),
        ("image: {repository: a}\n", "image: {repository: a, tag: \"v1\"}\n"),
        ("image: {}\n", "image: {tag: \"v1\"}\n"),
        ("image:\r\n  repository: a\r\n", "image:\r\n  repository: a\r\n  tag: \"v1\"\r\n"),
        ("image:\n  repository: a", "image:\n  repository: a\n  tag: \"v1\""),
        (
            "d: &d {tag: x}\nimage:\n  <<: *d\n  r: a\n",
            "d: &d {tag: x}\nimage:\n  <<: *d\n  r: a\n  tag: \"v1\"\n",
        ),
    ] {
        assert_eq!(edited(text, "image.tag", "v1"), expected);
    }
}

#[test]
fn an_alias_keeps_the_value_that_it_had() {
    let text = "version: &v \"1.0\"\nimage:\n  tag: *v\nother: *v\n";
    assert_eq!(edited(text, "image.tag", "v2"), "version: &v \"1.0\"\nimage:\n  tag: v2\nother: *v\n");
    assert_eq!(edited(text, "version", "v2"), "version: &v \"v2\"\nimage:\n  tag: \"1.0\"\nother: \"1.0\"\n");
    let shared = "a: &a {tag: x}\nb: *a\n";
    assert_eq!(with_values(shared, &[edit("b.tag", "v2")]), None);
}

#[test]
fn values_that_are_no_plain_strings_get_quotes() {
    for (value, expected) in [
        ("1.10", "tag: \"1.10\"\n"),
        ("7052e10", "tag: \"7052e10\"\n"),
        ("v1@sha256:ab", "tag: v1@sha256:ab\n"),
        ("ghcr.io/a/b:1", "tag: ghcr.io/a/b:1\n"),
        ("", "tag: \"\"\n"),
        ("a: b", "tag: \"a: b\"\n"),
        ("a #b", "tag: \"a #b\"\n"),
    ] {
        assert_eq!(edited("tag: x\n", "tag", value), expected);
    }
    assert_eq!(with_values("a: x\n", &[edit("a", true)]).as_deref(), Some("a: true\n"));
}

proptest! {
    #[test]
    fn whatever_is_set_is_read_again(value in "[ -~]{0,20}", style in 0_usize..5) {
        let text = ["a: x # c\nb: 1\n", "a: \"x\"\nb: 1\n", "a: 'x'\nb: 1\n", "{a: x, b: 1}\n", "b: 1\n"][style];
        let text = with_values(text, &[edit("a", value.as_str())]).expect("set");
        prop_assert_eq!(tree(&text).expect("YAML"), serde_json::json!({"a": value, "b": 1}));
    }
}
