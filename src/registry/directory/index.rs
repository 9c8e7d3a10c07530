//! `index.json` of a layout: which tag names which manifest (image-spec, image-layout.md, "index.json file").
//! What others wrote into it is kept as it is.

use serde_json::{Map, Value, json};

use crate::model::{Descriptor, Tag, annotation, media_type};

/// The content of an `index.json`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Index(Map<String, Value>);

impl Index {
    /// One that names nothing.
    pub(super) fn empty() -> Self {
        let mut map = Map::new();
        map.insert("schemaVersion".to_owned(), json!(2));
        map.insert("mediaType".to_owned(), json!(media_type::OCI_INDEX));
        map.insert("manifests".to_owned(), json!([]));
        Self(map)
    }

    /// Reads one; the error says why it is none.
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

    /// What `tag` names: an error where its entry is no descriptor.
    pub(super) fn find(&self, tag: &Tag) -> Result<Option<Descriptor>, String> {
        let Some(entry) = self.entries().iter().find(|entry| name_of(entry) == Some(tag.as_str())) else {
            return Ok(None);
        };
        serde_json::from_value(entry.clone()).map(Some).map_err(|error| format!("tag `{tag}`: {error}"))
    }

    /// The tags, in order. Other names that programs put there are left out.
    pub(super) fn tags(&self) -> Vec<Tag> {
        self.entries().iter().filter_map(name_of).filter_map(|name| name.parse().ok()).collect()
    }

    /// Makes `tag` name `manifest`, in the place of the entry that it has now, if any.
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

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        Value::Object(self.0.clone()).to_string().into_bytes()
    }
}

fn name_of(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(annotation::REF_NAME)?.as_str()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Digest;

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
        let mut index = Index::parse(foreign.to_string().as_bytes()).expect("an index");
        assert_eq!(index.tags(), [tag("a")]);
        index.point(&tag("b"), &manifest(b"1"));
        index.point(&tag("a"), &manifest(b"22"));
        let read = Index::parse(&index.to_bytes()).expect("an index");
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
    fn what_is_no_index_is_said() {
        for text in ["", "[]", r#"{"manifests":{}}"#] {
            assert!(Index::parse(text.as_bytes()).is_err(), "{text}");
        }
        let mut bare = Index::parse(b"{}").expect("an index");
        assert!(bare.tags().is_empty());
        bare.point(&tag("a"), &manifest(b""));
        assert_eq!(bare.tags(), [tag("a")]);
        let entry = json!({ "manifests": [{ "annotations": { annotation::REF_NAME: "a" } }] }).to_string();
        assert!(Index::parse(entry.as_bytes()).expect("an index").find(&tag("a")).is_err());
    }

    proptest! {
        #[test]
        fn the_last_point_counts(moves in proptest::collection::vec((0_u8..4, any::<u8>()), 0..20)) {
            let mut index = Index::empty();
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
