//! Approvals: signed statements about the digest of a saved plan.

use std::collections::BTreeSet;

use super::error::KeyProblem;
use super::files::read_key;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::signing::{KeyPlace, RequiredApproval};
use oci_content::Surroundings;
use oci_registry::Digest;
use oci_signing::{Bundle, PublicKey, SigningError, Statement};

/// The predicate type of an approval.
const APPROVAL: &str = "https://github.com/colliery-io/brokkr-publish/approval/v1";

/// A signed approval, as it is saved.
pub struct SignedApproval {
    /// The bundle, as JSON.
    pub json: Vec<u8>,
    /// The digest of the public key.
    pub key: Digest,
}

/// The reason why an approval cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The key cannot be used.
    #[error("the plan cannot be approved: {0}")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key does not sign.
    #[error("the plan cannot be approved: {0}")]
    Signing(#[source] SigningError),
}

impl ApprovalError {
    /// Returns the diagnostic for this error.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = "give `--key` a private key of ECDSA on the curve P-256, and its password in the variable of `--password-env`";
        Diagnostic::error(Code::SigningKey, self.to_string()).help(help)
    }
}

/// Signs the approval of the plan with this digest.
///
/// # Errors
///
/// [`ApprovalError`] if the key cannot be read or does not sign.
pub fn approve(
    plan: &Digest,
    key: &KeyPlace,
    surroundings: &Surroundings,
) -> Result<SignedApproval, ApprovalError> {
    let key = read_key(key, surroundings).map_err(|error: KeyProblem| ApprovalError::Key(Box::new(error)))?;
    let statement = Statement { predicate_type: APPROVAL.to_owned(), predicate: "{}".to_owned() };
    let bundle = Bundle::sign(&statement, plan, &key).map_err(ApprovalError::Signing)?;
    Ok(SignedApproval { json: bundle.to_json(), key: key.public_key().fingerprint() })
}

/// Returns the number of the required keys that approved the plan with this digest in one of the `approvals`, each the JSON of a bundle. A key
/// counts once.
pub fn approving_keys(required: &RequiredApproval, plan: &Digest, approvals: &[Vec<u8>]) -> usize {
    let keys = required.keys.iter().filter_map(|pem| PublicKey::from_pem(pem).ok());
    let approved = keys.filter(|key| {
        approvals.iter().any(|json| {
            let statement = Bundle::parse(json).and_then(|bundle| bundle.verify(plan, key));
            statement.is_ok_and(|statement| statement.predicate_type == APPROVAL)
        })
    });
    approved.map(|key| key.fingerprint()).collect::<BTreeSet<Digest>>().len()
}
