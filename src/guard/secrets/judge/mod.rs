//! Tells a secret from an example: placeholders, entropy, checksums, what is known to be public.

mod encoded;
mod known;
mod pem;
mod placeholder;
mod variable;

use std::borrow::Cow;

use super::checksum;
use super::rule::{Check, Rule};
use crate::model::{Digest, Severity};

pub(super) use placeholder::is_placeholder;
pub(super) use variable::{option, variable};

/// A value that is taken for a secret.
pub(super) struct Judged<'v> {
    /// How bad it is, before the place is weighed.
    pub severity: Severity,
    /// Whether it is one whatever stands around it.
    pub proven: bool,
    /// The bytes that it is known by.
    pub value: Cow<'v, [u8]>,
    /// What is shown instead of its start.
    pub shown: Option<String>,
}

impl<'v> Judged<'v> {
    fn likely(severity: Severity, value: &'v [u8]) -> Self {
        Self { severity, proven: false, value: Cow::Borrowed(value), shown: None }
    }

    /// By what it can be recognized without being told.
    pub(super) fn fingerprint(&self) -> Option<Digest> {
        let fingerprint = Digest::of(&self.value);
        (!known::is_public(&fingerprint)).then_some(fingerprint)
    }
}

/// The lists that decide what is a secret, as one text.
pub(super) fn lists() -> String {
    format!("{:?} {:?} {:?}", placeholder::lists(), variable::ENDS, known::PUBLIC)
}

/// What is thought of `value`, which `rule` found in `whole`.
pub(super) fn judge<'v>(
    rule: &Rule,
    entropy: f64,
    check: Check,
    whole: &'v [u8],
    value: &'v [u8],
) -> Option<Judged<'v>> {
    match check {
        Check::Pem => return pem::pem(rule.severity, whole, value),
        Check::Putty => return pem::putty(rule.severity, whole, value),
        _ => {}
    }
    if bits(value) < entropy || is_placeholder(value) {
        return None;
    }
    let likely = Judged::likely(rule.severity, value);
    let right = match check {
        Check::Form | Check::Pem | Check::Putty | Check::Crc32 | Check::UrlPassword => true,
        Check::Bech32 => checksum::bech32(value),
        Check::Jwt => encoded::jwt_claims(value).is_some(),
        Check::KubernetesJwt => encoded::is_service_account(value),
        Check::BasicAuth => encoded::basic_auth(value).is_some_and(|it| !placeholder::is_common(&it)),
        Check::PemInBase64 => encoded::holds_private_key(value),
        Check::Password => !placeholder::is_common(value),
    };
    match check {
        _ if !right => None,
        Check::Crc32 if checksum::crc32_base62(value, 4) => Some(Judged { proven: true, ..likely }),
        Check::Crc32 => Some(Judged { severity: Severity::Medium, ..likely }),
        Check::UrlPassword => url_password(whole, likely),
        _ => Some(likely),
    }
}

/// A password of a URL: none where it is the user's name or a word of examples, or where the host is one.
fn url_password<'v>(whole: &[u8], likely: Judged<'v>) -> Option<Judged<'v>> {
    let text = String::from_utf8_lossy(whole);
    let (user, rest) = text.trim_start_matches("://").split_once(':')?;
    let host = rest.rsplit_once('@').map_or("", |(_, host)| host).to_ascii_lowercase();
    let value = &likely.value;
    let of_examples = host.starts_with("example") || host.contains(".example") || host.contains("your");
    if of_examples || user.as_bytes() == &**value || placeholder::is_common(value) {
        return None;
    }
    let here = ["localhost", "127.", "[::1", "0.0.0.0", "host"].iter().any(|it| host.starts_with(it));
    let severity = if looks_random(value) && !here { likely.severity } else { Severity::Medium };
    Some(Judged { severity, ..likely })
}

/// Whether a machine made it: long, of letters and digits, and with hardly any letter twice.
pub(super) fn looks_random(value: &[u8]) -> bool {
    value.len() >= 16
        && bits(value) >= 3.3
        && value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_alphabetic)
        && !value.iter().any(u8::is_ascii_whitespace)
}

/// The Shannon entropy of `value`, in bits a byte.
#[allow(clippy::cast_precision_loss)] // values are short
pub(super) fn bits(value: &[u8]) -> f64 {
    let length = value.len() as f64;
    counts(value)
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

/// How often each byte is in `value`.
fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts
}
