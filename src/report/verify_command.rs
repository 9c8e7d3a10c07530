//! The commands of other programs that verify signatures and attestations: cosign, and `gh` for those of workflows of GitHub.

use crate::model::signing::SignerIdentity;
use crate::model::words::shell_word;
use oci_signing::SIGNATURE;

/// The issuer of the tokens of GitHub Actions.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Returns the commands that verify a statement of `predicate_type` about `reference` by `identity`. The public key of a signer with a key is
/// in the file that its reader has.
pub(super) fn commands(identity: &SignerIdentity, predicate_type: &str, reference: &str) -> Vec<String> {
    let reference = shell_word(reference);
    let verify = if predicate_type == SIGNATURE {
        "cosign verify".to_owned()
    } else {
        format!("cosign verify-attestation --type {}", shell_word(predicate_type))
    };
    let (Some(name), Some(issuer)) = (&identity.identity, &identity.issuer) else {
        return vec![format!("{verify} --key PUBLIC_KEY --insecure-ignore-tlog=true {reference}")];
    };
    let issued = shell_word(issuer);
    let mut commands = vec![format!(
        "{verify} {} --certificate-oidc-issuer {issued} {reference}",
        identity_option(name, "--certificate-identity", "--certificate-identity-regexp")
    )];
    if let Some(repository) = github_repository(name).filter(|_| issuer == GITHUB) {
        commands.push(format!(
            "gh attestation verify oci://{reference} --bundle-from-oci --repo {} {} --predicate-type {}",
            shell_word(&repository),
            identity_option(name, "--cert-identity", "--cert-identity-regex"),
            shell_word(predicate_type)
        ));
    }
    commands
}

/// The repository of a workflow: `acme/hello` of `https://github.com/acme/hello/.github/workflows/…`.
fn github_repository(identity: &str) -> Option<String> {
    let mut parts = identity.strip_prefix("https://github.com/")?.split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let is_name = |text: &str| !text.is_empty() && !text.contains('*');
    (is_name(owner) && is_name(name)).then(|| format!("{owner}/{name}"))
}

/// Returns the option that names an identity, in which each `*` matches any text.
fn identity_option(identity: &str, exact: &str, expression: &str) -> String {
    if !identity.contains('*') {
        return format!("{exact} {}", shell_word(identity));
    }
    let special = |it: char| r"\.+*?()|[]{}^$".contains(it);
    let literal = |part: &str| -> String {
        part.chars().flat_map(|it| special(it).then_some('\\').into_iter().chain([it])).collect()
    };
    let parts: Vec<String> = identity.split('*').map(literal).collect();
    format!("{expression} {}", shell_word(&format!("^{}$", parts.join(".*"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(identity: &str, issuer: &str) -> SignerIdentity {
        SignerIdentity { key: None, identity: Some(identity.to_owned()), issuer: Some(issuer.to_owned()) }
    }

    #[test]
    fn each_kind_of_signer_has_its_commands() {
        let reference = "ghcr.io/acme/hello@sha256:00";
        let key =
            SignerIdentity { key: Some(oci_registry::Digest::of(b"key")), identity: None, issuer: None };
        assert_eq!(
            commands(&key, SIGNATURE, reference),
            ["cosign verify --key PUBLIC_KEY --insecure-ignore-tlog=true ghcr.io/acme/hello@sha256:00"]
        );
        assert_eq!(
            commands(
                &of("anna@acme.com", "https://accounts.google.com"),
                "https://spdx.dev/Document",
                reference
            ),
            [
                "cosign verify-attestation --type https://spdx.dev/Document --certificate-identity anna@acme.com --certificate-oidc-issuer https://accounts.google.com ghcr.io/acme/hello@sha256:00"
            ]
        );
        let workflow = "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v*";
        assert_eq!(
            commands(&of(workflow, GITHUB), "https://slsa.dev/provenance/v1", reference),
            [
                r"cosign verify-attestation --type https://slsa.dev/provenance/v1 --certificate-identity-regexp '^https://github\.com/acme/hello/\.github/workflows/release\.yml@refs/tags/v.*$' --certificate-oidc-issuer https://token.actions.githubusercontent.com ghcr.io/acme/hello@sha256:00",
                r"gh attestation verify oci://ghcr.io/acme/hello@sha256:00 --bundle-from-oci --repo acme/hello --cert-identity-regex '^https://github\.com/acme/hello/\.github/workflows/release\.yml@refs/tags/v.*$' --predicate-type https://slsa.dev/provenance/v1",
            ]
        );
    }
}
