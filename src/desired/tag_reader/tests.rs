//! Tests of readers of many templates, and of tags that are similar to theirs.

use proptest::prelude::*;

use super::*;
use crate::config::{Config, LoadOptions, load_text};
use crate::desired::rules;
use crate::desired::values::Values;
use crate::model::ResourceId;

/// A configuration whose only rule has this template and these keys.
fn config(template: &str, keys: &str) -> Config {
    let template = serde_json::to_string(template).expect("a string");
    let text = format!(
        "version = 1\n[vars]\nchannel = \"beta\"\n[registries.r]\nurl = \"localhost:5000\"\n[tags.rule]\ntemplate = {template}\n{keys}\n[images.app]\nsource = \"oci:x\"\n"
    );
    let loaded =
        load_text(&text, &LoadOptions { display_name: "publish.toml".to_owned(), ..LoadOptions::default() });
    assert_eq!(loaded.diagnostics, [], "{text}");
    loaded.config.expect("a configuration")
}

fn reader(config: &Config) -> Result<TagReader, Unreadable> {
    let app = ResourceId::image("app");
    TagReader::new(
        &Renderer::with_file_version(config, None),
        TagTemplate::of_rule(config, "rule").expect("a rule"),
        config.named_resource(&app).expect("an image"),
    )
}

fn tag(text: &str) -> Tag {
    text.parse().expect(text)
}

#[test]
fn a_reader_takes_what_its_rule_renders_and_nothing_near_it() {
    const PR: &str = "on = \"pull_request\"";
    const BRANCH: &str = "on = \"branch\"";
    const TAG: &str = "on = \"tag\"";
    for (template, keys, right, wrong) in [
        (
            "pr-{{ pr.number }}",
            PR,
            vec!["pr-1", "pr-12", "pr-123"],
            vec!["pr-", "pr-012", "pr-12-x", "xpr-12", "pr-x", "PR-1", "pr-1.2"],
        ),
        ("{{ 'pr-' ~ pr.number }}", PR, vec!["pr-12"], vec!["pr-x"]),
        ("b-{{ ci.run_number }}", BRANCH, vec!["b-1", "b-420"], vec!["b-0", "b-x", "b-01"]),
        (
            "b{{ ci.run_number }}.{{ ci.run_attempt }}-{{ pr.number }}",
            PR,
            vec!["b420.2-7"],
            vec!["b420.2", "b420-7", "b.2-7"],
        ),
        ("n-{{ git.commits_since_tag }}", BRANCH, vec!["n-0", "n-12"], vec!["n-", "n-x"]),
        ("t-{{ now | date('%Y%m%d') }}", BRANCH, vec!["t-20260102"], vec!["t-20261301", "t-2026010"]),
        (
            "t-{{ git.commit_time | date('%Y%m%d', 'Asia/Tokyo') }}",
            BRANCH,
            vec!["t-20260102"],
            vec!["t-20261301", "t-2026010"],
        ),
        (
            "sha-{{ git.short_sha }}",
            BRANCH,
            vec!["sha-0a1b2c3"],
            vec!["sha-0a1b2c", "sha-0a1b2c3d", "sha-xyzabcd", "sha-0A1B2C3"],
        ),
        ("{{ git.sha | short(10) }}", BRANCH, vec!["0123456789"], vec!["012345678", "01234567890"]),
        ("{{ git.sha[:12] }}", BRANCH, vec!["0123456789ab"], vec!["0123456789a"]),
        ("c-{{ git.sha }}", BRANCH, vec!["c-0123456789012345678901234567890123456789"], vec!["c-0123456"]),
        (
            "v{{ version }}",
            TAG,
            vec!["v1.2.3", "v1.2.3-rc.1_b7"],
            vec!["v1.2", "v1", "1.2.3", "v1.2.3-", "v1.2.3_"],
        ),
        (
            "v{{ version.major }}.{{ version.minor }}",
            TAG,
            vec!["v1.2", "v0.10"],
            vec!["v1", "v1.2.3", "v01.2"],
        ),
        (
            "{{ git.branch | slug }}",
            BRANCH,
            vec!["main", "a.b_c-d", "x-0123abcd"],
            vec!["Main", "a--b", "a-"],
        ),
        ("b.{{ git.branch }}", BRANCH, vec!["b.Main", "b.a--b"], vec!["b.", "main"]),
        (
            "{{ git.commit_time | date('%Y%m%d') }}-{{ git.short_sha }}",
            BRANCH,
            vec!["20260102-0a1b2c3"],
            vec!["20269902-0a1b2c3", "2026-0a1b2c3"],
        ),
        (
            "{{ image.name }}-{{ vars.channel }}-{{ pr.number }}",
            PR,
            vec!["app-beta-7"],
            vec!["app-7", "tool-beta-7"],
        ),
        (
            "{{ event }}-{{ git.short_sha }}",
            "on = [\"branch\", \"schedule\"]",
            vec!["branch-0a1b2c3", "schedule-0a1b2c3"],
            vec!["manual-0a1b2c3"],
        ),
        ("latest", TAG, vec!["latest"], vec!["latest-1", "Latest"]),
        (
            "pr-{{ pr.number }}-{{ git.short_sha }}",
            PR,
            vec!["pr-12-0a1b2c3"],
            vec!["pr-12", "pr-12-x", "pr--0a1b2c3"],
        ),
        (
            "{{ git.branch | slug }}",
            "on = \"branch\"\nmatch = [\"main\", \"develop\"]",
            vec!["main", "develop"],
            vec!["mai", "main-1"],
        ),
        (
            "{{ git.branch | slug }}",
            "on = \"branch\"\nmatch = \"release/*\"",
            vec!["release-1.x"],
            vec!["release", "released", "x-release-1"],
        ),
        (
            "{{ git.tag }}",
            "on = \"tag\"\nmatch = \"nightly-*\"",
            vec!["nightly-1"],
            vec!["v1.0.0", "nightly"],
        ),
        ("v{{ version }}", "on = \"tag\"\nwhen = \"version.pre == ''\"", vec!["v1.2.3"], vec!["v1.2.3-rc.1"]),
        ("v{{ version.major }}", "on = \"tag\"\nwhen = \"version.pre == ''\"", vec!["v1"], vec![]),
        ("v{{ version }}", "on = \"tag\"\nmatch = \"v1.*\"", vec!["v1.2.3"], vec!["v2.0.0"]),
        (
            "c-{{ git.short_sha }}",
            "on = \"branch\"\nwhen = \"git.branch != 'main'\"",
            vec!["c-0a1b2c3"],
            vec![],
        ),
        (
            "pr-{{ pr.number }}",
            "on = \"pull_request\"\nwhen = \"pr.number > 9\"",
            vec!["pr-10"],
            vec!["pr-9"],
        ),
    ] {
        let config = config(template, keys);
        let renderer = Renderer::with_file_version(&config, None);
        let reader = reader(&config).expect(template);
        for text in &right {
            assert!(reader.reads(&renderer.templates, &tag(text)), "{template} refuses {text}");
            assert!(reader.might_render(&tag(text)), "{template} might not be {text}");
        }
        for text in wrong {
            assert!(
                !text.parse::<Tag>().is_ok_and(|tag| reader.reads(&renderer.templates, &tag)),
                "{template} takes {text}"
            );
        }
        let samples =
            reader.samples(&renderer.templates, TagTemplate::of_rule(&config, "rule").expect("a rule"));
        assert!(samples.iter().any(|tag| reader.reads(&renderer.templates, tag)), "{template}: {samples:?}");
    }
}

#[test]
fn a_template_that_cannot_be_read_back_says_why() {
    let why = |template: &str| reader(&config(template, "on = \"tag\"")).expect_err(template).to_string();
    assert_eq!(why("{% if version.pre %}x{% endif %}v{{ version }}"), "its template has conditions or loops");
    assert_eq!(why("{{ 'a' if version.pre else 'b' }}"), "its template computes with `if`");
    assert_eq!(
        why("{{ git.tag | replace('v', '') }}"),
        "its template uses the filter `replace`, which hides its input"
    );
    assert_eq!(why("{{ git.tag.replace('v', '') }}"), "its template calls a function");
    assert_eq!(why("{{ git.tag[1:] }}"), "the value of `git.tag` cannot be found in the tag");
    assert_eq!(why("{{ git.branch[:100] }}"), "its template does not follow a single pattern");
    assert_eq!(why("{{ pr.number % 10 }}"), "the value of `pr.number` cannot be found in the tag");
    assert_eq!(
        why("{{ version }}-{{ version.major }}"),
        "its template prints `version` and `version.major`, which depend on each other"
    );
    assert_eq!(
        why("{{ pr.number }}-{{ pr.number }}"),
        "its template prints `pr.number` and `pr.number`, which depend on each other"
    );
    assert_eq!(
        why("{{ git.branch | slug | short(20) }}"),
        "the value of `git.branch` cannot be found in the tag"
    );
    assert_eq!(why("{{ version.major + 1 }}"), "the value of `version.major` cannot be found in the tag");
}

#[test]
fn only_fixed_text_identifies_the_rule_of_a_tag() {
    let free = |template: &str, keys: &str| reader(&config(template, keys)).expect(template).is_free();
    assert!(free("{{ git.branch | slug }}", "on = \"branch\""));
    assert!(free("{{ git.branch | slug }}", "on = \"branch\"\nmatch = [\"main\", \"*\"]"));
    assert!(free("{{ git.tag }}", "on = \"tag\""));
    assert!(!free("{{ git.branch | slug }}", "on = \"branch\"\nmatch = [\"main\", \"release/*\"]"));
    assert!(!free("b-{{ git.branch | slug }}", "on = \"branch\""));
    assert!(!free("{{ version }}", "on = \"tag\""));
}

#[test]
fn a_number_that_can_be_cut_in_two_ways_is_both() {
    let config = config(
        "{{ git.branch | slug }}-{{ pr.number }}-{{ version.major }}{{ git.default_branch | slug }}",
        "on = \"pull_request\"",
    );
    assert!(reader(&config).is_err(), "two branches depend on each other");
    let config = self::config("{{ pr.number }}{{ version.major }}", "on = \"pull_request\"");
    assert_eq!(reader(&config).expect("a reader").pull_requests(&tag("123")), BTreeSet::from([1, 12]));
}

proptest! {
    #[test]
    fn a_reader_reads_every_tag_of_its_rule(
        number in 1..u64::MAX,
        sha in "[0-9a-f]{40}",
        branch in "[a-zA-Z0-9][a-zA-Z0-9/_.#é-]{0,160}",
        version in "[0-9]{1}\\.[1-9][0-9]{0,3}\\.0(-[a-z]{1,4}\\.[1-9])?(\\+[a-z]{1,4})?",
        time in 0..4_000_000_000_i64,
        template in prop::sample::select(vec![
            "pr-{{ pr.number }}",
            "pr-{{ pr.number }}-{{ git.short_sha }}",
            "{{ git.branch | slug }}",
            "{{ git.sha | short(9) }}.{{ pr.number }}",
            "{{ git.commit_time | date('%Y-%m-%d') }}_{{ git.sha }}",
            "v{{ version }}",
            "v{{ version.major }}.{{ version.minor }}-{{ pr.number }}",
            "x{{ version }}-{{ git.short_sha }}",
        ]),
    ) {
        let config = config(template, "on = \"pull_request\"");
        let renderer = Renderer::with_file_version(&config, None);
        let reader = reader(&config).expect(template);
        let context = crate::context::Context {
            pull_request: Some(number),
            sha: Some(sha),
            branch: Some(branch),
            commit_time: Some(time),
            ..crate::context::Context::new(EventName::PullRequest)
        };
        let values = Values::new(&context, &config.vars, Some(&ResourceId::image("app"))).with_version(Ok(version.parse().expect("a version")));
        let rendered = rules::render(&renderer.templates, template, &values).expect("a tag");
        prop_assert!(reader.reads(&renderer.templates, &rendered), "{rendered}");
        prop_assert!(reader.might_render(&rendered));
        if template.contains("pr.number") {
            prop_assert_eq!(reader.pull_requests(&rendered), BTreeSet::from([number]));
        }
    }

    #[test]
    fn any_tag_gets_an_answer(text in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
        let config = config("{{ git.branch | slug }}-{{ pr.number }}", "on = \"pull_request\"");
        let renderer = Renderer::with_file_version(&config, None);
        let reader = reader(&config).expect("a reader");
        let read = reader.reads(&renderer.templates, &tag(&text));
        prop_assert!(!read || reader.might_render(&tag(&text)));
    }
}
