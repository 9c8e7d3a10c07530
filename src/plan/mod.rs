//! The plan. [`diff`] makes it as a pure function of desired and observed. The plan of a [`Rollback`] is a function of
//! the record of an apply and of the observed tags, and that of a [`prune`] a function of the decisions of retentions.

mod back_to_version;
mod decide;
mod diff;
mod prune;
mod rollback;
mod sending;
mod signatures;
mod visibility;

pub use back_to_version::{FloatingTag, VersionedRepository, WayBack, back_to_version, floating_tags};
pub use diff::{PlanOrigin, diff};
pub use prune::{Pruned, UntaggedManifests, prune};
pub use rollback::{Rollback, RollbackError};
