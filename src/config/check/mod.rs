//! The checks that the schema cannot express: whether names resolve, and whether strings can be parsed. They turn the raw types
//! into the types of the domain.
//!
//! Each value is checked on its own, so that one mistake does not hide another.

mod artifact;
mod chart;
mod checks;
mod gate;
mod image;
mod problems;
mod registry;
mod releases;
mod resource;
mod retention;
mod secrets;
mod signing;
mod tag;

use indexmap::IndexMap;

use super::declared::DeclaredNames;
use super::places::Places;
use super::withdrawn::version_of;
use super::{ApplyRules, DeclaredRegistry, Project, TagRule, VersionFile, raw};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;
use crate::model::gate::PlannedGate;
use crate::model::signing::DeclaredSigner;
use crate::model::version::ReleaseForm;
use problems::Problems;

/// The tables of a `Config`.
pub(super) struct Checked {
    pub project: Project,
    pub vars: IndexMap<String, serde_json::Value>,
    pub registries: IndexMap<String, DeclaredRegistry>,
    pub tags: IndexMap<String, TagRule>,
    pub resources: IndexMap<ResourceId, super::Resource>,
    pub gates: IndexMap<String, PlannedGate>,
    pub signing: IndexMap<String, DeclaredSigner>,
    pub apply: ApplyRules,
    pub verify: super::VerifyRules,
    pub secrets: super::Secrets,
    pub checks: Vec<super::DeclaredCheck>,
    pub retention: IndexMap<String, super::Retention>,
}

/// Checks everything. The tables are complete only if no diagnostic is an error.
pub(super) fn check_file(
    file: raw::RawConfig,
    declared: &DeclaredNames,
    places: &Places,
) -> (Checked, Vec<Diagnostic>) {
    let mut problems = Problems { places, diagnostics: Vec::new() };
    let project = file.project.unwrap_or_default();
    let version = project.version.and_then(|version| {
        let key = checks::key_path(&version.key?, &["project", "version", "key"], &mut problems)?;
        Some(VersionFile { file: version.file?, key })
    });
    let env = environment(project.env.unwrap_or_default(), &mut problems);
    let silent_tags = tag::check_globs(project.silent_tags, &["project", "silent_tags"], &mut problems);
    let written =
        |raw: Option<raw::RawDescription>| raw.map(raw::RawDescription::into_parts).unwrap_or_default();
    let ((annotations_word, annotations), (labels_word, labels)) =
        (written(project.annotations), written(project.labels));
    let is_standard = |word| word == Some(raw::Word::Standard);
    let own =
        releases::DeclaredForm { tag_prefix: project.tag_prefix, version_scheme: project.version_scheme };
    let releases = releases::check_form(own, None, &["project"], &mut problems);
    let defaults = resource::Defaults {
        declared,
        standard_annotations: is_standard(annotations_word),
        standard_labels: is_standard(labels_word),
        releases: &releases,
        same_images: project.same_images,
    };
    let mut resources = IndexMap::new();
    resources.extend(image::check_images(file.images.unwrap_or_default(), &defaults, &mut problems));
    resources.extend(chart::check_charts(file.charts.unwrap_or_default(), &defaults, &mut problems));
    resources.extend(artifact::check_artifacts(file.artifacts.unwrap_or_default(), &defaults, &mut problems));
    let tags = tag::check_tag_rules(file.tags.unwrap_or_default(), &mut problems);
    let registries = registry::check_registries(file.registries.unwrap_or_default(), &mut problems);
    registry::check_visibilities(&registries, &resources, &mut problems);
    let forms = resources.values().map(|it: &super::Resource| &it.releases);
    let forms: Vec<&ReleaseForm> = forms.chain([&releases]).collect();
    check_withdrawn(project.withdrawn.as_deref().unwrap_or_default(), &forms, &mut problems);
    let checked = Checked {
        project: Project {
            source: project.source,
            releases,
            silent_tags,
            withdrawn: project.withdrawn.unwrap_or_default(),
            allow_dirty: project.allow_dirty.unwrap_or_default(),
            default_branch: project.default_branch,
            version,
            env,
            wall_clock: project.clock == Some(raw::Clock::Wall),
            annotations,
            labels,
            title: project.title,
            description: project.description,
            licenses: project.licenses,
            url: project.url,
            documentation: project.documentation,
        },
        vars: file.vars.unwrap_or_default().into_iter().map(|(name, value)| (name, value.0)).collect(),
        registries,
        tags,
        gates: gate::check_gates(file.gates.unwrap_or_default(), &mut problems),
        signing: signing::check_signers(file.signing.unwrap_or_default(), &mut problems),
        apply: signing::check_apply(file.apply.unwrap_or_default(), &mut problems),
        verify: super::VerifyRules {
            signatures: file.verify.and_then(|verify| verify.signatures).unwrap_or_default(),
        },
        secrets: secrets::check_secrets(file.secrets.unwrap_or_default(), &mut problems),
        checks: checks::check_lockstep(file.checks.unwrap_or_default(), declared, &mut problems),
        retention: retention::check_retentions(
            file.retention.unwrap_or_default(),
            declared,
            &resources,
            &mut problems,
        ),
        resources,
    };
    (checked, problems.diagnostics)
}

/// Returns the environment variables that templates may read, and reports those that hold secrets: tags, labels and repositories are
/// for everybody to read.
fn environment(names: Vec<String>, problems: &mut Problems<'_>) -> Vec<String> {
    for (index, name) in names.iter().enumerate().filter(|(_, name)| secret_scan::is_secret_name(name)) {
        let message = format!("`{name}` is the name of a secret, and templates print what they read");
        let help = "list only variables that everybody may read; credentials of a registry belong to `auth`";
        let index = index.to_string();
        problems.wrong(Code::ConfigLiteralCredential, message, &["project", "env", &index], "a secret", help);
    }
    names
}

/// Reports withdrawn versions that name no version of anything.
fn check_withdrawn(written: &[String], forms: &[&ReleaseForm], problems: &mut Problems<'_>) {
    for (index, text) in written.iter().enumerate() {
        if forms.iter().any(|form| version_of(text, form).is_some()) {
            continue;
        }
        let message = format!("`{}` is not a version that could be withdrawn", text.escape_debug());
        let help =
            "write the whole version, as in `withdrawn = [\"1.2.4\"]`, or its git tag: `broker/v1.2.4`";
        let path = ["project", "withdrawn", &index.to_string()];
        problems.wrong(Code::ConfigValue, message, &path, "not a version", help);
    }
}
