//! Tests of the messages and helps of errors.

use std::time::Duration;

use oci_registry::{
    CredentialError, DeletionObstacle, Digest, DirectoryProblem, ErrorEnvelope, NetworkFailure, Refusal,
    RegistryError,
};

use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};

fn refusal(status: u16, body: &str) -> Refusal {
    Refusal {
        request: "PUT https://ghcr.io/v2/o/n/manifests/v1".to_owned(),
        status,
        errors: ErrorEnvelope::parse(body.as_bytes()),
        repository: Some("o/n".to_owned()),
        credentials: Some("`GITHUB_TOKEN`".to_owned()),
        insufficient: false,
        retry_after: None,
        attempts: 1,
        ..Refusal::default()
    }
}

fn denial(message: &str) -> Diagnostic {
    let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string();
    RegistryError::from_refusal(refusal(403, &body)).to_diagnostic()
}

#[test]
fn messages_read_method_url_code_message() {
    let diagnostic = denial("permission_denied: write_package");
    assert_eq!(diagnostic.code, Code::RegistryDenied);
    assert_eq!(
        diagnostic.message,
        "PUT https://ghcr.io/v2/o/n/manifests/v1: DENIED: permission_denied: write_package"
    );
    let plain = RegistryError::from_refusal(refusal(502, "<html>")).after(6).to_string();
    assert_eq!(plain, "PUT https://ghcr.io/v2/o/n/manifests/v1: 502 Bad Gateway (after 6 attempts)");
    let text = RegistryError::from_refusal(refusal(418, "short\nand stout")).to_string();
    assert_eq!(text, "PUT https://ghcr.io/v2/o/n/manifests/v1: 418 I'm a teapot: short and stout");
}

#[test]
fn each_denial_of_ghcr_has_its_own_words() {
    for (message, words) in [
        ("installation not allowed to Create organization package", "first push"),
        ("installation not allowed to Write organization package", "fork"),
        ("permission_denied: write_package", "Manage Actions access"),
        ("permission_denied: The token provided does not match expected scopes", "write:packages"),
        ("You have exceeded a secondary rate limit", "wait a few minutes"),
        ("something new", "ask for the right to push"),
    ] {
        let help = denial(message).help.expect("a help");
        assert!(help.contains(words), "{message}: {help}");
    }
    assert_eq!(denial("You have exceeded a secondary rate limit").code, Code::RegistryRateLimited);
}

#[test]
fn each_refusal_of_the_packages_api_has_its_own_words() {
    for (status, message, words) in [
        (
            400,
            "You cannot delete the last tagged version of a package. You must delete the package instead.",
            "keeps the last tagged",
        ),
        (
            400,
            "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.",
            "GitHub's support",
        ),
        (403, "Resource not accessible by integration", "role Admin"),
        (403, "Must have admin rights to Repository.", "role Admin"),
        (403, "You need at least delete:packages scope to delete a package.", "classic token"),
        (404, "Package not found.", "hides it"),
    ] {
        let body = serde_json::json!({ "message": message }).to_string();
        let help = RegistryError::from_refusal(refusal(status, &body)).to_diagnostic().help.expect("a help");
        assert!(help.contains(words), "{message}: {help}");
    }
    let limited = r#"{"message":"API rate limit exceeded for user ID 1."}"#;
    assert_eq!(
        RegistryError::from_refusal(refusal(403, limited)).to_diagnostic().code,
        Code::RegistryRateLimited
    );
}

#[test]
fn each_status_has_its_code() {
    for (status, code) in [
        (400, Code::RegistryRejected),
        (401, Code::RegistryUnauthorized),
        (403, Code::RegistryDenied),
        (404, Code::RegistryNotFound),
        (405, Code::RegistryRejected),
        (408, Code::RegistryUnreachable),
        (412, Code::RegistryRejected),
        (413, Code::RegistryRejected),
        (429, Code::RegistryRateLimited),
        (500, Code::RegistryUnreachable),
        (503, Code::RegistryUnreachable),
    ] {
        let error = RegistryError::from_refusal(refusal(status, ""));
        assert_eq!(error.to_diagnostic().code, code, "{status}");
        assert!(!error.to_diagnostic().help.unwrap_or_default().is_empty(), "{status}");
    }
}

#[test]
fn the_help_depends_on_the_answer() {
    let help = |status, body: &str, credentials: Option<&str>, retry_after| {
        let refusal =
            Refusal { credentials: credentials.map(str::to_owned), retry_after, ..refusal(status, body) };
        RegistryError::from_refusal(refusal).to_diagnostic().help.unwrap_or_default()
    };
    assert!(help(401, "", None, None).contains("docker login"));
    assert!(help(401, "", Some("`a.json`"), None).contains("`a.json`"));
    assert!(help(403, "", None, None).contains("none were found"));
    assert!(help(429, "", None, Some(Duration::from_millis(90_500))).contains("91 seconds"));
    assert!(help(429, "", None, Some(Duration::from_secs(300))).contains("5 minutes"));
    assert!(help(429, "", None, None).contains("logged in"));
    let delete = |status| {
        let refusal =
            Refusal { request: "DELETE https://h/v2/o/n/manifests/v1".to_owned(), ..refusal(status, "") };
        RegistryError::from_refusal(refusal).to_diagnostic().help.unwrap_or_default()
    };
    assert!(delete(403).contains("right to delete") && delete(405).contains("deletes nothing"));
    let immutable = r#"{"errors":[{"code":"TAG_INVALID","message":"The image tag 'v1' already exists and cannot be overwritten because the repository is immutable."}]}"#;
    assert!(help(400, immutable, None, None).contains("new version"));
    assert!(help(413, "", None, None).contains("client_max_body_size"));
}

#[test]
fn every_kind_has_a_help() {
    let request = || "GET https://h/v2/".to_owned();
    let digest = || Digest::of(b"");
    let failures = [
        NetworkFailure::Name,
        NetworkFailure::Connection,
        NetworkFailure::Certificate,
        NetworkFailure::NotTls,
        NetworkFailure::Timeout,
    ];
    let unreachable = failures.map(|failure| RegistryError::Unreachable {
        request: request(),
        cause: "no".to_owned(),
        attempts: 3,
        failure,
        elsewhere: None,
    });
    let others = [
        RegistryError::Protocol { request: request(), reason: "no".to_owned() },
        RegistryError::ContentMismatch { request: request(), expected: digest(), found: Digest::of(b"x") },
        RegistryError::Content { digest: digest(), cause: "no".to_owned() },
        RegistryError::DeletesNothing(DeletionObstacle::NoDeleter),
        RegistryError::StillThere { tag: "v1".parse().expect("a tag"), found: digest() },
        RegistryError::NotPutBack {
            tag: "v1".parse().expect("a tag"),
            original: digest(),
            cause: Box::new(RegistryError::from_refusal(refusal(403, ""))),
            again: Box::new(RegistryError::from_refusal(refusal(503, ""))),
        },
        RegistryError::Credentials(CredentialError::Unsendable { origin: "no".to_owned() }),
        RegistryError::Certificates { path: "ca.pem".into(), reason: "no".to_owned() },
        RegistryError::Directory {
            path: "a".into(),
            reason: "no".to_owned(),
            problem: DirectoryProblem::Failed,
        },
    ];
    for error in unreachable.iter().chain(&others) {
        assert!(!error.to_diagnostic().help.unwrap_or_default().is_empty(), "{error:?}");
    }
    assert_eq!(unreachable[0].to_string(), "GET https://h/v2/: no (after 3 attempts)");
}
