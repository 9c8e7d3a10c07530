//! The tar of a layer, rebuilt from its unpacked files and the record that `tar-split` kept (vbatts/tar-split, storage/entry.go).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::super::SourceError;
use super::super::compression::Compression;
use super::super::positioned::PositionedFile;
use super::super::temporary::TemporaryFolder;
use super::place::StorePlace;

/// The most bytes that a record may have when it is decompressed. It has about 1.5 KiB for each file.
const MAX_RECORD: u64 = 4 << 30;

/// A part of a tar, in order.
#[derive(Deserialize)]
struct SplitEntry {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    name: Option<String>,
    /// The name, if it is not UTF-8.
    #[serde(default)]
    name_raw: Option<String>,
    #[serde(default)]
    size: u64,
    /// The bytes of a segment; the checksum of a file.
    #[serde(default)]
    payload: Option<String>,
}

/// The kind of an entry for the contents of a file.
const FILE: u8 = 1;
/// The kind of an entry for other bytes: headers and padding.
const SEGMENT: u8 = 2;

/// Writes the tar of the layer `id` to a temporary file. The caller compares its digest.
pub(super) fn rebuilt(
    place: &StorePlace,
    id: &str,
    folder: &TemporaryFolder,
) -> Result<PositionedFile, SourceError> {
    let path = place.layers().join(format!("{id}.tar-split.gz"));
    let shown = format!("`{}`", path.display());
    let record = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SourceError::Unsupported {
                reason: format!("the layer `{id}` in {place} has no record of its tar ({shown}), so it cannot be rebuilt"),
                help: "save the image and publish the file: `podman save --output FILE IMAGE`, `docker-archive:FILE`; or pull it \
                       again without partial pulls (`enable_partial_images = \"false\"` in storage.conf)"
                    .to_owned(),
            });
        }
        Err(error) => return Err(place.unreadable(&path, error)),
    };
    let malformed = |reason: String| SourceError::malformed(shown.clone(), reason);
    let record = PositionedFile::of(record, path.clone()).map_err(|error| SourceError::io(&shown, error))?;
    let compression = Compression::of(&record, 0, record.length())?;
    let length = record.length();
    let section = super::super::positioned::Section::new(record.into(), 0, length);
    let decoder: Box<dyn Read> = match compression {
        None => Box::new(section),
        Some(compression) => compression
            .decoder(section)
            .map_err(|error| SourceError::io(&shown, error))?
            .ok_or_else(|| malformed(format!("it is compressed with {}", compression.name())))?,
    };
    let mut files = LayerFiles { place, root: place.layer_files(id), real: None };
    let mut output = BufWriter::with_capacity(256 * 1024, folder.file()?);
    let failed = |error| folder.failed(error);
    let entries = serde_json::Deserializer::from_reader(BufReader::new(decoder.take(MAX_RECORD)));
    for entry in entries.into_iter::<SplitEntry>() {
        let entry = entry.map_err(|error| malformed(error.to_string()))?;
        match entry.kind {
            SEGMENT => {
                let bytes = STANDARD
                    .decode(entry.payload.as_deref().unwrap_or_default())
                    .map_err(|error| malformed(error.to_string()))?;
                output.write_all(&bytes).map_err(failed)?;
            }
            FILE if entry.size == 0 => {}
            FILE => {
                let name =
                    name_of(&entry).ok_or_else(|| malformed("it names a file by no text".to_owned()))?;
                let (file, path) = files.open(&name)?;
                let copied = io::copy(&mut file.take(entry.size), &mut output)
                    .map_err(|error| SourceError::io(format!("`{}`", path.display()), error))?;
                if copied != entry.size {
                    let reason = format!("it has {copied} bytes, but the layer has {} for it", entry.size);
                    return Err(SourceError::malformed(format!("`{}`", path.display()), reason));
                }
            }
            other => return Err(malformed(format!("it has an entry of the kind {other}"))),
        }
    }
    let file = output.into_inner().map_err(|error| failed(error.into_error()))?;
    PositionedFile::of(file, PathBuf::from(format!("layer {id}"))).map_err(failed)
}

/// The name of a file of a layer.
fn name_of(entry: &SplitEntry) -> Option<PathBuf> {
    if let Some(raw) = entry.name_raw.as_deref().filter(|raw| !raw.is_empty()) {
        return path_of_bytes(STANDARD.decode(raw).ok()?);
    }
    entry.name.as_deref().map(PathBuf::from)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "on other systems a path may be impossible")]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The unpacked files of a layer.
struct LayerFiles<'a> {
    place: &'a StorePlace,
    root: PathBuf,
    /// The folder with its links resolved.
    real: Option<PathBuf>,
}

impl LayerFiles<'_> {
    /// Opens the regular file `name`, which must be in the folder of the layer, whatever links lead to it.
    fn open(&mut self, name: &Path) -> Result<(File, PathBuf), SourceError> {
        let unreadable = |path: &Path, error| self.place.unreadable(path, error);
        let real = match &self.real {
            Some(real) => real.clone(),
            None => self.root.canonicalize().map_err(|error| unreadable(&self.root, error))?,
        };
        // An absolute name is relative to the root of the image.
        let relative: PathBuf = name
            .components()
            .filter(|part| !matches!(part, std::path::Component::RootDir | std::path::Component::Prefix(_)))
            .collect();
        let written = real.join(relative);
        let path = written.canonicalize().map_err(|error| unreadable(&written, error))?;
        if !path.starts_with(&real) {
            let reason = "it leads out of the layer".to_owned();
            return Err(SourceError::malformed(format!("`{}`", written.display()), reason));
        }
        let is_file = path.metadata().map_err(|error| unreadable(&path, error))?.is_file();
        if !is_file {
            let reason = "it is not a regular file".to_owned();
            return Err(SourceError::malformed(format!("`{}`", written.display()), reason));
        }
        let file = File::open(&path).map_err(|error| unreadable(&path, error))?;
        self.real = Some(real);
        Ok((file, path))
    }
}
