//! Whether what was published still stands. The registry is the state, so nothing else is remembered: the tags that a
//! registry lists say which versions there are, and the rules which tags those should have.
//!
//! The way through: [`places`] of the configuration, [`list`] their tags, [`expect`] what should stand, [`observe`] what
//! does, and [`compare`] the two. What is `async` asks registries; the rest is pure.

mod compare;
mod content;
mod deep;
mod expected;
mod judge;
mod observe;
mod recorded;

pub use compare::compare;
pub use expected::{Expected, ExpectedRepository, Place, expect, places};
pub use observe::{Connection, Failure, Observed, ObservedRepository, list, observe};
pub use recorded::{Later, RecordedTag, add as add_record};
