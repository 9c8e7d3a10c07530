//! Values that take the place of a secret: placeholders, and words that examples use as passwords.

use super::entropy::{counts, is_jumble};

/// Parts of placeholders, in lower case. After the first bytes of a value they count only as whole words, because the longer a
/// random value is, the likelier it contains a short one. One in tens of thousands of values with 40 letters and digits does.
const PARTS: &[&str] = &[
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "your_",
    "your-",
    "yourtoken",
    "yourkey",
    "yoursecret",
    "yourpass",
    "my-secret",
    "my_secret",
    "mysecret",
    "mypassword",
    "replace",
    "insert",
    "redacted",
    "dummy",
    "sample",
    "....",
    "****",
    "----",
    "____",
    "12345678",
    "abcdefgh",
    "abcd1234",
    "abc123",
    "deadbeef",
    "00000000",
    "ffffffff",
    "${",
    "$(",
    "%(",
    "#{",
    "{{",
    "}}",
    "%{",
    "%s",
    "$env",
];

/// Short parts, which count only if their letters have one case, or only the first one is a capital.
const SHORT: &[&str] = &["fake", "xxxx"];

/// The number of bytes after which parts of placeholders count only as whole words.
const START: usize = 64;

/// Passwords that are used in examples, or that mean no password, in lower case.
const COMMON: &[&str] = &[
    "password",
    "passwd",
    "passw0rd",
    "pass",
    "password1",
    "password123",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "hunter2",
    "letmein",
    "admin",
    "administrator",
    "root",
    "user",
    "username",
    "guest",
    "test",
    "testing",
    "tester",
    "postgres",
    "mysql",
    "redis",
    "rabbitmq",
    "mongo",
    "mongodb",
    "minio",
    "minioadmin",
    "docker",
    "changeit",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "empty",
    "unset",
    "undefined",
    "default",
    "string",
    "foo",
    "bar",
    "foobar",
    "baz",
    "qux",
    "some-password",
    "some_password",
    "somepassword",
    "p@ssw0rd",
    "p@ssword",
    "1234",
    "12345",
    "123456",
    "1234567",
    "qwerty",
    "value",
    "key",
    "apikey",
    "api_key",
    "enabled",
    "disabled",
    "required",
    "optional",
    "prompt",
    "port",
    "pw",
    "passwort",
    "mypass",
    "userpass",
    "user_pass",
    "x-oauth-basic",
    "x-token-auth",
    "oauth2",
    "pa55word",
    "pass123",
    "pass1234",
    "s3cret",
    "s3cr3t",
    "sekret",
    "sekrit",
    "cats",
];

/// Returns the lists.
pub(super) fn lists() -> [&'static [&'static str]; 3] {
    [PARTS, SHORT, COMMON]
}

/// The longest part that a made-up value repeats.
const LONGEST_PERIOD: usize = 16;

/// Whether `value` is a placeholder for a secret that is inserted elsewhere, or is made up.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let written = String::from_utf8_lossy(value);
    let written = written.trim();
    let text = written.to_ascii_lowercase();
    let text = text.as_str();
    let wrapped = [("<", ">"), ("{", "}"), ("[", "]"), ("%", "%"), ("__", "__"), ("(", ")")]
        .iter()
        .any(|(open, close)| text.starts_with(open) && text.ends_with(close));
    if is_jumble(value) {
        // It may hold `%s`, or begin with a dollar sign, by chance.
        let words =
            || PARTS.iter().filter(|it| it.len() > 5 && it.bytes().all(|it| it.is_ascii_alphanumeric()));
        return wrapped || repeats(value) || words().any(|it| text.contains(it));
    }
    wrapped || text.starts_with('$') || repeats(value) || has_part(written, text)
}

/// Whether `written`, whose lower case is `text`, contains a part of placeholders.
fn has_part(written: &str, text: &str) -> bool {
    let is_word = |at: usize, part: &str| {
        let letter = |it: Option<&u8>| it.is_some_and(u8::is_ascii_alphanumeric);
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        !letter(before) && !letter(text.as_bytes().get(at + part.len()))
    };
    let counts = |at: usize, part: &str| at + part.len() <= START || is_word(at, part);
    let is_even = |at: usize, part: &str| {
        let letters = written.as_bytes().get(at..at + part.len()).unwrap_or_default();
        let lower = |letters: &[u8]| letters.iter().all(u8::is_ascii_lowercase);
        letters.iter().all(u8::is_ascii_uppercase) || letters.get(1..).is_some_and(lower)
    };
    PARTS.iter().any(|part| text.match_indices(part).any(|(at, _)| counts(at, part)))
        || SHORT
            .iter()
            .any(|part| text.match_indices(part).any(|(at, _)| counts(at, part) && is_even(at, part)))
}

/// Whether one character makes up more than half of the value, or the value repeats a short part.
fn repeats(value: &[u8]) -> bool {
    if value.len() < 4 {
        return false;
    }
    let periods = 1..=(value.len() / 3).min(LONGEST_PERIOD);
    let mut periodic =
        periods.map(|period| value.iter().zip(value.iter().skip(period)).all(|(byte, later)| byte == later));
    counts(value).iter().any(|it| *it as usize * 2 > value.len()) || periodic.any(|it| it)
}

/// Whether `value` is a password that examples use.
pub(super) fn is_common(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    COMMON.contains(&text.trim())
}
