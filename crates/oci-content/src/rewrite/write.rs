//! Writing annotations and labels to the manifests, entries and configurations for which they are declared.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::value::RawValue;

use super::object::Object;
use super::tree::{ManifestTree, check_size, entries_of, is_index, malformed, object_of};
use crate::SourceError;
use crate::attestation::{attested, is_attestation};
use crate::read::is_config;
use crate::{AnnotationPlace, ImageSpec};
use oci_registry::{Descriptor, Digest, Manifest, RawManifest, media_type};

/// The root with the declared annotations and labels; the same root if it has them already.
pub(super) fn write(
    tree: &mut ManifestTree,
    root: &Descriptor,
    spec: &ImageSpec,
) -> Result<Descriptor, SourceError> {
    let at = |place: AnnotationPlace| {
        let root_alone = spec.annotate.is_empty() && place == AnnotationPlace::Root;
        !spec.annotations.is_empty() && (root_alone || spec.annotate.contains(&place))
    };
    let mut writer = Writer {
        tree,
        annotations: &spec.annotations,
        labels: &spec.labels,
        root: at(AnnotationPlace::Root),
        manifests: at(AnnotationPlace::Manifests),
        descriptors: at(AnnotationPlace::Descriptors),
        annotated: 0,
        labelled: HashMap::new(),
        done: HashMap::new(),
        changed: HashSet::new(),
        spoken_of: Vec::new(),
    };
    if spec.annotations.is_empty() && spec.labels.is_empty() {
        return Ok(root.clone());
    }
    let new = writer.manifest(root, 0)?;
    writer.check_places(root)?;
    writer.check_spoken_of()?;
    Ok(new)
}

struct Writer<'a> {
    tree: &'a mut ManifestTree,
    annotations: &'a BTreeMap<String, String>,
    labels: &'a BTreeMap<String, String>,
    /// Whether annotations are written to the root, …
    root: bool,
    /// … the manifests of images, …
    manifests: bool,
    /// … and the entries that describe images.
    descriptors: bool,
    /// The number of places that have the annotations now.
    annotated: usize,
    /// The new descriptor of each configuration.
    labelled: HashMap<Digest, Descriptor>,
    /// The new descriptor of each manifest.
    done: HashMap<Digest, Descriptor>,
    /// The digests of the manifests that changed.
    changed: HashSet<Digest>,
    /// The subject of each attestation and artifact, with the digest of the attestation or artifact.
    spoken_of: Vec<(Digest, Digest)>,
}

impl Writer<'_> {
    /// The new descriptor of a manifest, `depth` indexes below the root.
    fn manifest(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Descriptor, SourceError> {
        if let Some(done) = self.done.get(&descriptor.digest) {
            return Ok(done.clone());
        }
        let (raw, manifest) = self.tree.manifest(descriptor, depth)?;
        let new = match &manifest {
            Manifest::Index { manifests, .. } => self.index(&raw, manifests, depth)?,
            Manifest::Image { config, subject, .. } => {
                self.spoken_of
                    .extend(subject.iter().map(|it| (it.digest.clone(), descriptor.digest.clone())));
                self.image(&raw, config, depth)?
            }
        };
        let new = match new {
            Some(object) => {
                let bytes = object.to_bytes().map_err(|error| malformed(&raw, &error))?;
                self.tree.write_manifest(&raw, bytes)?
            }
            None => raw.descriptor(),
        };
        if new.digest != descriptor.digest {
            self.changed.insert(descriptor.digest.clone());
        }
        self.done.insert(descriptor.digest.clone(), new.clone());
        Ok(new)
    }

    fn index(
        &mut self,
        raw: &RawManifest,
        entries: &[Descriptor],
        depth: usize,
    ) -> Result<Option<Object>, SourceError> {
        let mut object = object_of(raw)?;
        let mut changed = false;
        if self.manifests || self.descriptors || !self.labels.is_empty() {
            let mut texts = entries_of(raw, &object)?;
            let mut size = 0;
            for (entry, text) in entries.iter().zip(&mut texts) {
                if let Some(new) = self.entry(raw, entry, text, depth + 1)? {
                    *text = new;
                    changed = true;
                }
                size += text.get().len();
                if changed {
                    check_size(raw, size)?;
                }
            }
            if changed {
                object.set("manifests", &texts).map_err(|error| malformed(raw, &error))?;
            }
        }
        if self.root && depth == 0 {
            changed |= self.annotate(raw, &mut object)?;
        }
        Ok(changed.then_some(object))
    }

    /// The new text of an entry of the index `raw`; `None` if it does not change.
    fn entry(
        &mut self,
        raw: &RawManifest,
        entry: &Descriptor,
        text: &RawValue,
        depth: usize,
    ) -> Result<Option<Box<RawValue>>, SourceError> {
        if is_attestation(entry) {
            self.spoken_of.extend(attested(entry).map(|about| (about, entry.digest.clone())));
            return Ok(None);
        }
        let image = !is_index(entry) && self.tree.is_image(entry, depth)?;
        if !image && !is_index(entry) {
            if let Manifest::Image { subject: Some(subject), .. } = self.tree.manifest(entry, depth)?.1 {
                self.spoken_of.push((subject.digest, entry.digest.clone()));
            }
            return Ok(None);
        }
        let mut text = text.to_owned();
        let mut changed = false;
        if !image || self.manifests || !self.labels.is_empty() {
            let new = self.manifest(entry, depth)?;
            if new.digest != entry.digest {
                text = self.tree.redescribe(&text, &new).map_err(|error| malformed(raw, &error))?;
                changed = true;
            }
        }
        if image && self.descriptors {
            self.annotated += 1;
            if self.lacks(&entry.annotations) {
                if raw.media_type() != media_type::OCI_INDEX {
                    return Err(no_annotations(raw, "the entries of "));
                }
                let mut object =
                    Object::parse(text.get().as_bytes()).map_err(|error| malformed(raw, &error))?;
                self.merge(&mut object).map_err(|error| malformed(raw, &error))?;
                text = object.to_member().map_err(|error| malformed(raw, &error))?;
                changed = true;
            }
        }
        Ok(changed.then_some(text))
    }

    fn image(
        &mut self,
        raw: &RawManifest,
        config: &Descriptor,
        depth: usize,
    ) -> Result<Option<Object>, SourceError> {
        let mut object = object_of(raw)?;
        let mut changed = false;
        if !self.labels.is_empty() && is_config(config) {
            let new = self.label(config)?;
            if new.digest != config.digest {
                let text: Option<Box<RawValue>> =
                    object.get("config").map_err(|error| malformed(raw, &error))?;
                if let Some(text) = text {
                    let new = self.tree.redescribe(&text, &new);
                    let new = new.map_err(|error| malformed(raw, &error))?;
                    object.set("config", &new).map_err(|error| malformed(raw, &error))?;
                    changed = true;
                }
            }
        }
        if self.manifests || (self.root && depth == 0) {
            changed |= self.annotate(raw, &mut object)?;
        }
        Ok(changed.then_some(object))
    }

    /// Writes the annotations to a manifest. Returns false if it has them already.
    fn annotate(&mut self, raw: &RawManifest, object: &mut Object) -> Result<bool, SourceError> {
        self.annotated += 1;
        let own: Option<BTreeMap<String, String>> =
            object.get("annotations").map_err(|error| malformed(raw, &error))?;
        if !self.lacks(&own.unwrap_or_default()) {
            return Ok(false);
        }
        if ![media_type::OCI_INDEX, media_type::OCI_MANIFEST].contains(&raw.media_type()) {
            return Err(no_annotations(raw, ""));
        }
        self.merge(object).map_err(|error| malformed(raw, &error))?;
        Ok(true)
    }

    fn lacks(&self, own: &BTreeMap<String, String>) -> bool {
        self.annotations.iter().any(|(key, value)| own.get(key) != Some(value))
    }

    /// Merges the annotations into those of a manifest or descriptor, with the keys sorted.
    fn merge(&self, object: &mut Object) -> Result<(), serde_json::Error> {
        let mut merged: BTreeMap<String, String> = object.get("annotations")?.unwrap_or_default();
        merged.extend(self.annotations.clone());
        object.set("annotations", &merged)
    }

    /// Adds the labels to a configuration (image-spec, config.md, `config.Labels`), with the keys sorted, and returns the new
    /// descriptor.
    fn label(&mut self, config: &Descriptor) -> Result<Descriptor, SourceError> {
        if let Some(done) = self.labelled.get(&config.digest) {
            return Ok(done.clone());
        }
        let bytes = self.tree.config(config)?;
        let labelled = labelled(&bytes, self.labels).map_err(|error| {
            SourceError::malformed(format!("configuration `{}`", config.digest), error.to_string())
        })?;
        let new = match labelled {
            Some(bytes) => self.tree.write_config(config, bytes)?,
            None => config.clone(),
        };
        self.labelled.insert(config.digest.clone(), new.clone());
        Ok(new)
    }

    /// Refuses declared annotations or labels that were written to no place.
    fn check_places(&self, root: &Descriptor) -> Result<(), SourceError> {
        let nothing = |key: &str, what: &str, help: &str| {
            Err(SourceError::Unsupported {
                reason: format!("`{key}` would have no effect: `{}` has {what}", root.digest),
                help: help.to_owned(),
            })
        };
        if !self.annotations.is_empty() && self.annotated == 0 {
            let what = if is_index(root) { "no images" } else { "no index, because it is a single image" };
            return nothing(
                "annotations",
                what,
                "write them to the root: `annotate = [\"root\"]`, the default",
            );
        }
        if !self.labels.is_empty() && self.labelled.is_empty() {
            let help = "only images have labels, in their configurations: use `annotations` for an artifact";
            return nothing("labels", "no image", help);
        }
        Ok(())
    }

    /// Refuses a change of a manifest that an attestation refers to by digest.
    fn check_spoken_of(&self) -> Result<(), SourceError> {
        let Some((about, by)) = self.spoken_of.iter().find(|(about, _)| self.changed.contains(about)) else {
            return Ok(());
        };
        let annotations = self.manifests || self.descriptors;
        let keys = match (self.labels.is_empty(), annotations) {
            (false, true) => "`labels` and `annotations`",
            (false, false) => "`labels`",
            (true, _) => "`annotations`",
        };
        Err(SourceError::Unsupported {
            reason: format!(
                "{keys} would change `{about}`, but `{by}` in the same index refers to it by its digest, as attestations do"
            ),
            help: "write them when the image is built (`docker buildx build --label … --annotation …`), or annotate only \
                   the index (`annotate = [\"root\"]`) and its entries (`\"descriptors\"`), which changes no image"
                .to_owned(),
        })
    }
}

/// The configuration with `labels`; `None` if it has them already.
fn labelled(bytes: &[u8], labels: &BTreeMap<String, String>) -> Result<Option<Vec<u8>>, serde_json::Error> {
    let mut object = Object::parse(bytes)?;
    let mut inner: Object = object.get("config")?.unwrap_or_else(Object::empty);
    let mut merged: BTreeMap<String, String> = inner.get("Labels")?.unwrap_or_default();
    if labels.iter().all(|(key, value)| merged.get(key) == Some(value)) {
        return Ok(None);
    }
    merged.extend(labels.clone());
    inner.set("Labels", &merged)?;
    object.set("config", &inner)?;
    object.to_bytes().map(Some)
}

/// The error for annotations on a Docker manifest, which cannot have any.
fn no_annotations(raw: &RawManifest, of: &str) -> SourceError {
    SourceError::Unsupported {
        reason: format!(
            "`annotations` cannot be written to {of}manifest `{}`: its type is `{}`",
            raw.digest(),
            raw.media_type()
        ),
        help: "only OCI manifests have annotations: build the image with OCI media types \
               (`buildah push --format oci`, `docker buildx build --output type=oci`), or convert it with \
               `skopeo copy --all --format oci`; if it is `[project]` that adds them (`source`, `annotations`), \
               `annotations = \"none\"` leaves this image unchanged"
            .to_owned(),
    }
}
