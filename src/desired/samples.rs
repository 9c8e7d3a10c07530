//! Sample contexts against which `lint` renders every rule: the events that happen to a repository sooner or later.

use std::collections::HashSet;

use super::version::FileVersion;
use crate::config::Config;
use crate::context::{Context, HistoryFacts, NO_CLOCK, PullRequestFacts, Trigger};
use crate::model::EventName;

/// A context and its name.
#[derive(Debug, Clone)]
pub(super) struct Sample<'a> {
    /// The release prefix of the resources that the sample is for. `None` means all resources.
    pub prefix: Option<&'a str>,
    /// The situation as shown to people: `on a release (git tag v1.4.2)`.
    pub situation: String,
    /// The context.
    pub context: Context,
}

/// The commit of every sample.
const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
/// 2026-01-02 03:04:05 UTC.
const COMMIT_TIME: i64 = 1_767_323_045;

fn context(config: &Config, event: EventName) -> Context {
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
    ] {
        if !has {
            context.absent.insert(name, format!("the event `{event}` has none"));
        }
    }
    context
}

fn tag<'a>(config: &Config, prefix: &'a str, version: &str, situation: &str) -> Sample<'a> {
    let name = format!("{prefix}{version}");
    let context = Context {
        tag: Some(name.clone()),
        reference: Some(format!("refs/tags/{name}")),
        ..context(config, EventName::Tag)
    };
    Sample { prefix: Some(prefix), situation: format!("{situation} (git tag `{name}`)"), context }
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
    Sample { prefix: None, situation, context }
}

/// `lint` reads nothing but the configuration, so the version file is not read. Any version will do.
pub(super) fn file_version(config: &Config) -> FileVersion {
    config.project.version.as_ref().map(|_| Ok(semver::Version::new(1, 4, 2)))
}

/// Returns the samples for `config`: releases with each of `prefixes`, branches of all kinds, and one matching name for
/// each `match` glob.
pub(super) fn all<'a>(config: &Config, prefixes: &[&'a str]) -> Vec<Sample<'a>> {
    let mut samples = Vec::new();
    for prefix in prefixes {
        samples.push(tag(config, prefix, "1.4.2", "on a release"));
        samples.push(tag(config, prefix, "2.0.0-rc.1", "on a pre-release"));
        samples.push(tag(config, prefix, "1.3.9+build.7", "on a backport with build metadata"));
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
