//! The content of the registries: what `publish` compares with what is desired, and what `rollback` and `retained` (a prune)
//! need to know. Registries are asked only about that, all at once.

mod publish;
mod referrers;
mod repository;
mod retained;
mod rollback;
mod same_images;
mod signatures;
mod version_tags;
mod versions;

pub use publish::{Observed, observe};
pub use referrers::ObservedReferrers;
pub use repository::{ObservedRepository, ObservedTag};
pub use retained::{Listing, Removing, containing, listing, removing, times, whole_inventory};
pub use rollback::{StandingTags, TagQuestions, standing_tags};
pub use signatures::{ObservedSignature, SignerKeys};
pub use version_tags::{RepositoryPlace, VersionQuestions, VersionTags, list_tags, version_tags};
