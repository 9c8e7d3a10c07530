//! Verifies that published content is still in place. Nothing is remembered outside the registries: the tags that a
//! registry lists determine the versions, and the rules determine the tags that those versions should have.
//!
//! The steps: [`places`] of the configuration, [`list`] their tags, [`expect`] the tags that should exist, [`observe`]
//! those that do, and [`compare`] the two. The `async` functions ask registries; the rest is pure.

mod compare;
mod content;
mod deep;
mod expected;
mod judge;
mod observe;
mod recorded;

pub use compare::compare;
pub use expected::{Expected, ExpectedRepository, Place, expect, places};
pub use observe::{Failure, Observed, ObservedRepository, list, observe};
pub use recorded::{Later, RecordedTag, add as add_record};
