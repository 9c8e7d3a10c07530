//! Identities that certificates show, and the verification of what they signed.

use oci_registry::Digest;

use crate::bundle::{Bundle, BundleError, IN_TOTO, encode};
use crate::certificate::SignerCertificate;
use crate::log_entry::{self, LoggedSignature};
use crate::statement::ReadStatement;
use crate::trusted_root::TrustedRoot;

/// The identity that a certificate must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateIdentity {
    /// An e-mail address, or the URI of a workflow. Each `*` in it matches any text, such as the version in
    /// `…/release.yml@refs/tags/v*`.
    pub identity: String,
    /// The issuer of the OIDC token.
    pub issuer: String,
    /// Whether a timestamp of a trusted authority shows when the certificate was used, as an entry in a trusted log does. Without a log, nobody
    /// can see what was signed in one's name.
    pub allows_timestamps: bool,
}

impl CertificateIdentity {
    /// Returns the identity in the certificate of `bundle`, which nothing has verified; `None` if the bundle has a key.
    pub fn shown_by(bundle: &Bundle) -> Option<Self> {
        let certificate = SignerCertificate::parse(&bundle.certificate().ok()??)?;
        Some(Self { identity: certificate.identity, issuer: certificate.issuer, allows_timestamps: false })
    }

    /// Whether a certificate with this identity and issuer is of this identity.
    pub fn includes(&self, identity: &str, issuer: &str) -> bool {
        self.issuer == issuer && matches(&self.identity, identity)
    }

    /// Verifies that `bundle` is a statement about `subject` that this identity signed while its certificate was valid; returns the
    /// statement.
    ///
    /// # Errors
    ///
    /// [`BundleError`], which says what does not hold.
    pub fn verify(
        &self,
        bundle: &Bundle,
        subject: &Digest,
        root: &TrustedRoot,
    ) -> Result<ReadStatement, BundleError> {
        let refused = |reason: &str| BundleError::Certificate(reason.to_owned());
        let der = bundle.certificate()?.ok_or_else(|| refused("it was signed with a key"))?;
        let certificate =
            SignerCertificate::parse(&der).ok_or_else(|| refused("its certificate cannot be read"))?;
        if !self.includes(&certificate.identity, &certificate.issuer) {
            return Err(BundleError::OtherIdentity {
                identity: certificate.identity,
                issuer: certificate.issuer,
            });
        }
        let payload = bundle.payload()?;
        let of = LoggedSignature {
            payload: &payload,
            signature: bundle.signature_text(),
            certificate: certificate.der(),
        };
        let mut times = bundle.log_entries().iter().filter_map(|it| log_entry::verified_time(it, root, &of));
        let stamped = || {
            let signature = bundle.signature().ok().filter(|_| self.allows_timestamps)?;
            bundle.timestamps().iter().find_map(|answer| root.timestamp(answer, &signature))
        };
        let time = times.next().or_else(stamped);
        let time = time.ok_or_else(|| refused("no trusted log shows when it was signed"))?;
        if !root.issued(&certificate, time) {
            return Err(refused("no trusted authority issued its certificate, or it had expired"));
        }
        if !certificate.key.verifies(&encode(IN_TOTO, &payload), &bundle.signature()?) {
            return Err(refused("its signature does not verify with the key of its certificate"));
        }
        let statement = bundle.statement()?;
        if !statement.is_about(subject) {
            return Err(BundleError::OtherSubject(subject.clone()));
        }
        Ok(statement)
    }
}

/// Whether `text` is as `pattern` says, in which each `*` matches any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*');
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_text_and_nothing_else_does() {
        for (pattern, text, expected) in [
            ("a@b", "a@b", true),
            ("a@b", "a@bc", false),
            ("a@*", "a@", true),
            ("a@*", "a@v1.2.3", true),
            ("a@*", "evil/a@v1", false),
            ("*@acme.com", "anna@acme.com", true),
            ("*@acme.com", "anna@acme.com.evil", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("aa*aa", "aaa", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
