//! The rows of a plan about signatures, and the lines about those that were made.

use super::Style;
use super::clean;
use super::paint::Ink;
use super::rows::{TableRow, short};
use crate::model::outcome::{Outcome, RepositoryOutcome, SignatureOutcome};
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::signing::{PlannedPredicate, PlannedSignature, SignatureAction};
use crate::model::words::shell_word;
use oci_signing::SIGNATURE;

/// Returns a row for each signature of a repository.
pub(super) fn rows(repository: &PlannedRepository, style: Style) -> Vec<TableRow> {
    repository.signatures.iter().map(|signature| row(signature, style)).collect()
}

fn row(signature: &PlannedSignature, style: Style) -> TableRow {
    let signer = clean::line(&signature.signer);
    let identity = &signature.identity;
    let (ink, sign, why) = match signature.action {
        SignatureAction::Sign => (Ink::Created, '+', format!("by {signer} with {identity}")),
        SignatureAction::NoOp => (Ink::Kept, '=', format!("by {signer} with {identity}, in place")),
        SignatureAction::Missing => (Ink::Alarm, '!', format!("by {signer} with {identity} is missing")),
    };
    let name = match &signature.statement.predicate {
        None => "signature".to_owned(),
        Some(PlannedPredicate::Provenance) => "provenance".to_owned(),
        Some(PlannedPredicate::File { path, .. }) => clean::line(path),
    };
    TableRow { ink, sign, name, value: short(&signature.subject, style), why }
}

/// Returns the number of signatures that a plan makes.
pub(super) fn to_make(plan: &Plan) -> usize {
    let signatures = plan.repositories.iter().flat_map(|it| &it.signatures);
    signatures.filter(|it| it.action == SignatureAction::Sign).count()
}

/// Returns `1 signature`, `2 signatures` and so on.
pub(super) fn count(count: usize) -> String {
    format!("{count} {}", if count == 1 { "signature" } else { "signatures" })
}

/// Whether a signature is missing that the plan does not make.
pub(super) fn any_missing(plan: &Plan) -> bool {
    let mut signatures = plan.repositories.iter().flat_map(|it| &it.signatures);
    signatures.any(|it| it.action == SignatureAction::Missing)
}

/// Returns the commands of cosign that verify the signatures of an apply, one for each signature of an image. The public key of a signer
/// with a key is in the file that its reader has.
pub(super) fn verify_commands(outcome: &Outcome) -> Vec<String> {
    let signed =
        outcome.repositories.iter().flat_map(|it| it.signatures.iter().map(move |signature| (it, signature)));
    let images = signed.filter(|(_, signature)| signature.predicate_type == SIGNATURE);
    let command = |(repository, signature): (&RepositoryOutcome, &SignatureOutcome)| {
        let reference = shell_word(&format!("{}@{}", repository.repository, signature.subject));
        let identity = &signature.identity;
        match (&identity.identity, &identity.issuer) {
            (Some(identity), Some(issuer)) => format!(
                "cosign verify {} --certificate-oidc-issuer {} {reference}",
                certificate_option(identity),
                shell_word(issuer)
            ),
            _ => format!("cosign verify --key PUBLIC_KEY --insecure-ignore-tlog=true {reference}"),
        }
    };
    images.map(command).collect()
}

/// Returns the option of cosign that names an identity, in which each `*` matches any text.
fn certificate_option(identity: &str) -> String {
    if !identity.contains('*') {
        return format!("--certificate-identity {}", shell_word(identity));
    }
    let special = |it: char| r"\.+*?()|[]{}^$".contains(it);
    let literal = |part: &str| -> String {
        part.chars().flat_map(|it| special(it).then_some('\\').into_iter().chain([it])).collect()
    };
    let parts: Vec<String> = identity.split('*').map(literal).collect();
    format!("--certificate-identity-regexp {}", shell_word(&format!("^{}$", parts.join(".*"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_with_a_star_is_an_expression_for_cosign() {
        assert_eq!(certificate_option("anna@acme.com"), "--certificate-identity anna@acme.com");
        assert_eq!(
            certificate_option("https://a.b/c+d@refs/tags/v*"),
            r"--certificate-identity-regexp '^https://a\.b/c\+d@refs/tags/v.*$'"
        );
    }
}
