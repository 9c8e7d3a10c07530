//! From a declared source to exactly what is published.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::error::{list, list_platforms};
use super::{Content, Source, SourceError, annotate, open, walk};
use crate::model::{Platform, SourceSpec};

/// What is published: where its bytes come from, and all that it consists of.
pub struct Published {
    /// Where the bytes come from.
    pub source: Arc<dyn Source>,
    /// All that the root reaches.
    pub content: Content,
}

/// Opens `spec` and makes of it exactly what is published: `annotations` are written to the root, and where
/// there are none not one byte changes; `platforms` must all be there.
///
/// # Errors
///
/// [`SourceError`] where the source cannot be read, content is missing from it, or a platform is.
pub fn publishable(
    spec: &SourceSpec,
    folder: &Path,
    platforms: &[Platform],
    annotations: &BTreeMap<String, String>,
) -> Result<Published, SourceError> {
    let source = annotate::annotate(open(spec, folder)?, annotations)?;
    let content = walk(source.as_ref())?;
    require(platforms, &content, spec)?;
    Ok(Published { source, content })
}

/// Other platforms than those required may be there too.
fn require(platforms: &[Platform], content: &Content, spec: &SourceSpec) -> Result<(), SourceError> {
    let there = |wanted: &Platform| content.platforms.iter().any(|found| found.satisfies(wanted));
    let missing: Vec<&Platform> = platforms.iter().filter(|wanted| !there(wanted)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = match content.platforms.as_slice() {
        [] => "it names no platform".to_owned(),
        found => format!("it is for {}", list_platforms(found)),
    };
    Err(SourceError::Platform {
        reason: format!("source `{spec}` lacks {}: {found}", list(&missing)),
        help: "build the image for every platform that `platforms` declares (`--platform`, `--all` when it is copied), \
               or take the platform out of `platforms`"
            .to_owned(),
    })
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
