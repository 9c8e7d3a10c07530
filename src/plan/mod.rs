//! The plan. [`diff`] makes it as a pure function of desired and observed. The plan of a [`Rollback`] is a function of
//! the record of an apply and of the observed tags, and that of a [`prune`] a function of the decisions of retentions.

mod decide;
mod diff;
mod prune;
mod rollback;
mod sending;
mod signatures;
mod visibility;

pub use diff::{PlanOrigin, diff};
pub use prune::{Pruned, prune};
pub use rollback::{Rollback, RollbackError};
