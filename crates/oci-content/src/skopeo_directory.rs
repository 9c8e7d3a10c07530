//! An image in a directory, as `skopeo copy … dir:DIR` and `podman save --format docker-dir` write it (containers-transports(5),
//! `dir:`): the manifest in `manifest.json`, the manifests of an index in `HEX.manifest.json`, and each blob in a file named by its
//! digest.

use serde::Deserialize;

use super::directory::Directory;
use super::error::other_size;
use super::layout::{Files, LayoutFile, small_file};
use super::verify::{VerifyingReader, manifest_reader};
use super::{BlobReader, Source, SourceError};
use oci_registry::{Descriptor, Digest, RawManifest, media_type};

/// The start of the file `version`, before the number.
const VERSION: &str = "Directory Transport Version: ";

/// An image in a directory.
pub(super) struct SkopeoDirectory {
    files: Directory,
    root: RawManifest,
}

/// The members of a manifest that show its media type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestKind {
    media_type: Option<String>,
    schema_version: Option<u64>,
    manifests: Option<serde_json::Value>,
    config: Option<ConfigKind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigKind {
    media_type: Option<String>,
}

impl SkopeoDirectory {
    /// Opens the image in `files`.
    pub(super) fn open(files: Directory) -> Result<Self, SourceError> {
        let Some(bytes) = small_file(&files, "manifest.json")? else {
            let help = if matches!(files.open("oci-layout"), Ok(Some(_))) {
                format!("it is an OCI image layout: write `oci:{}`", files.path().display())
            } else {
                "write the image with `skopeo copy --all … dir:DIR` or `podman save --format docker-dir --output DIR IMAGE`"
                    .to_owned()
            };
            return Err(refused(&files, "it has no file `manifest.json`", help));
        };
        check_version(&files)?;
        let place = files.locate("manifest.json");
        let parsed: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|error| SourceError::malformed(&place, error.to_string()))?;
        if parsed.is_array() {
            let help = "pack it into a tar file with `tar -C DIR -cf FILE .`, and publish that as `docker-archive:FILE`";
            return Err(refused(
                &files,
                "it is a Docker archive that was unpacked, not a directory of skopeo",
                help.to_owned(),
            ));
        }
        let kind: ManifestKind = serde_json::from_value(parsed)
            .map_err(|error| SourceError::malformed(&place, error.to_string()))?;
        let root = RawManifest::new(media_type_of(kind), bytes);
        root.parse().map_err(|error| SourceError::manifest(&error))?;
        Ok(Self { files, root })
    }

    /// Opens the file of the content `digest`.
    fn file(&self, digest: &Digest) -> Result<Option<LayoutFile>, SourceError> {
        // Version 1.1 and older name no algorithm, and before 1.0 layers ended in `.tar`.
        let mut name = digest.hex().to_owned();
        if digest.algorithm() != "sha256" {
            name = format!("{}-{name}", digest.algorithm());
        }
        for end in ["", ".manifest.json", ".tar"] {
            if let Some(file) = self.files.open(&format!("{name}{end}"))? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}

/// The media type of a manifest: its own member, or the one that its form shows.
fn media_type_of(kind: ManifestKind) -> String {
    if let Some(own) = kind.media_type.filter(|it| !it.is_empty()) {
        return own;
    }
    let config = kind.config.and_then(|config| config.media_type);
    let guessed = match (kind.schema_version, kind.manifests, config.as_deref()) {
        (Some(1), ..) => media_type::DOCKER_SCHEMA_1,
        (_, Some(_), _) => media_type::OCI_INDEX,
        (_, _, Some(media_type::DOCKER_CONFIG)) => media_type::DOCKER_MANIFEST,
        _ => media_type::OCI_MANIFEST,
    };
    guessed.to_owned()
}

/// Checks the version that the directory states, if it states one.
fn check_version(files: &Directory) -> Result<(), SourceError> {
    let Some(bytes) = small_file(files, "version")? else { return Ok(()) };
    let text = String::from_utf8_lossy(&bytes);
    let known = text.trim().strip_prefix(VERSION).is_none_or(|version| version.starts_with("1."));
    if known {
        return Ok(());
    }
    let shown: String = text.trim().chars().take(60).collect();
    Err(SourceError::Unsupported {
        reason: format!(
            "{} says `{}`; this program reads version 1",
            files.locate("version"),
            shown.escape_default()
        ),
        help: "write the image as a layout instead: `skopeo copy --all dir:DIR oci:LAYOUT`".to_owned(),
    })
}

fn refused(files: &Directory, reason: &str, help: String) -> SourceError {
    SourceError::Unsupported {
        reason: format!("`{}` is not a directory of skopeo: {reason}", files.path().display()),
        help,
    }
}

impl Source for SkopeoDirectory {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(manifest_reader(&self.root, blob));
        }
        let place = self.files.locate(blob.digest.hex());
        let Some(file) = self.file(&blob.digest)? else {
            return Err(SourceError::MissingBlob { digest: blob.digest.clone(), place });
        };
        if file.size != blob.size {
            let reason = other_size(file.size, blob.size);
            return Err(SourceError::Digest { place, expected: blob.digest.clone(), reason });
        }
        Ok(VerifyingReader::boxed(file.reader, blob, place))
    }
}

#[cfg(test)]
#[path = "skopeo_directory_tests.rs"]
mod tests;
