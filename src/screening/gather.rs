//! Collects the content to search: each blob once, however many repositories it is sent to, with its position in its images.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::content::Published;
use crate::model::ResourceId;
use crate::model::secret_search::{PlannedSecrets, SearchedRepository};
use oci_content::{Content, Source, read_config};
use oci_registry::{Descriptor, Digest, Manifest, RawManifest, media_type};
use secret_scan::Rules;

/// The annotation with the name of a layer of an artifact (image-spec, annotations.md).
const TITLE: &str = "org.opencontainers.image.title";

/// The content that is sent to a repository.
pub(crate) struct SentContent<'a> {
    /// The address of the repository in the plan.
    pub address: &'a str,
    /// The published resource.
    pub resource: &'a ResourceId,
    /// Its content.
    pub published: &'a Published,
}

/// The part of the sent content that is searched.
struct SelectedContent<'a> {
    sent: &'a SentContent<'a>,
    manifests: BTreeSet<&'a Digest>,
    blobs: BTreeSet<&'a Digest>,
}

impl<'a> SelectedContent<'a> {
    fn new(sent: &'a SentContent<'a>, searched: &'a SearchedRepository) -> Self {
        Self { sent, manifests: searched.manifests.iter().collect(), blobs: searched.blobs.iter().collect() }
    }
}

/// A blob to search.
pub(super) struct SearchJob {
    pub blob: Descriptor,
    pub source: Arc<dyn Source>,
    /// Whether it is the configuration of an image.
    pub is_config: bool,
    /// Whether it is a layer of an image.
    pub is_layer: bool,
    /// The name: the title of a layer of an artifact.
    pub name: Option<String>,
}

/// The annotations of a manifest or index and of its descriptors.
pub(super) struct GatheredAnnotations {
    pub annotations: BTreeMap<String, String>,
    /// The addresses that the manifest is sent to.
    pub addresses: BTreeSet<String>,
}

/// The position of a blob in the published content.
#[derive(Debug, Clone, Default)]
pub(super) struct BlobPosition {
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
pub(super) struct GatheredContent {
    /// The blobs, each once.
    pub jobs: BTreeMap<Digest, SearchJob>,
    /// The position of each blob, by resource.
    pub positions: BTreeMap<(ResourceId, Digest), BlobPosition>,
    /// The annotations of each manifest, by resource.
    pub annotated: BTreeMap<(ResourceId, Digest), GatheredAnnotations>,
}

/// Collects the parts of `sent` that `planned` names.
pub(super) fn gather(rules: &Rules, planned: &PlannedSecrets, sent: &[&SentContent<'_>]) -> GatheredContent {
    let mut gathered = GatheredContent::default();
    let mut instructions = Instructions { rules, known: BTreeMap::new() };
    for sent in sent {
        let Some(searched) = planned.repositories.get(sent.address) else { continue };
        let selected = SelectedContent::new(sent, searched);
        let referrers = sent.published.referrers.iter().map(|it| &it.content);
        for content in std::iter::once(&sent.published.content).chain(referrers) {
            gathered.add_content(&selected, content, &mut instructions);
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
            rules.layer_instructions(&bytes, layers)
        })
    }
}

impl GatheredContent {
    fn add_content(
        &mut self,
        selected: &SelectedContent<'_>,
        content: &Content,
        instructions: &mut Instructions<'_>,
    ) {
        let SelectedContent { sent, manifests, blobs } = selected;
        let platforms = platforms(content);
        for raw in &content.manifests {
            let Ok(manifest) = raw.parse() else {
                self.add_other(selected, raw);
                continue;
            };
            if manifests.contains(raw.digest()) {
                self.add_annotations(sent, raw, &manifest);
            }
            let Manifest::Image { config, layers, .. } = &manifest else { continue };
            let is_image =
                [media_type::OCI_CONFIG, media_type::DOCKER_CONFIG].contains(&config.media_type.as_str());
            if blobs.contains(&config.digest) {
                self.add_job(sent, config, is_image, false);
                self.add_position(sent, &config.digest, platforms.get(raw.digest()), BlobPosition::default());
            }
            let numbered: Vec<(usize, &Descriptor)> = (1..).zip(layers).collect();
            for (number, layer) in &numbered {
                if !blobs.contains(&layer.digest) {
                    continue;
                }
                let is_layer = is_image && is_archive(&layer.media_type);
                self.add_job(sent, layer, false, is_layer);
                let mut position = BlobPosition::default();
                if is_layer {
                    let made = instructions.of(sent.published.source.as_ref(), config, layers.len());
                    position.layer = Some(*number);
                    position.instruction = made.get(number - 1).filter(|it| !it.is_empty()).cloned();
                    let above = numbered.iter().filter(|(other, _)| other > number);
                    position.above = above.map(|(number, layer)| (*number, layer.digest.clone())).collect();
                }
                self.add_position(sent, &layer.digest, platforms.get(raw.digest()), position);
            }
        }
    }

    /// Adds a referrer whose media type is not that of an image or index: its annotations, and its blobs as files.
    fn add_other(&mut self, selected: &SelectedContent<'_>, raw: &RawManifest) {
        let SelectedContent { sent, manifests, blobs } = selected;
        // It was parsed when the content was opened.
        let Ok(manifest) = raw.parse_referrer() else { return };
        let described = || manifest.blobs().chain(manifest.manifests());
        if manifests.contains(raw.digest()) {
            self.note_annotations(sent, raw, manifest.annotations(), described());
        }
        for blob in manifest.blobs().filter(|blob| blobs.contains(&blob.digest)) {
            self.add_job(sent, blob, false, false);
            self.add_position(sent, &blob.digest, None, BlobPosition::default());
        }
    }

    fn add_job(&mut self, sent: &SentContent<'_>, blob: &Descriptor, is_config: bool, is_layer: bool) {
        self.jobs.entry(blob.digest.clone()).or_insert_with(|| SearchJob {
            blob: blob.clone(),
            source: sent.published.source.clone(),
            is_config,
            is_layer,
            name: blob.annotations.get(TITLE).cloned().filter(|_| !is_layer),
        });
    }

    /// Notes the position of a blob. Of several positions the first is kept.
    fn add_position(
        &mut self,
        sent: &SentContent<'_>,
        blob: &Digest,
        platform: Option<&String>,
        position: BlobPosition,
    ) {
        let key = (sent.resource.clone(), blob.clone());
        let noted = self.positions.entry(key).or_insert(position);
        noted.addresses.insert(sent.address.to_owned());
        noted.platforms.extend(platform.cloned());
    }

    fn add_annotations(&mut self, sent: &SentContent<'_>, raw: &RawManifest, manifest: &Manifest) {
        let (own, described): (_, Vec<&Descriptor>) = match manifest {
            Manifest::Index { annotations, manifests, .. } => (annotations, manifests.iter().collect()),
            Manifest::Image { annotations, layers, config, .. } => {
                (annotations, layers.iter().chain([config.as_ref()]).collect())
            }
        };
        self.note_annotations(sent, raw, own.clone(), described);
    }

    fn note_annotations<'d>(
        &mut self,
        sent: &SentContent<'_>,
        raw: &RawManifest,
        own: BTreeMap<String, String>,
        described: impl IntoIterator<Item = &'d Descriptor>,
    ) {
        let mut annotations = own;
        for (key, value) in described.into_iter().flat_map(|it| &it.annotations) {
            annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let key = (sent.resource.clone(), raw.digest().clone());
        let gathered = GatheredAnnotations { annotations, addresses: BTreeSet::new() };
        self.annotated.entry(key).or_insert(gathered).addresses.insert(sent.address.to_owned());
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
