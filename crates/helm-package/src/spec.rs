//! A chart to publish, as declared and rendered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chart_image::ChartImage;

/// A Helm chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ChartSpec {
    /// The directory of the chart, or a packaged chart: `.tgz`.
    pub path: String,
    /// The name that the chart must have, because Helm finds it by that name: the last part of its repository.
    pub name: String,
    /// The version that the chart is published as.
    pub version: String,
    /// The version of the application in the chart. Left out: the version in `Chart.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// The images that its `values.yaml` is to name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ChartImage>,
    /// Annotations of the manifest, which override those that Helm writes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The time at which it was made, in seconds since 1970: the time of the commit, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
}
