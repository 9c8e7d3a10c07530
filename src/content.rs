//! From a declared image, chart or artifact to exactly the content to publish.

use std::sync::Arc;

use helm_package::{ChartError, ValueChange};
use oci_content::{Content, LeftBehind, Publishable, Source, SourceError, Surroundings, Travelling};

use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::ContentSpec;

/// Content to publish, and its declaration.
pub struct Published {
    /// The declaration, pinned: opened again, it gives the same content or fails.
    pub spec: ContentSpec,
    /// The source of the bytes.
    pub source: Arc<dyn Source>,
    /// Everything that the root reaches.
    pub content: Content,
    /// The referrers that are published with it, each after its subject.
    pub referrers: Vec<Travelling>,
    /// The listed referrers that are not published with it.
    pub left_behind: Vec<LeftBehind>,
    /// The values that were set in the `values.yaml` of a chart.
    pub values: Vec<ValueChange>,
}

/// Why declared content cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The source of an image or artifact cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A chart cannot be packaged.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

impl ContentError {
    /// The diagnostics of this error, one for each problem.
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Source(error) => vec![error.to_diagnostic()],
            Self::Chart(error) => crate::advice::chart::diagnostics(error),
        }
    }
}

impl ToDiagnostic for ContentError {
    fn to_diagnostic(&self) -> Diagnostic {
        match self {
            Self::Source(error) => error.to_diagnostic(),
            Self::Chart(error) => error.to_diagnostic(),
        }
    }
}

/// Returns exactly the content that `spec` publishes.
///
/// # Errors
///
/// [`ContentError`] if the source cannot be read, or lacks a part of its content or a platform.
pub fn publishable(spec: &ContentSpec, surroundings: &Surroundings) -> Result<Published, ContentError> {
    let mut values = Vec::new();
    let (spec, Publishable { source, content, referrers, left_behind }) = match spec {
        ContentSpec::Image(spec) => {
            let (spec, content) = oci_content::open_image(spec, surroundings)?;
            (ContentSpec::Image(spec), content)
        }
        ContentSpec::Chart(spec) => {
            let opened = helm_package::open(spec, surroundings)?;
            values = opened.values;
            (ContentSpec::Chart(opened.spec), Publishable::without_referrers(opened.source)?)
        }
        ContentSpec::Artifact(spec) => {
            (ContentSpec::Artifact(spec.clone()), oci_content::open_artifact(spec, surroundings)?)
        }
    };
    Ok(Published { spec, source, content, referrers, left_behind, values })
}
