//! Annotations on the root that is published: the only thing that ever changes a byte of a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::assemble::open_bytes;
use super::read::read_manifest;
use super::{BlobReader, Origin, Source, SourceError};
use crate::model::manifest::MAX_MANIFEST_SIZE;
use crate::model::{Descriptor, Digest, RawManifest, Referrer, media_type};

/// A source with another root over the same content.
struct Annotated {
    root: RawManifest,
    inner: Arc<dyn Source>,
}

/// `source` with `annotations` on its root. The same source where the root has them already.
pub(super) fn annotate(
    source: Arc<dyn Source>,
    annotations: &BTreeMap<String, String>,
) -> Result<Arc<dyn Source>, SourceError> {
    if annotations.is_empty() {
        return Ok(source);
    }
    let (raw, manifest) = read_manifest(source.as_ref(), &source.root()?)?;
    let has = |(key, value): (&String, &String)| manifest.annotations().get(key) == Some(value);
    if annotations.iter().all(has) {
        return Ok(source);
    }
    let root = rewrite(&raw, annotations)?;
    Ok(Arc::new(Annotated { root, inner: source }))
}

/// The manifest with `annotations` merged into its own, the keys sorted; all else in its order.
fn rewrite(raw: &RawManifest, annotations: &BTreeMap<String, String>) -> Result<RawManifest, SourceError> {
    let what = || format!("manifest `{}`", raw.digest());
    if ![media_type::OCI_INDEX, media_type::OCI_MANIFEST].contains(&raw.media_type()) {
        return Err(SourceError::Unsupported {
            reason: format!("`annotations` cannot be written to {}: it is a `{}`", what(), raw.media_type()),
            help: "only OCI manifests have annotations: build the image with OCI media types \
                   (`buildah push --format oci`, `docker buildx build --output type=oci`), or convert it with \
                   `skopeo copy --all --format oci`"
                .to_owned(),
        });
    }
    let malformed = |error: serde_json::Error| SourceError::malformed(what(), error.to_string());
    let mut value: Value = serde_json::from_slice(raw.bytes()).map_err(malformed)?;
    let Some(object) = value.as_object_mut() else {
        return Err(SourceError::malformed(what(), "it is not a JSON object"));
    };
    let own = object.get("annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    let new = annotations.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    let merged: BTreeMap<String, Value> = own.into_iter().chain(new).collect();
    object.insert("annotations".to_owned(), Value::Object(merged.into_iter().collect::<Map<_, _>>()));
    let bytes = serde_json::to_vec(&value).map_err(malformed)?;
    if bytes.len() as u64 > MAX_MANIFEST_SIZE {
        return Err(SourceError::Unsupported {
            reason: format!("{} would have {} bytes with its `annotations`", what(), bytes.len()),
            help: format!(
                "no registry takes a manifest of more than {MAX_MANIFEST_SIZE} bytes: shorten them"
            ),
        });
    }
    Ok(RawManifest::new(raw.media_type(), bytes))
}

impl Source for Annotated {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(open_bytes(&self.root, blob));
        }
        self.inner.open(blob)
    }

    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        self.inner.check(blobs)
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        self.inner.referrers(subject)
    }

    fn origin(&self, blob: &Digest) -> Option<Origin> {
        self.inner.origin(blob)
    }
}

#[cfg(test)]
#[path = "annotate_tests.rs"]
mod tests;
