//! The meaning of refusals by GitHub's registry and its packages API, and the help for each: in a job, mostly lines of
//! the workflow.

use oci_registry::Refusal;

/// The lines that let a job push packages (GitHub Docs, "Publishing and installing a package with GitHub Actions").
const WORKFLOW_LINES: &str = "permissions:\n  contents: read\n  packages: write";

/// Returns the help for a refusal.
type WayOut = fn(&Refusal) -> String;

/// GHCR's denials, by their words. They were gathered from public threads (docs/reference/registries.md, "Denials"), because
/// GHCR itself documents none of them.
const DENIALS: [(&str, WayOut); 5] = [
    ("installation not allowed to create organization package", may_not_create),
    ("installation not allowed to write organization package", may_not_write),
    ("permission_denied: write_package", package_lets_not_write),
    ("the token provided does not match expected scopes", token_lacks_scope),
    ("exceeded a secondary rate limit", too_fast),
];

/// The refusals of GitHub's packages API, with their help (actions/delete-package-versions#231,
/// posit-dev/positron#15764, Chizkiyahu/delete-untagged-ghcr-action#40, dataaxiom/ghcr-cleanup-action#28; GitHub Docs,
/// "REST API endpoints for packages").
const PACKAGES_REFUSALS: [(&str, &str); 6] = [
    (
        "cannot delete the last",
        "GitHub keeps the last tagged version of a package: publish another tag first, keep this one, or delete the whole package in its settings",
    ),
    (
        "downloads cannot be deleted",
        "GitHub keeps public versions that were downloaded more than 5,000 times: keep it, or ask GitHub's support to delete it",
    ),
    (
        "resource not accessible by integration",
        "the job's token may not delete here: give the job `permissions: packages: write`, and in the package's settings, \"Manage Actions access\", give this repository the role Admin",
    ),
    (
        "must have admin rights",
        "deleting needs the role Admin for the package: ask for it in the package's settings, or use the token of somebody who has it",
    ),
    (
        ":packages scope",
        "the personal access token lacks a scope: deleting needs a classic token with `read:packages` and `delete:packages`",
    ),
    (
        "package not found",
        "the registry holds this package, but the packages API hides it from this token: in a job, open the package's settings, \"Manage Actions access\", and give this repository the role Admin; elsewhere, use a classic personal access token with `read:packages` and `delete:packages`",
    ),
];

/// Returns the help, if this is one of GitHub's refusals.
pub(super) fn help(refusal: &Refusal) -> Option<String> {
    if matches!(refusal.status, 400 | 403 | 404) {
        let known = PACKAGES_REFUSALS.iter().find(|(words, _)| refusal.errors.mentions(words));
        if let Some((_, help)) = known {
            return Some((*help).to_owned());
        }
    }
    if !matches!(refusal.status, 403 | 429) {
        return None;
    }
    let known = DENIALS.iter().find(|(words, _)| refusal.errors.mentions(words));
    match known {
        Some((_, help)) => Some(help(refusal)),
        // GHCR's token server says only "denied".
        None if refusal.status == 403 && refusal.request.ends_with(" https://ghcr.io/token") => {
            Some(no_token(refusal))
        }
        None => None,
    }
}

/// Returns the owner of the package and its name as written in addresses, if the package is on `ghcr.io`.
fn package(refusal: &Refusal) -> Option<(&str, String)> {
    if !refusal.request.contains(" https://ghcr.io/") {
        return None;
    }
    let (owner, name) = refusal.repository.as_deref()?.split_once('/')?;
    Some((owner, name.replace('/', "%2F")))
}

/// Returns the places in the organization's settings that allow it: `settings` holds the name and the page of each.
fn organization(refusal: &Refusal, settings: &[(&str, &str)]) -> String {
    let names = |(name, page): &(&str, &str)| match package(refusal) {
        Some((owner, _)) => {
            format!("\"{name}\" (https://github.com/organizations/{owner}/settings/{page})")
        }
        None => format!("\"{name}\" in its settings"),
    };
    settings.iter().map(names).collect::<Vec<_>>().join(" and ")
}

fn may_not_create(refusal: &Refusal) -> String {
    format!(
        "this would be the package's first push, but the job's token may not create packages. Add these lines to the workflow, at the top or in the job:\n\n{WORKFLOW_LINES}\n\nIf they are already there, the organization forbids it: an owner can allow it under {}",
        organization(refusal, &[("Package creation", "packages"), ("Workflow permissions", "actions")]),
    )
}

fn may_not_write(refusal: &Refusal) -> String {
    format!(
        "the job's token may not write packages. Add these lines to the workflow, at the top or in the job:\n\n{WORKFLOW_LINES}\n\nA pull request from a fork never gets this permission, whatever the workflow says: publish after it is merged. Otherwise, the organization forbids it for every workflow: an owner can allow it under {}",
        organization(refusal, &[("Workflow permissions", "actions")]),
    )
}

fn package_lets_not_write(refusal: &Refusal) -> String {
    let settings = match package(refusal) {
        Some((owner, name)) => format!(
            "Open its settings:\n\nhttps://github.com/orgs/{owner}/packages/container/{name}/settings\nhttps://github.com/users/{owner}/packages/container/{name}/settings (if {owner} is a person)\n\n"
        ),
        None => "Open its settings. ".to_owned(),
    };
    format!(
        "the package exists, but does not let this repository write: its first push was made by somebody else, or by hand. {settings}Under \"Manage Actions access\" add this repository with the role Write. The workflow needs these lines as well:\n\n{WORKFLOW_LINES}"
    )
}

fn token_lacks_scope(_: &Refusal) -> String {
    format!(
        "the token lacks the scope `write:packages`. In a job, use the job's own: pass `GITHUB_TOKEN: ${{{{ github.token }}}}` to the step, and add these lines to the workflow:\n\n{WORKFLOW_LINES}\n\nElsewhere, make a classic personal access token: https://github.com/settings/tokens/new?scopes=write:packages. Fine-grained tokens and those of GitHub Apps do not work for packages"
    )
}

fn too_fast(_: &Refusal) -> String {
    "GitHub limits how fast one account may write: wait a few minutes and run again; content that is already there is not sent again".to_owned()
}

fn no_token(refusal: &Refusal) -> String {
    match &refusal.credentials {
        Some(origin) => format!(
            "GitHub issues no token for this package to the credentials from {origin}: they have expired, are not a classic token, or may not see the package. In a job, pass `GITHUB_TOKEN: ${{{{ github.token }}}}` to the step, and add these lines to the workflow:\n\n{WORKFLOW_LINES}\n\nElsewhere, use a classic personal access token with `write:packages`"
        ),
        None => format!(
            "this needs credentials, and none were found. In a job, pass `GITHUB_TOKEN: ${{{{ github.token }}}}` to the step, and add these lines to the workflow:\n\n{WORKFLOW_LINES}\n\nElsewhere, log in with `docker login ghcr.io` and a classic personal access token with `write:packages`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_registry::ErrorEnvelope;

    fn refusal(request: &str, repository: Option<&str>, message: &str) -> Refusal {
        let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string();
        Refusal {
            request: request.to_owned(),
            status: 403,
            errors: ErrorEnvelope::parse(body.as_bytes()),
            repository: repository.map(str::to_owned),
            credentials: Some("`GITHUB_TOKEN`".to_owned()),
            insufficient: false,
            retry_after: None,
            attempts: 1,
            ..Refusal::default()
        }
    }

    #[test]
    fn each_denial_of_ghcr_has_the_pages_and_lines_that_help() {
        let upload = "POST https://ghcr.io/v2/acme/charts/app/blobs/uploads/";
        let page = "https://github.com/orgs/acme/packages/container/charts%2Fapp/settings";
        let person = "https://github.com/users/acme/packages/container/charts%2Fapp/settings";
        let lines = "\npermissions:\n  contents: read\n  packages: write";
        let actions = "https://github.com/organizations/acme/settings/actions";
        let creation = "https://github.com/organizations/acme/settings/packages";
        for (message, words) in [
            (
                "installation not allowed to Create organization package",
                &["first push", lines, actions, creation][..],
            ),
            ("installation not allowed to Write organization package", &["fork", lines, actions]),
            ("permission_denied: write_package", &["Manage Actions access", lines, page, person]),
            (
                "permission_denied: The token provided does not match expected scopes",
                &["write:packages", lines, "GITHUB_TOKEN: ${{ github.token }}"],
            ),
            ("You have exceeded a secondary rate limit", &["wait a few minutes"]),
        ] {
            let help = help(&refusal(upload, Some("acme/charts/app"), message)).expect(message);
            for words in words {
                assert!(help.contains(words), "{message}: {help}");
            }
        }
    }

    #[test]
    fn a_denial_by_the_token_server_differs_from_one_at_the_upload() {
        let token = help(&refusal("GET https://ghcr.io/token", Some("acme/app"), "denied")).expect("a help");
        assert!(token.contains("no token for this package") && token.contains("packages: write"), "{token}");
        let nobody = Refusal { credentials: None, ..refusal("GET https://ghcr.io/token", None, "denied") };
        assert!(help(&nobody).expect("a help").contains("none were found"));
        assert_eq!(help(&refusal("POST https://ghcr.io/v2/acme/app/blobs/uploads/", None, "denied")), None);
        assert_eq!(help(&refusal("GET https://other.example/token", None, "denied")), None);
    }

    #[test]
    fn no_links_are_guessed_for_other_hosts_than_ghcr() {
        let elsewhere = "POST https://containers.ghe.example/v2/acme/app/blobs/uploads/";
        for message in
            ["permission_denied: write_package", "installation not allowed to Create organization package"]
        {
            let help = help(&refusal(elsewhere, Some("acme/app"), message)).expect(message);
            assert!(!help.contains("github.com") && help.contains("packages: write"), "{help}");
        }
    }
}
