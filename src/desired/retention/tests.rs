//! Tests of whole configurations and listings, and of the decisions about them.

use super::*;
use crate::config::{LoadOptions, load_text};
use oci_registry::Digest;

pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const DAY: i64 = 86_400;

pub(super) const BASE: &str = r#"
version = 1
[registries.r]
url = "localhost:5000"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
[tags.sha]
on = ["branch", "pull_request"]
template = "sha-{{ git.short_sha }}"
[tags.branch]
on = "branch"
match = ["main", "develop"]
template = "{{ git.branch | slug }}"
mutability = "forward"
[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"
mutability = "mutable"
[images.app]
source = "oci:x"
"#;

pub(super) fn config_of(text: &str) -> Config {
    let options = LoadOptions { display_name: "publish.toml".to_owned(), ..LoadOptions::default() };
    let loaded = load_text(text, &options);
    assert_eq!(loaded.diagnostics, [], "{text}");
    loaded.config.expect("a configuration")
}

pub(super) fn with(retentions: &str) -> Config {
    config_of(&format!("{BASE}{retentions}"))
}

pub(super) fn closed(number: u64) -> Context {
    Context { pull_request: Some(number), ..Context::new(EventName::PullRequestClosed) }
}

pub(super) fn scheduled() -> Context {
    Context::new(EventName::Schedule)
}

/// A tag that was made `days` days ago.
pub(super) fn listed(tag: &str, days: Option<i64>) -> ListedTag {
    ListedTag {
        tag: tag.parse().expect(tag),
        digest: Digest::of(tag.as_bytes()),
        created: days.map(|days| NOW - days * DAY),
        stated: None,
    }
}

pub(super) fn decide(config: &Config, context: &Context, tags: &[ListedTag]) -> Decisions {
    let retentions = Retentions::new(config, context).expect("retentions");
    retentions.decide(&app(), "r", tags, &Spared::default(), NOW)
}

pub(super) fn removed(decisions: &Decisions) -> Vec<String> {
    decisions.remove.iter().map(|it| format!("{}: {}", it.tag, it.reason)).collect()
}

pub(super) fn kept(decisions: &Decisions) -> Vec<String> {
    decisions.keep.iter().map(|it| format!("{}: {}", it.tag, it.reason)).collect()
}

pub(super) const PR: &str = "[retention.pr]\nrule = \"pr\"\non = \"pull_request_closed\"\n";

fn app() -> ResourceId {
    ResourceId::image("app")
}

#[test]
fn a_closed_pull_request_takes_its_own_tag_along_and_no_other() {
    let tags = ["pr-1", "pr-12", "pr-123", "pr-12-x", "xpr-12", "pr-012", "pr-12.0", "PR-12", "v1.0.0"]
        .map(|tag| listed(tag, Some(900)));
    let decisions = decide(&with(PR), &closed(12), &tags);
    assert_eq!(removed(&decisions), ["pr-12: pull request 12 is closed"]);
    assert_eq!(decisions.remove[0].retention, "pr");
    assert_eq!(decisions.remove[0].digest, Digest::of(b"pr-12"));
    assert_eq!(kept(&decisions), Vec::<String>::new());
}

#[test]
fn all_tags_of_a_closed_pull_request_go() {
    let config = config_of(&format!(
        "{}{PR}",
        BASE.replace("pr-{{ pr.number }}", "pr-{{ pr.number }}-{{ git.short_sha }}")
    ));
    let tags = ["pr-12-0a1b2c3", "pr-12-fffffff", "pr-123-0a1b2c3", "pr-12", "pr-12-xyz", "pr-1-2345678"]
        .map(|tag| listed(tag, None));
    assert_eq!(
        removed(&decide(&config, &closed(12), &tags)),
        ["pr-12-0a1b2c3: pull request 12 is closed", "pr-12-fffffff: pull request 12 is closed"]
    );
}

#[test]
fn a_number_that_a_filter_changes_is_rendered_and_compared() {
    let config =
        config_of(&format!("{}{PR}", BASE.replace("{{ pr.number }}", "{{ '%05d' | format(pr.number) }}")));
    let tags = ["pr-00012", "pr-12", "pr-00123"].map(|tag| listed(tag, None));
    assert_eq!(removed(&decide(&config, &closed(12), &tags)), ["pr-00012: pull request 12 is closed"]);
}

#[test]
fn on_another_event_the_retention_is_silent() {
    let config = with(PR);
    let retentions = Retentions::new(&config, &scheduled()).expect("retentions");
    assert_eq!(retentions.repositories().count(), 0);
    assert_eq!(
        retentions.silent(),
        [("pr".to_owned(), "`on` is `pull_request_closed`, and this event is `schedule`".to_owned())]
    );
    assert_eq!(
        retentions.decide(&app(), "r", &[listed("pr-12", None)], &Spared::default(), NOW),
        Decisions::default()
    );
    let mut context = Context::new(EventName::PullRequestClosed);
    context.absent.insert("pr.number", "nobody said".to_owned());
    let diagnostics = Retentions::new(&config, &context).err().expect("an error");
    assert_eq!(diagnostics[0].message, "retention `pr`: `pr.number` has no value here: nobody said");
}

#[test]
fn the_newest_and_tags_without_a_time_stay() {
    let config = with("[retention.commits]\nrule = \"sha\"\nkeep_last = 2\n");
    let tags = [
        listed("sha-0000001", Some(5)),
        listed("sha-0000002", Some(1)),
        listed("sha-0000003", None),
        listed("sha-0000004", Some(3)),
        listed("sha-0000005", Some(NOW / DAY)),
        listed("sha-000000g", Some(9)),
        listed("latest", Some(9)),
    ];
    let decisions = decide(&config, &scheduled(), &tags);
    assert_eq!(removed(&decisions), ["sha-0000001: beyond the newest 2"]);
    assert_eq!(
        kept(&decisions),
        [
            "sha-0000002: one of the newest 2",
            "sha-0000003: its time is unknown",
            "sha-0000004: one of the newest 2",
            "sha-0000005: its time is unknown",
        ]
    );
}

#[test]
fn with_both_limits_a_tag_is_beyond_the_newest_and_old() {
    let config = with("[retention.commits]\nrule = \"sha\"\nkeep_last = 1\nolder_than = \"30d\"\n");
    let tags = [("sha-0000001", 1), ("sha-0000002", 30), ("sha-0000003", 31)]
        .map(|(tag, days)| listed(tag, Some(days)));
    let decisions = decide(&config, &scheduled(), &tags);
    assert_eq!(removed(&decisions), ["sha-0000003: older than 30d and beyond the newest 1"]);
    assert_eq!(kept(&decisions), ["sha-0000001: the newest", "sha-0000002: younger than 30d"]);
    let decisions = decide(&config, &scheduled(), &[listed("sha-0000009", Some(900))]);
    assert_eq!(kept(&decisions), ["sha-0000009: the newest"]);
}

#[test]
fn versions_order_themselves_and_the_highest_of_each_line_stays() {
    let config = with("[retention.releases]\nrule = \"version\"\nkeep_last = 2\n");
    let tags = ["v1.9.0", "v1.9.1", "v1.10.0", "v2.0.0-rc.1", "v2.0.0", "v2.0.1", "v1.9", "latest"]
        .map(|tag| listed(tag, None));
    let decisions = decide(&config, &scheduled(), &tags);
    assert_eq!(removed(&decisions), ["v1.9.0: beyond the newest 2", "v2.0.0-rc.1: beyond the newest 2"]);
    assert_eq!(
        kept(&decisions),
        [
            "v1.9.1: the highest version of `v1.9`, which could move back without it",
            "v1.10.0: the highest version of `v1.10`, which could move back without it",
            "v2.0.0: one of the newest 2",
            "v2.0.1: one of the newest 2",
        ]
    );
    let retentions = Retentions::new(&config, &scheduled()).expect("retentions");
    assert_eq!(retentions.needs_time(&app(), "r", &["v1.0.0".parse().expect("a tag")]), []);
}

#[test]
fn a_glob_spares_signatures_and_tags_behind_forward_tags() {
    let config = with("[retention.all]\nmatch = \"*\"\nolder_than = \"1d\"\n");
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let referrers = format!("sha512-{}", "0".repeat(64));
    let tags = ["v1.0.0", "v1.0.1", "v1.0", "latest", "main", "x", "sha256-abc", &signature, &referrers]
        .map(|tag| listed(tag, Some(40)));
    let decisions = decide(&config, &scheduled(), &tags);
    assert_eq!(
        removed(&decisions),
        ["v1.0.0", "main", "x", "sha256-abc"].map(|tag| format!("{tag}: older than 1d"))
    );
    assert_eq!(
        kept(&decisions),
        [
            "v1.0.1: the highest version of `v1.0`, which could move back without it".to_owned(),
            "v1.0: tag rule `minor` moves it forward".to_owned(),
            "latest: tag rule `latest` moves it forward".to_owned(),
            format!("{signature}: it holds signatures or other referrers"),
            format!("{referrers}: it holds signatures or other referrers"),
        ]
    );
}

#[test]
fn one_retention_that_removes_a_tag_is_enough() {
    let config = with(
        "[retention.first]\nmatch = \"sha-*\"\nkeep_last = 5\n[retention.second]\nrule = \"sha\"\nolder_than = \"12h\"\n[retention.third]\nmatch = \"sha-*\"\nolder_than = \"6w\"\n",
    );
    let decisions =
        decide(&config, &scheduled(), &[listed("sha-0000001", Some(100)), listed("sha-0000002", Some(0))]);
    assert_eq!(removed(&decisions), ["sha-0000001: older than 12h"]);
    assert_eq!(
        (decisions.remove[0].retention.as_str(), decisions.keep[0].retention.as_str()),
        ("second", "first")
    );
    assert_eq!(kept(&decisions), ["sha-0000002: one of the newest 5"]);
}

#[test]
fn a_tag_that_another_rule_may_have_made_stays() {
    let text = BASE.replace("[\"main\", \"develop\"]", "[\"main\", \"sha-1*\"]");
    let config = config_of(&format!("{text}[retention.commits]\nrule = \"sha\"\nolder_than = \"1d\"\n"));
    let decisions =
        decide(&config, &scheduled(), &[listed("sha-1234567", Some(9)), listed("sha-2345678", Some(9))]);
    assert_eq!(removed(&decisions), ["sha-2345678: older than 1d"]);
    assert_eq!(kept(&decisions), ["sha-1234567: tag rule `branch` may also have made it"]);
}

#[test]
fn images_that_share_a_repository_spare_each_other() {
    let more = "[tags.tool]\non = \"tag\"\ntemplate = \"tool-{{ version }}\"\n[tags.tool-latest]\non = \"tag\"\ntemplate = \"tool-latest\"\nmutability = \"forward\"\n[images.tool]\nsource = \"oci:x\"\nrepository = \"app\"\ntags = [\"tool\", \"tool-latest\"]\n";
    let base = BASE.replace("[images.app]", "[images.app]\ntags = [\"version\", \"latest\", \"sha\"]");
    let config = config_of(&format!("{base}{more}[retention.all]\nmatch = \"*\"\nolder_than = \"1d\"\nimages = [\"app\"]\n").replace("[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}\"\nmutability = \"mutable\"\n", ""));
    let retentions = Retentions::new(&config, &scheduled());
    let tags = ["tool-1.0.0", "tool-1.0.1", "tool-latest"].map(|tag| listed(tag, Some(9)));
    let decisions = retentions.expect("retentions").decide(&app(), "r", &tags, &Spared::default(), NOW);
    assert_eq!(removed(&decisions), ["tool-1.0.0: older than 1d"]);
}

#[test]
fn images_that_share_a_repository_under_two_names_spare_each_other() {
    let more = "[registries.r2]\nurl = \"127.0.0.1:5000\"\n[tags.tool]\non = \"tag\"\ntemplate = \"tool-{{ version }}\"\n[tags.tool-latest]\non = \"tag\"\ntemplate = \"tool-latest\"\nmutability = \"forward\"\n[tags.nightly]\non = \"schedule\"\ntemplate = \"sha-{{ git.short_sha }}\"\n[images.tool]\nsource = \"oci:x\"\nrepository = \"app\"\nregistries = [\"r2\"]\ntags = [\"tool\", \"tool-latest\", \"nightly\"]\n";
    let base = BASE.replace(
        "[images.app]",
        "[images.app]\nregistries = [\"r\"]\ntags = [\"version\", \"latest\", \"sha\", \"branch\", \"pr\"]",
    );
    let of = |retention: &str| config_of(&format!("{base}{more}{retention}"));
    let tags = ["tool-1.0.0", "tool-1.0.1", "tool-latest"].map(|tag| listed(tag, Some(9)));
    let config = of("[retention.all]\nmatch = \"*\"\nolder_than = \"1d\"\nimages = [\"app\"]\n");
    assert_eq!(removed(&decide(&config, &scheduled(), &tags)), ["tool-1.0.0: older than 1d"]);

    let config = of("[retention.commits]\nrule = \"sha\"\nolder_than = \"1d\"\nimages = [\"app\"]\n");
    let found: Vec<String> = crate::desired::lint(&config).into_iter().map(|it| it.message).collect();
    assert!(found.iter().any(|it| it.contains("may also come from rule `nightly`")), "{found:?}");
}

/// Returns the findings of lint for the base configuration with this change and this retention.
fn lint_of(from: &str, to: &str, retention: &str) -> Vec<String> {
    let config = config_of(&format!("{}{retention}", BASE.replace(from, to)));
    crate::desired::lint(&config).into_iter().map(|it| format!("{}: {}", it.code, it.message)).collect()
}

#[test]
fn lint_reports_tags_that_cannot_be_distinguished() {
    let commits = "[retention.it]\nrule = \"sha\"\nkeep_last = 3\n";
    let branches = "[retention.it]\nrule = \"branch\"\nkeep_last = 3\n";
    let closed = PR.replace("retention.pr", "retention.it");
    for (from, to, retention, expected) in [
        ("", "", closed.as_str(), ""),
        ("", "", commits, ""),
        ("", "", branches, ""),
        (
            "pr-{{ pr.number }}",
            "pr",
            &closed,
            "nothing in the tags of rule `pr` says which pull request they belong to",
        ),
        (
            "match = [\"main\", \"develop\"]",
            "",
            branches,
            "rule `branch` renders any text, so nothing shows which tags are its own",
        ),
        (
            "match = [\"main\", \"develop\"]",
            "",
            commits,
            "the tags of rule `sha`, such as `sha-0123456`, may also come from rule `branch`",
        ),
        (
            "match = [\"main\", \"develop\"]",
            "",
            &closed,
            "the tags of rule `pr`, such as `pr-1`, may also come from rule `branch`",
        ),
        ("match = [\"main\", \"develop\"]", "match = \"feature/*\"", &closed, ""),
        (
            "sha-{{ git.short_sha }}",
            "sha-{{ git.sha | upper }}",
            commits,
            "the tags of rule `sha` cannot be read back: its template uses the filter `upper`, which hides its input",
        ),
        (
            "pr-{{ pr.number }}",
            "pr-{{ pr.number }}{{ version.major }}",
            &closed,
            "in the tags of rule `pr`, such as `pr-9999910`, the end of the pull request number cannot be determined",
        ),
        (
            "{{ git.branch | slug }}",
            "sha-{% if git.branch %}x{% endif %}",
            commits,
            "the tags of rule `sha`, such as `sha-0123456`, may also come from rule `branch`",
        ),
        (
            "on = [\"branch\", \"pull_request\"]",
            "on = \"branch\"\nwhen = \"git.short_sha == 'nothing'\"",
            commits,
            "no tag is certain to come from rule `sha`",
        ),
    ] {
        let said = lint_of(from, to, retention);
        let expected: Vec<String> = (!expected.is_empty())
            .then(|| format!("publish::retention::rule: retention `it`: {expected}"))
            .into_iter()
            .collect();
        // A template may have other errors on other events.
        let of_retention: Vec<String> = said.into_iter().filter(|it| it.contains("retention")).collect();
        assert_eq!(of_retention, expected, "{from} {to}");
    }
}

#[test]
fn the_version_of_a_chart_is_no_tag_of_its_pull_request() {
    let chart = ResourceId::new(crate::model::ResourceKind::Chart, "app");
    let text = "version = 1\n[registries.r]\nurl = \"localhost:5000\"\n[tags.pr]\non = \"pull_request\"\ntemplate = \"pr-{{ pr.number }}\"\nmutability = \"mutable\"\n[charts.app]\nsource = \"charts/app\"\ntags = [\"pr\"]\n";
    let config = config_of(&format!("{text}{PR}"));
    let retentions = Retentions::new(&config, &closed(12)).expect("retentions");
    let tags = [listed("pr-12", None), listed("pr-123", None), listed("0.0.0-pr-12.9f3c2ab", None)];
    assert_eq!(removed(&retentions.decide(&chart, "r", &tags, &Spared::default(), NOW)).len(), 1);
    // The versions of the chart are removed by age.
    let by_age = "[retention.old]\nmatch = \"0.0.0-pr-*\"\ncharts = [\"app\"]\nolder_than = \"30d\"\n";
    let config = config_of(&format!("{text}{by_age}"));
    let retentions = Retentions::new(&config, &scheduled()).expect("retentions");
    let tags = [listed("0.0.0-pr-12.9f3c2ab", Some(40)), listed("0.0.0-pr-13.9f3c2ab", Some(3))];
    let decisions = retentions.decide(&chart, "r", &tags, &Spared::default(), NOW);
    assert_eq!((decisions.remove.len(), decisions.keep.len()), (1, 1));
}
