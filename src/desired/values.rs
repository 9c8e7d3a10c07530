//! The variables of a run as values for templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;

use super::version_value::VersionValue;
use crate::context::Context;
use crate::model::version::ReleaseVersion;
use crate::model::{ResourceId, ResourceKind};

/// Every variable that a template may use, except `vars.*` and `env.*`.
pub(super) const VARIABLES: [&str; 44] = [
    "artifact.name",
    "chart.name",
    "chart.version",
    "ci.name",
    "ci.repository",
    "ci.run_attempt",
    "ci.run_number",
    "event",
    "git.branch",
    "git.commit_time",
    "git.commits_since_tag",
    "git.default_branch",
    "git.describe",
    "git.dirty",
    "git.previous_tag",
    "git.ref",
    "git.sha",
    "git.short_sha",
    "git.tag",
    "image.name",
    "now",
    "pr.base",
    "pr.draft",
    "pr.fork",
    "pr.head",
    "pr.labels",
    "pr.number",
    "pr.target",
    "release.draft",
    "release.name",
    "release.prerelease",
    "trigger",
    "version",
    "version.build",
    "version.dev",
    "version.epoch",
    "version.is_development",
    "version.is_prerelease",
    "version.major",
    "version.minor",
    "version.patch",
    "version.post",
    "version.pre",
    "version.revision",
];

/// Variables that only some events have. A template that needs one does not apply to an event without it.
pub(super) const OF_EVENTS: [&str; 4] = ["version", "git.branch", "git.tag", "pr.number"];

/// The variable that holds the name of a resource of each kind.
const NAMES: [(ResourceKind, &str); 3] = [
    (ResourceKind::Image, "image.name"),
    (ResourceKind::Chart, "chart.name"),
    (ResourceKind::Artifact, "artifact.name"),
];

/// The reason why `image.name` has no value.
pub(super) const NO_IMAGE: &str = "the check names no image";

/// The values of a run, for one resource and version.
#[derive(Debug, Clone)]
pub(super) struct Values {
    fields: BTreeMap<&'static str, Value>,
    /// The version, for code that prints it into a tag.
    pub version: Option<ReleaseVersion>,
    /// The reasons why variables have no value, by name.
    pub absent: Arc<BTreeMap<&'static str, String>>,
}

impl Values {
    /// Returns the values of `context` for a resource, or for none.
    pub fn new(
        context: &Context,
        vars: &IndexMap<String, serde_json::Value>,
        id: Option<&ResourceId>,
    ) -> Self {
        let time = context.commit_time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let git = [
            ("sha", context.sha.clone().map(Value::from)),
            ("short_sha", context.short_sha().map(Value::from)),
            ("branch", context.branch.clone().map(Value::from)),
            ("tag", context.tag.clone().map(Value::from)),
            ("ref", context.reference.clone().map(Value::from)),
            ("commit_time", time.map(|time| Value::from(time.to_string()))),
            ("default_branch", context.default_branch.clone().map(Value::from)),
            ("dirty", context.dirty.map(Value::from)),
            ("describe", context.history.describe.clone().map(Value::from)),
            ("previous_tag", context.history.previous_tag.clone().map(Value::from)),
            ("commits_since_tag", context.history.commits_since_tag.map(Value::from)),
        ];
        let known = git.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pull = &context.pull;
        let head = pull.source.clone().or_else(|| context.branch.clone());
        let pull_request = [
            ("base", pull.target.clone().map(Value::from)),
            ("head", head.filter(|_| context.is_of_pull_request()).map(Value::from)),
            ("number", context.pull_request.map(Value::from)),
            ("target", pull.target.clone().map(Value::from)),
            ("fork", pull.fork.map(Value::from)),
            ("labels", pull.labels.clone().map(Value::from)),
            ("draft", pull.draft.map(Value::from)),
        ];
        let pull_request = pull_request.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let ci = [
            ("name", context.ci.clone().map(Value::from)),
            ("repository", context.repository.name.clone().map(Value::from)),
            ("run_number", context.run.number.map(Value::from)),
            ("run_attempt", context.run.attempt.map(Value::from)),
        ];
        let ci = ci.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let env = context.env.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
        let release = &context.release;
        let release_facts = [
            ("name", release.name.clone().map(Value::from)),
            ("prerelease", release.prerelease.map(Value::from)),
            ("draft", release.draft.map(Value::from)),
        ];
        let release_facts = release_facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut fields = BTreeMap::from([
            ("ci", Value::from_pairs(ci)),
            ("env", Value::from_pairs(env)),
            ("event", Value::from(context.event.as_str())),
            ("trigger", Value::from(context.trigger.as_str())),
            ("git", Value::from_pairs(known)),
            ("pr", Value::from_pairs(pull_request)),
            ("release", Value::from_pairs(release_facts)),
            (
                "vars",
                Value::from_pairs(
                    vars.iter()
                        .map(|(name, value)| (name.clone(), Value::from(minijinja::value::Serde(value)))),
                ),
            ),
        ]);
        let now = context.now.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        fields.extend(now.map(|now| ("now", Value::from(now.to_string()))));
        let values = Self { fields, version: None, absent: Arc::new(context.absent.clone()) };
        match id {
            Some(id) => values.with_resource(id),
            None => values,
        }
    }

    /// Returns the same values in another context.
    #[must_use]
    pub fn with_context(&self, context: &Context) -> Self {
        let mut values = Self::new(context, &IndexMap::new(), None);
        let names = ResourceKind::ALL.map(ResourceKind::noun);
        for kept in names.into_iter().chain(["vars", "version"]) {
            match self.fields.get(kept) {
                Some(value) => values.fields.insert(kept, value.clone()),
                None => values.fields.remove(kept),
            };
        }
        values.version.clone_from(&self.version);
        values
    }

    /// Returns the same values for another resource.
    #[must_use]
    pub fn with_resource(&self, id: &ResourceId) -> Self {
        let mut values = self.clone();
        let absent = Arc::make_mut(&mut values.absent);
        for (kind, variable) in NAMES {
            if kind == id.kind {
                let name = Value::from_pairs([("name", Value::from(id.name.as_str()))]);
                values.fields.insert(kind.noun(), name);
            } else {
                values.fields.remove(kind.noun());
                absent.insert(variable, format!("this is for {}", id.title()));
            }
        }
        absent
            .insert("chart.version", "only the `source` and the `annotations` of a chart have it".to_owned());
        values
    }

    /// Returns the same values for no resource.
    #[must_use]
    pub fn without_resource(&self) -> Self {
        let mut values = self.clone();
        for (kind, variable) in NAMES {
            values.fields.remove(kind.noun());
            Arc::make_mut(&mut values.absent).insert(variable, NO_IMAGE.to_owned());
        }
        values
    }

    /// Returns the same values of a chart, once its version is rendered.
    #[must_use]
    pub fn with_chart_version(&self, name: &str, version: &str) -> Self {
        let mut values = self.clone();
        let fields = [("name", Value::from(name)), ("version", Value::from(version))];
        values.fields.insert(ResourceKind::Chart.noun(), Value::from_pairs(fields));
        values
    }

    /// Returns the same values of a chart whose own version is not known, for this reason.
    #[must_use]
    pub fn without_chart_version(&self, reason: &str) -> Self {
        let mut values = self.clone();
        Arc::make_mut(&mut values.absent).insert("chart.version", reason.to_owned());
        values
    }

    /// Returns the same values for another version, or without a version and with the reason.
    #[must_use]
    pub fn with_version(&self, version: Result<ReleaseVersion, String>) -> Self {
        let mut values = self.clone();
        match version {
            Ok(version) => {
                values.fields.insert("version", Value::from_object(VersionValue(version.clone())));
                values.version = Some(version);
            }
            Err(reason) => {
                values.fields.remove("version");
                Arc::make_mut(&mut values.absent).insert("version", reason);
                values.version = None;
            }
        }
        values
    }

    /// Returns the same values at the git tag of `version`, if it is released by git tags that start with `prefix`.
    #[must_use]
    pub fn at_tag_of(&self, prefix: &str, version: &ReleaseVersion) -> Self {
        let mut values = self.with_version(Ok(version.clone()));
        let tag = format!("{prefix}{version}");
        let git =
            values.fields.get("git").and_then(|git| git.try_iter().ok().map(|names| (git.clone(), names)));
        let known = git.into_iter().flat_map(|(git, names)| {
            names.filter_map(move |name| Some((name.as_str()?.to_owned(), git.get_item(&name).ok()?)))
        });
        let kept = known.filter(|(name, _)| name != "tag" && name != "ref");
        let named = [
            ("ref".to_owned(), Value::from(format!("refs/tags/{tag}"))),
            ("tag".to_owned(), Value::from(tag)),
        ];
        values.fields.insert("git", Value::from_pairs(kept.chain(named)));
        values
    }

    /// Converts the values for minijinja.
    pub fn to_value(&self) -> Value {
        Value::from_pairs(self.fields.iter().map(|(name, value)| (*name, value.clone())))
    }
}
