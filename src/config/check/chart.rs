//! `[charts.*]`: sources and versions of charts.

use indexmap::IndexMap;

use super::problems::Problems;
use super::releases::DeclaredForm;
use super::resource::{self, CommonKeys, Defaults};
use super::tag::check_globs;
use crate::config::declared::DeclaredNames;
use crate::config::{DEFAULT_VERSION, DeclaredChart, DeclaredChartImage, DeclaredContent, Resource, raw};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{EventName, ImagePin, KeyPath, OnConflict, ResourceId, ResourceKind};
use oci_content::TransportSpec;

pub(super) fn check_charts(
    raw: IndexMap<String, raw::RawChart>,
    defaults: &Defaults<'_>,
    problems: &mut Problems<'_>,
) -> Vec<(ResourceId, Resource)> {
    raw.into_iter()
        .filter_map(|(name, raw)| {
            let id = ResourceId::new(ResourceKind::Chart, name);
            let common = CommonKeys {
                repository: raw.repository,
                registries: raw.registries,
                tags: raw.tags,
                releases: DeclaredForm { tag_prefix: raw.tag_prefix, version_scheme: raw.version_scheme },
                visibility: raw.visibility,
                annotations: raw.annotations,
                sign: raw.sign,
                attest: raw.attest,
                gates: None,
            };
            if let Some(source) = &raw.source {
                refuse_transport(&id, source, problems);
            }
            let version = raw.version.unwrap_or_else(|| DEFAULT_VERSION.to_owned());
            let images = images(&id, raw.images.unwrap_or_default(), raw.pin, defaults.declared, problems);
            let [section, key] = id.path();
            let matches = check_globs(raw.r#match, &[section, key, "match"], problems);
            let has_own_version = uses_own_version(&version);
            let by_default = if has_own_version { OnConflict::Keep } else { OnConflict::Fail };
            let content = raw.source.map(|source| {
                DeclaredContent::Chart(DeclaredChart {
                    source,
                    version,
                    app_version: raw.app_version,
                    images,
                    on: raw.on.map(|on| on.into_vec().into_iter().map(EventName::from).collect()),
                    matches,
                    when: raw.when,
                    on_conflict: raw.on_conflict.unwrap_or(by_default),
                    has_own_version,
                })
            });
            let resource = resource::check_resource(&id, common, content, defaults, problems)?;
            Some((id, resource))
        })
        .collect()
}

/// Whether the template of a version prints the one in `Chart.yaml`.
fn uses_own_version(template: &str) -> bool {
    let blank = |text: &str| text.split_whitespace().collect::<String>();
    blank(template).contains("chart.version")
}

/// The entries of `images`. Reports names that are not declared.
fn images(
    id: &ResourceId,
    raw: IndexMap<String, raw::RawChartImage>,
    pin: Option<ImagePin>,
    declared: &DeclaredNames,
    problems: &mut Problems<'_>,
) -> Vec<DeclaredChartImage> {
    let mut images = Vec::new();
    for (key, raw) in raw {
        let is_table = matches!(raw, raw::RawChartImage::Table(_));
        let table = match raw {
            raw::RawChartImage::Name(image) => {
                raw::RawPinnedImage { image: Some(image), ..Default::default() }
            }
            raw::RawChartImage::Table(table) => table,
        };
        let [section, name] = id.path();
        let at = |inner: Option<&'static str>| -> Vec<&str> {
            [section, name, "images", key.as_str()].into_iter().chain(inner.filter(|_| is_table)).collect()
        };
        if let (Some(image), Some(known)) = (&table.image, &declared.images) {
            problems.known_name(image, known, &at(Some("image")), Code::ConfigUnknownImage);
        }
        if let (Some(registry), Some(known)) = (&table.registry, &declared.registries) {
            problems.known_name(registry, known, &at(Some("registry")), Code::ConfigUnknownRegistry);
        }
        let path = match key.parse::<KeyPath>() {
            Ok(path) => path,
            Err(error) => {
                let message = format!("`{}` is not a path in `values.yaml`: {error}", key.escape_debug());
                let place = problems.places.key(&at(None));
                let help =
                    "write the keys with dots between them: `image`, `worker.image`, `containers.0.image`";
                problems.report(Diagnostic::error(Code::ConfigValue, message).at_maybe(place, "").help(help));
                continue;
            }
        };
        let (Some(image), pin) = (table.image, table.pin.or(pin)) else { continue };
        let image = ResourceId::new(ResourceKind::Image, image);
        images.push(DeclaredChartImage { path, image, pin, registry: table.registry });
    }
    images
}

/// Reports a chart whose source is a transport instead of a directory. A chart that is already published is content like any
/// other.
fn refuse_transport(id: &ResourceId, source: &str, problems: &mut Problems<'_>) {
    if source.parse::<TransportSpec>().is_err() {
        return;
    }
    let message =
        format!("`{}` names a transport, but a chart is packaged from its directory", source.escape_debug());
    let help = format!(
        "write the chart's directory or a packaged chart file; to promote a published chart, declare it as an image: `[images.\"{0}-chart\"]` with this `source` and `repository = \"charts/{0}\"`",
        id.name
    );
    problems.wrong(Code::ConfigSource, message, &id.key("source"), "not a directory", help);
}
