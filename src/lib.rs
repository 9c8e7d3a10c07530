//! Terraform for publishing container images and Helm charts: a `publish.toml` declares images, charts, registries and tag rules; the
//! engine compares them with what the registries hold, shows the difference as a plan, and applies it.
//!
//! Data flows through the modules in this order, which is also the order to read them in:
//!
//! ```text
//! publish.toml ─► config ─► desired ─► plan ─► apply ─► report
//!              context ─┘   observed ─┘
//!         (git, CI)      (registries)
//! ```
//!
//! - [`model`]: the nouns, without I/O; [`diagnostic`]: what went wrong, where, and what to do; [`advice`]: what an error of a
//!   crate means here.
//! - [`condition`]: conditions of gates, in CEL.
//! - [`config`]: `publish.toml` and its layers; [`context`]: git and the CI as plain data.
//! - [`checks`]: values that must agree before anything is published; [`content`]: exactly the content to publish.
//! - [`connections`]: the registries; [`mod@standing`]: which version a tag names; [`visibility`]: who may pull; [`mod@access`]: what the credentials may do.
//! - [`desired`]: what should be; [`observed`]: what is; [`mod@plan`]: the difference.
//! - [`screening`]: which content is searched for secrets; [`mod@verify`]: whether what was published still stands.
//! - [`mod@apply`]: carries out a plan; [`event`]: what happens meanwhile; [`report`]: what people and machines read.
//! - [`saved`]: plans and records as files; [`mod@init`]: a first `publish.toml`.
//! - [`run`]: one run from its first request to its last; [`cli`]: the command line.

pub mod diagnostic;
pub mod model;

pub mod access;
pub mod advice;
pub mod apply;
pub mod catalogue;
pub mod checks;
pub mod cli;
pub mod condition;
pub mod config;
pub mod connections;
pub mod content;
pub mod context;
pub mod desired;
pub mod event;
pub mod init;
pub mod observed;
pub mod plan;
pub mod report;
pub mod run;
pub mod saved;
pub mod screening;
pub mod signing;
pub mod standing;
pub mod verify;
pub mod visibility;
