//! Keys: ECDSA on the curve P-256 with SHA-256, which is what `cosign generate-key-pair` makes.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oci_registry::Digest;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};

use crate::encrypted;
pub use crate::key_error::KeyError;
use crate::pem;

/// The beginning of each `SubjectPublicKeyInfo` of a P-256 key (RFC 5480): the algorithm, the curve, and the head of the point.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The length of an uncompressed point.
const POINT: usize = 65;

/// A private key.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    /// Shows the public key alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Returns the key in `text`: PKCS#8 in PEM, or a key of cosign, encrypted with `password`.
    ///
    /// # Errors
    ///
    /// [`KeyError`], which shows nothing of the key.
    pub fn from_pem(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let block = pem::first_block(text).ok_or(KeyError::NotPem)?;
        let pkcs8 = match block.label {
            "PRIVATE KEY" => block.bytes,
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                encrypted::decrypt(&block.bytes, password.ok_or(KeyError::Encrypted)?)?
            }
            other => return Err(KeyError::Kind(other.to_owned(), "PRIVATE KEY")),
        };
        Self::from_pkcs8(&pkcs8)
    }

    /// Makes a new key, for one use.
    ///
    /// # Errors
    ///
    /// [`KeyError::Algorithm`] if the system has no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let failed = |_| KeyError::Algorithm(": the system gives no random numbers");
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(failed)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let hint = ", with its public key, in PKCS#8";
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random)
            .map_err(|_| KeyError::Algorithm(hint))?;
        let spki = [&SPKI_HEAD, pair.public_key().as_ref()].concat();
        Ok(Self { pair, random, public: PublicKey { spki } })
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Returns the signature of `message` in ASN.1, or `None` if the system gives no random numbers.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.pair.sign(&self.random, message).ok().map(|signature| signature.as_ref().to_vec())
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its `SubjectPublicKeyInfo` in DER.
    spki: Vec<u8>,
}

impl PublicKey {
    /// Returns the key in `text`, in PEM.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is not a public key of P-256.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::first_block(text).ok_or(KeyError::NotPem)?;
        if block.label != "PUBLIC KEY" {
            return Err(KeyError::Kind(block.label.to_owned(), "PUBLIC KEY"));
        }
        Self::from_der(block.bytes)
    }

    /// Returns the key in `spki`, a `SubjectPublicKeyInfo`.
    pub(crate) fn from_der(spki: Vec<u8>) -> Result<Self, KeyError> {
        let is_p256 = spki.starts_with(&SPKI_HEAD)
            && spki.len() == SPKI_HEAD.len() + POINT
            && spki.get(SPKI_HEAD.len()) == Some(&4);
        if is_p256 { Ok(Self { spki }) } else { Err(KeyError::Algorithm("")) }
    }

    /// Returns the key in PEM.
    pub fn to_pem(&self) -> String {
        pem::block("PUBLIC KEY", &self.spki)
    }

    /// Returns the digest of the key's `SubjectPublicKeyInfo`.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// Returns the hint that bundles of this key carry: the base64 form of the fingerprint (sigstore-go, `pkg/sign/keys.go`).
    pub fn hint(&self) -> String {
        let fingerprint = hex::decode(self.fingerprint().hex()).unwrap_or_default();
        BASE64_STANDARD.encode(fingerprint)
    }

    /// Whether `signature`, in ASN.1, is of `message` and made with the private key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let point = self.spki.get(SPKI_HEAD.len()..).unwrap_or_default();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
