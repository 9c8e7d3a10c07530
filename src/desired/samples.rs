//! Sample contexts against which `lint` renders every rule: the events that happen to a repository sooner or later.

use std::collections::HashSet;

use super::version::{FileVersion, FileVersionText};
use crate::config::Config;
use crate::context::{Context, HistoryFacts, NO_CLOCK, PullRequestFacts, ReleaseFacts, Trigger};
use crate::model::EventName;
use crate::model::version::{ReleaseForm, VersionScheme};

/// A context and its name.
#[derive(Debug, Clone)]
pub(super) struct Sample<'a> {
    /// The form of the releases of the resources that the sample is for. `None` means all resources.
    pub form: Option<&'a ReleaseForm>,
    /// The situation as shown to people: `on a release (git tag v1.4.2)`.
    pub situation: String,
    /// The context.
    pub context: Context,
}

/// The version of every sample, if a file has it: `lint` does not read the file, and any version will do.
pub(super) fn version(config: &Config) -> FileVersion {
    let release = config.project.releases.scheme.samples().release?;
    config.project.version.as_ref().map(|_| Ok(FileVersionText::sample(&release)))
}

/// The commit of every sample.
const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
/// 2026-01-02 03:04:05 UTC.
const COMMIT_TIME: i64 = 1_767_323_045;

/// The values that every run of an event has.
pub(super) fn context(config: &Config, event: EventName) -> Context {
    let mut context = Context::new(event);
    context.ci = Some("GitHub Actions".to_owned());
    context.repository.name = Some("acme/app".to_owned());
    (context.run.number, context.run.attempt) = (Some(42), Some(1));
    context.env = config.project.env.iter().map(|name| (name.clone(), "value".to_owned())).collect();
    if config.project.wall_clock {
        context.now = Some(COMMIT_TIME);
    } else {
        context.absent.insert("now", NO_CLOCK.to_owned());
    }
    context.history = HistoryFacts {
        describe: Some("v1.4.1-3-g9f3c2ab".to_owned()),
        previous_tag: Some("v1.4.1".to_owned()),
        commits_since_tag: Some(3),
    };
    context.sha = Some(SHA.to_owned());
    context.commit_time = Some(COMMIT_TIME);
    context.default_branch = Some("main".to_owned());
    context.dirty = Some(false);
    for (name, has) in [
        ("git.branch", event != EventName::Tag),
        ("git.tag", event == EventName::Tag),
        ("pr.number", context.is_of_pull_request()),
        ("pr.base", context.is_of_pull_request()),
        ("pr.head", context.is_of_pull_request()),
        ("pr.target", context.is_of_pull_request()),
        ("pr.fork", context.is_of_pull_request()),
        ("pr.labels", context.is_of_pull_request()),
        ("pr.draft", context.is_of_pull_request()),
        ("release.name", event == EventName::Tag),
        ("release.prerelease", event == EventName::Tag),
        ("release.draft", event == EventName::Tag),
    ] {
        if !has {
            context.absent.insert(name, format!("the event `{event}` has none"));
        }
    }
    context
}

fn tag<'a>(config: &Config, form: &'a ReleaseForm, version: &str, situation: &str) -> Sample<'a> {
    let name = format!("{}{version}", form.prefix());
    let prerelease = form.version(&name).map(|version| version.is_prerelease());
    let context = Context {
        tag: Some(name.clone()),
        reference: Some(format!("refs/tags/{name}")),
        release: ReleaseFacts { name: Some(format!("Release {version}")), prerelease, draft: Some(false) },
        ..context(config, EventName::Tag)
    };
    Sample { form: Some(form), situation: format!("{situation} (git tag `{name}`)"), context }
}

fn branch(config: &Config, event: EventName, name: &str, situation: String) -> Sample<'static> {
    let trigger = match event {
        EventName::Schedule => Trigger::Schedule,
        EventName::Manual => Trigger::Manual,
        _ => Trigger::Push,
    };
    let context = Context {
        trigger,
        branch: Some(name.to_owned()),
        reference: Some(format!("refs/heads/{name}")),
        ..context(config, event)
    };
    Sample { form: None, situation, context }
}

/// Returns the samples for `config`: releases of each of `forms`, branches of all kinds, and one matching name for
/// each `match` glob.
pub(super) fn all<'a>(config: &Config, forms: &[&'a ReleaseForm]) -> Vec<Sample<'a>> {
    let mut samples = Vec::new();
    for form in forms {
        let versions = form.scheme.samples();
        let backport = match form.scheme {
            VersionScheme::Semver => "on a backport with build metadata",
            _ => "on a backport",
        };
        for (version, situation) in [
            (versions.release, "on a release"),
            (versions.prerelease, "on a pre-release"),
            (versions.backport, backport),
        ] {
            samples.extend(version.map(|version| tag(config, form, &version, situation)));
        }
    }
    let on_branch = |name: &str| branch(config, EventName::Branch, name, format!("on the branch `{name}`"));
    samples.push(on_branch("main"));
    samples.push(on_branch("feature/x#1"));
    let long = "x".repeat(200);
    samples.push(branch(config, EventName::Branch, &long, "on a branch of 200 characters".to_owned()));
    for event in [EventName::PullRequest, EventName::PullRequestClosed] {
        let name =
            if event == EventName::PullRequest { "on a pull request" } else { "on a closed pull request" };
        let mut sample = branch(config, event, "feature/x#1", name.to_owned());
        sample.context.pull_request = Some(1234);
        sample.context.pull = PullRequestFacts {
            target: Some("main".to_owned()),
            source: sample.context.branch.clone(),
            fork: Some(false),
            labels: Some(vec!["publish".to_owned()]),
            draft: Some(false),
        };
        sample.context.reference = Some("refs/pull/1234/head".to_owned());
        samples.push(sample);
    }
    samples.push(branch(config, EventName::Schedule, "main", "on a schedule".to_owned()));
    samples.push(branch(config, EventName::Manual, "main", "on a manual run".to_owned()));
    let queue = "gh-readonly-queue/main/pr-7-9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    samples.push(branch(config, EventName::MergeQueue, queue, "in a merge queue".to_owned()));
    samples.push(branch(config, EventName::Other, "main", "on another event".to_owned()));
    let mut known: HashSet<String> = ["main", "feature/x#1", &long].map(str::to_owned).into();
    for name in matched(config) {
        if known.insert(name.clone()) {
            samples.push(on_branch(&name));
        }
    }
    samples
}

/// Returns one matching name for each branch glob. Its stars become `x`.
fn matched(config: &Config) -> impl Iterator<Item = String> {
    let rules = config.tags.values().filter(|rule| rule.on.contains(&EventName::Branch));
    rules
        .flat_map(|rule| &rule.matches)
        // No branch name is a whole ref. Such a glob matches nothing and must not seem to.
        .filter(|glob| !glob.starts_with("refs/"))
        .map(|glob| glob.replace("**", "x").replace(['*', '?'], "x"))
        .filter(|name| !name.contains(['[', '{', '\\']))
}
