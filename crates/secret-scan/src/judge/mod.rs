//! Distinguishes secrets from examples: placeholders, entropy, checksums, values that are known to be public.

mod encoded;
mod known;
mod pem;
mod placeholder;
mod variable;

use std::borrow::Cow;

use super::checksum;
use super::rule::{Check, Rule};
use crate::Severity;
use oci_registry::Digest;

pub(super) use placeholder::is_placeholder;
pub(super) use variable::{option, setting, variable};

/// A value that counts as a secret.
pub(super) struct Judged<'v> {
    /// The severity, before the place is taken into account.
    pub severity: Severity,
    /// The severity in variables and in files of variables.
    pub in_variables: Severity,
    /// Whether it is a secret regardless of the bytes around it.
    pub proven: bool,
    /// Whether a checksum proves it, so that it is a secret at any place.
    pub certain: bool,
    /// The bytes that identify it.
    pub value: Cow<'v, [u8]>,
    /// The text to show instead of its beginning.
    pub shown: Option<String>,
}

impl<'v> Judged<'v> {
    fn likely(severity: Severity, value: &'v [u8]) -> Self {
        let value = Cow::Borrowed(value);
        Self { severity, in_variables: severity, proven: false, certain: false, value, shown: None }
    }

    /// Returns the fingerprint, which identifies the value without revealing it, or `None` if the value is known to be public.
    pub(super) fn fingerprint(&self) -> Option<Digest> {
        let fingerprint = Digest::of(&self.value);
        (!known::is_public(&fingerprint)).then_some(fingerprint)
    }
}

/// Returns the lists that decide what is a secret, as one text.
pub(super) fn lists() -> String {
    format!("{:?} {:?} {:?}", placeholder::lists(), variable::lists(), known::PUBLIC)
}

/// Returns the judgement on `value`, which `rule` found in `whole`, or `None` if it is not a secret.
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
    let likely = Judged::likely(rule.severity, value);
    if check == Check::Crc32 && bits(value) >= entropy && checksum::crc32_base62(value, 4) {
        return Some(Judged { proven: true, certain: true, ..likely });
    }
    if bits(value) < entropy || is_placeholder(value) {
        return None;
    }
    let right = match check {
        Check::Form
        | Check::InVariables
        | Check::NearAws
        | Check::Pem
        | Check::Putty
        | Check::Crc32
        | Check::UrlPassword => true,
        Check::Bech32 => checksum::bech32(value),
        Check::Jwt => encoded::jwt_claims(value).is_some(),
        Check::KubernetesJwt => encoded::is_service_account(value),
        Check::BasicAuth => encoded::basic_auth(value).is_some_and(|it| !placeholder::is_common(&it)),
        Check::PemInBase64 => encoded::holds_private_key(value),
        Check::Password => !placeholder::is_common(value),
    };
    match check {
        _ if !right => None,
        Check::Crc32 => Some(Judged::likely(Severity::Medium, value)),
        Check::InVariables => Some(Judged { in_variables: Severity::High, ..likely }),
        Check::Bech32 => Some(Judged { certain: true, ..likely }),
        Check::UrlPassword => url_password(whole, likely),
        _ => Some(likely),
    }
}

/// Returns the judgement on a password in a URL: `None` if it is the user's name or a common word, or if the host is an example.
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
    let high = |it: bool| if it && !here { likely.severity } else { Severity::Medium };
    let (severity, in_variables) =
        (high(looks_random(value)), high(looks_random(value) || is_strong_password(value)));
    Some(Judged { severity, in_variables, ..likely })
}

/// Whether a machine generated it: it is long, hardly any character repeats, and it consists of letters and digits, or of letters
/// alone that are too mixed to be words.
pub(super) fn looks_random(value: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|it| is(it)).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    // A word begins with at most one capital, which is less than a third of five letters. Long words have a single case.
    let switches = value.windows(2).filter(|pair| {
        pair.iter().all(u8::is_ascii_alphabetic)
            && pair.iter().any(u8::is_ascii_uppercase)
            && pair.iter().any(u8::is_ascii_lowercase)
    });
    let mixed = upper.min(lower) * 10 >= (upper + lower) * 3
        && switches.count() * 5 >= upper + lower
        && bits(value) >= 3.5;
    value.len() >= 16
        && bits(value) >= 3.3
        && upper + lower > 0
        && (count(u8::is_ascii_digit) > 0 || mixed)
        && count(u8::is_ascii_whitespace) == 0
}

/// Whether it is a password as people are advised to make them: eight or more characters of two or more kinds, and not a common
/// word followed by something else.
pub(super) fn is_strong_password(value: &[u8]) -> bool {
    let kinds: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    let kinds = kinds.iter().filter(|is| value.iter().any(is)).count();
    let word = value.iter().rposition(u8::is_ascii_alphabetic).and_then(|last| value.get(..=last));
    value.len() >= 8
        && kinds >= 2
        && value.iter().all(u8::is_ascii_graphic)
        && !word.is_some_and(placeholder::is_common)
}

/// Returns the Shannon entropy of `value`, in bits per byte.
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

/// Returns how often each byte occurs in `value`.
fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts
}
