//! `annotations` of what is published, beside those of `[project]`.

use crate::config::{Annotations, raw};

/// What is to be written; `standard` is what the project says. What `travels` as it is, because it comes from a registry or
/// because signatures of it go with it, gets annotations only by its own word: they would give it another digest.
pub(super) fn check(raw: Option<raw::Annotations>, standard: bool, travels: bool) -> Annotations {
    match raw {
        None if travels => Annotations::default(),
        None => Annotations { standard, source: true, ..Annotations::default() },
        Some(raw::Annotations::Word(raw::Word::None)) => Annotations::default(),
        Some(raw::Annotations::Word(raw::Word::Standard)) => {
            Annotations { standard: true, source: true, ..Annotations::default() }
        }
        Some(raw::Annotations::Table(own)) => Annotations { standard, source: true, own },
    }
}
