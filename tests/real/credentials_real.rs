//! Credentials with real programs: docker-registry with passwords, with a token server, over TLS with a private authority, for clients
//! that have only a certificate, and behind a proxy; credential programs that are run.

use brokkr_publish::diagnostic::ToDiagnostic;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use crate::small_image::{Blob, SmallImage, at, name};
use bytes::Bytes;
use futures_util::StreamExt;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{BlobBody, ByteStream, ConnectOptions, RegistryError, connect};
use testkit::command::{Folder, ProgramRun};
use testkit::docker_registry::{AcceptedClients, Authority, DockerRegistry};
use testkit::proxy::Proxy;
use testkit::token_issuer::{TokenIssuer, TokenIssuerOptions, User};
use testkit::world::{RELEASE_RULES, configuration, image};

const BASIC: AcceptedClients = AcceptedClients::Basic { username: "alice", password: "se:cret" };

/// A folder that publishes one image to these registries, with the keys of each table.
fn publishes_to(registries: &[(&str, &str)]) -> Folder {
    let tables: Vec<String> =
        registries.iter().map(|(name, keys)| format!("\n[registries.{name}]\n{keys}\n")).collect();
    let tables = tables.concat();
    let folder = Folder::with(&[(
        "publish.toml",
        &format!("version = 1\n{tables}{RELEASE_RULES}\n[images.app]\nsource = \"oci:image\"\n"),
    )]);
    folder.image("image", &image("private"));
    folder
}

/// Writes a credential program to the home folder's `bin`, and registers it in Docker's file.
fn program(folder: &Folder, config: &serde_json::Value, script: &str) {
    let bin = folder.home().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let path = bin.join("docker-credential-test");
    std::fs::write(&path, format!("#!/bin/sh\necho called >> \"$HOME/log\"\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir_all(folder.home().join(".docker")).unwrap();
    std::fs::write(folder.home().join(".docker/config.json"), config.to_string()).unwrap();
}

fn calls(folder: &Folder) -> usize {
    std::fs::read_to_string(folder.home().join("log")).unwrap_or_default().lines().count()
}

fn with_programs(run: ProgramRun, folder: &Folder) -> ProgramRun {
    let path = format!("{}:{}", folder.home().join("bin").display(), std::env::var("PATH").unwrap());
    run.env("PATH", path).wide()
}

const ANSWER: &str = r#"cat > "$HOME/asked"; printf '{"Username":"alice","Secret":"se:cret"}'"#;

#[test]
fn a_credential_program_is_asked_once_and_said() {
    let registry = DockerRegistry::start(&BASIC);
    let host = registry.host();
    let folder = Folder::with(&[(
        "publish.toml",
        &configuration(&[("one", &format!("{host}/one")), ("two", &format!("{host}/two"))]),
    )]);
    folder.image("image", &image("private"));
    let config = serde_json::json!({ "credHelpers": { host.as_str(): "test" }, "credsStore": "absent" });
    program(&folder, &config, ANSWER);
    let done = with_programs(folder.run("apply --auto-approve -v --ref refs/tags/v1.2.3"), &folder);
    let done = done.done().expect_code(0);
    let line =
        format!("{host}: credentials from `~/.docker/config.json` (`credHelpers`: `docker-credential-test`)");
    assert_eq!(done.stderr().matches(&line).count(), 1, "{}", done.shown());
    assert!(!done.shown().contains("se:cret"), "{}", done.shown());
    assert_eq!(calls(&folder), 1);
    assert_eq!(std::fs::read_to_string(folder.home().join("asked")).unwrap(), host);
    for repository in ["one/app", "two/app"] {
        assert!(registry.tagged(repository, "v1.2.3").is_some(), "{repository}");
    }
}

#[test]
fn a_program_without_an_entry_is_passed_over_and_one_that_fails_is_an_error() {
    let registry = DockerRegistry::start(&BASIC);
    let host = registry.host();
    let folder = publishes_to(&[("local", &format!("url = \"{host}\""))]);
    let config = serde_json::json!({ "credsStore": "test", "auths": { host.as_str(): { "auth": "YWxpY2U6c2U6Y3JldA==" } } });
    program(&folder, &config, "echo credentials not found in native keychain; exit 1");
    let _done = with_programs(folder.apply("1.2.3"), &folder).done().expect_code(0);
    assert_eq!(calls(&folder), 1);

    program(&folder, &config, "echo the vault is locked; exit 4");
    let failed = with_programs(folder.apply("1.2.4"), &folder).done().expect_code(1);
    let said = failed.stderr();
    assert!(said.contains("publish::registry::credentials"), "{said}");
    assert!(said.contains(&format!("`docker-credential-test`, which `credsStore` of `~/.docker/config.json` names for `{host}`, failed (exit status: 4): the vault is locked")), "{said}");

    // The output says once that the registry is read without credentials in the meantime.
    let failed = with_programs(folder.run("apply --auto-approve -v --ref refs/tags/v1.2.4"), &folder);
    let said = failed.done().expect_code(1).stderr();
    assert_eq!(said.matches("reading without credentials: `docker-credential-test`").count(), 1, "{said}");

    // If a registry uses no credentials, none are passed, and no program is run.
    let open = DockerRegistry::start(&AcceptedClients::None);
    let folder = publishes_to(&[("open", &format!("url = \"{}\"", open.host()))]);
    program(&folder, &config, "exit 4");
    let _done = with_programs(folder.apply("1.2.3"), &folder).done().expect_code(0);
    assert_eq!(calls(&folder), 0);
}

fn rules(lifetime: u64) -> TokenIssuerOptions {
    let user = |name, password, pushes_to| User { name, password, pushes_to };
    TokenIssuerOptions {
        users: vec![user("alice", "se:cret", "team/"), user("bob", "hammer", "other/")],
        refresh_token: Some("refresh"),
        anonymous: true,
        lifetime: Duration::from_secs(lifetime),
        told: Duration::from_secs(300),
    }
}

/// A registry with a token server of its own.
fn with_tokens(lifetime: u64) -> (DockerRegistry, TokenIssuer) {
    let issuer = TokenIssuer::start(rules(lifetime), None);
    let auth = AcceptedClients::Token { realm: issuer.realm("127.0.0.1"), certificate: issuer.certificate() };
    (DockerRegistry::start(&auth), issuer)
}

fn options(variables: &[(&str, String)]) -> ConnectOptions {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    ConnectOptions {
        environment: Arc::new(move |name| variables.get(name).cloned()),
        ..ConnectOptions::default()
    }
}

#[allow(clippy::needless_pass_by_value, reason = "calls are easier to read")]
fn auths(host: &str, entry: serde_json::Value) -> [(&'static str, String); 1] {
    [("DOCKER_AUTH_CONFIG", serde_json::json!({ "auths": { host: entry } }).to_string())]
}

fn user(name: &str, password: &str) -> serde_json::Value {
    serde_json::json!({ "username": name, "password": password })
}

fn endpoint(registry: &DockerRegistry) -> RegistryEndpoint {
    RegistryEndpoint::of(registry.host().parse().expect("a location"))
}

#[tokio::test]
async fn a_token_is_for_what_a_user_may_do() {
    let (registry, issuer) = with_tokens(300);
    let open = |variables: &[(&str, String)]| {
        connect(&endpoint(&registry), &options(variables)).expect("a registry")
    };
    let alice = open(&auths(&registry.host(), user("alice", "se:cret")));
    let image = SmallImage::new("tokens");
    image.push(alice.repository(&name("team/image")).as_ref(), "v1").await.expect("pushed");
    let origin = alice.repository(&name("team/image")).credentials_origin().await.expect("an answer");
    assert_eq!(origin.as_deref(), Some("`DOCKER_AUTH_CONFIG`"));

    // Everybody may pull; each user may push to their own repositories.
    for variables in [&auths(&registry.host(), user("bob", "hammer"))[..], &[]] {
        let other = open(variables);
        let repository = other.repository(&name("team/image"));
        assert!(repository.head_manifest(&at("v1")).await.expect("an answer").is_some());
        let error = repository.put_manifest(&at("v2"), &image.index).await.expect_err("a refusal");
        assert!(matches!(error, RegistryError::Unauthorized(_) | RegistryError::Denied(_)), "{error:?}");
    }
    assert!(registry.tagged("team/image", "v2").is_none());
    let stranger = open(&auths(&registry.host(), user("alice", "wrong"))).repository(&name("team/image"));
    let error = stranger.head_manifest(&at("v1")).await.expect_err("a refusal");
    assert!(error.to_string().contains("who are you?"), "{error}");
    assert!(issuer.asked().iter().all(|asked| asked.method == "GET"));
}

/// A blob whose transfer takes some time.
struct Slow(Blob);

impl BlobBody for Slow {
    fn open(&self) -> ByteStream {
        let pieces: Vec<Bytes> =
            self.0.bytes.chunks(self.0.bytes.len() / 6 + 1).map(Bytes::copy_from_slice).collect();
        let slow = futures_util::stream::iter(pieces).then(|piece| async move {
            tokio::time::sleep(Duration::from_millis(600)).await;
            Ok(piece)
        });
        Box::pin(slow)
    }
}

#[tokio::test]
async fn a_token_that_dies_within_a_push_is_renewed() {
    // The times in a token are whole seconds, so that one of a second may die at once.
    let (registry, issuer) = with_tokens(2);
    let open = connect(&endpoint(&registry), &options(&auths(&registry.host(), user("alice", "se:cret"))));
    let repository = open.expect("a registry").repository(&name("team/image"));
    let image = SmallImage::new("renewed");
    image.push(repository.as_ref(), "v1").await.expect("pushed");
    let asked = issuer.asked().len();
    let blob = Slow(Blob::noise(600_000, 1));
    let descriptor = blob.0.descriptor.clone();
    repository.push_blob(&descriptor, &blob, None).await.expect("pushed");
    repository.put_manifest(&at("v2"), &image.index).await.expect("put");
    assert!(issuer.asked().len() > asked, "no other token was asked for");
    assert!(
        registry.requests().iter().any(|request| request.starts_with("PUT /v2/team/image/manifests/v2 401"))
    );
    assert!(registry.tagged("team/image", "v2").is_some());
}

#[tokio::test]
async fn an_identity_token_is_exchanged_and_each_serves_once() {
    let (registry, issuer) = with_tokens(300);
    let entry = serde_json::json!({ "auth": "PHRva2VuPjo=", "identitytoken": "refresh" });
    let open = connect(&endpoint(&registry), &options(&auths(&registry.host(), entry))).expect("a registry");
    for repository in ["team/one", "team/two"] {
        SmallImage::new("identity")
            .push(open.repository(&name(repository)).as_ref(), "v1")
            .await
            .expect("pushed");
        assert!(registry.tagged(repository, "v1").is_some());
    }
    let asked = issuer.asked();
    let sent: Vec<&str> = asked.iter().flat_map(|asked| asked.all("refresh_token")).collect();
    // Each repository takes one to read and one to push.
    assert_eq!(sent, ["refresh", "refresh+", "refresh++", "refresh+++"]);
    assert!(asked.iter().all(|asked| asked.method == "POST" && asked.authorization.is_empty()));
    assert_eq!(asked[0].all("client_id"), ["oci-registry"]);

    let entry = serde_json::json!({ "identitytoken": "stolen" });
    let open = connect(&endpoint(&registry), &options(&auths(&registry.host(), entry))).expect("a registry");
    let error = open.repository(&name("team/one")).head_manifest(&at("v1")).await.expect_err("a refusal");
    assert!(matches!(error, RegistryError::Unauthorized(_)), "{error:?}");
    assert!(error.to_diagnostic().help.expect("a help").contains("`DOCKER_AUTH_CONFIG`"));
    assert!(!format!("{error} {error:?}").contains("stolen"), "{error:?}");
}

#[test]
fn an_identity_token_that_serves_once_serves_a_plan_and_its_apply() {
    let (registry, issuer) = with_tokens(300);
    let folder = publishes_to(&[("local", &format!("url = \"{}/team\"", registry.host()))]);
    let [(name, value)] = auths(&registry.host(), serde_json::json!({ "identitytoken": "refresh" }));
    let _done = folder.apply("1.2.3").env(name, value).done().expect_code(0);
    assert!(registry.tagged("team/app", "v1.2.3").is_some());
    let asked = issuer.asked();
    let sent: Vec<&str> = asked.iter().flat_map(|asked| asked.all("refresh_token")).collect();
    // Plan and apply are one run, which asks once to read and once to push.
    assert_eq!(sent, ["refresh", "refresh+"]);
}

#[tokio::test]
async fn a_gitlab_job_pushes_with_its_own_token() {
    let registry =
        DockerRegistry::start(&AcceptedClients::Basic { username: "gitlab-ci-token", password: "job" });
    let of = |name: &'static str, value: &str| (name, value.to_owned());
    let job = [of("GITLAB_CI", "true"), of("CI_REGISTRY", &registry.host()), of("CI_JOB_TOKEN", "job")];
    let open = connect(&endpoint(&registry), &options(&job)).expect("a registry");
    SmallImage::new("job").push(open.repository(&name("group/image")).as_ref(), "v1").await.expect("pushed");
    assert!(registry.tagged("group/image", "v1").is_some());
    let origin = open.repository(&name("group/image")).credentials_origin().await.expect("an answer");
    assert_eq!(origin.as_deref(), Some("`CI_JOB_TOKEN`"));
}

/// A registry with a token server, both over TLS, for clients with a certificate; and a folder that publishes there, with `keys` added.
fn mutual(authority: &Authority, keys: &str) -> (DockerRegistry, TokenIssuer, Folder) {
    let issuer = TokenIssuer::start(rules(300), Some(authority));
    let auth = AcceptedClients::Token { realm: issuer.realm("localhost"), certificate: issuer.certificate() };
    let registry = DockerRegistry::start_tls_by(authority, &auth, true);
    let folder = publishes_to(&[(
        "local",
        &format!(
            "url = \"{}/team\"\nca_file = \"certs/ca.pem\"\nauth = {{ username_env = \"U\", password_env = \"P\" }}\n{keys}",
            registry.host()
        ),
    )]);
    std::fs::create_dir(folder.path.join("certs")).unwrap();
    for file in ["ca.pem", "client.pem", "client.key", "host.key"] {
        std::fs::copy(authority.file(file), folder.path.join("certs").join(file)).unwrap();
    }
    (registry, issuer, folder)
}

const CLIENT: &str = "client_certificate = \"certs/client.pem\"\nclient_key = \"certs/client.key\"\n";

#[test]
fn a_registry_is_shown_the_certificate_of_the_client() {
    let authority = Authority::new();
    let (registry, issuer, folder) = mutual(&authority, CLIENT);
    let run = |arguments: &str| folder.run(arguments).env("U", "alice").env("P", "se:cret").wide();
    let _done = run("plan --out plan.json --ref refs/tags/v1.2.3").done().expect_code(0);
    let saved = folder.read("plan.json");
    assert!(saved.contains("certs/client.key") && !saved.contains("PRIVATE KEY"), "{saved}");
    let _done = run("apply plan.json").done().expect_code(0);
    assert!(registry.tagged("team/app", "v1.2.3").is_some());
    assert!(!issuer.asked().is_empty());

    let (_registry, issuer, folder) = mutual(&authority, "");
    let run = folder.apply("1.2.3").env("U", "alice").env("P", "se:cret").wide();
    let refused = run.done().expect_code(1);
    assert!(refused.stderr().contains("`client_certificate` and `client_key`"), "{}", refused.shown());
    assert!(refused.stderr().contains("publish::registry::unreachable"), "{}", refused.shown());
    assert!(issuer.asked().is_empty(), "credentials went out all the same");

    // The key of another certificate.
    let keys = CLIENT.replace("client.key", "host.key");
    let (_registry, _issuer, folder) = mutual(&authority, &keys);
    let run = folder.apply("1.2.3").env("U", "alice").env("P", "se:cret").wide();
    let refused = run.done().expect_code(1);
    assert!(refused.stderr().contains("certs/host.key"), "{}", refused.shown());
}

/// A folder that publishes to `registry.test`, which only a proxy can resolve.
fn far(registry: &DockerRegistry, authority: Option<&Authority>) -> Folder {
    let how = if authority.is_some() { "ca_file = \"ca.pem\"" } else { "insecure = true" };
    let keys = format!(
        "url = \"registry.test:{}\"\n{how}\nauth = {{ username_env = \"U\", password_env = \"P\" }}",
        registry.port()
    );
    let folder = publishes_to(&[("far", &keys)]);
    if let Some(authority) = authority {
        std::fs::copy(authority.file("ca.pem"), folder.path.join("ca.pem")).unwrap();
    }
    folder
}

fn as_alice(run: ProgramRun) -> ProgramRun {
    run.env("U", "alice").env("P", "se:cret").wide()
}

#[test]
fn https_goes_through_a_proxy_by_tunnel_and_its_password_to_nobody_else() {
    let authority = Authority::new();
    let registry = DockerRegistry::start_tls_by(&authority, &BASIC, false);
    let folder = far(&registry, Some(&authority));
    // robot:pr0xyword
    let proxy = Proxy::start(Some("Basic cm9ib3Q6cHIweHl3b3Jk"));
    let address = format!("http://robot:pr0xyword@{}", proxy.address());
    let run = as_alice(folder.run("apply --auto-approve -vvv --ref refs/tags/v1.2.3"));
    let done = run.env("HTTPS_PROXY", &address).done().expect_code(0);
    assert!(registry.tagged("app", "v1.2.3").is_some());
    let asked = proxy.asked();
    let tunnel = format!("CONNECT registry.test:{}", registry.port());
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.line == tunnel), "{asked:?}");
    for secret in ["pr0xyword", "cm9ib3Q6", "se:cret"] {
        assert!(!done.shown().contains(secret), "{}", done.shown());
    }

    let wrong = format!("http://robot:wr0ngword@{}", proxy.address());
    let run = as_alice(folder.apply("1.2.4")).env("HTTPS_PROXY", wrong);
    let refused = run.done().expect_code(1);
    assert!(refused.stderr().contains("proxy"), "{}", refused.shown());
    assert!(refused.stderr().contains("`HTTPS_PROXY`"), "{}", refused.shown());
    assert!(!refused.shown().contains("wr0ngword"), "{}", refused.shown());
    assert!(registry.tagged("app", "v1.2.4").is_none());
}

#[test]
fn plain_http_goes_through_a_proxy_and_no_proxy_is_honoured() {
    let registry = DockerRegistry::start(&BASIC);
    let folder = far(&registry, None);
    let proxy = Proxy::start(None);
    let address = format!("http://{}", proxy.address());
    let through = |run: ProgramRun| as_alice(run).env("HTTP_PROXY", &address).env("HTTPS_PROXY", &address);
    let _done = through(folder.apply("1.2.3")).done().expect_code(0);
    assert!(registry.tagged("app", "v1.2.3").is_some());
    let ping = format!("GET http://registry.test:{}/v2/", registry.port());
    let before = proxy.asked();
    assert!(before.iter().any(|asked| asked.line == ping), "{before:?}");
    assert!(before.iter().all(|asked| asked.credentials.is_empty()));

    let refused = through(folder.apply("1.2.4")).env("NO_PROXY", "registry.test").done().expect_code(1);
    assert!(refused.stderr().contains("publish::registry::unreachable"), "{}", refused.shown());
    assert_eq!(proxy.asked(), before, "the proxy was asked all the same");
}
