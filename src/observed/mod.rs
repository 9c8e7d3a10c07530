//! The content of the registries: what `publish` compares with what is desired, and what `rollback` and `retained` (a prune)
//! need to know. Registries are asked only about that, all at once.

mod publish;
mod referrers;
mod repository;
mod retained;
mod rollback;
mod same_images;
mod versions;

pub use publish::{Observed, observe};
pub use referrers::ObservedReferrers;
pub use repository::{ObservedRepository, ObservedTag};
pub use retained::{Listing, Removing, listing, removing, times};
pub use rollback::{StandingTags, TagQuestions, standing_tags};
