//! `[retention]` as written: the tags that `prune` may remove.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{NonEmptyText, OneOrMany, count};
use crate::model::retention::AgeFrom;

/// The tags that `prune` may remove, and the condition: those of `rule` or `match`, by `on`, or by `keep_last` and
/// `older_than`. `[retention.untagged]` without `rule` and `match` is about the manifests that have no tag.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Retention")]
pub(in crate::config) struct RawRetention {
    /// The tag rule whose tags it applies to: exactly those that the rule can render. Give this or `match`.
    #[schemars(length(min = 1), extend("examples" = ["pr"]))]
    pub rule: Option<String>,
    /// Globs of the tags that it applies to: one, or a list; `*` matches any text. Give this or `rule`.
    #[schemars(extend("examples" = ["sha-*", ["sha-*", "build-*"]]))]
    pub r#match: Option<OneOrMany<NonEmptyText>>,
    /// The event that removes the tags that belong to it: those of the pull request that was closed.
    #[schemars(extend("examples" = ["pull_request_closed"]))]
    pub on: Option<RetentionEvent>,
    /// How many of the newest tags stay: by version if the rule renders the full version, otherwise by time.
    #[serde(default)] // Otherwise the schema would require it.
    #[schemars(schema_with = "count", extend("examples" = [50]))]
    pub keep_last: Option<serde_json::Number>,
    /// The greatest age of a tag, in hours, days or weeks. With `keep_last`, only tags beyond the newest are removed.
    #[schemars(length(min = 1), extend("examples" = ["30d", "12h", "6w"]))]
    pub older_than: Option<String>,
    /// How many of the newest versions of each minor line stay: 1.2.5 and 1.2.4, 1.3.1 and 1.3.0. For tags that are versions.
    #[serde(default)]
    #[schemars(schema_with = "count", extend("examples" = [3]))]
    pub keep_per_minor: Option<serde_json::Number>,
    /// Tags that stay besides: those that the rules render for the git tags, or for the branches, that still exist. Without a
    /// limit, all others of the retention are removed.
    #[schemars(extend("examples" = [["git_tags", "branches"]]))]
    pub keep: Option<OneOrMany<RetentionKeep>>,
    /// Files that name images that are still in use: `file:PATH`, with one reference on each line, or the JSON of
    /// `kubectl get pods -A -o json`. The named images stay.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["file:deployed.txt"]]))]
    pub in_use: Option<Vec<String>>,
    /// The start of the age: when the registry got the tag, or when the image was made. Default: `"publication"`.
    #[schemars(extend("default" = "publication", "examples" = ["creation"]))]
    pub age_from: Option<AgeFrom>,
    /// The images whose repositories it applies to, by name. Default, if charts and artifacts are not named either: all that
    /// use the rule; with `match`, all.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["brokkr-broker"]]))]
    pub images: Option<Vec<String>>,
    /// The charts whose repositories it applies to, by name.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["brokkr-broker"]]))]
    pub charts: Option<Vec<String>>,
    /// The artifacts whose repositories it applies to, by name.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["sbom"]]))]
    pub artifacts: Option<Vec<String>>,
    /// The registries that it applies to, by name. Default: all registries of each image.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["ghcr"]]))]
    pub registries: Option<Vec<String>>,
}

/// The git refs whose tags stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum RetentionKeep {
    /// The git tags that exist.
    GitTags,
    /// The branches that exist.
    Branches,
}

/// An event that removes the tags that belong to it.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum RetentionEvent {
    /// A pull or merge request was merged or closed.
    PullRequestClosed,
}
