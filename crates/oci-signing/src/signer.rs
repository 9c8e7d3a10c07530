//! Signers and verifiers of all kinds: with a key, with a certificate for an identity, and by a program.

use std::sync::Arc;

use oci_registry::Digest;

use crate::bundle::{Bundle, BundleError, SigningError};
use crate::command::{CommandError, CommandSigner};
use crate::identity::CertificateIdentity;
use crate::key::{PublicKey, SigningKey};
use crate::keyless::{KeylessError, KeylessSigner};
use crate::statement::{ReadStatement, Statement};
use crate::trusted_root::TrustedRoot;

/// A signer.
#[derive(Debug)]
pub enum Signer {
    /// Signs with a key.
    Key(Box<SigningKey>),
    /// Signs with a certificate for an identity.
    Keyless(Box<KeylessSigner>),
    /// Lets a program sign.
    Command(Box<CommandSigner>),
}

/// The reason why a signer did not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The key does not sign.
    #[error(transparent)]
    Key(SigningError),
    /// There is no certificate, or no entry in a log.
    #[error(transparent)]
    Keyless(KeylessError),
    /// The program does not sign.
    #[error(transparent)]
    Command(CommandError),
}

impl Signer {
    /// Signs `statement` about `subject`.
    ///
    /// # Errors
    ///
    /// [`SignerError`], which shows no secret.
    pub async fn sign(&self, statement: &Statement, subject: &Digest) -> Result<Bundle, SignerError> {
        match self {
            Self::Key(key) => Bundle::sign(statement, subject, key).map_err(SignerError::Key),
            Self::Keyless(signer) => signer.sign(statement, subject).await.map_err(SignerError::Keyless),
            Self::Command(signer) => signer.sign(statement, subject).await.map_err(SignerError::Command),
        }
    }
}

/// Verifies what one signer signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verifier {
    /// By a public key.
    Key(PublicKey),
    /// By an identity, which a trusted authority confirmed.
    Identity(CertificateIdentity, Arc<TrustedRoot>),
}

impl Verifier {
    /// Verifies that `bundle` is a statement about `subject` by this signer; returns the statement.
    ///
    /// # Errors
    ///
    /// [`BundleError`], which says what does not hold.
    pub fn verify(&self, bundle: &Bundle, subject: &Digest) -> Result<ReadStatement, BundleError> {
        match self {
            Self::Key(key) => bundle.verify(subject, key),
            Self::Identity(identity, root) => identity.verify(bundle, subject, root),
        }
    }
}
