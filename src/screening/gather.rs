//! Collects the content to search: each blob once, however many repositories it is sent to, with its position in its images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::content::Published;
use crate::model::ResourceId;
use crate::model::secret_search::SearchedRepository;
use oci_content::{Content, Source, read_config};
use oci_registry::{Descriptor, Digest, Manifest, RawManifest, media_type};
use secret_scan::Rules;
use secret_scan::content::instructions;

/// The annotation with the name of a layer of an artifact (image-spec, annotations.md).
const TITLE: &str = "org.opencontainers.image.title";

/// The content that is sent to one repository.
pub(crate) struct Place<'a> {
    /// The address of the repository.
    pub address: &'a str,
    /// The published resource.
    pub resource: &'a ResourceId,
    /// Its content.
    pub published: &'a Published,
    /// The part of it that is searched.
    pub searched: &'a SearchedRepository,
}

/// A blob to search.
pub(crate) struct Job {
    pub blob: Descriptor,
    pub source: Arc<dyn Source>,
    /// Whether it is the configuration of an image.
    pub is_config: bool,
    /// Whether it is a layer of an image.
    pub is_layer: bool,
    /// The name: the title of a layer of an artifact.
    pub name: Option<String>,
}

/// A manifest or index with its annotations and those of its descriptors.
pub(crate) struct Annotated {
    pub manifest: Digest,
    pub annotations: BTreeMap<String, String>,
}

/// The position of a blob in the published content.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// The addresses that it is sent to.
    pub addresses: BTreeSet<String>,
    /// The platforms of the images in an index that hold it.
    pub platforms: BTreeSet<String>,
    /// The number of the layer, from 1.
    pub layer: Option<usize>,
    /// The instruction that made it.
    pub instruction: Option<String>,
    /// The layers above it, lowest first, each with its number.
    pub above: Vec<(usize, Digest)>,
}

/// Everything to search.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The blobs, each once.
    pub jobs: BTreeMap<Digest, Job>,
    /// The position of each blob, by resource.
    pub standing: BTreeMap<(ResourceId, Digest), Standing>,
    /// The manifests, by resource, with the addresses that they are sent to.
    pub annotated: BTreeMap<(ResourceId, Digest), (Annotated, BTreeSet<String>)>,
}

/// Collects the content that `places` select.
pub(crate) fn gather(rules: &Rules, places: &[Place<'_>]) -> Gathered {
    let mut gathered = Gathered::default();
    let mut instructions = Instructions { rules, known: BTreeMap::new() };
    for place in places {
        let referrers = place.published.referrers.iter().map(|it| &it.content);
        for content in std::iter::once(&place.published.content).chain(referrers) {
            gathered.content(place, content, &mut instructions);
        }
    }
    gathered
}

/// The instructions of each configuration, read once.
struct Instructions<'r> {
    rules: &'r Rules,
    known: BTreeMap<Digest, Vec<String>>,
}

impl Instructions<'_> {
    fn of(&mut self, source: &dyn Source, config: &Descriptor, layers: usize) -> &[String] {
        let rules = self.rules;
        self.known.entry(config.digest.clone()).or_insert_with(|| {
            // If it cannot be read, the search of this blob reports that.
            let bytes = read_config(source, config).unwrap_or_default();
            instructions(rules, &bytes, layers)
        })
    }
}

impl Gathered {
    fn content(&mut self, place: &Place<'_>, content: &Content, instructions: &mut Instructions<'_>) {
        let searched = place.searched;
        let blobs: BTreeSet<&Digest> = searched.blobs.iter().collect();
        let manifests: BTreeSet<&Digest> = searched.manifests.iter().collect();
        let platforms = platforms(content);
        for raw in &content.manifests {
            // It was parsed when the content was opened.
            let Ok(manifest) = raw.parse() else { continue };
            if manifests.contains(raw.digest()) {
                self.annotations(place, raw, &manifest);
            }
            let Manifest::Image { config, layers, .. } = &manifest else { continue };
            let is_image =
                [media_type::OCI_CONFIG, media_type::DOCKER_CONFIG].contains(&config.media_type.as_str());
            if blobs.contains(&config.digest) {
                self.job(place, config, is_image, false);
                self.stand(place, &config.digest, platforms.get(raw.digest()), Standing::default());
            }
            let numbered: Vec<(usize, &Descriptor)> = (1..).zip(layers).collect();
            for (number, layer) in &numbered {
                if !blobs.contains(&layer.digest) {
                    continue;
                }
                let is_layer = is_image && is_archive(&layer.media_type);
                self.job(place, layer, false, is_layer);
                let mut standing = Standing::default();
                if is_layer {
                    let made = instructions.of(place.published.source.as_ref(), config, layers.len());
                    standing.layer = Some(*number);
                    standing.instruction = made.get(number - 1).filter(|it| !it.is_empty()).cloned();
                    let above = numbered.iter().filter(|(other, _)| other > number);
                    standing.above = above.map(|(number, layer)| (*number, layer.digest.clone())).collect();
                }
                self.stand(place, &layer.digest, platforms.get(raw.digest()), standing);
            }
        }
    }

    fn job(&mut self, place: &Place<'_>, blob: &Descriptor, is_config: bool, is_layer: bool) {
        self.jobs.entry(blob.digest.clone()).or_insert_with(|| Job {
            blob: blob.clone(),
            source: place.published.source.clone(),
            is_config,
            is_layer,
            name: blob.annotations.get(TITLE).cloned().filter(|_| !is_layer),
        });
    }

    /// Notes the position of a blob. Of several positions the first is kept.
    fn stand(&mut self, place: &Place<'_>, blob: &Digest, platform: Option<&String>, standing: Standing) {
        let key = (place.resource.clone(), blob.clone());
        let noted = self.standing.entry(key).or_insert(standing);
        noted.addresses.insert(place.address.to_owned());
        noted.platforms.extend(platform.cloned());
    }

    fn annotations(&mut self, place: &Place<'_>, raw: &RawManifest, manifest: &Manifest) {
        let (own, described): (_, Vec<&Descriptor>) = match manifest {
            Manifest::Index { annotations, manifests, .. } => (annotations, manifests.iter().collect()),
            Manifest::Image { annotations, layers, config, .. } => {
                (annotations, layers.iter().chain([config.as_ref()]).collect())
            }
        };
        let mut annotations = own.clone();
        for (key, value) in described.into_iter().flat_map(|it| &it.annotations) {
            annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let new = || {
            let manifest = raw.digest().clone();
            (Annotated { manifest, annotations }, BTreeSet::new())
        };
        let key = (place.resource.clone(), raw.digest().clone());
        let (_, addresses) = self.annotated.entry(key).or_insert_with(new);
        addresses.insert(place.address.to_owned());
    }
}

/// Returns the platform of each image for which an index names one, by the digest of its manifest.
fn platforms(content: &Content) -> BTreeMap<Digest, String> {
    let parsed = content.manifests.iter().filter_map(|raw| raw.parse().ok());
    let listed = parsed.flat_map(|manifest| match manifest {
        Manifest::Index { manifests, .. } => manifests,
        Manifest::Image { .. } => Vec::new(),
    });
    let named = listed.filter_map(|entry| {
        let platform = entry.platform.filter(oci_registry::Platform::is_named)?;
        Some((entry.digest, platform.to_string()))
    });
    named.collect()
}

/// Whether a layer of this type is an archive that is unpacked (image-spec, layer.md; Docker's types have `rootfs.diff.tar`).
fn is_archive(media_type: &str) -> bool {
    media_type.contains(".tar")
}
