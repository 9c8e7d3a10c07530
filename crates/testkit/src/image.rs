//! Small images and indexes for tests, written as OCI image layouts without other programs.
//!
//!
//! ```ignore
//! let written = Image::new()
//!     .platform("linux/amd64", vec![Layer::files(&[("hello.txt", b"hello")])])
//!     .platform("linux/arm64", vec![Layer::noise(7, 100_000)])
//!     .attested()
//!     .revision("9f3c2ab…")
//!     .write(&directory);
//! to_archive(&directory, &archive);
//! ```

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The digest of `bytes`, as `sha256:HEX`.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A layer: its bytes as the layout stores them, and the digest of the tar in them.
#[derive(Clone)]
pub struct TestLayer {
    pub bytes: Vec<u8>,
    pub diff_id: String,
    /// Added to the usual members of the layer's descriptor; these values take precedence.
    pub descriptor: Value,
    /// Whether the bytes are written to the layout.
    pub present: bool,
}

impl TestLayer {
    /// Makes a gzip'd tar of files by name.
    pub fn files(files: &[(&str, &[u8])]) -> Self {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, contents) in files {
            append(&mut tar, name, contents);
        }
        let tar = tar.into_inner().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar).unwrap();
        let bytes = gzip.finish().unwrap();
        Self { bytes, diff_id: sha256(&tar), descriptor: json!({}), present: true }
    }

    /// Makes a gzip'd tar of one file of `length` incompressible bytes; another `seed` gives other bytes.
    pub fn noise(seed: u64, length: usize) -> Self {
        Self::files(&[("noise", &noise(seed, length))])
    }

    /// Makes a layer that is available elsewhere, as in Windows base images; its bytes are not in the layout.
    pub fn foreign(url: &str) -> Self {
        let media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
        let descriptor = json!({ "mediaType": media_type, "urls": [url] });
        Self { descriptor, present: false, ..Self::files(&[("foreign", url.as_bytes())]) }
    }
}

/// `length` incompressible bytes: xorshift64*.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut value = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        value ^= value >> 12;
        value ^= value << 25;
        value ^= value >> 27;
        bytes.extend_from_slice(&value.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// An image, or an index of images, to be written to a layout.
#[derive(Clone, Default)]
pub struct TestImage {
    platforms: Vec<(String, Vec<TestLayer>)>,
    attested: bool,
    invocation: String,
    docker: bool,
    single: bool,
    labels: Vec<(String, String)>,
    created: Option<String>,
    annotations: Vec<(String, String)>,
    references: Vec<String>,
}

/// The result of writing an image.
#[derive(Debug, Clone)]
pub struct Written {
    /// The layout's directory.
    pub directory: PathBuf,
    /// The root's digest.
    pub digest: String,
    /// The root's media type.
    pub media_type: String,
    /// The root's bytes.
    pub bytes: Vec<u8>,
    /// The descriptor of the manifest of each platform's image, in the order of their declaration.
    pub images: Vec<Value>,
    /// The digest of every layer and configuration, in order of first use, without duplicates.
    pub blobs: Vec<String>,
}

impl TestImage {
    /// An empty image, with OCI media types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image for `platform` (`os/architecture[/variant]`).
    #[must_use]
    pub fn platform(mut self, platform: &str, layers: Vec<TestLayer>) -> Self {
        self.platforms.push((platform.to_owned(), layers));
        self
    }

    /// Uses the manifest of the only image as the root, instead of an index.
    #[must_use]
    pub fn single(mut self) -> Self {
        self.single = true;
        self
    }

    /// Adds an attestation of each image to the index, as `BuildKit` does.
    #[must_use]
    pub fn attested(mut self) -> Self {
        self.attested = true;
        self
    }

    /// Adds attestations with the invocation id of a build, as `BuildKit` does.
    #[must_use]
    pub fn invocation(self, id: &str) -> Self {
        Self { invocation: id.to_owned(), ..self.attested() }
    }

    /// Uses Docker's media types instead of OCI's.
    #[must_use]
    pub fn docker(mut self) -> Self {
        self.docker = true;
        self
    }

    /// Adds a label to the configuration of each image.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Labels each image with the commit that it was built from.
    #[must_use]
    pub fn revision(self, commit: &str) -> Self {
        self.label("org.opencontainers.image.revision", commit)
    }

    /// Sets the build time in the configuration of each image.
    #[must_use]
    pub fn created(mut self, time: &str) -> Self {
        self.created = Some(time.to_owned());
        self
    }

    /// Adds an annotation to the root.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds a name for the root in `index.json`.
    #[must_use]
    pub fn reference(mut self, name: &str) -> Self {
        self.references.push(name.to_owned());
        self
    }

    /// Writes the image to the layout at `directory`, and keeps the existing content.
    pub fn write(&self, directory: &Path) -> Written {
        let layout = LayoutDirectory::create(directory);
        let [manifest_type, index_type] =
            if self.docker { [DOCKER_MANIFEST, DOCKER_LIST] } else { [OCI_MANIFEST, OCI_INDEX] };
        let (mut entries, mut attestations, mut blobs) = (Vec::new(), Vec::new(), Vec::new());
        for (platform, layers) in &self.platforms {
            let parts: Vec<&str> = platform.split('/').collect();
            let mut members = json!({ "architecture": parts[1], "os": parts[0] });
            if let Some(variant) = parts.get(2) {
                members["variant"] = json!(variant);
            }
            let annotations = if self.single { object(&self.annotations) } else { json!({}) };
            let (manifest, used) = self.manifest(&layout, &members, layers, &annotations);
            let mut entry = layout.put(manifest_type, &manifest);
            if self.attested {
                let attestation = attestation(&layout, &entry, &self.invocation, &mut blobs);
                attestations.push(attestation);
            }
            entry["platform"] = members;
            entries.push(entry);
            blobs.extend(used);
        }
        let (root, bytes) = if self.single {
            let mut root = entries[0].clone();
            root.as_object_mut().unwrap().remove("platform");
            let bytes = layout.get(root["digest"].as_str().unwrap());
            (root, bytes)
        } else {
            let all: Vec<Value> = entries.iter().chain(&attestations).cloned().collect();
            let mut index = json!({ "schemaVersion": 2, "mediaType": index_type, "manifests": all });
            if !self.annotations.is_empty() {
                index["annotations"] = object(&self.annotations);
            }
            let bytes = serde_json::to_vec_pretty(&index).unwrap();
            (layout.put(index_type, &bytes), bytes)
        };
        layout.list(&root, &self.references);
        let mut seen = std::collections::HashSet::new();
        blobs.retain(|digest| seen.insert(digest.clone()));
        Written {
            directory: directory.to_owned(),
            digest: root["digest"].as_str().unwrap().to_owned(),
            media_type: root["mediaType"].as_str().unwrap().to_owned(),
            bytes,
            images: entries,
            blobs,
        }
    }

    fn manifest(
        &self,
        layout: &LayoutDirectory,
        platform: &Value,
        layers: &[TestLayer],
        annotations: &Value,
    ) -> (Vec<u8>, Vec<String>) {
        let [manifest_type, config_type, layer_type] = if self.docker {
            [DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER_GZIP]
        } else {
            [OCI_MANIFEST, OCI_CONFIG, OCI_LAYER_GZIP]
        };
        let mut config = platform.clone();
        config["config"] = json!({ "Labels": object(&self.labels) });
        if let Some(created) = &self.created {
            config["created"] = json!(created);
        }
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        config["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
        let config = layout.put(config_type, &serde_json::to_vec(&config).unwrap());
        let mut used = vec![config["digest"].as_str().unwrap().to_owned()];
        let mut described = Vec::new();
        for layer in layers {
            let mut descriptor = describe(layer_type, &layer.bytes);
            if layer.present {
                layout.put(layer_type, &layer.bytes);
                used.push(descriptor["digest"].as_str().unwrap().to_owned());
            }
            for (key, value) in layer.descriptor.as_object().unwrap() {
                descriptor[key] = value.clone();
            }
            described.push(descriptor);
        }
        let mut manifest =
            json!({ "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": described });
        if annotations.as_object().is_some_and(|it| !it.is_empty()) {
            manifest["annotations"] = annotations.clone();
        }
        (serde_json::to_vec_pretty(&manifest).unwrap(), used)
    }
}

fn attestation(layout: &LayoutDirectory, about: &Value, invocation: &str, blobs: &mut Vec<String>) -> Value {
    let mut statement = json!({ "_type": "https://in-toto.io/Statement/v0.1", "subject": [about["digest"]] });
    if !invocation.is_empty() {
        statement["predicate"] = json!({ "runDetails": { "metadata": { "invocationId": invocation } } });
    }
    let layer = layout.put("application/vnd.in-toto+json", &serde_json::to_vec(&statement).unwrap());
    let config = json!({ "architecture": "unknown", "os": "unknown", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] } });
    let config = layout.put(OCI_CONFIG, &serde_json::to_vec(&config).unwrap());
    for blob in [&config, &layer] {
        blobs.push(blob["digest"].as_str().unwrap().to_owned());
    }
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
    let mut entry = layout.put(OCI_MANIFEST, &serde_json::to_vec(&manifest).unwrap());
    entry["annotations"] = json!({
        "vnd.docker.reference.digest": about["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    });
    entry["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
    entry
}

/// A layout's directory, for tests that write content that [`TestImage`] does not.
pub struct LayoutDirectory(PathBuf);

impl LayoutDirectory {
    /// Makes an empty layout at `path`, if there is none.
    pub fn create(path: &Path) -> Self {
        fs::create_dir_all(path.join("blobs/sha256")).unwrap();
        if !path.join("index.json").exists() {
            fs::write(path.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
            fs::write(path.join("index.json"), br#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
        }
        Self(path.to_owned())
    }

    /// Writes a blob or manifest, and returns its descriptor.
    pub fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let descriptor = describe(media_type, bytes);
        fs::write(blob_path(&self.0, descriptor["digest"].as_str().unwrap()), bytes).unwrap();
        descriptor
    }

    /// Reads a blob.
    pub fn get(&self, digest: &str) -> Vec<u8> {
        fs::read(blob_path(&self.0, digest)).unwrap()
    }

    /// Lists `root` in `index.json`, once for each of `references`, or once without a name.
    pub fn list(&self, root: &Value, references: &[String]) {
        let path = self.0.join("index.json");
        let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let entries = index["manifests"].as_array_mut().unwrap();
        if references.is_empty() {
            entries.push(root.clone());
        }
        for reference in references {
            let mut entry = root.clone();
            entry["annotations"] = json!({ "org.opencontainers.image.ref.name": reference });
            entries.push(entry);
        }
        fs::write(path, serde_json::to_vec(&index).unwrap()).unwrap();
    }
}

/// The path of a blob in a layout.
pub fn blob_path(directory: &Path, digest: &str) -> PathBuf {
    directory.join("blobs").join(digest.replace(':', "/"))
}

/// Makes a descriptor of `bytes`.
pub fn describe(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() })
}

/// Writes the layout at `directory` to a tar file, with the same bytes in every run.
pub fn to_archive(directory: &Path, archive: &Path) {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files_of(directory) {
        append(&mut tar, &name, &bytes);
    }
    fs::write(archive, tar.into_inner().unwrap()).unwrap();
}

/// The files below a layout's directory, by their relative paths, sorted.
pub fn files_of(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut names = vec!["oci-layout".to_owned(), "index.json".to_owned()];
    for algorithm in ["sha256", "sha512"] {
        let Ok(blobs) = fs::read_dir(directory.join("blobs").join(algorithm)) else { continue };
        let mut found: Vec<String> = blobs
            .map(|blob| format!("blobs/{algorithm}/{}", blob.unwrap().file_name().to_string_lossy()))
            .collect();
        found.sort();
        names.extend(found);
    }
    names
        .into_iter()
        .filter_map(|name| fs::read(directory.join(&name)).ok().map(|bytes| (name, bytes)))
        .collect()
}

fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, contents: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(contents.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    tar.append_data(&mut header, name, contents).unwrap();
}

fn object(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
}
