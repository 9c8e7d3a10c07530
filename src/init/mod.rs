//! Proposes a first `publish.toml` for a repository. `survey` looks at the files, `names` and `remote` decide what resources
//! are called and where they go, and `text` writes the text. Nothing here runs git, uses a network or writes a file.

mod names;
mod remote;
mod survey;
mod text;

pub use survey::{Surroundings, is_candidate, survey, walk};

use std::path::Path;

use crate::model::{ResourceId, ResourceKind};

/// The relevant contents of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The name of the project: the last part of the remote's address, or the folder's name.
    pub project: String,
    /// The address of the git remote, for a browser.
    pub remote: Option<String>,
    /// The branch whose pushes publish.
    pub branch: Option<String>,
    /// The default branch, if it cannot be `branch`.
    pub unfit_branch: Option<UnfitBranch>,
    /// Dockerfiles and Containerfiles, relative to the folder of `publish.toml`, with `/` as separator.
    pub dockerfiles: Vec<String>,
    /// Charts.
    pub charts: Vec<FoundChart>,
    /// The version of the project.
    pub version: Option<FoundVersion>,
    /// The files that were seen and left out.
    pub left_out: Vec<LeftOut>,
}

/// A branch that cannot have a tag of its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfitBranch {
    /// Its name, escaped if it contains characters that do not belong in a text file.
    pub name: String,
    /// The reason.
    pub why: String,
}

/// The version that a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVersion {
    /// The file.
    pub file: &'static str,
    /// Its key.
    pub key: &'static str,
    /// Its value: a semantic version.
    pub version: String,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChart {
    /// Its directory, relative to the folder of `publish.toml`, or `.` for that folder itself.
    pub directory: String,
    /// The `name` of its `Chart.yaml`.
    pub name: String,
}

/// Something that was seen but is not in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file, or a description of something else.
    pub file: String,
    /// The reason.
    pub why: String,
}

/// A first `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its text.
    pub text: String,
    /// The resources that it declares, each with the file that it comes from.
    pub resources: Vec<(ResourceId, String)>,
    /// The files that were seen and left out, with the reasons.
    pub left_out: Vec<LeftOut>,
    /// The address of the registry.
    pub registry: String,
    /// The version that releases are checked against, if there is one.
    pub version: Option<String>,
}

impl Proposal {
    /// The commands to run next, once the text is in `file`. They are about a release that passes the checks in it.
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

/// Proposes a `publish.toml` for `found`.
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
