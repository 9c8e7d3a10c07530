//! Whether an environment variable holds a secret, by its name and its value.

use super::entropy::{bits, looks_random};
use super::judgement::Judgement;
use super::placeholder::is_placeholder;
use super::{encoded, placeholder};
use crate::severity::SecretSeverity;

/// The endings of names of secrets, in lower case and without separators.
const ENDS: &[&str] = &[
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

/// Returns the lists.
pub(super) fn lists() -> [&'static [&'static str]; 4] {
    [ENDS, SWITCHES, REFERENCES, ENCRYPTED]
}

/// Returns the judgement on the variable `name` with `value`. Its severity is `severity` if the value looks random, or if the name
/// is that of a password and the value is a strong one.
pub(crate) fn variable<'v>(severity: SecretSeverity, name: &[u8], value: &'v [u8]) -> Option<Judgement<'v>> {
    if name.len() > 256 || !name_of_secret(&String::from_utf8_lossy(name)) {
        return None;
    }
    let text = String::from_utf8_lossy(value);
    if value.len() < 8 || bits(value) < 2.5 || is_name(&text) || is_no_secret(&text, value) {
        return None;
    }
    let likely = looks_random(value) || name_of_password(name) && is_strong_password(value);
    Some(Judgement::likely(if likely { severity } else { SecretSeverity::Medium }, value))
}

/// Returns the judgement on the setting `name` with `value` in a file of settings. It is judged as a variable, and may also be a
/// private key in base64. Unlike variables, settings may name other things that hold the secret.
pub(crate) fn setting<'v>(severity: SecretSeverity, name: &[u8], value: &'v [u8]) -> Option<Judgement<'v>> {
    if encoded::holds_private_key(value) {
        return Some(Judgement::likely(severity, value));
    }
    let name_text = String::from_utf8_lossy(name).to_ascii_lowercase();
    let of_another = REFERENCES.iter().any(|it| name_text.contains(it));
    if name.len() > 256 || of_another || !name_of_secret(&name_text) {
        return None;
    }
    let text = String::from_utf8_lossy(value);
    let elsewhere = ENCRYPTED.iter().any(|it| text.starts_with(it));
    let of_password = name_of_password(name);
    let short = value.len() < if of_password { 6 } else { 8 } || bits(value) < 2.0;
    let named = is_name(&text) && !of_password;
    if elsewhere || short || named || !text.is_ascii() || is_no_secret(&text, value) {
        return None;
    }
    Some(Judgement::likely(if looks_random(value) { severity } else { SecretSeverity::Medium }, value))
}

/// Parts of names of settings, in lower case, whose value is the name of a thing that holds a secret.
const REFERENCES: &[&str] = &["existing", "pullsecret", "secretname", "secretref", "usepassword", "keyname"];
/// Beginnings of values that are encrypted or stored elsewhere: of SOPS, Jasypt, Spring Cloud and vals; and YAML's own signs for
/// references.
const ENCRYPTED: &[&str] = &[
    "ENC[",
    "ENC(",
    "{cipher}",
    "vault:",
    "ref+",
    "arn:",
    "projects/",
    "secretref",
    "!",
    "&",
    "*",
    "|",
    ">",
];

/// Whether it is the name of another thing that holds the secret: `db-password`, `my.secret.name`.
fn is_name(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_lowercase() || b"-_.".contains(&it)) && text.contains(['-', '_', '.'])
}

/// Whether it is a path, a URL, several words, a number, a placeholder or a common password.
fn is_no_secret(text: &str, value: &[u8]) -> bool {
    ["/", "./", "../", "~/", "file:", "http://", "https://", "@"].iter().any(|it| text.starts_with(it))
        || text.split_whitespace().count() > 1
        || text.bytes().all(|it| it.is_ascii_digit() || it == b'.')
        || is_placeholder(value)
        || placeholder::is_common(value)
}

/// Words in names of options that take no secret: `--no-password`, `--disabled-password`, `--password-prompt`.
const SWITCHES: &[&str] =
    &["no-", "with", "disable", "enable", "ask", "prompt", "allow", "require", "public", "skip"];

/// Returns the judgement on a value in a command that follows the option or header `name`, or is at the place of a password. Shorter
/// values count than in variables, because somebody wrote them at the place of a password.
pub(crate) fn option<'v>(
    severity: SecretSeverity,
    name: Option<&[u8]>,
    value: &'v [u8],
) -> Option<Judgement<'v>> {
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
    let severity = if looks_random(value) { severity } else { SecretSeverity::Medium };
    Some(Judgement::likely(severity, value))
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

/// Whether a variable with this name can hold a secret.
fn name_of_secret(name: &str) -> bool {
    let name: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let public = name.ends_with("publickey") || name.contains("publictoken");
    !public && ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a variable with this name, which is the name of a secret, holds a password.
fn name_of_password(name: &[u8]) -> bool {
    let name: Vec<u8> =
        name.iter().filter(|it| it.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    ["password", "passwd", "passphrase", "passcode", "pwd"].iter().any(|end| name.ends_with(end.as_bytes()))
}
