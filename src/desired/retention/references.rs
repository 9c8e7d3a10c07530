//! Files of references that are still in use: one reference on each line, or the JSON of `kubectl get pods -A -o json`.

use std::path::Path;

use serde_json::Value;

use super::InUse;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::remote::RemoteReference;
use oci_registry::{RepositoryName, TagOrDigest};

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// The references of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedReferences {
    /// The file, as `publish.toml` names it.
    pub file: String,
    /// The references.
    pub references: Vec<RemoteReference>,
}

/// The reason why references cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReferencesError {
    /// The file cannot be read.
    #[error("`{file}` cannot be read: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// The cause.
        cause: std::io::Error,
    },
    /// A text is no reference.
    #[error("`{file}`: {place} is no reference to an image: `{text}`")]
    NotOne {
        /// The file.
        file: String,
        /// The line, or the key.
        place: String,
        /// The text.
        text: String,
    },
    /// The file names nothing.
    #[error("`{file}` names no image at all")]
    Empty {
        /// The file.
        file: String,
    },
}

/// Reads the references in `file`, which is relative to `folder`.
///
/// # Errors
///
/// A text that is no reference is an error, because it may be one that is in use.
pub fn used_references(folder: &Path, file: &str) -> Result<UsedReferences, ReferencesError> {
    let path = folder.join(file);
    let unreadable = |cause| ReferencesError::Unreadable { file: file.to_owned(), cause };
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > MAX_SIZE {
        return Err(unreadable(std::io::Error::other("it is too large")));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    let mut references = Vec::new();
    let mut add = |text: &str, place: &dyn Fn() -> String| {
        let reference = reference(text).ok_or_else(|| ReferencesError::NotOne {
            file: file.to_owned(),
            place: place(),
            text: text.chars().take(120).collect::<String>().escape_debug().to_string(),
        })?;
        references.push(reference);
        Ok::<(), ReferencesError>(())
    };
    if let Ok(json) = serde_json::from_str::<Value>(&text) {
        let mut found = Vec::new();
        images(&json, &mut found);
        for (key, image) in found {
            add(image, &|| format!("a value of `{key}`"))?;
        }
    } else {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                add(line, &|| format!("line {}", number + 1))?;
            }
        }
    }
    if references.is_empty() {
        return Err(ReferencesError::Empty { file: file.to_owned() });
    }
    Ok(UsedReferences { file: file.to_owned(), references })
}

/// Reads a reference as people, Docker and Kubernetes write it.
fn reference(text: &str) -> Option<RemoteReference> {
    // Kubernetes writes `docker-pullable://` before the id of an image that Docker pulled.
    let text = ["docker-pullable://", "docker://", "oci://"]
        .iter()
        .find_map(|it| text.strip_prefix(it))
        .unwrap_or(text);
    text.parse().ok()
}

/// Collects every `image` and `imageID` below `value`. An id that is a bare digest names no repository.
fn images<'v>(value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(text) if key == "image" && !text.is_empty() => found.push((key, text)),
                    Some(text) if key == "imageID" && text.contains('/') => found.push((key, text)),
                    _ => images(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| images(value, found)),
        _ => {}
    }
}

impl UsedReferences {
    /// The images of one repository that the references name.
    pub fn of(&self, endpoint: &RegistryEndpoint, name: &RepositoryName) -> InUse {
        let own = endpoint.url.identity(name);
        let mut in_use = InUse::default();
        for reference in &self.references {
            if reference.location().identity(&reference.repository) != own {
                continue;
            }
            // A tag beside a digest may have moved, but it was meant.
            if let (Some(TagOrDigest::Tag(tag)), true) = (reference.at(), reference.digest.is_none()) {
                in_use.tags.insert(tag, self.file.clone());
            }
            in_use.tags.extend(reference.tag.iter().map(|tag| (tag.clone(), self.file.clone())));
            in_use.digests.extend(reference.digest.iter().map(|digest| (digest.clone(), self.file.clone())));
        }
        in_use
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("deployed"), text).expect("written");
        let read = used_references(folder.path(), "deployed").map_err(|error| error.to_string())?;
        Ok(read.references.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_and_the_json_of_kubectl_name_what_is_in_use() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let lines =
            format!("# production\n\nghcr.io/acme/app:v1.2.3\n docker://ghcr.io/acme/app@{digest} \nnginx\n");
        let expected = vec![
            "ghcr.io/acme/app:v1.2.3".to_owned(),
            format!("ghcr.io/acme/app@{digest}"),
            "docker.io/library/nginx".to_owned(),
        ];
        assert_eq!(read(&lines), Ok(expected));
        let pods = serde_json::json!({ "kind": "List", "items": [{
            "spec": { "containers": [{ "name": "app", "image": "ghcr.io/acme/app:v1" }],
                "initContainers": [{ "image": "ghcr.io/acme/init:v2" }] },
            "status": { "containerStatuses": [{ "image": "ghcr.io/acme/app:v1", "ready": true,
                "imageID": format!("docker-pullable://ghcr.io/acme/app@{digest}") },
                { "image": "ghcr.io/acme/app:v1", "imageID": digest }] } }] });
        let mut found = read(&pods.to_string()).expect("references");
        found.sort();
        found.dedup();
        assert_eq!(
            found,
            ["ghcr.io/acme/app:v1", &format!("ghcr.io/acme/app@{digest}"), "ghcr.io/acme/init:v2"]
        );
    }

    #[test]
    fn a_text_that_is_no_reference_is_refused() {
        for (text, expected) in [
            (
                "ghcr.io/acme/app:v1\nnot a reference\n",
                "`deployed`: line 2 is no reference to an image: `not a reference`",
            ),
            ("", "`deployed` names no image at all"),
            ("{\"items\": []}", "`deployed` names no image at all"),
            ("{\"image\": \"a b\"}", "`deployed`: a value of `image` is no reference to an image: `a b`"),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
        let missing = used_references(Path::new("/nowhere"), "deployed").expect_err("nothing there");
        assert!(missing.to_string().starts_with("`deployed` cannot be read: "), "{missing}");
    }
}
