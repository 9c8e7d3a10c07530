//! Helm itself checks the charts: its Go code, which the Python package `helm-python-sdk` contains, pulls, loads, lints, packages
//! and pushes the charts that the program published.
//!
//! Needs docker-registry, skopeo and that package in `target/tools`; fails if one is missing. `scripts/test.sh` installs them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;
use testkit::chart::{DATABASE, TestChart};
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::engine;

const CONFIG: &str = "version = 1

[registries.local]
url = \"HOST/acme\"

[charts.NAME]
source = \"chart\"
repository = \"charts/NAME\"
app_version = \"{{ chart.version }}\"
";

/// Pulls the published chart, packages the same directory with Helm, and pushes the pulled package with Helm. Prints Helm's results for
/// each package, and the digest of the package.
const JUDGE: &str = r#"
import hashlib, json, pathlib, sys, tarfile
import helm_python as helm

host, name, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
for folder in ["pulled", "packaged"]:
    (work / folder).mkdir()
client = helm.RegistryClient(plain_http=True, credentials_file=work / "credentials.json")
client.pull(f"oci://{host}/acme/charts/{name}", version="1.2.3", destination=work / "pulled", plain_http=True)
pulled = work / "pulled" / f"{name}-1.2.3.tgz"
packaged = pathlib.Path(
    helm.package(work / "chart", destination=work / "packaged", version="1.2.3", app_version="1.2.3")
)
client.push(pulled, f"oci://{host}/helm", plain_http=True)

def seen(package):
    with tarfile.open(package, "r:gz") as archive:
        files = [[member.name, archive.extractfile(member).read().decode()] for member in archive]
    with helm.Chart.load(package) as chart:
        return {
            "file_name": package.name,
            "digest": "sha256:" + hashlib.sha256(package.read_bytes()).hexdigest(),
            "files": files,
            "loaded": {
                "name": chart.name,
                "version": chart.version,
                "metadata": chart.metadata,
                "values": chart.values,
                "templates": chart.templates,
                "files": chart.files,
                "dependencies": chart.dependencies,
            },
            "errors": [found for found in helm.lint(package)["messages"] if found["severity"] == 3],
        }

print(json.dumps({"published": seen(pulled), "packaged": seen(packaged)}))
"#;

/// The two packages, as Helm reads them.
#[derive(Deserialize)]
struct PackageComparison {
    published: JudgedPackage,
    packaged: JudgedPackage,
}

#[derive(Deserialize)]
struct JudgedPackage {
    file_name: String,
    digest: String,
    /// Names and texts, in order.
    files: Vec<(String, String)>,
    loaded: Value,
    /// The errors of `helm lint`.
    errors: Vec<Value>,
}

fn helm(host: &str, name: &str, folder: &Path) -> PackageComparison {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/python3");
    let output = Command::new(&python)
        .args(["-c", JUDGE, host, name])
        .arg(folder)
        .envs(["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map(|key| (key, folder.join("helm"))))
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run `{}`, which `scripts/test.sh` installs: {error}", python.display())
        });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The manifest of a chart in the registry, without the time of the push.
fn manifest(host: &str, repository: &str) -> Value {
    let reference = format!("docker://{host}/{repository}:1.2.3");
    let raw =
        engine::run(Command::new("skopeo").args(["inspect", "--raw", "--tls-verify=false", &reference]));
    let mut manifest: Value = serde_json::from_str(&raw).expect("JSON");
    let annotations = manifest["annotations"].as_object_mut().expect("annotations");
    assert!(annotations.remove("org.opencontainers.image.created").is_some());
    manifest
}

#[test]
fn helm_reads_and_makes_the_same_charts() {
    let described = "apiVersion: v2\nname: described # here\ntype: library\ndescription: An <app> & \"more\"\nversion: 0.0.0\n\
                     appVersion: \"0.0.0\"\nkubeVersion: '>=1.20'\nhome: https://example.com\nsources: [https://example.com/source]\n\
                     keywords: [yes, 1.10, 010]\nmaintainers: [{name: A, email: a@example.com}, {name: B}]\n\
                     annotations: {a: 1, b: on}\nicon: https://example.com/icon.png\ndeprecated: false\n";
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    for (name, chart) in [
        ("brokkr-broker", TestChart::broker()),
        ("brokkr-agent", TestChart::agent()),
        ("described", TestChart::agent().with("Chart.yaml", described)),
    ] {
        let config = CONFIG.replace("HOST", &host).replace("NAME", name);
        let folder = Folder::with(&[("publish.toml", &config)]);
        chart.write(&folder.path.join("chart"));
        folder.git(&["init", "--quiet"]);
        folder.git(&["add", "--force", "."]);
        folder.git(&["commit", "--quiet", "--message", "Say hello"]);
        folder.git(&["tag", "v1.2.3"]);
        folder.run("apply --ref refs/tags/v1.2.3 --auto-approve").done().expect_code(0);

        let PackageComparison { published, packaged } = helm(&host, name, &folder.path);
        assert_eq!(published.file_name, packaged.file_name);
        assert_eq!(published.loaded["name"], *name);
        assert_eq!(published.loaded["version"], "1.2.3");
        assert_eq!(published.loaded, packaged.loaded);
        assert_eq!(published.errors, packaged.errors, "{name}");
        let names = |files: &[(String, String)]| files.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
        assert_eq!(names(&published.files), names(&packaged.files), "{name}");
        // Helm writes `Chart.yaml` again from its fields, so only what Helm loads from it is compared.
        let texts = |package: JudgedPackage| -> BTreeMap<String, String> {
            package.files.into_iter().filter(|(name, _)| !name.ends_with("/Chart.yaml")).collect()
        };
        let (digest, others) = (published.digest.clone(), published.files.len());
        assert_eq!(texts(published), texts(packaged), "{name}");
        assert!(others > 3, "{name}");

        // `helm push` makes the same manifest: configuration, layer and annotations.
        let own = manifest(&host, &format!("acme/charts/{name}"));
        assert_eq!(own, manifest(&host, &format!("helm/{name}")), "{name}");
        assert_eq!(own["layers"][0]["digest"], *digest);
    }
    assert!(TestChart::broker().files.contains_key(DATABASE), "a dependency is among the cases");
}
