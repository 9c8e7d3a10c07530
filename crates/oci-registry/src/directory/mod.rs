//! Registries in a directory: `oci:DIR`, with one OCI image layout per repository at `DIR/REPOSITORY/` (image-spec,
//! image-layout.md).
//!
//! A kill at any moment leaves a layout that can be read, and two processes do not corrupt each other's work: `draft`
//! writes files whole or not at all, and `lock` keeps other processes out while `index` changes. `layout` knows the
//! paths, `blobs` and `manifests` write the content, `referrers` lists the referrers of a manifest, `deletion` removes
//! content, `probe` checks whether these operations are possible, and `repository` and `registry` implement the registry traits. All
//! modules except these two block, and run on threads that may.

mod blobs;
mod deletion;
mod draft;
mod index;
mod layout;
mod lock;
mod manifests;
mod probe;
mod referrers;
mod registry;
mod repository;

use std::io;
use std::path::Path;

pub(crate) use registry::DirectoryRegistry;

use crate::error::{DirectoryProblem, RegistryError};

/// Returns the error for what the operating system says about `path`.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn error(path: &Path, cause: io::Error) -> RegistryError {
    wrong(path, DirectoryProblem::of(&cause), cause.to_string())
}

/// Returns an error about the file or directory at `path`.
fn wrong(path: &Path, problem: DirectoryProblem, reason: impl Into<String>) -> RegistryError {
    RegistryError::Directory { path: path.to_owned(), reason: reason.into(), problem }
}
