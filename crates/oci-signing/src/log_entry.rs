//! Entries of the transparency log Rekor, version 1: from its answer to the form in a bundle, and the proof of its time.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oci_registry::Digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::bundle::{Envelope, EnvelopeSignature, IN_TOTO};
use crate::pem;
use crate::trusted_root::TrustedRoot;

/// Returns the entry in a bundle, of Rekor's answer to a new entry.
pub(crate) fn from_answer(answer: &Value) -> Option<Value> {
    let entries: &Map<String, Value> = answer.as_object()?;
    let entry = entries.values().next().filter(|_| entries.len() == 1)?;
    let bytes = |hex: &Value| Some(BASE64_STANDARD.encode(hex::decode(hex.as_str()?).ok()?));
    let (verification, body) = (entry.get("verification")?, entry.get("body")?.as_str()?);
    let kind: Value = serde_json::from_slice(&BASE64_STANDARD.decode(body).ok()?).ok()?;
    let mut written = json!({
        "logIndex": entry.get("logIndex")?.as_i64()?.to_string(),
        "logId": { "keyId": bytes(entry.get("logID")?)? },
        "kindVersion": { "kind": kind.get("kind")?, "version": kind.get("apiVersion")? },
        "integratedTime": entry.get("integratedTime")?.as_i64()?.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": verification.get("signedEntryTimestamp")? },
        "canonicalizedBody": body,
    });
    if let Some(proof) = verification.get("inclusionProof") {
        let hashes: Option<Vec<String>> = proof.get("hashes")?.as_array()?.iter().map(bytes).collect();
        written["inclusionProof"] = json!({
            "logIndex": proof.get("logIndex")?.as_i64()?.to_string(),
            "rootHash": bytes(proof.get("rootHash")?)?,
            "treeSize": proof.get("treeSize")?.as_i64()?.to_string(),
            "hashes": hashes?,
            "checkpoint": { "envelope": proof.get("checkpoint")? },
        });
    }
    Some(written)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEntry {
    log_index: String,
    log_id: LogId,
    integrated_time: String,
    inclusion_promise: Promise,
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
struct Body {
    kind: String,
    spec: Spec,
}

/// The form that Rekor makes of an entry, or the entry as it was proposed, which other logs keep. Each binds the payload, the signature and
/// the certificate.
#[derive(Deserialize)]
#[serde(untagged)]
enum Spec {
    #[serde(rename_all = "camelCase")]
    Canonical { payload_hash: Hash, signatures: Vec<BodySignature> },
    #[serde(rename_all = "camelCase")]
    Proposed { proposed_content: Proposed },
}

#[derive(Deserialize)]
struct Proposed {
    envelope: String,
    verifiers: Vec<String>,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: String,
    value: String,
}

#[derive(Deserialize)]
struct BodySignature {
    signature: String,
    verifier: String,
}

/// The signature that an entry of a log must be about.
pub(crate) struct LoggedSignature<'a> {
    /// The payload.
    pub payload: &'a [u8],
    /// The signature, in base64.
    pub signature: &'a str,
    /// The certificate.
    pub certificate: &'a [u8],
}

/// Returns the time at which a trusted log took `entry`, if it is about this signature and the log signed both.
pub(crate) fn verified_time(entry: &Value, root: &TrustedRoot, of: &LoggedSignature<'_>) -> Option<u64> {
    let entry: WrittenEntry = serde_json::from_value(entry.clone()).ok()?;
    let time: u64 = entry.integrated_time.parse().ok()?;
    let index: u64 = entry.log_index.parse().ok()?;
    let id = BASE64_STANDARD.decode(&entry.log_id.key_id).ok()?;
    // The canonical JSON of these members is signed (sigstore/rekor, `pkg/api/entries.go`). The texts need no escapes.
    let body = BASE64_STANDARD.decode(&entry.canonicalized_body).ok()?;
    let signed = format!(
        r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{index}}}"#,
        BASE64_STANDARD.encode(&body),
        hex::encode(&id)
    );
    let signature = BASE64_STANDARD.decode(&entry.inclusion_promise.signed_entry_timestamp).ok()?;
    if !root.log_key(&id, time)?.verifies(signed.as_bytes(), &signature) {
        return None;
    }
    let body: Body = serde_json::from_slice(&body).ok()?;
    let (is_payload, signature, verifier) = match body.spec {
        Spec::Canonical { payload_hash, signatures } => {
            let [logged] = <[BodySignature; 1]>::try_from(signatures).ok()?;
            let is_payload =
                payload_hash.algorithm == "sha256" && payload_hash.value == Digest::of(of.payload).hex();
            (is_payload, logged.signature, logged.verifier)
        }
        Spec::Proposed { proposed_content } => {
            let envelope: Envelope = serde_json::from_str(&proposed_content.envelope).ok()?;
            let [signature] = <[EnvelopeSignature; 1]>::try_from(envelope.signatures).ok()?;
            let [verifier] = <[String; 1]>::try_from(proposed_content.verifiers).ok()?;
            let is_payload = envelope.payload_type == IN_TOTO
                && BASE64_STANDARD.decode(envelope.payload).is_ok_and(|payload| payload == of.payload);
            (is_payload, signature.sig, verifier)
        }
    };
    let verifier = String::from_utf8(BASE64_STANDARD.decode(verifier).ok()?).ok()?;
    let is_certificate = pem::first_block(&verifier).is_some_and(|block| block.bytes == of.certificate);
    let is_of_it = body.kind == "dsse" && is_payload && signature == of.signature && is_certificate;
    is_of_it.then_some(time)
}
