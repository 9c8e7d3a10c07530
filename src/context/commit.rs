//! The commit of a run: that of `--sha`, of the ref, of the CI, or the one that is checked out. None of them is believed alone:
//! the repository is asked whether it has the commit and the ref, and whether the ref names the commit.

use super::ci::CiFacts;
use super::data::Context;
use super::error::{ContextDoubt, ContextError};
use super::git::GitRepository;
use super::simulate::{Flags, same_place};
/// The use that a command has for the commit of the context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CommitUse {
    /// Its content is published, so that a ref or a commit that does not exist is an error.
    Published,
    /// The tags of its content are shown.
    Previewed,
    /// None: the commit that is checked out does not stand in for an unknown one.
    #[default]
    Unused,
}

/// Sets the commit of `context`, which the flags simulate.
pub(super) fn find_simulated(
    context: &mut Context,
    flags: &Flags,
    repository: &GitRepository,
    facts: Option<&CiFacts>,
    commit_use: CommitUse,
) -> Result<(), ContextError> {
    let given = given(context, flags, repository, commit_use)?;
    let named = match (&context.reference, context.pull_request) {
        (_, Some(number)) => {
            let named = context.reference.as_deref().and_then(|reference| repository.resolve(reference));
            repository.commit_of_pull_request(number).or(named)
        }
        (Some(reference), None) => repository.commit_of_ref(reference),
        (None, None) => None,
    };
    let by_ci = facts.filter(|facts| same_place(facts, context)).and_then(|facts| facts.commit().0);
    let head =
        repository.head().and_then(|head| head.sha.clone()).filter(|_| commit_use != CommitUse::Unused);
    // Somebody who gives `--pr` alone has the branch of the pull request checked out.
    let is_missing = flags.reference.is_some() && named.is_none() && by_ci.is_none();
    let used = given.clone().or(named).or(by_ci).or(head);
    if is_missing && commit_use != CommitUse::Unused && repository.problem().is_none() {
        missing(context, used.clone(), given.is_some(), repository, commit_use)?;
    }
    context.sha = used;
    Ok(())
}

/// Sets the commit of `context`, which the CI or git gave, if `--sha` gives one. Peels the commit of the CI: some CIs give the
/// object of an annotated tag.
pub(super) fn correct(
    context: &mut Context,
    flags: &Flags,
    repository: &GitRepository,
    commit_use: CommitUse,
) -> Result<(), ContextError> {
    if let Some(given) = given(context, flags, repository, commit_use)? {
        context.sha = Some(given);
    } else if context.ci.is_some()
        && let Some(peeled) = context.sha.as_deref().and_then(|sha| repository.resolve(sha))
    {
        context.sha = Some(peeled);
    }
    Ok(())
}

/// Refuses a commit that is not the one that the git tag of the run names in this clone.
pub(super) fn check_tag(context: &Context, repository: &GitRepository) -> Result<(), ContextError> {
    let (Some(tag), Some(sha)) = (context.tag_of_ref(), &context.sha) else { return Ok(()) };
    match repository.resolve(&format!("refs/tags/{tag}")) {
        Some(named) if !named.starts_with(sha.as_str()) => {
            Err(ContextError::TagOfOther { tag: tag.to_owned(), named, sha: sha.clone() })
        }
        _ => Ok(()),
    }
}

/// Reports a ref that the repository does not have. `used` is the commit that stands in for that of the ref.
fn missing(
    context: &mut Context,
    used: Option<String>,
    is_given: bool,
    repository: &GitRepository,
    commit_use: CommitUse,
) -> Result<(), ContextError> {
    let Some(reference) = context.reference.clone() else { return Ok(()) };
    let cause = if context.is_of_pull_request() {
        Some("clones do not fetch the refs of pull requests")
    } else {
        repository.why_incomplete(Some(&reference))
    };
    if commit_use == CommitUse::Published && cause.is_none() && !is_given {
        return Err(ContextError::NoRef { reference });
    }
    context.doubts.push(ContextDoubt::NoRef { reference, cause, used, is_given });
    Ok(())
}

/// The commit that `--sha` names: a whole commit id, or an abbreviation that this repository can complete. An annotated tag is
/// peeled.
fn given(
    context: &mut Context,
    flags: &Flags,
    repository: &GitRepository,
    commit_use: CommitUse,
) -> Result<Option<String>, ContextError> {
    let Some(given) = &flags.sha else { return Ok(None) };
    let error = |reason: String| Err(ContextError::Flag { flag: "--sha", value: given.clone(), reason });
    let text = given.to_ascii_lowercase();
    if text.len() < 7 || text.len() > 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return error("a commit id has 7 to 64 hexadecimal digits".to_owned());
    }
    if let Some(sha) = repository.resolve(&text) {
        return Ok(Some(sha));
    }
    let is_whole = matches!(text.len(), 40 | 64);
    if let Some(problem) = repository.problem() {
        return if is_whole {
            Ok(Some(text))
        } else {
            error(format!("the digits cannot be completed, because {problem}; give all 40"))
        };
    }
    match repository.objects_with_prefix(&text).as_slice() {
        [] => {}
        [object] => {
            let kind = repository.object_type(object).unwrap_or_else(|| "object".to_owned());
            return error(format!("it names a {kind}, not a commit"));
        }
        several => return error(format!("{} objects start with these digits; give more", several.len())),
    }
    match (is_whole, repository.why_incomplete(None)) {
        (true, cause) if cause.is_some() || commit_use != CommitUse::Published => {
            context.doubts.push(ContextDoubt::UnknownCommit { sha: text.clone(), cause });
            Ok(Some(text))
        }
        (true, _) => error("this repository has no such commit; fetch it, or correct the id".to_owned()),
        (false, Some(cause)) => {
            error(format!("no commit of this clone starts with these digits, and {cause}; give all 40"))
        }
        (false, None) => {
            error("no commit of this repository starts with these digits; give all 40".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::simulate::simulated_context;

    #[test]
    fn the_ci_gives_the_commit_of_the_ref_that_it_runs_on() {
        const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
        let environment = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_REF", "refs/tags/v1.0.0"),
            ("GITHUB_REF_NAME", "v1.0.0"),
            ("GITHUB_REF_TYPE", "tag"),
            ("GITHUB_SHA", SHA),
            ("GITHUB_EVENT_PATH", "/nowhere/event.json"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert!(crate::context::ci::discover_ci(&environment, false).is_err());
        let facts =
            crate::context::ci::discover_ci(&environment, true).expect("a simulation asks no payload");
        for (reference, sha) in [("refs/tags/v1.0.0", Some(SHA)), ("refs/tags/v1.0.1", None)] {
            let flags = Flags { reference: Some(reference.to_owned()), ..Flags::default() };
            let repository = GitRepository::none();
            let context = simulated_context(&flags, &repository);
            let mut context = context.expect("valid flags").expect("a simulation");
            let found =
                find_simulated(&mut context, &flags, &repository, facts.as_ref(), CommitUse::Published);
            found.expect("nothing contradicts");
            assert_eq!(context.sha.as_deref(), sha, "{reference}");
        }
    }
}
