//! The repository that a CI runs for, from the variables that each CI documents.

use super::facts::CiVariables;
use crate::context::address::{path, public_address};
use crate::context::event_payload::EventPayload;
use crate::context::facts::RepositoryFacts;

/// The CIs that give the path of the repository in one variable.
const NAMES: [(&str, &str); 8] = [
    ("GitLab CI", "CI_PROJECT_PATH"),
    ("Bitbucket Pipelines", "BITBUCKET_REPO_FULL_NAME"),
    ("Travis CI", "TRAVIS_REPO_SLUG"),
    ("Semaphore", "SEMAPHORE_GIT_REPO_SLUG"),
    ("AppVeyor", "APPVEYOR_REPO_NAME"),
    ("Cirrus CI", "CIRRUS_REPO_FULL_NAME"),
    ("Drone", "DRONE_REPO"),
    ("Woodpecker CI", "CI_REPO"),
];

/// The CIs that give the path in two variables.
const PARTS: [(&str, [&str; 2]); 3] = [
    ("CircleCI", ["CIRCLE_PROJECT_USERNAME", "CIRCLE_PROJECT_REPONAME"]),
    ("Codefresh", ["CF_REPO_OWNER", "CF_REPO_NAME"]),
    ("Prow", ["REPO_OWNER", "REPO_NAME"]),
];

/// Variables with the address that the repository is cloned from, or of its page.
const ADDRESSES: [(&str, &str); 10] = [
    ("GitLab CI", "CI_PROJECT_URL"),
    ("Bitbucket Pipelines", "BITBUCKET_GIT_HTTP_ORIGIN"),
    ("AWS CodeBuild", "CODEBUILD_SOURCE_REPO_URL"),
    ("Buildkite", "BUILDKITE_REPO"),
    ("CircleCI", "CIRCLE_REPOSITORY_URL"),
    ("Azure Pipelines", "BUILD_REPOSITORY_URI"),
    ("Drone", "DRONE_REPO_LINK"),
    ("Woodpecker CI", "CI_REPO_URL"),
    ("Jenkins", "GIT_URL"),
    ("Bamboo", "bamboo_planRepository_repositoryUrl"),
];

/// The facts of the CI called `ci` about its repository.
pub(super) fn repository_facts(
    ci: &str,
    variables: &CiVariables<'_>,
    payload: &EventPayload,
) -> RepositoryFacts {
    let of = |table: &[(&str, &str)]| {
        table.iter().find(|(name, _)| *name == ci).and_then(|(_, variable)| variables.get(variable))
    };
    let clone = of(&ADDRESSES).and_then(|address| public_address(&address));
    let parts = || {
        let (_, [owner, name]) = PARTS.iter().find(|(name, _)| *name == ci)?;
        Some(format!("{}/{}", variables.get(owner)?, variables.get(name)?))
    };
    let github = ci.ends_with("Actions").then(|| variables.get("GITHUB_REPOSITORY")).flatten();
    let page = github.as_ref().zip(variables.get("GITHUB_SERVER_URL"));
    let page = page.map(|(name, server)| format!("{}/{name}", server.trim_end_matches('/')));
    let known = payload.repository.clone();
    RepositoryFacts {
        name: github.or_else(|| of(&NAMES)).or_else(parts).or_else(|| clone.as_deref().and_then(path)),
        address: page.or(clone),
        description: known
            .description
            .or_else(|| variables.get("CI_PROJECT_DESCRIPTION").filter(|_| ci == "GitLab CI")),
        license: known.license,
        homepage: known.homepage,
    }
}

#[cfg(test)]
mod tests {
    use crate::context::ci::read_ci;

    #[test]
    fn each_ci_names_its_repository() {
        for (variables, name, address) in [
            (
                "GITHUB_ACTIONS=true GITHUB_REPOSITORY=Acme/App GITHUB_SERVER_URL=https://github.com",
                Some("Acme/App"),
                Some("https://github.com/Acme/App"),
            ),
            (
                "GITLAB_CI=true CI_PROJECT_PATH=acme/sub/app CI_PROJECT_URL=https://gitlab.com/acme/sub/app",
                Some("acme/sub/app"),
                Some("https://gitlab.com/acme/sub/app"),
            ),
            (
                "BITBUCKET_BUILD_NUMBER=1 BITBUCKET_REPO_FULL_NAME=acme/app BITBUCKET_GIT_HTTP_ORIGIN=http://bitbucket.org/acme/app",
                Some("acme/app"),
                Some("http://bitbucket.org/acme/app"),
            ),
            (
                "BUILDKITE=true BUILDKITE_REPO=git@github.com:acme/app.git",
                Some("acme/app"),
                Some("https://github.com/acme/app"),
            ),
            (
                "CIRCLECI=true CIRCLE_PROJECT_USERNAME=acme CIRCLE_PROJECT_REPONAME=app CIRCLE_REPOSITORY_URL=git@github.com:acme/app.git",
                Some("acme/app"),
                Some("https://github.com/acme/app"),
            ),
            ("TRAVIS=true TRAVIS_REPO_SLUG=acme/app", Some("acme/app"), None),
            ("PROW_JOB_ID=1 REPO_OWNER=acme REPO_NAME=app", Some("acme/app"), None),
            (
                "JENKINS_URL=j GIT_URL=https://user:secret@git.example.com/acme/app.git",
                Some("acme/app"),
                Some("https://git.example.com/acme/app"),
            ),
            ("TEAMCITY_VERSION=1", None, None),
        ] {
            let environment = variables.split_whitespace().filter_map(|it| it.split_once('='));
            let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let facts = read_ci(&environment, None).expect("a CI").repository;
            assert_eq!((facts.name.as_deref(), facts.address.as_deref()), (name, address), "{variables}");
        }
    }
}
