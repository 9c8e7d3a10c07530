//! The `auths` of Docker's `config.json` and podman's `auth.json` (containers-auth.json(5)).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::Credentials;
use crate::registry::RegistryError;
use crate::registry::http::is_docker_hub;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The credentials of one file that are for one host, by the path they are for: empty for the whole host.
pub(super) type Entries = Vec<(String, Credentials)>;

/// The credentials for `host` in `text`, which came from `origin`. Entries of other hosts are not looked at.
pub(super) fn read(text: &str, host: &str, origin: &str) -> Result<Entries, RegistryError> {
    // The parser's own words may quote what it read; the position does not.
    let file: Value = serde_json::from_str(text).map_err(|error| {
        malformed(origin, &format!("not JSON at line {}, column {}", error.line(), error.column()))
    })?;
    if !file.is_object() {
        return Err(malformed(origin, "not a JSON object"));
    }
    let has_program = file.get("credHelpers").and_then(|helpers| helpers.get(host)).is_some()
        || file.get("credsStore").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if has_program {
        tracing::debug!(origin, host, "a credential program is configured; it is not asked yet");
    }
    let entries = match file.get("auths") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(auths) => auths.as_object().ok_or_else(|| malformed(origin, "`auths` is not a JSON object"))?,
    };
    let mut found = Vec::new();
    for (key, entry) in entries {
        if let Some(path) = path_for(key, host)
            && let Some((username, password)) = pair(key, entry, origin)?
        {
            found.push((path.to_owned(), Credentials::new(username, password, origin)));
        }
    }
    Ok(found)
}

fn malformed(origin: &str, reason: &str) -> RegistryError {
    RegistryError::Credentials {
        reason: format!("cannot read credentials from {origin}: {reason}"),
        help: "log in again, which writes it anew, or mend it by hand".to_owned(),
    }
}

/// The path below `host` that `key` is for; `None` where it is for another host. Docker writes Docker Hub's
/// key as `https://index.docker.io/v1/`, and older programs wrote every key as a URL.
fn path_for<'a>(key: &'a str, host: &str) -> Option<&'a str> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let bare = bare.trim_end_matches('/');
    let (key_host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let same = key_host.eq_ignore_ascii_case(host) || (is_docker_hub(key_host) && is_docker_hub(host));
    same.then_some(if matches!(path, "v1" | "v2") { "" } else { path })
}

/// User name and password of an entry; `None` where it has none, as those have that a credential program
/// keeps, or an identity token instead.
fn pair(key: &str, entry: &Value, origin: &str) -> Result<Option<(String, String)>, RegistryError> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let pair = match field("auth") {
        None => {
            field("username").zip(field("password")).map(|(user, word)| (user.to_owned(), word.to_owned()))
        }
        Some(auth) => {
            let error = || malformed(origin, &format!("`auth` of `{key}` is not base64 of `user:password`"));
            let bytes = BASE64.decode(auth.trim()).map_err(|_| error())?;
            let text = String::from_utf8(bytes).map_err(|_| error())?;
            // A password may hold colons, a user name may not.
            let (username, password) = text.split_once(':').ok_or_else(error)?;
            Some((username.to_owned(), password.trim_end_matches('\0').to_owned()))
        }
    };
    Ok(pair.filter(|(username, password)| !username.is_empty() && !password.is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_name_hosts_and_paths() {
        for (key, host, expected) in [
            ("ghcr.io", "ghcr.io", Some("")),
            ("https://ghcr.io", "ghcr.io", Some("")),
            ("https://ghcr.io/v2/", "ghcr.io", Some("")),
            ("ghcr.io/o/n", "ghcr.io", Some("o/n")),
            ("GHCR.io/o", "ghcr.io", Some("o")),
            ("ghcr.io.evil", "ghcr.io", None),
            ("localhost:5000", "localhost:5000", Some("")),
            ("localhost", "localhost:5000", None),
            ("https://index.docker.io/v1/", "docker.io", Some("")),
            ("docker.io/me", "docker.io", Some("me")),
            ("registry-1.docker.io", "index.docker.io", Some("")),
            ("", "ghcr.io", None),
        ] {
            assert_eq!(path_for(key, host), expected, "{key} {host}");
        }
    }

    #[test]
    fn entries_are_read() {
        for (entry, expected) in [
            (r#"{"auth":"dTpw"}"#, Some(("u", "p"))),
            (r#"{"auth":"dTpwOnE="}"#, Some(("u", "p:q"))),
            (r#"{"auth":"dTpwOnE"}"#, Some(("u", "p:q"))),
            (r#"{"username":"u","password":"p"}"#, Some(("u", "p"))),
            (r#"{"identitytoken":"x"}"#, None),
            (r#"{"auth":"dTo=","identitytoken":"x"}"#, None),
            ("{}", None),
            ("null", None),
            (r#"{"auth":7}"#, None),
        ] {
            let text = format!(r#"{{"auths":{{"h":{entry},"other":{{"auth":"!"}}}}}}"#);
            let found = read(&text, "h", "a test").expect(entry);
            let pair = found.first().map(|(_, found)| (found.username(), found.password()));
            assert_eq!(pair, expected, "{entry}");
        }
    }

    #[test]
    fn malformed_files_are_named_and_not_quoted() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"auths":["secret"]}"#,
            r#"{"auths":{"h":{"auth":"secret!"}}}"#,
            r#"{"auths":{"h":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"h":{"auth":"//8="}}}"#,
        ] {
            let error = read(text, "h", "`a.json`").expect_err(text);
            assert!(error.to_string().contains("`a.json`"), "{error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
        assert!(read(r#"{"auths":null,"credsStore":"desktop"}"#, "h", "x").expect("no entries").is_empty());
        assert!(read(r#"{"credHelpers":{"h":"x"}}"#, "h", "x").expect("no entries").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,80}", key in "[ -~]{0,30}", auth in "[ -~]{0,30}") {
            let _ = read(&text, "h", "x");
            let file = serde_json::json!({ "auths": { key: { "auth": auth } } }).to_string();
            let _ = read(&file, "h", "x");
        }
    }
}
