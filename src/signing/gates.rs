//! Gates: whether an image in a registry has the required evidence. A gate fails closed: evidence that cannot be verified is missing.

use super::error::SignerError;
use super::search::verifies;
use super::signers::{identity, verifier};
use crate::model::gate::{GateSigner, PlannedGate};
use crate::model::signing::{KeyPlace, KeylessPlace, PlannedSigner};
use oci_content::Surroundings;
use oci_registry::{Digest, RegistryError, Repository};
use oci_signing::{SIGNATURE, attached_bundles};

use super::predicate::{CYCLONEDX, SPDX};

/// The reason why a gate cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The signer of the evidence cannot be read.
    #[error(transparent)]
    Signer(SignerError),
    /// The registry does not answer.
    #[error(transparent)]
    Registry(RegistryError),
}

/// Returns what the image `digest` in `repository` lacks of the gate `name`, each in words; nothing if the gate is open. `now` is in seconds
/// since 1970.
///
/// # Errors
///
/// [`GateError`] if that cannot be found out.
pub async fn missing_evidence(
    name: &str,
    gate: &PlannedGate,
    repository: &dyn Repository,
    digest: &Digest,
    now: i64,
    surroundings: &Surroundings,
) -> Result<Vec<String>, GateError> {
    let mut missing = Vec::new();
    if let Some(signer) = &gate.signature {
        let verifier = verifier(name, &as_signer(signer), surroundings).map_err(GateError::Signer)?;
        let bundles = attached_bundles(repository, digest, &[]).await.map_err(GateError::Registry)?;
        let has = |kind: &str| bundles.iter().any(|bundle| verifies(bundle, digest, &verifier, kind));
        let by = identity(&verifier);
        if !has(SIGNATURE) {
            missing.push(format!("a signature by {by}"));
        }
        let predicates = gate.predicates.iter().filter(|kind| !has(kind));
        missing.extend(predicates.map(|kind| format!("an attestation of the type {kind} by {by}")));
        if gate.sbom && !has(SPDX) && !has(CYCLONEDX) {
            missing.push(format!("an SBOM by {by}"));
        }
    }
    if gate.min_age.is_some() || gate.max_age.is_some() {
        let created = oci_registry::created(repository, digest).await.map_err(GateError::Registry)?;
        match created.map(|created| now.saturating_sub(created)) {
            None => missing.push("the time at which it was created".to_owned()),
            Some(age) => {
                let young = gate.min_age.filter(|least| age < least.seconds());
                missing.extend(young.map(|least| format!("an age of at least {least}")));
                let old = gate.max_age.filter(|greatest| age > greatest.seconds());
                missing.extend(old.map(|greatest| format!("an age of at most {greatest}")));
            }
        }
    }
    Ok(missing)
}

/// Returns the signer of the evidence as a signer of a plan, which never signs.
fn as_signer(signer: &GateSigner) -> PlannedSigner {
    match &signer.key {
        Some(pem) => {
            let key = KeyPlace { file: None, env: None, password_env: String::new() };
            PlannedSigner::Key { key, public_key: pem.clone() }
        }
        None => PlannedSigner::Keyless {
            keyless: KeylessPlace {
                identity: signer.identity.clone().unwrap_or_default(),
                issuer: signer.issuer.clone().unwrap_or_default(),
                token_env: None,
                fulcio: None,
                rekor: None,
                trusted_root: signer.trusted_root.clone(),
            },
        },
    }
}
