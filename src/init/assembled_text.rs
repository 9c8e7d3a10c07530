//! Writes a first `publish.toml` from what workflows and other files publish. Each part says from which line it was taken.

use super::assemble::{AssembledImage, Assembly};
use super::chart_images;
use super::names::ProposedResource;
use super::project::ProjectSurvey;
use super::publication::{Findings, Remark};
use super::remote::Destination;
use super::rule::{ProposedRule, RuleMutability};
use super::tags::TagFacts;
use super::text::{check_version, key, line};
use crate::model::words::{shell_word, toml_string};

/// A chart, and the registry and repository that it goes to.
#[derive(Debug, Clone)]
pub(super) struct PlacedChart {
    /// The chart.
    pub chart: ProposedResource,
    /// The name of the registry.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The place that pushes it.
    pub from: String,
}

/// Everything that is written.
pub(super) struct AssembledParts<'p> {
    /// The repository.
    pub survey: &'p ProjectSurvey,
    /// The registry of the remote.
    pub place: &'p Destination,
    /// The tags.
    pub tags: &'p TagFacts,
    /// The images and rules.
    pub assembly: &'p Assembly,
    /// The charts.
    pub charts: &'p [PlacedChart],
    /// Everything that was found.
    pub found: &'p Findings,
    /// `visibility`.
    pub visibility: Option<&'p str>,
}

/// The most characters of a comment.
const MAX_COMMENT: usize = 240;

/// Writes the text.
pub(super) fn write_assembled(parts: &AssembledParts<'_>) -> String {
    let mut text = String::from(
        "#:schema https://raw.githubusercontent.com/colliery-io/brokkr-publish/main/schemas/publish.schema.json\n\
         # What is published, where, and under which tags. `brokkr-publish lint` checks it, `brokkr-publish plan` shows what it does.\n\
         version = 1\n",
    );
    project(&mut text, parts);
    for (name, url) in &parts.assembly.destinations.registries {
        line(&mut text, &format!("\n[registries.{}]\nurl = {}", key(name), toml_string(url)));
        match parts.visibility {
            Some(visibility) => line(&mut text, &format!("visibility = {}", toml_string(visibility))),
            None => line(
                &mut text,
                "# visibility = \"public\"    # checked against what a pull without credentials sees",
            ),
        }
    }
    for rule in &parts.assembly.rules {
        write_rule(&mut text, rule);
    }
    let all_rules = parts.assembly.rules.len();
    let all_registries = parts.assembly.destinations.registries.len();
    if parts.assembly.images.iter().any(|it| it.source.is_none()) {
        line(
            &mut text,
            "\n# Older versions of buildx do not make the folder that they write to: mkdir -p dist",
        );
    }
    for image in &parts.assembly.images {
        write_image(&mut text, image, all_rules, all_registries, parts);
    }
    for placed in parts.charts {
        line(&mut text, &format!("\n# {}", comment(&placed.from)));
        line(
            &mut text,
            &format!("[charts.{}]\nsource = {}", key(&placed.chart.name), toml_string(&placed.chart.file)),
        );
        line(&mut text, &format!("repository = {}", toml_string(&placed.repository)));
        let chart = parts.survey.charts.iter().find(|chart| chart.directory == placed.chart.file);
        let images = parts.assembly.images.iter().filter(|image| !image.rules.is_empty());
        let images: Vec<(&str, &str)> = images.map(|it| (it.name.as_str(), it.repository.as_str())).collect();
        if let Some(images) = chart.and_then(|chart| chart_images::line(chart, &images)) {
            line(&mut text, &images);
        }
        if all_registries > 1 {
            line(&mut text, &format!("registries = [{}]", toml_string(&placed.registry)));
        }
    }
    // A version in a file belongs to the releases of the whole project.
    if let Some(version) = parts.survey.version.as_ref().filter(|_| parts.tags.are_versions && agrees(parts))
    {
        check_version(&mut text, version);
    }
    remarks(&mut text, "Assumed, because only the CI knows it:", &parts.found.assumed);
    remarks(&mut text, "Not carried over:", &parts.found.left_out);
    text
}

/// Whether the version in the file is that of the newest git tag: projects leave `0.1.0` in files that no release changes, and others
/// name the next version between releases.
fn agrees(parts: &AssembledParts<'_>) -> bool {
    let newest = parts.tags.newest.as_deref().and_then(|tag| tag.strip_prefix(parts.tags.prefix.as_str()));
    let (Some(newest), Some(version)) = (newest, &parts.survey.version) else { return true };
    match (newest.parse::<semver::Version>(), version.version.parse::<semver::Version>()) {
        (Ok(newest), Ok(version)) => version == newest,
        _ => false,
    }
}

fn project(text: &mut String, parts: &AssembledParts<'_>) {
    line(text, "\n[project]");
    if let Some(source) = &parts.place.source {
        line(text, &format!("source = {}", toml_string(source)));
    }
    if parts.tags.prefix != "v" {
        let newest = parts.tags.newest.as_deref().unwrap_or_default();
        line(
            text,
            &format!(
                "tag_prefix = {}    # the newest release is the git tag {}",
                toml_string(&parts.tags.prefix),
                comment(newest)
            ),
        );
    }
    if !parts.tags.are_versions {
        let example = parts.tags.other.as_deref().or(parts.tags.newest.as_deref()).unwrap_or_default();
        line(
            text,
            &format!(
                "# Git tags such as {} are not semantic versions, so tags follow the git tag and not the version.",
                comment(example)
            ),
        );
    }
    line(text, "annotations = \"standard\"    # source, revision, version, created, title");
}

fn write_rule(text: &mut String, rule: &ProposedRule) {
    line(text, "");
    for (origin, source) in rule.origins.iter().take(6) {
        line(text, &format!("# {}", comment(&format!("{}: {source}", origin.shown()))));
    }
    line(text, &format!("[tags.{}]", key(&rule.name)));
    line(text, &format!("on = {}", one_or_list(&rule.on)));
    if !rule.matches.is_empty() {
        line(text, &format!("match = {}", list(&rule.matches)));
    }
    if let Some(when) = &rule.when {
        line(text, &format!("when = {}", toml_string(when)));
    }
    line(text, &format!("template = {}", toml_string(&rule.template)));
    match rule.mutability {
        RuleMutability::Immutable => {}
        RuleMutability::Kept => line(text, "on_conflict = \"keep\""),
        RuleMutability::Forward => line(text, "mutability = \"forward\""),
        RuleMutability::Mutable => line(text, "mutability = \"mutable\""),
    }
}

fn write_image(
    text: &mut String,
    image: &AssembledImage,
    rules: usize,
    registries: usize,
    parts: &AssembledParts<'_>,
) {
    line(text, &format!("\n# {}", comment(&image.origin.shown())));
    let archive = parts
        .assembly
        .images
        .iter()
        .find(|other| {
            other.build == image.build
                && other.source.is_none()
                && (other.rules == image.rules || other.name == image.name)
        })
        .map_or(&image.name, |other| &other.name);
    let build = &image.build;
    let assembled = index_of(image, &parts.assembly.images);
    if image.source.is_none() && assembled.is_none() {
        let file = build.dockerfile.as_deref().filter(|it| *it != "Dockerfile" && !it.contains(['{', '$']));
        let file = file.map(|it| format!(" --file {}", shell_word(it))).unwrap_or_default();
        let platform = if build.platforms.is_empty() {
            String::new()
        } else {
            format!(" --platform {}", build.platforms.join(","))
        };
        let command =
            format!("docker buildx build{platform}{file} --output type=oci,dest=dist/{archive}.tar .");
        line(text, &format!("# {}", comment(&command)));
        if !build.variant.is_empty() && !build.platforms.contains(&build.variant) {
            line(text, &format!("# The build differs by: {}", comment(&build.variant)));
        }
    }
    line(text, &format!("[images.{}]", key(&image.name)));
    match assembled {
        Some(table) => line(text, &format!("source = {table}")),
        None => {
            let source = image.source.clone().unwrap_or_else(|| format!("oci-archive:dist/{archive}.tar"));
            line(text, &format!("source = {}", toml_string(&source)));
        }
    }
    if image.repository != image.name {
        line(text, &format!("repository = {}", toml_string(&image.repository)));
    }
    if image.registries.len() != registries {
        line(text, &format!("registries = {}", list(&image.registries)));
    }
    if image.rules.len() != rules {
        line(text, &format!("tags = {}", list(&image.rules)));
    }
    if !build.platforms.is_empty() {
        line(text, &format!("platforms = {}", list(&build.platforms)));
    }
    let labels: Vec<String> = labels(image, parts);
    if !labels.is_empty() {
        line(text, &format!("labels = {{ {} }}", labels.join(", ")));
    }
}

/// The table of sources of an image whose platforms are images of their own.
fn index_of(image: &AssembledImage, all: &[AssembledImage]) -> Option<String> {
    if !image.build.variant.is_empty() || image.build.platforms.len() < 2 {
        return None;
    }
    let each = image.build.platforms.iter().map(|platform| {
        let is_part = |it: &&AssembledImage| {
            it.build.variant == *platform
                && it.repository == image.repository
                && it.build.dockerfile == image.build.dockerfile
        };
        let part = all.iter().find(is_part)?;
        Some(format!(
            "{} = {}",
            toml_string(platform),
            toml_string(&format!("oci-archive:dist/{}.tar", part.name))
        ))
    });
    let each: Vec<String> = each.collect::<Option<_>>()?;
    Some(format!("{{ {} }}", each.join(", ")))
}

/// The labels of the files that publish the image, if their values hold in every run.
fn labels(image: &AssembledImage, parts: &AssembledParts<'_>) -> Vec<String> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for (name, value, origin) in &parts.found.labels {
        let standard = ["created", "revision", "version", "source", "title"]
            .iter()
            .any(|it| name.strip_prefix("org.opencontainers.image.") == Some(it));
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        if origin.file == image.origin.file
            && plain
            && !standard
            && !value.contains("{{")
            && !found.iter().any(|(it, _)| it == name)
        {
            found.push((name, value));
        }
    }
    found.into_iter().map(|(name, value)| format!("{} = {}", toml_string(name), toml_string(value))).collect()
}

fn remarks(text: &mut String, title: &str, remarks: &[Remark]) {
    if remarks.is_empty() {
        return;
    }
    line(text, &format!("\n# {title}"));
    for remark in remarks {
        line(text, &format!("# - {}", comment(&format!("{}: {}", remark.origin.shown(), remark.text))));
    }
}

fn one_or_list(words: &[&str]) -> String {
    match words {
        [one] => toml_string(one),
        words => list(words),
    }
}

fn list<W: AsRef<str>>(words: &[W]) -> String {
    let words: Vec<String> = words.iter().map(|word| toml_string(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

/// A text as it can stand in a comment: on one line, and not too long.
fn comment(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if super::survey::is_odd(c) { '\u{fffd}' } else { c })
        .take(MAX_COMMENT)
        .collect();
    let end = if text.chars().count() > MAX_COMMENT { "…" } else { "" };
    format!("{shown}{end}")
}
