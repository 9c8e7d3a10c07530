//! Files under an artifact type, as `oras push` packs them: an image manifest with an empty configuration and a layer for
//! each file (image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"; oras-go v2, `PackManifest` with
//! `PackManifestVersion1_1`).
//!
//! The same files give the same bytes as with `oras push`, with one difference: the time of creation is written only if
//! it is declared, and is never taken from the clock. Files are read once to hash them when the source is opened, and once
//! more each time they are sent. They are not held in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use serde::Serialize;

use super::error::counted;
use super::source_path::SourcePath;
use super::verify::{VerifyingReader, manifest_reader};
use super::{BlobReader, Source, SourceError};
use crate::{ArtifactFile, ArtifactSpec};
use oci_registry::manifest::MAX_MANIFEST_SIZE;
use oci_registry::{Descriptor, Digest, Digester, RawManifest, annotation, media_type};

/// The configuration of an artifact, and the layer of an artifact without files (image-spec 1.1, manifest.md,
/// "Guidance for an Empty Descriptor").
const EMPTY: &[u8] = b"{}";
/// [`EMPTY`] in base64, for descriptors that carry it.
const EMPTY_DATA: &str = "e30=";

/// Files, and the manifest that lists them.
#[derive(Debug)]
pub(super) struct ArtifactSource {
    root: RawManifest,
    /// The path of each blob; files with the same bytes are one blob.
    files: HashMap<Digest, SourcePath>,
}

/// The manifest, its members in the order in which Go writes them (image-spec, specs-go/v1/manifest.go).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactDocument<'a> {
    schema_version: u32,
    media_type: &'a str,
    artifact_type: &'a str,
    config: DescriptorDocument<'a>,
    layers: Vec<DescriptorDocument<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

/// A descriptor, its members in the order in which Go writes them (image-spec, specs-go/v1/descriptor.go).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescriptorDocument<'a> {
    media_type: &'a str,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
}

impl ArtifactSource {
    /// Reads the files of `spec`, whose paths start at `folder`, to hash them.
    pub(super) fn open(spec: &ArtifactSpec, folder: &Path) -> Result<Self, SourceError> {
        check_media_type("artifact_type", &spec.artifact_type)?;
        check_created(&spec.annotations)?;
        let (mut titles, mut files, mut layers) = (HashSet::new(), HashMap::new(), Vec::new());
        for file in &spec.files {
            check_media_type(&format!("media_type of file `{}`", file.path), &file.media_type)?;
            check_title(file)?;
            if !titles.insert(file.title.as_str()) {
                return Err(SourceError::Unsupported {
                    reason: format!("two files of the artifact have the title `{}`", file.title),
                    help: "the title is the name that a file is pulled to: give each file its own `title`"
                        .to_owned(),
                });
            }
            let path = SourcePath::new(folder, &file.path);
            let (digest, size) = hash(&path)?;
            let annotations = BTreeMap::from([(annotation::TITLE, file.title.as_str())]);
            let media_type = file.media_type.as_str();
            layers.push(DescriptorDocument {
                media_type,
                digest: digest.clone(),
                size,
                annotations,
                data: None,
            });
            files.insert(digest, path);
        }
        if layers.is_empty() {
            layers.push(DescriptorDocument::empty()); // an artifact may be nothing but annotations
        }
        Ok(Self { root: manifest(spec, layers)?, files })
    }
}

impl DescriptorDocument<'_> {
    fn empty() -> Self {
        Self {
            media_type: media_type::OCI_EMPTY,
            digest: Digest::of(EMPTY),
            size: EMPTY.len() as u64,
            annotations: BTreeMap::new(),
            data: Some(EMPTY_DATA),
        }
    }
}

fn manifest(spec: &ArtifactSpec, layers: Vec<DescriptorDocument<'_>>) -> Result<RawManifest, SourceError> {
    let manifest = ArtifactDocument {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        artifact_type: &spec.artifact_type,
        config: DescriptorDocument::empty(),
        layers,
        annotations: &spec.annotations,
    };
    let text = serde_json::to_string(&manifest)
        .map_err(|error| SourceError::malformed("the artifact's manifest", error.to_string()))?;
    let bytes = as_go_writes(&text).into_bytes();
    if bytes.len() as u64 > MAX_MANIFEST_SIZE {
        return Err(SourceError::Unsupported {
            reason: format!(
                "the manifest of the artifact would have {} bytes for its {} files",
                bytes.len(),
                spec.files.len()
            ),
            help: format!(
                "no registry accepts a manifest of more than {MAX_MANIFEST_SIZE} bytes: pack files into an archive, \
                 or shorten the annotations"
            ),
        });
    }
    Ok(RawManifest::new(media_type::OCI_MANIFEST, bytes))
}

/// JSON as Go's `json.Marshal` writes it: with those characters escaped that have a meaning in HTML ("encoding/json",
/// `HTMLEscape`). They occur only in strings.
fn as_go_writes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => text.push(c),
        }
    }
    text
}

/// Checks a media type. Callers may have checked it before, but a spec can come from a file that anybody wrote.
fn check_media_type(what: &str, text: &str) -> Result<(), SourceError> {
    if media_type::is_media_type(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(160).collect();
    Err(SourceError::Unsupported {
        reason: format!("`{shown}` is not a media type ({what})"),
        help: "write `type/subtype` of letters, digits and `!#$&-^_.+`, without parameters, for example \
               `application/vnd.example.thing.v1+json`"
            .to_owned(),
    })
}

/// Checks that a title stays below the folder that the file is pulled into, because it is the path that the file is pulled to.
/// Clients refuse other titles (oras-go, content/file, `AllowPathTraversalOnWrite`), or should.
fn check_title(file: &ArtifactFile) -> Result<(), SourceError> {
    let title = file.title.as_str();
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let reason = if title.is_empty() {
        "is empty"
    } else if title.chars().any(char::is_control) {
        "contains a control character"
    } else if title.contains('\\') || title.as_bytes().get(1) == Some(&b':') {
        "is a Windows path"
    } else if title.starts_with('/') {
        "is an absolute path"
    } else if !title.split('/').all(plain) {
        "is not a plain path: it has an empty part, `.` or `..`"
    } else {
        return Ok(());
    };
    Err(SourceError::Unsupported {
        reason: format!("the title `{title}` of file `{}` {reason}", file.path),
        help: "set `title` to the name that the file is pulled to, such as `sbom.json` or `docs/sbom.json`"
            .to_owned(),
    })
}

/// Checks that `created` is a time as in RFC 3339, because readers of artifacts expect it (image-spec, annotations.md), and
/// oras refuses anything else.
fn check_created(annotations: &BTreeMap<String, String>) -> Result<(), SourceError> {
    let Some(created) = annotations.get(annotation::CREATED) else { return Ok(()) };
    match created.parse::<jiff::Timestamp>() {
        Ok(_) => Ok(()),
        Err(_) => Err(SourceError::Unsupported {
            reason: format!("the annotation `{}` is `{created}`, which is not a time", annotation::CREATED),
            help: "write it as in RFC 3339: `2026-11-24T09:50:00Z`".to_owned(),
        }),
    }
}

/// Opens the regular file at `path`, and returns it with its length.
fn open_file(path: &SourcePath) -> Result<(File, u64), SourceError> {
    let place = || format!("`{path}`");
    // The type is checked first, because opening a pipe would wait forever.
    match fs::metadata(path.full()) {
        Ok(metadata) if metadata.is_file() => {
            let file = File::open(path.full()).map_err(|error| SourceError::io(place(), error))?;
            Ok((file, metadata.len()))
        }
        Ok(metadata) if metadata.is_dir() => Err(SourceError::Unsupported {
            reason: format!("{} is a directory, but an artifact consists of files", place()),
            help: "name its files one by one, or pack it first: `tar --sort=name --mtime=@0 --owner=0 --group=0 \
                   --numeric-owner -cf FILE.tar DIRECTORY`"
                .to_owned(),
        }),
        Ok(_) => Err(SourceError::Unsupported {
            reason: format!("{} is not a regular file", place()),
            help: "write its contents to a regular file first".to_owned(),
        }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(SourceError::Missing { path: path.written().to_owned() })
        }
        Err(error) => Err(SourceError::io(place(), error)),
    }
}

/// The digest and size of a file.
fn hash(path: &SourcePath) -> Result<(Digest, u64), SourceError> {
    const PIECE: usize = 256 * 1024;
    let place = || format!("`{path}`");
    let (file, length) = open_file(path)?;
    // The limit ends the loop even if the file grows as fast as it is read.
    let mut reader = file.take(length.saturating_add(1));
    let (mut digester, mut piece, mut size) = (Digester::sha256(), vec![0; PIECE], 0_u64);
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(SourceError::io(place(), error)),
        };
        digester.update(piece.get(..count).unwrap_or_default());
        size = size.saturating_add(count as u64);
    }
    if size != length {
        return Err(SourceError::Unsupported {
            reason: format!(
                "{} changes while it is read: its length is {length}, but it gave {}",
                place(),
                counted(size, "byte")
            ),
            help: "wait until nothing writes to it any more; copy a file in `/proc` or the like to a regular file first"
                .to_owned(),
        });
    }
    Ok((digester.finish(), size))
}

impl Source for ArtifactSource {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(manifest_reader(&self.root, blob));
        }
        if let Some(path) = self.files.get(&blob.digest) {
            let place = format!("`{path}`");
            let (file, size) = open_file(path)?;
            if size != blob.size {
                let reason =
                    format!("it has {}, but had {} when it was hashed", counted(size, "byte"), blob.size);
                return Err(SourceError::Digest { place, expected: blob.digest.clone(), reason });
            }
            return Ok(VerifyingReader::boxed(file, blob, place));
        }
        if blob.digest == Digest::of(EMPTY) {
            return Ok(VerifyingReader::boxed(
                Cursor::new(EMPTY),
                blob,
                "the empty configuration".to_owned(),
            ));
        }
        Err(SourceError::MissingBlob {
            digest: blob.digest.clone(),
            place: "it among the files of the artifact".to_owned(),
        })
    }
}

#[cfg(test)]
#[path = "artifact_tests.rs"]
mod tests;
