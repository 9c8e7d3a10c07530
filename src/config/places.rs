//! Where each key and value of the merged configuration was written.

use std::ops::Range;

use crate::diagnostic::Place;

/// Where each key and value of the merged configuration was written, by path: `["tags", "version", "template"]`.
#[derive(Debug, Clone, Default)]
pub struct Places {}

impl Places {
    /// Where the value at `path` was written, in whichever layer gave it.
    pub fn value(&self, _path: &[&str]) -> Option<Place> {
        None
    }

    /// Where the key at `path` was written.
    pub fn key(&self, _path: &[&str]) -> Option<Place> {
        None
    }

    /// Where the bytes `range` of the string at `path` were written, through the escapes of TOML.
    pub fn inside(&self, _path: &[&str], _range: Range<usize>) -> Option<Place> {
        None
    }
}
