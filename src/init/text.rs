//! Writes the text of a first `publish.toml`, with comments that explain each part. All input has been limited to characters
//! that are harmless in TOML and in a comment, and strings are quoted nevertheless.

use std::fmt::Write as _;

use super::chart_images;
use super::names::ProposedResource;
use super::project::{FoundVersion, ProjectSurvey};
use super::remote::Destination;

use super::tags::TagFacts;
use crate::model::words::{shell_word, toml_string};

/// The tag rules for the events that publish, as `docs/reference/tags.md` describes them.
const RULES: &str = r#"
# On a git tag v1.2.3: v1.2.3, which is written once, and v1.2, v1 and latest, which only move forward.

[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"

[tags.major]
on = "tag"
template = "v{{ version.major }}"
mutability = "forward"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"

# On every commit: sha-9f3c2ab. A rebuilt commit keeps the digest that was published first.

[tags.sha]
on = ["branch", "pull_request"]
template = "sha-{{ git.short_sha }}"
on_conflict = "keep"

# On pushes to these branches: the branch's name, which only moves to a descendant commit.

[tags.branch]
on = "branch"
UNFITmatch = [BRANCH]
template = "{{ git.branch | slug }}"
mutability = "forward"

# On pull requests: pr-123. When one closes, `brokkr-publish prune` removes its tag.

[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"
mutability = "mutable"

[retention.pr]
rule = "pr"
on = "pull_request_closed"
"#;

/// Whether to write tag rules. Without an image no tag would use them, because a chart has the tag of its version.
pub(super) fn has_rules(images: &[ProposedResource], charts: &[ProposedResource]) -> bool {
    !images.is_empty() || charts.is_empty()
}

/// Writes the text.
pub(super) fn write(
    found: &ProjectSurvey,
    place: &Destination,
    images: &[ProposedResource],
    charts: &[ProposedResource],
    tags: &TagFacts,
) -> String {
    let mut text = String::from(
        "#:schema https://raw.githubusercontent.com/colliery-io/brokkr-publish/main/schemas/publish.schema.json\n\
         # What is published, where, and under which tags. `brokkr-publish lint` checks it, `brokkr-publish plan` shows what it does.\n\
         version = 1\n",
    );
    if let Some(source) = &place.source {
        line(&mut text, &format!("\n[project]\nsource = {}", toml_string(source)));
    }
    if tags.prefix != "v" {
        let table = if place.source.is_some() { "" } else { "\n[project]\n" };
        let newest = tags.newest.as_deref().unwrap_or("1.2.3");
        let written = toml_string(&tags.prefix);
        line(
            &mut text,
            &format!("{table}tag_prefix = {written}    # the newest release is the git tag {newest}"),
        );
    }
    if !tags.are_versions {
        let example = tags.other.as_deref().unwrap_or_default();
        line(
            &mut text,
            &format!(
                "# Git tags such as {example} are not semantic versions: rules with `version` refuse them."
            ),
        );
    }
    registry(&mut text, place);
    if has_rules(images, charts) {
        let unfit = found.unfit_branch.as_ref().map_or_else(String::new, |unfit| {
            format!(
                "# Not the default branch `{}`: {}. List here the branches to publish.\n",
                unfit.name, unfit.why
            )
        });
        let branch = found.branch.as_deref().map_or_else(|| toml_string("main"), toml_string);
        let mut rules = RULES.replace("BRANCH", &branch).replace("UNFIT", &unfit);
        rules = rules.replace("a git tag v1.2.3", &format!("a git tag {}1.2.3", tags.prefix));
        if tags.prefix.is_empty() {
            // Tags of images look like the git tags.
            rules = rules.replace("\"v{{ version", "\"{{ version");
            rules = rules.replace("v1.2.3, which", "1.2.3, which").replace("v1.2, v1 and", "1.2, 1 and");
        }
        text.push_str(&rules);
    }
    let example = images.is_empty() && charts.is_empty();
    if example || !images.is_empty() {
        line(
            &mut text,
            "\n# Older versions of buildx do not make the folder that they write to: mkdir -p dist",
        );
    }
    if example {
        text.push_str(
            "\n# Neither a Dockerfile nor a chart was found. This declares an example image to start with.\n",
        );
        image(&mut text, &found.project, "Dockerfile");
    }
    for it in images {
        image(&mut text, &it.name, &it.file);
    }
    if !charts.is_empty() {
        line(
            &mut text,
            "\n# Charts go to repositories below charts/: 1.2.3 on a git tag, 0.0.0-main.20261127101500.sha9f3c2ab on a branch.",
        );
    }
    for it in charts {
        line(&mut text, &format!("\n[charts.{}]\nsource = {}", key(&it.name), toml_string(&it.file)));
        // No chart can name an image in a directory.
        let chart = found.charts.iter().find(|chart| chart.directory == it.file).filter(|_| place.known);
        let images: Vec<(&str, &str)> =
            images.iter().map(|it| (it.name.as_str(), it.name.as_str())).collect();
        if let Some(images) = chart.and_then(|chart| chart_images::line(chart, &images)) {
            line(&mut text, &images);
        }
    }
    if let Some(version) = &found.version {
        check_version(&mut text, version);
    }
    text
}

fn registry(text: &mut String, place: &Destination) {
    if !place.known {
        line(text, "\n# A directory, until there is a registry: url = \"registry.example.com/team\".");
    }
    let gap = if place.known { "\n" } else { "" };
    line(text, &format!("{gap}[registries.{}]\nurl = {}", place.name, toml_string(&place.url)));
    if let Some(visibility) = &place.visibility {
        line(text, &format!("visibility = {}", toml_string(visibility)));
    } else if place.known {
        line(text, "# visibility = \"public\"    # checked against what a pull without credentials sees");
    }
}

fn image(text: &mut String, name: &str, dockerfile: &str) {
    let file = if dockerfile == "Dockerfile" {
        String::new()
    } else {
        format!(" --file {}", shell_word(dockerfile))
    };
    line(
        text,
        &format!(
            "\n# docker buildx build --platform linux/amd64,linux/arm64{file} --output type=oci,dest=dist/{name}.tar ."
        ),
    );
    line(text, &format!("[images.{}]", key(name)));
    line(text, &format!("source = {}", toml_string(&format!("oci-archive:dist/{name}.tar"))));
    line(text, "platforms = [\"linux/amd64\", \"linux/arm64\"]");
    // A branch tag uses this annotation to decide whether a commit moves it forward or back.
    line(text, "annotations = { \"org.opencontainers.image.revision\" = \"{{ git.sha }}\" }");
}

/// Writes the check that releases agree with the version in the code.
pub(super) fn check_version(text: &mut String, version: &FoundVersion) {
    line(text, "\n# A release whose git tag does not agree with the version in the code is refused.");
    let (file, at) = (toml_string(version.file), toml_string(version.key));
    line(text, &format!("\n[[checks]]\nfile = {file}\nkey = {at}\nequals = \"{{{{ version }}}}\""));
}

/// Writes a line.
pub(super) fn line(text: &mut String, line: &str) {
    let _never_fails = writeln!(text, "{line}");
}

/// Writes `text` as a key, bare if possible.
pub(super) fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !text.is_empty() && text.chars().all(bare) { text.to_owned() } else { toml_string(text) }
}
