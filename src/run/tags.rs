//! The tags of a context, without any registry or source.

use indexmap::IndexMap;

use super::session::{Result, Session};
use crate::config::Config;
use crate::context::{CommitUse, Context, ContextDoubt};
use crate::desired::{self, Preview, Selection};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::ResourceId;

/// The tags of a context.
pub struct RenderedTags {
    /// The configuration.
    pub config: Config,
    /// The context.
    pub context: Context,
    /// The tags of each selected resource.
    pub resources: IndexMap<ResourceId, Preview>,
    /// The warnings about the context.
    pub warnings: Vec<Diagnostic>,
}

/// Renders the tags of this context, of what `targets` select. Contacts no registry and opens no source.
///
/// # Errors
///
/// Everything that is wrong with the configuration, the context or the templates, and what a plan would refuse: collisions, and
/// targets that name nothing.
pub fn tags(session: &Session, targets: &[String]) -> Result<RenderedTags> {
    let loaded = session.load()?;
    let config = loaded.config;
    let context = session.context(&config, CommitUse::Previewed)?;
    let selection = Selection::new(targets);
    let (resources, incomplete) = desired::preview(&config, &context, &selection)?;
    let mut warnings: Vec<Diagnostic> = context.doubts.iter().map(ContextDoubt::to_diagnostic).collect();
    warnings.extend(loaded.notes);
    let fired = resources.values().flat_map(|it| &it.tags.tags).map(|tag| tag.rule.as_str());
    warnings.extend(desired::fork_unknown(&config, &context, fired));
    warnings.extend(incomplete);
    let rendered = resources.iter().map(|(id, preview)| (id.clone(), preview.tags.clone())).collect();
    warnings.extend(desired::unversioned_tag(&config, &context, &rendered));
    if resources.values().all(|resource| resource.tags.tags.is_empty()) {
        // Nothing is published here, so that it is no error yet.
        let nothing = desired::nothing_published(&config, &context, &rendered, &selection);
        warnings.extend(nothing.map(|it| Diagnostic { severity: Severity::Warning, ..it }));
    }
    Ok(RenderedTags { config, context, resources, warnings })
}
