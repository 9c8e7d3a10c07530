//! Timestamps of authorities (RFC 3161): the time in one, if a trusted authority signed it. A timestamp is a signed message of CMS
//! (RFC 5652, section 5) with a `TSTInfo` in it.

use std::time::Duration;

use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::der::{DerReader, DerValue, OBJECT, OCTETS, SEQUENCE};

const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const GENERALIZED_TIME: u8 = 0x18;
/// The tags `[0]` of a value with another inside, and of signed attributes, which both are constructed.
const CONTEXT_0: u8 = 0xa0;

/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// 1.3.6.1.5.5.7.3.8
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// 2.16.840.1.101.3.4.2.1 to 3
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// A timestamp that was read, and that nothing has verified.
pub(crate) struct Timestamp<'a> {
    /// The `TSTInfo`.
    content: &'a [u8],
    /// The time in it, in seconds since 1970.
    pub time: u64,
    /// The digest of the signed bytes, and its algorithm.
    imprint: (&'static Algorithm, &'a [u8]),
    /// The signed attributes, as they are signed: as a set.
    attributes: Vec<u8>,
    signature: &'a [u8],
}

impl<'a> Timestamp<'a> {
    /// Parses the answer of an authority. `None` if it has no timestamp of the known form.
    pub fn parse(answer: &'a [u8]) -> Option<Self> {
        let mut answer = DerReader::new(answer).expect(SEQUENCE)?.inside();
        let status = answer.expect(SEQUENCE)?.inside().expect(INTEGER)?;
        // Granted, or granted with modifications.
        if !matches!(status.content, [0 | 1]) {
            return None;
        }
        let mut token = answer.expect(SEQUENCE)?.inside();
        if token.expect(OBJECT)?.content != SIGNED_DATA {
            return None;
        }
        let mut signed = token.expect(CONTEXT_0)?.inside().expect(SEQUENCE)?.inside();
        signed.expect(INTEGER)?;
        signed.expect(SET)?;
        let mut encapsulated = signed.expect(SEQUENCE)?.inside();
        if encapsulated.expect(OBJECT)?.content != TST_INFO {
            return None;
        }
        let content = encapsulated.expect(CONTEXT_0)?.inside().expect(OCTETS)?.content;
        // The certificates and revocation lists are optional, and only trusted ones count.
        let signers = loop {
            let value = signed.next()?;
            if value.tag == SET {
                break value;
            }
        };
        let mut signers = signers.inside();
        let mut signer = signers.expect(SEQUENCE)?.inside();
        if signers.next().is_some() {
            return None;
        }
        signer.expect(INTEGER)?;
        signer.next()?;
        let digested = algorithm(signer.expect(SEQUENCE)?)?;
        let attributes = signer.expect(CONTEXT_0)?;
        signer.expect(SEQUENCE)?;
        let signature = signer.expect(OCTETS)?.content;
        let is_type = attribute(attributes, CONTENT_TYPE)?.content == TST_INFO;
        let is_content = attribute(attributes, MESSAGE_DIGEST)?.content == digest(digested, content).as_ref();
        let (time, imprint) = info(content)?;
        let (_, rest) = attributes.whole.split_first()?;
        let attributes = [&[SET], rest].concat();
        (is_type && is_content).then_some(Self { content, time, imprint, attributes, signature })
    }

    /// Whether the timestamp is about `message`.
    pub fn is_about(&self, message: &[u8]) -> bool {
        let (algorithm, imprint) = self.imprint;
        digest(algorithm, message).as_ref() == imprint && !self.content.is_empty()
    }

    /// Whether the first certificate of `chain` signed it, and the last one, which is trusted, confirms that: from the authority to the root.
    pub fn is_signed_by(&self, chain: &[&[u8]]) -> bool {
        let (Some((leaf, rest)), time) =
            (chain.split_first(), UnixTime::since_unix_epoch(Duration::from_secs(self.time)))
        else {
            return false;
        };
        let Some((root, intermediates)) = rest.split_last() else { return false };
        let root = CertificateDer::from(*root);
        let anchors: Vec<TrustAnchor<'_>> = webpki::anchor_from_trusted_cert(&root).into_iter().collect();
        let intermediates: Vec<CertificateDer<'_>> =
            intermediates.iter().map(|der| CertificateDer::from(*der)).collect();
        let der = CertificateDer::from(*leaf);
        let Ok(certificate) = EndEntityCert::try_from(&der) else { return false };
        let algorithms = [
            webpki::ring::ECDSA_P256_SHA256,
            webpki::ring::ECDSA_P256_SHA384,
            webpki::ring::ECDSA_P384_SHA256,
            webpki::ring::ECDSA_P384_SHA384,
            webpki::ring::RSA_PKCS1_2048_8192_SHA256,
            webpki::ring::RSA_PKCS1_2048_8192_SHA384,
            webpki::ring::RSA_PKCS1_2048_8192_SHA512,
        ];
        let usage = KeyUsage::required(TIME_STAMPING);
        certificate.verify_for_usage(&algorithms, &anchors, &intermediates, time, usage, None, None).is_ok()
            && algorithms
                .iter()
                .any(|it| certificate.verify_signature(*it, &self.attributes, self.signature).is_ok())
    }
}

/// Returns the time of a `TSTInfo`, and the digest that it is about.
fn info(content: &[u8]) -> Option<(u64, (&'static Algorithm, &[u8]))> {
    let mut info = DerReader::new(content).expect(SEQUENCE)?.inside();
    info.expect(INTEGER)?;
    info.expect(OBJECT)?;
    let mut imprint = info.expect(SEQUENCE)?.inside();
    let algorithm = algorithm(imprint.expect(SEQUENCE)?)?;
    let digest = imprint.expect(OCTETS)?.content;
    info.expect(INTEGER)?;
    let time = std::str::from_utf8(info.expect(GENERALIZED_TIME)?.content).ok()?;
    // `YYYYMMDDHHMMSS`, perhaps a fraction, and `Z`.
    let (digits, rest) = time.split_at_checked(14)?;
    if !digits.bytes().all(|it| it.is_ascii_digit()) || !rest.ends_with('Z') {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    let time = text.parse::<jiff::Timestamp>().ok()?.as_second();
    Some((u64::try_from(time).ok()?, (algorithm, digest)))
}

/// Returns the algorithm of a digest.
fn algorithm(identifier: DerValue<'_>) -> Option<&'static Algorithm> {
    let (number, start) = identifier.inside().expect(OBJECT)?.content.split_last()?;
    match (start == SHA2, number) {
        (true, 1) => Some(&SHA256),
        (true, 2) => Some(&SHA384),
        (true, 3) => Some(&SHA512),
        _ => None,
    }
}

/// Returns the one value of the one attribute with this name.
fn attribute<'a>(attributes: DerValue<'a>, name: &[u8]) -> Option<DerValue<'a>> {
    let (mut list, mut found) = (attributes.inside(), None);
    while let Some(attribute) = list.next() {
        let mut parts = attribute.inside();
        if parts.expect(OBJECT)?.content != name {
            continue;
        }
        let mut values = parts.expect(SET)?.inside();
        let value = values.next()?;
        if found.is_some() || values.next().is_some() {
            return None;
        }
        found = Some(value);
    }
    found
}
