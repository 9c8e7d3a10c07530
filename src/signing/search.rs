//! The search for signed statements that verify.

use oci_registry::{Digest, RegistryError, Repository};
use oci_signing::{AttachedBundle, Bundle, Verifier, attached_bundles};

/// Returns the manifest in `repository` that carries a statement of `predicate_type` about `subject` that the signer signed; `None` if
/// there is none that verifies.
///
/// # Errors
///
/// The refusal of the registry.
pub async fn find(
    repository: &dyn Repository,
    subject: &Digest,
    signer: &Verifier,
    predicate_type: &str,
) -> Result<Option<Digest>, RegistryError> {
    let bundles = attached_bundles(repository, subject, &[predicate_type]).await?;
    let found = bundles.into_iter().find(|bundle| verifies(bundle, subject, signer, predicate_type));
    Ok(found.map(|bundle| bundle.manifest))
}

/// Whether `bundle` is a statement of `predicate_type` about `subject` that the signer signed.
pub fn verifies(bundle: &AttachedBundle, subject: &Digest, signer: &Verifier, predicate_type: &str) -> bool {
    let statement = Bundle::parse(&bundle.json).and_then(|bundle| signer.verify(&bundle, subject));
    statement.is_ok_and(|statement| statement.predicate_type == predicate_type)
}
