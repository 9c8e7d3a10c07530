//! Approvals: signed statements about the digest of a saved plan.

use std::collections::BTreeSet;

use super::error::KeyProblem;
use super::files::{read_key, read_text};
use super::signers::token;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::signing::{KeyPlace, RequiredApproval, SignerIdentity};
use oci_content::Surroundings;
use oci_registry::Digest;
use oci_signing::{
    Bundle, CertificateIdentity, KeylessError, KeylessServices, KeylessSigner, PublicKey, SigningError,
    Statement, TrustedRoot,
};

/// The predicate type of an approval.
const APPROVAL: &str = "https://github.com/colliery-io/brokkr-publish/approval/v1";

/// The approver: a key, or the identity that an OIDC token shows.
#[derive(Debug)]
pub enum Approver {
    /// It has a key.
    Key(KeyPlace),
    /// It gets a certificate.
    Keyless {
        /// The environment variable that holds the token; `None` if the CI gives it.
        token_env: Option<String>,
        /// The services.
        services: KeylessServices,
    },
}

/// A signed approval, as it is saved.
pub struct SignedApproval {
    /// The bundle, as JSON.
    pub json: Vec<u8>,
    /// The identity that it shows.
    pub by: SignerIdentity,
}

/// The reason why an approval cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The key cannot be used.
    #[error("the plan cannot be approved: {0}")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The approval cannot be signed.
    #[error("the plan cannot be approved: {0}")]
    Signing(#[source] SigningError),
    /// There is no certificate.
    #[error("the plan cannot be approved: {0}")]
    Keyless(#[source] KeylessError),
}

impl ApprovalError {
    /// Returns the diagnostic for this error.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::Key(_) | Self::Signing(_) => {
                "name the file of a private ECDSA key on the curve P-256 with `--key`, and the variable of its password with `--password-env`; or use `--keyless`, and name the variable of an OIDC token with `--token-env`"
            }
            Self::Keyless(_) => {
                "run the same command again with a fresh OIDC token for the audience `sigstore`"
            }
        };
        Diagnostic::error(Code::SigningKey, self.to_string()).help(help)
    }
}

/// Signs the approval of the plan with this digest.
///
/// # Errors
///
/// [`ApprovalError`] if the key or the token cannot be read, or nothing is signed.
pub async fn approve(
    plan: &Digest,
    approver: &Approver,
    surroundings: &Surroundings,
) -> Result<SignedApproval, ApprovalError> {
    let unusable = |error: KeyProblem| ApprovalError::Key(Box::new(error));
    let statement = Statement { predicate_type: APPROVAL.to_owned(), predicate: "{}".to_owned() };
    match approver {
        Approver::Key(place) => {
            let key = read_key(place, surroundings).map_err(unusable)?;
            let bundle = Bundle::sign(&statement, plan, &key).map_err(ApprovalError::Signing)?;
            let by =
                SignerIdentity { key: Some(key.public_key().fingerprint()), identity: None, issuer: None };
            Ok(SignedApproval { json: bundle.to_json(), by })
        }
        Approver::Keyless { token_env, services } => {
            let token = token(token_env.as_deref(), surroundings).map_err(unusable)?;
            let signer = KeylessSigner::new(None, services.clone(), token).map_err(ApprovalError::Keyless)?;
            let bundle = signer.sign(&statement, plan).await.map_err(ApprovalError::Keyless)?;
            let shown = CertificateIdentity::shown_by(&bundle);
            let by = SignerIdentity {
                key: None,
                identity: shown.as_ref().map(|it| it.identity.clone()),
                issuer: shown.map(|it| it.issuer),
            };
            Ok(SignedApproval { json: bundle.to_json(), by })
        }
    }
}

/// Returns the number of the required approvers that approved the plan with this digest in one of the `approvals`, each the JSON of a
/// bundle. An approver counts once.
///
/// # Errors
///
/// The message, if the trusted root cannot be read.
pub fn count_approvers(
    required: &RequiredApproval,
    plan: &Digest,
    approvals: &[Vec<u8>],
    surroundings: &Surroundings,
) -> Result<usize, String> {
    let bundles: Vec<Bundle> = approvals.iter().filter_map(|json| Bundle::parse(json).ok()).collect();
    let mut approvers = BTreeSet::new();
    for key in required.keys.iter().filter_map(|pem| PublicKey::from_pem(pem).ok()) {
        let mut statements = bundles.iter().filter_map(|bundle| bundle.verify(plan, &key).ok());
        if statements.any(|it| it.predicate_type == APPROVAL) {
            approvers.insert(key.fingerprint().to_string());
        }
    }
    if required.identities.is_empty() {
        return Ok(approvers.len());
    }
    let root = match &required.trusted_root {
        Some(path) => {
            let text = read_text(path, surroundings).map_err(|error| error.to_string())?;
            TrustedRoot::parse(&text)
        }
        None => TrustedRoot::public_good(),
    };
    let root = root.map_err(|error| format!("the trusted root cannot be read: {error}"))?;
    for wanted in &required.identities {
        let wanted = CertificateIdentity {
            identity: wanted.identity.clone(),
            issuer: wanted.issuer.clone(),
            allows_timestamps: false,
        };
        for bundle in &bundles {
            let statement = wanted.verify(bundle, plan, &root);
            if statement.is_ok_and(|it| it.predicate_type == APPROVAL)
                && let Some(shown) = CertificateIdentity::shown_by(bundle)
            {
                approvers.insert(format!("{} {}", shown.issuer, shown.identity));
            }
        }
    }
    Ok(approvers.len())
}
