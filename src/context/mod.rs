//! The context of a run: the commit, the ref, the event, the pull request. It is plain data, gathered from git, the CI's
//! environment and the simulation flags. Tests build a [`Context`] by hand.

mod address;
mod ci;
mod commit;
mod data;
mod discover;
mod error;
mod event_payload;
mod existing_refs;
mod facts;
mod git;
mod in_ci;
mod needs;
mod reference_format;
mod release_tags;
mod released;
mod revisions;
mod simulate;
mod work_tree;

pub use ci::{CiFacts, read_ci};
pub use commit::CommitUse;
pub use data::{Context, Environment, WorkTree};
pub(crate) use discover::NO_CLOCK;
pub use error::{ContextDoubt, ContextError};
pub use existing_refs::{GitRef, existing_refs};
pub use facts::{HistoryFacts, PullRequestFacts, ReleaseFacts, RepositoryFacts, RunFacts, Trigger};
pub use git::{GitError, TaggedCommit, descent, files, newest_tags};
pub use needs::Needs;
pub use release_tags::ReleaseTags;
pub use released::TaggedCommits;
pub use simulate::Flags;
pub use work_tree::{FolderFiles, folder_files, last_change, tracked_files};
