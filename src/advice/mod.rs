//! Diagnostics for the errors of registries, sources and charts: their codes, their messages and their helps.
//!
//! The crates below return errors as data. Here each becomes a [`Diagnostic`](crate::diagnostic::Diagnostic), once, with a
//! help. `registry` has the general advice about registries, and `credentials` that about credentials; `other_host` knows the
//! failures that are not the registry's own, and `manifest` the refusals of manifests; `github` and `create_first` know the
//! refusals of single registries.

pub mod chart;
mod content;
mod create_first;
mod credentials;
mod github;
mod manifest;
mod other_host;
mod registry;

pub use registry::deletes_nothing;

#[cfg(test)]
mod tests;
