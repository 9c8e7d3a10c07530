//! `annotations` of what is published, beside those of `[project]`.

use crate::config::{Annotations, raw};

/// What is to be written; `standard` is what the project says.
pub(super) fn check(raw: Option<raw::Annotations>, standard: bool) -> Annotations {
    match raw {
        None => Annotations { standard, ..Annotations::default() },
        Some(raw::Annotations::Word(word)) => {
            Annotations { standard: word == raw::Word::Standard, ..Annotations::default() }
        }
        Some(raw::Annotations::Table(own)) => Annotations { standard, own },
    }
}
