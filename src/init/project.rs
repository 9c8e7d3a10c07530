//! The facts about a repository that `init` proposes a configuration from.

use std::collections::BTreeMap;

/// The relevant contents of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectSurvey {
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
    /// The git tags, the newest first.
    pub git_tags: Vec<String>,
    /// The default branch as it is called.
    pub default_branch: Option<String>,
    /// The texts of workflows, scripts and other files that publish.
    pub texts: BTreeMap<String, String>,
    /// The files that were seen and left out.
    pub left_out: Vec<LeftOutFile>,
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
    /// The images that its `values.yaml` names: the path, and the repository.
    pub images: Vec<(String, String)>,
}

/// Something that was seen but is not in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutFile {
    /// The file, or a description of something else.
    pub file: String,
    /// The reason.
    pub why: String,
}

/// The answers to questions, or the options in place of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitAnswers {
    /// The address of the registry.
    pub registry: Option<String>,
    /// The prefix of git tags.
    pub tag_prefix: Option<String>,
    /// The visibility of every registry.
    pub visibility: Option<String>,
    /// The name of the project.
    pub name: Option<String>,
    /// The only file to read, a workflow with docker/metadata-action.
    pub from: Option<String>,
}

/// The most images, and the most charts, that are declared.
pub(super) const MOST: usize = 100;
