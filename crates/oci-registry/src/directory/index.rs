//! `index.json` of a layout, which maps tags to manifests (image-spec, image-layout.md, "index.json file"). Entries of
//! other programs are kept unchanged.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::tag::Tag;
use crate::{annotation, media_type};

/// The content of an `index.json`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayoutIndex(Map<String, Value>);

impl LayoutIndex {
    /// Returns an index without entries.
    pub(super) fn empty() -> Self {
        let mut map = Map::new();
        map.insert("schemaVersion".to_owned(), json!(2));
        map.insert("mediaType".to_owned(), json!(media_type::OCI_INDEX));
        map.insert("manifests".to_owned(), json!([]));
        Self(map)
    }

    /// Parses an index; the error says why it is not one.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let index: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let Value::Object(map) = index else { return Err("not a JSON object".to_owned()) };
        if map.get("manifests").is_none_or(Value::is_array) {
            Ok(Self(map))
        } else {
            Err("`manifests` is not a list".to_owned())
        }
    }

    fn entries(&self) -> &[Value] {
        self.0.get("manifests").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns the descriptor that `tag` names, or an error if its entry is not a descriptor.
    pub(super) fn find(&self, tag: &Tag) -> Result<Option<Descriptor>, String> {
        let Some(entry) = self.entries().iter().find(|entry| name_of(entry) == Some(tag.as_str())) else {
            return Ok(None);
        };
        serde_json::from_value(entry.clone()).map(Some).map_err(|error| format!("tag `{tag}`: {error}"))
    }

    /// Returns the tags, in order. Names by other programs that are not valid tags are left out.
    pub(super) fn tags(&self) -> Vec<Tag> {
        self.entries().iter().filter_map(name_of).filter_map(|name| name.parse().ok()).collect()
    }

    /// Makes `tag` name `manifest`, at the position of its present entry, if any.
    pub(super) fn point(&mut self, tag: &Tag, manifest: &Descriptor) {
        let mut entry = json!({
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": manifest.size,
        });
        entry["annotations"] = json!({ annotation::REF_NAME: tag });
        let entries = self.0.entry("manifests").or_insert_with(|| json!([]));
        let Some(entries) = entries.as_array_mut() else { return };
        let place = entries.iter().position(|entry| name_of(entry) == Some(tag.as_str()));
        entries.retain(|entry| name_of(entry) != Some(tag.as_str()));
        entries.insert(place.unwrap_or(entries.len()).min(entries.len()), entry);
    }

    /// Removes `tag`. The manifest stays, listed without a tag if it has no other; the other fields of its entry are
    /// kept.
    pub(super) fn untag(&mut self, tag: &Tag) {
        let Some(entries) = self.0.get_mut("manifests").and_then(Value::as_array_mut) else { return };
        let (mut tagged, others): (Vec<Value>, Vec<Value>) =
            std::mem::take(entries).into_iter().partition(|entry| name_of(entry) == Some(tag.as_str()));
        *entries = others;
        let Some(mut entry) = tagged.pop() else { return };
        if entry.get("digest").is_none()
            || entries.iter().any(|other| other.get("digest") == entry.get("digest"))
        {
            return;
        }
        let Some(fields) = entry.as_object_mut() else { return };
        if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(annotation::REF_NAME);
            if annotations.is_empty() {
                fields.remove("annotations");
            }
        }
        entries.push(entry);
    }

    /// Removes every entry of `digest`.
    pub(super) fn forget(&mut self, digest: &Digest) {
        if let Some(entries) = self.0.get_mut("manifests").and_then(Value::as_array_mut) {
            entries.retain(|entry| digest_of(entry).as_ref() != Some(digest));
        }
    }

    /// Returns every manifest with its tags, in order. Entries that are not descriptors are left out.
    pub(super) fn manifests(&self) -> Vec<(Digest, Vec<Tag>)> {
        let mut found: IndexMap<Digest, Vec<Tag>> = IndexMap::new();
        for entry in self.entries() {
            let Some(digest) = digest_of(entry) else { continue };
            let tag = name_of(entry).and_then(|name| name.parse().ok());
            found.entry(digest).or_default().extend(tag);
        }
        found.into_iter().collect()
    }

    /// Returns the bytes of the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        Value::Object(self.0.clone()).to_string().into_bytes()
    }
}

fn name_of(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(annotation::REF_NAME)?.as_str()
}

fn digest_of(entry: &Value) -> Option<Digest> {
    entry.get("digest")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().expect(text)
    }

    fn manifest(bytes: &[u8]) -> Descriptor {
        Descriptor::new(media_type::OCI_MANIFEST, Digest::of(bytes), bytes.len() as u64)
    }

    #[test]
    fn a_tag_moves_in_its_place_and_others_stay() {
        let foreign = json!({
            "schemaVersion": 2,
            "custom": [1],
            "manifests": [
                { "mediaType": "x", "digest": Digest::of(b"f"), "size": 1, "platform": { "os": "plan9", "architecture": "mips" } },
                { "mediaType": "x", "digest": Digest::of(b"a"), "size": 1, "annotations": { annotation::REF_NAME: "a", "k": "v" } },
                { "mediaType": "x", "digest": Digest::of(b"n"), "size": 1, "annotations": { annotation::REF_NAME: "host/not:a-tag" } },
            ],
        });
        let mut index = LayoutIndex::parse(foreign.to_string().as_bytes()).expect("an index");
        assert_eq!(index.tags(), [tag("a")]);
        index.point(&tag("b"), &manifest(b"1"));
        index.point(&tag("a"), &manifest(b"22"));
        let read = LayoutIndex::parse(&index.to_bytes()).expect("an index");
        assert_eq!(read.tags(), [tag("a"), tag("b")]);
        let found = read.find(&tag("a")).expect("a descriptor").expect("an entry");
        assert_eq!((found.digest, found.size), (Digest::of(b"22"), 2));
        assert_eq!(read.find(&tag("c")), Ok(None));
        let value = Value::Object(read.0);
        assert_eq!(value["custom"], json!([1]));
        assert_eq!(value["manifests"][0], foreign["manifests"][0]);
        assert_eq!(value["manifests"][2], foreign["manifests"][2]);
    }

    #[test]
    fn a_tag_goes_and_its_manifest_stays() {
        let one = json!({ "mediaType": "x", "digest": Digest::of(b"1"), "size": 1,
            "annotations": { annotation::REF_NAME: "a", "k": "v" }, "platform": { "os": "plan9" } });
        let text = json!({ "custom": 1, "manifests": [one] }).to_string();
        let mut index = LayoutIndex::parse(text.as_bytes()).expect("an index");
        index.point(&tag("b"), &manifest(b"22"));
        index.point(&tag("c"), &manifest(b"22"));
        for (gone, left) in [("b", vec!["a", "c"]), ("b", vec!["a", "c"]), ("a", vec!["c"]), ("c", vec![])] {
            index.untag(&tag(gone));
            assert_eq!(index.tags(), left.into_iter().map(tag).collect::<Vec<_>>());
        }
        assert_eq!(index.manifests(), [(Digest::of(b"1"), vec![]), (Digest::of(b"22"), vec![])]);
        let value = Value::Object(index.0.clone());
        assert_eq!(value["custom"], json!(1));
        assert_eq!(value["manifests"][0]["annotations"], json!({ "k": "v" }));
        assert_eq!(value["manifests"][0]["platform"], json!({ "os": "plan9" }));
        assert_eq!(value["manifests"][1].get("annotations"), None);
        index.point(&tag("c"), &manifest(b"22"));
        assert_eq!(index.manifests(), [(Digest::of(b"1"), vec![]), (Digest::of(b"22"), vec![tag("c")])]);
        index.forget(&Digest::of(b"22"));
        index.forget(&Digest::of(b"none"));
        assert_eq!(index.manifests(), [(Digest::of(b"1"), vec![])]);
    }

    #[test]
    fn an_invalid_index_is_reported() {
        for text in ["", "[]", r#"{"manifests":{}}"#] {
            assert!(LayoutIndex::parse(text.as_bytes()).is_err(), "{text}");
        }
        let mut bare = LayoutIndex::parse(b"{}").expect("an index");
        assert!(bare.tags().is_empty());
        bare.point(&tag("a"), &manifest(b""));
        assert_eq!(bare.tags(), [tag("a")]);
        let entry = json!({ "manifests": [{ "annotations": { annotation::REF_NAME: "a" } }] }).to_string();
        let mut broken = LayoutIndex::parse(entry.as_bytes()).expect("an index");
        assert!(broken.find(&tag("a")).is_err());
        assert!(broken.manifests().is_empty());
        broken.untag(&tag("a"));
        assert_eq!(broken.find(&tag("a")), Ok(None));
    }

    proptest! {
        #[test]
        fn the_last_point_counts(moves in proptest::collection::vec((0_u8..4, any::<u8>()), 0..20)) {
            let mut index = LayoutIndex::empty();
            let mut expected = std::collections::BTreeMap::new();
            for (name, content) in moves {
                let tag = tag(&format!("t{name}"));
                index.point(&tag, &manifest(&[content]));
                expected.insert(tag, Digest::of(&[content]));
            }
            prop_assert_eq!(index.tags().len(), expected.len());
            for (tag, digest) in expected {
                prop_assert_eq!(index.find(&tag).unwrap().map(|found| found.digest), Some(digest));
            }
        }
    }
}
