//! The trusted root: the authorities for certificates, and the transparency logs (sigstore/protobuf-specs,
//! `protos/sigstore_trustroot.proto`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oci_registry::Digest;
use serde::Deserialize;

use crate::certificate::SignerCertificate;
use crate::key::PublicKey;
use crate::timestamp::Timestamp;

/// The trusted root of Sigstore's public instance, of sigstore/root-signing.
const PUBLIC_GOOD: &str = include_str!("trusted_root.json");

/// The authorities and logs that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedRoot {
    authorities: Vec<Authority>,
    logs: Vec<TrustedLog>,
    /// The authorities for timestamps, each from the one that signs them to the root.
    timestamps: Vec<Authority>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Authority {
    /// From the authority that issues certificates to the root.
    chain: Vec<Vec<u8>>,
    valid: ValidTime,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TrustedLog {
    key: PublicKey,
    valid: ValidTime,
}

/// A time, in seconds since 1970, with both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ValidTime {
    start: i64,
    end: i64,
}

impl ValidTime {
    fn includes(self, time: u64) -> bool {
        i64::try_from(time).is_ok_and(|time| self.start <= time && time <= self.end)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    certificate_authorities: Vec<WrittenAuthority>,
    #[serde(default)]
    tlogs: Vec<WrittenLog>,
    #[serde(default)]
    timestamp_authorities: Vec<WrittenAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenAuthority {
    cert_chain: WrittenChain,
    #[serde(default)]
    valid_for: WrittenTime,
}

#[derive(Deserialize)]
struct WrittenChain {
    certificates: Vec<WrittenBytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenBytes {
    raw_bytes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLog {
    public_key: WrittenKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKey {
    raw_bytes: String,
    #[serde(default)]
    valid_for: WrittenTime,
}

#[derive(Default, Deserialize)]
struct WrittenTime {
    start: Option<String>,
    end: Option<String>,
}

impl WrittenTime {
    fn read(&self) -> ValidTime {
        // A time that cannot be read is no time at which anything is valid.
        let second = |time: &Option<String>, missing, malformed| match time {
            None => missing,
            Some(text) => text.parse().map_or(malformed, jiff::Timestamp::as_second),
        };
        ValidTime {
            start: second(&self.start, i64::MIN, i64::MAX),
            end: second(&self.end, i64::MAX, i64::MIN),
        }
    }
}

impl TrustedRoot {
    /// Returns the trusted root of Sigstore's public instance, as of the program's release.
    ///
    /// # Errors
    ///
    /// None, in practice: it is part of the program.
    pub fn public_good() -> Result<Self, serde_json::Error> {
        Self::parse(PUBLIC_GOOD)
    }

    /// Parses a trusted root. Keys of logs that are not of ECDSA on P-256 are left out, because nothing here verifies them.
    ///
    /// # Errors
    ///
    /// The message of the parser, if it is not a trusted root.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let written: Written = serde_json::from_str(json)?;
        let bytes = |text: &str| BASE64_STANDARD.decode(text).ok();
        let authorities = |written: &[WrittenAuthority]| -> Vec<Authority> {
            let read = written.iter().filter_map(|it| {
                let chain = it.cert_chain.certificates.iter().map(|it| bytes(&it.raw_bytes));
                Some(Authority { chain: chain.collect::<Option<_>>()?, valid: it.valid_for.read() })
            });
            read.collect()
        };
        let logs = written.tlogs.iter().filter_map(|it| {
            let key = PublicKey::from_der(bytes(&it.public_key.raw_bytes)?).ok()?;
            Some(TrustedLog { key, valid: it.public_key.valid_for.read() })
        });
        Ok(Self {
            authorities: authorities(&written.certificate_authorities),
            timestamps: authorities(&written.timestamp_authorities),
            logs: logs.collect(),
        })
    }

    /// Whether a trusted authority issued `certificate`, and it was valid at `time`.
    pub(crate) fn issued(&self, certificate: &SignerCertificate, time: u64) -> bool {
        self.authorities.iter().filter(|it| it.valid.includes(time)).any(|authority| {
            let chain: Vec<&[u8]> = authority.chain.iter().map(Vec::as_slice).collect();
            let Some((root, intermediates)) = chain.split_last() else { return false };
            certificate.is_issued_by(&[root], intermediates, time)
        })
    }

    /// Returns the time in the answer of an authority for timestamps, if it is trusted and its timestamp is about `message`.
    pub(crate) fn timestamp(&self, answer: &[u8], message: &[u8]) -> Option<u64> {
        let timestamp = Timestamp::parse(answer).filter(|it| it.is_about(message))?;
        let mut trusted = self.timestamps.iter().filter(|it| it.valid.includes(timestamp.time));
        let is_signed = trusted.any(|authority| {
            let chain: Vec<&[u8]> = authority.chain.iter().map(Vec::as_slice).collect();
            timestamp.is_signed_by(&chain)
        });
        is_signed.then_some(timestamp.time)
    }

    /// Returns the key of the log with this id at `time`. The id is the digest of the key.
    pub(crate) fn log_key(&self, id: &[u8], time: u64) -> Option<&PublicKey> {
        let hex = hex::encode(id);
        let is_it = |log: &&TrustedLog| {
            let fingerprint: Digest = log.key.fingerprint();
            fingerprint.hex() == hex && log.valid.includes(time)
        };
        self.logs.iter().find(is_it).map(|log| &log.key)
    }
}
