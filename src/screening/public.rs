//! Findings in content that a stranger can pull already: the layers of a base image, and those that a public repository has. Publishing
//! them again reveals nothing, so they are reported and do not block.
//!
//! The proof is an anonymous request whose answer has the right digest, never what an image says about itself. Nothing is asked
//! unless a finding blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::Screening;
use super::reachable::ReachableContent;
use super::required::SentRepository;
use crate::connections::Connections;
use crate::model::secret_search::{PlannedSecrets, SecretFinding, SecretPlace};
use oci_content::{MAX_CONFIG_SIZE, TransportSpec};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Descriptor, Digest, Manifest, Repository, media_type};

/// The annotation with the name of the base image (image-spec, annotations.md).
const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// The annotation with the digest of the base image.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// The most base images that are asked for.
const MAX_BASES: usize = 8;
/// The most images in the index of a base image that are read.
const MAX_IMAGES: usize = 32;

/// A base image: its name, and the digest of its manifest.
type BaseImage = (String, Digest);

/// Content that a stranger was seen to be able to pull.
#[derive(Default)]
struct PublicContent {
    /// Each blob, with the place that it can be pulled from.
    blobs: BTreeMap<Digest, String>,
    /// The fingerprint of each value that was found in the configuration of a base image, with the name of the image.
    values: BTreeMap<Digest, String>,
}

impl PublicContent {
    /// Returns the place from which a stranger can pull the content with `finding`.
    fn place(&self, finding: &SecretFinding) -> Option<&String> {
        match &finding.place {
            SecretPlace::File { blob, .. } => self.blobs.get(blob),
            SecretPlace::Config { blob, .. } => {
                let value = finding.identity.as_ref();
                self.blobs.get(blob).or_else(|| self.values.get(value?))
            }
            SecretPlace::Annotation { .. } => None,
        }
    }
}

impl Screening {
    /// Notes which findings in `secrets` are in content that a stranger can pull already. These do not block.
    pub(crate) async fn spare_public(
        &self,
        secrets: &mut PlannedSecrets,
        sent: &[SentRepository<'_>],
        connections: &Connections,
    ) {
        let mut public = PublicContent::default();
        for repository in sent {
            let address = &repository.planned.address;
            let blocks = |it: &&SecretFinding| {
                it.blocks && it.repositories.contains(address) && public.place(it).is_none()
            };
            let wanted: BTreeSet<Digest> =
                secrets.findings.iter().filter(blocks).filter_map(|it| blob(&it.place).cloned()).collect();
            if wanted.is_empty() {
                continue;
            }
            for base in bases(repository, &wanted) {
                self.read_base(&base, &wanted, connections, &mut public).await;
            }
            let is_missing = |digest: &&Digest| !public.blobs.contains_key(*digest);
            let wanted: BTreeSet<Digest> = wanted.iter().filter(is_missing).cloned().collect();
            read_target(repository, &wanted, connections, &mut public).await;
        }
        for finding in &mut secrets.findings {
            if let Some(place) = public.place(finding).filter(|_| finding.blocks) {
                finding.public = Some(place.clone());
                finding.blocks = false;
            }
        }
    }

    /// Reads a base image without credentials, and notes which of the `wanted` blobs it has.
    async fn read_base(
        &self,
        base: &BaseImage,
        wanted: &BTreeSet<Digest>,
        connections: &Connections,
        public: &mut PublicContent,
    ) {
        let (name, digest) = base;
        let Ok(TransportSpec::Docker(image)) = format!("docker://{name}").parse::<TransportSpec>() else {
            return;
        };
        let endpoint = RegistryEndpoint::of(image.location());
        let Ok(anonymous) = connections.anonymous(&endpoint, &image.repository) else { return };
        let place = format!("{}@{}", endpoint.url.full_name(&image.repository), digest.short(12));
        let mut images = vec![Descriptor::new(media_type::OCI_MANIFEST, digest.clone(), 0)];
        if let Some(Manifest::Index { manifests, .. }) = manifest(anonymous.as_ref(), digest).await {
            images = manifests.into_iter().take(MAX_IMAGES).collect();
        }
        for image in images {
            let Some(Manifest::Image { config, layers, .. }) =
                manifest(anonymous.as_ref(), &image.digest).await
            else {
                continue;
            };
            if let Ok(bytes) = anonymous.get_blob(&config, MAX_CONFIG_SIZE).await {
                public.blobs.insert(config.digest.clone(), place.clone());
                let found = self.rules.search_config(&bytes).into_iter().map(|it| it.found.fingerprint);
                public.values.extend(found.map(|value| (value, place.clone())));
            }
            for layer in layers.iter().filter(|layer| wanted.contains(&layer.digest)) {
                if matches!(anonymous.has_blob(layer).await, Ok(true)) {
                    public.blobs.insert(layer.digest.clone(), place.clone());
                }
            }
        }
    }
}

/// Returns the manifest with `digest`, if the registry has exactly that.
async fn manifest(anonymous: &dyn Repository, digest: &Digest) -> Option<Manifest> {
    let raw = anonymous.get_manifest(&digest.clone().into()).await.ok()??;
    (raw.digest() == digest).then(|| raw.parse().ok())?
}

/// Notes which of the `wanted` blobs tags of the repository reach for a stranger.
async fn read_target(
    target: &SentRepository<'_>,
    wanted: &BTreeSet<Digest>,
    connections: &Connections,
    public: &mut PublicContent,
) {
    let SentRepository { planned, endpoint, content } = target;
    if wanted.is_empty() || !matches!(endpoint.url, oci_registry::RegistryLocation::Http { .. }) {
        return;
    }
    let Ok(anonymous) = connections.anonymous(endpoint, &planned.repository) else { return };
    let root = &content.published.content.root.digest;
    let reached = ReachableContent::of_plan(anonymous.as_ref(), planned, root, wanted).await;
    let blobs = content.published.content.blobs.iter().filter(|blob| wanted.contains(&blob.digest));
    for blob in blobs {
        if let Some(tag) = reached.tag(&blob.digest)
            && matches!(anonymous.has_blob(blob).await, Ok(true))
        {
            public.blobs.insert(blob.digest.clone(), format!("{}:{tag}", planned.name));
        }
    }
}

/// Returns the base images that the images with the `wanted` blobs name.
fn bases(repository: &SentRepository<'_>, wanted: &BTreeSet<Digest>) -> BTreeSet<BaseImage> {
    let manifests = &repository.content.published.content.manifests;
    let parsed = || manifests.iter().filter_map(|raw| Some((raw, raw.parse().ok()?)));
    let mut found = BTreeSet::new();
    for (raw, manifest) in parsed() {
        let Manifest::Image { config, layers, annotations, .. } = &manifest else { continue };
        if !layers.iter().chain([config.as_ref()]).any(|blob| wanted.contains(&blob.digest)) {
            continue;
        }
        found.extend(base(annotations));
        // Builders may write the annotations of an image into the index, or into its entry there.
        for (_, index) in parsed() {
            if let Manifest::Index { manifests, annotations, .. } = &index
                && let Some(entry) = manifests.iter().find(|entry| entry.digest == *raw.digest())
            {
                found.extend(base(annotations).into_iter().chain(base(&entry.annotations)));
            }
        }
    }
    found.into_iter().take(MAX_BASES).collect()
}

fn base(annotations: &BTreeMap<String, String>) -> Option<BaseImage> {
    let digest = annotations.get(BASE_DIGEST)?.parse().ok()?;
    Some((annotations.get(BASE_NAME)?.clone(), digest))
}

fn blob(place: &SecretPlace) -> Option<&Digest> {
    match place {
        SecretPlace::File { blob, .. } | SecretPlace::Config { blob, .. } => Some(blob),
        SecretPlace::Annotation { .. } => None,
    }
}
