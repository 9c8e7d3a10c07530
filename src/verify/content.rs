//! What the root of a version says: its annotations, and the platforms of its images.

use std::collections::BTreeMap;

use crate::model::drift::Finding;
use crate::model::{Descriptor, Digest, Manifest, Platform, RawManifest, Tag, TagOrDigest, media_type};
use crate::registry::{ReadWriteRepository, RegistryError};

/// The largest configuration that is read for its platform, in bytes.
const MAX_CONFIG_SIZE: u64 = 16 * 1024 * 1024;
/// How deep indexes may lie in one another.
const MAX_DEPTH: usize = 8;
/// How many manifests are read for their platforms.
const MAX_MANIFESTS: usize = 1_000;

/// What the root of a version says.
#[derive(Debug, Default)]
pub struct Root {
    /// The tag that stands for the version.
    pub tag: Option<Tag>,
    /// Its annotations; `None` where it cannot be read.
    pub annotations: Option<BTreeMap<String, String>>,
    /// The platforms of its images; `None` where that was not asked or cannot be known.
    pub platforms: Option<Vec<Platform>>,
    /// Why something could not be read.
    pub findings: Vec<Finding>,
}

/// What a digest names, as far as it can be understood.
pub(super) enum Read {
    /// This.
    Manifest(Manifest),
    /// Nothing of use, and what to say of it.
    Finding(Finding),
}

/// Reads a manifest that `tags` need. What is wrong with its bytes is a finding, what is wrong with the registry an error.
pub(super) async fn read(
    repository: &dyn ReadWriteRepository,
    digest: &Digest,
    tags: &[Tag],
) -> Result<Read, RegistryError> {
    let (named, tags) = (digest.clone(), tags.to_vec());
    Ok(match repository.get_manifest(&TagOrDigest::Digest(digest.clone())).await {
        Ok(Some(raw)) => understood(&raw, named, tags),
        Ok(None) => Read::Finding(Finding::MissingManifest { digest: named, tags }),
        Err(RegistryError::ContentMismatch { found, .. }) => {
            Read::Finding(Finding::Corrupt { digest: named, found, tags })
        }
        Err(error) => return Err(error),
    })
}

fn understood(raw: &RawManifest, digest: Digest, tags: Vec<Tag>) -> Read {
    match raw.parse() {
        Ok(manifest) => Read::Manifest(manifest),
        Err(error) => Read::Finding(Finding::Unreadable { digest, why: error.to_string(), tags }),
    }
}

/// Reads the root `digest` that `tag` names, and with `platforms` what its images run on.
pub(super) async fn read_root(
    repository: &dyn ReadWriteRepository,
    tag: &Tag,
    digest: &Digest,
    platforms: bool,
) -> Result<Root, RegistryError> {
    let tags = std::slice::from_ref(tag);
    let mut root = Root { tag: Some(tag.clone()), ..Root::default() };
    let manifest = match read(repository, digest, tags).await? {
        Read::Manifest(manifest) => manifest,
        Read::Finding(finding) => {
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
                // What an index says of an entry is what a client picks it by.
                if let Some(platform) = child.platform {
                    found.push(platform);
                    continue;
                }
                count += 1;
                if depth >= MAX_DEPTH || count > MAX_MANIFESTS || !media_type::is_manifest(&child.media_type)
                {
                    continue;
                }
                match read(repository, &child.digest, tags).await? {
                    Read::Manifest(manifest) => waiting.push((manifest, depth + 1)),
                    Read::Finding(finding) => root.findings.push(finding),
                }
            }
        }
        root.platforms = Some(found);
    }
    Ok(root)
}

/// The platform that a configuration says an image runs on. `None` of an artifact, whose configuration is something else.
async fn config_platform(
    repository: &dyn ReadWriteRepository,
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
