//! Tests of the comparisons that are found in expressions, and of the operands that cannot be versions.

use super::*;

fn rewritten(source: &str) -> String {
    let found = Comparisons::of(source, !source.contains("{{") && !source.contains("{%"));
    let rewritten = found.rewritten(source).unwrap_or_else(|| source.to_owned());
    rewritten.replace(TO_VERSION, "V").replace(TO_NUMBER, "N")
}

#[test]
fn operands_of_version_become_versions() {
    for (source, expected) in [
        ("version >= '2.0.0'", "version >= V('2.0.0', version)"),
        ("'2.0.0' <= version", "V('2.0.0', version) <= version"),
        ("(version) == (vars.least)", "(version) == V((vars.least), version)"),
        (
            "'1.0.0' <= version < '2.0.0' and event == 'tag'",
            "V('1.0.0', version) <= version < V('2.0.0', version) and event == 'tag'",
        ),
        ("version in ['1.2.3', '1.2.4']", "version in V(['1.2.3', '1.2.4'], version)"),
        ("not version not in vars.list", "not version not in V(vars.list, version)"),
        ("version > vars.a ~ '.0' or false", "version > V(vars.a ~ '.0', version) or false"),
        ("version.major >= 2", "N(version.major) >= 2"),
        ("2 < version.minor", "2 < N(version.minor)"),
        ("version.pre == ''", "version.pre == ''"),
        ("chart.version == '1.2.3'", "chart.version == '1.2.3'"),
        ("version|string == '1.2.3'", "version|string == '1.2.3'"),
        ("'version > 1' == event", "'version > 1' == event"),
        ("version == version", "version == version"),
        (
            "{{ 'new' if version > \"2.0.0\" else 'old' }}",
            "{{ 'new' if version > V(\"2.0.0\", version) else 'old' }}",
        ),
        (
            "version > '1'{% if version < '2.0.0' %}a{% endif %}",
            "version > '1'{% if version < V('2.0.0', version) %}a{% endif %}",
        ),
        (
            "{% for v in ['a'] if version != '1.0.0' %}{% endfor %}",
            "{% for v in ['a'] if version != V('1.0.0', version) %}{% endfor %}",
        ),
        ("{{ [version == '1.0.0', 2] }}", "{{ [version == V('1.0.0', version), 2] }}"),
    ] {
        assert_eq!(rewritten(source), expected);
    }
}

#[test]
fn offsets_lead_back_to_the_source() {
    let source = "version >= '2.0.0' and zz";
    let found = Comparisons::of(source, true);
    let text = found.rewritten(source).expect("a comparison");
    for word in ["version >=", "'2.0.0'", "and", "zz"] {
        let offset = text.find(word).expect(word);
        assert_eq!(found.original(offset), source.find(word).expect(word), "{word}");
    }
}

#[test]
fn literals_have_their_places() {
    let of = |source: &str| -> Vec<(Operand, String)> {
        let found = Comparisons::of(source, true).literals;
        found.into_iter().map(|it| (it.operand, source[it.range].to_owned())).collect()
    };
    let text = |text: &str| Operand::Text(text.to_owned());
    assert_eq!(of("version > 'abc'"), [(text("abc"), "'abc'".to_owned())]);
    assert_eq!(of("2.0 > version"), [(Operand::Literal, "2.0".to_owned())]);
    assert_eq!(of("version == 2"), [(Operand::Literal, "2".to_owned())]);
    assert_eq!(of("version in 'abc'"), [(Operand::Literal, "'abc'".to_owned())]);
    assert_eq!(of("'rc' in version"), [(Operand::Container, "version".to_owned())]);
    assert_eq!(
        of("version in ['1.0.0', 'x', 3]"),
        [
            (text("1.0.0"), "'1.0.0'".to_owned()),
            (text("x"), "'x'".to_owned()),
            (Operand::Literal, "3".to_owned())
        ]
    );
    assert_eq!(of("version.major > 2 and version > vars.x"), []);
}
