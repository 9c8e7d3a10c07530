//! The nouns of the crate, without I/O. Every module may import this one; it imports no other.
//!
//! Read them in this order: [`ResourceId`], [`content`], [`mod@plan`], [`outcome`], [`record`].

pub mod access;
pub mod catalogue;
mod compare;
pub mod content;
pub mod credential_use;
pub mod drift;
mod event;
pub mod forward;
pub mod gate;
mod key_path;
mod mutability;
pub mod optional;
pub mod outcome;
pub mod packaged;
mod partition;
pub mod plan;
pub mod problem;
mod reason;
pub mod record;
pub mod referrer;
mod resource;
pub mod retention;
mod secret_policy;
pub mod secret_search;
pub mod signing;
pub mod standing;
pub mod untagged;
pub mod verification;
pub mod version;
pub mod visibility;
pub mod words;

pub use compare::{AgreeingValue, Compare};
pub use content::{ContentSpec, ImagePin};
pub use event::EventName;
pub use key_path::{KeyPath, KeyPathError};
pub use mutability::{Mutability, OnConflict, OnSameImages, OnTagFailure};
pub use partition::{Partition, PartitionError};
pub use resource::{ResourceId, ResourceIdError, ResourceKind};
pub use visibility::Visibility;
