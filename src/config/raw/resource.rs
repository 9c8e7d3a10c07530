//! The resources to publish, as written: images, charts and artifacts.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::signing::RawAttest;
use super::tag_rule::RawEventName;
use super::{NonEmptyText, OneOrMany};
use crate::model::version::SchemeText;
use crate::model::{ImagePin, OnConflict, OnSameImages, Visibility};
use oci_content::AnnotationPlace;

/// An image to publish.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Image")]
pub(in crate::config) struct RawImage {
    /// The source of its content: `oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`, `dir:DIR`,
    /// `docker-daemon:NAME[:TAG]`, `containers-storage:NAME[:TAG]` or `docker://HOST/REPOSITORY[:TAG][@DIGEST]`. A FILE of `-` is the
    /// standard input. To assemble an index: a list of those, or a table of those by platform. `{ digests, from, target }` names images
    /// that a build pushed: a file that lists their digests, as builders write it, or a folder of such files or of files named by
    /// digest; the repository that the build pushed to; and the target of `bake`, if the file has several. Templates; paths are
    /// relative to the folder of `publish.toml`.
    #[schemars(required, extend("examples" = [
        "oci-archive:dist/broker.tar",
        { "linux/amd64": "oci:dist/agent-amd64", "linux/arm64": "oci:dist/agent-arm64" },
        { "digests": "dist/metadata.json", "from": "docker://ghcr.io/colliery-io/brokkr-broker" }
    ]))]
    pub source: Option<RawSource>,
    /// The files, with one `*`, each of which stands for an image, if the name of the table has a `*`: the image gets the name
    /// with the part that matches.
    #[schemars(length(min = 1), extend("examples" = ["docker/*/Dockerfile"]))]
    #[allow(dead_code)] // `expand` reads it.
    pub each: Option<String>,
    /// The repository, below the namespace of each registry, or a list of them. `REGISTRY:PATH` is one in that registry only. Templates;
    /// upper case becomes lower case. Default: the name of the image.
    #[schemars(extend("examples" = ["tools/broker", "{{ ci.repository }}", ["tools/broker", "ghcr:other/broker"]]))]
    pub repository: Option<OneOrMany<NonEmptyText>>,
    /// The registries to publish to, by name. Default: all.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["ghcr"]]))]
    pub registries: Option<Vec<String>>,
    /// The tag rules that apply to it, by name. Default: all.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["version", "latest"]]))]
    pub tags: Option<Vec<String>>,
    /// Its visibility: who may pull it. Default: the visibility that its registry declares.
    pub visibility: Option<Visibility>,
    /// The platforms to publish, as `os/architecture[/variant]`. Each must be there, and others are left out. Default: all
    /// platforms of the source.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["linux/amd64", "linux/arm64"]]))]
    pub platforms: Option<Vec<String>>,
    /// Annotations to write, as templates by key, or `"standard"` or `"none"`. They override those that `annotations` of
    /// `[project]` asks for; `standard = true` or `false` in the table says whether the standard ones are among them. Default: none,
    /// and no byte changes.
    #[schemars(extend("examples" = ["standard", { "org.opencontainers.image.version": "{{ version }}" }]))]
    pub annotations: Option<RawDescription>,
    /// The places that the annotations are written to. Default: the root, which is the index, or the manifest of a single
    /// image.
    #[schemars(length(min = 1), extend("uniqueItems" = true, "examples" = [["root", "manifests"]]))]
    pub annotate: Option<Vec<AnnotationPlace>>,
    /// Labels to write to the configuration of each image, as templates by key, or `"standard"` or `"none"`. They override those that
    /// `labels` of `[project]` asks for; `standard = true` or `false` in the table says whether the standard ones are among them. They
    /// change the digests of the images.
    #[schemars(extend("examples" = ["standard", { "org.opencontainers.image.revision": "{{ git.sha }}" }]))]
    pub labels: Option<RawDescription>,
    /// Whether signatures, SBOMs and everything else that refers to the image in its source are published with it.
    #[schemars(extend("default" = false))]
    pub referrers: Option<bool>,
    /// The action if an immutable tag names an index of the same images, of which only the attestations differ. Default: that of
    /// the project.
    pub same_images: Option<OnSameImages>,
    /// The prefix of git tags that mark its release, or a list of them, if it differs from the project's.
    #[schemars(extend("examples" = ["broker/v", ["broker/v", "broker-"]]))]
    pub tag_prefix: Option<OneOrMany<String>>,
    /// The form of its versions, if it differs from the project's.
    #[schemars(extend("examples" = ["calver"]))]
    pub version_scheme: Option<SchemeText>,
    /// The signers that sign it, by name, before any tag names it. Default: none.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["release"]]))]
    pub sign: Option<Vec<String>>,
    /// The attestations that its signers sign, before any tag names it. Default: none.
    #[schemars(extend("examples" = [{ "provenance": true, "sbom": "dist/app.spdx.json" }]))]
    pub attest: Option<RawAttest>,
    /// The gates that its source must pass, by name, if it is an image of a registry. Default: none.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["tested"]]))]
    pub gates: Option<Vec<String>>,
}

/// A Helm chart to publish.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Chart")]
pub(in crate::config) struct RawChart {
    /// The directory of the chart, which is packaged here, or a packaged chart: `FILE.tgz`, with its `.prov` if there is one
    /// beside it. A template; relative to the folder of `publish.toml`.
    #[schemars(required, length(min = 1), extend("examples" = ["charts/brokkr-broker", "dist/brokkr-broker-{{ chart.version }}.tgz"]))]
    pub source: Option<String>,
    /// The files, with one `*`, each of which stands for a chart, if the name of the table has a `*`. Default: `source`.
    #[schemars(length(min = 1), extend("examples" = ["charts/*/Chart.yaml"]))]
    #[allow(dead_code)] // `expand` reads it.
    pub each: Option<String>,
    /// The repository, below the namespace of each registry, or a list of them. `REGISTRY:PATH` is one in that registry only. Templates;
    /// upper case becomes lower case. Its last part is the name of the chart. Default: `charts/NAME`.
    #[schemars(extend("examples" = ["helm/brokkr-broker"]))]
    pub repository: Option<OneOrMany<NonEmptyText>>,
    /// The registries to publish to, by name. Default: all.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["ghcr"]]))]
    pub registries: Option<Vec<String>>,
    /// The tag rules that apply to it besides the tag of its version, by name. Default: none.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["latest"]]))]
    pub tags: Option<Vec<String>>,
    /// The version that the chart is published as: a template. `{{ chart.version }}` is the version in its `Chart.yaml`. Default: the
    /// version of the git tag; on a pull request `0.0.0-pr-NUMBER.TIME.shaSHA`, and on every other event `0.0.0-BRANCH.TIME.shaSHA`.
    #[schemars(length(min = 1), extend("examples" = ["{{ version }}", "{{ chart.version }}"]))]
    pub version: Option<String>,
    /// The events that it is published on: one, or a list. Default: the events that have the values that its version needs.
    #[schemars(extend("examples" = ["tag", ["tag", "branch"]]))]
    pub on: Option<OneOrMany<RawEventName>>,
    /// Globs, one of which the branch (or the git tag, on `tag`) must match: one, or a list. Default: any.
    #[schemars(extend("examples" = ["main"]))]
    pub r#match: Option<OneOrMany<NonEmptyText>>,
    /// A condition in the template language. The chart is published only if it is true.
    #[schemars(length(min = 1), extend("examples" = ["version.pre == ''"]))]
    pub when: Option<String>,
    /// The action if its version is published already with another digest. Default: `"fail"`, or `"keep"` if it is the version in
    /// `Chart.yaml`.
    pub on_conflict: Option<OnConflict>,
    /// The version of the application in the chart: a template. Default: the tag of the first of `images`, or the version in
    /// `Chart.yaml` if there are none.
    #[schemars(length(min = 1), extend("examples" = ["{{ version }}", "{{ git.short_sha }}"]))]
    pub app_version: Option<String>,
    /// The images that its `values.yaml` names: a path in that file, and an image that is declared here. The package names what this
    /// run publishes of the image. A value is the name of the image, or `{ image, pin, registry }`.
    #[schemars(extend("propertyNames" = { "minLength": 1 }, "examples" = [{ "image": "brokkr-broker" }]))]
    pub images: Option<IndexMap<String, RawChartImage>>,
    /// How the chart names its images: `"tag"`, or `"digest"`. Default: by tag, or by digest if no immutable tag is published.
    pub pin: Option<ImagePin>,
    /// Its visibility: who may pull it. Default: the visibility that its registry declares.
    pub visibility: Option<Visibility>,
    /// Annotations to write besides those that Helm writes, as templates by key, or `"standard"` or `"none"`.
    #[schemars(extend("examples" = [{ "org.opencontainers.image.licenses": "Apache-2.0" }]))]
    pub annotations: Option<RawDescription>,
    /// The prefix of git tags that mark its release, or a list of them, if it differs from the project's.
    #[schemars(extend("examples" = ["chart/v"]))]
    pub tag_prefix: Option<OneOrMany<String>>,
    /// The form of its versions, if it differs from the project's.
    #[schemars(extend("examples" = ["calver"]))]
    pub version_scheme: Option<SchemeText>,
    /// The signers that sign it, by name, before any tag names it. Default: none.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["release"]]))]
    pub sign: Option<Vec<String>>,
    /// The attestations that its signers sign, before any tag names it. Default: none.
    #[schemars(extend("examples" = [{ "provenance": true, "sbom": "dist/app.spdx.json" }]))]
    pub attest: Option<RawAttest>,
}

/// An image that the values of a chart name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::config) enum RawChartImage {
    Name(String),
    Table(RawPinnedImage),
}

/// An image that the values of a chart name, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChartImage")]
pub(in crate::config) struct RawPinnedImage {
    /// The name of the image.
    #[schemars(required, length(min = 1), extend("examples" = ["brokkr-broker"]))]
    pub image: Option<String>,
    /// How it is named. Default: the chart's `pin`.
    pub pin: Option<ImagePin>,
    /// The registry that the chart names, if the image is published to several. Default: the first of the image's registries
    /// that the chart is published to too.
    #[schemars(length(min = 1), extend("examples" = ["ghcr"]))]
    pub registry: Option<String>,
}

impl JsonSchema for RawChartImage {
    fn schema_name() -> Cow<'static, str> {
        "ChartImageOrName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<RawPinnedImage>();
        json_schema!({ "anyOf": [{ "type": "string", "minLength": 1 }, table] })
    }
}

/// Files to publish as one artifact.
#[allow(clippy::struct_field_names)] // the key has OCI's name
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Artifact")]
pub(in crate::config) struct RawArtifact {
    /// The kind of artifact: a media type of your own.
    #[schemars(required, length(min = 1), extend("examples" = ["application/vnd.colliery.brokkr.manifests"]))]
    pub artifact_type: Option<String>,
    /// Its files.
    #[schemars(required, length(min = 1), extend("examples" = [[{ "path": "dist/brokkr.yaml", "media_type": "application/yaml" }]]))]
    pub files: Option<Vec<RawArtifactFile>>,
    /// The repository, below the namespace of each registry, or a list of them. `REGISTRY:PATH` is one in that registry only. Templates;
    /// upper case becomes lower case. Default: the name of the artifact.
    #[schemars(extend("examples" = ["tools/manifests"]))]
    pub repository: Option<OneOrMany<NonEmptyText>>,
    /// The registries to publish to, by name. Default: all.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["ghcr"]]))]
    pub registries: Option<Vec<String>>,
    /// The tag rules that apply to it, by name. Default: all.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["version", "latest"]]))]
    pub tags: Option<Vec<String>>,
    /// Its visibility: who may pull it. Default: the visibility that its registry declares.
    pub visibility: Option<Visibility>,
    /// Annotations to write, as templates by key, or `"standard"` or `"none"`.
    #[schemars(extend("examples" = ["standard"]))]
    pub annotations: Option<RawDescription>,
    /// The prefix of git tags that mark its release, or a list of them, if it differs from the project's.
    #[schemars(extend("examples" = ["manifests/v"]))]
    pub tag_prefix: Option<OneOrMany<String>>,
    /// The form of its versions, if it differs from the project's.
    #[schemars(extend("examples" = ["calver"]))]
    pub version_scheme: Option<SchemeText>,
    /// The signers that sign it, by name, before any tag names it. Default: none.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["release"]]))]
    pub sign: Option<Vec<String>>,
    /// The attestations that its signers sign, before any tag names it. Default: none.
    #[schemars(extend("examples" = [{ "provenance": true, "sbom": "dist/app.spdx.json" }]))]
    pub attest: Option<RawAttest>,
}

/// A file of an artifact.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArtifactFile")]
pub(in crate::config) struct RawArtifactFile {
    /// The path: a template, relative to the folder of `publish.toml`.
    #[schemars(required, length(min = 1), extend("examples" = ["dist/brokkr.yaml"]))]
    pub path: Option<String>,
    /// Its media type.
    #[schemars(length(min = 1), extend("default" = "application/octet-stream", "examples" = ["application/yaml"]))]
    pub media_type: Option<String>,
    /// The name of the file when it is pulled. Default: the last part of its path.
    #[schemars(length(min = 1), extend("examples" = ["brokkr.yaml"]))]
    pub title: Option<String>,
}

/// Annotations or labels that are chosen by a word instead of being declared one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Word {
    /// The standard ones, whose values come from the project and the context.
    Standard,
    /// None.
    None,
}

/// `annotations` or `labels`: a word, or a table of templates by key.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::config) enum RawDescription {
    Word(Word),
    Table(IndexMap<String, RawDescriptionValue>),
}

/// A value of a table of annotations or labels: a template, or for the key `standard`, whether the standard ones are among them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::config) enum RawDescriptionValue {
    Text(String),
    Flag(bool),
}

impl RawDescription {
    /// The word for the standard ones, if they are chosen or refused, and the templates by key.
    pub fn into_parts(self) -> (Option<Word>, IndexMap<String, String>) {
        let table = match self {
            Self::Word(word) => return (Some(word), IndexMap::new()),
            Self::Table(table) => table,
        };
        let (mut word, mut own) = (None, IndexMap::new());
        for (key, value) in table {
            match value {
                RawDescriptionValue::Text(text) => {
                    own.insert(key, text);
                }
                RawDescriptionValue::Flag(true) => word = Some(Word::Standard),
                RawDescriptionValue::Flag(false) => word = Some(Word::None),
            }
        }
        (word, own)
    }
}

impl JsonSchema for RawDescription {
    fn schema_name() -> Cow<'static, str> {
        "Description".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "enum": ["standard", "none"] },
            {
                "type": "object",
                "propertyNames": { "minLength": 1 },
                "patternProperties": { "^standard$": { "type": ["boolean", "string"] } },
                "additionalProperties": { "type": "string" }
            }
        ] })
    }
}

/// `source` of an image. A table of platforms cannot have a key `digests`, because platforms contain a `/`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::config) enum RawSource {
    One(String),
    Several(Vec<String>),
    Table(IndexMap<String, String>),
}

impl JsonSchema for RawSource {
    fn schema_name() -> Cow<'static, str> {
        "Source".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({ "type": "string", "minLength": 1 });
        json_schema!({ "anyOf": [
            one,
            { "type": "array", "items": one, "minItems": 1, "uniqueItems": true },
            { "type": "object", "minProperties": 1, "additionalProperties": one }
        ] })
    }
}
