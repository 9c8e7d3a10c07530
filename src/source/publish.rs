//! From a declared source to exactly what is published.

use std::sync::Arc;

use super::error::{list, list_platforms};
use super::{
    Content, Source, SourceError, Surroundings, Travelling, annotate, not_yet, open, referrers, walk,
};
use crate::model::content::ImageSpec;
use crate::model::{ContentSpec, Platform, SourceSpec};

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
        ContentSpec::Chart(_) | ContentSpec::Artifact(_) => Err(not_yet("this content")),
    }
}

fn image(spec: &ImageSpec, surroundings: &Surroundings) -> Result<Published, SourceError> {
    let opened = open(&spec.source, surroundings)?;
    let own = opened.source.clone();
    let source = annotate::annotate(opened.source, &spec.annotations)?;
    let content = walk(source.as_ref())?;
    require(&spec.platforms, &content, &spec.source)?;
    let referrers = if spec.referrers {
        referrers::refuse_orphans(own.as_ref(), &content, &spec.platforms)?;
        referrers::travelling(source.as_ref(), &content)?
    } else {
        Vec::new()
    };
    let spec = ContentSpec::Image(ImageSpec { source: opened.spec, ..spec.clone() });
    Ok(Published { spec, source, content, referrers })
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
