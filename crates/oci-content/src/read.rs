//! Reading small content as a whole: manifests and image configurations.

use std::collections::HashMap;
use std::io::{self, Read};

use super::{BlobReader, Source, SourceError};
use oci_registry::manifest::{MAX_MANIFEST_SIZE, ReferrerManifest};
use oci_registry::{Descriptor, Digest, Manifest, Platform, RawManifest, media_type};

/// The largest image configuration that is read or written, in bytes.
pub const MAX_CONFIG_SIZE: u64 = 16 * 1024 * 1024;

/// Reads at most `limit` bytes.
pub fn read_bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads the manifest that `descriptor` describes, and returns its bytes and the parsed manifest.
pub(super) fn read_manifest(
    source: &dyn Source,
    descriptor: &Descriptor,
) -> Result<(RawManifest, Manifest), SourceError> {
    let raw = read_raw_manifest(source, descriptor)?;
    let manifest = raw.parse().map_err(|error| SourceError::manifest(&error))?;
    Ok((raw, manifest))
}

/// Reads the manifest of a referrer, of any media type that is not an image's or an index's.
pub(super) fn read_referrer(
    source: &dyn Source,
    descriptor: &Descriptor,
) -> Result<(RawManifest, ReferrerManifest), SourceError> {
    let raw = read_raw_manifest(source, descriptor)?;
    let manifest = raw.parse_referrer().map_err(|error| SourceError::manifest(&error))?;
    Ok((raw, manifest))
}

/// Reads the bytes of the manifest that `descriptor` describes.
pub(super) fn read_raw_manifest(
    source: &dyn Source,
    descriptor: &Descriptor,
) -> Result<RawManifest, SourceError> {
    let what = format!("manifest `{}`", descriptor.digest);
    let open = || source.open_manifest(descriptor);
    let bytes = read_opened(open, descriptor, MAX_MANIFEST_SIZE, &what)?;
    let raw = RawManifest::new(&descriptor.media_type, bytes);
    // The bytes were verified, so this is a sha512 digest; registries are asked for manifests by sha256.
    if *raw.digest() != descriptor.digest {
        return Err(SourceError::Unsupported {
            reason: format!("{what} is named by `{}`, not by `sha256`", descriptor.digest.algorithm()),
            help: "write the layout again with sha256 digests, which every registry accepts".to_owned(),
        });
    }
    Ok(raw)
}

/// Whether this is the configuration of an image, and not of an artifact. An artifact has no platform.
pub(super) fn is_config(config: &Descriptor) -> bool {
    [media_type::OCI_CONFIG, media_type::DOCKER_CONFIG].contains(&config.media_type.as_str())
}

/// The platform that an index gives for an entry; `None` if it gives none.
pub(super) fn listed_platform(entry: &Descriptor) -> Option<&Platform> {
    entry.platform.as_ref().filter(|platform| platform.is_named())
}

/// Reads the configuration of an image, and returns its bytes.
///
/// # Errors
///
/// [`SourceError`] if it is larger than [`MAX_CONFIG_SIZE`], cannot be read, or is not what `config` describes.
pub fn read_config(source: &dyn Source, config: &Descriptor) -> Result<Vec<u8>, SourceError> {
    read_whole(source, config, MAX_CONFIG_SIZE, &format!("configuration `{}`", config.digest))
}

/// The platforms of images according to their configurations. Each configuration is read once, even if many manifests share
/// it.
#[derive(Default)]
pub(super) struct ConfigPlatforms(HashMap<Digest, Option<Platform>>);

impl ConfigPlatforms {
    /// The platform that the configuration of an image gives; `None` for an artifact, because its configuration is of another
    /// type.
    pub(super) fn of(
        &mut self,
        source: &dyn Source,
        config: &Descriptor,
    ) -> Result<Option<Platform>, SourceError> {
        if !is_config(config) {
            return Ok(None);
        }
        if let Some(platform) = self.0.get(&config.digest) {
            return Ok(platform.clone());
        }
        let bytes = read_config(source, config)?;
        let platform = Platform::of_config(&bytes).map_err(|error| {
            SourceError::malformed(format!("configuration `{}`", config.digest), error.to_string())
        })?;
        self.0.insert(config.digest.clone(), platform.clone());
        Ok(platform)
    }
}

fn read_whole(
    source: &dyn Source,
    descriptor: &Descriptor,
    limit: u64,
    what: &str,
) -> Result<Vec<u8>, SourceError> {
    read_opened(|| source.open(descriptor), descriptor, limit, what)
}

fn read_opened(
    open: impl FnOnce() -> Result<BlobReader, SourceError>,
    descriptor: &Descriptor,
    limit: u64,
    what: &str,
) -> Result<Vec<u8>, SourceError> {
    if descriptor.size > limit {
        return Err(SourceError::Unsupported {
            reason: format!("{what} has {} bytes, more than the limit of {limit}", descriptor.size),
            help: "no registry accepts it: build the image with fewer entries, annotations or history"
                .to_owned(),
        });
    }
    let reader = open()?;
    read_bounded(reader, descriptor.size).map_err(|error| SourceError::io(what, error))
}
