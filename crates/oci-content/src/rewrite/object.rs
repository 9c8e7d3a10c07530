//! JSON objects in which some members change, while all others keep their text.

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// An object whose members are kept as text, so that unknown members are not lost, numbers keep their digits, and the object takes
/// no more memory than its text. A new member comes last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Object(IndexMap<String, Box<RawValue>>);

impl Object {
    /// Parses `text` as an object.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// An object without members.
    pub(super) fn empty() -> Self {
        Self(IndexMap::new())
    }

    /// Whether the member `key` exists, even if it is `null`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The member `key`; `None` if it is absent or `null`.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, serde_json::Error> {
        self.0.get(key).map_or(Ok(None), |member| serde_json::from_str(member.get()))
    }

    /// Sets the member `key`. An existing member keeps its position.
    pub(super) fn set(&mut self, key: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.0.insert(key.to_owned(), to_raw_value(value)?);
        Ok(())
    }

    /// The object as a member of another.
    pub(super) fn to_member(&self) -> Result<Box<RawValue>, serde_json::Error> {
        to_raw_value(self)
    }

    /// The object as a document, without white space.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(compact(serde_json::to_vec(self)?))
    }
}

/// Removes the white space between the tokens of valid JSON, because kept members may have been written on many lines, and new
/// members are on one.
fn compact(mut json: Vec<u8>) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    json.retain(|byte| {
        if inside {
            (inside, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            return true;
        }
        inside = *byte == b'"';
        !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
    });
    json
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn members_that_are_not_set_keep_their_text_and_position() {
        let text = br#"{ "b" : [1.50, 18446744073709551616, "\u003c \" \\"] ,
            "a": null, "c": {"x" : "y  z"} }"#;
        let mut object = Object::parse(text).expect("an object");
        assert!(object.has("a") && !object.has("d"));
        assert_eq!(object.get::<String>("a").expect("null"), None);
        assert_eq!(object.get::<Object>("d").expect("absent").map(|it| it.has("x")), None);
        object.set("a", &7).expect("set");
        object.set("d", &["new"]).expect("set");
        let bytes = object.to_bytes().expect("text");
        let expected =
            r#"{"b":[1.50,18446744073709551616,"\u003c \" \\"],"a":7,"c":{"x":"y  z"},"d":["new"]}"#;
        assert_eq!(std::str::from_utf8(&bytes).expect("text"), expected);
        for other in ["", "[]", "1", "{", "{\"a\":1}x"] {
            assert!(Object::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn white_space_between_tokens_is_removed(strings in proptest::collection::vec(".*", 0..5), key in "[a-z\"\\\\ ]*") {
            let value: Value = serde_json::json!({ key: strings, "number": -1.5e3, "more": { "n": null } });
            let pretty = serde_json::to_vec_pretty(&value).expect("text");
            prop_assert_eq!(compact(pretty), serde_json::to_vec(&value).expect("text"));
        }
    }
}
