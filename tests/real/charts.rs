//! Charts from `publish.toml` to a registry, read back by other programs: skopeo, oci-client, and Python's gzip and tarfile.
//!
//! Needs docker-registry, skopeo and python3; fails if one is missing.

use std::fs;
use std::process::Command;
use testkit::{image, world};

use oci_distribution::client::{ClientConfig, ClientProtocol};
use oci_distribution::secrets::RegistryAuth;
use oci_distribution::{Client, Reference};

use testkit::chart::{DATABASE, TestChart};
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};

const CONFIG: &str = "version = 1

[registries.local]
url = \"HOST/acme\"

[charts.brokkr-broker]
source = \"charts/brokkr-broker\"
app_version = \"{{ chart.version }}\"

[charts.brokkr-agent]
source = \"charts/brokkr-agent\"
repository = \"helm/brokkr-agent\"
";

fn project(url: &str, broker: &TestChart) -> Folder {
    let folder = Folder::with(&[("publish.toml", &CONFIG.replace("HOST/acme", url))]);
    broker.write(&folder.path.join("charts/brokkr-broker"));
    TestChart::agent().write(&folder.path.join("charts/brokkr-agent"));
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "--force", "."]);
    folder.git(&["commit", "--quiet", "--message", "Say hello"]);
    folder.git(&["tag", "v1.2.3"]);
    folder
}

/// Runs a program that must exist and succeed, and returns its output.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{program}`, which this test needs: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The content of a package, as Python's readers see it.
const LIST: &str = "
import sys, tarfile
with tarfile.open(sys.argv[1], 'r:gz') as package:
    for member in package:
        assert member.isreg() and member.mode == 0o644 and (member.uid, member.gid) == (0, 0), member
        assert member.mtime == 1767323045, member.mtime
        print(member.name)
    print(package.extractfile('brokkr-broker/Chart.yaml').read().decode())
";

#[tokio::test(flavor = "multi_thread")]
async fn charts_are_published_for_helm() {
    // oci-client does not include one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = project(&format!("{}/acme", registry.host()), &TestChart::broker());
    folder.run("lint").done().expect_code(0);
    let apply = || folder.run("apply --ref refs/tags/v1.2.3 --auto-approve").done().expect_code(0);
    apply();

    let address = format!("{}/acme/charts/brokkr-broker:1.2.3", registry.host());
    let raw = run("skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{address}")]);
    assert!(raw.starts_with(
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":"
    ));
    // This is how Helm pulls: with an OCI client, and the layer selected by its media type.
    let client = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
    let reference: Reference = address.parse().expect("a reference");
    let content = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let pulled = client.pull(&reference, &RegistryAuth::Anonymous, vec![content]).await.expect("pulled");
    let config: serde_json::Value = serde_json::from_slice(&pulled.config.data).expect("JSON");
    assert_eq!(config["name"], "brokkr-broker");
    assert_eq!((&config["version"], &config["appVersion"]), (&"1.2.3".into(), &"1.2.3".into()));
    let annotations = pulled.manifest.expect("a manifest").annotations.expect("annotations");
    assert_eq!(annotations["org.opencontainers.image.created"], "2026-01-02T03:04:05Z");
    let package = folder.path.join("brokkr-broker-1.2.3.tgz");
    fs::write(&package, &pulled.layers[0].data).unwrap();
    let listed = run("python3", &["-c", LIST, package.to_str().unwrap()]);
    assert!(listed.contains("brokkr-broker/charts/postgresql/Chart.yaml\n"));
    assert!(!listed.contains(".bak") && !listed.contains("ci/values.yaml"), "{listed}");
    assert!(listed.contains("version: 1.2.3 # set when it is published\n"), "{listed}");

    // The same commit gives the same chart in every checkout.
    let other = project(&format!("{}/acme", registry.host()), &TestChart::broker());
    let plan = other.run("plan --ref refs/tags/v1.2.3 --json").done().expect_code(0).json();
    let actions: Vec<&serde_json::Value> =
        plan["repositories"].as_array().unwrap().iter().map(|it| &it["changes"][0]["action"]).collect();
    assert_eq!(actions, ["no-op", "no-op"]);

    // A package of the chart is published unchanged.
    let ready = CONFIG.replace("HOST", &registry.host()).replace(
        "source = \"charts/brokkr-broker\"",
        "source = \"brokkr-broker-{{ chart.version }}.tgz\"\nrepository = \"ready/brokkr-broker\"",
    );
    folder.write("publish.toml", ready);
    folder.git(&["commit", "--quiet", "--all", "--message", "Publish the package"]);
    folder.git(&["tag", "--force", "v1.2.3"]);
    apply();
    let again = format!("{}/acme/ready/brokkr-broker:1.2.3", registry.host());
    assert_eq!(run("skopeo", &["inspect", "--raw", "--tls-verify=false", &format!("docker://{again}")]), raw);
}

#[test]
fn a_saved_plan_is_enough_and_notices_a_changed_chart() {
    let folder = project("oci:out", &TestChart::broker());
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    folder.write("charts/brokkr-agent/README.md", "# Another\n");
    let shown = folder.run("apply plan.json").done().expect_code(1).shown();
    assert!(shown.contains("publish::plan::stale"), "{shown}");
    TestChart::agent().write(&folder.path.join("charts/brokkr-agent"));
    folder.run("apply plan.json").done().expect_code(0);
}

#[test]
fn on_branches_charts_have_versions_of_their_own() {
    let folder = project("oci:out", &TestChart::broker());
    let commit = folder.git(&["rev-parse", "--short=7", "HEAD"]);
    let shown = folder.run("plan --ref refs/heads/main").done().expect_code(0).stdout();
    assert!(shown.contains(&format!("0.0.0-main.20260102030405.sha{commit}")), "{shown}");
}

#[test]
fn a_malformed_chart_is_told_with_file_and_line() {
    let broken = TestChart::broker()
        .with("Chart.yaml", "apiVersion: v2\nname: brokkr-broker\nversion: one\ntype: service\n")
        .with("values.yaml", "image:\n  tag: v1: 2\n");
    let folder = project("oci:out", &broken);
    insta::assert_snapshot!(folder.run("plan --ref refs/tags/v1.2.3 --target charts.brokkr-broker").shown());
}

#[test]
fn missing_dependencies_are_told_with_the_way_to_them() {
    let folder = project("oci:out", &TestChart::broker().without(DATABASE));
    insta::assert_snapshot!(folder.run("plan --ref refs/tags/v1.2.3 --target charts.brokkr-broker").shown());
}

#[test]
fn the_file_at_the_root_publishes_images_and_charts() {
    let text = include_str!("../../publish.toml");
    let folder = Folder::with(&[("publish.toml", text)]);
    fs::create_dir(folder.path.join("dist")).unwrap();
    for name in ["brokkr-broker", "brokkr-agent"] {
        folder.image(name, &world::image(name));
        let archive = folder.path.join(format!("dist/{name}.tar"));
        image::to_archive(&folder.path.join(name), &archive);
    }
    TestChart::broker().write(&folder.path.join("charts/brokkr-broker"));
    let values = "image:\n  repository: ghcr.io/colliery-io/brokkr-agent\n  tag: \"\"\n";
    TestChart::agent().with("values.yaml", values).write(&folder.path.join("charts/brokkr-agent"));
    folder.run("lint").done().expect_code(0);
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let url = format!("registries.ghcr.url={}/colliery-io", registry.host());
    for (event, expected) in [
        ("--ref refs/tags/v1.2.3", ["1.2.3", "v1.2.3"]),
        ("--ref refs/heads/main", ["0.0.0-main.sha9f3c2ab", "main"]),
        ("--pr 12", ["0.0.0-pr-12.sha9f3c2ab", "pr-12"]),
    ] {
        let sha = "--sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
        let arguments = format!("apply {event} {sha} --set {url} --auto-approve");
        folder.run(&arguments).done().expect_code(0);
        for name in ["brokkr-broker", "brokkr-agent"] {
            let at = |repository: &str, tag: &str| {
                world::digest(&format!("docker://{}/colliery-io/{repository}:{tag}", registry.host()))
            };
            let [chart, image] = expected;
            assert!(at(&format!("charts/{name}"), chart).is_some(), "{name} {chart}");
            assert!(at(name, image).is_some(), "{name} {image}");
        }
        let again = format!("plan {event} {sha} --set {url} --detailed-exitcode");
        folder.run(&again).done().expect_code(0);
    }
}
