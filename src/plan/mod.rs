//! The plan: [`diff`] makes it, a pure function of what is desired and what is observed. That of a [`Rollback`] is one of
//! the record of an apply and of what is observed, and that of a [`prune`] one of what retentions decide.

mod decide;
mod diff;
mod prune;
mod rollback;
mod sending;
mod visibility;

pub use diff::{Origin, diff};
pub use prune::{Pruned, prune};
pub use rollback::{Rollback, RollbackError};
