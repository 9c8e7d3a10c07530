//! An OCI image layout (image-spec, image-layout.md), in a directory or in an archive.

use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::Deserialize;

use super::attestation::is_attestation;
use super::error::other_size;
use super::layout_referrers::{LayoutReferrers, read_other, tags_of};
use super::read::{listed_platform, read_bounded, read_manifest};
use super::reference::{choose, ref_names, the_only};
use super::verify::{VerifyingReader, manifest_reader};
use super::{BlobReader, Source, SourceError};
use oci_registry::manifest::MAX_MANIFEST_SIZE;
use oci_registry::referrer::subject_of;
use oci_registry::{Descriptor, Digest, Platform, RawManifest, Referrer, media_type};

/// One file of a layout.
pub(super) struct LayoutFile {
    /// Its size in bytes.
    pub(super) size: u64,
    /// Its bytes, not verified.
    pub(super) reader: Box<dyn Read + Send>,
}

/// The files of a layout, by the names that image-layout.md gives them.
pub(super) trait Files: Send + Sync {
    /// The directory or archive.
    fn path(&self) -> PathBuf;
    /// The transport by which `source` names it.
    fn transport(&self) -> &'static str;
    /// The place of the file `name`, whether it exists or not, for people.
    fn locate(&self, name: &str) -> String;
    /// Opens the file `name`; `None` if there is none.
    fn open(&self, name: &str) -> Result<Option<LayoutFile>, SourceError>;
}

/// An image layout, and the chosen manifest in it.
pub(super) struct Layout<F> {
    files: F,
    root: Descriptor,
    /// `index.json`, if it is the index to publish.
    own_index: Option<RawManifest>,
    /// The entries of `index.json`.
    entries: Vec<Descriptor>,
    /// The referrers of its manifests, read at the first request.
    referrers: OnceLock<LayoutReferrers>,
}

/// The file `oci-layout`, which marks a layout and gives its version.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// The file `index.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexFile {
    #[serde(default)]
    pub(super) media_type: Option<String>,
    pub(super) manifests: Vec<Descriptor>,
}

impl<F: Files> Layout<F> {
    /// Opens the layout in `files` and chooses the manifest that `reference` names, or the only one.
    pub(super) fn open(files: F, reference: Option<&str>) -> Result<Self, SourceError> {
        check_marker(&files)?;
        let bytes = small_file(&files, "index.json")?
            .ok_or_else(|| not_a_layout(&files, "it has no file `index.json`"))?;
        let index: IndexFile = parse(&files, "index.json", &bytes)?;
        let place = format!("{}:{}", files.transport(), files.path().display());
        let unchosen = Descriptor::new("", Digest::of(b""), 0);
        let referrers = OnceLock::new();
        let mut layout = Self { files, root: unchosen, own_index: None, entries: index.manifests, referrers };
        if reference.is_none() && is_index_of_platforms(&layout.entries) {
            let media_type = index.media_type.filter(|it| media_type::is_index(it));
            let own = RawManifest::new(media_type.as_deref().unwrap_or(media_type::OCI_INDEX), bytes);
            layout.root = own.descriptor();
            layout.own_index = Some(own);
            return Ok(layout);
        }
        let chosen = if reference.is_none() && layout.entries.len() > 1 {
            the_only(&layout.entries_but_referrers(), &layout.entries, &place)?.clone()
        } else {
            choose(&layout.entries, reference, &place)?.clone()
        };
        // The entry's annotations and platform belong to the layout, not to the published image.
        layout.root = Descriptor::new(chosen.media_type, chosen.digest, chosen.size);
        Ok(layout)
    }

    /// The entries of `index.json` to choose from if no reference is given: all but the referrers, or all if there are only
    /// referrers.
    fn entries_but_referrers(&self) -> Vec<Descriptor> {
        let refers = |entry: &Descriptor| {
            let is_untagged = ref_names(entry).next().is_none();
            tags_of(entry).next().is_some() || (is_untagged && self.has_subject(entry))
        };
        let others: Vec<Descriptor> = self.entries.iter().filter(|entry| !refers(entry)).cloned().collect();
        if others.is_empty() { self.entries.clone() } else { others }
    }

    /// Whether the manifest of an entry names a subject. A manifest that cannot be read is reported when it is published.
    fn has_subject(&self, entry: &Descriptor) -> bool {
        if media_type::is_manifest(&entry.media_type) {
            return read_manifest(self, entry).is_ok_and(|(raw, _)| subject_of(&raw).is_some());
        }
        read_other(self, entry).is_ok_and(|manifest| manifest.is_some())
    }
}

impl<F: Files> Source for Layout<F> {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.clone())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if let Some(own) = self.own_index.as_ref().filter(|own| *own.digest() == blob.digest) {
            return Ok(manifest_reader(own, blob));
        }
        let name = format!("blobs/{}/{}", blob.digest.algorithm(), blob.digest.hex());
        let place = self.files.locate(&name);
        let Some(file) = self.files.open(&name)? else {
            return Err(SourceError::MissingBlob { digest: blob.digest.clone(), place });
        };
        if file.size != blob.size {
            let reason = other_size(file.size, blob.size);
            return Err(SourceError::Digest { place, expected: blob.digest.clone(), reason });
        }
        Ok(VerifyingReader::boxed(file.reader, blob, place))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        if let Some(referrers) = self.referrers.get() {
            return Ok(referrers.of(subject));
        }
        let read = LayoutReferrers::read(self, &self.entries)?;
        Ok(self.referrers.get_or_init(|| read).of(subject))
    }
}

/// Whether `index.json` is itself the index of one image, as apko and other users of go-containerregistry write it: it lists several
/// images without names, each for a platform of its own.
fn is_index_of_platforms(entries: &[Descriptor]) -> bool {
    let mut platforms: Vec<&Platform> = Vec::new();
    for entry in entries {
        if is_attestation(entry) {
            continue;
        }
        let Some(platform) = listed_platform(entry) else { return false };
        let is_named = ref_names(entry).next().is_some();
        if is_named || !is_image(&entry.media_type) || platforms.contains(&platform) {
            return false;
        }
        platforms.push(platform);
    }
    platforms.len() > 1
}

fn is_image(media_type: &str) -> bool {
    media_type::is_manifest(media_type) && !media_type::is_index(media_type)
}

fn check_marker(files: &impl Files) -> Result<(), SourceError> {
    const VERSION: &str = "1.0.0";
    let Some(bytes) = small_file(files, "oci-layout")? else {
        let docker = matches!(files.open("manifest.json"), Ok(Some(_)));
        if docker {
            let path = files.path();
            let help = if files.transport() == "oci" {
                "pack it into a tar file with `tar -C DIR -cf FILE .`, and publish that as `docker-archive:FILE`"
                    .to_owned()
            } else {
                format!("publish it as a Docker archive: `docker-archive:{}`", path.display())
            };
            let reason =
                "it has a `manifest.json` but no `oci-layout`, as `docker save` wrote before Docker 25";
            return Err(SourceError::NotALayout { reason: reason.to_owned(), help, path });
        }
        return Err(not_a_layout(files, "it has no file `oci-layout`"));
    };
    let marker: Marker = parse(files, "oci-layout", &bytes)?;
    if marker.image_layout_version == VERSION {
        return Ok(());
    }
    Err(SourceError::Unsupported {
        reason: format!(
            "{} says version `{}`; this program reads `{VERSION}`",
            files.locate("oci-layout"),
            marker.image_layout_version.chars().take(40).collect::<String>().escape_default()
        ),
        help: "write the image again in layout version 1.0.0, the only one that is specified".to_owned(),
    })
}

fn not_a_layout(files: &impl Files, reason: &str) -> SourceError {
    SourceError::NotALayout {
        path: files.path(),
        reason: reason.to_owned(),
        help: "write the image as a layout: `buildah push --format oci IMAGE oci:DIR`, `skopeo copy --all … oci:DIR`, \
               or `docker buildx build --output type=oci,dest=FILE`"
            .to_owned(),
    }
}

/// The bytes of the file `name`, which may be as large as a manifest; `None` if it is not there.
pub(super) fn small_file(files: &impl Files, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
    let Some(file) = files.open(name)? else { return Ok(None) };
    let place = files.locate(name);
    if file.size > MAX_MANIFEST_SIZE {
        let reason = format!("it has {} bytes, more than the limit of {MAX_MANIFEST_SIZE}", file.size);
        return Err(SourceError::malformed(place, reason));
    }
    read_bounded(file.reader, MAX_MANIFEST_SIZE).map(Some).map_err(|error| SourceError::io(place, error))
}

fn parse<T: for<'a> Deserialize<'a>>(files: &impl Files, name: &str, bytes: &[u8]) -> Result<T, SourceError> {
    serde_json::from_slice(bytes)
        .map_err(|error| SourceError::malformed(files.locate(name), error.to_string()))
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
