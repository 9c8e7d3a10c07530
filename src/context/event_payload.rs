//! The event payload that GitHub, Gitea and Forgejo write for a job, reduced to the few fields that the environment does not
//! contain.

use std::path::Path;

use serde_json::Value;

use super::error::ContextError;
use super::facts::RepositoryFacts;

/// The largest payload that is read, in bytes; GitHub's limit is 25 MB.
const MAX_SIZE: u64 = 25 * 1024 * 1024;

/// The fields of a payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EventPayload {
    /// `action`: `closed`, `published`.
    pub action: Option<String>,
    /// `deleted` of a push: whether the ref was deleted.
    pub deleted: bool,
    /// `pull_request`.
    pub pull_request: PayloadPullRequest,
    /// `release.tag_name`.
    pub release_tag: Option<String>,
    /// `release.name`.
    pub release_name: Option<String>,
    /// `release.prerelease`.
    pub prerelease: Option<bool>,
    /// `release.draft`.
    pub draft_release: Option<bool>,
    /// `repository.default_branch`.
    pub default_branch: Option<String>,
    /// `repository`: what it says of itself.
    pub repository: RepositoryFacts,
    /// `merge_group.base_ref`, a full ref.
    pub merge_base: Option<String>,
    /// `workflow_run.head_sha`: the environment has the last commit of the default branch instead.
    pub workflow_sha: Option<String>,
    /// `workflow_run.head_branch`.
    pub workflow_branch: Option<String>,
    /// The commits of the payload with their times: `head_commit`, `commits`, `workflow_run.head_commit`.
    pub commits: Vec<(String, String)>,
}

/// The fields of `pull_request`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PayloadPullRequest {
    /// `number`.
    pub number: Option<u64>,
    /// `head.sha`. The environment has the commit of a temporary merge instead.
    pub head_sha: Option<String>,
    /// `head.ref`.
    pub head_branch: Option<String>,
    /// `base.ref`.
    pub base_branch: Option<String>,
    /// Whether `head.repo` is another repository than `base.repo`, or gone.
    pub fork: Option<bool>,
    /// `labels`, by name.
    pub labels: Option<Vec<String>>,
    /// `draft`.
    pub draft: Option<bool>,
}

impl EventPayload {
    /// Reads the fields of `json`. A field of another type counts as missing.
    pub fn from_json(json: &Value) -> Self {
        let text = |pointer: &str| text(json, pointer);
        let flag = |pointer: &str| json.pointer(pointer).and_then(Value::as_bool);
        let several = json.pointer("/commits").and_then(Value::as_array);
        let commits = ["/head_commit", "/workflow_run/head_commit"].iter().filter_map(|it| json.pointer(it));
        let commits = commits.chain(several.into_iter().flatten());
        Self {
            action: text("/action"),
            deleted: flag("/deleted").unwrap_or_default(),
            pull_request: json.pointer("/pull_request").map(pull_request).unwrap_or_default(),
            release_tag: text("/release/tag_name"),
            release_name: text("/release/name"),
            prerelease: flag("/release/prerelease"),
            draft_release: flag("/release/draft"),
            default_branch: text("/repository/default_branch"),
            repository: RepositoryFacts {
                name: text("/repository/full_name"),
                address: text("/repository/html_url"),
                description: text("/repository/description"),
                // GitHub writes NOASSERTION for a licence that it does not recognize.
                license: text("/repository/license/spdx_id").filter(|it| it != "NOASSERTION"),
                homepage: text("/repository/homepage"),
            },
            merge_base: text("/merge_group/base_ref"),
            workflow_sha: text("/workflow_run/head_sha"),
            workflow_branch: text("/workflow_run/head_branch"),
            commits: commits.filter_map(commit).collect(),
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

    /// The time of the commit `sha`, if the payload has it.
    pub fn time_of(&self, sha: &str) -> Option<&str> {
        self.commits.iter().find(|(id, _)| id.eq_ignore_ascii_case(sha)).map(|(_, time)| time.as_str())
    }
}

fn text(json: &Value, pointer: &str) -> Option<String> {
    json.pointer(pointer).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned)
}

fn pull_request(json: &Value) -> PayloadPullRequest {
    let repository = |side: &str| {
        let name = text(json, &format!("/{side}/repo/full_name")).map(|name| name.to_ascii_lowercase());
        let id = || json.pointer(&format!("/{side}/repo/id")).map(Value::to_string);
        name.or_else(id)
    };
    let fork = match (repository("head"), repository("base")) {
        (Some(head), Some(base)) => Some(head != base),
        // The repository of a fork that was deleted is null.
        (None, Some(_)) if json.pointer("/head/repo").is_some_and(Value::is_null) => Some(true),
        _ => None,
    };
    let labels = json.pointer("/labels").and_then(Value::as_array);
    PayloadPullRequest {
        number: json.pointer("/number").and_then(Value::as_u64),
        head_sha: text(json, "/head/sha"),
        head_branch: text(json, "/head/ref"),
        base_branch: text(json, "/base/ref"),
        fork,
        labels: labels.map(|labels| labels.iter().filter_map(|label| text(label, "/name")).collect()),
        draft: json.pointer("/draft").and_then(Value::as_bool),
    }
}

fn commit(json: &Value) -> Option<(String, String)> {
    Some((text(json, "/id")?, text(json, "/timestamp")?))
}
