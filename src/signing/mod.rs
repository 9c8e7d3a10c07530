//! Signers: from the place of a key to a key that signs, and the search for signatures that verify.

mod error;
mod predicate;

use std::fs::File;
use std::io::Read;

use crate::model::signing::{KeyPlace, PlannedSigner, SignerIdentity};
use error::KeyProblem;
pub use error::{PredicateError, SignerError};
use oci_content::Surroundings;
use oci_registry::{Digest, RegistryError, Repository};
use oci_signing::{AttachedBundle, Bundle, KeyError, PublicKey, SigningKey, attached_bundles};
pub use predicate::{PublishFacts, planned_statement, signature_statement};

/// The size of the largest file that is read as a key.
const MAX_KEY: u64 = 64 * 1024;

/// Returns the signer `name` for a plan. If the plan is made without the private key, `public_key` names a file with the public one.
///
/// # Errors
///
/// [`SignerError`] if neither key can be read.
pub fn planned(
    name: &str,
    key: &KeyPlace,
    public_key: Option<&str>,
    surroundings: &Surroundings,
) -> Result<PlannedSigner, SignerError> {
    let failed = |problem| SignerError { name: name.to_owned(), problem };
    let public = match public_key {
        Some(path) => read_public_key(path, surroundings).map_err(failed)?,
        None => read_key(key, surroundings).map_err(failed)?.public_key().clone(),
    };
    Ok(PlannedSigner { key: key.clone(), public_key: public.to_pem() })
}

/// Returns the private key of the signer `name`.
///
/// # Errors
///
/// [`SignerError`] if it cannot be read, or if its public key is not the planned one.
pub fn open(
    name: &str,
    planned: &PlannedSigner,
    surroundings: &Surroundings,
) -> Result<SigningKey, SignerError> {
    let failed = |problem| SignerError { name: name.to_owned(), problem };
    let wanted = public_key(name, planned)?;
    let key = read_key(&planned.key, surroundings).map_err(failed)?;
    if *key.public_key() == wanted {
        return Ok(key);
    }
    let (wanted, found) = (wanted.fingerprint(), key.public_key().fingerprint());
    Err(failed(KeyProblem::OtherKey { place: planned.key.to_string(), wanted, found }))
}

/// Returns the public key of the signer `name`.
///
/// # Errors
///
/// [`SignerError`] if the plan holds no public key, which only an edited plan does.
pub fn public_key(name: &str, planned: &PlannedSigner) -> Result<PublicKey, SignerError> {
    let failed = |error| KeyProblem::Key { place: "the plan".to_owned(), password: None, error };
    PublicKey::from_pem(&planned.public_key)
        .map_err(|error| SignerError { name: name.to_owned(), problem: failed(error) })
}

/// Returns the identity that the signatures of a key show.
pub fn identity(key: &PublicKey) -> SignerIdentity {
    SignerIdentity { key: Some(key.fingerprint()), identity: None, issuer: None }
}

/// Returns the manifest in `repository` that carries a statement of `predicate_type` about `subject` that `key` signed; `None` if there
/// is none that verifies.
///
/// # Errors
///
/// The refusal of the registry.
pub async fn find(
    repository: &dyn Repository,
    subject: &Digest,
    key: &PublicKey,
    predicate_type: &str,
) -> Result<Option<Digest>, RegistryError> {
    let bundles = attached_bundles(repository, subject, &[predicate_type]).await?;
    let found = bundles.into_iter().find(|bundle| verifies(bundle, subject, key, predicate_type));
    Ok(found.map(|bundle| bundle.manifest))
}

/// Whether `bundle` is a statement of `predicate_type` about `subject` that `key` signed.
pub fn verifies(bundle: &AttachedBundle, subject: &Digest, key: &PublicKey, predicate_type: &str) -> bool {
    let statement = Bundle::parse(&bundle.json).and_then(|bundle| bundle.verify(subject, key));
    statement.is_ok_and(|statement| statement.predicate_type == predicate_type)
}

fn read_key(place: &KeyPlace, surroundings: &Surroundings) -> Result<SigningKey, KeyProblem> {
    let text = match (&place.file, &place.env) {
        (Some(file), _) => read_file(file, surroundings)?,
        (None, Some(variable)) => (surroundings.environment)(variable)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| KeyProblem::Variable(variable.clone()))?,
        (None, None) => return Err(KeyProblem::NoPlace),
    };
    let password = (surroundings.environment)(&place.password_env);
    SigningKey::from_pem(&text, password.as_deref()).map_err(|error| {
        let password = matches!(error, KeyError::Encrypted | KeyError::Password);
        let password = password.then(|| place.password_env.clone());
        KeyProblem::Key { place: place.to_string(), password, error }
    })
}

fn read_public_key(path: &str, surroundings: &Surroundings) -> Result<PublicKey, KeyProblem> {
    let text = read_file(path, surroundings)?;
    let place = format!("the file `{}`", path.escape_debug());
    PublicKey::from_pem(&text).map_err(|error| KeyProblem::Key { place, password: None, error })
}

/// Reads a file of text, which must be inside the project.
fn read_file(path: &str, surroundings: &Surroundings) -> Result<String, KeyProblem> {
    surroundings.confines.check(&surroundings.folder, path).map_err(KeyProblem::Outside)?;
    let failed = |error| KeyProblem::File { path: path.to_owned(), error };
    let file = File::open(surroundings.folder.join(path)).map_err(failed)?;
    let is_file = file.metadata().map_err(failed)?.is_file();
    if !is_file {
        return Err(failed(std::io::Error::other("it is not a file")));
    }
    let mut text = String::new();
    file.take(MAX_KEY).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
