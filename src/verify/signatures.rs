//! Whether the manifests that tags name have the declared signatures, and passed the declared gates.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use crate::model::drift::Finding;
use crate::model::gate::{Gates, PlannedGate};
use crate::signing::{self, GateError, GatedImage, PROMOTION};
use oci_content::Surroundings;
use oci_registry::{Digest, RegistryError, Repository, Tag};
use oci_signing::{AttachedBundle, Bundle, SIGNATURE, Verifier, attached_bundles};

/// The public keys of signers, by name.
pub type SignerKeys = BTreeMap<String, Verifier>;

/// The signers and the gates of everything that is verified.
pub struct SignatureRules {
    /// The public keys of the signers.
    pub signers: SignerKeys,
    /// The gates.
    pub gates: Gates,
    /// The folder that trusted roots are read from.
    pub surroundings: Surroundings,
}

/// The number of manifests that are asked about at once.
const AT_ONCE: usize = 16;

/// Finds the manifests among `roots` that lack a signature of one of the signers in `names`.
pub(super) async fn unsigned(
    repository: &dyn Repository,
    roots: &BTreeMap<Digest, Vec<Tag>>,
    names: &[String],
    signers: &SignerKeys,
) -> Result<Vec<Finding>, RegistryError> {
    let asked = roots.iter().map(|(subject, tags)| async move {
        let bundles = attached_bundles(repository, subject, &[SIGNATURE]).await?;
        let keys = names.iter().filter_map(|name| Some((name, signers.get(name)?)));
        let lacking = keys.filter(|(_, key)| {
            !bundles.iter().any(|bundle| signing::verifies(bundle, subject, key, SIGNATURE))
        });
        let finding = |(name, key): (&String, &Verifier)| Finding::Unsigned {
            digest: subject.clone(),
            signer: name.clone(),
            identity: signing::identity(key),
            others: bundles.len(),
            tags: tags.clone(),
        };
        Ok::<_, RegistryError>(lacking.map(finding).collect::<Vec<_>>())
    });
    let answers: Vec<Result<Vec<Finding>, RegistryError>> =
        stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut findings = Vec::new();
    for answer in answers {
        findings.extend(answer?);
    }
    Ok(findings)
}

/// Finds the manifests among `roots` of which nothing shows that they passed each of the gates in `names`: neither a record of a promotion
/// that one of the signers in `sign` signed, nor the evidence itself. Ages and conditions are of the time of the promotion.
pub(super) async fn ungated(
    repository: &dyn Repository,
    roots: &BTreeMap<Digest, Vec<Tag>>,
    names: &[String],
    sign: &[String],
    rules: &SignatureRules,
) -> Result<Vec<Finding>, RegistryError> {
    let mut findings = Vec::new();
    for (subject, tags) in roots {
        let records = attached_bundles(repository, subject, &[PROMOTION]).await?;
        for name in names {
            let Some(gate) = rules.gates.get(name) else { continue };
            let mut signers = sign.iter().filter_map(|signer| rules.signers.get(signer));
            if signers.any(|signer| records.iter().any(|record| is_record(record, subject, signer, name))) {
                continue;
            }
            let lasting = PlannedGate { min_age: None, max_age: None, when: None, ..gate.clone() };
            // Nothing that lasts was required, and nobody signs records.
            if lasting.signature.is_none() && sign.is_empty() {
                continue;
            }
            let missing = if lasting.signature.is_some() {
                missing(repository, subject, name, &lasting, &rules.surroundings).await?
            } else {
                Vec::new()
            };
            if lasting.signature.is_none() || !missing.is_empty() {
                findings.push(Finding::Ungated {
                    digest: subject.clone(),
                    gate: name.clone(),
                    missing,
                    tags: tags.clone(),
                });
            }
        }
    }
    Ok(findings)
}

fn is_record(record: &AttachedBundle, subject: &Digest, signer: &Verifier, gate: &str) -> bool {
    let statement = Bundle::parse(&record.json).and_then(|bundle| signer.verify(&bundle, subject));
    statement.is_ok_and(|it| it.predicate_type == PROMOTION && signing::records_gate(&it.predicate, gate))
}

/// Returns the evidence of a gate that the repository itself lacks.
async fn missing(
    repository: &dyn Repository,
    digest: &Digest,
    name: &str,
    gate: &PlannedGate,
    surroundings: &Surroundings,
) -> Result<Vec<String>, RegistryError> {
    let facts = Vec::new();
    let image = GatedImage { repository, registry: "", name: "", tag: None, digest, now: 0, facts: &facts };
    match signing::judge(name, gate, &image, surroundings).await {
        Ok(judgement) => Ok(judgement.missing),
        Err(GateError::Signer(error)) => Ok(vec![error.to_string()]),
        Err(GateError::Registry(error)) => Err(error),
    }
}
