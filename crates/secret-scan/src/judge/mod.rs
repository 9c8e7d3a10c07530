//! Distinguishes secrets from examples: placeholders, entropy, checksums, values that are known to be public.

mod encoded;
mod entropy;
mod judgement;
mod known;
mod names;
mod pem;
mod placeholder;
mod variable;

use crate::checksum;
use crate::rule::{Rule, ValueCheck};
use crate::severity::SecretSeverity;
use entropy::{bits, looks_random};
use placeholder::is_placeholder;
use variable::is_strong_password;

pub(crate) use judgement::Judgement;
pub use names::is_secret_name;
pub(crate) use variable::{lone, option, setting, variable};

/// Returns the lists that decide what is a secret, as one text.
pub(crate) fn lists() -> String {
    format!("{:?} {} {:?}", placeholder::lists(), variable::lists(), known::PUBLIC)
}

/// Returns the judgement on `value`, which `rule` found in `whole`, or `None` if it is not a secret.
pub(crate) fn value<'v>(
    rule: &Rule,
    entropy: f64,
    check: ValueCheck,
    whole: &'v [u8],
    value: &'v [u8],
) -> Option<Judgement<'v>> {
    match check {
        ValueCheck::Pem => return pem::pem(rule.severity, whole, value),
        ValueCheck::Hash => return (bits(value) >= 3.0).then(|| Judgement::likely(rule.severity, value)),
        ValueCheck::Putty => return pem::putty(rule.severity, whole, value),
        _ => {}
    }
    let likely = Judgement::likely(rule.severity, value);
    if check == ValueCheck::Crc32 && bits(value) >= entropy && checksum::crc32_base62(value, 4) {
        return Some(Judgement { proven: true, certain: true, ..likely });
    }
    if bits(value) < entropy || is_placeholder(value) {
        return None;
    }
    let right = match check {
        ValueCheck::Form
        | ValueCheck::InVariables
        | ValueCheck::NearAws
        | ValueCheck::NearJwk
        | ValueCheck::Hash
        | ValueCheck::Pem
        | ValueCheck::Putty
        | ValueCheck::Crc32
        | ValueCheck::Bech32
        | ValueCheck::OfOwner
        | ValueCheck::UrlPassword => true,
        ValueCheck::Jwt => encoded::jwt_claims(value).is_some(),
        ValueCheck::KubernetesJwt => encoded::is_service_account(value),
        ValueCheck::BasicAuth => encoded::basic_auth(value).is_some_and(|it| !placeholder::is_common(&it)),
        ValueCheck::PemInBase64 => encoded::holds_private_key(value),
        ValueCheck::Password => !placeholder::is_common(value),
        ValueCheck::Random => entropy::is_mixed(value),
        ValueCheck::Signature => entropy::is_certain(value),
        ValueCheck::HeaderAuth => encoded::basic_auth(value).is_some_and(|it| !placeholder::is_common(&it)),
    };
    match check {
        _ if !right => None,
        ValueCheck::InVariables => Some(Judgement { in_variables: SecretSeverity::High, ..likely }),
        ValueCheck::Bech32 => Some(Judgement { certain: checksum::bech32(value), ..likely }),
        ValueCheck::UrlPassword => url_password(whole, likely),
        ValueCheck::Jwt => {
            let severity = encoded::jwt_claims(value)
                .map_or(rule.severity, |claims| jwt_severity(&claims, rule.severity));
            Some(Judgement::likely(severity, value))
        }
        ValueCheck::HeaderAuth => {
            let strong =
                encoded::basic_auth(value).is_some_and(|it| looks_random(&it) || is_strong_password(&it));
            let severity = if strong { rule.severity } else { SecretSeverity::Medium };
            Some(Judgement::likely(severity, value))
        }
        _ => Some(likely),
    }
}

/// Returns the severity of a JSON Web Token by its claims. `severity` is that of one that ends.
fn jwt_severity(claims: &serde_json::Value, severity: SecretSeverity) -> SecretSeverity {
    match claims.get("role").and_then(|it| it.as_str()) {
        Some("service_role" | "supabase_admin") => SecretSeverity::High,
        Some("anon") => SecretSeverity::Low,
        _ if claims.get("exp").is_none() && claims.get("iat").is_some() => SecretSeverity::Medium,
        _ => severity,
    }
}

/// Returns the judgement on a password in a URL: `None` if it is the user's name or a common word, or if the host is an example.
fn url_password<'v>(whole: &[u8], likely: Judgement<'v>) -> Option<Judgement<'v>> {
    let text = String::from_utf8_lossy(whole);
    let (user, rest) = text.trim_start_matches("://").split_once(':')?;
    let host = rest.rsplit_once('@').map_or("", |(_, host)| host).to_ascii_lowercase();
    let value = &likely.value;
    let of_examples = host.starts_with("example") || host.contains(".example") || host.contains("your");
    if of_examples || user.as_bytes() == &**value || placeholder::is_common(value) {
        return None;
    }
    let here = ["localhost", "127.", "[::1", "0.0.0.0", "host"].iter().any(|it| host.starts_with(it));
    let high = |it: bool| if it && !here { likely.severity } else { SecretSeverity::Medium };
    let (severity, in_variables) = (
        high(looks_random(value) || variable::is_very_strong(value)),
        high(looks_random(value) || is_strong_password(value)),
    );
    Some(Judgement { severity, in_variables, ..likely })
}
