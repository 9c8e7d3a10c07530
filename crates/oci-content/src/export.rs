//! Writing content into an archive of an OCI image layout (image-spec, image-layout.md), as `oci-archive:` reads it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use oci_registry::Descriptor;
use serde_json::json;

use super::referrers::Travelling;
use super::walk::Content;
use super::{Source, SourceError};

/// Why an archive could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A part of the content cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The archive cannot be written.
    #[error("the archive cannot be written: {0}")]
    Write(#[source] io::Error),
    /// A blob cannot be read, or its bytes are not those of its digest.
    #[error("`{digest}` cannot be read: {cause}")]
    Blob {
        /// The digest of the blob.
        digest: String,
        /// The cause.
        #[source]
        cause: io::Error,
    },
}

/// Writes `content`, which `source` opens, as a tar archive of an image layout. `index.json` lists the root under the name
/// `tag`, and the referrers after it. The same content gives the same bytes.
///
/// # Errors
///
/// [`ExportError`]; the archive is then not complete.
pub fn write_archive(
    source: &dyn Source,
    content: &Content,
    referrers: &[Travelling],
    tag: Option<&str>,
    output: impl Write,
) -> Result<(), ExportError> {
    write_layout(&[], &[ExportedContent { source, content, referrers, name: tag }], output)
}

/// Content to write to a layout.
#[derive(Clone, Copy)]
pub struct ExportedContent<'a> {
    /// The source that opens it.
    pub source: &'a dyn Source,
    /// The content.
    pub content: &'a Content,
    /// Its referrers.
    pub referrers: &'a [Travelling],
    /// The name of its root in `index.json`.
    pub name: Option<&'a str>,
}

/// Writes `contents` as a tar archive of one image layout, after the files `first`, which do not belong to the layout. A part that
/// several contents share is written once. The same content gives the same bytes.
///
/// # Errors
///
/// [`ExportError`]; the archive is then not complete.
pub fn write_layout(
    first: &[(&str, &[u8])],
    contents: &[ExportedContent<'_>],
    output: impl Write,
) -> Result<(), ExportError> {
    let mut archive = tar::Builder::new(output);
    for (name, bytes) in first {
        append(&mut archive, name, bytes)?;
    }
    append(&mut archive, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let mut entries: Vec<_> = contents.iter().map(|it| entry(&it.content.root, it.name)).collect();
    let referrers = contents.iter().flat_map(|it| it.referrers);
    entries.extend(referrers.map(|it| entry(&it.content.root, None)));
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries,
    });
    append(&mut archive, "index.json", index.to_string().as_bytes())?;
    let mut parts: BTreeMap<String, Part<'_>> = BTreeMap::new();
    for ExportedContent { source, content, referrers, .. } in contents {
        for content in std::iter::once(*content).chain(referrers.iter().map(|it| &it.content)) {
            for blob in &content.blobs {
                parts.entry(path(blob)).or_insert(Part::Blob(*source, blob));
            }
            for manifest in &content.manifests {
                parts.insert(path(&manifest.descriptor()), Part::Manifest(manifest.bytes()));
            }
        }
    }
    for (path, part) in &parts {
        match part {
            Part::Manifest(bytes) => append(&mut archive, path, bytes)?,
            Part::Blob(source, blob) => append_blob(&mut archive, path, *source, blob)?,
        }
    }
    archive.into_inner().and_then(|mut output| output.flush()).map_err(ExportError::Write)
}

/// A file of the layout.
enum Part<'a> {
    Manifest(&'a [u8]),
    Blob(&'a dyn Source, &'a Descriptor),
}

fn entry(root: &Descriptor, tag: Option<&str>) -> serde_json::Value {
    let mut entry = json!({
        "mediaType": root.media_type,
        "digest": root.digest.to_string(),
        "size": root.size,
    });
    if let (Some(tag), Some(object)) = (tag, entry.as_object_mut()) {
        object.insert("annotations".to_owned(), json!({ "org.opencontainers.image.ref.name": tag }));
    }
    entry
}

/// The path of a blob in the layout.
fn path(blob: &Descriptor) -> String {
    format!("blobs/{}", blob.digest.to_string().replacen(':', "/", 1))
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    header
}

fn append(archive: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
    archive.append_data(&mut header(bytes.len() as u64), path, bytes).map_err(ExportError::Write)
}

fn append_blob(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    source: &dyn Source,
    blob: &Descriptor,
) -> Result<(), ExportError> {
    let mut reader = KeptError { reader: source.open(blob)?, cause: None };
    let written = archive.append_data(&mut header(blob.size), path, &mut reader);
    match (reader.cause, written) {
        (Some(cause), _) => Err(ExportError::Blob { digest: blob.digest.to_string(), cause }),
        (None, written) => written.map_err(ExportError::Write),
    }
}

/// A reader that keeps its error, so that it is not taken for one of the archive.
struct KeptError<R> {
    reader: R,
    cause: Option<io::Error>,
}

impl<R: Read> Read for KeptError<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|cause| {
            let shown = io::Error::new(cause.kind(), cause.to_string());
            self.cause = Some(cause);
            shown
        })
    }
}
