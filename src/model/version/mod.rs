//! Versions in the form that a project gives them: semantic versions, calendar versions, those of PEP 440, loose ones, or those of
//! a pattern. A version keeps the text that it was read from, and compares in the order of its scheme.

mod cursor;
mod describe;
mod form;
mod loose;
mod order;
mod parts;
mod pattern;
mod pep440;
mod release;
mod sample;
mod scheme;
mod semantic;

pub use form::{ReleaseForm, ReleaseTagText};
pub use parts::{VersionError, VersionParts};
pub use pattern::{PatternError, VersionPattern};
pub use release::ReleaseVersion;
pub use sample::SampleVersions;
pub use scheme::{SchemeName, SchemePattern, SchemeText, VersionScheme};
