//! Reads the environment of each known CI. There is one pure function for each. The variables are those that the CIs document
//! as predefined.

mod azure;
mod facts;
mod forges;
mod github;
mod hosted;
mod jenkins;
mod repository;
mod servers;

use std::path::Path;

pub use facts::CiFacts;

use self::facts::CiVariables;
use super::data::Environment;
use super::error::ContextError;
use super::event_payload::EventPayload;

/// A known CI: a variable that only it sets, and the function that reads its variables.
struct KnownCi {
    is_here: fn(&CiVariables<'_>) -> bool,
    read: fn(&CiVariables<'_>) -> CiFacts,
}

/// Every CI but GitHub Actions, in the order in which they are looked for: those that others imitate come last.
const KNOWN: [KnownCi; 22] = [
    KnownCi { is_here: |it| it.has("GITLAB_CI"), read: forges::gitlab },
    KnownCi { is_here: |it| it.has("BUILDKITE"), read: hosted::buildkite },
    KnownCi { is_here: |it| it.has("CIRCLECI"), read: hosted::circleci },
    KnownCi { is_here: |it| it.has("TRAVIS"), read: hosted::travis },
    KnownCi { is_here: |it| it.has("SEMAPHORE"), read: hosted::semaphore },
    KnownCi { is_here: |it| it.has("APPVEYOR"), read: hosted::appveyor },
    KnownCi { is_here: |it| it.has("CIRRUS_CI"), read: hosted::cirrus },
    KnownCi {
        is_here: |it| it.has("CODEBUILD_BUILD_ID") || it.has("CODEBUILD_BUILD_ARN"),
        read: forges::codebuild,
    },
    KnownCi { is_here: |it| it.has("CF_BUILD_ID"), read: hosted::codefresh },
    KnownCi { is_here: |it| it.has("BITBUCKET_BUILD_NUMBER"), read: forges::bitbucket },
    KnownCi { is_here: |it| it.has("TF_BUILD"), read: azure::azure },
    KnownCi { is_here: |it| it.has("PROW_JOB_ID"), read: servers::prow },
    KnownCi { is_here: |it| it.is("CI", "woodpecker"), read: servers::woodpecker },
    KnownCi { is_here: |it| it.is("CI_NAME", "sourcehut"), read: servers::sourcehut },
    KnownCi { is_here: |it| it.has("DRONE"), read: servers::drone },
    KnownCi { is_here: |it| it.has("TEAMCITY_VERSION"), read: servers::teamcity },
    KnownCi { is_here: |it| it.has("bamboo_buildKey") || it.has("bamboo_planKey"), read: servers::bamboo },
    KnownCi { is_here: |it| it.has("BUILDER_OUTPUT"), read: servers::cloud_build },
    KnownCi { is_here: servers::is_tekton, read: servers::tekton },
    KnownCi { is_here: servers::is_sourcehut, read: servers::sourcehut },
    KnownCi { is_here: |it| it.has("JENKINS_URL") || it.has("JENKINS_HOME"), read: jenkins::jenkins },
    // Nearly every CI sets `CI`.
    KnownCi { is_here: servers::is_unread, read: servers::unknown },
];

/// The facts of the CI in `environment`, including GitHub's event payload. `None` outside any CI. A payload that cannot be read
/// is an error, unless the event is `simulated` anyway.
pub(super) fn discover_ci(
    environment: &Environment,
    simulated: bool,
) -> Result<Option<CiFacts>, ContextError> {
    let variables = CiVariables(environment);
    let payload = match variables.get("GITHUB_EVENT_PATH") {
        Some(path) if is_github(&variables) => match EventPayload::read(Path::new(&path)) {
            Err(_) if simulated => EventPayload::default(),
            payload => payload?,
        },
        _ => EventPayload::default(),
    };
    // A step of Tekton has no variable that says so, but its entry point lies in this folder.
    let in_tekton = || Path::new("/tekton/steps").is_dir().then(|| servers::tekton(&variables));
    Ok(read_with(environment, &payload).or_else(in_tekton))
}

/// The facts of the CI in `environment`, with GitHub's event payload given as JSON. Pure.
pub fn read_ci(environment: &Environment, payload: Option<&serde_json::Value>) -> Option<CiFacts> {
    read_with(environment, &payload.map(EventPayload::from_json).unwrap_or_default())
}

fn is_github(variables: &CiVariables<'_>) -> bool {
    ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"].iter().any(|name| variables.is_true(name))
}

fn read_with(environment: &Environment, payload: &EventPayload) -> Option<CiFacts> {
    let variables = CiVariables(environment);
    let facts = if is_github(&variables) {
        Some(github::github(&variables, payload))
    } else {
        KNOWN.iter().find(|ci| (ci.is_here)(&variables)).map(|ci| (ci.read)(&variables))
    };
    facts.map(|facts| CiFacts {
        repository: repository::repository_facts(facts.name, &variables, payload),
        ..facts
    })
}

#[cfg(test)]
mod github_tests;
#[cfg(test)]
mod tests;
