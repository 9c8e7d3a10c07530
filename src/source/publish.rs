//! From a declared source to exactly what is published.

use std::sync::Arc;

use super::artifact::Artifact;
use super::{Content, Source, SourceError, Surroundings, Travelling, chart, open, referrers, rewrite, walk};
use crate::model::ContentSpec;
use crate::model::content::{ArtifactSpec, ChartSpec, ImageSpec};

/// What is published: where its bytes come from, and all that it consists of.
pub struct Published {
    /// What was declared, pinned: opened again, it gives the same or fails.
    pub spec: ContentSpec,
    /// Where the bytes come from.
    pub source: Arc<dyn Source>,
    /// All that the root reaches.
    pub content: Content,
    /// What refers to it and is published with it, each after its subject.
    pub referrers: Vec<Travelling>,
}

/// Makes of `spec` exactly what is published. Where nothing is declared that changes an image, not one byte of it changes.
///
/// # Errors
///
/// [`SourceError`] where the source cannot be read, content is missing from it, or a platform is.
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

/// What is made here, which nothing refers to.
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
