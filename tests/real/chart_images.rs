//! Charts that name images of the same run: the packaged values, the order in which a registry gets them, and what stops a chart whose
//! image is missing. Needs docker-registry and skopeo.

use testkit::chart::TestChart;
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::world;

const VALUES: &str = "# Values of web.\nreplicaCount: 1\n\nimage:\n  repository: nginx # the default of helm create\n  pullPolicy: IfNotPresent\n  \
                      # Overrides the image tag whose default is the chart appVersion.\n  tag: \"\"\n\nworkers:\n  - name: one\n    image: 'old:1'\n";

const RULES: &str = "
[tags.version]
on = \"tag\"
template = \"v{{ version }}\"
[tags.latest]
on = \"tag\"
template = \"latest\"
mutability = \"forward\"
[tags.sha]
on = [\"branch\", \"pull_request\"]
template = \"sha-{{ git.short_sha }}\"
on_conflict = \"keep\"
[tags.nightly]
on = \"schedule\"
template = \"nightly\"
mutability = \"mutable\"
";

fn project(registry: &DockerRegistry, chart: &str) -> Folder {
    let text = format!(
        "version = 1\n[registries.r]\nurl = \"{}/acme\"\n{RULES}\n[images.app]\nsource = \"oci:image\"\n\
         [charts.web]\nsource = \"chart\"\n{chart}\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    folder.image("image", &world::image("one"));
    TestChart::small("web", "0.1.0").with("values.yaml", VALUES).write(&folder.path.join("chart"));
    folder
}

/// The `values.yaml` that `package` writes, and its `appVersion`.
fn packaged(folder: &Folder, arguments: &str) -> (String, String) {
    folder.run(&format!("package {arguments} --target charts.web --destination out")).done().expect_code(0);
    let package =
        std::fs::read_dir(folder.path.join("out")).expect("files").next().expect("a file").expect("a file");
    let read = |name: &str| {
        let bytes = std::fs::read(package.path()).expect("a package");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let mut entry = archive
            .entries()
            .expect("a tar file")
            .map(|entry| entry.expect("an entry"))
            .find(|entry| entry.path().expect("a name").ends_with(name))
            .expect(name);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).expect("text");
        text
    };
    let chart = read("web/Chart.yaml");
    let app_version = chart.lines().find_map(|line| line.strip_prefix("appVersion: ")).unwrap_or_default();
    let values = read("web/values.yaml");
    std::fs::remove_dir_all(folder.path.join("out")).expect("removed");
    (values, app_version.to_owned())
}

const IMAGES: &str = "images = { \"image\" = \"app\", \"workers.0.image\" = \"app\" }";

#[test]
fn a_chart_names_what_the_same_run_publishes() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = project(&registry, IMAGES);
    let name = format!("{}/acme/app", registry.host());
    folder.run("lint").done().expect_code(0);
    let plan = folder.run("plan --ref refs/tags/v1.2.4").wide().done().expect_code(0).stdout();
    for (path, change) in [
        ("image.repository", format!("nginx → {name}")),
        ("image.tag", "\"\" → v1.2.4".to_owned()),
        ("workers.0.image", format!("old:1 → {name}:v1.2.4")),
    ] {
        let row = plan.lines().find(|line| line.contains(path)).unwrap_or_else(|| panic!("{path}: {plan}"));
        assert!(row.contains(&change) && row.contains("in values.yaml"), "{row}");
    }
    let (values, app_version) = packaged(&folder, "--ref refs/tags/v1.2.4");
    let expected = VALUES
        .replace("repository: nginx #", &format!("repository: {name} #"))
        .replace("tag: \"\"", "tag: \"v1.2.4\"")
        .replace("'old:1'", &format!("'{name}:v1.2.4'"));
    assert_eq!((values, app_version.as_str()), (expected, "v1.2.4"));

    // A saved plan is enough, and the chart gets its tag last.
    folder.run("plan --ref refs/tags/v1.2.4 --out plan.json").done().expect_code(0);
    folder.run("apply plan.json").done().expect_code(0);
    let puts: Vec<String> = registry
        .requests()
        .into_iter()
        .filter(|it| it.starts_with("PUT") && !it.contains("sha256"))
        .collect();
    let place =
        |end: &str| puts.iter().position(|it| it.contains(end)).unwrap_or_else(|| panic!("{end}: {puts:?}"));
    assert!(place("app/manifests/v1.2.4") < place("web/manifests/1.2.4"), "{puts:?}");
    assert!(place("web/manifests/1.2.4") < place("app/manifests/latest"), "{puts:?}");
    folder.run("plan --ref refs/tags/v1.2.4 --detailed-exitcode").done().expect_code(0);
    folder.run("verify").done().expect_code(0);

    // On a branch it is the tag of the branch.
    let (values, _) =
        packaged(&folder, "--ref refs/heads/main --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c");
    assert!(values.contains("tag: \"sha-9f3c2ab\""), "{values}");
}

#[test]
fn a_chart_names_digests() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = project(&registry, &format!("{IMAGES}\npin = \"digest\""));
    let first = folder.image("image", &world::image("one")).digest;
    let name = format!("{}/acme/app", registry.host());
    let commit = "--ref refs/heads/main --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    let (values, _) = packaged(&folder, commit);
    assert!(values.contains(&format!("tag: \"sha-9f3c2ab@{first}\"")), "{values}");
    assert!(values.contains(&format!("image: '{name}@{first}'")), "{values}");
    folder.run(&format!("apply {commit} --auto-approve")).done().expect_code(0);

    // A rebuilt commit keeps the digest published first, and the chart names that one: nothing changes.
    folder.image("image", &world::image("two"));
    let done = folder.run(&format!("plan {commit} --detailed-exitcode")).done().expect_code(0);
    assert!(done.stdout().contains("No tag has to change"), "{}", done.stdout());
}

#[test]
fn a_tag_that_moves_is_named_by_digest_unless_it_is_asked_for() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = project(&registry, "images = { \"image\" = \"app\" }\nversion = \"0.0.0-nightly\"");
    let digest = folder.image("image", &world::image("one")).digest;
    let (values, _) = packaged(&folder, "--event schedule --ref refs/heads/main");
    assert!(values.contains(&format!("tag: \"nightly@{digest}\"")), "{values}");

    folder.write("publish.toml", folder.read("publish.toml") + "pin = \"tag\"\n");
    let (values, _) = packaged(&folder, "--event schedule --ref refs/heads/main");
    assert!(values.contains("tag: \"nightly\""), "{values}");
    folder.run("apply --event schedule --ref refs/heads/main --auto-approve").done().expect_code(0);
    let puts: Vec<String> = registry.requests().into_iter().filter(|it| it.starts_with("PUT")).collect();
    let place =
        |end: &str| puts.iter().position(|it| it.contains(end)).unwrap_or_else(|| panic!("{end}: {puts:?}"));
    assert!(place("app/manifests/nightly") < place("web/manifests/0.0.0-nightly"), "{puts:?}");
}

#[test]
fn a_chart_whose_image_is_missing_is_not_published() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = project(&registry, "images = { \"image\" = \"app\" }");
    let alone = "--ref refs/tags/v1.2.4 --target charts.web";
    let error = folder.run(&format!("plan {alone}")).wide().done().expect_code(1).shown();
    assert!(
        error.contains("publish::source::chart_image") && error.contains("is not in the registry"),
        "{error}"
    );
    folder.run("apply --ref refs/tags/v1.2.4 --auto-approve --target images.app").done().expect_code(0);
    folder.run(&format!("apply {alone} --auto-approve")).done().expect_code(0);
    assert!(registry.tagged("acme/charts/web", "1.2.4").is_some());

    // Nothing is published of the chart on events that publish nothing of its image.
    let by_hand = "plan --event manual --ref refs/heads/main --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    let shown = folder.run(by_hand).wide().done().stdout();
    assert!(shown.contains("the chart names image `app`, of which nothing is published"), "{shown}");
}

#[test]
fn verify_asks_for_the_images_of_published_charts() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = project(&registry, "images = { \"image\" = \"app\" }");
    folder.run("apply --ref refs/tags/v1.2.4 --auto-approve").done().expect_code(0);
    folder.run("verify").done().expect_code(0);
    let tags = "docker/registry/v2/repositories/acme/app/_manifests/tags/v1.2.4";
    std::fs::remove_dir_all(registry.data().join(tags)).expect("removed");
    let shown = folder.run("verify --target charts.web").wide().done().expect_code(2).shown();
    assert!(shown.contains("acme/app:v1.2.4"), "{shown}");
}
