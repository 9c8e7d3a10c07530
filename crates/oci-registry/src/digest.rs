//! Content digests. They are parsed strictly, and computed rather than trusted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Sha256, Sha512};

/// A digest of the form `sha256:HEX` or `sha512:HEX`, in lower case
/// (image-spec, descriptor.md, "Digests").
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// The reason why a text is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a digest: expected `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits"
)]
pub struct DigestError(String);

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digester = Digester::sha256();
        digester.update(bytes);
        digester.finish()
    }

    /// The digest of `value` in a canonical form: without spaces, and with the keys of every object sorted. The order and the
    /// spaces that it was written with make no difference.
    pub fn of_json(value: &serde_json::Value) -> Self {
        Self::of(canonical(value).as_bytes())
    }

    /// `sha256` or `sha512`.
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The hexadecimal digits after the colon.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The whole digest, `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm and the first `digits` hexadecimal digits, for people.
    pub fn short(&self, digits: usize) -> String {
        let hex = self.hex();
        format!("{}:{}", self.algorithm(), hex.get(..digits).unwrap_or(hex))
    }

    /// Returns a hasher that computes a digest with the same algorithm.
    pub fn digester(&self) -> Digester {
        if self.algorithm() == "sha512" { Digester::sha512() } else { Digester::sha256() }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = match text.split_once(':') {
            Some(("sha256", hex)) if hex.len() == 64 => hex,
            Some(("sha512", hex)) if hex.len() == 128 => hex,
            _ => return Err(DigestError(text.chars().take(160).collect())),
        };
        if digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DigestError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$",
            "description": "A content digest."
        })
    }
}

/// Computes the [`Digest`] of bytes as they pass.
#[derive(Clone)]
pub struct Digester(Hasher);

#[derive(Clone)]
enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Digester {
    /// A SHA-256 hasher.
    pub fn sha256() -> Self {
        Self(Hasher::Sha256(sha2::Digest::new()))
    }

    /// A SHA-512 hasher.
    pub fn sha512() -> Self {
        Self(Hasher::Sha512(sha2::Digest::new()))
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Hasher::Sha256(hasher) => sha2::Digest::update(hasher, bytes),
            Hasher::Sha512(hasher) => sha2::Digest::update(hasher, bytes),
        }
    }

    /// Returns the digest of all added bytes.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            Hasher::Sha256(hasher) => format!("sha256:{}", hex::encode(sha2::Digest::finalize(hasher))),
            Hasher::Sha512(hasher) => format!("sha512:{}", hex::encode(sha2::Digest::finalize(hasher))),
        })
    }
}

fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entry = |(key, value): (&String, &Value)| {
                format!("{}:{}", Value::String(key.clone()), canonical(value))
            };
            format!("{{{}}}", entries.into_iter().map(entry).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_the_published_test_vectors() {
        // FIPS 180-2, appendix B.1 and C.1.
        assert_eq!(
            Digest::of(b"abc").as_str(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let mut digester = Digester::sha512();
        digester.update(b"ab");
        digester.update(b"c");
        assert!(digester.finish().as_str().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
    }

    #[test]
    fn a_text_that_is_not_a_digest_is_refused() {
        let hex = "a".repeat(64);
        for text in
            ["", "sha256", "sha256:", "sha256:abc", "md5:abc", &hex, &format!("sha256:{}", "A".repeat(64))]
        {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        let digest: Digest = format!("sha256:{hex}").parse().expect("a digest");
        assert_eq!((digest.algorithm(), digest.hex()), ("sha256", hex.as_str()));
        assert_eq!(digest.short(4), "sha256:aaaa");
    }
}
