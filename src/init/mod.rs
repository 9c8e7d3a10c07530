//! A first `publish.toml`: what lies in a repository becomes the text of one. `survey` looks, `names` and `remote` decide what
//! things are called and where they go, `text` writes. Nothing here asks git or a network, and nothing is written.

mod names;
mod remote;
mod survey;
mod text;

pub use survey::{Surroundings, is_candidate, survey, walk};

use std::path::Path;

use crate::model::{ResourceId, ResourceKind};

/// What lies in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What the project is called: the last part of the remote's address, or the folder's name.
    pub project: String,
    /// The address of the git remote, as a browser takes it.
    pub remote: Option<String>,
    /// The branch that pushes publish from.
    pub branch: Option<String>,
    /// The default branch, where it cannot be `branch`.
    pub unfit_branch: Option<UnfitBranch>,
    /// Dockerfiles and Containerfiles, relative to the folder of `publish.toml`, with `/` between.
    pub dockerfiles: Vec<String>,
    /// Charts.
    pub charts: Vec<FoundChart>,
    /// The version of the project.
    pub version: Option<FoundVersion>,
    /// What was seen and left out.
    pub left_out: Vec<LeftOut>,
}

/// A branch whose pushes get no tag of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfitBranch {
    /// Its name, escaped where it holds what does not belong in a file of text.
    pub name: String,
    /// Why.
    pub why: String,
}

/// The version that a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVersion {
    /// The file.
    pub file: &'static str,
    /// Its key.
    pub key: &'static str,
    /// What stands there: a semantic version.
    pub version: String,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChart {
    /// Its directory, relative to the folder of `publish.toml`; `.` for that folder itself.
    pub directory: String,
    /// The `name` of its `Chart.yaml`.
    pub name: String,
}

/// What was seen and is not in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file, or what else it is.
    pub file: String,
    /// Why.
    pub why: String,
}

/// A first `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its text.
    pub text: String,
    /// What it declares, each with the file that it comes from.
    pub resources: Vec<(ResourceId, String)>,
    /// What was seen and left out, with the reason.
    pub left_out: Vec<LeftOut>,
    /// The address of the registry.
    pub registry: String,
    /// The version that the text holds releases to, where there is one.
    pub version: Option<String>,
}

impl Proposal {
    /// The commands to go on with, once the text is in `file`: of a release that its checks let through.
    pub fn next(&self, file: &Path) -> [String; 2] {
        let config = match file.display().to_string() {
            file if file == "publish.toml" => String::new(),
            file => format!(" --config {}", text::shell(&file)),
        };
        let version = self.version.as_deref().unwrap_or("1.2.3");
        [
            format!("brokkr-publish lint{config}"),
            format!("brokkr-publish plan{config} --ref refs/tags/v{version}"),
        ]
    }
}

/// The most images, and the most charts, that are declared.
const MOST: usize = 100;

/// What `found` is published as.
pub fn propose(found: &Found) -> Proposal {
    let place = remote::place(found.remote.as_deref());
    let mut left_out = found.left_out.clone();
    let images = names::images(found, place.shared, &mut left_out);
    let charts = names::charts(found, &mut left_out);
    let text = text::write(found, &place, &images, &charts);
    if let Some(unfit) = found.unfit_branch.as_ref().filter(|_| text::has_rules(&images, &charts)) {
        let why = format!("{}; `main` is used instead", unfit.why);
        left_out.push(LeftOut { file: format!("the default branch `{}`", unfit.name), why });
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
