//! `[charts.*]`: the versions of charts, each of which becomes a tag rule of its own.

use indexmap::IndexMap;

use super::Desk;
use super::resource::{self, Common, Setting};
use crate::config::{Chart, Content, Resource, TagRule, raw};
use crate::diagnostic::Code;
use crate::model::{EventName, Mutability, ResourceId};
use oci_content::TransportSpec;

/// The version of a chart that declares none. For a release it is the release's version; for other events it is lower than any
/// release and names the branch and the commit.
const DEFAULT_VERSION: &str = "{% if event == \"tag\" %}{{ version }}\
    {% elif event == \"pull_request\" %}0.0.0-pr-{{ pr.number }}.{{ git.short_sha | identifier }}\
    {% else %}0.0.0-{{ git.branch | identifier }}.{{ git.short_sha | identifier }}{% endif %}";

pub(super) fn check(
    raw: IndexMap<String, raw::Chart>,
    setting: &Setting<'_>,
    desk: &mut Desk<'_>,
) -> Vec<(ResourceId, Resource)> {
    raw.into_iter()
        .filter_map(|(name, raw)| {
            let id = ResourceId::new(crate::model::ResourceKind::Chart, name);
            let common = Common {
                repository: raw.repository,
                registries: raw.registries,
                tags: raw.tags,
                tag_prefix: raw.tag_prefix,
                visibility: raw.visibility,
                annotations: raw.annotations,
            };
            if let Some(source) = &raw.source {
                of_files(&id, source, desk);
            }
            let version = raw.version.unwrap_or_else(|| DEFAULT_VERSION.to_owned());
            let content = raw
                .source
                .map(|source| Content::Chart(Chart { source, version, app_version: raw.app_version }));
            let resource = resource::check(&id, common, content, setting, desk)?;
            Some((id, resource))
        })
        .collect()
}

/// Reports a chart whose source is a transport instead of a directory. A chart that is already published is content like any
/// other.
fn of_files(id: &ResourceId, source: &str, desk: &mut Desk<'_>) {
    if source.parse::<TransportSpec>().is_err() {
        return;
    }
    let message =
        format!("`{}` names a transport, but a chart is packaged from its directory", source.escape_debug());
    let help = format!(
        "write the chart's directory or a packaged chart file; to promote a published chart, declare it as an image: `[images.\"{0}-chart\"]` with this `source` and `repository = \"charts/{0}\"`",
        id.name
    );
    desk.wrong(Code::ConfigSource, message, &id.key("source"), "not a directory", help);
}

/// The name of the rule that renders the version of a chart. `[tags.*]` cannot declare this name.
pub(super) fn rule_name(id: &ResourceId) -> String {
    format!("{id} version")
}

/// The rules that make the version of each chart its tag, because Helm finds a chart only by its version.
pub(super) fn version_rules(
    resources: &IndexMap<ResourceId, Resource>,
) -> impl Iterator<Item = (String, TagRule)> + use<'_> {
    resources.iter().filter_map(|(id, resource)| {
        let Content::Chart(chart) = &resource.content else { return None };
        let rule = TagRule {
            on: vec![
                EventName::Tag,
                EventName::Branch,
                EventName::PullRequest,
                EventName::Schedule,
                EventName::Manual,
            ],
            template: chart.version.clone(),
            matches: Vec::new(),
            when: None,
            mutability: Mutability::Immutable,
            on_conflict: crate::model::OnConflict::Fail,
            prereleases: false,
            on_unknown: crate::model::forward::OnUnknown::default(),
            chart: Some(id.name.clone()),
        };
        Some((rule_name(id), rule))
    })
}
