//! Values of files as messages quote them. A value that may be a secret is not quoted.

use super::document::shortened;
use crate::model::KeyPath;
use secret_scan::{Rules, is_secret_name};

/// The text in place of a value that is not shown.
const HIDDEN: &str = "***";

/// Returns the value at `key` as a message quotes it, or `***` if it may be a secret.
pub fn quoted(key: &KeyPath, value: &str) -> String {
    if may_be_secret(key, value) { HIDDEN.to_owned() } else { shortened(value) }
}

/// Whether the name of a key on the way to the value looks like that of a secret, or the search for secrets finds something in it.
pub fn may_be_secret(key: &KeyPath, value: &str) -> bool {
    let rules = Rules::standard();
    let name = key.parts().last().map(String::as_str).unwrap_or_default();
    key.parts().iter().any(|part| is_secret_name(part))
        || !rules.search_bytes(None, value.as_bytes()).is_empty()
        || !rules.search_variable(name, value).is_empty()
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
