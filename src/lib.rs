//! Terraform for publishing container images: a `publish.toml` declares images, registries and tag rules; the
//! engine compares that with what the registries hold, shows the difference as a plan, and applies it.
//!
//! The modules in the order in which data flows, which is also the order to read them in:
//!
//! ```text
//! publish.toml ─► config ─► desired ─► plan ─► apply ─► report
//!              context ─┘   observed ─┘
//!         (git, CI)      (registries)
//! ```

pub mod diagnostic;
pub mod model;

pub mod apply;
pub mod cli;
pub mod config;
pub mod context;
pub mod desired;
pub mod engine;
pub mod event;
pub mod observed;
pub mod plan;
pub mod registry;
pub mod report;
pub mod source;
pub mod visibility;
