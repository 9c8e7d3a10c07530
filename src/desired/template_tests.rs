//! Tests of the output of templates, and of the errors of those that cannot be rendered.

use super::*;
use crate::context::Context;
use crate::model::EventName;
use indexmap::IndexMap;

fn templates() -> Templates {
    Templates::new(&["channel".to_owned()])
}

fn values() -> Values {
    let mut context = Context::new(EventName::Tag);
    context.sha = Some("9f3c2ab0123456789".to_owned());
    context.commit_time = Some(1_700_000_000);
    context.absent.insert("git.branch", "this event is `tag`".to_owned());
    let vars = IndexMap::from([("channel".to_owned(), serde_json::json!("beta"))]);
    Values::new(&context, &vars, Some(&crate::model::ResourceId::image("broker")))
        .with_version("1.2.3-rc.1+b5".parse().map_err(|_| String::new()))
}

#[test]
fn renders_what_the_language_promises() {
    for (template, expected) in [
        ("latest", "latest"),
        ("v{{ version }}", "v1.2.3-rc.1+b5"),
        ("{{ version.major }}.{{ version.minor }}.{{ version.patch }}", "1.2.3"),
        ("{{ version.pre }}/{{ version.build }}", "rc.1/b5"),
        ("sha-{{ git.short_sha }}", "sha-9f3c2ab"),
        ("{{ git.sha | short(4) }}", "9f3c"),
        ("{{ git.commit_time | date('%Y%m%d') }}", "20231114"),
        ("{{ 'release/1.x' | capture('release/(.*)', 1) }}", "1.x"),
        ("{{ 'A B' | slug }}", "a-b"),
        ("{{ event }}-{{ image.name }}-{{ vars.channel }}", "tag-broker-beta"),
        ("{% if version.pre is matching('^rc') %}rc{% endif %}", "rc"),
    ] {
        assert_eq!(templates().render(template, &values()).as_deref(), Ok(expected), "{template}");
    }
    assert_eq!(templates().test("version.pre == 'rc.1' and event == 'tag'", &values()), Ok(true));
    assert_eq!(templates().test("not version.pre", &values()), Ok(false));
}

#[test]
fn finds_mistakes_without_a_context() {
    for (template, code, words, range) in [
        ("{{ version", Code::TemplateSyntax, "syntax error", None),
        ("a{{ versoin }}", Code::TemplateUnknownVariable, "`versoin`", Some(4..11)),
        ("{{ git.shaa }}", Code::TemplateUnknownVariable, "`git.shaa`", Some(3..11)),
        ("{{ vars.chanel }}", Code::TemplateUnknownVariable, "`vars.chanel`", Some(3..14)),
        (
            "{{ version | slag }}",
            Code::TemplateUnknownFilter,
            "`slag` is not a template filter",
            Some(13..17),
        ),
        (
            "{{ 1 if version is matchin('x') }}",
            Code::TemplateUnknownFilter,
            "`matchin` is not a template test",
            Some(19..26),
        ),
    ] {
        let errors = templates().check(template, TemplateSyntax::Text);
        assert_eq!(errors.len(), 1, "{template}: {errors:?}");
        assert_eq!(errors[0].code, code, "{template}");
        assert!(errors[0].message.contains(words), "{template}: {}", errors[0].message);
        if let Some(range) = range {
            assert_eq!(errors[0].range, range, "{template}");
        }
    }
    for fine in [
        "{{ 'a | nofilter' | slug }} | text",
        "{% for i in range(3) %}{{ i }}{% endfor %}",
        "{{ version.pre | default('x') | upper }}",
    ] {
        assert_eq!(templates().check(fine, TemplateSyntax::Text), [], "{fine}");
    }
}

#[test]
fn an_absent_value_says_why() {
    let error = templates().render("b-{{ git.branch }}", &values()).expect_err("no branch");
    assert_eq!(error.code, Code::ContextMissing);
    assert_eq!(error.message, "`git.branch` has no value here: this event is `tag`");
    assert_eq!(error.range, 5..15);
}

#[test]
fn templates_come_to_an_end() {
    let endless = "{% for a in range(1000) %}{% for b in range(1000) %}x{% endfor %}{% endfor %}";
    assert!(templates().render(endless, &values()).is_err());
}

#[test]
fn a_version_compares_as_a_version() {
    let at = |version: &str| {
        let vars = IndexMap::from([("channel".to_owned(), serde_json::json!("2.0.0"))]);
        Values::new(&Context::new(EventName::Tag), &vars, None)
            .with_version(Ok(version.parse().expect("a version")))
    };
    for (when, holds, fails) in [
        ("version >= '2.0.0'", vec!["2.0.0", "10.0.0", "2.0.0+b"], vec!["1.9.9", "2.0.0-rc.1"]),
        ("'2.0.0' <= version", vec!["2.0.0", "10.0.0"], vec!["1.9.9"]),
        ("version == '1.2.3'", vec!["1.2.3"], vec!["1.2.4", "1.2.3-rc.1"]),
        ("version != '1.2.3'", vec!["1.2.4"], vec!["1.2.3"]),
        ("'1.0.0' <= version < '2.0.0'", vec!["1.10.0"], vec!["0.9.0", "2.0.0"]),
        ("version in ['1.2.3', '1.10.0']", vec!["1.2.3", "1.10.0"], vec!["1.2.4"]),
        ("version not in ['1.2.3']", vec!["1.2.4"], vec!["1.2.3"]),
        ("version > vars.channel", vec!["10.0.0"], vec!["2.0.0"]),
        ("version.major >= 2", vec!["2.0.0", "10.0.0"], vec!["1.9.9"]),
        ("not (version < '2.0.0') and event == 'tag'", vec!["2.0.0"], vec!["1.0.0"]),
        ("version.is_prerelease", vec!["1.0.0-rc.1"], vec!["1.0.0"]),
    ] {
        for (versions, expected) in [(holds, true), (fails, false)] {
            for version in versions {
                assert_eq!(templates().test(when, &at(version)), Ok(expected), "{when} for {version}");
            }
        }
    }
    let rendered = templates().render("{{ 'new' if version >= '2.0.0' else 'old' }}", &at("10.0.0"));
    assert_eq!(rendered.as_deref(), Ok("new"));
}

#[test]
fn a_version_compares_with_nothing_else() {
    let expression = TemplateSyntax::Expression;
    for (when, words, range) in [
        ("version > 'abc'", "compared with `abc`, which is not a version", 10..15),
        ("version >= '2.0'", "compared with `2.0`, which is not a version", 11..16),
        ("'v2.0.0' <= version", "compared with `v2.0.0`", 0..8),
        ("version > 2", "something that is not a version", 10..11),
        ("2.5 < version", "something that is not a version", 0..3),
        ("version in '1.2.3'", "not a list of versions", 11..18),
        ("version in ['1.2.3', 'x']", "compared with `x`", 21..24),
        ("'rc' in version", "not a list or text", 8..15),
    ] {
        let errors = templates().check(when, expression);
        assert_eq!(errors.len(), 1, "{when}: {errors:?}");
        assert_eq!((errors[0].code, &errors[0].range), (Code::TemplateComparison, &range), "{when}");
        assert!(errors[0].message.contains(words), "{when}: {}", errors[0].message);
    }
    let text = templates().check("{{ 'a' if version > 1 else 'b' }}", TemplateSyntax::Text);
    assert_eq!((text[0].code, text[0].range.clone()), (Code::TemplateComparison, 20..21));
    // A variable is known only when the rule is tried.
    let error = templates().test("event == 'tag' and version > vars.channel", &values()).expect_err("beta");
    assert!(error.message.contains("compared with `beta`, which is not a version"), "{}", error.message);
    for fine in [
        "version.major >= 2",
        "version.pre == ''",
        "version is defined",
        "version|string == 'x'",
        "'rc' in version.pre",
    ] {
        assert_eq!(templates().check(fine, expression), [], "{fine}");
    }
}
