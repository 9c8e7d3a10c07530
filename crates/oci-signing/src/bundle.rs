//! Sigstore bundles: a statement in a DSSE envelope, with its signature and the material that verifies it, in one JSON document
//! (sigstore/protobuf-specs, `protos/sigstore_bundle.proto`; secure-systems-lab/dsse, `protocol.md`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oci_registry::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::{PublicKey, SigningKey};
use crate::statement::{ReadStatement, Statement};

/// The media type of the bundles that are written, and the artifact type of the manifests that carry them.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The older spelling of the same version.
const BUNDLE_SPELLED: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

/// The type of a payload that is a statement of in-toto.
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

/// The material that verifies a signature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Material {
    /// The key, by a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<KeyHint>,
    /// The certificate of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<RawBytes>,
    /// The entries of the signature in transparency logs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tlog_entries: Vec<Value>,
    /// The timestamps of the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_verification_data: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeyHint {
    #[serde(default)]
    pub hint: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawBytes {
    pub raw_bytes: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    pub payload: String,
    pub payload_type: String,
    pub signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EnvelopeSignature {
    pub sig: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keyid: String,
}

/// The reason why a statement cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The predicate is not JSON.
    #[error("the predicate is not JSON")]
    Predicate(#[source] serde_json::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// The reason why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bytes are not a bundle.
    #[error("it is not a Sigstore bundle of version 0.3: {0}")]
    Malformed(String),
    /// The signature is that of another key.
    #[error("it was not signed with the key {0}")]
    OtherKey(String),
    /// The payload, or something else that is signed, was changed.
    #[error("its signature does not verify with the key {0}")]
    Signature(String),
    /// Another identity signed it.
    #[error("it was signed by `{identity}` of `{issuer}`")]
    OtherIdentity {
        /// The identity in the certificate.
        identity: String,
        /// The issuer of its token.
        issuer: String,
    },
    /// The certificate, or the proof of when it was used, does not hold.
    #[error("{0}")]
    Certificate(String),
    /// The statement is about another subject.
    #[error("it is about another image than {0}")]
    OtherSubject(Digest),
}

/// Returns the bytes that are signed: DSSE's pre-authentication encoding.
pub(crate) fn encode(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Bundle {
    /// Signs `statement` about `subject` with `key`.
    ///
    /// # Errors
    ///
    /// [`SigningError`] if the predicate is not JSON.
    pub fn sign(statement: &Statement, subject: &Digest, key: &SigningKey) -> Result<Self, SigningError> {
        let payload = statement.payload(subject).map_err(SigningError::Predicate)?;
        let signature = key.sign(&encode(IN_TOTO, &payload)).ok_or(SigningError::Random)?;
        let public_key = Some(KeyHint { hint: key.public_key().hint() });
        Ok(Self::assemble(&payload, &signature, Material { public_key, ..Material::default() }))
    }

    /// Returns a bundle of a payload, its signature, and the material that verifies it.
    pub(crate) fn assemble(payload: &[u8], signature: &[u8], verification_material: Material) -> Self {
        let signature = EnvelopeSignature { sig: BASE64_STANDARD.encode(signature), keyid: String::new() };
        let dsse_envelope = Envelope {
            payload: BASE64_STANDARD.encode(payload),
            payload_type: IN_TOTO.to_owned(),
            signatures: vec![signature],
        };
        Self { media_type: BUNDLE.to_owned(), verification_material, dsse_envelope }
    }

    /// Parses a bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError::Malformed`] if `json` is not a bundle of version 0.3 with one signature.
    pub fn parse(json: &[u8]) -> Result<Self, BundleError> {
        let malformed = |reason: String| BundleError::Malformed(reason);
        let bundle: Self = serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))?;
        if ![BUNDLE, BUNDLE_SPELLED].contains(&bundle.media_type.as_str()) {
            return Err(malformed(format!("its media type is `{}`", bundle.media_type.escape_debug())));
        }
        let material = &bundle.verification_material;
        if material.public_key.is_some() == material.certificate.is_some() {
            return Err(malformed("it has not exactly one key or certificate".to_owned()));
        }
        if bundle.dsse_envelope.payload_type != IN_TOTO {
            return Err(malformed("its payload is not a statement of in-toto".to_owned()));
        }
        if bundle.dsse_envelope.signatures.len() != 1 {
            return Err(malformed("it has not exactly one signature".to_owned()));
        }
        bundle.signature()?;
        bundle.statement()?;
        Ok(bundle)
    }

    /// Returns the bundle as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Verifies that the bundle is a statement about `subject` that was signed with `key`; returns the statement.
    ///
    /// # Errors
    ///
    /// [`BundleError`], which says what does not hold.
    pub fn verify(&self, subject: &Digest, key: &PublicKey) -> Result<ReadStatement, BundleError> {
        let name = key.fingerprint().short(12);
        if !self.is_signed_with(key)? {
            // Others may write other hints, so that only the signature decides.
            let hint = self.verification_material.public_key.as_ref().map(|it| it.hint.as_str());
            let is_its = hint == Some(key.hint().as_str());
            return Err(if is_its { BundleError::Signature(name) } else { BundleError::OtherKey(name) });
        }
        let statement = self.statement()?;
        if !statement.is_about(subject) {
            return Err(BundleError::OtherSubject(subject.clone()));
        }
        Ok(statement)
    }

    /// Whether the signature was made with `key`.
    fn is_signed_with(&self, key: &PublicKey) -> Result<bool, BundleError> {
        let signed = encode(&self.dsse_envelope.payload_type, &self.payload()?);
        Ok(key.verifies(&signed, &self.signature()?))
    }

    /// Returns the statement, without any verification.
    ///
    /// # Errors
    ///
    /// [`BundleError::Malformed`] if the payload is no statement.
    pub fn statement(&self) -> Result<ReadStatement, BundleError> {
        let no_statement = || BundleError::Malformed("its payload is not a statement of in-toto".to_owned());
        ReadStatement::parse(&self.payload()?).ok_or_else(no_statement)
    }

    /// Returns the certificate of the signer.
    pub(crate) fn certificate(&self) -> Result<Option<Vec<u8>>, BundleError> {
        let certificate = self.verification_material.certificate.as_ref();
        certificate.map(|it| decode(&it.raw_bytes)).transpose()
    }

    /// Returns the entries in transparency logs.
    pub(crate) fn log_entries(&self) -> &[Value] {
        &self.verification_material.tlog_entries
    }

    /// Returns the timestamps of authorities, each the bytes of an answer.
    pub(crate) fn timestamps(&self) -> Vec<Vec<u8>> {
        let data = self.verification_material.timestamp_verification_data.as_ref();
        let list = data.and_then(|it| it.get("rfc3161Timestamps")?.as_array());
        let texts = list.into_iter().flatten().filter_map(|it| it.get("signedTimestamp")?.as_str());
        texts.filter_map(|text| BASE64_STANDARD.decode(text).ok()).collect()
    }

    /// Returns the envelope as JSON.
    pub(crate) fn envelope_json(&self) -> String {
        serde_json::to_string(&self.dsse_envelope).unwrap_or_default()
    }

    /// Returns the signature in base64.
    pub(crate) fn signature_text(&self) -> &str {
        self.dsse_envelope.signatures.first().map(|it| it.sig.as_str()).unwrap_or_default()
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, BundleError> {
        decode(&self.dsse_envelope.payload)
    }

    pub(crate) fn signature(&self) -> Result<Vec<u8>, BundleError> {
        decode(self.signature_text())
    }
}

fn decode(text: &str) -> Result<Vec<u8>, BundleError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| BundleError::Malformed("it has a value that is not base64".to_owned()))
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
