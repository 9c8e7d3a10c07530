//! The nouns of the crate, without I/O. Every module may import this one; it imports no other.
//!
//! Read them in this order: [`Digest`], [`Descriptor`], [`manifest`], [`mod@reference`], [`plan`].

pub mod access;
pub mod annotation;
mod api_url;
mod compare;
pub mod content;
mod descriptor;
mod digest;
pub mod drift;
mod endpoint;
mod event;
pub mod forward;
pub mod inventory;
mod key_path;
pub mod manifest;
pub mod media_type;
mod mutability;
pub mod outcome;
pub mod plan;
mod platform;
mod provider;
mod reason;
pub mod record;
pub mod reference;
pub mod referrer;
pub mod remote;
mod resource;
pub mod retention;
mod secret;
pub mod secret_search;
pub mod source;
mod tag;
pub mod tar_header;
pub mod verification;
pub mod visibility;

pub use api_url::{ApiUrl, ApiUrlError};
pub use compare::Compare;
pub use content::ContentSpec;
pub use descriptor::Descriptor;
pub use digest::{Digest, DigestError, Digester};
pub use event::EventName;
pub use key_path::{KeyPath, KeyPathError};
pub use manifest::{Manifest, ManifestError, RawManifest};
pub use mutability::{Mutability, OnConflict};
pub use platform::{Platform, PlatformError};
pub use provider::Provider;
pub use reference::{RegistryLocation, RepositoryName, TagOrDigest};
pub use referrer::Referrer;
pub use resource::{ResourceId, ResourceIdError, ResourceKind};
pub use secret::Severity;
pub use source::{SourceSpec, SourceSpecError, TransportSpec};
pub use tag::{Tag, TagError};
pub use visibility::Visibility;
