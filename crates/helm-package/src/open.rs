//! Opens a declared chart as a source.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use crate::chart_image::{ValueChange, dotted};
use crate::chart_source::{ChartBlob, ChartSource};
use crate::check::check_name;
use crate::edit::set_versions;
use crate::error::ChartError;
use crate::finding::ChartFindings;
use crate::manifest;
use crate::package::package_chart;
use crate::pinned::set_images;
use crate::provenance::check_provenance;
use crate::read_chart::{ChartPath, ReadChart, read_chart};
use crate::spec::ChartSpec;
use crate::typed_values::check_typed_values;
use crate::vendored::check_dependencies;
use crate::version::HelmVersion;
use oci_content::{PositionedFile, Source, SourceError, Surroundings, read_bounded};
use oci_registry::{Descriptor, Digest};

/// The largest provenance file, in bytes.
const MAX_PROVENANCE: u64 = 1024 * 1024;
/// The environment variable that gives the time if no commit does (reproducible-builds.org, "`SOURCE_DATE_EPOCH`").
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// A chart that was opened.
pub struct OpenedChart {
    /// The source of its content.
    pub source: Arc<dyn Source>,
    /// The declaration, with the time pinned.
    pub spec: ChartSpec,
    /// The values that were set in its `values.yaml`.
    pub values: Vec<ValueChange>,
}

/// Opens a declared chart: packages a directory, or reads a package.
///
/// # Errors
///
/// [`ChartError`] if the chart does not exist or cannot be read, or if Helm would not package or load it.
pub fn open(spec: &ChartSpec, surroundings: &Surroundings) -> Result<OpenedChart, ChartError> {
    surroundings.check(&spec.path).map_err(SourceError::from)?;
    let location = ChartPath::find(&surroundings.folder, Path::new(""), &spec.path)?;
    let epoch = || (surroundings.environment)(EPOCH)?.trim().parse().ok();
    let spec = ChartSpec { created: spec.created.or_else(epoch), ..spec.clone() };
    let mut findings = ChartFindings::default();
    let mut values = Vec::new();
    let source = if location.packaged {
        open_package(&location, &spec, &mut findings)
    } else {
        package_directory(&location, &surroundings.folder, &spec, &mut values, &mut findings)
    };
    match source {
        Ok(Some(source)) if !findings.any_error() => {
            Ok(OpenedChart { source: Arc::new(source), spec, values })
        }
        Err(error) => Err(error.into()),
        _ => Err(ChartError::invalid(location.shown, findings.into_list())),
    }
}

/// Packages a directory. Adds the values that were set to `values`.
fn package_directory(
    location: &ChartPath,
    folder: &Path,
    spec: &ChartSpec,
    values: &mut Vec<ValueChange>,
    findings: &mut ChartFindings,
) -> Result<Option<ChartSource>, SourceError> {
    let Some(read) = read_chart(location, folder, findings)? else { return Ok(None) };
    let ReadChart { mut chart, mut contents, hidden, .. } = read;
    check_name(&chart, Some(&spec.name), findings);
    check_typed_values(&chart, spec.app_version.is_some(), findings);
    check_dependencies(&chart, &hidden, findings);
    if HelmVersion::parse(&spec.version).is_none() {
        let message =
            format!("the chart cannot be published as `{}`, which is not a semantic version", spec.version);
        findings.error(None, message, "set the `version` of the chart to three numbers, such as `1.2.3`");
    }
    if findings.any_error() {
        return Ok(None);
    }
    set_versions(&mut chart, &spec.version, spec.app_version.as_deref(), findings);
    values.extend(set_images(&mut chart, &location.path, &mut contents, &spec.images, findings));
    if findings.any_error() {
        return Ok(None);
    }
    let modified = spec.created.and_then(|created| u64::try_from(created).ok()).unwrap_or_default();
    let packaged = package_chart(&chart, &mut contents, modified)
        .map_err(|error| SourceError::io(format!("the files of `{}`", location.shown), error))?;
    let layer = Descriptor::new(manifest::CONTENT, packaged.digest, packaged.size);
    ChartSource::assemble(&location.shown, spec, &chart, vec![(layer, ChartBlob::Packaged(packaged.bytes))])
        .map(Some)
}

/// Reads a package, which stays as it is.
fn open_package(
    location: &ChartPath,
    spec: &ChartSpec,
    findings: &mut ChartFindings,
) -> Result<Option<ChartSource>, SourceError> {
    let Some(ReadChart { chart, package: Some((digest, size)), .. }) =
        read_chart(location, Path::new(""), findings)?
    else {
        return Ok(None);
    };
    check_name(&chart, Some(&spec.name), findings);
    check_typed_values(&chart, spec.app_version.is_some(), findings);
    if let Some(image) = spec.images.first() {
        let message = format!(
            "`{}` cannot name an image of this run, because a package is published as it is",
            dotted(&image.path)
        );
        findings.error(None, message, "name the chart's directory instead");
    }
    let asked = [
        ("version", &chart.metadata.version, Some(&spec.version)),
        ("appVersion", &chart.metadata.app_version, spec.app_version.as_ref()),
    ];
    for (key, own, wanted) in asked {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != own) {
            let message = format!("the package has the `{key}` `{own}`, but `{wanted}` is to be published");
            let help = "a package is published as it is: package it with that version, or name the chart's directory, \
                        to have the version set";
            findings.error(Some(chart.span_of(key)), message, help);
        }
    }
    let layer = Descriptor::new(manifest::CONTENT, digest.clone(), size);
    let file = PositionedFile::open(location.path.clone())
        .map_err(|error| SourceError::io(format!("`{}`", location.shown), error))?;
    let mut layers = vec![(layer, ChartBlob::File(Arc::new(file)))];
    if let Some(bytes) = read_provenance(location, &digest, findings)? {
        let layer = Descriptor::new(manifest::PROVENANCE, Digest::of(&bytes), bytes.len() as u64);
        layers.push((layer, ChartBlob::Bytes(Arc::new(bytes))));
    }
    if findings.any_error() {
        return Ok(None);
    }
    ChartSource::assemble(&location.shown, spec, &chart, layers).map(Some)
}

/// Returns the provenance file beside a package.
fn read_provenance(
    location: &ChartPath,
    digest: &Digest,
    findings: &mut ChartFindings,
) -> Result<Option<Vec<u8>>, SourceError> {
    let shown = format!("{}.prov", location.shown);
    let mut path = location.path.clone().into_os_string();
    path.push(".prov");
    let unreadable = |error| SourceError::io(format!("`{shown}`"), error);
    match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(unreadable(io::Error::other("it is not a regular file"))),
    }
    let bytes = File::open(&path).and_then(|file| read_bounded(file, MAX_PROVENANCE)).map_err(unreadable)?;
    let name = location.path.file_name().unwrap_or_default().to_string_lossy();
    let checked = match std::str::from_utf8(&bytes) {
        Ok(text) => check_provenance(text, &name, digest),
        Err(_) => Err("is not UTF-8".to_owned()),
    };
    if let Err(reason) = checked {
        let help = "sign the package again (`helm package --sign`), or remove the file";
        findings.error(None, format!("`{shown}` {reason}"), help);
    }
    Ok(Some(bytes))
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
