//! The meaning of a variable's name: whether its value is a password, a secret, or perhaps one.

/// The kind of value that a variable holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    /// A password, which somebody may have chosen.
    Password,
    /// A token or another secret that a machine makes.
    Secret,
    /// Perhaps a secret: `KEY`, `AUTH`. Only a value that looks random counts.
    Perhaps,
    /// A value that is public: a public key, a digest.
    Public,
    /// Anything.
    Other,
}

/// The endings of names of secrets, in lower case and without separators.
const SECRETS: &[&str] = &[
    "secret",
    "secretid",
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
    "authtok",
    "presharedkey",
    "secrets",
    "tokens",
];
/// The endings of names of passwords.
const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "passwort",
    "requirepass",
    "masterauth",
    "bindpw",
];
/// Last words of names of passwords.
const PASSWORD_WORDS: &[&str] = &["pass", "pw", "passw", "pswd", "psw", "psk", "wachtwoord", "contrasena"];
/// Last words of names of secrets.
const SECRET_WORDS: &[&str] = &["pat", "cred", "creds", "jwt", "bearer", "pepper", "mnemonic", "psks", "sas"];
/// Last words of names that are perhaps secrets.
const PERHAPS_WORDS: &[&str] = &[
    "key",
    "keys",
    "auth",
    "salt",
    "seed",
    "cookie",
    "login",
    "identity",
    "ident",
    "dsn",
    "sig",
    "signature",
];
/// Ends of words in which `pass` means something else.
const NO_PASSWORDS: &[&str] =
    &["bypass", "compass", "encompass", "surpass", "trespass", "underpass", "overpass", "onepass"];
/// Words at the end of a name that say which of several secrets it is.
const QUALIFIERS: &[&str] = &[
    "prod",
    "production",
    "dev",
    "devel",
    "development",
    "stage",
    "staging",
    "stg",
    "test",
    "testing",
    "qa",
    "uat",
    "live",
    "sandbox",
    "primary",
    "secondary",
    "default",
    "old",
    "new",
    "current",
    "previous",
    "prev",
    "next",
    "base64",
    "b64",
    "encoded",
    "plain",
    "plaintext",
    "value",
    "str",
    "string",
    "env",
    "main",
    "ci",
    "ro",
    "rw",
    "local",
    "eu",
    "us",
    "raw",
    "internal",
    "external",
    "global",
    "base",
    "v",
];
/// Words that make a key or a token a public one.
const PUBLIC_WORDS: &[&str] =
    &["public", "pub", "publishable", "gpg", "pgp", "apt", "rpm", "site", "anon", "recaptcha"];
/// Words in names of digests, versions and identifiers, whose values look random and are not secret.
const DIGEST_WORDS: &[&str] = &[
    "sha",
    "sha1",
    "sha256",
    "sha384",
    "sha512",
    "md5",
    "hash",
    "digest",
    "checksum",
    "checksums",
    "sum",
    "commit",
    "revision",
    "rev",
    "integrity",
    "etag",
    "fingerprint",
    "version",
    "gpg",
    "pgp",
    "esum",
    "sri",
    "shasum",
    "sig256",
    "head",
    "ref",
    "thumbprint",
];
/// Words of secrets that count anywhere in a name, unless one of [`ABOUT`] is in it too.
const ANYWHERE: &[&str] =
    &["token", "secret", "password", "passwd", "apikey", "credential", "credentials", "pat", "bundle"];
/// Words in names of facts about a secret.
const ABOUT: &[&str] = &[
    "ttl",
    "file",
    "path",
    "url",
    "uri",
    "name",
    "id",
    "ids",
    "length",
    "len",
    "size",
    "expiry",
    "expires",
    "expiration",
    "timeout",
    "type",
    "policy",
    "min",
    "max",
    "count",
    "ref",
    "version",
    "host",
    "user",
    "username",
    "field",
    "header",
    "prefix",
    "suffix",
    "endpoint",
    "algorithm",
    "alg",
    "issuer",
    "audience",
    "enabled",
    "required",
    "rotation",
    "manager",
    "store",
    "class",
    "provider",
    "mount",
    "dir",
    "folder",
    "arn",
    "format",
    "mode",
    "method",
    "regex",
    "pattern",
    "hint",
    "label",
    "placeholder",
    "message",
    "error",
    "title",
    "reset",
    "age",
    "lifetime",
    "duration",
    "scope",
    "scopes",
    "grant",
    "region",
    "key",
    "command",
    "cmd",
    "kind",
];

/// Returns the lists, as one text.
pub(super) fn lists() -> String {
    format!(
        "{SECRETS:?} {PASSWORDS:?} {PASSWORD_WORDS:?} {SECRET_WORDS:?} {PERHAPS_WORDS:?} {NO_PASSWORDS:?} {QUALIFIERS:?} \
         {PUBLIC_WORDS:?} {DIGEST_WORDS:?} {ANYWHERE:?} {ABOUT:?}"
    )
}

/// Whether the value of a variable, setting or key of this name is to be treated as a secret, whatever it is: a password, a token, a
/// credential. A lone `key` may be anything.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    match name_kind(name) {
        NameKind::Password | NameKind::Secret => true,
        NameKind::Perhaps => words(name).len() > 1 || name.eq_ignore_ascii_case("auth"),
        NameKind::Public | NameKind::Other => false,
    }
}

/// Returns the kind of value that a variable with this name holds.
pub(super) fn name_kind(name: &str) -> NameKind {
    let mut words = words(name);
    let is_digest = words.iter().any(|it| DIGEST_WORDS.contains(&it.as_str()));
    let has = |words: &[String], list: &[&str]| words.iter().any(|it| list.contains(&it.as_str()));
    let joined: String = words.concat();
    if joined.ends_with("publickey") || joined.contains("publictoken") {
        return NameKind::Public;
    }
    while words.len() > 1 && words.last().is_some_and(|it| QUALIFIERS.contains(&it.as_str()) || is_number(it))
    {
        words.pop();
    }
    let joined: String = words.concat();
    let last = words.last().map(String::as_str).unwrap_or_default();
    let last = last.trim_end_matches(|it: char| it.is_ascii_digit());
    let joined = joined.trim_end_matches(|it: char| it.is_ascii_digit());
    let ends = |list: &[&str]| list.iter().any(|end| joined.ends_with(end));
    if ends(PASSWORDS) || PASSWORD_WORDS.contains(&last) || last.ends_with("pass") && !ends(NO_PASSWORDS) {
        return NameKind::Password;
    }
    let is_public = has(&words, PUBLIC_WORDS);
    if ends(SECRETS) || SECRET_WORDS.contains(&last) {
        return if is_public && last == "key" { NameKind::Public } else { NameKind::Secret };
    }
    if PERHAPS_WORDS.contains(&last) || last.ends_with("key") {
        return if is_public { NameKind::Public } else { NameKind::Perhaps };
    }
    if is_digest {
        return NameKind::Public;
    }
    if has(&words, ANYWHERE) && !has(&words, ABOUT) && !is_public {
        NameKind::Perhaps
    } else {
        NameKind::Other
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('v').unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
}

/// Returns the words of a name, in lower case: they are separated by signs, or begin with a capital letter.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|it| characters.get(it));
        let after = characters.get(index + 1);
        let begins = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
            });
        if (begins || !character.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_meaning_of_their_words() {
        for (kind, names) in [
            (
                NameKind::Password,
                "DB_PASS SMTP_PASS PASS RABBITMQ_DEFAULT_PASS LDAP_BIND_PW PW dbpass password spring.datasource.password \
                 DBPassword MYSQL_PWD KEYSTORE_PASSPHRASE DB_PASSWORD_PROD requirepass db_password1 rootPass",
            ),
            (
                NameKind::Secret,
                "GITHUB_PAT PAT CREDS GITHUB_TOKEN API_KEY API_KEY_PROD API_KEY_V2 apiKey clientSecret SECRET_KEY_BASE _authToken \
                 SLACK_TOKEN_2",
            ),
            (
                NameKind::Perhaps,
                "REDIS_AUTH NEO4J_AUTH AUTH OPENAI_KEY APP_KEY Jwt__Key TF_TOKEN_app_terraform_io BUNDLE_GITHUB__COM \
                 AZURE_STORAGE_KEY KEY",
            ),
            (
                NameKind::Public,
                "GPG_KEY PUBLIC_KEY PYTHON_SHA256 SSH_PUBLIC_KEY GIT_COMMIT NODE_CHECKSUM STRIPE_PUBLISHABLE_KEY",
            ),
            (NameKind::Other, "PATH TOKEN_TTL PASSWORD_FILE BYPASS HOME SECRET_NAME compass NODE_ENV"),
        ] {
            for name in names.split_whitespace() {
                assert_eq!(name_kind(name), kind, "{name}");
            }
        }
    }
}
