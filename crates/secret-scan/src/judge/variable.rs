//! Whether an environment variable, a setting or an option holds a secret, by its name and its value.

use super::entropy::{bits, is_certain, is_hex, is_jumble, looks_random};
use super::judgement::Judgement;
use super::names::{NameKind, name_kind};
use super::placeholder::is_placeholder;
use super::{encoded, names, placeholder};
use crate::severity::SecretSeverity;

/// Returns the lists.
pub(super) fn lists() -> String {
    format!("{} {SWITCHES:?} {REFERENCES:?} {ENCRYPTED:?} {EXPRESSIONS:?}", names::lists())
}

/// Returns the judgement on the variable `name` with `value`. Its severity is `severity` if the value looks random, or if the name
/// is that of a password and the value is a strong one. `of_image` says whether it is a variable of an image, in which a value that
/// nobody can have chosen counts whatever its name is.
pub(crate) fn variable<'v>(
    severity: SecretSeverity,
    name: &[u8],
    value: &'v [u8],
    of_image: bool,
) -> Option<Judgement<'v>> {
    if name.len() > 256 {
        return None;
    }
    let kind = name_kind(&String::from_utf8_lossy(name));
    let is_random = || is_hex(value) || is_certain(value) || is_jumble(value);
    let is_anything = kind == NameKind::Other && of_image && is_random();
    let text = String::from_utf8_lossy(value);
    if matches!(kind, NameKind::Other | NameKind::Public) && !is_anything || is_no_secret(&text, value) {
        return None;
    }
    let judged =
        |high: bool| Some(Judgement::likely(if high { severity } else { SecretSeverity::Medium }, value));
    let long = value.len() >= 8 && bits(value) >= 2.5 && !is_name(&text);
    match kind {
        NameKind::Password if !is_name(&text) && value.len() >= 6 && bits(value) >= 2.0 => {
            let high = looks_random(value) || is_strong_password(value);
            (high || long).then(|| judged(high))?
        }
        NameKind::Secret if long => judged(looks_random(value) || is_very_strong(value)),
        NameKind::Perhaps => {
            let chosen = (is_very_strong(value) && !is_path(&text)).then_some(false);
            perhaps(&text, value).or(chosen).and_then(judged)
        }
        NameKind::Other if of_image => other(&String::from_utf8_lossy(name), value).and_then(judged),
        _ => None,
    }
}

/// Whether the value of a variable that is perhaps a secret is one, and whether surely.
fn perhaps(text: &str, value: &[u8]) -> Option<bool> {
    // `neo4j/PASSWORD`, `USER:PASSWORD`.
    let password = text.split_once(['/', ':']).map_or("", |(_, password)| password).as_bytes();
    if is_certain(value) || is_jumble(value) || is_hex(value) && value.len() >= 32 || looks_random(password) {
        return Some(true);
    }
    if password.len() >= 8 && is_strong_password(password) && !text.contains("://") && !is_name(text) {
        return Some(true);
    }
    (looks_random(value) && !text.contains(['/', ':', '.', ' ', '(', ','])).then_some(true)
}

/// Whether the value of any variable is a secret, and whether surely.
fn other(name: &str, value: &[u8]) -> Option<bool> {
    let is_identifier = name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_.-".contains(&it));
    if !is_identifier || name.is_empty() || value.len() > 512 {
        return None;
    }
    if is_hex(value) {
        let lower = name.to_ascii_lowercase();
        let counted = ["id", "uuid", "tag", "build"].iter().any(|it| lower.ends_with(it));
        return ((32..=128).contains(&value.len()) && !counted).then_some(false);
    }
    // An address or a pattern has all kinds of characters too.
    let is_pattern = [&b"://"[..], b"\\", b"](", b")?", b"]+", b"]*", b"]{"]
        .iter()
        .any(|it| value.windows(it.len()).any(|window| window == *it));
    (is_certain(value) || is_jumble(value) && !is_pattern).then_some(true)
}

/// Returns the judgement on the setting `name` with `value` in a file of settings or a program. It is judged as a variable, and may
/// also be a private key in base64. Unlike variables, settings may name other things that hold the secret. `in_program` says that
/// words are no passwords.
pub(crate) fn setting<'v>(
    severity: SecretSeverity,
    name: &[u8],
    value: &'v [u8],
    in_program: bool,
) -> Option<Judgement<'v>> {
    if value.len() < 6 {
        return None;
    }
    if value.starts_with(b"LS0t") && encoded::holds_private_key(value) {
        return Some(Judgement::likely(severity, value));
    }
    let name_text = String::from_utf8_lossy(name);
    let lower = name_text.to_ascii_lowercase();
    if name.len() > 256 || value.len() > 4096 || REFERENCES.iter().any(|it| lower.contains(it)) {
        return None;
    }
    if (lower.ends_with("dockerconfigjson") || lower.ends_with("dockercfg"))
        && encoded::holds_registry_auth(value)
    {
        return Some(Judgement::likely(severity, value));
    }
    if encoded::is_example_auth(value) {
        return None;
    }
    let kind = name_kind(&name_text);
    if !matches!(kind, NameKind::Password | NameKind::Secret | NameKind::Perhaps) {
        return None;
    }
    let text = String::from_utf8_lossy(value);
    let elsewhere = !is_jumble(value)
        && (ENCRYPTED.iter().any(|it| text.starts_with(it))
            || EXPRESSIONS.iter().any(|it| text.contains(it)))
        || text.starts_with("AIza");
    let of_password = kind == NameKind::Password;
    let short = value.len() < if of_password { 6 } else { 8 } || bits(value) < 2.0;
    let named = is_name(&text) && (!of_password || text.contains(['.', '_']));
    if elsewhere || short || named || !text.is_ascii() || is_no_secret(&text, value) {
        return None;
    }
    // `"encryptionKey": "encryptionKey1024"`: the name of another field.
    if !of_password && is_named_after(&text.to_ascii_lowercase(), &lower) {
        return None;
    }
    let has_digit = value.iter().any(u8::is_ascii_digit);
    let high = match kind {
        NameKind::Password => {
            looks_random(value) || is_strong_password(value) && (has_digit || is_very_strong(value))
        }
        NameKind::Secret => looks_random(value) && !is_path(&text) || is_very_strong(value),
        _ => perhaps(&text, value)? && (is_certain(value) || is_hex(value) || text.contains([':', '/'])),
    };
    // In a program, a word is a label or the name of a field.
    (high || !in_program && kind != NameKind::Perhaps)
        .then(|| Judgement::likely(if high { severity } else { SecretSeverity::Medium }, value))
}

/// Whether a value is its own name with a few more letters or digits around it.
fn is_named_after(value: &str, name: &str) -> bool {
    name.len() >= 6 && value.len() <= name.len() + 8 && value.contains(name)
}

/// Returns the judgement on a word that is all that a file of secrets holds.
pub(crate) fn lone(severity: SecretSeverity, value: &[u8], of_secrets: bool) -> Option<Judgement<'_>> {
    let text = String::from_utf8_lossy(value);
    if is_no_secret(&text, value) || text.contains("://") || is_name(&text) {
        return None;
    }
    let strong = of_secrets
        && (looks_random(value) || is_strong_password(value) && value.iter().any(u8::is_ascii_digit));
    let certain = is_certain(value) && value.len() <= 200;
    (strong || certain).then(|| Judgement::likely(severity, value))
}

/// Parts of names of settings, in lower case, whose value is the name of a thing that holds a secret.
const REFERENCES: &[&str] =
    &["existing", "pullsecret", "secretname", "secretref", "usepassword", "keyname", "csrf"];
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
    "secret:",
    "env:",
    "!",
    "&",
    "*",
    "|",
    ">",
    "var.",
    "local.",
    "data.",
    "module.",
    "each.",
    "self.",
    "process.env",
    "os.environ",
    "System.getenv",
    "op://",
    "sm://",
    "keyvault",
    "ssm:",
];
/// Parts of expressions and of texts for people, which are no values.
const EXPRESSIONS: &[&str] = &["(", "\\u", "${", "{{", "::", "->", "[0]", "];", "<%", "%>", "()"];

/// Whether it is the name of another thing that holds the secret: `db-password`, `my.secret.name`.
fn is_name(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_lowercase() || b"-_.".contains(&it)) && text.contains(['-', '_', '.'])
}

/// Whether it consists of words between dots or slashes: the path of a member or of a file.
fn is_path(text: &str) -> bool {
    text.contains(['.', '/'])
        && text
            .split(['.', '/', '_', '-'])
            .all(|it| it.bytes().all(|it| it.is_ascii_alphabetic()) || it.len() < 4)
}

/// Whether it is a path, a URL, several words, a number, a placeholder or a common password.
fn is_no_secret(text: &str, value: &[u8]) -> bool {
    let is_elsewhere =
        ["./", "../", "~/", "file:", "http://", "https://"].iter().any(|it| text.starts_with(it));
    let is_path = text.starts_with(['/', '@']) && !is_certain(value) && !is_jumble(value);
    is_elsewhere
        || is_path
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
    let text = String::from_utf8_lossy(value);
    let is_named = |name: &[u8]| {
        let name = String::from_utf8_lossy(name);
        let counts = match name_kind(&name) {
            NameKind::Password | NameKind::Secret => true,
            NameKind::Perhaps => perhaps(&text, value).is_some(),
            NameKind::Public | NameKind::Other => false,
        };
        counts && !switch(&name)
    };
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
    let high = looks_random(value) || is_very_strong(value);
    Some(Judgement::likely(if high { severity } else { SecretSeverity::Medium }, value))
}

/// Whether it is a password as people are advised to make them: eight or more characters of two or more kinds, and not a common
/// word followed by something else.
pub(super) fn is_strong_password(value: &[u8]) -> bool {
    let word = value.iter().rposition(u8::is_ascii_alphabetic).and_then(|last| value.get(..=last));
    value.len() >= 8
        && kinds(value) >= 2
        && value.iter().all(u8::is_ascii_graphic)
        && !word.is_some_and(placeholder::is_common)
}

/// Whether it is a strong password with a digit and two more kinds of characters, so that it is no word.
pub(super) fn is_very_strong(value: &[u8]) -> bool {
    is_strong_password(value)
        && kinds(value) >= 3
        && value.iter().any(u8::is_ascii_digit)
        && bits(value) >= 2.8
}

/// Returns the number of kinds of characters in a password: small letters, capital letters, digits, signs.
fn kinds(value: &[u8]) -> usize {
    let kinds: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    kinds.iter().filter(|is| value.iter().any(is)).count()
}
