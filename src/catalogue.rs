//! The content of a repository for the command `list`: its tags, grouped by the image that they name.
//!
//! One listing and one HEAD for each tag show the groups. Only the images that are shown are read: the manifest, those of the
//! platforms, one configuration, and the referrers.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::future::{join_all, try_join_all};
use futures_util::stream;
use semver::Version;

use crate::connections::Connection;
use crate::model::catalogue::{CatalogueImage, CatalogueReferrer, CatalogueStatement};
use crate::model::visibility::ObservedVisibility;
use crate::signing;
use crate::visibility;
use oci_content::MAX_CONFIG_SIZE;
use oci_registry::{
    Descriptor, Digest, Manifest, Platform, RegistryError, Repository, Tag, TagListing, TagLookup,
    annotation, listed_referrers, media_type, referrer,
};
use oci_signing::{Bundle, SIGNATURE, Verifier, attached_bundles};

/// The manifests of an index that are read for its size, at most.
const MAX_MANIFESTS: usize = 100;
/// The tags and images of a repository that are asked about at once.
const AT_ONCE: usize = 16;
/// The artifact types of signatures: Notation (signature-specification.md), cosign 2 and 3, and Sigstore bundles.
const SIGNATURES: [&str; 3] = [
    "application/vnd.cncf.notary.signature",
    "application/vnd.dev.cosign.",
    "application/vnd.dev.sigstore.bundle",
];

/// The annotation of a bundle's manifest that says which type its predicate has.
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// The declared signers of a repository, by name.
pub type DeclaredSigners = BTreeMap<String, Verifier>;

/// The images of a repository.
#[derive(Debug, Default)]
pub struct ListedImages {
    /// The number of tags, without those of referrers.
    pub tags: usize,
    /// The images, the newest version first.
    pub images: Vec<CatalogueImage>,
    /// The number of images that were left out.
    pub older: usize,
    /// The visibility; `None` if there is nothing, or nobody to ask.
    pub visibility: Option<ObservedVisibility>,
}

/// Reads the `most` newest images of a repository whose tags are `listing`; all of them without a number. `is_public_asked` asks who can
/// pull. With `signers`, the signed statements about each image are read and verified.
///
/// # Errors
///
/// Every failure of the registry, except for the content of one image, which the image then says.
pub async fn images(
    connection: &Connection,
    listing: &TagListing,
    most: Option<usize>,
    is_public_asked: bool,
    signers: Option<&DeclaredSigners>,
) -> Result<ListedImages, RegistryError> {
    let repository = connection.repository.as_ref();
    let own: Vec<&Tag> = listing.tags().iter().filter(|tag| !tag.is_of_referrers()).collect();
    let looked_up: Vec<_> = stream::iter(own.iter().copied().map(|tag| async move {
        repository.look_up_tag(tag, Some(listing)).await.map(|found| (tag, found))
    }))
    .buffer_unordered(AT_ONCE)
    .collect()
    .await;
    let mut by_digest: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
    for found in looked_up {
        if let (tag, TagLookup::Names(digest)) = found? {
            by_digest.entry(digest).or_default().push(tag.clone());
        }
    }
    let mut groups: Vec<(Option<Version>, Digest, Vec<Tag>)> = by_digest
        .into_iter()
        .map(|(digest, mut tags)| {
            tags.sort_by(|a, b| version(b).cmp(&version(a)).then_with(|| a.cmp(b)));
            (tags.iter().filter_map(version).max(), digest, tags)
        })
        .collect();
    groups.sort_by(|(a, _, a_tags), (b, _, b_tags)| b.cmp(a).then_with(|| a_tags.cmp(b_tags)));
    let shown = most.unwrap_or(groups.len()).min(groups.len());
    let older = groups.len() - shown;
    groups.truncate(shown);
    let visibility = match groups.first().filter(|_| is_public_asked) {
        Some((_, digest, _)) => {
            Some(visibility::probe(connection.anonymous.as_ref(), repository, digest).await.observed)
        }
        None => None,
    };
    let mut images = Vec::with_capacity(groups.len());
    for some in groups.chunks(AT_ONCE) {
        let read = some.iter().map(|(version, digest, tags)| async move {
            let image = CatalogueImage {
                digest: digest.clone(),
                tags: tags.clone(),
                version: version.as_ref().map(ToString::to_string),
                media_type: String::new(),
                platforms: Vec::new(),
                bytes: None,
                created: None,
                revision: None,
                referrers: Vec::new(),
                statements: Vec::new(),
                unsigned_by: Vec::new(),
                unknown: None,
            };
            let mut image = read_image(repository, listing, image).await;
            if let Some(signers) = signers
                && let Err(error) = read_statements(repository, signers, &mut image).await
            {
                image.unknown = image.unknown.or_else(|| Some(error.to_string()));
            }
            image
        });
        images.extend(join_all(read).await);
    }
    Ok(ListedImages { tags: own.len(), images, older, visibility })
}

/// The version that a tag shows: `v1.2.3`, `1.2.3-rc.1`.
fn version(tag: &Tag) -> Option<Version> {
    Version::parse(tag.as_str().strip_prefix('v').unwrap_or(tag.as_str())).ok()
}

async fn read_image(
    repository: &dyn Repository,
    listing: &TagListing,
    mut image: CatalogueImage,
) -> CatalogueImage {
    if let Err(error) = read_content(repository, &mut image).await {
        image.unknown = Some(error);
    }
    match list_referrers(repository, listing, &image.digest).await {
        Ok(found) => image.referrers = found.into_iter().map(described).collect(),
        Err(error) => image.unknown = image.unknown.or_else(|| Some(error.to_string())),
    }
    // Signatures of older versions of cosign have tags, not referrers.
    if let Some(tag) = referrer::cosign_tags(&image.digest).first().filter(|tag| listing.contains(tag))
        && let Ok(TagLookup::Names(digest)) = repository.look_up_tag(tag, Some(listing)).await
    {
        let artifact_type = "application/vnd.dev.cosign.simplesigning.v1+json".to_owned();
        let signature = CatalogueReferrer { digest, artifact_type, predicate_type: None, is_signature: true };
        image.referrers.push(signature);
    }
    image
}

/// Returns the referrers of an image: by the registry's own list, or by the index at the fallback tag, if `listing` has it.
async fn list_referrers(
    repository: &dyn Repository,
    listing: &TagListing,
    digest: &Digest,
) -> Result<Vec<Descriptor>, RegistryError> {
    match repository.list_referrers(digest).await? {
        Some(found) => Ok(found),
        None if referrer::fallback_tag(digest).is_some_and(|tag| listing.contains(&tag)) => {
            listed_referrers(repository, digest).await
        }
        None => Ok(Vec::new()),
    }
}

fn described(found: Descriptor) -> CatalogueReferrer {
    let artifact_type = found.artifact_type.unwrap_or(found.media_type);
    let predicate_type = found.annotations.get(PREDICATE_TYPE).cloned();
    let is_signature = SIGNATURES.iter().any(|signature| artifact_type.starts_with(signature))
        && predicate_type.as_deref().is_none_or(|it| it == SIGNATURE);
    CatalogueReferrer { digest: found.digest, artifact_type, predicate_type, is_signature }
}

/// Reads the signed statements about an image.
async fn read_statements(
    repository: &dyn Repository,
    signers: &DeclaredSigners,
    image: &mut CatalogueImage,
) -> Result<(), RegistryError> {
    for attached in attached_bundles(repository, &image.digest, &[]).await? {
        let verified = signers.iter().find_map(|(name, verifier)| {
            let bundle = Bundle::parse(&attached.json).ok()?;
            let statement = verifier.verify(&bundle, &image.digest).ok()?;
            Some((name.clone(), signing::identity(verifier), statement.predicate_type))
        });
        image.statements.push(match verified {
            Some((signer, identity, predicate_type)) => CatalogueStatement {
                manifest: attached.manifest,
                predicate_type: Some(predicate_type),
                signer: Some(signer),
                identity: Some(identity),
            },
            None => CatalogueStatement {
                manifest: attached.manifest,
                predicate_type: attached.predicate_type,
                signer: None,
                identity: None,
            },
        });
    }
    image.statements.sort_by_key(|it| it.signer.is_none());
    let signed = |name: &String| {
        let mut statements = image.statements.iter();
        statements
            .any(|it| it.signer.as_ref() == Some(name) && it.predicate_type.as_deref() == Some(SIGNATURE))
    };
    image.unsigned_by = signers.keys().filter(|name| !signed(name)).cloned().collect();
    Ok(())
}

/// Reads the manifest of an image, those of its platforms, and the configuration of the first. Returns the reason if something cannot be
/// read.
async fn read_content(repository: &dyn Repository, image: &mut CatalogueImage) -> Result<(), String> {
    let raw =
        repository.get_manifest(&image.digest.clone().into()).await.map_err(|error| error.to_string())?;
    let raw = raw.ok_or("the registry has no such manifest")?;
    raw.media_type().clone_into(&mut image.media_type);
    let manifest = raw.parse().map_err(|error| error.to_string())?;
    let annotations = manifest.annotations().clone();
    image.created = annotations.get(annotation::CREATED).cloned();
    image.revision = annotations.get(annotation::REVISION).cloned();
    let mut blobs: BTreeMap<Digest, u64> = BTreeMap::new();
    blobs.insert(image.digest.clone(), raw.bytes().len() as u64);
    let first = match manifest {
        Manifest::Index { manifests, .. } => index(repository, image, &mut blobs, manifests).await?,
        Manifest::Image { config, layers, .. } => {
            blobs.extend(layers.iter().map(|layer| (layer.digest.clone(), layer.size)));
            blobs.insert(config.digest.clone(), config.size);
            Some(*config)
        }
    };
    image.bytes = Some(blobs.values().sum());
    let is_config = |it: &Descriptor| {
        [media_type::OCI_CONFIG, media_type::DOCKER_CONFIG].contains(&it.media_type.as_str())
            && it.size <= MAX_CONFIG_SIZE
    };
    let Some(config) = first else { return Ok(()) };
    if !is_config(&config) {
        image.media_type.clone_from(&config.media_type);
        return Ok(());
    }
    let bytes = repository.get_blob(&config, MAX_CONFIG_SIZE).await.map_err(|error| error.to_string())?;
    if image.platforms.is_empty()
        && let Ok(Some(platform)) = Platform::of_config(&bytes)
    {
        image.platforms.push(platform.to_string());
    }
    let config: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |value: Option<&serde_json::Value>| value.and_then(|it| it.as_str()).map(str::to_owned);
    let label =
        |key: &str| text(config.get("config").and_then(|it| it.get("Labels")).and_then(|it| it.get(key)));
    image.created =
        image.created.take().or_else(|| label(annotation::CREATED)).or_else(|| text(config.get("created")));
    image.revision = image.revision.take().or_else(|| label(annotation::REVISION));
    Ok(())
}

/// Reads the manifests of an index. Returns the configuration of its first image.
async fn index(
    repository: &dyn Repository,
    image: &mut CatalogueImage,
    blobs: &mut BTreeMap<Digest, u64>,
    manifests: Vec<Descriptor>,
) -> Result<Option<Descriptor>, String> {
    let platforms = manifests.iter().filter_map(|it| it.platform.as_ref()).filter(|it| !it.is_unknown());
    let platforms: BTreeSet<String> = platforms.map(ToString::to_string).collect();
    image.platforms = platforms.into_iter().collect();
    if manifests.len() > MAX_MANIFESTS {
        return Err(format!("an index of {} manifests", manifests.len()));
    }
    let read = manifests.iter().map(|it| async move { repository.get_described(it).await });
    let read = try_join_all(read).await.map_err(|error| error.to_string())?;
    let mut first = None;
    for (entry, raw) in manifests.iter().zip(read) {
        blobs.insert(entry.digest.clone(), entry.size);
        let raw = raw.ok_or_else(|| format!("the registry lacks the manifest {}", entry.digest))?;
        let Ok(Manifest::Image { config, layers, .. }) = raw.parse() else { continue };
        blobs.extend(layers.iter().map(|layer| (layer.digest.clone(), layer.size)));
        blobs.insert(config.digest.clone(), config.size);
        if first.is_none() && entry.platform.as_ref().is_none_or(|platform| !platform.is_unknown()) {
            first = Some(*config);
        }
    }
    Ok(first)
}
