//! `[charts.*]`: sources and versions of charts.

use indexmap::IndexMap;

use super::problems::Problems;
use super::resource::{self, CommonKeys, Defaults};
use crate::config::{DeclaredChart, DeclaredContent, Resource, raw};
use crate::diagnostic::Code;
use crate::model::{ResourceId, ResourceKind};
use oci_content::TransportSpec;

/// The version of a chart that declares none. For a release it is the release's version; for other events it is lower than any
/// release and names the branch and the commit.
const DEFAULT_VERSION: &str = "{% if event == \"tag\" %}{{ version }}\
    {% elif event == \"pull_request\" %}0.0.0-pr-{{ pr.number }}.{{ git.short_sha | identifier }}\
    {% else %}0.0.0-{{ git.branch | identifier }}.{{ git.short_sha | identifier }}{% endif %}";

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
                tag_prefix: raw.tag_prefix,
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
            let content = raw.source.map(|source| {
                DeclaredContent::Chart(DeclaredChart { source, version, app_version: raw.app_version })
            });
            let resource = resource::check_resource(&id, common, content, defaults, problems)?;
            Some((id, resource))
        })
        .collect()
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
