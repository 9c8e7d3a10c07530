//! The rows of a plan about signatures, and the lines about those that were made.

use super::Style;
use super::clean;
use super::paint::Ink;
use super::rows::{TableRow, short};
use super::verify_command;
use crate::model::outcome::Outcome;
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::signing::{PlannedPredicate, PlannedSignature, SignatureAction};

/// Returns a row for each signature of a repository.
pub(super) fn rows(repository: &PlannedRepository, style: Style) -> Vec<TableRow> {
    repository.signatures.iter().map(|signature| row(signature, style)).collect()
}

/// Returns a row for each gate that is open.
pub(super) fn gate_rows(repository: &PlannedRepository) -> Vec<TableRow> {
    let content = repository.content.iter();
    let gates = content.flat_map(|content| content.gates.iter().map(move |gate| (gate, content)));
    let rows = gates.filter_map(|(gate, content)| {
        let mut words = Vec::new();
        for evidence in content.evidence.iter().filter(|it| it.gate == *gate) {
            let word = match (&evidence.value, &evidence.predicate_type) {
                (Some(value), _) if evidence.kind != "condition" => format!("{}: {value}", evidence.kind),
                (None, Some(kind)) if evidence.kind == "attestation" => kind.clone(),
                _ => evidence.kind.clone(),
            };
            words.push(clean::line(&word));
        }
        (!words.is_empty()).then(|| TableRow {
            ink: Ink::Kept,
            sign: '=',
            name: format!("gate {}", clean::line(gate)),
            value: String::new(),
            why: format!("open: {}", words.join("; ")),
        })
    });
    rows.collect()
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
        Some(PlannedPredicate::Promotion) => "promotion".to_owned(),
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

/// Returns the commands that verify the signatures and attestations of an apply.
pub(super) fn verify_commands(outcome: &Outcome) -> Vec<String> {
    let signed =
        outcome.repositories.iter().flat_map(|it| it.signatures.iter().map(move |signature| (it, signature)));
    let commands = signed.flat_map(|(repository, signature)| {
        let reference = format!("{}@{}", repository.repository, signature.subject);
        verify_command::commands(&signature.identity, &signature.predicate_type, &reference)
    });
    commands.collect()
}
