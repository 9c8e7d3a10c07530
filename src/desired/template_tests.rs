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
