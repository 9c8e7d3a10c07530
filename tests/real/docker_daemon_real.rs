//! Images in the stores of a real Docker Engine and of podman's service, read over the API.
//!
//! Needs buildah, podman, openssl, docker, and dockerd as root; fails if one is missing. The test does not use the network.

use brokkr_publish::diagnostic::ToDiagnostic;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use brokkr_publish::content::ContentError;
use brokkr_publish::content::{Published, publishable};
use brokkr_publish::model::content::ContentSpec;
use oci_content::ImageSpec;
use oci_content::SourceSpec;
use oci_content::Surroundings;
use oci_registry::Digest;

use testkit::engine::{Store, TestEngine, run_in};

/// Opens a source in `folder`; the environment contains only `variables`.
fn opened(folder: &Path, source: &str, variables: &[(&str, &str)]) -> Result<Published, ContentError> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let surroundings = Surroundings {
        environment: Arc::new(move |name| variables.get(name).cloned()),
        ..Surroundings::local(folder)
    };
    let spec = ImageSpec::of(SourceSpec::One(source.parse().expect("a source")));
    publishable(&ContentSpec::Image(spec), &surroundings)
}

fn published(folder: &Path, source: &str, variables: &[(&str, &str)]) -> Published {
    opened(folder, source, variables).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// The output for people if a source is refused.
fn refused(folder: &Path, source: &str, variables: &[(&str, &str)]) -> String {
    let Err(error) = opened(folder, source, variables) else { panic!("{source} was taken") };
    let diagnostic = error.to_diagnostic();
    let text =
        format!("{}: {}\n{}", diagnostic.code, diagnostic.message, diagnostic.help.expect("a way out"));
    text.replace(&folder.display().to_string(), "/F")
}

fn read_all(published: &Published) {
    for blob in &published.content.blobs {
        let mut bytes = Vec::new();
        published.source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
        assert_eq!(Digest::of(&bytes), blob.digest);
    }
}

fn pinned(published: &Published) -> String {
    match &published.spec {
        ContentSpec::Image(spec) => spec.source.to_string(),
        other => panic!("{other:?}"),
    }
}

const FILES: [(&str, &str); 2] = [("one", "1\n"), ("two", "2\n")];

#[test]
fn images_of_a_docker_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.buildah(&["push", "app:v1", "docker-archive:app.tar:app:v1"]);
    let engine = TestEngine::docker(at);
    engine.run(&["load", "--input", at.join("app.tar").to_str().expect("a path")]);
    engine.run(&["tag", "app:v1", "ghcr.io/group/app:v2"]);
    let host = engine.host();
    let environment = [("DOCKER_HOST", host.as_str())];
    let app = published(at, "docker-daemon:app:v1", &environment);
    read_all(&app);
    assert_eq!(app.content.root, published(at, "docker-archive:app.tar", &[]).content.root);
    let id = engine.run(&["image", "inspect", "--format", "{{.Id}}", "app:v1"]);
    assert_eq!(pinned(&app), format!("docker-daemon:{id}"));
    for source in [
        pinned(&app),
        "docker-daemon:ghcr.io/group/app:v2".to_owned(),
        "docker-daemon:docker.io/library/app:v1".to_owned(),
    ] {
        assert_eq!(published(at, &source, &environment).content.root, app.content.root, "{source}");
    }
    let error = refused(at, "docker-daemon:app:v3", &environment);
    assert!(
        error.starts_with("publish::source::missing: the Docker Engine at `unix:///F/engine/docker.sock`"),
        "{error}"
    );
    assert!(error.contains("has no image `app:v3`\nbuild it with that name"), "{error}");
    let error = refused(at, "docker-daemon:app/../v3", &environment);
    assert!(error.contains("does not name an image"), "{error}");

    // The same with a context, and with the context that is selected permanently.
    let docker = at.join("docker-config");
    let folder_of = docker.join("contexts/meta").join(Digest::of(b"mine").hex());
    fs::create_dir_all(&folder_of).expect("a folder");
    let meta = format!(
        r#"{{"Name":"mine","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
    );
    fs::write(folder_of.join("meta.json"), meta).expect("written");
    let docker_config = docker.to_str().expect("a path");
    let by_name = [("DOCKER_CONFIG", docker_config), ("DOCKER_CONTEXT", "mine")];
    assert_eq!(published(at, "docker-daemon:app:v1", &by_name).content.root, app.content.root);
    fs::write(docker.join("config.json"), r#"{"auths":{},"currentContext":"mine"}"#).expect("written");
    let chosen = [("DOCKER_CONFIG", docker_config)];
    assert_eq!(published(at, "docker-daemon:app:v1", &chosen).content.root, app.content.root);
    let error = refused(at, "docker-daemon:app:v3", &chosen);
    assert!(error.contains("of the Docker context `mine`, has no image"), "{error}");
    let other = [("DOCKER_CONFIG", docker_config), ("DOCKER_CONTEXT", "other")];
    let error = refused(at, "docker-daemon:app:v1", &other);
    assert!(error.contains("the Docker context `other` does not exist"), "{error}");

    // An image that was removed after the plan.
    store.image("brief:v1", &FILES[..1]);
    store.buildah(&["push", "brief:v1", "docker-archive:brief.tar:brief:v1"]);
    engine.run(&["load", "--input", at.join("brief.tar").to_str().expect("a path")]);
    let brief = pinned(&published(at, "docker-daemon:brief:v1", &environment));
    engine.run(&["rmi", "brief:v1", "localhost/brief:v1"]);
    let error = refused(at, &brief, &environment);
    assert!(error.contains("has been removed since"), "{error}");

    drop(engine);
    let error = refused(at, "docker-daemon:app:v1", &environment);
    assert!(error.starts_with("publish::source::engine"), "{error}");
    assert!(
        error.contains("from `DOCKER_HOST`, cannot be reached") && error.contains("systemctl start docker"),
        "{error}"
    );
}

#[test]
fn images_of_podmans_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.podman(&["save", "--output", "app.tar", "app:v1"]);
    let service = store.service();
    let host = service.host();
    let environment = [("DOCKER_HOST", host.as_str())];
    let app = published(at, "docker-daemon:localhost/app:v1", &environment);
    read_all(&app);
    assert_eq!(app.content.root, published(at, "docker-archive:app.tar", &[]).content.root);
    for source in [pinned(&app), "docker-daemon:app:v1".to_owned()] {
        assert_eq!(published(at, &source, &environment).content.root, app.content.root, "{source}");
    }
    let error = refused(at, "docker-daemon:app:v3", &environment);
    assert!(error.contains("has no image `app:v3`"), "{error}");
}

#[test]
fn an_engine_that_speaks_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = Store::new(at);
    store.image("app:v1", &FILES);
    store.buildah(&["push", "app:v1", "docker-archive:app.tar:app:v1"]);
    certificates(at);
    let port =
        std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("it").port();
    let path = |name: &str| at.join(name).to_str().expect("a path").to_owned();
    let engine = TestEngine::docker_with(
        at,
        &[
            &format!("--host=tcp://127.0.0.1:{port}"),
            "--tlsverify",
            &format!("--tlscacert={}", path("ca.pem")),
            &format!("--tlscert={}", path("cert.pem")),
            &format!("--tlskey={}", path("key.pem")),
        ],
    );
    engine.run(&["load", "--input", &path("app.tar")]);
    let host = format!("tcp://localhost:{port}");
    let folder_of_certificates = path("");
    let tls = [
        ("DOCKER_HOST", host.as_str()),
        ("DOCKER_TLS_VERIFY", "1"),
        ("DOCKER_CERT_PATH", folder_of_certificates.as_str()),
    ];
    let app = published(at, "docker-daemon:app:v1", &tls);
    assert_eq!(app.content.root, published(at, "docker-archive:app.tar", &[]).content.root);
    let error = refused(at, "docker-daemon:app:v1", &tls[..1]);
    assert!(error.contains("answered 400") && error.contains("HTTP request to an HTTPS server"), "{error}");
    // An authority that is not the engine's.
    let other = tempfile::tempdir().expect("a folder");
    certificates(other.path());
    let others = other.path().to_str().expect("a path");
    let wrong = [tls[0], tls[1], ("DOCKER_CERT_PATH", others)];
    let error = refused(at, "docker-daemon:app:v1", &wrong);
    assert!(error.contains("invalid peer certificate"), "{error}");
}

/// Makes an authority and a certificate by it, which both the engine and the client use.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        run_in(folder, "openssl", &arguments.split_whitespace().collect::<Vec<_>>());
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem");
    fs::write(
        folder.join("extensions"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
    )
    .expect("written");
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out cert.pem",
    );
}
