//! Choosing a manifest of a layout by a reference.

use std::collections::{HashMap, HashSet};

use super::SourceError;
use oci_registry::annotation::REF_NAME;
use oci_registry::{Descriptor, Digest};

/// The annotation with the full name of an image, which `docker buildx` writes beside the tag in [`REF_NAME`].
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The entry of `index.json` that `reference` names; without a reference, the only entry. `place` is the source as it is
/// written without a reference.
///
/// A reference is the `org.opencontainers.image.ref.name` of an entry, its full name, or the tag of its full
/// name; or `@N`, the entry at that position from 0 (containers-transports(5), `oci:`).
pub(super) fn choose<'a>(
    entries: &'a [Descriptor],
    reference: Option<&str>,
    place: &str,
) -> Result<&'a Descriptor, SourceError> {
    let Some(reference) = reference else {
        return the_only(entries, entries, place);
    };
    if let Some(position) = reference.strip_prefix('@').and_then(|digits| digits.parse::<usize>().ok()) {
        return entries.get(position).ok_or_else(|| no_such(entries, reference, place));
    }
    let exact =
        entries.iter().filter(|entry| entry.annotations.get(REF_NAME).is_some_and(|it| it == reference));
    if let Some(found) = only(exact, entries, place)? {
        return Ok(found);
    }
    let by_full_name = entries.iter().filter(|entry| {
        names_of(entry).any(|name| name == reference || tag_of(name).is_some_and(|tag| tag == reference))
    });
    only(by_full_name, entries, place)?.ok_or_else(|| no_such(entries, reference, place))
}

/// The one manifest among `candidates`, which are some of `entries`, if no reference was given.
pub(super) fn the_only<'a>(
    candidates: &'a [Descriptor],
    entries: &[Descriptor],
    place: &str,
) -> Result<&'a Descriptor, SourceError> {
    only(candidates.iter(), entries, place)?
        .ok_or_else(|| SourceError::malformed(place.to_owned(), "its `index.json` lists no manifest"))
}

/// The one manifest among `candidates`; it may be listed under several names.
fn only<'a>(
    candidates: impl Iterator<Item = &'a Descriptor>,
    entries: &[Descriptor],
    place: &str,
) -> Result<Option<&'a Descriptor>, SourceError> {
    let mut seen = HashSet::new();
    let distinct: Vec<&Descriptor> = candidates.filter(|candidate| seen.insert(&candidate.digest)).collect();
    match distinct.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => Err(SourceError::Ambiguous {
            place: place.to_owned(),
            count: several.len(),
            names: Names::of(entries).each(several),
        }),
    }
}

fn no_such(entries: &[Descriptor], reference: &str, place: &str) -> SourceError {
    let mut names = Names::of(entries).each(&entries.iter().collect::<Vec<_>>());
    names.dedup();
    SourceError::NoSuchReference { place: place.to_owned(), reference: reference.to_owned(), names }
}

/// The references by which entries can be chosen. They are collected once, because an `index.json` may have tens of thousands of
/// entries.
struct Names<'a> {
    /// Each name, and its digest if it names only one.
    unique: HashMap<&'a str, Option<&'a Digest>>,
    /// The position at which each digest is first listed.
    positions: HashMap<&'a Digest, usize>,
}

impl<'a> Names<'a> {
    fn of(entries: &'a [Descriptor]) -> Self {
        let (mut unique, mut positions) = (HashMap::new(), HashMap::new());
        for (position, entry) in entries.iter().enumerate() {
            positions.entry(&entry.digest).or_insert(position);
            for name in names_of(entry) {
                let digest = unique.entry(name).or_insert(Some(&entry.digest));
                *digest = digest.filter(|digest| **digest == entry.digest);
            }
        }
        Self { unique, positions }
    }

    fn each(&self, entries: &[&Descriptor]) -> Vec<String> {
        entries.iter().map(|entry| self.name(entry)).collect()
    }

    /// A reference that chooses `entry` alone: its name if no other manifest has it, or its position.
    fn name(&self, entry: &Descriptor) -> String {
        let alone = |name: &&str| self.unique.get(name).is_some_and(Option::is_some);
        match names_of(entry).find(alone) {
            Some(name) => name.to_owned(),
            None => format!("@{}", self.positions.get(&entry.digest).copied().unwrap_or_default()),
        }
    }
}

/// The references of `entry`: its names, and the tags of full names.
pub(super) fn ref_names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    names_of(entry).flat_map(|name| [Some(name), tag_of(name)]).flatten()
}

fn names_of(entry: &Descriptor) -> impl Iterator<Item = &str> {
    [REF_NAME, CONTAINERD_NAME]
        .into_iter()
        .filter_map(|key| entry.annotations.get(key))
        .map(String::as_str)
        .filter(|name| !name.is_empty())
}

/// The tag of a full name. A port is not a tag.
fn tag_of(name: &str) -> Option<&str> {
    name.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_registry::media_type::OCI_MANIFEST;

    fn entry(content: &str, annotations: &[(&str, &str)]) -> Descriptor {
        let mut entry = Descriptor::new(OCI_MANIFEST, Digest::of(content.as_bytes()), 1);
        entry.annotations =
            annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        entry
    }

    fn chosen(entries: &[Descriptor], reference: Option<&str>) -> Result<usize, String> {
        let found = choose(entries, reference, "oci:x").map_err(|error| error.to_string())?;
        Ok(entries.iter().position(|entry| entry == found).expect("one of them"))
    }

    #[test]
    fn the_only_one_needs_no_reference() {
        assert_eq!(chosen(&[entry("a", &[])], None), Ok(0));
        // `buildx --tag a:1 --tag a:2` lists one manifest twice.
        let twice = [entry("a", &[(REF_NAME, "1")]), entry("a", &[(REF_NAME, "2")])];
        assert_eq!(chosen(&twice, None), Ok(0));
        assert_eq!(chosen(&twice, Some("2")), Ok(1));
        assert!(chosen(&[], None).expect_err("empty").contains("lists no manifest"));
    }

    #[test]
    fn names_are_matched_as_the_tools_write_them() {
        let entries = [
            entry("a", &[(REF_NAME, "v1"), (CONTAINERD_NAME, "docker.io/library/a:v1")]),
            entry("b", &[(REF_NAME, "localhost:5000/b:v2")]),
            entry("c", &[(CONTAINERD_NAME, "ghcr.io/x/c:v3")]),
            entry("d", &[(REF_NAME, "localhost:5000/d")]),
        ];
        assert_eq!(chosen(&entries, Some("v1")), Ok(0));
        assert_eq!(chosen(&entries, Some("docker.io/library/a:v1")), Ok(0));
        assert_eq!(chosen(&entries, Some("v2")), Ok(1));
        assert_eq!(chosen(&entries, Some("localhost:5000/b:v2")), Ok(1));
        assert_eq!(chosen(&entries, Some("v3")), Ok(2));
        assert_eq!(chosen(&entries, Some("@3")), Ok(3));
        assert!(chosen(&entries, Some("5000/d")).is_err());
        assert!(chosen(&entries, Some("@4")).is_err());
    }

    #[test]
    fn errors_list_the_available_names() {
        let entries = [entry("a", &[(REF_NAME, "v1")]), entry("b", &[(REF_NAME, "v2")])];
        let error = chosen(&entries, None).expect_err("two");
        assert_eq!(error, "source `oci:x` holds 2 images: `v1`, `v2`");
        let error = chosen(&entries, Some("v3")).expect_err("no v3");
        assert_eq!(error, "source `oci:x` holds no image `v3`: `v1`, `v2`");
        let nameless = [entry("a", &[]), entry("b", &[])];
        let error = chosen(&nameless, None).expect_err("two");
        assert!(error.contains("`@0`, `@1`"), "{error}");
        let clash = [entry("a", &[(REF_NAME, "v1")]), entry("b", &[(REF_NAME, "v1")])];
        let error = chosen(&clash, Some("v1")).expect_err("two of that name");
        assert!(error.contains("holds 2 images: `@0`, `@1`"), "{error}");
    }
}
