//! `annotations` of a resource, combined with those of `[project]`.

use crate::config::{Annotations, raw};

/// The annotations to write. `standard` says whether the project asks for the standard ones. A resource that `travels` is
/// published unchanged, because it comes from a registry or because its signatures go with it. It gets annotations only if it
/// declares them itself, because they would change its digest.
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
