//! The plan: [`diff`] makes it, a pure function of what is desired and what is observed; [`mod@file`] saves and loads it.

mod decide;
mod diff;
pub mod file;
mod sending;
mod target;

pub use diff::{Origin, diff};
pub use target::{TargetError, retain};
