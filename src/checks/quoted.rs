//! Values of files as messages quote them. A value that may be a secret is not quoted.

use super::document::shortened;
use crate::model::KeyPath;
use secret_scan::Rules;

/// The text in place of a value that is not shown.
const HIDDEN: &str = "***";

/// Parts of the names of keys that hold secrets.
const WORDS: [&str; 10] =
    ["passw", "passphrase", "pwd", "secret", "token", "auth", "credential", "private", "apikey", "signature"];

/// Returns the value at `key` as a message quotes it, or `***` if it may be a secret.
pub fn quoted(key: &KeyPath, value: &str) -> String {
    if may_be_secret(key, value) { HIDDEN.to_owned() } else { shortened(value) }
}

/// Whether the name of a key on the way to the value looks like that of a secret, or the search for secrets finds something in it.
pub fn may_be_secret(key: &KeyPath, value: &str) -> bool {
    let rules = Rules::standard();
    let name = key.parts().last().map(String::as_str).unwrap_or_default();
    key.parts().iter().any(|part| looks_secret(part))
        || !rules.search_bytes(None, value.as_bytes()).is_empty()
        || !rules.search_variable(name, value).is_empty()
}

fn looks_secret(name: &str) -> bool {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default().to_lowercase();
    // Packages have authors.
    (WORDS.iter().any(|word| folded.contains(word)) && !folded.starts_with("author"))
        || (matches!(last.as_str(), "key" | "pass" | "pw" | "pat" | "creds") && name.len() > last.len())
        || folded.ends_with("secretkey")
        || folded.ends_with("accesskey")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_may_be_secret_is_not_quoted() {
        let token = ["gh", "p_", "R7dQ2mVx9KcT4nLw8ZbH3sYf6JgA1p0uEoXi"].concat();
        for (key, value, expected) in [
            ("version", "1.2.3-nonsense", "1.2.3-nonsense"),
            ("package.version", "x", "x"),
            ("authors", "A Smith", "A Smith"),
            ("key", "x", "x"),
            ("auths.auth", "YTpi", "***"),
            ("database.password", "x", "***"),
            ("db.passwd", "x", "***"),
            ("aws_secret_access_key", "x", "***"),
            ("api_key", "x", "***"),
            ("apiKey", "x", "***"),
            ("smtp_pass", "x", "***"),
            ("github_pat", "x", "***"),
            ("identitytoken", "x", "***"),
            ("clientSecret", "x", "***"),
            ("version", token.as_str(), "***"),
        ] {
            let key = key.parse::<KeyPath>().expect("a key");
            assert_eq!(quoted(&key, value), expected, "{key}");
        }
    }
}
