//! Opening the source that a spec names: [`open`].

use std::sync::Arc;

use super::assemble::{assemble, assemble_several};
use super::containers_storage;
use super::digests::{self, PushedImages};
use super::transport::open_transport;
use super::{Source, SourceError, SourceRegistries, SourceSpec, Surroundings, TransportSpec};

/// A source, and a spec that names exactly its present content.
pub struct OpenedSource {
    /// The source.
    pub source: Arc<dyn Source>,
    /// The opened spec, pinned: a name that could mean something else tomorrow is replaced by a digest.
    pub spec: SourceSpec,
}

/// Opens the source that `spec` names. A table of platforms, a list, and a folder of digests are assembled into an index.
///
/// # Errors
///
/// [`SourceError`] if it does not exist, cannot be published, or does not say which image is meant.
pub fn open(spec: &SourceSpec, surroundings: &Surroundings) -> Result<OpenedSource, SourceError> {
    match spec {
        SourceSpec::One(transport) => {
            if let Some(list) = containers_storage::listed(transport, surroundings)? {
                return several(&list, surroundings);
            }
            let (source, transport) = open_transport(transport, surroundings)?;
            Ok(OpenedSource { source, spec: SourceSpec::One(transport) })
        }
        SourceSpec::Platforms(table) => {
            let (source, table) = assemble(table, surroundings)?;
            Ok(OpenedSource { source: Arc::new(source), spec: SourceSpec::Platforms(table) })
        }
        SourceSpec::Several(list) => several(list, surroundings),
        SourceSpec::Digests(folder) => {
            surroundings.check(&folder.digests)?;
            // The jobs before this one pushed them by digest.
            let registries = surroundings.registries.as_ref().map(SourceRegistries::of_fresh_content);
            let fresh = Surroundings { registries, ..surroundings.clone() };
            match digests::pushed(folder, &surroundings.folder)? {
                PushedImages::One(image) => open(&SourceSpec::One(image), &fresh),
                PushedImages::Several(list) => several(&list, &fresh),
            }
        }
    }
}

/// Opens an index that is assembled from the images of several sources.
fn several(list: &[TransportSpec], surroundings: &Surroundings) -> Result<OpenedSource, SourceError> {
    let (source, list) = assemble_several(list, surroundings)?;
    Ok(OpenedSource { source: Arc::new(source), spec: SourceSpec::Several(list) })
}
