//! Artifacts in a real `docker-registry`, read back by skopeo and the `oci-client` library.
//!
//! No Debian package contains oras, so the comparison with it is elsewhere: the digests that oras printed are in
//! `crates/oci-content/src/artifact_tests.rs`.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use crate::small_image::{Body, at, name};
use brokkr_publish::content::{Published, publishable};
use brokkr_publish::model::ContentSpec;
use oci_content::SourceSpec;
use oci_content::{ArtifactFile, ArtifactSpec};
use oci_content::{Surroundings, open, walk};
use oci_distribution::client::{ClientConfig, ClientProtocol};
use oci_distribution::secrets::RegistryAuth;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{ConnectOptions, connect};
use oci_registry::{Descriptor, Digest};
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};

/// The files: their paths, their media types, and the titles that they are pulled to.
const FILES: [(&str, &str, &str); 4] = [
    ("sbom.json", "application/spdx+json", "sbom.json"),
    ("build/notes.md", "text/markdown", "docs/notes & news.md"),
    ("nothing", "application/octet-stream", "nothing"),
    ("copy.json", "application/json", "copy of sbom.json"),
];
const TYPE: &str = "application/vnd.example.release.v1";

fn artifact(folder: &Path) -> Published {
    fs::create_dir(folder.join("build")).expect("made");
    fs::write(folder.join("sbom.json"), r#"{"spdxVersion":"SPDX-2.3"}"#).expect("written");
    fs::copy(folder.join("sbom.json"), folder.join("copy.json")).expect("copied");
    fs::write(folder.join("build/notes.md"), vec![b'n'; 3_000_000]).expect("written");
    fs::write(folder.join("nothing"), "").expect("written");
    let files = FILES.map(|(path, media_type, title)| ArtifactFile {
        path: path.to_owned(),
        media_type: media_type.to_owned(),
        title: title.to_owned(),
    });
    let created = ("org.opencontainers.image.created".to_owned(), "2026-11-24T09:50:00Z".to_owned());
    let spec = ContentSpec::Artifact(ArtifactSpec {
        artifact_type: TYPE.to_owned(),
        files: files.to_vec(),
        annotations: [created].into(),
    });
    publishable(&spec, &Surroundings::local(folder)).expect("an artifact")
}

fn bytes_of(published: &Published, blob: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = published.source.open(blob).expect("opened").read_to_end(&mut bytes);
    assert_eq!(read.expect("read") as u64, blob.size);
    bytes
}

async fn push(published: &Published, registry: &DockerRegistry) {
    let endpoint = RegistryEndpoint {
        url: registry.host().parse().expect("a location"),
        insecure: false,
        ca_file: None,
        auth: None,
        provider: None,
        client_certificate: None,
        client_key: None,
        api_url: None,
        api_token_env: None,
    };
    let registry = connect(&endpoint, &ConnectOptions::default()).expect("a registry");
    let repository = registry.repository(&name("team/release"));
    for blob in &published.content.blobs {
        let body = Body::new(bytes_of(published, blob), 65_536);
        let _ = repository.push_blob(blob, &body, None).await.expect("pushed");
    }
    let root = published.content.manifests.last().expect("a root");
    let put = repository.put_manifest(&at("v1"), root).await.expect("put");
    assert_eq!(put.digest, published.content.root.digest);
}

#[tokio::test]
async fn what_is_published_is_read_back_by_others() {
    let folder = tempfile::tempdir().expect("a directory");
    let published = artifact(folder.path());
    let registry = DockerRegistry::start(&AcceptedClients::None);
    push(&published, &registry).await;
    let reference = format!("{}/team/release:v1", registry.host());

    let raw = run(Command::new("skopeo")
        .args(["inspect", "--raw", "--tls-verify=false"])
        .arg(format!("docker://{reference}")));
    assert_eq!(raw, published.content.manifests.last().expect("a root").bytes());

    // A client of artifacts does this: it reads the type, and writes each layer under its title.
    let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
    let client = oci_distribution::Client::new(config);
    let reference: oci_distribution::Reference = reference.parse().expect("a reference");
    let (manifest, digest) =
        client.pull_image_manifest(&reference, &RegistryAuth::Anonymous).await.expect("a manifest");
    assert_eq!(digest, published.content.root.digest.as_str());
    assert_eq!(manifest.artifact_type.as_deref(), Some(TYPE));
    assert_eq!(manifest.layers.len(), FILES.len());
    for (layer, (path, media_type, title)) in manifest.layers.iter().zip(FILES) {
        assert_eq!(layer.media_type, media_type);
        let annotations = layer.annotations.as_ref().expect("annotations");
        assert_eq!(annotations["org.opencontainers.image.title"], title);
        let mut bytes = Vec::new();
        client.pull_blob(&reference, layer, &mut bytes).await.expect("pulled");
        assert_eq!(bytes, fs::read(folder.path().join(path)).expect("read"));
    }
}

#[tokio::test]
async fn skopeo_carries_it_and_it_stays_what_it_is() {
    let folder = tempfile::tempdir().expect("a directory");
    let published = artifact(folder.path());
    let registry = DockerRegistry::start(&AcceptedClients::None);
    push(&published, &registry).await;
    let from = format!("docker://{}/team/release:v1", registry.host());
    let _copied = run(Command::new("skopeo")
        .args(["copy", "--quiet", "--preserve-digests", "--src-tls-verify=false", &from, "oci:carried"])
        .current_dir(folder.path()));
    let spec = SourceSpec::One("oci:carried".parse().expect("a source"));
    let carried = open(&spec, &Surroundings::local(folder.path())).expect("a layout").source;
    let content = walk(carried.as_ref()).expect("complete");
    assert_eq!(content.root, published.content.root);
    assert_eq!(content.blobs, published.content.blobs);
    assert!(content.platforms.is_empty());
    let root = content.manifests.last().expect("a root");
    assert_eq!(*root.digest(), Digest::of(published.content.manifests.last().expect("a root").bytes()));
}
