//! The referrers of the manifests of a layout: manifests that name a subject and that `index.json` or an index at a fallback
//! tag lists; and the manifests at cosign's tags.
//!
//! The image specification does not say how a layout stores them. oras lists every manifest in `index.json`; regclient, and
//! this program, list the index at the fallback tag there.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::{MAX_MANIFEST_BYTES, MAX_MANIFESTS, too_much};
use super::read::{read_manifest, read_raw_manifest};
use super::reference::ref_names;
use super::{Source, SourceError};
use oci_registry::manifest::MAX_MANIFEST_SIZE;
use oci_registry::referrer::{describe, listed, subject_of};
use oci_registry::{Descriptor, Digest, RawManifest, Referrer, Tag, media_type};

/// The referrers of a layout, by their subjects.
#[derive(Debug, Default)]
pub(super) struct LayoutReferrers {
    by_subject: BTreeMap<Digest, Vec<Referrer>>,
    /// The manifests at cosign's tags.
    by_tag: BTreeMap<Tag, Descriptor>,
    /// The manifests that have been read.
    seen: BTreeSet<Digest>,
    /// The size of the referrers in bytes. It is limited, because their annotations are kept.
    bytes: u64,
}

impl LayoutReferrers {
    /// Reads the manifests that `entries`, the entries of `index.json`, list.
    pub(super) fn read(source: &dyn Source, entries: &[Descriptor]) -> Result<Self, SourceError> {
        let mut referrers = Self::default();
        for entry in entries {
            if !media_type::is_manifest(&entry.media_type) {
                referrers.add_other(source, entry)?;
                continue;
            }
            let tags: Vec<Tag> = tags_of(entry).collect();
            if tags.is_empty() && referrers.seen.contains(&entry.digest) {
                continue;
            }
            let manifest = referrers.add(source, entry)?;
            for tag in tags {
                referrers.stands_at(source, &manifest, &tag)?;
            }
        }
        Ok(referrers)
    }

    /// The referrers of `subject`.
    pub(super) fn of(&self, subject: &Digest) -> Vec<Referrer> {
        let mut found = self.by_subject.get(subject).cloned().unwrap_or_default();
        let at_tags = self.by_tag.iter();
        found
            .extend(at_tags.filter_map(|(tag, described)| Referrer::by_tag(described.clone(), subject, tag)));
        found
    }

    /// Reads a manifest, and records its subject.
    fn add(&mut self, source: &dyn Source, entry: &Descriptor) -> Result<RawManifest, SourceError> {
        let (manifest, _) = read_manifest(source, entry)?;
        self.record(entry, &manifest)?;
        Ok(manifest)
    }

    /// Reads content whose media type is not that of an image or index, and records its subject, if it is a manifest that has one.
    fn add_other(&mut self, source: &dyn Source, entry: &Descriptor) -> Result<(), SourceError> {
        if self.seen.contains(&entry.digest) {
            return Ok(());
        }
        match read_other(source, entry) {
            Ok(Some(manifest)) => self.record(entry, &manifest),
            Err(error) if entry.media_type == media_type::OCI_ARTIFACT => Err(error),
            // Nothing says that the other content is a manifest.
            Ok(None) | Err(_) => Ok(()),
        }
    }

    fn record(&mut self, entry: &Descriptor, manifest: &RawManifest) -> Result<(), SourceError> {
        if self.seen.insert(entry.digest.clone())
            && let Some(subject) = subject_of(manifest)
            && let Some(referrer) = Referrer::by_subject(manifest, &subject)
        {
            self.weigh(manifest)?;
            self.by_subject.entry(subject).or_default().push(referrer);
        }
        if self.seen.len() > MAX_MANIFESTS {
            return Err(too_much(format!("the layout lists more than {MAX_MANIFESTS} manifests")));
        }
        Ok(())
    }

    /// Records the manifest at a tag of referrers: a list, or a manifest whose subject the tag itself names.
    fn stands_at(
        &mut self,
        source: &dyn Source,
        manifest: &RawManifest,
        tag: &Tag,
    ) -> Result<(), SourceError> {
        if !is_fallback(tag) {
            self.weigh(manifest)?;
            self.by_tag.insert(tag.clone(), describe(manifest));
            return Ok(());
        }
        // The subject of the list does not matter, because each manifest in it names its own subject.
        for referrer in listed(manifest, &Digest::of(b"")).unwrap_or_default() {
            if self.seen.contains(&referrer.digest) {
                continue;
            }
            if media_type::is_manifest(&referrer.media_type) {
                self.add(source, &referrer)?;
            } else {
                self.add_other(source, &referrer)?;
            }
        }
        Ok(())
    }

    fn weigh(&mut self, manifest: &RawManifest) -> Result<(), SourceError> {
        self.bytes = self.bytes.saturating_add(manifest.bytes().len() as u64);
        if self.bytes > MAX_MANIFEST_BYTES {
            let most = MAX_MANIFEST_BYTES / 1024 / 1024;
            return Err(too_much(format!(
                "the layout has more than {most} MiB of manifests that refer to others"
            )));
        }
        Ok(())
    }
}

/// Reads content of another media type than an image or index: a manifest that names a subject, or `None`. A layout may list content of
/// any kind (image-spec, image-layout.md).
pub(super) fn read_other(
    source: &dyn Source,
    entry: &Descriptor,
) -> Result<Option<RawManifest>, SourceError> {
    if entry.size > MAX_MANIFEST_SIZE {
        return Ok(None);
    }
    let manifest = read_raw_manifest(source, entry)?;
    Ok(Some(manifest).filter(|manifest| subject_of(manifest).is_some()))
}

/// The tags of referrers that an entry of `index.json` has.
pub(super) fn tags_of(entry: &Descriptor) -> impl Iterator<Item = Tag> {
    ref_names(entry).filter_map(|name| name.parse::<Tag>().ok()).filter(Tag::is_of_referrers)
}

/// Whether a tag of referrers follows the referrers tag schema, with nothing after the digits.
fn is_fallback(tag: &Tag) -> bool {
    !tag.as_str().contains('.')
}
