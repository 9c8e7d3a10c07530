//! The tags of a context, without any registry or source.

use indexmap::IndexMap;

use super::session::{Result, Session};
use crate::config::Config;
use crate::context::{CommitUse, Context, ContextDoubt};
use crate::desired::{self, ResourceTags, Selection};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::ResourceId;

/// The tags of a context.
pub struct RenderedTags {
    /// The configuration.
    pub config: Config,
    /// The context.
    pub context: Context,
    /// The tags of each resource.
    pub resources: IndexMap<ResourceId, ResourceTags>,
    /// The warnings about the context.
    pub warnings: Vec<Diagnostic>,
}

/// Renders the tags of this context. Contacts no registry and opens no source.
///
/// # Errors
///
/// Everything that is wrong with the configuration, the context or the templates.
pub fn tags(session: &Session) -> Result<RenderedTags> {
    let config = session.load()?.config;
    let context = session.context(&config, CommitUse::Previewed)?;
    let resources = desired::tags(&config, &context)?;
    let mut warnings: Vec<Diagnostic> = context.doubts.iter().map(ContextDoubt::to_diagnostic).collect();
    if context.tag_of_ref().is_some() && resources.values().all(|resource| resource.tags.is_empty()) {
        // Nothing is published here, so that it is no error yet.
        let nothing = desired::nothing_published(&config, &context, &resources, &Selection::default());
        warnings.extend(nothing.map(|it| Diagnostic { severity: Severity::Warning, ..it }));
    }
    Ok(RenderedTags { config, context, resources, warnings })
}

/// Returns the full names of the repositories of the resource `id`.
pub fn repositories(config: &Config, id: &ResourceId) -> Vec<String> {
    let Some(resource) = config.resources.get(id) else { return Vec::new() };
    let locations = resource.registries.iter().filter_map(|registry| config.registries.get(registry));
    locations
        .map(|registry| &registry.endpoint.url)
        .map(|location| location.full_name(&location.repository(&resource.repository)))
        .collect()
}
