//! The files that `package` writes.

use serde::Serialize;

use super::ResourceId;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackagedFile {
    /// The address of the resource: `charts.broker`.
    #[serde(serialize_with = "as_text")]
    pub resource: ResourceId,
    /// The path of the file, relative to the working directory.
    pub path: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// The digest of the file.
    pub sha256: String,
    /// The digest of the manifest that an apply would publish.
    pub digest: String,
}

fn as_text<S: serde::Serializer>(resource: &ResourceId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(resource)
}
