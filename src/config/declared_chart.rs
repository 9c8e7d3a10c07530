//! `[charts.NAME]`, checked.

use crate::model::{EventName, ImagePin, KeyPath, OnConflict, ResourceId};

/// The version of a chart that declares none. For a release it is the release's version; for other events it is lower than any
/// release and names the branch, the time of the commit and the commit. The versions of a branch are sorted by time: the time is a number
/// of fourteen digits without a leading zero. The commit follows `sha`, because digits alone would be a number (semver.org, item 9).
pub const DEFAULT_VERSION: &str = "{% if event == \"tag\" %}{{ version }}\
    {% elif event == \"pull_request\" %}0.0.0-pr-{{ pr.number }}.{{ git.commit_time | date('%Y%m%d%H%M%S') }}.sha{{ git.short_sha }}\
    {% else %}0.0.0-{{ git.branch | identifier }}.{{ git.commit_time | date('%Y%m%d%H%M%S') }}.sha{{ git.short_sha }}{% endif %}";

/// The same if the time of the commit is not known.
pub const DEFAULT_VERSION_WITHOUT_TIME: &str = "{% if event == \"tag\" %}{{ version }}\
    {% elif event == \"pull_request\" %}0.0.0-pr-{{ pr.number }}.sha{{ git.short_sha }}\
    {% else %}0.0.0-{{ git.branch | identifier }}.sha{{ git.short_sha }}{% endif %}";

/// `[charts.NAME]`: the keys that only charts have.
#[derive(Debug, Clone)]
pub struct DeclaredChart {
    /// The directory of the chart, or a packaged chart: a template.
    pub source: String,
    /// The version that the chart is published as: a template.
    pub version: String,
    /// The version of the application in the chart: a template.
    pub app_version: Option<String>,
    /// The images that its values name.
    pub images: Vec<DeclaredChartImage>,
    /// The events that it is published on; `None` if none are declared.
    pub on: Option<Vec<EventName>>,
    /// Globs, one of which the branch (or the git tag) must match. Empty: any.
    pub matches: Vec<String>,
    /// A condition in the template language.
    pub when: Option<String>,
    /// The action if its version is published already with another digest.
    pub on_conflict: OnConflict,
    /// Whether its version is the one in its `Chart.yaml`.
    pub has_own_version: bool,
}

/// An entry of `images` of `[charts.NAME]`.
#[derive(Debug, Clone)]
pub struct DeclaredChartImage {
    /// The path in `values.yaml`, whose text is the key in the table.
    pub path: KeyPath,
    /// The image.
    pub image: ResourceId,
    /// How it is named. `None`: by an immutable tag if there is one, else by digest.
    pub pin: Option<ImagePin>,
    /// The registry that is named. `None`: one that both are published to.
    pub registry: Option<String>,
}
