//! Statements of in-toto: a claim of some type about a subject, which is named by its digest.

use std::collections::BTreeMap;

use oci_registry::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The type of the statements that are written (in-toto/attestation, `spec/v1/statement.md`).
const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";

/// The earlier type, which is read as well.
const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// The predicate type of a signature: the predicate is empty, and says no more than that the signer signed the image. Cosign 3 writes
/// it (sigstore/cosign, `pkg/types/predicate.go`).
pub const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// The predicate type of SLSA provenance.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// A claim about one subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The type of the predicate: a URI.
    pub predicate_type: String,
    /// The predicate, as JSON text.
    pub predicate: String,
}

impl Statement {
    /// Returns the statement of an image signature.
    pub fn signature() -> Self {
        Self { predicate_type: SIGNATURE.to_owned(), predicate: "{}".to_owned() }
    }

    /// Returns the payload for this subject. Numbers and the order of keys of the predicate stay as they are.
    ///
    /// # Errors
    ///
    /// The message of the parser, if the predicate is not JSON.
    pub fn payload(&self, subject: &Digest) -> Result<Vec<u8>, serde_json::Error> {
        let written = WrittenStatement {
            kind: STATEMENT_V1,
            subject: [WrittenSubject { digest: BTreeMap::from([(subject.algorithm(), subject.hex())]) }],
            predicate_type: &self.predicate_type,
            predicate: serde_json::from_str(&self.predicate)?,
        };
        serde_json::to_vec(&written)
    }
}

#[derive(Serialize)]
struct WrittenStatement<'a> {
    #[serde(rename = "_type")]
    kind: &'a str,
    subject: [WrittenSubject<'a>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    predicate: &'a RawValue,
}

#[derive(Serialize)]
struct WrittenSubject<'a> {
    digest: BTreeMap<&'a str, &'a str>,
}

/// A statement as it was read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ReadStatement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<ReadSubject>,
    /// The type of the predicate.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The predicate.
    #[serde(default)]
    pub predicate: Value,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct ReadSubject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl ReadStatement {
    /// Parses a payload. `None` if it is not a statement.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(payload).ok()?;
        [STATEMENT_V1, STATEMENT_V0_1].contains(&read.kind.as_str()).then_some(read)
    }

    /// Whether `digest` is a subject of the statement.
    pub fn is_about(&self, digest: &Digest) -> bool {
        let named = |subject: &ReadSubject| {
            subject.digest.get(digest.algorithm()).is_some_and(|hex| hex == digest.hex())
        };
        self.subject.iter().any(named)
    }
}
