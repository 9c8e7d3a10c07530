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

/// Words in names of options that hold no secret: `--no-password`, `--disabled-password`, `--password-prompt`.
const SWITCHES: &[&str] =
    &["no-", "with", "disable", "enable", "ask", "prompt", "allow", "require", "public", "skip"];

/// What is thought of what stands in a command behind the option or header `name`, or where a password stands. Shorter values
/// count than in variables: somebody wrote them where a password belongs.
pub(in crate::guard::secrets) fn option<'v>(
    severity: Severity,
    name: Option<&[u8]>,
    value: &'v [u8],
) -> Option<Judged<'v>> {
    let switch = |name: &str| SWITCHES.iter().any(|it| name.to_ascii_lowercase().contains(it));
    let is_named = |name: &[u8]| {
        let name = String::from_utf8_lossy(name);
        name_of_secret(&name) && !switch(&name)
    };
    let text = String::from_utf8_lossy(value);
    let elsewhere = ["/", "./", "../", "~", "@", "file:", "env:", "http://", "https://", "id=", "type=", "="];
    let elsewhere = elsewhere.iter().any(|it| text.starts_with(it)) || text.contains('$') && value.len() < 8;
    let counted = text.bytes().all(|it| it.is_ascii_digit() || it == b'.') && value.len() < 8;
    if elsewhere
        || counted
        || name.is_some_and(|it| !is_named(it))
        || is_placeholder(value)
        || placeholder::is_common(value)
    {
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
