//! The signed statements that a repository has about what its tags will name.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::DesiredRepository;
use crate::signing;
use oci_registry::{Digest, RegistryError, Repository};
use oci_signing::{Verifier, attached_bundles};

/// The signers of a run, by name.
pub type SignerKeys = BTreeMap<String, Verifier>;

/// A statement that is there and verifies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedSignature {
    /// The manifest that it is about.
    pub subject: Digest,
    /// The name of the signer.
    pub signer: String,
    /// The type of its predicate.
    pub predicate_type: String,
}

/// Returns the statements about `subjects`.
pub(super) async fn signatures(
    desired: &DesiredRepository,
    subjects: BTreeSet<&Digest>,
    repository: &dyn Repository,
    signers: &SignerKeys,
) -> Result<BTreeSet<ObservedSignature>, RegistryError> {
    let types: Vec<&str> = desired.statements.iter().map(|it| it.predicate_type.as_str()).collect();
    let mut found = BTreeSet::new();
    for subject in subjects {
        let bundles = attached_bundles(repository, subject, &types).await?;
        for signer in &desired.sign {
            let Some(key) = signers.get(signer) else { continue };
            let verified = types.iter().filter(|predicate_type| {
                bundles.iter().any(|bundle| signing::verifies(bundle, subject, key, predicate_type))
            });
            found.extend(verified.map(|predicate_type| ObservedSignature {
                subject: subject.clone(),
                signer: signer.clone(),
                predicate_type: (*predicate_type).to_owned(),
            }));
        }
    }
    Ok(found)
}
