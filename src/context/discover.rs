//! Gathers the context of a run from the simulation flags, the CI and git.

use std::path::Path;

use super::ci::{self, CiFacts};
use super::data::{Context, Environment};
use super::error::ContextError;
use super::git::{GitHead, GitRepository};
use super::simulate::{self, Flags};
use crate::model::EventName;

/// Optional values, each of which costs a run of git.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// Whether the tree is dirty.
    pub dirty: bool,
}

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
        needs: Needs,
    ) -> Result<Self, ContextError> {
        // A simulation must work in any CI, even if its payload is broken.
        let facts = ci::discover_ci(environment, flags.simulate())?;
        let repository = GitRepository::open(folder);
        let mut context = match simulate::simulated_context(flags, &repository, facts.as_ref())? {
            Some(simulated) => simulated,
            None => match &facts {
                Some(facts) => Self::from_ci(facts),
                None => Self::from_git(&repository),
            },
        };
        context.ci = facts.as_ref().map(|facts| facts.name.to_owned());
        if let Some(sha) = &flags.sha {
            context.sha = Some(simulate::checked_sha(sha, &repository)?);
        }
        if context.default_branch.is_none() {
            context.default_branch =
                facts.and_then(|facts| facts.default_branch).or_else(|| repository.default_branch());
        }
        context.commit_time = source_date_epoch(environment)?
            .or_else(|| context.sha.as_deref().and_then(|sha| repository.commit_time(sha)));
        if needs.dirty {
            context.dirty = repository.is_dirty();
        }
        context.remote = repository.remote();
        context.explain_absence(&repository);
        Ok(context)
    }

    fn from_ci(facts: &CiFacts) -> Self {
        let (sha, reason) = facts.commit();
        let names = ["git.sha", "git.short_sha"];
        let absent = reason.iter().flat_map(|reason| names.map(|name| (name, reason.clone()))).collect();
        Self {
            reference: facts.reference.clone(),
            sha,
            absent,
            branch: facts.branch.clone(),
            tag: facts.tag.clone(),
            pull_request: facts.pull_request,
            default_branch: facts.default_branch.clone(),
            ..Self::new(facts.event)
        }
    }

    /// The context outside of CIs: the branch that is checked out, or the only tag on the commit of a detached head.
    fn from_git(repository: &GitRepository) -> Self {
        let Some(head) = repository.head() else {
            return Self { unknown_event: repository.problem(), ..Self::new(EventName::Manual) };
        };
        let (event, reference) = match (&head.branch, head.tags.as_slice()) {
            (Some(branch), _) => (EventName::Branch, Some(format!("refs/heads/{branch}"))),
            (None, [tag]) => (EventName::Tag, Some(format!("refs/tags/{tag}"))),
            (None, _) => (EventName::Manual, None),
        };
        let several = ambiguous(head);
        let absent = several.iter().map(|reason| ("git.tag", format!("{reason}; `--ref` chooses one")));
        Self {
            reference,
            absent: absent.collect(),
            unknown_event: several.clone(),
            sha: head.sha.clone(),
            tag: (event == EventName::Tag).then(|| head.tags.first().cloned()).flatten(),
            branch: head.branch.clone(),
            ..Self::new(event)
        }
    }

    fn explain_absence(&mut self, repository: &GitRepository) {
        let event = self.event;
        let no_git = repository.problem();
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
            "neither the CI nor the git remote says which branch is the default".to_owned(),
        );
        absent(
            self.dirty.is_none(),
            "git.dirty",
            no_git.unwrap_or_else(|| "the tree could not be compared".to_owned()),
        );
    }
}

/// The reason why a detached head with several git tags does not show which tag is meant.
fn ambiguous(head: &GitHead) -> Option<String> {
    const NAMED: usize = 5;
    let count = head.tags.len();
    if head.branch.is_some() || count < 2 {
        return None;
    }
    let names: Vec<String> = head.tags.iter().take(NAMED).map(|tag| format!("`{tag}`")).collect();
    let more = if count > NAMED { ", …" } else { "" };
    Some(format!("{count} git tags point at this commit ({}{more})", names.join(", ")))
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
