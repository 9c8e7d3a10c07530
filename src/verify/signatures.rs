//! Whether the manifests that tags name have the declared signatures.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use crate::model::drift::Finding;
use crate::signing;
use oci_registry::{Digest, RegistryError, Repository, Tag};
use oci_signing::{SIGNATURE, Verifier, attached_bundles};

/// The public keys of signers, by name.
pub type SignerKeys = BTreeMap<String, Verifier>;

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
