//! The manifests under a root, read within limits, and the manifests that replace them. Other modules decide on the changes.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::object::Object;
use crate::limits::{MAX_DEPTH, MAX_MANIFEST_BYTES, MAX_MANIFESTS, too_much};
use crate::read::{ConfigPlatforms, MAX_CONFIG_SIZE, is_config, listed_platform, read_config, read_manifest};
use crate::{Source, SourceError};
use oci_registry::manifest::MAX_MANIFEST_SIZE;
use oci_registry::{Descriptor, Digest, Manifest, Platform, RawManifest, media_type};

/// The manifests under the root of a source, and the rewritten content. Each manifest is read once.
pub(super) struct ManifestTree {
    source: Arc<dyn Source>,
    manifests: HashMap<Digest, Arc<RawManifest>>,
    platforms: ConfigPlatforms,
    read: u64,
    written: HashMap<Digest, Bytes>,
    written_bytes: u64,
}

impl ManifestTree {
    /// A tree of `source` from which nothing has been read yet.
    pub(super) fn new(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            manifests: HashMap::new(),
            platforms: ConfigPlatforms::default(),
            read: 0,
            written: HashMap::new(),
            written_bytes: 0,
        }
    }

    /// The rewritten content, by digest.
    pub(super) fn into_written(self) -> HashMap<Digest, Bytes> {
        self.written
    }

    /// Reads the manifest that `descriptor` describes, `depth` indexes below the root.
    pub(super) fn manifest(
        &mut self,
        descriptor: &Descriptor,
        depth: usize,
    ) -> Result<(Arc<RawManifest>, Manifest), SourceError> {
        if depth >= MAX_DEPTH {
            return Err(too_much(format!("indexes are nested more than {MAX_DEPTH} deep")));
        }
        if let Some(raw) = self.manifests.get(&descriptor.digest) {
            if raw.media_type() != descriptor.media_type || raw.bytes().len() as u64 != descriptor.size {
                return Err(SourceError::described_twice(&descriptor.digest));
            }
            let manifest = raw.parse().map_err(|error| SourceError::manifest(&error))?;
            return Ok((Arc::clone(raw), manifest));
        }
        let (raw, manifest) = read_manifest(self.source.as_ref(), descriptor)?;
        self.read = self.read.saturating_add(descriptor.size);
        if self.manifests.len() >= MAX_MANIFESTS || self.read > MAX_MANIFEST_BYTES {
            return Err(too_much(format!(
                "the content has more than {MAX_MANIFESTS} manifests, or more than {} MiB of them",
                MAX_MANIFEST_BYTES / 1024 / 1024
            )));
        }
        let raw = Arc::new(raw);
        self.manifests.insert(descriptor.digest.clone(), Arc::clone(&raw));
        Ok((raw, manifest))
    }

    /// The platform of an entry of an index that is neither an index nor an attestation, from the index or from the configuration.
    /// `None` for an artifact that belongs to no platform.
    pub(super) fn platform(
        &mut self,
        entry: &Descriptor,
        depth: usize,
    ) -> Result<Option<Platform>, SourceError> {
        if let Some(platform) = listed_platform(entry) {
            return Ok(Some(platform.clone()));
        }
        match self.manifest(entry, depth)?.1 {
            Manifest::Image { config, .. } => self.platforms.of(self.source.as_ref(), &config),
            Manifest::Index { .. } => Ok(None),
        }
    }

    /// The platform of an image according to its configuration.
    pub(super) fn own_platform(&mut self, config: &Descriptor) -> Result<Option<Platform>, SourceError> {
        self.platforms.of(self.source.as_ref(), config)
    }

    /// Whether an entry of an index that is neither an index nor an attestation describes an image, and not an artifact that
    /// belongs to no platform.
    pub(super) fn is_image(&mut self, entry: &Descriptor, depth: usize) -> Result<bool, SourceError> {
        Ok(listed_platform(entry).is_some()
            || matches!(self.manifest(entry, depth)?.1, Manifest::Image { config, .. } if is_config(&config)))
    }

    /// Reads the configuration of an image.
    pub(super) fn config(&self, config: &Descriptor) -> Result<Vec<u8>, SourceError> {
        read_config(self.source.as_ref(), config)
    }

    /// Replaces the manifest `old` by `bytes`, and returns the new descriptor.
    pub(super) fn write_manifest(
        &mut self,
        old: &RawManifest,
        bytes: Vec<u8>,
    ) -> Result<Descriptor, SourceError> {
        check_size(old, bytes.len())?;
        let raw = RawManifest::new(old.media_type(), bytes);
        let descriptor = raw.descriptor();
        self.write(&descriptor, Bytes::copy_from_slice(raw.bytes()))?;
        self.manifests.insert(descriptor.digest.clone(), Arc::new(raw));
        Ok(descriptor)
    }

    /// Replaces the configuration `old` by `bytes`, and returns the new descriptor.
    pub(super) fn write_config(
        &mut self,
        old: &Descriptor,
        bytes: Vec<u8>,
    ) -> Result<Descriptor, SourceError> {
        let size = bytes.len() as u64;
        if size > MAX_CONFIG_SIZE {
            return Err(SourceError::Unsupported {
                reason: format!("configuration `{}` would have {size} bytes with its `labels`", old.digest),
                help: format!(
                    "no program reads a configuration of more than {MAX_CONFIG_SIZE} bytes: shorten the labels"
                ),
            });
        }
        let descriptor = Descriptor::new(&old.media_type, Digest::of(&bytes), size);
        self.write(&descriptor, Bytes::from(bytes))?;
        Ok(descriptor)
    }

    fn write(&mut self, descriptor: &Descriptor, bytes: Bytes) -> Result<(), SourceError> {
        if self.written.insert(descriptor.digest.clone(), bytes).is_none() {
            self.written_bytes = self.written_bytes.saturating_add(descriptor.size);
        }
        // The total is limited, because everything is held in memory.
        if self.written_bytes > MAX_MANIFEST_BYTES {
            return Err(too_much(format!(
                "the content that `platforms`, `annotations` and `labels` change would have more than {} MiB",
                MAX_MANIFEST_BYTES / 1024 / 1024
            )));
        }
        Ok(())
    }

    /// `entry`, the text of a descriptor, with digest and size of `new`. Everything else in it stays.
    pub(super) fn redescribe(
        &self,
        entry: &RawValue,
        new: &Descriptor,
    ) -> Result<Box<RawValue>, serde_json::Error> {
        let mut object = Object::parse(entry.get().as_bytes())?;
        object.set("digest", &new.digest)?;
        object.set("size", &new.size)?;
        // The entry may carry its content inline (image-spec, descriptor.md, `data`).
        if object.has("data")
            && let Some(bytes) = self.written.get(&new.digest)
        {
            object.set("data", &STANDARD.encode(bytes))?;
        }
        object.to_member()
    }
}

/// Refuses a manifest of more than [`MAX_MANIFEST_SIZE`] bytes, because no registry accepts it.
pub(super) fn check_size(old: &RawManifest, size: usize) -> Result<(), SourceError> {
    if size as u64 <= MAX_MANIFEST_SIZE {
        return Ok(());
    }
    Err(SourceError::Unsupported {
        reason: format!("manifest `{}` would have {size} bytes with its `annotations`", old.digest()),
        help: format!(
            "no registry accepts a manifest of more than {MAX_MANIFEST_SIZE} bytes: shorten the annotations"
        ),
    })
}

/// The manifest as an object whose members can be set.
pub(super) fn object_of(raw: &RawManifest) -> Result<Object, SourceError> {
    Object::parse(raw.bytes()).map_err(|error| malformed(raw, &error))
}

/// The entries of an index, as text, in order.
pub(super) fn entries_of(raw: &RawManifest, object: &Object) -> Result<Vec<Box<RawValue>>, SourceError> {
    object.get("manifests").map(Option::unwrap_or_default).map_err(|error| malformed(raw, &error))
}

/// The error for a manifest that could be read, but is not JSON of the shape of its type.
pub(super) fn malformed(raw: &RawManifest, error: &serde_json::Error) -> SourceError {
    SourceError::malformed(format!("manifest `{}`", raw.digest()), error.to_string())
}

/// Whether an entry of an index is an index itself.
pub(super) fn is_index(entry: &Descriptor) -> bool {
    media_type::is_index(&entry.media_type)
}
