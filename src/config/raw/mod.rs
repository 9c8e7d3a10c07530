//! The shape of `publish.toml` as written. The JSON Schema is generated from these types, and editors show their comments.
//! Nothing is checked here; `check` turns them into the types of the domain.
//!
//! Every key is optional here, so that one mistake does not hide another. The schema says which keys are required.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::model::version::SchemeText;
use crate::model::{Compare, OnSameImages, OnTagFailure, Visibility};
pub(super) use gate::{RawGate, RawMostVulnerabilities, RawVulnerabilities};
use oci_registry::Provider;
pub(super) use resource::{
    RawArtifact, RawArtifactFile, RawChart, RawChartImage, RawDescription, RawImage, RawPinnedImage,
    RawSource, Word,
};
pub(super) use retention::{RawRetention, RetentionEvent, RetentionKeep};
pub(super) use secrets::RawSecrets;
pub(super) use signing::{RawApproval, RawAttest, RawKeyless, RawSigner, RawVerify};
pub(super) use tag_rule::{RawTagRule, WhenEmpty};

mod gate;
mod resource;
mod retention;
mod secrets;
mod signing;
mod tag_rule;

/// The configuration of `brokkr-publish`: what to publish, where to, and under which tags.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "publish.toml")]
#[allow(dead_code)] // `version` and `profile` are for the schema.
#[schemars(rename = "File")]
pub(super) struct RawConfig {
    /// The version of this language. Always 1.
    #[schemars(required, schema_with = "version", extend("examples" = [1]))]
    pub version: Option<u32>,
    /// The project as a whole.
    pub project: Option<RawProject>,
    /// Values for templates, which read them as `vars.NAME`. Names consist of letters, digits and `_`.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }, "examples" = [{ "channel": "stable" }]))]
    pub vars: Option<IndexMap<String, Variable>>,
    /// The registries to publish to, by a name of your choice.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub registries: Option<IndexMap<String, RawRegistry>>,
    /// The tag rules, by a name of your choice. They say which tags an event of git makes.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub tags: Option<IndexMap<String, RawTagRule>>,
    /// The images to publish, by name; the name is the repository, unless `repository` says otherwise. A name with `*` stands for
    /// one image for each file that `each` matches.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9*][A-Za-z0-9._/*-]*$" }))]
    pub images: Option<IndexMap<String, RawImage>>,
    /// The Helm charts to publish, by name; `charts/NAME` is the repository, unless `repository` says otherwise. A name with `*`
    /// stands for one chart for each directory that `source` matches.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9*][A-Za-z0-9._/*-]*$" }))]
    pub charts: Option<IndexMap<String, RawChart>>,
    /// Other files to publish, by name; the name is the repository, unless `repository` says otherwise.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$" }))]
    pub artifacts: Option<IndexMap<String, RawArtifact>>,
    /// The gates that images of registries must pass before they are published here, by a name of your choice.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub gates: Option<IndexMap<String, RawGate>>,
    /// The signers, by a name of your choice.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub signing: Option<IndexMap<String, RawSigner>>,
    /// The behavior of `apply`.
    pub apply: Option<Apply>,
    /// The behavior of `verify`.
    pub verify: Option<RawVerify>,
    /// The search for secrets in the content that is sent.
    pub secrets: Option<RawSecrets>,
    /// Lockstep checks: the plan fails unless these values in files agree with the git tag.
    pub checks: Option<Vec<RawCheck>>,
    /// The tags that `prune` may remove, by a name of your choice. Without such a table it removes nothing.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub retention: Option<IndexMap<String, RawRetention>>,
    /// Overlays, by name: `--profile NAME` merges the tables of `[profile.NAME]` over those of the file.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub profile: Option<IndexMap<String, Profile>>,
}

/// Differences from the file under `--profile NAME`. Tables are merged key by key; lists and other values are replaced as a
/// whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // For the schema: overlays are merged before anything is read.
pub(super) struct Profile {
    /// Differences in `[project]`.
    pub project: Option<RawProject>,
    /// Differences in `[vars]`.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" }))]
    pub vars: Option<IndexMap<String, Variable>>,
    /// Differences in `[registries.*]`, and more registries.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub registries: Option<IndexMap<String, RawRegistry>>,
    /// Differences in `[tags.*]`, and more tag rules.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub tags: Option<IndexMap<String, RawTagRule>>,
    /// Differences in `[images.*]`, and more images.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$" }))]
    pub images: Option<IndexMap<String, RawImage>>,
    /// Differences in `[charts.*]`, and more charts.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$" }))]
    pub charts: Option<IndexMap<String, RawChart>>,
    /// Differences in `[artifacts.*]`, and more artifacts.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$" }))]
    pub artifacts: Option<IndexMap<String, RawArtifact>>,
    /// Differences in `[gates.*]`, and more gates.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub gates: Option<IndexMap<String, RawGate>>,
    /// Differences in `[signing.*]`, and more signers.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub signing: Option<IndexMap<String, RawSigner>>,
    /// Differences in `[apply]`.
    pub apply: Option<Apply>,
    /// Differences in `[verify]`.
    pub verify: Option<RawVerify>,
    /// Differences in `[secrets]`.
    pub secrets: Option<RawSecrets>,
    /// Checks that replace those of the file; `[]` for none.
    pub checks: Option<Vec<RawCheck>>,
    /// Differences in `[retention.*]`, and more retentions.
    #[schemars(extend("propertyNames" = { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$" }))]
    pub retention: Option<IndexMap<String, RawRetention>>,
}

/// The project as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Project")]
pub(super) struct RawProject {
    /// The address of the source repository. It becomes the annotation `org.opencontainers.image.source` of everything that
    /// does not declare that annotation itself.
    #[schemars(length(min = 1), extend("examples" = ["https://github.com/colliery-io/brokkr"]))]
    pub source: Option<String>,
    /// The prefix of git tags that mark a release: `v` for `v1.2.3`, `broker/v` in a monorepo; or a list of them. An image may have
    /// its own.
    #[schemars(extend("default" = "v", "examples" = ["v", "broker/v", ["v", ""]]))]
    pub tag_prefix: Option<OneOrMany<String>>,
    /// The form of versions: `"semver"`, `"calver"` such as 2024.04.1, `"pep440"`, `"loose"` for any number of numbers, or a pattern
    /// whose groups name the parts. An image may have its own.
    #[schemars(extend("default" = "semver", "examples" = ["calver", { "pattern": "(?P<major>[0-9]+)_(?P<minor>[0-9]+)" }]))]
    pub version_scheme: Option<SchemeText>,
    /// Globs of git tags on which nothing has to be published, such as `docs-v*` of another component of the repository: one, or
    /// a list. A run on any other git tag that publishes nothing fails. Default: none.
    #[schemars(extend("examples" = ["docs-v*", ["docs-v*", "website/**"]]))]
    pub silent_tags: Option<OneOrMany<NonEmptyText>>,
    /// Versions that are taken back: forward tags, `verify` and retentions treat them as not there, and a run that publishes one
    /// of them moves and creates no tag. `broker/v1.2.4` withdraws a version only of what has this prefix. Default: none.
    #[schemars(inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["1.2.4"]]))]
    pub withdrawn: Option<Vec<String>>,
    /// Whether a chart, a check or a version file is read from a work tree that is not the commit being published: because
    /// tracked files differ from it, or because another commit is checked out. Default: that is an error.
    #[schemars(extend("default" = false))]
    pub allow_dirty: Option<bool>,
    /// The action if an immutable tag names an index of the same images, of which only the attestations differ, as after a
    /// second build of one commit: `"keep"` keeps the digest published first, and the other tags of the run follow it; `"fail"`
    /// treats the two as different content.
    #[schemars(extend("default" = "keep"))]
    pub same_images: Option<OnSameImages>,
    /// The default branch, for CIs that do not name it and clones that do not know it.
    #[schemars(length(min = 1), extend("examples" = ["main"]))]
    pub default_branch: Option<String>,
    /// A file that holds the version. Default: the git tag of the event.
    pub version: Option<RawVersionFile>,
    /// The clock that templates may read: `"wall"` allows `now`, the time of the run. Default: `"commit"`, so that the same commit
    /// renders the same tags.
    #[schemars(extend("default" = "commit", "examples" = ["wall"]))]
    pub clock: Option<Clock>,
    /// The names of the environment variables that templates may read, as `env.NAME`. Default: none.
    #[schemars(inner(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$")), extend("uniqueItems" = true, "examples" = [["BUILD_FLAVOR"]]))]
    pub env: Option<Vec<String>>,
    /// `"standard"` writes the standard annotations to everything that does not declare otherwise: source, revision, version,
    /// created, title, url and ref.name, and the others of which the project or the CI knows a value. A table of templates by key is
    /// written to everything too; `standard = true` in it adds the standard ones. Default: `"none"`.
    #[schemars(extend("default" = "none", "examples" = ["standard", { "standard": true, "org.opencontainers.image.vendor": "Acme" }]))]
    pub annotations: Option<RawDescription>,
    /// The same for the labels in the configurations of images.
    #[schemars(extend("default" = "none", "examples" = ["standard", { "standard": true, "org.opencontainers.image.vendor": "Acme" }]))]
    pub labels: Option<RawDescription>,
    /// A name for people: the standard annotation `title`. Default: the name of the image or artifact.
    #[schemars(length(min = 1), extend("examples" = ["Brokkr"]))]
    pub title: Option<String>,
    /// A description in one sentence: the standard annotation `description`. GHCR shows 512 characters.
    #[schemars(length(min = 1), extend("examples" = ["Deploys to Kubernetes from one place"]))]
    pub description: Option<String>,
    /// The licences, as an SPDX expression: the standard annotation `licenses`.
    #[schemars(length(min = 1), extend("examples" = ["Apache-2.0", "MIT OR Apache-2.0"]))]
    pub licenses: Option<String>,
    /// The address of a page with more information: the standard annotation `url`.
    #[schemars(length(min = 1), extend("examples" = ["https://brokkr.example.com"]))]
    pub url: Option<String>,
    /// The address of the documentation: the standard annotation `documentation`.
    #[schemars(length(min = 1), extend("examples" = ["https://brokkr.example.com/docs"]))]
    pub documentation: Option<String>,
}

/// The clock that templates may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clock {
    /// Only the time of the commit.
    Commit,
    /// The time of the run too.
    Wall,
}

/// A key of a TOML, JSON or YAML file that holds the version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "VersionFile")]
pub(super) struct RawVersionFile {
    /// The file, relative to the folder of `publish.toml`.
    #[schemars(required, length(min = 1), extend("examples" = ["Cargo.toml", "package.json"]))]
    pub file: Option<String>,
    /// The key, with dots between its parts. Quote a part that contains a dot. A number is a position in a list.
    #[schemars(required, length(min = 1), extend("examples" = ["workspace.package.version", "version"]))]
    pub key: Option<String>,
}

/// A registry to publish to.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Registry")]
pub(super) struct RawRegistry {
    /// The address: `host[:port][/namespace]`, or `oci:DIR` for a directory that holds one OCI image layout for each
    /// repository. No scheme, no credentials.
    #[schemars(required, length(min = 1), extend("examples" = ["ghcr.io/colliery-io", "localhost:5000", "oci:dist/registry"]))]
    pub url: Option<String>,
    /// The visibility of its repositories: who may pull. An image may declare its own. Default: visibility is not checked.
    pub visibility: Option<Visibility>,
    /// Whether a run fails if the registry does. With `false`, as for a mirror, that is a warning, and the exit code is 3.
    #[schemars(extend("default" = true))]
    pub required: Option<bool>,
    /// The environment variables that hold the credentials. Default: the credential files and programs of Docker and podman,
    /// then the credentials that a CI gives its jobs.
    #[schemars(extend("examples" = [{ "username_env": "GITHUB_ACTOR", "password_env": "GITHUB_TOKEN" }]))]
    pub auth: Option<RawAuth>,
    /// Allows plain HTTP, and certificates that cannot be verified. Loopback hosts may always use plain HTTP.
    #[schemars(extend("default" = false))]
    pub insecure: Option<bool>,
    /// A file of PEM certificates to trust in addition to the system's, relative to the folder of `publish.toml`.
    #[schemars(length(min = 1), extend("examples" = ["certs/ca.pem"]))]
    pub ca_file: Option<String>,
    /// A file of PEM certificates to present to the registry, for registries that identify clients by certificate. The client's
    /// own certificate comes first. Relative to the folder of `publish.toml`. Requires `client_key`.
    #[schemars(length(min = 1), extend("examples" = ["certs/client.pem"]))]
    pub client_certificate: Option<String>,
    /// The file of the private key of `client_certificate`, in PEM and without a passphrase, relative to the folder of `publish.toml`.
    #[schemars(length(min = 1), extend("examples" = ["certs/client.key"]))]
    pub client_key: Option<String>,
    /// The provider that runs the registry and has an API besides the registry's own: `"github"` (reports who may pull, and
    /// deletes), `"dockerhub"`, `"quay"`, `"harbor"` or `"gitlab"` (report and set who may pull). Default: known by the host,
    /// for `ghcr.io`, `docker.io`, `quay.io` and `registry.gitlab.com`.
    pub provider: Option<Provider>,
    /// The address of that API. Default: known, except for a self-managed GitLab.
    #[schemars(length(min = 1), extend("examples" = ["https://gitlab.example.com"]))]
    pub api_url: Option<String>,
    /// The environment variable that holds a token for that API: Quay's OAuth token, GitLab's access token. Default: the
    /// credentials for publishing to the registry, if the API accepts them.
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), extend("examples" = ["QUAY_API_TOKEN"]))]
    pub api_token_env: Option<String>,
}

/// The environment variables that hold the credentials of a registry. A configuration never contains their values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Auth")]
pub(super) struct RawAuth {
    /// The environment variable that holds the user name.
    #[schemars(required, regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), extend("examples" = ["GITHUB_ACTOR"]))]
    pub username_env: Option<String>,
    /// The environment variable that holds the password or token.
    #[schemars(required, regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), extend("examples" = ["GITHUB_TOKEN"]))]
    pub password_env: Option<String>,
}

/// The behavior of `apply`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Apply {
    /// The behavior if a registry refuses a floating tag for good: `"restore"` puts the floating tags that the run moved back to
    /// the digests that they named before, in every repository; `"stop"` leaves every tag as it is.
    #[schemars(extend("default" = "restore"))]
    pub on_tag_failure: Option<OnTagFailure>,
    /// The places that a plan may send to: `HOST[:PORT][/NAMESPACE]`, each with everything below it. Default: every registry of the plan.
    #[schemars(extend("examples" = [["ghcr.io/colliery-io"]]))]
    pub registries: Option<Vec<NonEmptyText>>,
    /// The environment variables whose values a plan may send to registries and their APIs. Default: those that the registries name.
    #[schemars(extend("examples" = [["GITHUB_TOKEN"]]))]
    pub variables: Option<Vec<NonEmptyText>>,
    /// The approvals that a saved plan needs before it is applied. Default: none.
    #[schemars(extend("examples" = [{ "keys": ["approvers/anna.pub", "approvers/ben.pub"], "count": 1 }]))]
    pub require_approval: Option<RawApproval>,
}

/// A lockstep check: the plan fails unless a value in a file is the expected one.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Check")]
pub(super) struct RawCheck {
    /// The file, relative to the folder of `publish.toml`, or a pattern such as `crates/*/Cargo.toml`. Its extension says whether it
    /// is TOML, JSON or YAML.
    #[schemars(required, length(min = 1), extend("examples" = ["Cargo.toml", "package.json", "charts/*/Chart.yaml"]))]
    pub file: Option<String>,
    /// The key in the file, with dots between its parts. Quote a part that contains a dot. A number is a position in a list.
    /// The value must be a string.
    #[schemars(required, length(min = 1), extend("examples" = ["workspace.package.version", "appVersion"]))]
    pub key: Option<String>,
    /// The expected value: a template. If it uses a version and the event has none, the check does not apply.
    #[schemars(required, length(min = 1), extend("examples" = ["{{ version }}", "v{{ version }}"]))]
    pub equals: Option<String>,
    /// How the two are compared: as text, or as versions by MAJOR.MINOR.PATCH alone.
    #[schemars(extend("default" = "exact"))]
    pub compare: Option<Compare>,
    /// The image whose version `{{ version }}` is, by name. Default: the project's `tag_prefix` decides.
    #[schemars(length(min = 1), extend("examples" = ["broker"]))]
    pub image: Option<String>,
}

/// A value of `[vars]`.
#[derive(Debug, Deserialize)]
pub(super) struct Variable(pub serde_json::Value);

impl JsonSchema for Variable {
    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "number", "boolean"] })
    }
}

/// A string of at least one character.
#[derive(Debug, Deserialize)]
pub(super) struct NonEmptyText(pub String);

impl JsonSchema for NonEmptyText {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// One value, or a list of at least one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values as a list.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1, "uniqueItems": true }] })
    }
}

fn count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1 })
}

fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": 1 })
}
