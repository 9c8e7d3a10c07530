//! Content that some registries need created before the first push, and how to create it (docs/reference/registries.md, "Other registries").

use oci_registry::Refusal;

/// Returns what to create, if the registry is known and says that something does not exist (status 404).
pub(super) fn help(refusal: &Refusal) -> Option<String> {
    let (host, repository) = (host(refusal)?, refusal.repository.as_deref()?);
    let first = repository.split('/').next().unwrap_or_default();
    if host.ends_with(".amazonaws.com") || refusal.errors.mentions("does not exist in the registry with id") {
        return Some(format!(
            "Amazon ECR needs a repository created before the first push: `aws ecr create-repository --repository-name {repository}{}`",
            region(host).map(|region| format!(" --region {region}")).unwrap_or_default()
        ));
    }
    if host.ends_with("-docker.pkg.dev") {
        let location = host.trim_end_matches("-docker.pkg.dev");
        let name = repository.split('/').nth(1).unwrap_or(repository);
        return Some(format!(
            "Google Artifact Registry needs a repository created before the first push: `gcloud artifacts repositories create {name} --repository-format=docker --location={location} --project={first}`"
        ));
    }
    if refusal.errors.mentions("project") {
        return Some(format!(
            "Harbor needs a project created before the first push: create `{first}` under \"Projects\", \"New Project\", or ask an administrator to"
        ));
    }
    is_gitlab(host).then(|| gitlab(repository))
}

/// Returns what may have to be created, for registries that report a missing project as forbidden (status 401 or 403).
pub(super) fn perhaps(refusal: &Refusal) -> Option<String> {
    let (host, repository) = (host(refusal)?, refusal.repository.as_deref()?);
    let first = repository.split('/').next().unwrap_or_default();
    // Harbor: "unauthorized to access repository: library/app, action: push".
    if refusal.errors.mentions("unauthorized to access repository") {
        return Some(format!(
            "Harbor answers like this if there is no project `{first}`, or if these credentials may not do this in it: create the project, or ask a member with the role Project Admin to add this user or robot as a Developer"
        ));
    }
    // GitLab's token server: "access forbidden"; the registry: "requested access to the resource is denied".
    let forbidden = refusal.errors.mentions("access forbidden") || refusal.errors.mentions("denied");
    (forbidden && is_gitlab(host)).then(|| gitlab(repository))
}

fn gitlab(repository: &str) -> String {
    format!(
        "GitLab answers like this if `{repository}` does not start with the path of a project, if the container registry of the project is off, or if the token may not push to it: create the project (`GROUP/PROJECT`), and use a token with the scopes `read_registry` and `write_registry`, or `CI_JOB_TOKEN` in a job of that project"
    )
}

/// Whether `host` is a GitLab registry: gitlab.com, or a host with the name that most of them have.
fn is_gitlab(host: &str) -> bool {
    host == "gitlab.com" || host.split('.').any(|part| part == "gitlab")
}

/// The host of the request, without its port.
fn host(refusal: &Refusal) -> Option<&str> {
    let (_, url) = refusal.request.split_once("://")?;
    let host = url.split('/').next()?;
    Some(host.split(':').next().unwrap_or(host))
}

/// Returns the region of an Amazon registry: `ACCOUNT.dkr.ecr.REGION.amazonaws.com`.
fn region(host: &str) -> Option<&str> {
    host.split_once(".dkr.ecr.")?.1.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::ToDiagnostic;
    use oci_registry::{ErrorEnvelope, RegistryError};

    fn help_for(status: u16, request: &str, repository: &str, code: &str, message: &str) -> String {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message }] }).to_string();
        let refusal = Refusal {
            request: request.to_owned(),
            status,
            errors: ErrorEnvelope::parse(body.as_bytes()),
            repository: Some(repository.to_owned()),
            credentials: Some("`ci`".to_owned()),
            insufficient: false,
            retry_after: None,
            attempts: 1,
            ..Refusal::default()
        };
        RegistryError::from_refusal(refusal).to_diagnostic().help.unwrap_or_default()
    }

    #[test]
    fn each_registry_says_what_to_create() {
        for (status, host, repository, code, message, words) in [
            (
                404,
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                "team/app",
                "NAME_UNKNOWN",
                "The repository with name 'team/app' does not exist in the registry with id '123456789012'",
                "aws ecr create-repository --repository-name team/app --region eu-west-1",
            ),
            (
                404,
                "europe-west1-docker.pkg.dev",
                "acme/images/app",
                "NAME_UNKNOWN",
                "Repository \"images\" not found",
                "gcloud artifacts repositories create images --repository-format=docker --location=europe-west1 --project=acme",
            ),
            (404, "harbor.example.com", "team/app", "NOT_FOUND", "project team not found", "create `team`"),
            (
                401,
                "harbor.example.com",
                "team/app",
                "UNAUTHORIZED",
                "unauthorized to access repository: team/app, action: push: unauthorized to access repository: team/app, action: push",
                "no project `team`",
            ),
            (403, "gitlab.com", "group/project/app", "DENIED", "access forbidden", "write_registry"),
            (
                403,
                "registry.gitlab.com",
                "group/project/app",
                "DENIED",
                "requested access to the resource is denied",
                "CI_JOB_TOKEN",
            ),
            (404, "registry.example.com", "team/app", "NAME_UNKNOWN", "unknown", "need it created"),
            (403, "registry.example.com", "team/app", "DENIED", "access forbidden", "ask for the right"),
        ] {
            let help = help_for(
                status,
                &format!("POST https://{host}/v2/{repository}/blobs/uploads/"),
                repository,
                code,
                message,
            );
            assert!(help.contains(words), "{host}: {help}");
        }
    }
}
