//! What templates can name: the variables of a run as template values.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};
use semver::Version;

use crate::context::Context;

/// Every variable that a template may name, `vars.*` aside.
pub(super) const VARIABLES: [&str; 17] = [
    "event",
    "git.branch",
    "git.commit_time",
    "git.default_branch",
    "git.dirty",
    "git.ref",
    "git.sha",
    "git.short_sha",
    "git.tag",
    "image.name",
    "pr.number",
    "version",
    "version.build",
    "version.major",
    "version.minor",
    "version.patch",
    "version.pre",
];

/// Why `image.name` has no value.
pub(super) const NO_IMAGE: &str = "the check names no image";

/// A version in templates: prints in full, and has its parts.
#[derive(Debug)]
struct VersionValue(Version);

impl Object for VersionValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "major" => self.0.major.into(),
            "minor" => self.0.minor.into(),
            "patch" => self.0.patch.into(),
            "pre" => self.0.pre.as_str().into(),
            "build" => self.0.build.as_str().into(),
            _ => return None,
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The values of a run, for one image and version.
#[derive(Debug, Clone)]
pub(super) struct Values {
    fields: BTreeMap<&'static str, Value>,
    /// The version, for what prints it into a tag.
    pub version: Option<Version>,
    /// Why a variable has no value, by its name.
    pub absent: Arc<BTreeMap<&'static str, String>>,
}

impl Values {
    /// The values of `context` for `image`.
    pub fn new(context: &Context, vars: &IndexMap<String, serde_json::Value>, image: &str) -> Self {
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
        ];
        let known = git.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pull_request = context.pull_request.map(|number| ("number", Value::from(number)));
        let fields = BTreeMap::from([
            ("event", Value::from(context.event.as_str())),
            ("git", Value::from_pairs(known)),
            ("pr", Value::from_pairs(pull_request)),
            ("image", Value::from_pairs([("name", Value::from(image))])),
            (
                "vars",
                Value::from_pairs(
                    vars.iter()
                        .map(|(name, value)| (name.clone(), Value::from(minijinja::value::Serde(value)))),
                ),
            ),
        ]);
        Self { fields, version: None, absent: Arc::new(context.absent.clone()) }
    }

    /// The same values in another context.
    #[must_use]
    pub fn with_context(&self, context: &Context) -> Self {
        let mut values = Self::new(context, &IndexMap::new(), "");
        for kept in ["image", "vars", "version"] {
            match self.fields.get(kept) {
                Some(value) => values.fields.insert(kept, value.clone()),
                None => values.fields.remove(kept),
            };
        }
        values.version.clone_from(&self.version);
        values
    }

    /// The same values for another image.
    #[must_use]
    pub fn with_image(&self, image: &str) -> Self {
        let mut values = self.clone();
        values.fields.insert("image", Value::from_pairs([("name", Value::from(image))]));
        values
    }

    /// The same values for no image.
    #[must_use]
    pub fn without_image(&self) -> Self {
        let mut values = self.clone();
        values.fields.remove("image");
        Arc::make_mut(&mut values.absent).insert("image.name", NO_IMAGE.to_owned());
        values
    }

    /// The same values for another version, or for none and why.
    #[must_use]
    pub fn with_version(&self, version: Result<Version, String>) -> Self {
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

    /// As minijinja takes them.
    pub fn to_value(&self) -> Value {
        Value::from_pairs(self.fields.iter().map(|(name, value)| (*name, value.clone())))
    }
}
