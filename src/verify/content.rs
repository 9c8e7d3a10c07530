//! The properties of the root of a version: its annotations, and the platforms of its images.

use std::collections::BTreeMap;

use crate::model::drift::Finding;
use oci_content::MAX_CONFIG_SIZE;
use oci_registry::{Descriptor, Digest, Manifest, Platform, RawManifest, Tag, TagOrDigest, media_type};
use oci_registry::{RegistryError, Repository};

/// The maximum nesting depth of indexes.
const MAX_DEPTH: usize = 8;
/// The maximum number of manifests that are read for their platforms.
const MAX_MANIFESTS: usize = 1_000;

/// The properties of the root of a version.
#[derive(Debug, Default)]
pub struct Root {
    /// The tag that stands for the version.
    pub tag: Option<Tag>,
    /// Its annotations, or `None` if the root cannot be read.
    pub annotations: Option<BTreeMap<String, String>>,
    /// The platforms of its images, or `None` if that was not asked or cannot be known.
    pub platforms: Option<Vec<Platform>>,
    /// The reasons why something could not be read.
    pub findings: Vec<Finding>,
}

/// The content behind a digest, if it can be parsed.
pub(super) enum ReadManifest {
    /// This manifest.
    Manifest(Manifest),
    /// Nothing usable, and the finding to report.
    Finding(Finding),
}

/// Reads a manifest that `tags` need. Errors in its bytes are a finding, and errors of the registry an error.
pub(super) async fn read_manifest(
    repository: &dyn Repository,
    digest: &Digest,
    tags: &[Tag],
) -> Result<ReadManifest, RegistryError> {
    let (named, tags) = (digest.clone(), tags.to_vec());
    Ok(match repository.get_manifest(&TagOrDigest::Digest(digest.clone())).await {
        Ok(Some(raw)) => understood(&raw, named, tags),
        Ok(None) => ReadManifest::Finding(Finding::MissingManifest { digest: named, tags }),
        Err(RegistryError::ContentMismatch { found, .. }) => {
            ReadManifest::Finding(Finding::Corrupt { digest: named, found, tags })
        }
        Err(error) => return Err(error),
    })
}

fn understood(raw: &RawManifest, digest: Digest, tags: Vec<Tag>) -> ReadManifest {
    match raw.parse() {
        Ok(manifest) => ReadManifest::Manifest(manifest),
        Err(error) => ReadManifest::Finding(Finding::Unreadable { digest, why: error.to_string(), tags }),
    }
}

/// Reads the root `digest` that `tag` names and, with `platforms`, the platforms of its images.
pub(super) async fn read_root(
    repository: &dyn Repository,
    tag: &Tag,
    digest: &Digest,
    platforms: bool,
) -> Result<Root, RegistryError> {
    let tags = std::slice::from_ref(tag);
    let mut root = Root { tag: Some(tag.clone()), ..Root::default() };
    let manifest = match read_manifest(repository, digest, tags).await? {
        ReadManifest::Manifest(manifest) => manifest,
        ReadManifest::Finding(finding) => {
            root.findings.push(finding);
            return Ok(root);
        }
    };
    root.annotations = Some(manifest.annotations().clone());
    if platforms {
        let mut found = Vec::new();
        let mut waiting = vec![(manifest, 0)];
        let mut count = 0;
        while let Some((manifest, depth)) = waiting.pop() {
            let children = match manifest {
                Manifest::Image { config, .. } => {
                    match config_platform(repository, &config, tags).await? {
                        Ok(platform) => found.extend(platform),
                        Err(finding) => root.findings.push(finding),
                    }
                    continue;
                }
                Manifest::Index { manifests, .. } => manifests,
            };
            for child in children {
                // Clients pick an entry of an index by the platform that the index gives for it.
                if let Some(platform) = child.platform {
                    found.push(platform);
                    continue;
                }
                count += 1;
                if depth >= MAX_DEPTH || count > MAX_MANIFESTS || !media_type::is_manifest(&child.media_type)
                {
                    continue;
                }
                match read_manifest(repository, &child.digest, tags).await? {
                    ReadManifest::Manifest(manifest) => waiting.push((manifest, depth + 1)),
                    ReadManifest::Finding(finding) => root.findings.push(finding),
                }
            }
        }
        root.platforms = Some(found);
    }
    Ok(root)
}

/// Returns the platform in the configuration of an image, or `None` for an artifact, whose configuration is something
/// else.
async fn config_platform(
    repository: &dyn Repository,
    config: &Descriptor,
    tags: &[Tag],
) -> Result<Result<Option<Platform>, Finding>, RegistryError> {
    if ![media_type::OCI_CONFIG, media_type::DOCKER_CONFIG].contains(&config.media_type.as_str()) {
        return Ok(Ok(None));
    }
    let (digest, tags) = (config.digest.clone(), tags.to_vec());
    let unreadable =
        |why: String| Ok(Err(Finding::Unreadable { digest: digest.clone(), why, tags: tags.clone() }));
    if config.size > MAX_CONFIG_SIZE {
        return unreadable(format!("a configuration of {} bytes", config.size));
    }
    if !repository.has_blob(config).await? {
        return Ok(Err(Finding::MissingBlob { digest, tags }));
    }
    let bytes = match repository.get_blob(config, MAX_CONFIG_SIZE).await {
        Ok(bytes) => bytes,
        Err(RegistryError::ContentMismatch { found, .. }) => {
            return Ok(Err(Finding::Corrupt { digest, found, tags }));
        }
        Err(error) => return Err(error),
    };
    match Platform::of_config(&bytes) {
        Ok(platform) => Ok(Ok(platform)),
        Err(error) => unreadable(error.to_string()),
    }
}
