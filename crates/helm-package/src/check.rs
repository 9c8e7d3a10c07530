//! Checks of a chart without packaging it.

use std::path::Path;

use crate::chart_image::{ChartImage, NamedImage};
use crate::error::ChartError;
use crate::finding::{ChartFinding, ChartFindings, FindingConcern, FindingSeverity};
use crate::load::LoadedChart;
use crate::named_images::named_images;
use crate::pinned::set_images;
use crate::read_chart::{ChartPath, read_chart};
use crate::typed_values::check_typed_values;
use crate::vendored::check_dependencies;

/// The result of a check of a chart.
#[derive(Debug, Default)]
pub struct CheckedChart {
    /// Everything that is wrong with it.
    pub findings: Vec<ChartFinding>,
    /// The `appVersion` in its `Chart.yaml`.
    pub app_version: String,
    /// The images that it names.
    pub images: Vec<NamedImage>,
}

/// Returns everything that is wrong with the chart at `path`, a directory or a package, without using the network. Dependencies that
/// are not under `charts/` are warnings here, because they may be fetched only just before the chart is published.
///
/// `path` is relative to `folder`, and links in the chart may lead only into the chart and `folder`. Findings name files relative to
/// `shown`, which is usually the path of `folder` relative to the working directory. `wanted` is the name that the chart must have,
/// because Helm finds a chart by that name: the last part of its repository. `sets_app_version` says that the version of the
/// application is set when the chart is published, so that the one in `Chart.yaml` does not matter. `images` are to be set in its values.
///
/// # Errors
///
/// [`ChartError`] if there is no chart, or it cannot be opened.
pub fn check_chart(
    folder: &Path,
    shown: &Path,
    path: &str,
    wanted: Option<&str>,
    sets_app_version: bool,
    images: &[ChartImage],
) -> Result<CheckedChart, ChartError> {
    let location = ChartPath::find(folder, shown, path)?;
    let mut findings = ChartFindings::default();
    let mut checked = CheckedChart::default();
    if let Some(mut read) = read_chart(&location, folder, &mut findings)? {
        check_name(&read.chart, wanted, &mut findings);
        check_typed_values(&read.chart, sets_app_version, &mut findings);
        if !location.packaged {
            check_dependencies(&read.chart, &read.hidden, &mut findings);
            read.hidden.warn(&mut findings);
            checked.images = named_images(&read.chart, &mut read.contents);
            set_images(&mut read.chart, &location.path, &mut read.contents, images, &mut findings);
        }
        checked.app_version.clone_from(&read.chart.metadata.app_version);
    }
    checked.findings = findings.into_list();
    for finding in &mut checked.findings {
        if finding.concern == FindingConcern::Dependencies {
            finding.severity = FindingSeverity::Warning;
        }
    }
    Ok(checked)
}

/// Returns the name of the chart at `path`, relative to `folder`, if it can be read.
pub fn chart_name(folder: &Path, path: &str) -> Option<String> {
    let location = ChartPath::find(folder, Path::new(""), path).ok()?;
    let read = read_chart(&location, folder, &mut ChartFindings::default()).ok()?;
    read.map(|read| read.chart.metadata.name).filter(|name| !name.is_empty())
}

/// Returns the version of the chart at `path`, relative to `folder`, if it can be read.
pub fn chart_version(folder: &Path, path: &str) -> Option<String> {
    let location = ChartPath::find(folder, Path::new(""), path).ok()?;
    let read = read_chart(&location, folder, &mut ChartFindings::default()).ok()?;
    read.map(|read| read.chart.metadata.version).filter(|version| !version.is_empty())
}

/// Checks that the chart has the name of its repository, because Helm pulls `oci://…/NAME`.
pub(crate) fn check_name(chart: &LoadedChart, wanted: Option<&str>, findings: &mut ChartFindings) {
    let name = &chart.metadata.name;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != name && !name.is_empty()) {
        let message = format!("the chart is called `{name}`, but its repository ends in `{wanted}`");
        let help =
            format!("end the repository in `{name}`, or rename the chart: Helm pulls a chart by its name");
        findings.error(Some(chart.span_of("name")), message, &help);
    }
}
