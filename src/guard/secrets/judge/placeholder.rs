//! What stands where a secret would stand: placeholders, and the words that examples take for passwords.

/// Parts of placeholders, in lower case. A random value of 40 characters has any of them once in millions of years.
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
    "fake",
    "sample",
    "xxxx",
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

/// Passwords that stand in examples, or for none, in lower case.
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

/// Both lists.
pub(super) fn lists() -> [&'static [&'static str]; 2] {
    [PARTS, COMMON]
}

/// The longest part that a made up value repeats.
const LONGEST_PERIOD: usize = 16;

/// Whether `value` stands for a secret that is put in elsewhere, or is made up.
pub(in crate::guard::secrets) fn is_placeholder(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let text = text.trim();
    let wrapped = [("<", ">"), ("{", "}"), ("[", "]"), ("%", "%"), ("__", "__"), ("(", ")")]
        .iter()
        .any(|(open, close)| text.starts_with(open) && text.ends_with(close));
    wrapped || text.starts_with('$') || repeats(value) || PARTS.iter().any(|part| text.contains(part))
}

/// Whether one character is more than half of all, or the whole is a short part again and again.
fn repeats(value: &[u8]) -> bool {
    if value.len() < 4 {
        return false;
    }
    let periods = 1..=(value.len() / 3).min(LONGEST_PERIOD);
    let mut periodic =
        periods.map(|period| value.iter().zip(value.iter().skip(period)).all(|(byte, later)| byte == later));
    super::counts(value).iter().any(|it| *it as usize * 2 > value.len()) || periodic.any(|it| it)
}

/// Whether `value` is a password of examples.
pub(super) fn is_common(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    COMMON.contains(&text.trim())
}
