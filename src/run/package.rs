//! The files that an apply would publish, in a folder: a chart as `.tgz`, an image or artifact as an OCI archive.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Run;
use super::session::Result;
use crate::content::Published;
use crate::context::{CommitUse, ContextDoubt};
use crate::desired::{DesiredRepository, Selection};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::packaged::PackagedFile;
use crate::model::{ContentSpec, ResourceId};
use oci_content::ExportError;
use oci_registry::{Descriptor, Manifest};

/// The files that were written, and the warnings about them.
#[derive(Debug, Default)]
pub struct Package {
    /// One for each resource, and one more for each chart with a provenance file.
    pub files: Vec<PackagedFile>,
    /// Warnings; an error if the run publishes nothing.
    pub diagnostics: Vec<Diagnostic>,
}

impl Run {
    /// Writes the content that an apply in this context would publish into `folder`, which `shown` names relative to the working
    /// directory. Asks the registries of sources alone, so that it must be called
    /// on the runtime. A file of the same name is replaced, and only as a whole.
    ///
    /// # Errors
    ///
    /// Everything that prevents a plan, and files that cannot be written.
    pub fn package(&mut self, targets: &[String], folder: &Path, shown: &Path) -> Result<Package> {
        let loaded = self.loaded()?;
        let context = self.session.context(&loaded.config, CommitUse::Published)?;
        let declared = loaded.config.registries.iter().map(|(name, it)| (name.clone(), it.endpoint.clone()));
        let surroundings = self.surroundings(declared.collect());
        tokio::task::block_in_place(|| {
            let (desired, warnings) =
                self.checked(loaded, &context, &Selection::new(targets), &surroundings)?;
            let mut package = Package::default();
            package.diagnostics.extend(context.doubts.iter().map(ContextDoubt::to_diagnostic));
            package.diagnostics.extend(warnings);
            package.diagnostics.extend(desired.nothing);
            std::fs::create_dir_all(folder).map_err(|error| vec![unwritable(shown, &error)])?;
            let mut known: Vec<&ResourceId> = Vec::new();
            for repository in &desired.repositories {
                if !known.contains(&&repository.resource) {
                    known.push(&repository.resource);
                    package.files.extend(files(repository, folder, shown)?);
                }
            }
            Ok(package)
        })
    }
}

/// Writes the files of one resource.
fn files(repository: &DesiredRepository, folder: &Path, shown: &Path) -> Result<Vec<PackagedFile>> {
    let published = &repository.published;
    let contents = match &published.spec {
        ContentSpec::Chart(chart) => {
            let name = format!("{}-{}.tgz", chart.name, chart.version);
            chart_layers(published).map(|(layer, ending)| (format!("{name}{ending}"), Some(layer))).collect()
        }
        ContentSpec::Image(_) | ContentSpec::Artifact(_) => {
            let tag = repository.tags.first().map(|tag| tag.tag.as_str()).unwrap_or_default();
            let name = repository.resource.name.replace('/', "-");
            vec![(format!("{name}-{tag}.tar"), None)]
        }
    };
    let write = |(name, layer): (String, Option<Descriptor>)| {
        let path = shown.join(&name);
        let tag = repository.tags.first().map(|tag| tag.tag.as_str());
        let (size, sha256) = replace(&folder.join(&name), |output| match &layer {
            Some(layer) => copy(published, layer, output),
            None => oci_content::write_archive(
                published.source.as_ref(),
                &published.content,
                &published.referrers,
                tag,
                output,
            ),
        })
        .map_err(|error| vec![diagnostic(&path, &error)])?;
        Ok(PackagedFile {
            resource: repository.resource.clone(),
            path: path.display().to_string(),
            size,
            sha256,
            digest: published.content.root.digest.to_string(),
        })
    };
    contents.into_iter().map(write).collect()
}

/// The layers of a chart that become files, each with the end of its file's name.
fn chart_layers(published: &Arc<Published>) -> impl Iterator<Item = (Descriptor, &'static str)> {
    let layers = match published.content.manifests.last().map(oci_registry::RawManifest::parse) {
        Some(Ok(Manifest::Image { layers, .. })) => layers,
        _ => Vec::new(),
    };
    layers.into_iter().filter_map(|layer| match layer.media_type.as_str() {
        helm_package::CONTENT => Some((layer, "")),
        helm_package::PROVENANCE => Some((layer, ".prov")),
        _ => None,
    })
}

fn copy(
    published: &Published,
    layer: &Descriptor,
    output: &mut dyn Write,
) -> std::result::Result<(), ExportError> {
    let mut reader = published.source.open(layer)?;
    let failed = |cause| ExportError::Blob { digest: layer.digest.to_string(), cause };
    io::copy(&mut reader, output).map(drop).map_err(failed)
}

/// Writes a file under another name, and gives it its name if everything was written. Returns its size and its SHA-256 in hex.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::result::Result<(), ExportError>,
) -> std::result::Result<(u64, String), ExportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(ExportError::Write)?;
    let mut output = Hashed { output: io::BufWriter::new(file), sha256: Sha256::new(), size: 0 };
    write(&mut output)?;
    output.flush().map_err(ExportError::Write)?;
    let Hashed { output, sha256, size } = output;
    let file = output.into_inner().map_err(|error| ExportError::Write(error.into_error()))?;
    readable(file.as_file()).map_err(ExportError::Write)?;
    file.persist(path).map_err(|error| ExportError::Write(error.error))?;
    Ok((size, hex::encode(sha256.finalize())))
}

/// Gives a temporary file the permissions of an ordinary one.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// A writer that counts and hashes what it writes.
struct Hashed<W> {
    output: W,
    sha256: Sha256,
    size: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        let bytes = bytes.get(..written).unwrap_or(bytes);
        self.sha256.update(bytes);
        self.size = self.size.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

pub(super) fn diagnostic(path: &Path, error: &ExportError) -> Diagnostic {
    match error {
        ExportError::Source(error) => error.to_diagnostic(),
        ExportError::Write(cause) => unwritable(path, cause),
        ExportError::Blob { .. } => Diagnostic::error(Code::SourceUnreadable, error.to_string())
            .help("the source changed or is damaged: build it again"),
    }
}

fn unwritable(path: &Path, cause: &io::Error) -> Diagnostic {
    let message = format!("`{}` cannot be written: {cause}", path.display());
    Diagnostic::error(Code::CommandUsage, message).help("name another place, or free the disk")
}
