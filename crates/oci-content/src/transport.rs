//! Opening the source that one transport names.

use std::sync::Arc;

use super::archive::Archive;
use super::directory::Directory;
use super::docker_archive::DockerArchive;
use super::layout::Layout;
use super::remote::Remote;
use super::skopeo_directory::SkopeoDirectory;
use super::source_path::SourcePath;
use super::{Source, SourceError, Surroundings, TransportSpec, containers_storage, engine};

/// Opens the source that `spec` names, and returns it with `spec` pinned.
pub(super) fn open_transport(
    spec: &TransportSpec,
    surroundings: &Surroundings,
) -> Result<(Arc<dyn Source>, TransportSpec), SourceError> {
    let folder = &surroundings.folder;
    if let Some(path) = spec.path() {
        surroundings.check(path)?;
    }
    let source: Arc<dyn Source> = match spec {
        TransportSpec::Oci { path, reference } => {
            let files = Directory::open(SourcePath::new(folder, path))?;
            Arc::new(Layout::open(files, reference.as_deref())?)
        }
        TransportSpec::OciArchive { path, reference } => {
            let files = Archive::open(path, surroundings)?;
            Arc::new(Layout::open(files, reference.as_deref())?)
        }
        TransportSpec::DockerArchive { path, reference } => {
            Arc::new(DockerArchive::open(path, reference.as_deref(), surroundings)?)
        }
        TransportSpec::Dir { path } => {
            Arc::new(SkopeoDirectory::open(Directory::open(SourcePath::new(folder, path))?)?)
        }
        // The spec is pinned, because another image may have the name tomorrow.
        TransportSpec::ContainersStorage { store, image } => {
            return containers_storage::open(store.as_deref(), image, surroundings);
        }
        TransportSpec::DockerDaemon { image } => return engine::open(image, surroundings),
        TransportSpec::Docker(image) => {
            let (source, image) = Remote::open(image, surroundings)?;
            return Ok((Arc::new(source), TransportSpec::Docker(image)));
        }
    };
    Ok((source, spec.clone()))
}
