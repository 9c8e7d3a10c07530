//! Blobs of a layout: writing one while its digest is computed, reading one, and linking one from another repository.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::draft::{self, Draft};
use super::error;
use super::layout::RepositoryLayout;
use crate::descriptor::Descriptor;
use crate::digest::Digester;
use crate::error::RegistryError;
use crate::repository::ByteStream;

/// How many bytes are read at once.
const BUFFER: usize = 1024 * 1024;

/// A blob that is being written.
pub(super) struct BlobWriter {
    layout: RepositoryLayout,
    blob: Descriptor,
    draft: Draft,
    digester: Digester,
    written: u64,
}

impl BlobWriter {
    /// Starts writing `blob` into `layout`, which is created if it does not exist.
    pub(super) fn new(layout: RepositoryLayout, blob: Descriptor) -> Result<Self, RegistryError> {
        layout.make()?;
        let draft = Draft::new(&layout.folder())?;
        let digester = blob.digest.digester();
        Ok(Self { layout, blob, draft, digester, written: 0 })
    }

    /// Adds `bytes`.
    pub(super) fn write(mut self, bytes: &[u8]) -> Result<Self, RegistryError> {
        self.digester.update(bytes);
        self.written += bytes.len() as u64;
        if self.written > self.blob.size {
            return Err(self.content("there are more bytes than its descriptor says".to_owned()));
        }
        self.draft.write(bytes)?;
        Ok(self)
    }

    /// Moves the blob to its place, if its size and digest are right.
    pub(super) fn finish(self) -> Result<(), RegistryError> {
        if self.written < self.blob.size {
            let missing = self.blob.size - self.written;
            return Err(self.content(format!("it ends {missing} bytes too early")));
        }
        let found = self.digester.clone().finish();
        if found != self.blob.digest {
            return Err(self.content(format!("its bytes have the digest `{found}`")));
        }
        let place = self.layout.blob(&self.blob.digest);
        make_folder(&place)?;
        self.draft.finish(&place)
    }

    fn content(&self, cause: String) -> RegistryError {
        RegistryError::Content { digest: self.blob.digest.clone(), cause }
    }
}

/// Creates the folder for a blob; there is one for each algorithm.
pub(super) fn make_folder(place: &Path) -> Result<(), RegistryError> {
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder).map_err(|cause| error(folder, cause))
}

impl RepositoryLayout {
    /// Whether the layout has `blob` with the right size. A blob of another size, which only another program can have
    /// left, is written again.
    pub(super) fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        let path = self.blob(&blob.digest);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file() && metadata.len() == blob.size),
            Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(cause) => Err(error(&path, cause)),
        }
    }

    /// Returns the bytes of `blob`, read piece by piece on threads that may block.
    pub(super) fn open_blob(&self, blob: &Descriptor) -> Result<ByteStream, RegistryError> {
        let path = self.blob(&blob.digest);
        let file = File::open(&path).map_err(|cause| error(&path, cause))?;
        // A reader may poll once more after the end.
        Ok(Box::pin(stream::unfold(Some((file, path)), next).fuse()))
    }

    /// Takes `blob` from another layout, if it is there and its bytes are right: as a hard link, or as a copy if a link
    /// is not possible.
    pub(super) fn mount(&self, blob: &Descriptor, from: &Self) -> Result<bool, RegistryError> {
        let source = from.blob(&blob.digest);
        if !from.has_blob(blob)? || !has_digest(&source, blob)? {
            return Ok(false);
        }
        self.make()?;
        let place = self.blob(&blob.digest);
        make_folder(&place)?;
        match fs::hard_link(&source, &place) {
            Ok(()) => draft::make_durable(place.parent().unwrap_or(&place))?,
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists && self.has_blob(blob)? => {}
            Err(_) => {
                let mut writer = BlobWriter::new(self.clone(), blob.clone())?;
                let mut file = File::open(&source).map_err(|cause| error(&source, cause))?;
                let mut buffer = vec![0; BUFFER];
                loop {
                    let count = file.read(&mut buffer).map_err(|cause| error(&source, cause))?;
                    let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
                    writer = writer.write(bytes)?;
                }
                writer.finish()?;
            }
        }
        Ok(true)
    }
}

/// Returns the next piece of a file. After an error there is none.
async fn next(place: Option<(File, PathBuf)>) -> Option<(io::Result<Bytes>, Option<(File, PathBuf)>)> {
    let (mut file, path) = place?;
    let reading = tokio::task::spawn_blocking(move || {
        let mut piece = Vec::with_capacity(BUFFER);
        let read = file.by_ref().take(BUFFER as u64).read_to_end(&mut piece);
        (read.map(|_| Bytes::from(piece)).map_err(|cause| io::Error::other(error(&path, cause))), file, path)
    });
    match reading.await {
        Ok((Ok(piece), ..)) if piece.is_empty() => None,
        Ok((Ok(piece), file, path)) => Some((Ok(piece), Some((file, path)))),
        Ok((Err(error), ..)) => Some((Err(error), None)),
        Err(stopped) => Some((Err(io::Error::other(stopped)), None)),
    }
}

/// Whether the bytes of a file are those of `blob`.
fn has_digest(path: &Path, blob: &Descriptor) -> Result<bool, RegistryError> {
    let mut file = File::open(path).map_err(|cause| error(path, cause))?;
    let mut digester = blob.digest.digester();
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = file.read(&mut buffer).map_err(|cause| error(path, cause))?;
        match buffer.get(..count) {
            Some(bytes) if !bytes.is_empty() => digester.update(bytes),
            _ => return Ok(digester.finish() == blob.digest),
        }
    }
}
