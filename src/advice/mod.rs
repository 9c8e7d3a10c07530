//! What the errors of registries, sources and charts mean for the user of this program, and what to do about them.
//!
//! The crates below return errors as data. Here each becomes a [`Diagnostic`](crate::diagnostic::Diagnostic), once, with a
//! help. `registry` has the general advice about registries; `github` and `create_first` know what single registries mean.

pub mod chart;
mod content;
mod create_first;
mod credentials;
mod github;
mod registry;

pub use registry::deletes_nothing;

#[cfg(test)]
mod tests;
