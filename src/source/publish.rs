//! Turning a declared source into exactly the content that is published.

use std::sync::Arc;

use super::artifact::Artifact;
use super::{Content, Source, SourceError, Surroundings, Travelling, chart, open, referrers, rewrite, walk};
use crate::model::ContentSpec;
use crate::model::content::{ArtifactSpec, ChartSpec, ImageSpec};

/// Content to publish: the source of its bytes, and everything that it consists of.
pub struct Published {
    /// The declared spec, pinned: opening it again gives the same content or fails.
    pub spec: ContentSpec,
    /// The source of the bytes.
    pub source: Arc<dyn Source>,
    /// Everything that the root reaches.
    pub content: Content,
    /// The referrers that are published with it, each after its subject.
    pub referrers: Vec<Travelling>,
}

/// Returns exactly the content to publish for `spec`. If the declaration changes nothing, not one byte of an image changes.
///
/// # Errors
///
/// [`SourceError`] if the source cannot be read, or content or a platform is missing from it.
pub fn publishable(spec: &ContentSpec, surroundings: &Surroundings) -> Result<Published, SourceError> {
    match spec {
        ContentSpec::Image(spec) => image(spec, surroundings),
        ContentSpec::Chart(spec) => chart(spec, surroundings),
        ContentSpec::Artifact(spec) => artifact(spec, surroundings),
    }
}

fn chart(spec: &ChartSpec, surroundings: &Surroundings) -> Result<Published, SourceError> {
    let (source, spec) = chart::open(spec, surroundings)?;
    alone(ContentSpec::Chart(spec), source)
}

fn artifact(spec: &ArtifactSpec, surroundings: &Surroundings) -> Result<Published, SourceError> {
    let source = Artifact::open(spec, &surroundings.folder)?;
    alone(ContentSpec::Artifact(spec.clone()), Arc::new(source))
}

/// Returns content that was made here and has no referrers.
fn alone(spec: ContentSpec, source: Arc<dyn Source>) -> Result<Published, SourceError> {
    let content = walk(source.as_ref())?;
    Ok(Published { spec, source, content, referrers: Vec::new() })
}

fn image(spec: &ImageSpec, surroundings: &Surroundings) -> Result<Published, SourceError> {
    let opened = open(&spec.source, surroundings)?;
    let own = opened.source.clone();
    let source = rewrite::rewrite(opened.source, spec)?;
    let content = walk(source.as_ref())?;
    let referrers = if spec.referrers {
        referrers::refuse_orphans(own.as_ref(), &content, &spec.platforms)?;
        referrers::travelling(source.as_ref(), &content)?
    } else {
        Vec::new()
    };
    let spec = ContentSpec::Image(ImageSpec { source: opened.spec, ..spec.clone() });
    Ok(Published { spec, source, content, referrers })
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
