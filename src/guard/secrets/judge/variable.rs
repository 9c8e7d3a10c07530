//! Whether an environment variable holds a secret, by its name and its value.

use super::{Judged, bits, is_placeholder, looks_random, placeholder};
use crate::model::Severity;

/// The last words of names of secrets, in lower case and without separators.
pub(super) const ENDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secretkey",
    "secretaccesskey",
    "token",
    "tokensecret",
    "apikey",
    "apisecret",
    "authkey",
    "accesskey",
    "privatekey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "clientsecret",
    "credential",
    "credentials",
    "keybase",
    "apptoken",
    "authtoken",
];

/// What is thought of the variable `name`, which has `value`; `severity` where it looks random.
pub(in crate::guard::secrets) fn variable<'v>(
    severity: Severity,
    name: &[u8],
    value: &'v [u8],
) -> Option<Judged<'v>> {
    if name.len() > 256 || !name_of_secret(&String::from_utf8_lossy(name)) {
        return None;
    }
    let text = String::from_utf8_lossy(value);
    let path =
        ["/", "./", "../", "~/", "file:", "http://", "https://", "@"].iter().any(|it| text.starts_with(it));
    let spaced = text.split_whitespace().count() > 1;
    let plain = value.len() < 8 || bits(value) < 2.5;
    // A name of something else that holds the secret: `db-password`, `my.secret.name`.
    let named = text.bytes().all(|it| it.is_ascii_lowercase() || b"-_.".contains(&it))
        && text.contains(['-', '_', '.']);
    let counted = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    if path || spaced || plain || named || counted || is_placeholder(value) || placeholder::is_common(value) {
        return None;
    }
    let severity = if looks_random(value) { severity } else { Severity::Medium };
    Some(Judged::likely(severity, value))
}

/// Whether a variable of this name holds a secret, if anything.
fn name_of_secret(name: &str) -> bool {
    let name: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let public = name.ends_with("publickey") || name.contains("publictoken");
    !public && ENDS.iter().any(|end| name.ends_with(end))
}
