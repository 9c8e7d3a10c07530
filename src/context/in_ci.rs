//! The context of a run in a CI: its facts, completed by what the clone knows.

use super::ci::CiFacts;
use super::commit::CommitUse;
use super::data::Context;
use super::error::{ContextDoubt, ContextError};
use super::facts::Trigger;
use super::git::GitRepository;
use super::needs::Needs;
use super::work_tree;
use crate::model::EventName;

/// Default branches by habit, for a clone that does not say which one it is.
const USUAL: [&str; 3] = ["main", "master", "trunk"];

/// The context of a run in the CI that gave `facts`.
pub(super) fn context(
    facts: &CiFacts,
    repository: &GitRepository,
    needs: &Needs<'_>,
) -> Result<Context, ContextError> {
    if let Some(contradiction) = &facts.contradiction {
        return Err(ContextError::Contradiction { ci: facts.name, text: contradiction.clone() });
    }
    let mut context = of_facts(facts);
    if let Some(problem) = &facts.unknown {
        return by_checkout(&context, problem, repository, needs);
    }
    // Some CIs name only a temporary merge commit. The clone may have the head.
    if facts.no_sha.is_some() && context.sha.is_none() && context.is_of_pull_request() {
        let head = facts.pull_request.and_then(|number| repository.commit_of_pull_request(number));
        if head.is_some() {
            context.sha = head;
            context.absent.clear();
        }
    }
    if facts.may_merge {
        correct_merge(&mut context, repository);
    }
    if facts.push_of_default {
        correct_push(&mut context, facts, repository, needs);
    }
    if facts.ambiguous && context.event != EventName::PullRequest {
        correct_kind(&mut context, facts, repository, needs);
    }
    // The CI builds what it checked out, such as the commit `HEAD` of Buildkite.
    if context.sha.is_none() && context.absent.is_empty() && !context.is_of_pull_request() {
        context.sha = repository.head().and_then(|head| head.sha.clone());
    }
    Ok(context)
}

fn of_facts(facts: &CiFacts) -> Context {
    let (sha, reason) = facts.commit();
    let names = ["git.sha", "git.short_sha"];
    let absent = reason.iter().flat_map(|reason| names.map(|name| (name, reason.clone()))).collect();
    Context {
        trigger: facts.trigger,
        reference: facts.reference.clone(),
        sha,
        absent,
        branch: facts.branch.clone(),
        tag: facts.tag.clone(),
        pull_request: facts.pull_request,
        default_branch: facts.default_branch.clone(),
        idle: facts.idle.clone(),
        pull: facts.pull.clone(),
        release: facts.release.clone(),
        run: facts.run.clone(),
        repository: facts.repository.clone(),
        ..Context::new(facts.event)
    }
}

/// Adds the facts of the CI to a simulated context, if they are about the same run.
pub(super) fn add_facts(context: &mut Context, facts: Option<&CiFacts>) {
    let Some(facts) = facts else { return };
    (context.run, context.repository) = (facts.run.clone(), facts.repository.clone());
    if super::simulate::same_place(facts, context) {
        (context.pull, context.release) = (facts.pull.clone(), facts.release.clone());
    }
}

/// The default branch: the CI names it, or the clone, or the configuration.
pub(super) fn default_branch(
    facts: Option<&CiFacts>,
    repository: &GitRepository,
    needs: &Needs<'_>,
) -> Option<String> {
    facts
        .and_then(|facts| facts.default_branch.clone())
        .or_else(|| repository.default_branch())
        .or_else(|| needs.default_branch.map(str::to_owned))
}

/// The context of a CI that does not say what happened. A git tag that is checked out is believed, because nobody tags what is not
/// merged; a branch is not, because it may be that of a pull request.
fn by_checkout(
    context: &Context,
    problem: &str,
    repository: &GitRepository,
    needs: &Needs<'_>,
) -> Result<Context, ContextError> {
    let found = Context::from_git(repository, needs)?;
    let (run, repository) = (context.run.clone(), context.repository.clone());
    let sha = context.sha.clone().or(found.sha.clone());
    if let (EventName::Tag, Some(tag)) = (found.event, found.tag.clone()) {
        let doubt = ContextDoubt::OnlyCheckout { problem: problem.to_owned(), tag };
        return Ok(Context { doubts: vec![doubt], run, repository, ..found });
    }
    Ok(Context {
        sha,
        unknown_event: Some(problem.to_owned()),
        run,
        repository,
        ..Context::new(EventName::Other)
    })
}

/// Makes the commit of a pull request its head if the commit is a merge that the CI made in its clone: a merge that no branch of the
/// remote has. Its parent that the target does not have is the head.
fn correct_merge(context: &mut Context, repository: &GitRepository) {
    let (Some(sha), true) = (context.sha.clone(), context.is_of_pull_request()) else { return };
    let parents = repository.parents_of_head();
    let is_head = repository.head().is_some_and(|head| head.sha.as_ref() == Some(&sha));
    if !is_head || parents.len() != 2 || repository.is_on_remote(&sha) {
        return;
    }
    let target = context.pull.target.as_deref().unwrap_or_default();
    let target = repository.resolve(&format!("refs/remotes/origin/{target}"));
    let is_new = |parent: &&String| !target.as_ref().is_some_and(|it| repository.contains(it, parent));
    let mut new = parents.iter().filter(is_new);
    // The git plugin merges the target into the head, so that the head is the first.
    if let Some(head) = new.next() {
        context.sha = Some(head.clone());
    }
}

/// Makes the run of the default branch that of a push, although a pull request happens to be open from it.
fn correct_push(context: &mut Context, facts: &CiFacts, repository: &GitRepository, needs: &Needs<'_>) {
    let Some(branch) = context.branch.clone() else { return };
    let is_default = match default_branch(Some(facts), repository, needs) {
        Some(default) => branch == default,
        None => USUAL.contains(&branch.as_str()),
    };
    if is_default {
        context.event = EventName::Branch;
        context.reference = Some(format!("refs/heads/{branch}"));
        context.pull_request = None;
        context.pull = super::facts::PullRequestFacts::default();
    }
}

/// Makes the run of a name without a kind that of a git tag if the clone has a tag of this name and no such branch. If the clone
/// has neither, and the name is that of a release, it is not known what happened.
fn correct_kind(context: &mut Context, facts: &CiFacts, repository: &GitRepository, needs: &Needs<'_>) {
    let Some(name) = context.branch.clone() else { return };
    let has = |prefix: &str| repository.resolve(&format!("{prefix}{name}")).is_some();
    let is_branch = has("refs/remotes/origin/") || has("refs/heads/");
    let is_tag = has("refs/tags/");
    if is_tag && !is_branch {
        context.event = EventName::Tag;
        context.reference = Some(format!("refs/tags/{name}"));
        context.branch = None;
        context.tag = Some(name);
    } else if is_tag || (!is_branch && needs.releases.contains(&name)) {
        let problem = format!("{} does not say whether `{name}` is a branch or a git tag", facts.name);
        context.unknown_event = Some(problem);
        (context.event, context.trigger) = (EventName::Other, Trigger::Push);
        (context.branch, context.reference) = (None, None);
    }
}

/// Reports that another commit is checked out than that of the run. A plan compares the work tree anyway.
pub(super) fn compare_head(context: &mut Context, repository: &GitRepository, needs: &Needs<'_>) {
    let (Some(ci), CommitUse::Previewed) = (context.ci.clone(), needs.commit) else { return };
    if let (Some(head), Some(sha)) = (work_tree::other_head(repository, context), context.sha.clone()) {
        context.doubts.push(ContextDoubt::OtherHead { ci, head, sha });
    }
}
