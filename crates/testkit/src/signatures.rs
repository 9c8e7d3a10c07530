//! Signatures, SBOMs and other artifacts that refer to an image, written by hand into layouts in the same form as the tools write them.
//!

use serde_json::{Value, json};

use super::image::{LayoutDirectory, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};

/// The content of the empty configuration, for manifests without one (image-spec 1.1, manifest.md, "Guidance for an Empty
/// Descriptor").
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A private key that nobody uses, of `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
pub const SIGNING_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbMpb24lek986KLSG
ALlkNDoz9Hz2aYFMd6UJDTYsuLShRANCAAQF1SuTUOFdkF5uIvaslughz/PIYcOi
qFlPh4xm6YTz2wpdnajGHdzXQmqMej4JeBRYEAqwbCwQzABKyoE+9DGp
-----END PRIVATE KEY-----
";

/// The public key of [`SIGNING_KEY`].
pub const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBdUrk1DhXZBebiL2rJboIc/zyGHD
oqhZT4eMZumE89sKXZ2oxh3c10JqjHo+CXgUWBAKsGwsEMwASsqBPvQxqQ==
-----END PUBLIC KEY-----
";

/// [`SIGNING_KEY`] in the form of cosign, encrypted with the password `correct horse` by other programs: Python's `hashlib.scrypt` and
/// `PyNaCl`.
pub const ENCRYPTED_KEY: &str = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjoxMDI0LCJyIjo4
LCJwIjoxfSwic2FsdCI6IkFBRUNBd1FGQmdjSUNRb0xEQTBPRHhBUkVoTVVGUllY
R0JrYUd4d2RIaDg9In0sImNpcGhlciI6eyJuYW1lIjoibmFjbC9zZWNyZXRib3gi
LCJub25jZSI6IkFBRUNBd1FGQmdjSUNRb0xEQTBPRHhBUkVoTVVGUllYIn0sImNp
cGhlcnRleHQiOiJBUWFNeUhuTHlKQ1BFNGdZQVA5RmhQNnE2cFh0b1R4VXN3eVZW
WG1oMGdFQnRwcE92U3ByZ1AzVEpQZlpHSnQ4SWZUdThma2R1WVYzSVN2Zm94OVl4
RHA4TmxXMTZtd2hzQUVKWCt5RW56THZIQWdjL2lOWGczZDRJZHlDUTM2QzVEdWZ0
MTVNZ1VONTRKU3BGZVdVSmNKK3hwMXBTZGhBcERieHJNbEN2NDE2MUdqVHZpc1dm
L3E2TjJOcFhMczROemR1dVJQQ2lWam01dz09In0=
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
";

/// Another private key.
pub const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGorvIr5gpFR5Ol2A
YIMSgc81JtZMs1+3ymiotqvN8DyhRANCAASfw4t7N9JP17/fKwau8GquszHxj++i
TxrrpeMwUFTXUc//39DCH9m4VG1fMW+dr3W+0MI0yl4WJeD613EMRfID
-----END PRIVATE KEY-----
";

/// The fallback tag of a digest.
pub fn fallback_tag(digest: &str) -> String {
    digest.replace(':', "-")
}

/// The tag under which cosign keeps the signatures of a digest; other suffixes are for its other attachments.
pub fn cosign_tag(digest: &str, suffix: &str) -> String {
    format!("{}.{suffix}", fallback_tag(digest))
}

/// The members of a descriptor that name a subject.
fn subject_of(descriptor: &Value) -> Value {
    json!({ "mediaType": descriptor["mediaType"], "digest": descriptor["digest"], "size": descriptor["size"] })
}

impl LayoutDirectory {
    /// Writes an artifact that refers to `subject`, a descriptor, as `oras attach` does, and returns the artifact's descriptor in the
    /// form that lists of referrers use. Nothing lists the artifact yet.
    pub fn attach(&self, subject: &Value, artifact_type: &str, text: &str) -> Value {
        let layer = self.put("text/plain", text.as_bytes());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": self.put(EMPTY, b"{}"),
            "layers": [layer],
            "subject": subject_of(subject),
            "annotations": { "org.opencontainers.image.created": "2026-01-02T03:04:05Z" },
        });
        let mut descriptor = self.put(OCI_MANIFEST, manifest.to_string().as_bytes());
        descriptor["artifactType"] = json!(artifact_type);
        descriptor["annotations"] = manifest["annotations"].clone();
        descriptor
    }

    /// Writes a manifest with one layer for each signature of `digest`, as cosign writes it at the tag `.sig`; returns its descriptor.
    pub fn cosign(&self, digest: &str, signatures: &[&str]) -> Value {
        let payload = json!({
            "critical": {
                "identity": { "docker-reference": "example.com/app" },
                "image": { "docker-manifest-digest": digest },
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let layer =
            self.put("application/vnd.dev.cosign.simplesigning.v1+json", payload.to_string().as_bytes());
        let layers: Vec<Value> = signatures
            .iter()
            .map(|signature| {
                let mut layer = layer.clone();
                layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": signature });
                layer
            })
            .collect();
        let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "architecture": "",
            "created": "0001-01-01T00:00:00Z",
            "os": "",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "config": {},
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.put(OCI_CONFIG, config.to_string().as_bytes()),
            "layers": layers,
        });
        self.put(OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    /// Lists `referrers` in an index at the fallback tag of `digest`, as regclient does.
    pub fn list_referrers(&self, digest: &str, referrers: &[&Value]) {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": referrers });
        let index = self.put(OCI_INDEX, index.to_string().as_bytes());
        self.list(&index, &[fallback_tag(digest)]);
    }
}
