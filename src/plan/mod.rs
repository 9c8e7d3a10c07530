//! The plan: [`diff`] makes it, a pure function of what is desired and what is observed.

mod decide;
mod diff;
mod sending;

pub use diff::{Origin, diff};
