//! Conditions: what they can say, and hostile ones, which neither hang nor end the process.

use super::*;
use serde_json::json;

fn variables() -> Variables {
    vec![
        ("image", json!({ "registry": "ghcr.io", "repository": "acme/hello", "age": 7200, "tag": "v1.2.3" })),
        ("vulnerabilities", json!({ "critical": 0, "high": 2 })),
        (
            "predicates",
            json!({ "https://slsa.dev/provenance/v1": [{ "runDetails": { "builder": { "id": "https://github.com/acme" } } }] }),
        ),
        ("signed", json!(true)),
        ("score", json!(7.5)),
        ("nothing", json!(null)),
    ]
}

#[test]
fn conditions_are_true_or_false_or_no_conditions() {
    let builder = "predicates['https://slsa.dev/provenance/v1'].exists(p, p.runDetails.builder.id.startsWith('https://github.com/acme'))";
    for (text, expected) in [
        ("true", Ok(true)),
        ("image.age > 3600 && image.repository == 'acme/hello'", Ok(true)),
        ("vulnerabilities.critical == 0 && vulnerabilities.high <= 1", Ok(false)),
        (builder, Ok(true)),
        ("image.tag.matches('^v[0-9]+[.]')", Ok(true)),
        ("score < 8.0 && score >= 7.0", Ok(true)),
        ("has(image.nothing)", Ok(false)),
        ("nothing == null", Ok(true)),
        ("'x' in predicates", Ok(false)),
        ("image.registry in ['ghcr.io', 'docker.io']", Ok(true)),
        ("signed ? image.age >= 0 : false", Ok(true)),
    ] {
        assert_eq!(holds(text, variables()), expected, "{text}");
    }
    for text in [
        "",
        "1",
        "image",
        "image.missing",
        "unknown",
        "image.age +",
        "image.age > 'x'",
        "1 / 0 == 1",
        "no_function(1)",
        "\"\u{0}",
        "'\u{202e}",
    ] {
        assert!(holds(text, variables()).is_err(), "{text}: {:?}", holds(text, variables()));
    }
}

#[test]
fn hostile_conditions_end_soon() {
    let repeated = |text: &str, times: usize| text.repeat(times);
    let list = vec![1; 300];
    let texts = [
        repeated("(", 2000),
        format!("{}1{}", repeated("(", 2000), repeated(")", 2000)),
        format!("{}1{}", repeated("[", 2000), repeated("]", 2000)),
        repeated("!", 4000),
        format!("{}true", repeated("!", 4000)),
        format!("{}1", repeated("-", 4000)),
        repeated("{", 4000),
        repeated("[{!", 1300),
        repeated("true?", 800),
        format!("a{}", repeated(".a", 2000)),
        format!("1{}", repeated("+1", 2000)),
        format!("true{}", repeated("&&true", 600)),
        format!("'{}'", repeated("\\", 4000)),
        "list.all(a, list.all(b, list.all(c, a+b+c > 0)))".to_owned(),
        "list.all(a, list.all(b, a + b > 0))".to_owned(),
        "list.map(a, list.map(b, [a, b]))".to_owned(),
        "list.map(a, list).map(b, b)".to_owned(),
        repeated("x", 5000),
        "9223372036854775807 + 1 == 0".to_owned(),
        "-9223372036854775808 / -1 == 0".to_owned(),
        "18446744073709551616u == 0u".to_owned(),
        "'(a+)+$'.matches('((a+)+)+$')".to_owned(),
        "'a'.matches('(a{1000}){1000}{1000}')".to_owned(),
        "list[100000000]".to_owned(),
        "list[-1]".to_owned(),
        "int('x')".to_owned(),
        "string(b'\\xff')".to_owned(),
        "b'\\777'".to_owned(),
        "'\\u{110000}\\ud800'".to_owned(),
    ];
    let mut refused = Vec::new();
    for text in texts {
        let shown: String = text.chars().take(12).collect();
        if holds(&text, vec![("list", json!(list))]).is_err() {
            refused.push(shown);
        }
    }
    for bounded in
        ["((((((((((((", "[[[[[[[[[[[[", "{{{{{{{{{{{{", "1+1+1+1+1+1+", "list.all(a, ", "xxxxxxxxxxxx"]
    {
        assert!(refused.iter().any(|it| it == bounded), "{bounded}: {refused:?}");
    }
    // The process goes on.
    assert_eq!(holds("true", variables()), Ok(true));
}
