//! Proposes a first `publish.toml` for a repository. `survey` looks at the files, `names` and `remote` decide what resources
//! are called and where they go, and `text` writes the text. Nothing here runs git, uses a network or writes a file.

mod names;
mod project;
mod remote;
mod survey;
mod text;

pub use project::{FoundChart, FoundVersion, LeftOutFile, ProjectSurvey, UnfitBranch};
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
    /// The files that were seen and left out, with the reasons.
    pub left_out: Vec<LeftOutFile>,
    /// The address of the registry.
    pub registry: String,
    /// The version that releases are checked against, if there is one.
    pub version: Option<String>,
}

impl Proposal {
    /// The commands to run next, once the text is in `file`. They are about a release that passes the checks in it.
    pub fn next(&self, file: &Path) -> [String; 3] {
        let config = match file.display().to_string() {
            file if file == "publish.toml" => String::new(),
            file => format!(" --config {}", text::shell(&file)),
        };
        let version = self.version.as_deref().unwrap_or("1.2.3");
        [
            format!("brokkr-publish lint{config}"),
            format!("git tag v{version}"),
            format!("brokkr-publish plan{config} --ref refs/tags/v{version}"),
        ]
    }
}

/// Proposes a `publish.toml` for `found`.
pub fn propose(found: &ProjectSurvey) -> Proposal {
    let place = remote::place(found.remote.as_deref());
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
    Proposal { text, resources, left_out, registry: place.url, version }
}
