//! A digest that a builder lists, and the forms in which one is written: [`entry`].

use oci_registry::Digest;
use oci_registry::remote::RemoteReference;

/// A digest in a file of a builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedDigest {
    pub(super) digest: Digest,
    /// The names under which it was pushed, as they are written; none if the file does not say.
    pub(super) names: Vec<String>,
    /// The target of `docker buildx bake`.
    pub(super) target: Option<String>,
}

impl ListedDigest {
    pub(super) fn new(digest: Digest, names: Vec<String>) -> Self {
        Self { digest, names, target: None }
    }

    /// Whether the digest was pushed to `repository`, or says nothing about where. If `same_host` is false, another host counts too,
    /// because a builder in a container may reach the registry under another name.
    pub(super) fn is_about(&self, repository: &RemoteReference, same_host: bool) -> bool {
        let named = |name: &String| {
            name.parse::<RemoteReference>().is_ok_and(|own| {
                own.repository == repository.repository
                    && (!same_host || own.location() == repository.location())
            })
        };
        self.names.is_empty() || self.names.iter().any(named)
    }

    /// The repositories of its names.
    pub(super) fn repositories(&self) -> impl Iterator<Item = String> {
        self.names.iter().map(|name| {
            name.parse::<RemoteReference>()
                .map_or_else(|_| name.clone(), |own| format!("{}/{}", own.host, own.repository))
        })
    }
}

/// The digest in a line or a JSON string.
pub(super) fn entry(line: &str) -> Result<ListedDigest, String> {
    let line = line.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    let line = line.strip_prefix("docker://").unwrap_or(line);
    let wrong = || {
        let shown: String = line.chars().take(80).collect();
        format!("is neither a digest nor `REPOSITORY@DIGEST`: `{}`", shown.escape_debug())
    };
    // `sha256sum` writes two spaces, or a space and a star.
    if let Some((hex, name)) = line.split_once(char::is_whitespace) {
        let name = name.trim_start().trim_start_matches('*');
        let digest = digest(hex).ok_or_else(wrong)?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong());
        }
        return Ok(ListedDigest::new(digest, vec![name.to_owned()]));
    }
    if let Some(digest) = digest(line) {
        return Ok(ListedDigest::new(digest, Vec::new()));
    }
    let (name, after) = line.split_once('@').ok_or_else(wrong)?;
    let digest =
        after.parse::<Digest>().map_err(|error| format!("has a wrong digest, `{after}`: {error}"))?;
    if name.parse::<RemoteReference>().is_err() {
        return Err(wrong());
    }
    Ok(ListedDigest::new(digest, vec![name.to_owned()]))
}

/// A digest, with or without `sha256:` in front.
fn digest(text: &str) -> Option<Digest> {
    text.parse().or_else(|_| format!("sha256:{text}").parse()).ok()
}
