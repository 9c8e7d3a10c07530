//! Proposes a first `publish.toml` for a repository. `survey` looks at the files, `names` and `remote` decide what resources
//! are called and where they go, and `text` writes the text. Nothing here runs git, uses a network or writes a file.
//!
//! If files of the repository publish, `published` reads them: `workflows` runs each job in every kind of run with symbols for what only
//! a run knows (`scope`, `expression`, `shell`), `metadata_action`, `goreleaser`, `bake`, `compose` and `makefile` give tags of images,
//! `assemble` and `rule` put them together, and `assembled_text` writes them with the lines that they come from.

mod action_rule;
mod assemble;
mod assembled_text;
mod bake;
mod bake_json;
mod commands;
mod compose;
mod condition;
mod destinations;
mod expression;
mod expression_tokens;
mod gitlab;
mod glob;
mod go_template;
mod goreleaser;
mod handlebars;
mod hcl;
mod makefile;
mod matrix;
mod metadata_action;
mod names;
mod project;
mod publication;
mod published;
mod publishing_files;
mod pushes;
mod regsync;
mod remote;
mod rule;
mod scope;
mod shell;
mod shell_edits;
mod shell_syntax;
mod shell_text;
mod steps;
mod survey;
mod symbolic;
mod tags;
mod text;
mod triggers;
mod workflows;
mod yaml_file;

pub use project::{FoundChart, FoundVersion, InitAnswers, LeftOutFile, ProjectSurvey, UnfitBranch};
pub use published::is_registry;
pub use survey::{GitFacts, is_candidate, survey, walk};

use std::path::Path;

use crate::model::{ResourceId, ResourceKind};

/// A first `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its text.
    pub text: String,
    /// The resources that it declares, each with the file that it comes from.
    pub resources: Vec<(ResourceId, String)>,
    /// The tag rules that it declares, each with the line that it comes from.
    pub rules: Vec<(String, String)>,
    /// Assumptions, with their lines.
    pub assumed: Vec<(String, String)>,
    /// The files that were seen and left out, with the reasons.
    pub left_out: Vec<LeftOutFile>,
    /// The address of the registry.
    pub registry: String,
    /// The version that releases are checked against, if there is one.
    pub version: Option<String>,
    /// The prefix of git tags.
    pub tag_prefix: String,
    /// Whether the git tag of that version is there.
    pub has_tag: bool,
}

impl Proposal {
    /// The commands to run next, once the text is in `file`. They are about a release that passes the checks in it.
    pub fn next(&self, file: &Path) -> Vec<String> {
        let config = match file.display().to_string() {
            file if file == "publish.toml" => String::new(),
            file => format!(" --config {}", text::shell(&file)),
        };
        let version = self.version.as_deref().unwrap_or("1.2.3");
        let tag = (!self.has_tag).then(|| format!("git tag {}{version}", self.tag_prefix));
        let lint = format!("brokkr-publish lint{config}");
        let plan = format!("brokkr-publish plan{config} --ref refs/tags/{}{version}", self.tag_prefix);
        [Some(lint), tag, Some(plan)].into_iter().flatten().collect()
    }
}

/// Proposes a `publish.toml` for `found`: from what its workflows and other files publish, or, if they publish nothing, from its
/// Dockerfiles and charts.
pub fn propose(found: &ProjectSurvey, answers: &InitAnswers) -> Proposal {
    propose_without(found, answers, &[])
}

/// Like [`propose`], without some of the tag rules.
pub fn propose_without(found: &ProjectSurvey, answers: &InitAnswers, rules: &[LeftOutFile]) -> Proposal {
    published::propose(found, answers, rules).unwrap_or_else(|| propose_plain(found, answers))
}

/// Proposes a `publish.toml` from Dockerfiles and charts alone.
pub fn propose_plain(found: &ProjectSurvey, answers: &InitAnswers) -> Proposal {
    let place = published::destination(found, answers);
    let mut left_out = found.left_out.clone();
    let images = names::images(found, place.shared, &mut left_out);
    let charts = names::charts(found, &mut left_out);
    let text = text::write(found, &place, &images, &charts);
    if let Some(unfit) = found.unfit_branch.as_ref().filter(|_| text::has_rules(&images, &charts)) {
        let why = format!("{}; `main` is used instead", unfit.why);
        left_out.push(LeftOutFile { file: format!("the default branch `{}`", unfit.name), why });
    }
    let resources = images
        .iter()
        .map(|image| (ResourceId::image(&image.name), image.file.clone()))
        .chain(
            charts
                .iter()
                .map(|chart| (ResourceId::new(ResourceKind::Chart, &chart.name), chart.file.clone())),
        )
        .collect();
    left_out.sort_by(|one, other| one.file.cmp(&other.file));
    let version = found.version.as_ref().map(|found| found.version.clone());
    Proposal {
        text,
        resources,
        rules: Vec::new(),
        assumed: Vec::new(),
        left_out,
        registry: place.url,
        version,
        tag_prefix: "v".to_owned(),
        has_tag: false,
    }
}
