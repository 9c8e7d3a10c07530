//! The credentials that a CI gives each of its jobs for its own registry.

use super::Credentials;

/// GHCR's host.
const GHCR: &str = "ghcr.io";

/// Returns the credentials that a GitHub Actions or GitLab CI job has for `host`. `variable` returns no empty values.
pub(super) fn of_job(host: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<Credentials> {
    let is_in = |name: &str| variable(name).as_deref() == Some("true");
    // Gitea, Forgejo and GitHub Enterprise Server set the same variables, and their tokens are not for GitHub.
    let is_github = || {
        let server = variable("GITHUB_SERVER_URL").unwrap_or_default().to_ascii_lowercase();
        let is_other = ["GITEA_ACTIONS", "FORGEJO_ACTIONS"].iter().any(|name| variable(name).is_some());
        !is_other && (server.is_empty() || server.trim_end_matches('/') == "https://github.com")
    };
    if is_in("GITHUB_ACTIONS") && host == GHCR && is_github() {
        // GHCR accepts any user name with a token; GitHub's own documentation uses the actor's.
        let token = variable("GITHUB_TOKEN")?;
        let actor = variable("GITHUB_ACTOR").unwrap_or_else(|| "github-actions".to_owned());
        return Some(Credentials::new(actor, token, "`GITHUB_TOKEN`"));
    }
    // `CI_REGISTRY` is the address of the registry, including a port if there is one (GitLab Docs, "Predefined CI/CD
    // variables reference"). The job token is for that registry alone.
    if is_in("GITLAB_CI") && variable("CI_REGISTRY")?.eq_ignore_ascii_case(host) {
        if let (Some(user), Some(password)) = (variable("CI_REGISTRY_USER"), variable("CI_REGISTRY_PASSWORD"))
        {
            return Some(Credentials::new(user, password, "`CI_REGISTRY_USER` and `CI_REGISTRY_PASSWORD`"));
        }
        return Some(Credentials::new("gitlab-ci-token", variable("CI_JOB_TOKEN")?, "`CI_JOB_TOKEN`"));
    }
    None
}

/// Returns the names of the variables with secrets that [`of_job`] reads for `host`.
pub(super) fn variables_of_job(host: &str, variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let origin = of_job(host, variable).map(|found| found.origin().to_owned()).unwrap_or_default();
    let quoted = origin.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, variables: &[(&str, &str)]) -> Option<(String, String, String)> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let found = of_job(host, &variable)?;
        Some((found.username().to_owned(), found.password().to_owned(), found.origin().to_owned()))
    }

    #[test]
    fn a_github_job_has_a_token_for_ghcr() {
        let job = [("GITHUB_ACTIONS", "true"), ("GITHUB_TOKEN", "t"), ("GITHUB_ACTOR", "a")];
        let expected = Some(("a".to_owned(), "t".to_owned(), "`GITHUB_TOKEN`".to_owned()));
        assert_eq!(found("ghcr.io", &job), expected);
        assert_eq!(found("ghcr.io:444", &job), None);
        assert_eq!(found("other", &job), None);
        assert_eq!(found("ghcr.io", &job[1..]), None);
        assert_eq!(found("ghcr.io", &job[..1]), None);
    }

    #[test]
    fn the_token_of_another_forge_does_not_go_to_github() {
        let job = [("GITHUB_ACTIONS", "true"), ("GITHUB_TOKEN", "t"), ("GITHUB_ACTOR", "a")];
        let with = |name: &'static str, value: &'static str| [&job[..], &[(name, value)]].concat();
        for (name, value, has) in [
            ("GITHUB_SERVER_URL", "https://github.com", true),
            ("GITHUB_SERVER_URL", "https://GitHub.com/", true),
            ("GITHUB_SERVER_URL", "http://github.com", false),
            ("GITHUB_SERVER_URL", "https://gitea.example.com", false),
            ("GITHUB_SERVER_URL", "https://codeberg.org", false),
            ("GITHUB_SERVER_URL", "https://ghe.example.com", false),
            ("GITHUB_SERVER_URL", "https://octo.ghe.com", false),
            ("GITHUB_SERVER_URL", "https://github.com.example.com", false),
            ("GITEA_ACTIONS", "true", false),
            ("FORGEJO_ACTIONS", "true", false),
        ] {
            assert_eq!(found("ghcr.io", &with(name, value)).is_some(), has, "{name}={value}");
        }
    }

    #[test]
    fn a_gitlab_job_has_a_token_for_the_registry_of_its_server_alone() {
        let job =
            [("GITLAB_CI", "true"), ("CI_REGISTRY", "Registry.example.com:5050"), ("CI_JOB_TOKEN", "t")];
        let expected = Some(("gitlab-ci-token".to_owned(), "t".to_owned(), "`CI_JOB_TOKEN`".to_owned()));
        assert_eq!(found("registry.example.com:5050", &job), expected);
        assert_eq!(found("registry.example.com", &job), None);
        assert_eq!(found("registry.example.com:5050.evil", &job), None);
        assert_eq!(found("registry.example.com:5050", &job[1..]), None);
        assert_eq!(found("registry.example.com:5050", &job[..2]), None);
        let deploy = [&job[..], &[("CI_REGISTRY_USER", "u"), ("CI_REGISTRY_PASSWORD", "p")]].concat();
        let user = found("registry.example.com:5050", &deploy).map(|(user, password, _)| (user, password));
        assert_eq!(user, Some(("u".to_owned(), "p".to_owned())));
        assert_eq!(found("registry.example.com:5050", &deploy[..4]), expected);
    }
}
