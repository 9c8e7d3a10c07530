//! Gathers the context of a run from the simulation flags, the CI and git.

use std::path::Path;

use super::ci;
use super::commit::{self, CommitUse};
use super::data::{Context, Environment};
use super::error::{ContextError, named};
use super::git::GitRepository;
use super::in_ci;
use super::needs::Needs;
use super::simulate::{self, Flags};
use super::work_tree;
use crate::model::EventName;

impl Context {
    /// Gathers the context of `folder`: the flags first, then the CI, then git.
    ///
    /// # Errors
    ///
    /// [`ContextError`] if a flag or the CI's event payload is not valid. A value that is merely unknown is not an error: it is
    /// absent, with the reason.
    pub fn discover(
        folder: &Path,
        environment: &Environment,
        flags: &Flags,
        needs: &Needs<'_>,
    ) -> Result<Self, ContextError> {
        // A simulation must work in any CI, even if its payload is broken or its variables contradict each other.
        let facts = ci::discover_ci(environment, flags.simulate())?;
        let repository = GitRepository::open(folder);
        let ci = facts.as_ref().map(|facts| facts.name.to_owned());
        let mut context = if let Some(mut simulated) = simulate::simulated_context(flags, &repository)? {
            commit::find_simulated(&mut simulated, flags, &repository, facts.as_ref(), needs.commit)?;
            in_ci::add_facts(&mut simulated, facts.as_ref());
            Self { ci, ..simulated }
        } else {
            let mut context = match &facts {
                Some(facts) => Self { ci, ..in_ci::context(facts, &repository, needs)? },
                None => Self::from_git(&repository, needs)?,
            };
            commit::correct(&mut context, flags, &repository, needs.commit)?;
            in_ci::compare_head(&mut context, &repository, needs);
            context
        };
        if needs.commit != CommitUse::Unused {
            commit::check_tag(&context, &repository)?;
        }
        if context.default_branch.is_none() {
            context.default_branch = in_ci::default_branch(facts.as_ref(), &repository, needs);
        }
        context.commit_time = source_date_epoch(environment)?
            .or_else(|| context.sha.as_deref().and_then(|sha| repository.commit_time(sha)))
            .or_else(|| {
                facts.and_then(|facts| facts.commit_time.filter(|_| facts.commit().0 == context.sha))
            });
        if needs.dirty || needs.commit == CommitUse::Published {
            context.work_tree = work_tree::compare(&repository, &context);
            context.dirty = context.work_tree.as_ref().map(|tree| !tree.changed.is_empty());
        }
        context.remote = repository.remote();
        let known = &mut context.repository;
        if known.name.is_none() {
            known.name = context.remote.as_deref().and_then(super::address::path);
        }
        context.env = needs
            .env
            .iter()
            .filter_map(|name| Some((name.clone(), environment.get(name)?.clone())))
            .collect();
        context.now = needs.wall_clock.then(|| jiff::Timestamp::now().as_second());
        if let (Some(prefix), Some(sha)) = (needs.history, context.sha.clone()) {
            context.history = repository.history(&sha, prefix, context.tag_of_ref());
        }
        context.explain_absence(&repository, needs.history.is_some());
        Ok(context)
    }

    /// Whether the CI says that the run is that of a pull request from a fork. Simulation does not change that: the files are those of
    /// the fork.
    pub fn is_run_of_fork(environment: &Environment) -> bool {
        let facts = ci::discover_ci(environment, true).ok().flatten();
        facts.is_some_and(|facts| {
            facts.pull.fork == Some(true)
                && matches!(facts.event, EventName::PullRequest | EventName::PullRequestClosed)
        })
    }

    /// The context outside of CIs: the branch that is checked out, or the git tag of a detached head: its only one, or the only
    /// one that is a release.
    pub(super) fn from_git(repository: &GitRepository, needs: &Needs<'_>) -> Result<Self, ContextError> {
        let Some(head) = repository.head() else {
            return Ok(Self { unknown_event: repository.problem(), ..Self::new(EventName::Manual) });
        };
        let tags = repository.tags_at_head();
        let releases: Vec<&String> = tags.iter().filter(|tag| needs.releases.contains(tag)).collect();
        if releases.len() > 1 && needs.commit != CommitUse::Unused {
            let tags = releases.into_iter().cloned().collect();
            return Err(ContextError::Ambiguous { tags, branch: head.branch.clone() });
        }
        let context =
            |event, reference| Self { reference: Some(reference), sha: head.sha.clone(), ..Self::new(event) };
        Ok(match (&head.branch, releases.as_slice(), tags.as_slice()) {
            (Some(branch), ..) => Self {
                branch: Some(branch.clone()),
                release_here: releases.first().map(|release| (*release).clone()),
                ..context(EventName::Branch, format!("refs/heads/{branch}"))
            },
            (None, &[tag], _) | (None, _, [tag]) => {
                Self { tag: Some(tag.clone()), ..context(EventName::Tag, format!("refs/tags/{tag}")) }
            }
            (None, ..) => {
                let several = ambiguous(&tags);
                let absent =
                    several.iter().map(|reason| ("git.tag", format!("{reason}; `--ref` chooses one")));
                Self {
                    absent: absent.collect(),
                    unknown_event: several.clone(),
                    sha: head.sha.clone(),
                    ..Self::new(EventName::Manual)
                }
            }
        })
    }

    fn explain_absence(&mut self, repository: &GitRepository, needs_history: bool) {
        let event = self.event;
        let no_git = repository.problem();
        let is_pull_request = self.is_of_pull_request();
        let unsaid = match &self.ci {
            _ if !is_pull_request => format!("the event `{event}` is not a pull request"),
            Some(ci) => format!("{ci} does not say it"),
            None => "only a CI knows it".to_owned(),
        };
        let of_ci = if self.ci.is_some() { "the CI does not say it" } else { "only a CI knows it" };
        let by_ci = [
            ("ci.name", self.ci.is_none()),
            ("ci.repository", self.repository.name.is_none()),
            ("ci.run_number", self.run.number.is_none()),
            ("ci.run_attempt", self.run.attempt.is_none()),
        ];
        for (name, _) in by_ci.into_iter().filter(|(_, missing)| *missing) {
            self.absent.entry(name).or_insert_with(|| of_ci.to_owned());
        }
        self.absent.entry("env").or_insert_with(|| "the environment does not set it".to_owned());
        if self.now.is_none() {
            self.absent.entry("now").or_insert_with(|| NO_CLOCK.to_owned());
        }
        let pull = [
            ("pr.base", self.pull.target.is_none()),
            ("pr.head", !is_pull_request || self.pull.source.as_ref().or(self.branch.as_ref()).is_none()),
            ("pr.target", self.pull.target.is_none()),
            ("pr.fork", self.pull.fork.is_none()),
            ("pr.labels", self.pull.labels.is_none()),
            ("pr.draft", self.pull.draft.is_none()),
        ];
        for (name, _) in pull.into_iter().filter(|(_, missing)| *missing) {
            self.absent.entry(name).or_insert_with(|| unsaid.clone());
        }
        let release = [
            ("release.name", self.release.name.is_none()),
            ("release.prerelease", self.release.prerelease.is_none()),
            ("release.draft", self.release.draft.is_none()),
        ];
        for (name, _) in release.into_iter().filter(|(_, missing)| *missing) {
            let reason = "only a CI that runs for a release of the forge knows it";
            self.absent.entry(name).or_insert_with(|| reason.to_owned());
        }
        let mut absent = |missing: bool, name: &'static str, reason: String| {
            if missing {
                // A more specific reason that is already there stays.
                self.absent.entry(name).or_insert(reason);
            }
        };
        let commit = no_git.clone().unwrap_or_else(|| "no commit is known here".to_owned());
        absent(self.sha.is_none(), "git.sha", format!("{commit}; `--sha` gives one"));
        absent(self.sha.is_none(), "git.short_sha", format!("{commit}; `--sha` gives one"));
        absent(
            self.commit_time.is_none(),
            "git.commit_time",
            match &no_git {
                Some(problem) => format!("{problem}; `SOURCE_DATE_EPOCH` gives a time"),
                None => "the commit is not in this clone; `SOURCE_DATE_EPOCH` gives a time".to_owned(),
            },
        );
        absent(self.branch.is_none(), "git.branch", format!("the event `{event}` has no branch"));
        absent(self.tag.is_none(), "git.tag", format!("the event `{event}` has no git tag"));
        absent(self.reference.is_none(), "git.ref", "no ref is known here; `--ref` gives one".to_owned());
        absent(
            self.pull_request.is_none(),
            "pr.number",
            format!("the event `{event}` is not a pull request"),
        );
        absent(
            self.default_branch.is_none(),
            "git.default_branch",
            "neither the CI nor the git remote says which branch is the default; `default_branch` in `[project]` does".to_owned(),
        );
        if needs_history {
            let no_tag =
                no_git.clone().unwrap_or_else(|| match repository.why_incomplete(Some("refs/tags/")) {
                    Some(reason) => format!("no git tag of a release is known before this commit: {reason}"),
                    None => "no git tag of a release comes before this commit".to_owned(),
                });
            absent(self.history.describe.is_none(), "git.describe", no_tag.clone());
            absent(self.history.commits_since_tag.is_none(), "git.commits_since_tag", no_tag.clone());
            absent(self.history.previous_tag.is_none(), "git.previous_tag", no_tag);
        }
        absent(
            self.dirty.is_none(),
            "git.dirty",
            no_git.unwrap_or_else(|| "the tree could not be compared".to_owned()),
        );
    }
}

/// The reason why `now` has no value.
pub(crate) const NO_CLOCK: &str =
    "the same commit renders the same tags: use `git.commit_time`, or set `clock = \"wall\"` in `[project]`";

/// The reason why a detached head with several git tags does not show which tag is meant.
fn ambiguous(tags: &[String]) -> Option<String> {
    (tags.len() > 1).then(|| format!("{} git tags point at this commit ({})", tags.len(), named(tags)))
}

/// `SOURCE_DATE_EPOCH`, in seconds (reproducible-builds.org/specs/source-date-epoch).
fn source_date_epoch(environment: &Environment) -> Result<Option<i64>, ContextError> {
    match environment.get("SOURCE_DATE_EPOCH").filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) if seconds >= 0 => Ok(Some(seconds)),
            _ => Err(ContextError::SourceDateEpoch { value: text.clone() }),
        },
    }
}
