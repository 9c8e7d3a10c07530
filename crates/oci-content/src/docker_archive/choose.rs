//! The `manifest.json` of a Docker archive, and the choice of an image in it.

use serde::Deserialize;

use super::super::SourceError;

/// The registry that Docker uses if a name has none.
const DOCKER_HUB: &str = "docker.io";
/// The prefix that podman puts before the names of images that were built locally.
const LOCALHOST: &str = "localhost/";

/// An image in `manifest.json` (moby, image/tarexport/tarexport.go, `manifestItem`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item {
    /// The name of the configuration file.
    pub(super) config: String,
    /// The names of the image; Go writes `null` if it has none.
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    /// The names of the layer files, lowest first; `null` if there are none.
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

impl Item {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.repo_tags.iter().flatten().map(String::as_str)
    }

    fn has(&self, wanted: &str) -> bool {
        self.names().any(|name| normalized(name) == wanted)
    }
}

/// The image that `reference` names, `NAME[:TAG]` or `@N` by position from 0; without a reference, the only image. `place` is
/// the source as it is written without a reference.
///
/// Names are compared as Docker and skopeo do, with registry and tag filled in. A name without a registry also matches podman's
/// `localhost/NAME`, if no other image has it.
pub(super) fn choose<'a>(
    items: &'a [Item],
    reference: Option<&str>,
    place: &str,
) -> Result<&'a Item, SourceError> {
    let Some(reference) = reference else {
        return only(items.iter(), items, place)?
            .ok_or_else(|| SourceError::malformed(place.to_owned(), "its `manifest.json` lists no image"));
    };
    if let Some(position) = reference.strip_prefix('@').and_then(|digits| digits.parse::<usize>().ok()) {
        return items.get(position).ok_or_else(|| no_such(items, reference, place));
    }
    for wanted in [normalized(reference), normalized(&format!("{LOCALHOST}{reference}"))] {
        if let Some(found) = only(items.iter().filter(|item| item.has(&wanted)), items, place)? {
            return Ok(found);
        }
    }
    Err(no_such(items, reference, place))
}

/// The one image among `candidates`; it may be listed more than once.
fn only<'a>(
    candidates: impl Iterator<Item = &'a Item>,
    items: &[Item],
    place: &str,
) -> Result<Option<&'a Item>, SourceError> {
    let mut distinct: Vec<&Item> = Vec::new();
    for candidate in candidates {
        if !distinct.iter().any(|seen| same(seen, candidate)) {
            distinct.push(candidate);
        }
    }
    match distinct.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => Err(SourceError::Ambiguous {
            place: place.to_owned(),
            count: several.len(),
            names: several.iter().map(|item| name_of(item, items)).collect(),
        }),
    }
}

fn same(one: &Item, other: &Item) -> bool {
    one.config == other.config && one.layers == other.layers
}

fn no_such(items: &[Item], reference: &str, place: &str) -> SourceError {
    let mut names: Vec<String> = items.iter().map(|item| name_of(item, items)).collect();
    names.dedup();
    SourceError::NoSuchReference { place: place.to_owned(), reference: reference.to_owned(), names }
}

/// A reference that chooses `item` alone: a name that no other image has, or its position.
fn name_of(item: &Item, items: &[Item]) -> String {
    let unique = |name: &str| {
        let name = normalized(name);
        items.iter().all(|other| same(other, item) || !other.has(&name))
    };
    match item.names().find(|name| unique(name)) {
        Some(name) => name.to_owned(),
        None => format!("@{}", items.iter().position(|other| same(other, item)).unwrap_or_default()),
    }
}

/// The full name of an image, with registry and tag filled in (distribution/reference, `ParseNormalizedNamed` and `TagNameOnly`).
pub(crate) fn normalized(name: &str) -> String {
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') && !path.contains('@') => (path, tag),
        _ => (name, ""),
    };
    let tag = if tag.is_empty() && !path.contains('@') { "latest" } else { tag };
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let path = match path.split_once('/') {
        Some(("index.docker.io" | DOCKER_HUB, rest)) => official(rest),
        Some((first, _)) if is_host(first) => path.to_owned(),
        _ => official(path),
    };
    if tag.is_empty() { path } else { format!("{path}:{tag}") }
}

/// The path of a name on Docker Hub, where names of one part are in `library`.
fn official(path: &str) -> String {
    let folder = if path.contains('/') { "" } else { "library/" };
    format!("{DOCKER_HUB}/{folder}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed() {
        for (name, full) in [
            ("app", "docker.io/library/app:latest"),
            ("app:v1", "docker.io/library/app:v1"),
            ("library/app:v1", "docker.io/library/app:v1"),
            ("docker.io/app", "docker.io/library/app:latest"),
            ("index.docker.io/library/app", "docker.io/library/app:latest"),
            ("group/app", "docker.io/group/app:latest"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("ghcr.io/group/app:v1", "ghcr.io/group/app:v1"),
            ("app@sha256:00", "docker.io/library/app@sha256:00"),
        ] {
            assert_eq!(normalized(name), full, "{name}");
        }
    }

    fn item(config: &str, names: &[&str]) -> Item {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Item { config: config.to_owned(), repo_tags: Some(names), layers: None }
    }

    fn chosen(items: &[Item], reference: Option<&str>) -> Result<String, String> {
        choose(items, reference, "docker-archive:x")
            .map(|item| item.config.clone())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_image_by_name_or_position() {
        let items = [
            item("a", &["app:v1", "ghcr.io/group/app:v1"]),
            item("b", &["localhost/tool:latest"]),
            item("c", &[]),
            item("d", &["localhost/app:v1"]),
        ];
        for (reference, config) in [
            ("app:v1", "a"),
            ("docker.io/library/app:v1", "a"),
            ("ghcr.io/group/app:v1", "a"),
            ("localhost/app:v1", "d"),
            ("tool", "b"),
            ("localhost/tool", "b"),
            ("@2", "c"),
        ] {
            assert_eq!(chosen(&items, Some(reference)).as_deref(), Ok(config), "{reference}");
        }
        for reference in ["app", "@4", "@x", "v1"] {
            assert!(chosen(&items, Some(reference)).is_err(), "{reference}");
        }
        assert_eq!(chosen(&items[..1], None).as_deref(), Ok("a"));
        let twice = [item("a", &["app:v1"]), item("a", &["app:v2"])];
        assert_eq!(chosen(&twice, None).as_deref(), Ok("a"));
    }

    #[test]
    fn errors_list_the_available_names() {
        let items = [item("a", &["app:v1"]), item("b", &["app:v2"])];
        assert_eq!(
            chosen(&items, None),
            Err("source `docker-archive:x` holds 2 images: `app:v1`, `app:v2`".to_owned())
        );
        assert_eq!(
            chosen(&items, Some("app:v3")),
            Err("source `docker-archive:x` holds no image `app:v3`: `app:v1`, `app:v2`".to_owned())
        );
        let error = chosen(&[], None).expect_err("none");
        assert!(error.contains("lists no image"), "{error}");
        let clash = [item("a", &["app:v1"]), item("b", &["app:v1"])];
        let error = chosen(&clash, Some("app:v1")).expect_err("two of that name");
        assert!(error.contains("holds 2 images: `@0`, `@1`"), "{error}");
    }
}
