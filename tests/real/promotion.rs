//! Promotion: images of one registry are published to another, or to another repository or tag of the same. Registries and
//! programs are real; the resulting content is compared byte by byte with the result of `skopeo copy --all --preserve-digests` for
//! the same source.

use std::path::Path;
use std::process::Command;
use testkit::{docker_registry, image, world};

use testkit::command::{Folder, ProgramRun};
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};
use testkit::image::{TestImage, TestLayer};
use testkit::world::{RELEASE_RULES, digest, image, tags};

const USER: AcceptedClients = AcceptedClients::Basic { username: "alice", password: "se:cret" };

/// Copies with skopeo, without the program under test.
fn skopeo(from: &str, to: &str) {
    run(Command::new("skopeo").args(["copy", "--all", "--preserve-digests", "--quiet"]).args([
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        "--src-creds=alice:se:cret",
        "--dest-creds=alice:se:cret",
        from,
        to,
    ]));
}

/// The bytes of the manifest at `reference`.
fn raw(reference: &str) -> Vec<u8> {
    let arguments = ["inspect", "--raw", "--creds=alice:se:cret", "--tls-verify=false"];
    run(Command::new("skopeo").args(arguments).arg(format!("docker://{reference}")))
}

/// A folder whose `publish.toml` publishes `source` to the first of `registries`, with the user's credentials for the last.
fn promoting(registries: &[(&str, &str)], source: &str) -> Folder {
    let mut text = "version = 1\n".to_owned();
    for (name, url) in registries {
        text += &format!(
            "\n[registries.{name}]\nurl = \"{url}\"\nauth = {{ username_env = \"THE_USER\", password_env = \"THE_WORD\" }}\n"
        );
    }
    text += RELEASE_RULES;
    text += &format!("\n[images.app]\nsource = \"{source}\"\nregistries = [\"{}\"]\n", registries[0].0);
    Folder::with(&[("publish.toml", &text)])
}

fn with_credentials(run: ProgramRun) -> ProgramRun {
    run.env("THE_USER", "alice").env("THE_WORD", "se:cret")
}

/// Requests that carried the bytes of blobs to the registry.
fn uploads(registry: &DockerRegistry) -> Vec<String> {
    let sends = |request: &String| {
        let method = request.split(' ').next().unwrap_or_default();
        request.contains("/blobs/uploads/") && ["PUT", "PATCH"].contains(&method)
    };
    registry.requests().into_iter().filter(sends).collect()
}

/// The content that the plan will send, for its only repository.
fn sending(plan: &serde_json::Value) -> &serde_json::Value {
    &plan["repositories"][0]["content"]["sending"]
}

#[test]
fn from_staging_to_production_not_a_byte_changes() {
    let (staging, production) = (DockerRegistry::start(&USER), DockerRegistry::start(&USER));
    let folder = Folder::new();
    for (name, image) in [
        ("oci", image("promoted").annotation("kept", "as it is")),
        (
            "docker",
            TestImage::new().platform("linux/amd64", vec![TestLayer::noise(3, 3_000_000)]).docker().single(),
        ),
        ("list", image("a list").docker()),
    ] {
        let written = folder.image(name, &image);
        let from = format!("{}/team/{name}:rc", staging.host());
        skopeo(&format!("oci:{}", written.directory.display()), &format!("docker://{from}"));
        let named = format!("{}/{name}", production.host());
        let places = [("production", named.as_str()), ("staging", &format!("{}/team", staging.host()))];
        let promoting = promoting(&places, &format!("docker://{from}"));
        let done = with_credentials(promoting.apply("1.2.3")).done().expect_code(0);
        assert!(!done.shown().contains("se:cret"), "{}", done.shown());
        assert!(!done.stderr().contains("panicked"), "{}", done.shown());
        let judged = format!("{}/judged/{name}:rc", production.host());
        skopeo(&format!("docker://{from}"), &format!("docker://{judged}"));
        for tag in ["v1.2.3", "latest"] {
            let published = raw(&format!("{named}/app:{tag}"));
            assert_eq!(image::sha256(&published), written.digest, "{name}");
            assert!(published == raw(&from) && published == raw(&judged), "{name}");
        }
        with_credentials(promoting.run("plan --detailed-exitcode --ref refs/tags/v1.2.3"))
            .done()
            .expect_code(0);
        // podman reads every byte of the image for this machine.
        podman_pull(&promoting.path, &format!("{named}/app:latest"));
    }
}

/// Pulls into a separate store.
fn podman_pull(folder: &Path, reference: &str) {
    let store = tempfile::tempdir().expect("a folder");
    let place = |name: &str| store.path().join(name).display().to_string();
    run(Command::new("podman")
        .args(["--storage-driver=vfs", "--root", &place("root"), "--runroot", &place("run")])
        .args(["pull", "--quiet", "--platform=linux/amd64", "--tls-verify=false", "--creds=alice:se:cret"])
        .arg(reference)
        .env("TMPDIR", folder));
}

#[test]
fn a_plan_pins_what_the_tag_names() {
    let (staging, production) = (DockerRegistry::start(&USER), DockerRegistry::start(&USER));
    let folder = Folder::new();
    let from = format!("{}/team/app:rc", staging.host());
    let approved = folder.image("approved", &image("approved"));
    skopeo(&format!("oci:{}", approved.directory.display()), &format!("docker://{from}"));
    let host = production.host();
    let promoting =
        promoting(&[("production", &host), ("staging", &staging.host())], &format!("docker://{from}"));
    with_credentials(promoting.run("plan --out plan.json --ref refs/tags/v1.2.3")).done().expect_code(0);
    let plan: serde_json::Value = serde_json::from_str(&promoting.read("plan.json")).expect("JSON");
    let pinned = format!("docker://{from}@{}", approved.digest);
    assert_eq!(plan["repositories"][0]["content"]["source"]["source"], pinned, "{plan:#}");
    // The plan contains the data needed to read the source again, and no secrets.
    assert_eq!(plan["registries"]["staging"]["url"], staging.host());
    assert!(!promoting.read("plan.json").contains("se:cret"));

    let later = folder.image("later", &image("later"));
    skopeo(&format!("oci:{}", later.directory.display()), &format!("docker://{from}"));
    // Apply runs in another place, without the file that the plan was made from.
    let elsewhere = Folder::with(&[("plan.json", &promoting.read("plan.json"))]);
    let done = with_credentials(elsewhere.run("apply plan.json")).done().expect_code(0);
    assert!(!done.stderr().contains("panicked"), "{}", done.shown());
    assert_eq!(image::sha256(&raw(&format!("{host}/app:latest"))), approved.digest);
    assert_eq!(image::sha256(&raw(&from)), later.digest);
}

#[test]
fn a_digest_is_promoted_whatever_its_tag_names() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::new();
    let from = format!("{}/team/app:rc", registry.host());
    let first = folder.image("first", &image("first"));
    let second = folder.image("second", &image("second"));
    for written in [&first, &second] {
        skopeo(&format!("oci:{}", written.directory.display()), &format!("docker://{from}"));
    }
    let text = format!(
        "version = 1\n\n[registries.bundle]\nurl = \"oci:dist\"\n{RELEASE_RULES}\n[images.app]\nsource = \"docker://{from}@{}\"\n",
        first.digest
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.apply("1.2.3").done().expect_code(0);
    let published = format!("oci:{}/dist/app:latest", folder.path.display());
    assert_eq!(digest(&published), Some(first.digest));
}

#[test]
fn within_one_registry_everything_is_mounted() {
    for source_host in ["localhost", "127.0.0.1"] {
        let registry = DockerRegistry::start(&AcceptedClients::None);
        let folder = Folder::new();
        let host = registry.host();
        let from = format!("{host}/staging/app:rc").replace("localhost", source_host);
        let written = folder.image(
            "image",
            &TestImage::new().platform("linux/amd64", vec![TestLayer::noise(1, 500_000)]).attested(),
        );
        skopeo(&format!("oci:{}", written.directory.display()), &format!("docker://{from}"));
        let sent = uploads(&registry).len();
        // Two repositories: one is mounted from the source, the other from either of them.
        let text = format!(
            "version = 1\n\n[registries.one]\nurl = \"{host}/one\"\n\n[registries.two]\nurl = \"{host}/two\"\n{RELEASE_RULES}\n[images.app]\nsource = \"docker://{from}\"\n"
        );
        let promoting = Folder::with(&[("publish.toml", &text)]);
        let plan = promoting.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0).json();
        for repository in plan["repositories"].as_array().expect("repositories") {
            let sending = &repository["content"]["sending"];
            assert_eq!(sending["blobs_to_push"], 0, "{sending:#}");
            assert_eq!(sending["blobs_to_mount"], sending["blobs"], "{sending:#}");
            let manifests = sending["bytes_to_send"].as_u64().expect("bytes");
            assert!(manifests < 5000, "{sending:#}");
        }
        promoting.apply("1.2.3").done().expect_code(0);
        assert_eq!(uploads(&registry).len(), sent, "{:#?}", registry.requests());
        for repository in ["one", "two"] {
            let named = format!("docker://{host}/{repository}/app:v1.2.3");
            assert_eq!(digest(&named).as_ref(), Some(&written.digest));
            world::pull(&named);
        }
    }
}

#[test]
fn in_its_own_repository_an_image_gets_tags_and_nothing_is_sent() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::new();
    let host = registry.host();
    let written = folder.image("image", &image("in place"));
    let from = format!("{host}/team/app:sha-123");
    skopeo(&format!("oci:{}", written.directory.display()), &format!("docker://{from}"));
    let before = registry.requests().len();
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{host}/team\"\n{RELEASE_RULES}\n[images.app]\nsource = \"docker://{from}\"\n"
    );
    let promoting = Folder::with(&[("publish.toml", &text)]);
    let plan = promoting.run("plan --json --ref refs/tags/v1.2.3").done().expect_code(0).json();
    let sending = sending(&plan);
    for nothing in ["bytes_to_send", "blobs_to_push", "blobs_to_mount", "manifests_to_put"] {
        assert_eq!(sending[nothing], 0, "{sending:#}");
    }
    promoting.apply("1.2.3").done().expect_code(0);
    let changes = |request: &&String| !request.starts_with("GET ") && !request.starts_with("HEAD ");
    let mut writes: Vec<String> = registry.requests()[before..].iter().filter(changes).cloned().collect();
    writes.sort();
    let put = |tag: &str| format!("PUT /v2/team/app/manifests/{tag} 201");
    assert!(writes[0].starts_with("DELETE /v2/team/app/blobs/uploads/"), "{writes:?}");
    let asked = "POST /v2/team/app/blobs/uploads/ 202".to_owned();
    // The manifest that is there is put by digest once, which proves that the repository takes manifests.
    let proof = put(&written.digest);
    // The floating tags are first put together, which this registry ignores.
    let together = put(&format!("{}?tag=v1.2&tag=v1&tag=latest", written.digest));
    assert_eq!(writes[1..], [asked, put("latest"), proof, together, put("v1"), put("v1.2"), put("v1.2.3")]);
    assert_eq!(tags(&format!("{host}/team/app")), ["latest", "sha-123", "v1", "v1.2", "v1.2.3"]);
    assert_eq!(digest(&format!("docker://{host}/team/app:latest")), Some(written.digest));
}

#[test]
fn a_source_that_cannot_be_had_is_said_with_a_way_out() {
    let registry = DockerRegistry::start(&USER);
    let host = registry.host();
    let nobody = format!("localhost:{}", docker_registry::free_port());
    let absent = format!("sha256:{}", "0".repeat(64));
    for (source, code, words) in [
        (format!("{host}/team/app:rc"), "publish::source::missing", "skopeo list-tags docker://"),
        (format!("{host}/team/app@{absent}"), "publish::source::missing", "push it again"),
        (format!("{nobody}/team/app:rc"), "publish::registry::unreachable", "cannot connect"),
    ] {
        let promoting = promoting(&[("production", &host)], &format!("docker://{source}"));
        let told = with_credentials(promoting.apply("1.2.3")).done().expect_code(1);
        assert!(told.stderr().contains(code), "{}", told.shown());
        let unwrapped = told.stderr().replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unwrapped.contains(words), "{}", told.shown());
        let name = source.split('@').next().unwrap().trim_end_matches(":rc");
        assert!(unwrapped.contains(name), "{}", told.shown());
    }
    // Without credentials for the registry of the source, and with wrong ones.
    let bundle = format!(
        "version = 1\n\n[registries.bundle]\nurl = \"oci:dist\"\n{RELEASE_RULES}\n[images.app]\nsource = \"docker://{host}/team/app:rc\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &bundle)]);
    let told = folder.apply("1.2.3").done().expect_code(1);
    assert!(told.stderr().contains("publish::registry::unauthorized"), "{}", told.shown());
    assert!(told.stderr().contains("docker login"), "{}", told.shown());
    let wrong = promoting(&[("production", &host)], &format!("docker://{host}/team/app:rc"));
    let wrong = wrong.apply("1.2.3").env("THE_USER", "alice").env("THE_WORD", "wr0ng");
    let told = wrong.done().expect_code(1);
    assert!(told.stderr().contains("`THE_USER` and `THE_WORD`"), "{}", told.shown());
    assert!(!told.shown().contains("wr0ng"), "{}", told.shown());
}
