//! What people and machines read. Nothing else in the crate prints.

pub mod diagnostics;
