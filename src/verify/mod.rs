//! Verifies that published content is still in place. Nothing is remembered outside the registries: the tags that a
//! registry lists determine the versions, and the rules determine the tags that those versions should have.
//!
//! The steps: find the [`declared_repositories`], [`list`] their tags, [`expect`] the tags that should exist, [`observe`] those
//! that do, and [`compare`] the two. The `async` functions ask registries; the rest is pure.

mod chart_images;
mod compare;
mod content;
mod deep;
mod expect;
mod expected;
mod judge;
mod observe;
mod recorded;
mod signatures;

pub use chart_images::observe_images;
pub use compare::compare;
pub use expect::{ListedRepository, declared_repositories, expect};
pub use expected::{DeclaredRepository, Expected, ExpectedRepository, Later, RecordedTag};
pub use observe::{ComparedRepository, Comparison, PresentContent, RepositoryConnections, list, observe};
pub use recorded::add_record;
pub use signatures::{SignatureRules, SignerKeys};
