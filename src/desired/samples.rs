//! Sample contexts that `lint` renders every rule against: what happens to a repository sooner or later.

use crate::config::Config;
use crate::context::Context;
use crate::model::EventName;

/// A context and what to call it.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// For people: `on a release (git tag v1.4.2)`.
    pub situation: String,
    /// The context.
    pub context: Context,
}

/// The commit of every sample.
const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
/// 2026-01-02 03:04:05 UTC.
const COMMIT_TIME: i64 = 1_767_323_045;

fn context(event: EventName) -> Context {
    let mut context = Context::new(event);
    context.sha = Some(SHA.to_owned());
    context.commit_time = Some(COMMIT_TIME);
    context.default_branch = Some("main".to_owned());
    context.dirty = Some(false);
    for (name, has) in [
        ("git.branch", event != EventName::Tag),
        ("git.tag", event == EventName::Tag),
        ("pr.number", matches!(event, EventName::PullRequest | EventName::PullRequestClosed)),
    ] {
        if !has {
            context.absent.insert(name, format!("the event `{event}` has none"));
        }
    }
    context
}

fn tag(name: &str, situation: &str) -> Sample {
    let context = Context {
        tag: Some(name.to_owned()),
        reference: Some(format!("refs/tags/{name}")),
        ..context(EventName::Tag)
    };
    Sample { situation: format!("{situation} (git tag `{name}`)"), context }
}

fn branch(event: EventName, name: &str, situation: String) -> Sample {
    let context = Context {
        branch: Some(name.to_owned()),
        reference: Some(format!("refs/heads/{name}")),
        ..context(event)
    };
    Sample { situation, context }
}

/// The samples for `config`: tags with each prefix in use, branches of all kinds, and for each `match` glob one
/// name that it lets through.
pub(super) fn all(config: &Config) -> Vec<Sample> {
    let mut prefixes: Vec<&str> = vec![&config.project.tag_prefix];
    for prefix in config.images.values().filter_map(|image| image.tag_prefix.as_deref()) {
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    let mut samples = Vec::new();
    for prefix in prefixes {
        samples.push(tag(&format!("{prefix}1.4.2"), "on a release"));
        samples.push(tag(&format!("{prefix}2.0.0-rc.1"), "on a pre-release"));
        samples.push(tag(&format!("{prefix}1.3.9+build.7"), "on a backport with build metadata"));
    }
    let on_branch = |name: &str| branch(EventName::Branch, name, format!("on the branch `{name}`"));
    samples.push(on_branch("main"));
    samples.push(on_branch("feature/x#1"));
    let long = "x".repeat(200);
    samples.push(branch(EventName::Branch, &long, "on a branch of 200 characters".to_owned()));
    for event in [EventName::PullRequest, EventName::PullRequestClosed] {
        let name =
            if event == EventName::PullRequest { "on a pull request" } else { "on a closed pull request" };
        let mut sample = branch(event, "feature/x#1", name.to_owned());
        sample.context.pull_request = Some(1234);
        sample.context.reference = Some("refs/pull/1234/head".to_owned());
        samples.push(sample);
    }
    samples.push(branch(EventName::Schedule, "main", "on a schedule".to_owned()));
    samples.push(branch(EventName::Manual, "main", "on a manual run".to_owned()));
    samples.extend(matched(config, &samples));
    samples
}

/// For each glob that is no name of a sample already, one name that it matches: its stars become `x`.
fn matched(config: &Config, samples: &[Sample]) -> Vec<Sample> {
    let mut added: Vec<Sample> = Vec::new();
    for rule in config.tags.values() {
        for glob in &rule.matches {
            let name = glob.replace("**", "x").replace(['*', '?'], "x");
            if name.contains(['[', '{', '\\']) {
                continue;
            }
            let known = |event: EventName, name: &str| {
                samples.iter().chain(&added).any(|sample| {
                    let context = &sample.context;
                    context.event == event
                        && [&context.branch, &context.tag].into_iter().flatten().any(|it| it == name)
                })
            };
            if rule.on.contains(&EventName::Branch) && !known(EventName::Branch, &name) {
                added.push(branch(EventName::Branch, &name, format!("on the branch `{name}`")));
            }
        }
    }
    added
}
