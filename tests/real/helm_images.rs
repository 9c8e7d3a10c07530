//! A chart that Helm itself makes (`helm create`) is published with its image; Helm pulls, shows, lints and renders it, uses it as a dependency,
//! and every image that it renders is in the registry.
//!
//! Needs docker-registry, skopeo and `helm-python-sdk` in `target/tools`; `scripts/test.sh` installs them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::world;

const CONFIG: &str = "version = 1
[registries.r]
url = \"HOST/acme\"
[tags.version]
on = \"tag\"
template = \"v{{ version }}\"
[tags.sha]
on = [\"branch\", \"pull_request\"]
template = \"sha-{{ git.short_sha }}\"
[images.hello]
source = \"oci:image\"
[charts.web]
source = \"web\"
images = { \"image\" = \"hello\" }
";

const CREATE: &str = "import helm_python, sys; helm_python.Chart.create('web', sys.argv[1]).close()";

/// Prints the images that Helm renders from the published chart, and from a chart that depends on it.
const RENDER: &str = r#"
import helm_python as helm, json, pathlib, re, sys
host, version, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
(work / "pulled").mkdir(exist_ok=True)
client = helm.RegistryClient(plain_http=True, credentials_file=work / "credentials.json")
client.pull(f"oci://{host}/acme/charts/web", version=version, destination=work / "pulled", plain_http=True)
package = next((work / "pulled").glob(f"web-{version}.tgz"))

def images(path):
    with helm.Chart.load(path) as chart:
        rendered = chart.render()
    return sorted(set(re.findall(r'^\s*(?:- )?image: "?([^"\s]+)"?$', "\n".join(rendered.values()), re.M)))

shown = helm.show(str(package), output_format="values")
umbrella = work / f"umbrella-{version}"
(umbrella / "templates").mkdir(parents=True)
dependency = f"dependencies:\n- name: web\n  alias: front\n  condition: front.enabled\n  version: {version}\n  repository: oci://{host}/acme/charts\n"
(umbrella / "Chart.yaml").write_text("apiVersion: v2\nname: umbrella\nversion: 1.0.0\n" + dependency)
(umbrella / "values.yaml").write_text("front:\n  enabled: true\n")
helm.dependency_update(umbrella, plain_http=True)
errors = [found for found in helm.lint(package)["messages"] if found["severity"] == 3]
print(json.dumps({"images": images(package), "umbrella": images(umbrella), "shown": shown, "errors": errors}))
"#;

fn python(script: &str, arguments: &[&str], folder: &Path) -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/python3");
    let output = Command::new(&python)
        .args(["-c", script])
        .args(arguments)
        .envs(["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map(|key| (key, folder.join("helm"))))
        .output()
        .unwrap_or_else(|error| {
            panic!("cannot run `{}`, which `scripts/test.sh` installs: {error}", python.display())
        });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_image_that_helm_renders_from_a_published_chart_exists() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    for pin in ["", "pin = \"digest\"\n"] {
        let folder = Folder::with(&[("publish.toml", &format!("{}{pin}", CONFIG.replace("HOST", &host)))]);
        folder.image("image", &world::image(&format!("hello {pin}")));
        let path = folder.path.to_str().expect("a path");
        python(CREATE, &[path], &folder.path);
        let nth = if pin.is_empty() { 1 } else { 2 };
        for (at, version) in [
            (format!("--ref refs/tags/v{nth}.2.4"), format!("{nth}.2.4")),
            (
                format!("--ref refs/heads/main --sha {nth}f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c"),
                format!("0.0.0-main.sha{nth}f3c2ab"),
            ),
        ] {
            folder.run(&format!("apply {at} --auto-approve")).done().expect_code(0);
            let seen = python(RENDER, &[&host, &version, path], &folder.path);
            let seen: Value = serde_json::from_str(&seen).expect("JSON");
            assert_eq!(seen["errors"], serde_json::json!([]), "{seen}");
            assert!(
                seen["shown"].as_str().is_some_and(|it| it.contains(&format!("{host}/acme/hello"))),
                "{seen}"
            );
            for key in ["images", "umbrella"] {
                let images: Vec<&str> =
                    seen[key].as_array().expect("images").iter().filter_map(Value::as_str).collect();
                let own: Vec<&&str> = images.iter().filter(|image| image.contains("acme")).collect();
                assert_eq!(own.len(), 1, "{seen}");
                // skopeo takes either a tag or a digest.
                let image = match own[0].split_once('@') {
                    Some((name, digest)) => {
                        format!("{}@{digest}", name.rsplit_once(':').map_or(name, |it| it.0))
                    }
                    None => (*own[0]).to_owned(),
                };
                assert!(
                    world::digest(&format!("docker://{image}")).is_some(),
                    "{image} is not in the registry"
                );
            }
        }
        folder.run("verify").done().expect_code(0);
    }
}
