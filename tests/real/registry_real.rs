//! The registry client with real programs: `docker-registry` accepts its uploads, and skopeo, podman, umoci
//! and the `oci-client` library read the result.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::small_image::{Blob, SmallImage, at, name};
use brokkr_publish::diagnostic::{Code, ToDiagnostic};
use oci_distribution::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_distribution::secrets::RegistryAuth;
use oci_registry::Digest;
use oci_registry::reference::{CredentialVariables, RegistryEndpoint};
use oci_registry::{BlobOutcome, ConnectOptions, Registry, RegistryError, connect};
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};

const BASIC: AcceptedClients = AcceptedClients::Basic { username: "alice", password: "se:cret" };

fn endpoint(url: &str, ca_file: Option<&Path>) -> RegistryEndpoint {
    let ca_file = ca_file.map(|path| path.to_str().expect("a path").to_owned());
    RegistryEndpoint { ca_file, ..RegistryEndpoint::of(url.parse().expect("a location")) }
}

fn options(variables: &[(&str, &str)]) -> ConnectOptions {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ConnectOptions {
        environment: Arc::new(move |name| variables.get(name).cloned()),
        ..ConnectOptions::default()
    }
}

fn open(endpoint: &RegistryEndpoint, variables: &[(&str, &str)]) -> Arc<dyn Registry> {
    connect(endpoint, &options(variables)).expect("a registry")
}

/// Pushes an image, and lets skopeo and oci-client read it back.
async fn push_and_read_back(
    registry: &DockerRegistry,
    endpoint: &RegistryEndpoint,
    user: Option<(&str, &str)>,
) {
    let variables: Vec<_> = user.map(|(user, word)| vec![("U", user), ("P", word)]).unwrap_or_default();
    let image = SmallImage::new("hello");
    let repository = open(endpoint, &variables).repository(&name("team/image"));
    assert_eq!(repository.head_manifest(&at("v1")).await.expect("an answer"), None);
    assert!(repository.list_tags().await.expect("tags").is_empty());
    image.push(repository.as_ref(), "v1").await.expect("pushed");

    let standing = repository.head_manifest(&at("v1")).await.expect("an answer").expect("a manifest");
    assert_eq!(standing, image.index.descriptor());
    assert_eq!(repository.get_manifest(&at("v1")).await.expect("an answer").as_ref(), Some(&image.index));
    assert_eq!(repository.list_tags().await.expect("tags").tags(), ["v1".parse().expect("a tag")]);
    let blob = &image.blobs[0];
    assert_eq!(repository.get_blob(&blob.descriptor, 10_000).await.expect("a blob"), blob.bytes);

    let reference = format!("{}/team/image:v1", registry.host());
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["inspect", "--raw"]);
    match registry.ca_file() {
        Some(ca) => {
            let certificates = tempfile::tempdir().expect("a folder");
            std::fs::copy(ca, certificates.path().join("ca.crt")).expect("a copy");
            skopeo.arg("--cert-dir").arg(certificates.keep());
        }
        None => {
            skopeo.arg("--tls-verify=false");
        }
    }
    if let Some((user, word)) = user {
        skopeo.args(["--username", user, "--password", word]);
    }
    let raw = run(skopeo.arg(format!("docker://{reference}")));
    assert_eq!(raw, image.index.bytes());

    let extra_root_certificates = registry.ca_file().map(|ca| Certificate {
        encoding: CertificateEncoding::Pem,
        data: std::fs::read(ca).expect("the certificate"),
    });
    let client = oci_distribution::Client::new(ClientConfig {
        protocol: if registry.ca_file().is_some() { ClientProtocol::Https } else { ClientProtocol::Http },
        extra_root_certificates: extra_root_certificates.into_iter().collect(),
        ..ClientConfig::default()
    });
    let auth =
        user.map_or(RegistryAuth::Anonymous, |(user, word)| RegistryAuth::Basic(user.into(), word.into()));
    let reference = reference.parse().expect("a reference");
    let types = ["application/vnd.oci.image.index.v1+json"];
    let (bytes, digest) = client.pull_manifest_raw(&reference, &auth, &types).await.expect("a manifest");
    assert_eq!((&bytes[..], digest.as_str()), (image.index.bytes(), image.index.digest().as_str()));
    for blob in &image.blobs {
        let mut bytes = Vec::new();
        let digest = blob.descriptor.digest.as_str();
        client.pull_blob(&reference, digest, &mut bytes).await.expect("a blob");
        assert_eq!(bytes, blob.bytes);
    }
}

#[tokio::test]
async fn a_plain_registry() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    push_and_read_back(&registry, &endpoint(&registry.host(), None), None).await;
}

#[tokio::test]
async fn a_registry_with_passwords() {
    let registry = DockerRegistry::start(&BASIC);
    let auth = CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() };
    let named = RegistryEndpoint { auth: Some(auth), ..endpoint(&registry.host(), None) };
    push_and_read_back(&registry, &named, Some(("alice", "se:cret"))).await;

    let wrong = open(&named, &[("U", "alice"), ("P", "wrong")]).repository(&name("a"));
    let error = wrong.head_manifest(&at("v1")).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Unauthorized(_)), "{error:?}");
    let shown = format!("{error} {error:?} {:?}", error.to_diagnostic());
    assert!(!shown.contains("wrong") && shown.contains("`U` and `P`"), "{shown}");

    let anonymous = open(&endpoint(&registry.host(), None), &[]).repository(&name("a"));
    let error = anonymous.list_tags().await.expect_err("a refusal").to_diagnostic();
    assert_eq!(error.code, Code::RegistryUnauthorized);
    assert!(error.help.expect("a help").contains("docker login"));
}

#[tokio::test]
async fn a_registry_with_a_private_authority() {
    let registry = DockerRegistry::start_tls(&BASIC);
    let config = serde_json::json!({ "auths": { registry.host(): { "auth": "YWxpY2U6c2U6Y3JldA==" } } });
    let config = config.to_string();
    let trusted = endpoint(&registry.host(), registry.ca_file());
    let image = SmallImage::new("tls");
    let variables = [("DOCKER_AUTH_CONFIG", config.as_str())];
    let repository = open(&trusted, &variables).repository(&name("a"));
    image.push(repository.as_ref(), "v1").await.expect("pushed");
    let auth = CredentialVariables { username_env: "U".to_owned(), password_env: "P".to_owned() };
    let named = RegistryEndpoint { auth: Some(auth), ..trusted };
    push_and_read_back(&registry, &named, Some(("alice", "se:cret"))).await;

    let insecure = RegistryEndpoint { insecure: true, ..endpoint(&registry.host(), None) };
    let repository = open(&insecure, &variables).repository(&name("a"));
    assert!(repository.head_manifest(&at("v1")).await.expect("an answer").is_some());

    // Another authority did not sign the registry's certificate.
    let other = DockerRegistry::start_tls(&AcceptedClients::None);
    let mistrusted = endpoint(&registry.host(), other.ca_file());
    let repository = open(&mistrusted, &variables).repository(&name("a"));
    let error = repository.head_manifest(&at("v1")).await.expect_err("no trust").to_diagnostic();
    assert_eq!(error.code, Code::RegistryUnreachable);
    assert!(error.help.expect("a help").contains("ca_file"), "{}", error.message);
}

#[tokio::test]
async fn an_insecure_registry_without_tls() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let insecure = RegistryEndpoint { insecure: true, ..endpoint(&registry.host(), None) };
    let repository = open(&insecure, &[]).repository(&name("a"));
    assert_eq!(repository.head_manifest(&at("v1")).await.expect("an answer"), None);
    let strict = RegistryEndpoint {
        ca_file: Some(
            DockerRegistry::start_tls(&AcceptedClients::None)
                .ca_file()
                .expect("a file")
                .display()
                .to_string(),
        ),
        ..endpoint(&registry.host(), None)
    };
    // The certificate was deleted with its registry.
    assert!(matches!(connect(&strict, &options(&[])), Err(RegistryError::Certificates { .. })));
}

#[tokio::test]
async fn blobs_are_mounted_and_large_ones_stream() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let open = open(&endpoint(&registry.host(), None), &[]);
    let (one, two) = (open.repository(&name("one")), open.repository(&name("two")));
    let blob = Blob::noise(24 << 20, 1);
    let body = blob.body();
    let pushed = one.push_blob(&blob.descriptor, &body, None).await.expect("pushed");
    assert_eq!((pushed, body.opened()), (BlobOutcome::Pushed, 1));
    let body = blob.body();
    let mounted = two.push_blob(&blob.descriptor, &body, Some(&name("one"))).await.expect("mounted");
    assert_eq!((mounted, body.opened()), (BlobOutcome::Mounted, 0));
    assert!(two.has_blob(&blob.descriptor).await.expect("an answer"));
    let small = Blob::noise(1000, 2);
    let missing =
        two.push_blob(&small.descriptor, &small.body(), Some(&name("absent"))).await.expect("pushed");
    assert_eq!(missing, BlobOutcome::Pushed);
    let empty = Blob::noise(0, 0);
    two.push_blob(&empty.descriptor, &empty.body(), None).await.expect("pushed");
    assert!(two.has_blob(&empty.descriptor).await.expect("an answer"));
    assert!(!one.has_blob(&small.descriptor).await.expect("an answer"));
}

#[tokio::test]
async fn tags_come_page_by_page() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let repository = open(&endpoint(&registry.host(), None), &[]).repository(&name("a"));
    let image = SmallImage::new("tags");
    image.push(repository.as_ref(), "latest").await.expect("pushed");
    // The test writes the registry's own files: a thousand puts would take seconds.
    let tags = registry.data().join("docker/registry/v2/repositories/a/_manifests/tags");
    for number in 0..1500 {
        let current = tags.join(format!("v{number:04}")).join("current");
        std::fs::create_dir_all(&current).expect("a folder");
        std::fs::write(current.join("link"), image.index.digest().as_str()).expect("a link");
    }
    let mut listed = repository.list_tags().await.expect("tags").tags().to_vec();
    listed.sort();
    assert_eq!(listed.len(), 1501);
    assert_eq!(listed.last().map(|tag| tag.as_str().to_owned()).as_deref(), Some("v1499"));
}

#[tokio::test]
async fn a_directory_is_read_by_other_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = ConnectOptions { folder: folder.path().to_owned(), ..options(&[]) };
    let registry = connect(&endpoint("oci:dist/registry", None), &options).expect("a registry");
    let repository = registry.repository(&name("team/image"));
    let image = SmallImage::new("directory");
    image.push(repository.as_ref(), "v1").await.expect("pushed");
    image.push(repository.as_ref(), "latest").await.expect("pushed");
    let newer = SmallImage::new("newer");
    newer.push(repository.as_ref(), "latest").await.expect("pushed");
    assert_eq!(repository.get_manifest(&at("v1")).await.expect("an answer"), Some(image.index.clone()));
    assert_eq!(
        repository.head_manifest(&at("latest")).await.expect("an answer"),
        Some(newer.index.descriptor())
    );

    let layout = folder.path().join("dist/registry/team/image");
    let layout = layout.to_str().expect("a path");
    let raw = run(Command::new("skopeo").args(["inspect", "--raw", &format!("oci:{layout}:latest")]));
    assert_eq!(Digest::of(&raw), *newer.index.digest());
    let copy = folder.path().join("copy");
    run(Command::new("skopeo").args([
        "copy",
        "--all",
        &format!("oci:{layout}:v1"),
        &format!("dir:{}", copy.display()),
    ]));
    assert_eq!(
        Digest::of(&std::fs::read(copy.join("manifest.json")).expect("a manifest")),
        *image.index.digest()
    );

    let listed = run(Command::new("umoci").args(["ls", "--layout", layout]));
    let mut listed: Vec<_> = String::from_utf8(listed).expect("text").lines().map(str::to_owned).collect();
    listed.sort();
    assert_eq!(listed, ["latest", "v1"]);
    run(Command::new("umoci").args(["gc", "--layout", layout]));

    let storage = folder.path().join("podman");
    let podman = |arguments: &[&str]| {
        let mut command = Command::new("podman");
        command.arg("--root").arg(storage.join("root")).arg("--runroot").arg(storage.join("run"));
        // Podman makes a name from the path, which must be in lower case: a relative path is.
        command.current_dir(folder.path().join("dist/registry/team"));
        run(command.args(["--storage-driver", "vfs"]).args(arguments))
    };
    let id = String::from_utf8(podman(&["pull", "--quiet", "oci:image:v1"])).expect("text");
    let config = &image.blobs[if cfg!(target_arch = "aarch64") { 2 } else { 0 }];
    assert_eq!(id.trim(), config.descriptor.digest.hex());
    podman(&["rmi", id.trim()]);
}
