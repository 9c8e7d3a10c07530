//! The source that was probably meant by a text without a known transport.

use oci_registry::remote::RemoteReference;

/// The transports by their names.
const TRANSPORTS: [&str; 7] =
    ["oci", "oci-archive", "docker-archive", "docker-daemon", "docker", "containers-storage", "dir"];
/// The ends of the names of archives.
const ARCHIVES: [&str; 5] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"];
/// Schemes that other programs put before the name of an image in a registry: browsers, Helm, buildx and Bazel.
const SCHEMES: [&str; 5] = ["https", "http", "oci", "docker-image", "registry"];

/// The source that `text` probably means; it has no known transport.
pub(super) fn meant_by(text: &str) -> Option<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let name = rest.trim_end_matches('/');
        let image = SCHEMES.contains(&scheme).then(|| image_named(name)).flatten();
        return image.map(|image| format!("docker://{image}"));
    }
    let (prefix, rest) = text.split_once(':').unwrap_or((text, ""));
    if let Some(transport) = misspelt(prefix).filter(|_| !rest.is_empty()) {
        return Some(format!("{transport}:{rest}"));
    }
    if ARCHIVES.iter().any(|end| prefix.ends_with(end)) {
        return Some(format!("oci-archive:{text}"));
    }
    if let Some(image) = image_named(text).or_else(|| complete(text)) {
        return Some(format!("docker://{image}"));
    }
    (!text.is_empty() && !text.contains(':')).then(|| format!("oci:{text}"))
}

/// The transport that `prefix` misspells, if it does. Two edits in a short word make another word.
fn misspelt(prefix: &str) -> Option<&'static str> {
    let edits = if prefix.len() <= 4 { 1 } else { 2 };
    TRANSPORTS.into_iter().find(|it| strsim::damerau_levenshtein(it, prefix) <= edits)
}

/// The name of an image in a registry, if `text` begins with a host. Upper case in its path becomes lower case.
pub(super) fn image_named(text: &str) -> Option<String> {
    let (host, path) = text.split_once('/')?;
    let is_host = host == "localhost"
        || host.split_once(':').is_some_and(|(name, port)| !name.is_empty() && port.parse::<u16>().is_ok())
        || (host.contains('.') && !host.starts_with('.') && !host.ends_with('.'));
    if !is_host || path.is_empty() {
        return None;
    }
    match text.parse::<RemoteReference>() {
        Ok(_) => Some(text.to_owned()),
        Err(error) => error.suggestion.filter(|name| name.parse::<RemoteReference>().is_ok()),
    }
}

/// Whether `text` is a name with a tag or a digest, such as `app:v1`.
pub(super) fn is_tagged_name(text: &str) -> bool {
    let transport = text.split_once(':').and_then(|(prefix, _)| misspelt(prefix));
    transport.is_none() && complete(text).is_some()
}

/// A name with a tag or a digest, with the registry that Docker fills in.
fn complete(text: &str) -> Option<String> {
    let parsed = text.parse::<RemoteReference>().ok()?;
    (parsed.tag.is_some() || parsed.digest.is_some()).then(|| parsed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_transport_is_recognized_by_its_form() {
        for (text, meant) in [
            ("dist/a.tar", "oci-archive:dist/a.tar"),
            ("dist/a.tar.gz", "oci-archive:dist/a.tar.gz"),
            ("dist/a.tgz:v1", "oci-archive:dist/a.tgz:v1"),
            ("dist/a", "oci:dist/a"),
            ("./dist/a", "oci:./dist/a"),
            ("/srv/a", "oci:/srv/a"),
            ("oci-arhive:a.tar", "oci-archive:a.tar"),
            ("docker-deamon:a", "docker-daemon:a"),
            ("container-storage:a", "containers-storage:a"),
            ("dri:a", "dir:a"),
            ("ghcr.io/a/b", "docker://ghcr.io/a/b"),
            ("ghcr.io/a/b:v1", "docker://ghcr.io/a/b:v1"),
            ("ghcr.io/A/B:v1", "docker://ghcr.io/a/b:v1"),
            ("localhost/a", "docker://localhost/a"),
            ("localhost:5000/a", "docker://localhost:5000/a"),
            ("localhost:5000/a:v1", "docker://localhost:5000/a:v1"),
            ("registry:5000/a/b", "docker://registry:5000/a/b"),
            ("alpine:3.20", "docker://docker.io/library/alpine:3.20"),
            ("acme/app:v1", "docker://docker.io/acme/app:v1"),
            ("https://ghcr.io/a/b:v1", "docker://ghcr.io/a/b:v1"),
            ("https://ghcr.io/a/b/", "docker://ghcr.io/a/b"),
            ("docker-image://ghcr.io/a/b", "docker://ghcr.io/a/b"),
        ] {
            assert_eq!(meant_by(text).as_deref(), Some(meant), "{text}");
        }
        for text in ["ftp://a/b", "https://example.com", "A B:c", ""] {
            assert_eq!(meant_by(text), None, "{text}");
        }
    }
}
