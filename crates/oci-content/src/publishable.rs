//! From a declared image or artifact to exactly the content to publish.

use std::sync::Arc;

use super::artifact::ArtifactSource;
use super::incomplete::explained;
use super::{
    ArtifactSpec, Content, ImageSpec, LeftBehind, Referrers, Source, SourceError, Surroundings, Travelling,
    open, referrers, rewrite, walk,
};

/// Content to publish: its source, and all that it consists of.
pub struct Publishable {
    /// The source of the bytes.
    pub source: Arc<dyn Source>,
    /// Everything that the root reaches.
    pub content: Content,
    /// The referrers that are published with it, each after its subject.
    pub referrers: Vec<Travelling>,
    /// The listed referrers that are not published with it.
    pub left_behind: Vec<LeftBehind>,
}

impl Publishable {
    /// Returns content that nothing refers to.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if the source cannot be read, or lacks a part of its content.
    pub fn without_referrers(source: Arc<dyn Source>) -> Result<Self, SourceError> {
        let content = walk(source.as_ref())?;
        Ok(Self { source, content, referrers: Vec::new(), left_behind: Vec::new() })
    }
}

/// Returns the content of `spec`, and `spec` pinned: opened again, it gives the same content or fails. If `spec` declares no
/// change, every byte of the image stays as it is.
///
/// # Errors
///
/// [`SourceError`] if the source cannot be read, or lacks a part of its content or a platform.
pub fn open_image(
    spec: &ImageSpec,
    surroundings: &Surroundings,
) -> Result<(ImageSpec, Publishable), SourceError> {
    let opened = open(&spec.source, surroundings)?;
    let own = opened.source.clone();
    let declared = spec.source.to_string();
    let source =
        rewrite::rewrite(opened.source, spec).map_err(|error| explained(own.as_ref(), &declared, error))?;
    let content = walk(source.as_ref()).map_err(|error| explained(own.as_ref(), &declared, error))?;
    let found = if spec.referrers {
        referrers::refuse_orphans(own.as_ref(), &content, &spec.platforms)?;
        referrers::travelling(source.as_ref(), &content)?
    } else {
        Referrers::default()
    };
    let Referrers { travelling: referrers, left_behind } = found;
    let spec = ImageSpec { source: opened.spec, ..spec.clone() };
    Ok((spec, Publishable { source, content, referrers, left_behind }))
}

/// Returns the artifact `spec` as content.
///
/// # Errors
///
/// [`SourceError`] if a file cannot be read, or is not accepted in an artifact.
pub fn open_artifact(spec: &ArtifactSpec, surroundings: &Surroundings) -> Result<Publishable, SourceError> {
    spec.files.iter().try_for_each(|file| surroundings.check(&file.path))?;
    Publishable::without_referrers(Arc::new(ArtifactSource::open(spec, &surroundings.folder)?))
}

#[cfg(test)]
#[path = "publishable_tests.rs"]
mod tests;
