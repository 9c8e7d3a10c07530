//! The signatures that a plan makes: of each manifest that a tag will name, by each signer of the resource.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::{Action, Change, PlannedRepository};
use crate::model::problem::PlannedProblem;
use crate::model::signing::{PlannedPredicate, PlannedSignature, SignatureAction};
use crate::observed::{ObservedRepository, ObservedSignature};
use crate::signing;
use oci_registry::Digest;
use oci_signing::{SIGNATURE, Verifier};

/// Returns the signatures for `changes`. Content of this run, and an index of the same images, is signed if it is not yet. Another digest that another run published first is
/// not signed by this one, which has not seen what it holds: if a tag is to move to it, it must have its signatures.
pub(super) fn signatures(
    observed: &ObservedRepository,
    changes: &[Change],
    signers: &BTreeMap<String, Verifier>,
) -> Vec<PlannedSignature> {
    let root = observed.root();
    let is_named = |change: &&Change| match change.action {
        Action::Create | Action::Move => true,
        Action::NoOp => change.wanted() == Some(root),
        Action::Remove | Action::Keep | Action::Conflict => false,
    };
    let subjects: BTreeSet<&Digest> = changes.iter().filter(is_named).filter_map(Change::wanted).collect();
    let mut planned = Vec::new();
    for subject in subjects {
        for (name, statement) in observed
            .desired
            .sign
            .iter()
            .flat_map(|name| observed.desired.statements.iter().map(move |statement| (name, statement)))
        {
            let Some(key) = signers.get(name) else { continue };
            // Another digest was not promoted by this plan.
            if statement.predicate == Some(PlannedPredicate::Promotion) && subject != root {
                continue;
            }
            let wanted = ObservedSignature {
                subject: subject.clone(),
                signer: name.clone(),
                predicate_type: statement.predicate_type.clone(),
            };
            let action = if observed.signatures.contains(&wanted) {
                SignatureAction::NoOp
            } else if subject == root || observed.same_images.contains(subject) {
                SignatureAction::Sign
            } else if statement.predicate_type == SIGNATURE {
                SignatureAction::Missing
            } else {
                // An attestation that was declared later is no reason to block.
                continue;
            };
            planned.push(PlannedSignature {
                subject: subject.clone(),
                signer: name.clone(),
                identity: signing::identity(key),
                statement: statement.clone(),
                action,
            });
        }
    }
    planned
}

/// Returns a problem for each signature that is missing and that the plan does not make.
pub(super) fn problems(repositories: &[PlannedRepository]) -> Vec<PlannedProblem> {
    let signatures =
        repositories.iter().flat_map(|it| it.signatures.iter().map(move |signature| (it, signature)));
    let missing = signatures.filter(|(_, signature)| signature.action == SignatureAction::Missing);
    let problem = |(repository, signature): (&PlannedRepository, &PlannedSignature)| {
        let (digest, signer) = (&signature.subject, &signature.signer);
        let message = format!(
            "{}: {} was published first and is kept, but `{signer}` did not sign it, so no tag moves to it",
            repository.address,
            digest.short(12)
        );
        let help = format!(
            "check that image and sign it: `cosign sign --key KEY {}@{digest}`; or publish under another version",
            repository.name
        );
        PlannedProblem::from(&Diagnostic::error(Code::SigningMissing, message).help(help))
    };
    missing.map(problem).collect()
}
