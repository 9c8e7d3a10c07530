//! A chart as a source: the manifest that `helm push` would put, and the blobs that it names.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use crate::file_store::PackageBytes;
use crate::load::LoadedChart;
use crate::manifest;
use crate::spec::ChartSpec;
use oci_content::{
    BlobReader, PositionedFile, Section, Source, SourceError, VerifyingReader, manifest_reader,
};
use oci_registry::{Descriptor, Digest, RawManifest};

/// A chart, as it is sent.
pub(crate) struct ChartSource {
    root: RawManifest,
    blobs: HashMap<Digest, ChartBlob>,
    shown: String,
}

/// The bytes of a blob of a chart.
#[derive(Clone)]
pub(crate) enum ChartBlob {
    Bytes(Arc<Vec<u8>>),
    Packaged(Arc<PackageBytes>),
    File(Arc<PositionedFile>),
}

impl ChartSource {
    /// Assembles the content to send: a manifest with the configuration and the layers. `shown` is the name of the chart in messages.
    pub(crate) fn assemble(
        shown: &str,
        spec: &ChartSpec,
        chart: &LoadedChart,
        layers: Vec<(Descriptor, ChartBlob)>,
    ) -> Result<Self, SourceError> {
        let malformed =
            |error: serde_json::Error| SourceError::malformed(format!("`{shown}`"), error.to_string());
        let created = spec.created.and_then(|created| jiff::Timestamp::from_second(created).ok());
        let created = created.map(|created| created.to_string());
        let mut annotations = manifest::annotations(&chart.metadata, created.as_deref());
        if !spec.images.is_empty() {
            let images = spec.images.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            annotations.insert(manifest::IMAGES.to_owned(), images);
        }
        annotations.extend(spec.annotations.clone());
        let (config, bytes) = manifest::config(&chart.metadata).map_err(malformed)?;
        let mut blobs = HashMap::from([(config.digest.clone(), ChartBlob::Bytes(Arc::new(bytes)))]);
        let mut descriptors = Vec::new();
        for (layer, blob) in layers {
            blobs.insert(layer.digest.clone(), blob);
            descriptors.push(layer);
        }
        let root = manifest::manifest(config, descriptors, annotations).map_err(malformed)?;
        Ok(Self { root, blobs, shown: shown.to_owned() })
    }
}

impl Source for ChartSource {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(manifest_reader(&self.root, blob));
        }
        let place = format!("chart `{}`", self.shown);
        Ok(match self.blobs.get(&blob.digest).cloned() {
            Some(ChartBlob::Bytes(bytes)) => {
                VerifyingReader::boxed(Cursor::new(SharedBytes(bytes)), blob, place)
            }
            Some(ChartBlob::Packaged(written)) => {
                VerifyingReader::boxed(PackageReader { written, position: 0 }, blob, place)
            }
            Some(ChartBlob::File(file)) => {
                let length = file.length();
                VerifyingReader::boxed(Section::new(file, 0, length), blob, place)
            }
            None => return Err(SourceError::MissingBlob { digest: blob.digest.clone(), place }),
        })
    }
}

/// Bytes that several readers share.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct PackageReader {
    written: Arc<PackageBytes>,
    position: u64,
}

impl Read for PackageReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.written.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
