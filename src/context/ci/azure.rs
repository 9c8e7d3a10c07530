//! Azure Pipelines (learn.microsoft.com, "Use predefined variables").

use super::facts::{CiFacts, CiVariables, Place};
use crate::context::facts::{PullRequestFacts, RunFacts, Trigger};

pub(super) fn azure(variables: &CiVariables<'_>) -> CiFacts {
    let trigger = match variables.get("BUILD_REASON").as_deref() {
        Some("Schedule") => Trigger::Schedule,
        Some("Manual") => Trigger::Manual,
        _ => Trigger::Push,
    };
    let source = variables.get("BUILD_SOURCEBRANCH").unwrap_or_default();
    let short = |name: String| name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned();
    let place = Place::of_ref(&source);
    // A number of GitHub is another one than the id, which is Azure's. Azure Repos has no number but the id.
    let number = variables
        .pull_request("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
        .or_else(|| variables.pull_request("SYSTEM_PULLREQUEST_PULLREQUESTID"))
        .or(place.pull_request);
    let of_pull_request =
        number.is_some() || place.of_pull_request || variables.is("BUILD_REASON", "PullRequest");
    let from = variables.get("SYSTEM_PULLREQUEST_SOURCEBRANCH").map(short);
    let sha = if of_pull_request {
        variables.get("SYSTEM_PULLREQUEST_SOURCECOMMITID")
    } else {
        variables.get("BUILD_SOURCEVERSION")
    };
    let no_sha = (of_pull_request && sha.is_none())
        .then_some("BUILD_SOURCEVERSION is a temporary merge commit of the pull request");
    let branch = if of_pull_request { from } else { place.branch };
    let tag = place.tag.filter(|_| !of_pull_request);
    let place = Place { branch, tag, pull_request: number, of_pull_request };
    let facts = CiFacts::derived("Azure Pipelines", trigger, sha, place);
    CiFacts {
        no_sha,
        pull: PullRequestFacts {
            target: variables
                .get("SYSTEM_PULLREQUEST_TARGETBRANCHNAME")
                .or_else(|| variables.get("SYSTEM_PULLREQUEST_TARGETBRANCH").map(short)),
            fork: variables.flag("SYSTEM_PULLREQUEST_ISFORK"),
            ..facts.pull
        },
        run: RunFacts {
            number: variables.number("BUILD_BUILDID"),
            attempt: variables.number("SYSTEM_JOBATTEMPT"),
        },
        ..facts
    }
}
