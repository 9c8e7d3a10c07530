//! A first `publish.toml`: what lies in a repository becomes the text of one. `survey` looks, `names` and `remote` decide what
//! things are called and where they go, `text` writes. Nothing here asks git or a network, and nothing is written.

mod names;
mod remote;
mod survey;
mod text;

pub use survey::{Surroundings, is_candidate, survey, walk};

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
    /// Dockerfiles and Containerfiles, relative to the folder of `publish.toml`, with `/` between.
    pub dockerfiles: Vec<String>,
    /// Charts.
    pub charts: Vec<FoundChart>,
    /// A file that holds a version, and its key.
    pub version: Option<(&'static str, &'static str)>,
    /// What was seen and left out.
    pub left_out: Vec<LeftOut>,
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
    /// The file.
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
    Proposal { text, resources, left_out, registry: place.url }
}
