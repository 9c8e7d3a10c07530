//! The signers and the gates that a plan needs.

use std::collections::BTreeMap;

use super::session::Result;
use crate::config::Config;
use crate::desired::Desired;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::ResourceId;
use crate::model::gate::PlannedGate;
use crate::model::signing::{PlannedSigner, PlannedStatement};
use crate::signing::{self, SignerError};
use oci_content::Surroundings;
use oci_signing::Verifier;

/// Signers by name, each with its public key.
pub(super) type Signers = BTreeMap<String, (PlannedSigner, Verifier)>;

/// Returns the signers of everything that is published, or every problem with their keys.
pub(super) fn signers(config: &Config, desired: &Desired, surroundings: &Surroundings) -> Result<Signers> {
    named(config, desired.repositories.iter().flat_map(|it| &it.sign), surroundings)
}

/// Returns the gates of everything that is published, with the texts of their keys.
pub(super) fn gates(
    config: &Config,
    desired: &Desired,
    surroundings: &Surroundings,
) -> Result<BTreeMap<String, PlannedGate>> {
    named_gates(config, desired.repositories.iter().flat_map(|it| &it.gates), surroundings)
}

/// Returns the gates of these names.
pub(super) fn named_gates<'a>(
    config: &Config,
    names: impl Iterator<Item = &'a String>,
    surroundings: &Surroundings,
) -> Result<BTreeMap<String, PlannedGate>> {
    let (mut gates, mut problems) = (BTreeMap::new(), Vec::new());
    for name in names {
        let Some(gate) = config.gates.get(name).filter(|_| !gates.contains_key(name)) else { continue };
        let mut gate = gate.clone();
        if let Some(path) = gate.signature.as_mut().and_then(|signer| signer.key.as_mut()) {
            match signing::public_key_file(&format!("gates.{name}"), path, surroundings) {
                Ok(pem) => *path = pem,
                Err(error) => {
                    let place = config.places.value(&["gates", name, "require", "signature"]);
                    problems.push(error.to_diagnostic().at_maybe(place, ""));
                }
            }
        }
        gates.insert(name.clone(), gate);
    }
    if problems.is_empty() { Ok(gates) } else { Err(problems) }
}

/// Reads the files of the predicates that the signers of `desired` attest, and adds their statements.
pub(super) fn add_statements(
    config: &Config,
    desired: &mut Desired,
    surroundings: &Surroundings,
) -> Result<()> {
    let mut known: BTreeMap<ResourceId, Vec<PlannedStatement>> = BTreeMap::new();
    let mut problems = Vec::new();
    for repository in desired.repositories.iter_mut().filter(|it| !it.sign.is_empty()) {
        let id = &repository.resource;
        let statements = known.entry(id.clone()).or_insert_with(|| {
            let declared = config.resources.get(id).into_iter().flat_map(|resource| &resource.attest);
            let mut statements = vec![signing::signature_statement()];
            for declared in declared {
                let place = || config.places.value(&id.key("attest"));
                match signing::planned_statement(declared, surroundings) {
                    Ok(new) if statements.iter().any(|it| it.predicate_type == new.predicate_type) => {
                        let message = format!(
                            "`attest` of {}: two statements have the type `{}`",
                            id.title(),
                            new.predicate_type.escape_debug()
                        );
                        let help =
                            "attest one file of each type: a second run finds statements by their type";
                        let diagnostic = Diagnostic::error(Code::SigningPredicate, message).help(help);
                        problems.push(diagnostic.at_maybe(place(), ""));
                    }
                    Ok(new) => statements.push(new),
                    Err(error) => {
                        problems.push(error.to_diagnostic().about(id.title()).at_maybe(place(), ""));
                    }
                }
            }
            statements
        });
        repository.statements.clone_from(statements);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns the signers of these names.
pub(super) fn named<'a>(
    config: &Config,
    names: impl Iterator<Item = &'a String>,
    surroundings: &Surroundings,
) -> Result<Signers> {
    let (mut signers, mut problems): (Signers, Vec<Diagnostic>) = (BTreeMap::new(), Vec::new());
    for name in names {
        let Some(declared) = config.signing.get(name).filter(|_| !signers.contains_key(name)) else {
            continue;
        };
        let planned = signing::planned(name, declared, surroundings);
        match planned.and_then(|planned| Ok((signing::verifier(name, &planned, surroundings)?, planned))) {
            Ok((key, planned)) => drop(signers.insert(name.clone(), (planned, key))),
            Err(error) => {
                let problem = placed(config, name, &error);
                problems.extend((!problems.contains(&problem)).then_some(problem));
            }
        }
    }
    if problems.is_empty() { Ok(signers) } else { Err(problems) }
}

fn placed(config: &Config, name: &str, error: &SignerError) -> Diagnostic {
    let place = config.places.value(&["signing", name]);
    error.to_diagnostic().at_maybe(place, "")
}
