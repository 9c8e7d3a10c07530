//! The event payload that GitHub writes for a job, reduced to the few fields that the environment does not contain.

use std::path::Path;

use serde_json::Value;

use super::error::ContextError;

/// The largest payload that is read, in bytes; GitHub's limit is 25 MB.
const MAX_SIZE: u64 = 25 * 1024 * 1024;

/// The fields of a payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Payload {
    /// `action`: `closed`, `published`.
    pub action: Option<String>,
    /// `deleted` of a push: whether the ref was deleted.
    pub deleted: bool,
    /// `pull_request.number`.
    pub pull_request: Option<u64>,
    /// `pull_request.head.sha`. The environment has the commit of a temporary merge instead.
    pub head_sha: Option<String>,
    /// `pull_request.head.ref`.
    pub head_branch: Option<String>,
    /// `release.tag_name`.
    pub release_tag: Option<String>,
    /// `repository.default_branch`.
    pub default_branch: Option<String>,
}

impl Payload {
    /// Reads the fields of `json`. A field of another type counts as missing.
    pub fn from_json(json: &Value) -> Self {
        let text = |pointer: &str| {
            json.pointer(pointer).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned)
        };
        Self {
            action: text("/action"),
            deleted: json.pointer("/deleted").and_then(Value::as_bool).unwrap_or_default(),
            pull_request: json.pointer("/pull_request/number").and_then(Value::as_u64),
            head_sha: text("/pull_request/head/sha"),
            head_branch: text("/pull_request/head/ref"),
            release_tag: text("/release/tag_name"),
            default_branch: text("/repository/default_branch"),
        }
    }

    /// Reads the file that `GITHUB_EVENT_PATH` names.
    pub fn read(path: &Path) -> Result<Self, ContextError> {
        let error = |reason: String| ContextError::Payload { path: path.to_owned(), reason };
        let size = std::fs::metadata(path).map_err(|cause| error(cause.to_string()))?.len();
        if size > MAX_SIZE {
            return Err(error(format!("it has {size} bytes, more than 25 MiB")));
        }
        let bytes = std::fs::read(path).map_err(|cause| error(cause.to_string()))?;
        let json: Value = serde_json::from_slice(&bytes).map_err(|cause| error(cause.to_string()))?;
        Ok(Self::from_json(&json))
    }
}
