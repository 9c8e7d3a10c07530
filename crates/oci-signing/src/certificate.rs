//! Certificates of Fulcio: the key and the identity in them, and the way to an authority that is trusted (sigstore/fulcio,
//! `oid-info.md` and `certificate-specification.md` of its documentation).

use std::time::Duration;

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::der::{DerReader, DerValue, OBJECT, OCTETS, SEQUENCE, UTF8};
use crate::key::PublicKey;

/// 2.5.29.17
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// 1.3.6.1.4.1.57264.1.8
const ISSUER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x08];
/// 1.3.6.1.4.1.57264.1.1, which holds the text without a tag.
const ISSUER_V1: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x01];
/// 1.3.6.1.5.5.7.3.3
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// The names of an e-mail address and of a URI in the alternative names.
const EMAIL: u8 = 0x81;
const URI: u8 = 0x86;

/// A certificate of a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignerCertificate {
    der: Vec<u8>,
    /// The public key.
    pub key: PublicKey,
    /// The identity: an e-mail address, or the URI of a workflow.
    pub identity: String,
    /// The issuer of the token that showed the identity.
    pub issuer: String,
}

impl SignerCertificate {
    /// Parses a certificate. `None` if it has no key of P-256, or not exactly one identity, or no issuer.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let mut fields = DerReader::new(der).expect(SEQUENCE)?.inside().expect(SEQUENCE)?.inside();
        // The version, the serial number, the algorithm, the authority, the validity, the subject, and the key.
        for tag in [0xa0, 0x02, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
            fields.expect(tag)?;
        }
        let key = PublicKey::from_der(fields.expect(SEQUENCE)?.whole.to_vec()).ok()?;
        let extensions = loop {
            let field = fields.next()?;
            if field.tag == 0xa3 {
                break field.inside().expect(SEQUENCE)?;
            }
        };
        let (mut identities, mut issuer, mut issuer_v1) = (Vec::new(), None, None);
        let mut list = extensions.inside();
        while let Some(extension) = list.next() {
            let mut parts = extension.inside();
            let name = parts.expect(OBJECT)?.content;
            let value = loop {
                let part = parts.next()?;
                if part.tag == OCTETS {
                    break part.content;
                }
            };
            match name {
                SUBJECT_ALTERNATIVE_NAME => identities = names(value)?,
                ISSUER => issuer = Some(text(DerReader::new(value).expect(UTF8)?.content)?),
                ISSUER_V1 => issuer_v1 = Some(text(value)?),
                _ => {}
            }
        }
        let [identity] = <[String; 1]>::try_from(identities).ok()?;
        Some(Self { der: der.to_vec(), key, identity, issuer: issuer.or(issuer_v1)? })
    }

    /// The bytes of the certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether one of the `roots` issued the certificate, directly or by way of `intermediates`, for signing code, and it was valid at
    /// `time`, in seconds since 1970.
    pub fn is_issued_by(&self, roots: &[&[u8]], intermediates: &[&[u8]], time: u64) -> bool {
        let roots: Vec<CertificateDer<'_>> = roots.iter().map(|der| CertificateDer::from(*der)).collect();
        let anchors: Vec<TrustAnchor<'_>> =
            roots.iter().filter_map(|root| webpki::anchor_from_trusted_cert(root).ok()).collect();
        let intermediates: Vec<CertificateDer<'_>> =
            intermediates.iter().map(|der| CertificateDer::from(*der)).collect();
        let der = CertificateDer::from(self.der.as_slice());
        let Ok(certificate) = EndEntityCert::try_from(&der) else { return false };
        let algorithms = [
            webpki::ring::ECDSA_P256_SHA256,
            webpki::ring::ECDSA_P256_SHA384,
            webpki::ring::ECDSA_P384_SHA256,
            webpki::ring::ECDSA_P384_SHA384,
        ];
        let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
        let usage = KeyUsage::required(CODE_SIGNING);
        certificate.verify_for_usage(&algorithms, &anchors, &intermediates, time, usage, None, None).is_ok()
    }
}

fn names(value: &[u8]) -> Option<Vec<String>> {
    let mut list = DerReader::new(value).expect(SEQUENCE)?.inside();
    let mut names = Vec::new();
    while let Some(DerValue { tag, content, .. }) = list.next() {
        match tag {
            EMAIL | URI => names.push(text(content)?),
            // Another kind of name must not hide an identity.
            _ => return None,
        }
    }
    Some(names)
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
