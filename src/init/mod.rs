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
mod chart_images;
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
mod npm;
mod project;
mod proposal;
mod publication;
mod published;
mod publishing_files;
mod regsync;
mod remote;
mod rule;
mod scope;
mod shell;
mod shell_edits;
mod shell_syntax;
mod shell_text;
mod step_context;
mod steps;
mod survey;
mod symbolic;
mod tags;
mod text;
mod triggers;
mod workflows;
mod yaml_file;

pub use project::{FoundChart, FoundVersion, InitAnswers, LeftOutFile, ProjectSurvey, UnfitBranch};
pub use proposal::Proposal;
pub use published::is_registry;
pub use survey::{GitFacts, is_candidate, survey, walk};

use crate::model::{ResourceId, ResourceKind};

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
    let tags = published::tag_facts(found, answers);
    let text = text::write(found, &place, &images, &charts, &tags);
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
        tag_prefix: tags.prefix,
        has_tag: false,
    }
}
