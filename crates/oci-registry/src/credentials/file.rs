//! Docker's `config.json` and podman's `auth.json` (containers-auth.json(5)): the credentials in them, and the programs
//! that they name. Nothing is run here.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::program::Program;
use super::{CredentialKind, Credentials};
use crate::error::text;
use crate::error::{CredentialError, RegistryError};
use crate::reference::is_docker_hub;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The credentials of one file for one host, each with the path that it is for: empty for the whole host.
pub(super) type CredentialEntries = Vec<(String, Credentials)>;

/// The name of Docker Hub in credential files (docker/cli, `registry.IndexServer`).
pub(super) const HUB_SERVER: &str = "https://index.docker.io/v1/";

/// The contents of one file for one host.
#[derive(Debug, Default)]
pub(super) struct FileCredentials {
    /// The programs to ask, in order, before the file's own entries.
    pub(super) programs: Vec<Program>,
    /// The credentials in the file itself.
    pub(super) entries: CredentialEntries,
}

/// Returns what `text`, which came from `origin`, holds for `host`. Entries of other hosts are ignored.
pub(super) fn read(text: &str, host: &str, origin: &str) -> Result<FileCredentials, RegistryError> {
    // The parser's message may quote the text; the position does not.
    let file: Value = serde_json::from_str(text).map_err(|error| {
        malformed(origin, &format!("not JSON at line {}, column {}", error.line(), error.column()))
    })?;
    if !file.is_object() {
        return Err(malformed(origin, "not a JSON object"));
    }
    let programs = programs(&file, host, origin)?;
    let entries = match file.get("auths") {
        None | Some(Value::Null) => return Ok(FileCredentials { programs, entries: Vec::new() }),
        Some(auths) => auths.as_object().ok_or_else(|| malformed(origin, "`auths` is not a JSON object"))?,
    };
    let mut found = Vec::new();
    for (key, entry) in entries {
        if let Some(path) = path_for(key, host)
            && let Some(credentials) = credentials(key, entry, origin)?
        {
            found.push((path.to_owned(), credentials));
        }
    }
    Ok(FileCredentials { programs, entries: found })
}

/// Returns the programs that a file names for `host`: the one in `credHelpers`, then the one in `credsStore`. An empty
/// name in `credHelpers` means that the host's credentials are in the file (docker/cli,
/// `getConfiguredCredentialStore`).
fn programs(file: &Value, host: &str, origin: &str) -> Result<Vec<Program>, RegistryError> {
    let name = is_docker_hub(host).then(|| HUB_SERVER.to_owned());
    let server = name.unwrap_or_else(|| host.to_owned());
    let program = |name: &str, key: &'static str| Program {
        name: name.to_owned(),
        key,
        file: origin.to_owned(),
        server: server.clone(),
    };
    let named = |value: &Value, key: &str| match value {
        Value::String(name) => Ok(name.clone()),
        _ => Err(malformed(origin, &format!("`{key}` must name a program as a string"))),
    };
    let mut programs = Vec::new();
    let helpers = file.get("credHelpers").and_then(Value::as_object);
    let helper = helpers.and_then(|helpers| {
        let mut matching = helpers.iter().filter(|(key, _)| path_for(key, host) == Some(""));
        matching.next().map(|(_, name)| name)
    });
    if let Some(helper) = helper {
        match named(helper, "credHelpers")?.as_str() {
            "" => return Ok(programs),
            name => programs.push(program(name, "credHelpers")),
        }
    }
    match file.get("credsStore") {
        None | Some(Value::Null) => {}
        Some(store) => {
            let name = named(store, "credsStore")?;
            if !name.is_empty() {
                programs.push(program(&name, "credsStore"));
            }
        }
    }
    Ok(programs)
}

fn malformed(origin: &str, reason: &str) -> RegistryError {
    CredentialError::Malformed { file: origin.to_owned(), reason: reason.to_owned() }.into()
}

/// Returns the path below `host` that `key` is for; `None` if the key is for another host. Docker writes Docker Hub's
/// key as `https://index.docker.io/v1/`, and older programs wrote every key as a URL.
pub(super) fn path_for<'a>(key: &'a str, host: &str) -> Option<&'a str> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let bare = bare.trim_end_matches('/');
    let (key_host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let same = key_host.eq_ignore_ascii_case(host) || (is_docker_hub(key_host) && is_docker_hub(host));
    same.then_some(if matches!(path, "v1" | "v2") { "" } else { path })
}

/// Returns the credentials in an entry; `None` if it has none, for example because a program keeps them. A token of the
/// registry takes precedence over an identity token, and that over a password (docker/cli, `types.AuthConfig`).
fn credentials(key: &str, entry: &Value, origin: &str) -> Result<Option<Credentials>, RegistryError> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    for (name, kind) in
        [("registrytoken", CredentialKind::RegistryToken), ("identitytoken", CredentialKind::IdentityToken)]
    {
        if let Some(token) = field(name) {
            return Ok(Some(Credentials::token(kind, token, origin)));
        }
    }
    let pair = match field("auth") {
        None => {
            field("username").zip(field("password")).map(|(user, word)| (user.to_owned(), word.to_owned()))
        }
        Some(auth) => {
            let key = text::printable(key, 100);
            let error = || malformed(origin, &format!("`auth` of `{key}` is not base64 of `user:password`"));
            let bytes = BASE64.decode(auth.trim()).map_err(|_| error())?;
            let text = String::from_utf8(bytes).map_err(|_| error())?;
            // A password may contain colons, a user name may not.
            let (username, password) = text.split_once(':').ok_or_else(error)?;
            Some((username.to_owned(), password.trim_end_matches('\0').to_owned()))
        }
    };
    let pair = pair.filter(|(username, password)| !username.is_empty() && !password.is_empty());
    Ok(pair.map(|(username, password)| Credentials::new(username, password, origin)))
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
            (r#"{"auth":"dTo="}"#, None),
            ("{}", None),
            ("null", None),
            (r#"{"auth":7}"#, None),
        ] {
            let text = format!(r#"{{"auths":{{"h":{entry},"other":{{"auth":"!"}}}}}}"#);
            let found = read(&text, "h", "a test").expect(entry).entries;
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
        assert!(read(r#"{"auths":null}"#, "h", "x").expect("no entries").entries.is_empty());
    }

    #[test]
    fn tokens_go_before_passwords() {
        for (entry, kind) in [
            (r#"{"identitytoken":"x"}"#, CredentialKind::IdentityToken),
            (r#"{"auth":"dTo=","identitytoken":"x"}"#, CredentialKind::IdentityToken),
            (r#"{"auth":"dTpw","identitytoken":""}"#, CredentialKind::Password),
            (r#"{"auth":"dTpw","identitytoken":"y","registrytoken":"x"}"#, CredentialKind::RegistryToken),
        ] {
            let text = format!(r#"{{"auths":{{"h":{entry}}}}}"#);
            let found = read(&text, "h", "a test").expect(entry).entries;
            let (_, found) = found.first().expect(entry);
            assert_eq!(found.kind(), kind, "{entry}");
            assert!(found.password() == "x" || kind == CredentialKind::Password, "{entry}");
            assert!(!format!("{found:?}").contains('x'), "{found:?}");
        }
    }

    #[test]
    fn programs_are_named_for_a_host_and_for_all() {
        let names = |text: &str, host: &str| {
            let programs = read(text, host, "a test").expect(text).programs;
            programs.into_iter().map(|it| (it.name, it.key, it.server)).collect::<Vec<_>>()
        };
        let named = |name: &str, key, server: &str| (name.to_owned(), key, server.to_owned());
        let both = r#"{"credHelpers":{"h:5000":"one","other":"two"},"credsStore":"all"}"#;
        let expected = [named("one", "credHelpers", "h:5000"), named("all", "credsStore", "h:5000")];
        assert_eq!(names(both, "h:5000"), expected);
        assert_eq!(names(both, "h"), [named("all", "credsStore", "h")]);
        let hub = r#"{"credHelpers":{"https://index.docker.io/v1/":"one"}}"#;
        for host in ["docker.io", "registry-1.docker.io", "index.docker.io", "registry.hub.docker.com"] {
            assert_eq!(names(hub, host), [named("one", "credHelpers", "https://index.docker.io/v1/")]);
        }
        // An empty or missing name means that there is no program; a name that is not a string is an error.
        assert!(names(r#"{"credHelpers":{"h":""},"credsStore":"all"}"#, "h").is_empty());
        assert!(names(r#"{"credHelpers":null,"credsStore":null}"#, "h").is_empty());
        assert!(read(r#"{"credsStore":["all"]}"#, "h", "x").is_err());
        assert!(read(r#"{"credHelpers":{"h":7}}"#, "h", "x").is_err());
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
