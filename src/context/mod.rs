//! The context of a run: the commit, the ref, the event, the pull request. It is plain data, gathered from git, the CI's
//! environment and the simulation flags. Tests build a [`Context`] by hand.

mod address;
mod ci;
mod data;
mod discover;
mod error;
mod event_payload;
mod git;
mod reference_format;
mod released;
mod simulate;

pub use ci::{CiFacts, read_ci};
pub use data::{Context, Environment};
pub use discover::Needs;
pub use error::ContextError;
pub use git::{GitError, TaggedCommit, descent, files};
pub use released::TaggedCommits;
pub use simulate::Flags;
