//! Indexes and manifests of every format: the published content is compared with the results of real programs for the same source.
//!
//! Needs buildah, podman, skopeo, umoci and docker-registry; fails if one is missing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use testkit::{image, world};

use brokkr_publish::content::{Published, publishable};
use brokkr_publish::model::content::ContentSpec;
use oci_content::SourceSpec;
use oci_content::Surroundings;
use oci_content::{AnnotationPlace, ImageSpec};
use oci_registry::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry, run};
use testkit::image::{
    DOCKER_LIST, LayoutDirectory, OCI_INDEX, OCI_MANIFEST, TestImage, TestLayer, describe, sha256,
};

/// A folder of layouts, and a registry.
struct Desk {
    folder: TempDir,
    registry: DockerRegistry,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a directory"),
            registry: DockerRegistry::start(&AcceptedClients::None),
        }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let command = &mut Command::new(program);
        command.args(arguments).current_dir(self.at());
        command.env("BUILDAH_ISOLATION", "chroot").env("TMPDIR", self.at());
        String::from_utf8_lossy(&run(command)).trim().to_owned()
    }

    /// A program of the containers family with a store of its own in the folder.
    fn stored(&self, program: &str, arguments: &[&str]) -> String {
        let (root, runroot) = (self.path("store"), self.path("storerun"));
        let store = ["--storage-driver", "vfs", "--root", &root, "--runroot", &runroot];
        self.run(program, &[&store, arguments].concat())
    }

    fn path(&self, name: &str) -> String {
        self.at().join(name).to_str().expect("a path").to_owned()
    }

    /// Builds an image from scratch with one file, and pushes it to the layout of its name.
    fn build(&self, name: &str, architecture: &str, format: &str) {
        fs::write(self.at().join("hello.txt"), format!("hello from {architecture}\n")).expect("written");
        let container = self.stored("buildah", &["from", "scratch"]);
        self.stored("buildah", &["copy", &container, "hello.txt", "/"]);
        self.stored("buildah", &["config", "--os", "linux", "--arch", architecture, &container]);
        self.stored("buildah", &["config", "--label", "built=here", &container]);
        self.stored(
            "buildah",
            &["commit", "--format", if format == "v2s2" { "docker" } else { "oci" }, &container, name],
        );
        self.stored("buildah", &["rm", &container]);
        self.stored("buildah", &["push", "--format", format, name, &format!("oci:{}", self.path(name))]);
    }

    fn layout(&self, name: &str) -> LayoutDirectory {
        LayoutDirectory::create(&self.at().join(name))
    }

    fn publish(&self, source: &str, spec: ImageSpec) -> Published {
        let source = SourceSpec::One(source.parse().expect("a source"));
        let spec = ContentSpec::Image(ImageSpec { source, ..spec });
        publishable(&spec, &Surroundings::local(self.at())).unwrap_or_else(|error| panic!("{spec}: {error}"))
    }

    /// Writes all published content to the layout `name`.
    fn write(&self, published: &Published, name: &str) {
        let layout = self.layout(name);
        for manifest in &published.content.manifests {
            layout.put(manifest.media_type(), manifest.bytes());
        }
        for blob in &published.content.blobs {
            let mut bytes = Vec::new();
            published.source.open(blob).expect("opened").read_to_end(&mut bytes).expect("verified");
            assert_eq!((Digest::of(&bytes), bytes.len() as u64), (blob.digest.clone(), blob.size));
            layout.put(&blob.media_type, &bytes);
        }
        let root = published.content.manifests.last().expect("a root");
        layout.list(&describe(root.media_type(), root.bytes()), &[]);
    }

    /// Copies a layout to the registry without changes, and returns the digest in the registry.
    fn copy(&self, layout: &str, repository: &str) -> String {
        let to = format!("docker://{}/{repository}:x", self.registry.host());
        let options = ["copy", "--all", "--preserve-digests", "--quiet", "--dest-tls-verify=false"];
        self.run("skopeo", &[&options[..], &[&format!("oci:{layout}"), &to]].concat());
        self.digest(&to)
    }

    fn digest(&self, reference: &str) -> String {
        let tls = if reference.starts_with("docker:") { "--tls-verify=false" } else { "--debug=false" };
        let command = &mut Command::new("skopeo");
        sha256(&run(command.args(["inspect", "--raw", tls, reference]).current_dir(self.at())))
    }

    fn inspect(&self, layout: &str, architecture: &str) -> Value {
        let arguments = ["inspect", "--override-os", "linux", "--override-arch", architecture];
        serde_json::from_str(&self.run("skopeo", &[&arguments[..], &[&format!("oci:{layout}")]].concat()))
            .expect("JSON")
    }
}

fn put(layout: &LayoutDirectory, media_type: &str, value: &Value) -> Value {
    layout.put(media_type, &serde_json::to_vec_pretty(value).expect("json"))
}

fn as_is() -> ImageSpec {
    ImageSpec::of(SourceSpec::Several(Vec::new()))
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn single(platform: &str, seed: u64) -> TestImage {
    TestImage::new().platform(platform, vec![TestLayer::noise(seed, 500)]).single()
}

fn listed(written: &image::Written, platform: &str) -> Value {
    let mut entry = describe(&written.media_type, &written.bytes);
    let parts: Vec<&str> = platform.split('/').collect();
    entry["platform"] = json!({ "architecture": parts[1], "os": parts[0] });
    entry
}

/// Layouts of every format. skopeo copies the source to a registry without changes, and the copy has the published digest; so does a
/// copy of the published content.
#[test]
fn digests_are_those_that_skopeo_preserves() {
    let desk = Desk::new();
    let mut layouts = Vec::new();
    let mut made = |name: &'static str| {
        layouts.push(name);
        desk.at().join(name)
    };

    let at = made("attested");
    TestImage::new()
        .platform("linux/amd64", vec![TestLayer::noise(1, 500)])
        .platform("linux/arm64", vec![TestLayer::noise(2, 500)])
        .attested()
        .write(&at);

    // An OCI index of an OCI manifest and a Docker one.
    let at = made("mixed");
    let (oci, docker) =
        (single("linux/amd64", 1).reference("a"), single("linux/arm64", 2).docker().reference("b"));
    let entries = [listed(&oci.write(&at), "linux/amd64"), listed(&docker.write(&at), "linux/arm64")];
    replace_root(
        &at,
        OCI_INDEX,
        &json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries }),
    );

    // Docker's list.
    let at = made("docker-list");
    let written = single("linux/arm64", 2).docker().write(&at);
    let entries = [listed(&written, "linux/arm64")];
    replace_root(
        &at,
        DOCKER_LIST,
        &json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries }),
    );

    let at = made("empty-index");
    replace_root(&at, OCI_INDEX, &json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }));

    // An artifact with an empty configuration, inline content, a subject and unknown members.
    let at = made("artifact");
    let layout = LayoutDirectory::create(&at);
    let mut empty = layout.put("application/vnd.oci.empty.v1+json", b"{}");
    empty["data"] = json!("e30=");
    let about = single("linux/amd64", 1).write(&desk.at().join("about"));
    let artifact = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.example",
        "config": empty, "layers": [empty], "subject": describe(&about.media_type, &about.bytes),
        "annotations": { "a": "1" }, "x.unknown": [1.5],
    });
    replace_root(&at, OCI_MANIFEST, &artifact);

    // Base layers that are available elsewhere, of both kinds.
    let foreign = || vec![TestLayer::foreign("https://example.com/base"), TestLayer::noise(4, 500)];
    TestImage::new().platform("windows/amd64", foreign()).single().write(&made("foreign"));
    let mut base = foreign();
    base[0].descriptor["mediaType"] = json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    TestImage::new().platform("windows/amd64", base).docker().single().write(&made("foreign-docker"));

    // Go writes this for no layers; the manifest has no media type; one layer occurs twice.
    for (name, layers) in [("null-layers", json!(null)), ("one-layer-twice", json!([1, 1]))] {
        let at = made(name);
        let layout = LayoutDirectory::create(&at);
        let layer = TestLayer::noise(5, 500);
        let count = layers.as_array().map_or(0, Vec::len);
        let diff_ids = vec![layer.diff_id.as_str(); count];
        let config = json!({ "os": "linux", "architecture": "amd64", "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids } });
        let config = put(&layout, image::OCI_CONFIG, &config);
        let layer = layout.put(image::OCI_LAYER_GZIP, &layer.bytes);
        let layers = if count == 0 { layers } else { json!(vec![layer; count]) };
        replace_root(&at, OCI_MANIFEST, &json!({ "schemaVersion": 2, "config": config, "layers": layers }));
    }

    single("linux/amd64", 3).write(&desk.at().join("gzip"));
    let zstd = made("zstd");
    let options = ["copy", "--quiet", "--dest-compress", "--dest-compress-format", "zstd"];
    desk.run("skopeo", &[&options[..], &["oci:gzip", &format!("oci:{}", zstd.display())]].concat());

    desk.build("built-oci", "arm64", "oci");
    desk.build("built-docker", "arm64", "v2s2");
    layouts.extend(["built-oci", "built-docker"]);

    for name in layouts {
        let published = desk.publish(&format!("oci:{name}"), as_is());
        let digest = published.content.root.digest.as_str();
        assert_eq!(desk.digest(&format!("oci:{name}")), digest, "{name}");
        assert_eq!(desk.copy(name, name), digest, "{name}");
        desk.write(&published, &format!("{name}-published"));
        assert_eq!(desk.copy(&format!("{name}-published"), &format!("{name}-published")), digest, "{name}");
    }
    let zstd = desk.publish("oci:zstd", as_is());
    assert!(zstd.content.blobs[1].media_type.ends_with("+zstd"), "{:?}", zstd.content.blobs);
}

/// Makes a manifest the root of a layout.
fn replace_root(at: &Path, media_type: &str, root: &Value) {
    let layout = LayoutDirectory::create(at);
    fs::write(at.join("index.json"), br#"{"schemaVersion":2,"manifests":[]}"#).expect("written");
    layout.list(&put(&layout, media_type, root), &[]);
}

/// An index that buildah writes; the declared platforms of it are published, and the programs read it.
#[test]
fn a_selection_is_read_by_the_programs() {
    let desk = Desk::new();
    for (list, format) in [("both-oci", "oci"), ("both-docker", "v2s2")] {
        desk.stored("buildah", &["manifest", "create", list]);
        for architecture in ["amd64", "arm64", "s390x"] {
            let name = format!("{architecture}-{format}");
            desk.build(&name, architecture, format);
            desk.stored("buildah", &["manifest", "add", list, &name]);
        }
        let target = format!("oci:{}", desk.path(list));
        desk.stored("buildah", &["manifest", "push", "--all", "--format", format, list, &target]);
        let source = format!("oci:{list}");
        let all = ["linux/amd64", "linux/arm64", "linux/s390x"];
        let [all, some] = [&all[..], &all[1..]]
            .map(|names| names.iter().map(|it| it.parse().expect("a platform")).collect::<Vec<_>>());
        let unchanged = desk.publish(&source, ImageSpec { platforms: all, ..as_is() });
        assert_eq!(unchanged.content.root.digest.as_str(), desk.digest(&source));
        let published = desk.publish(&source, ImageSpec { platforms: some.clone(), ..as_is() });
        assert_eq!(published.content.platforms, some);
        assert_eq!(published.content.root.media_type, unchanged.content.root.media_type);
        let out = format!("{list}-some");
        desk.write(&published, &out);
        assert_eq!(desk.copy(&out, &out), published.content.root.digest.as_str());
        assert_eq!(desk.inspect(&out, "arm64")["Architecture"], "arm64");
        let reference = format!("docker://{}/{out}:x", desk.registry.host());
        let pull = ["pull", "--quiet", "--tls-verify=false", "--platform", "linux/s390x", &reference];
        let id = desk.stored("podman", &pull);
        let format = "{{.Architecture}} {{.Config.Labels.built}}";
        assert_eq!(desk.stored("podman", &["image", "inspect", "--format", format, &id]), "s390x here");
    }
}

/// Labels and annotations at every level: skopeo, podman, buildah and umoci report the written values.
#[test]
fn what_is_written_is_read_by_the_programs() {
    let desk = Desk::new();
    for format in ["oci", "v2s2"] {
        desk.build(format, "arm64", format);
        let labels = texts(&[("org.opencontainers.image.version", "1.2.3"), ("quoted", "\"<ü>\"")]);
        let labelled =
            desk.publish(&format!("oci:{format}"), ImageSpec { labels: labels.clone(), ..as_is() });
        let out = format!("{format}-labelled");
        desk.write(&labelled, &out);
        assert_eq!(desk.copy(&out, &out), labelled.content.root.digest.as_str());
        let inspected = desk.inspect(&out, "arm64");
        for (key, value) in
            labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain([("built", "here")])
        {
            assert_eq!(inspected["Labels"][key], json!(value), "{format}");
        }
        assert_eq!(inspected["Layers"], desk.inspect(format, "arm64")["Layers"]);
        // The image is complete: its layers are unpacked, and match those that its configuration names.
        let reference = format!("docker://{}/{out}:x", desk.registry.host());
        let container =
            desk.stored("buildah", &["from", "--arch", "arm64", "--tls-verify=false", &reference]);
        let mounted = desk.stored("buildah", &["mount", &container]);
        assert_eq!(
            fs::read_to_string(Path::new(&mounted).join("hello.txt")).expect("a file"),
            "hello from arm64\n"
        );
        let seen = desk.stored(
            "buildah",
            &["inspect", "--format", "{{index .OCIv1.Config.Labels \"quoted\"}}", &container],
        );
        assert_eq!(seen, "\"<ü>\"");
    }
    let spec = ImageSpec {
        annotations: texts(&[("a.written", "1")]),
        annotate: vec![AnnotationPlace::Manifests],
        labels: texts(&[("b", "2")]),
        ..as_is()
    };
    let published = desk.publish("oci:oci", spec);
    desk.write(&published, "annotated");
    desk.run("skopeo", &["copy", "--quiet", "--preserve-digests", "oci:annotated", "oci:named:v1"]);
    let stat: Value =
        serde_json::from_str(&desk.run("umoci", &["stat", "--image", "named:v1", "--json"])).expect("JSON");
    assert!(stat["history"].as_array().is_some_and(|it| !it.is_empty()), "{stat}");
    desk.run("umoci", &["unpack", "--rootless", "--image", "named:v1", "bundle"]);
    assert_eq!(
        fs::read_to_string(desk.at().join("bundle/rootfs/hello.txt")).expect("a file"),
        "hello from arm64\n"
    );
    let runtime: Value =
        serde_json::from_slice(&fs::read(desk.at().join("bundle/config.json")).expect("a file"))
            .expect("JSON");
    assert_eq!(runtime["annotations"]["b"], "2", "umoci makes annotations of labels");
}

/// An index of images that buildah built, with annotations on its manifests and its entries.
#[test]
fn manifests_and_entries_of_an_index_are_annotated() {
    let desk = Desk::new();
    desk.stored("buildah", &["manifest", "create", "both"]);
    for architecture in ["amd64", "arm64"] {
        desk.build(architecture, architecture, "oci");
        desk.stored("buildah", &["manifest", "add", "both", architecture]);
    }
    let target = format!("oci:{}", desk.path("both"));
    desk.stored("buildah", &["manifest", "push", "--all", "--format", "oci", "both", &target]);
    let spec = ImageSpec {
        annotations: texts(&[("a.written", "1")]),
        annotate: vec![AnnotationPlace::Root, AnnotationPlace::Manifests, AnnotationPlace::Descriptors],
        labels: texts(&[("b", "2")]),
        ..as_is()
    };
    let published = desk.publish("oci:both", spec);
    desk.write(&published, "out");
    assert_eq!(desk.copy("out", "out"), published.content.root.digest.as_str());
    let index: Value =
        serde_json::from_slice(published.content.manifests.last().expect("a root").bytes()).expect("JSON");
    assert_eq!(index["annotations"]["a.written"], "1");
    for entry in index["manifests"].as_array().expect("entries") {
        assert_eq!(entry["annotations"]["a.written"], "1");
        let reference =
            format!("docker://{}/out@{}", desk.registry.host(), entry["digest"].as_str().expect("a digest"));
        let raw = desk.run("skopeo", &["inspect", "--raw", "--tls-verify=false", &reference]);
        let manifest: Value = serde_json::from_str(&raw).expect("JSON");
        assert_eq!(manifest["annotations"]["a.written"], "1");
    }
    let reference = format!("docker://{}/out:x", desk.registry.host());
    let id = desk.stored("podman", &["pull", "--quiet", "--tls-verify=false", "--arch", "arm64", &reference]);
    let format = "{{.Architecture}} {{.Config.Labels.b}} {{index .Annotations \"a.written\"}}";
    assert_eq!(desk.stored("podman", &["image", "inspect", "--format", format, &id]), "arm64 2 1");
}

/// From `publish.toml` to a registry: the declared platforms of a nested index, with attestations.
#[test]
fn an_index_in_an_index_is_published_as_declared() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let rules = world::RELEASE_RULES;
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{}\"\n{rules}\n[images.app]\nsource = \"oci:image:outer\"\n\
         platforms = [\"linux/amd64\", \"linux/arm64\"]\nannotate = [\"root\", \"descriptors\"]\n\
         annotations = {{ version = \"{{{{ version }}}}\" }}\n\n[images.labelled]\nsource = \"oci:image:outer\"\n\
         platforms = [\"linux/s390x\"]\nlabels = {{ version = \"{{{{ version }}}}\" }}\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let at = folder.path.join("image");
    let [amd, arm, s390x] = ["linux/amd64", "linux/arm64", "linux/s390x"]
        .map(|it| TestImage::new().platform(it, vec![TestLayer::files(&[("on", it.as_bytes())])]));
    let inner: Vec<Value> = [(amd, "amd"), (arm, "arm")]
        .into_iter()
        .map(|(image, name)| {
            let written = image.attested().reference(name).write(&at);
            describe(&written.media_type, &written.bytes)
        })
        .collect();
    let other = listed(&s390x.single().reference("s390x").write(&at), "linux/s390x");
    let layout = LayoutDirectory::create(&at);
    let outer =
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner[0], other, inner[1]] });
    layout.list(&put(&layout, OCI_INDEX, &outer), &["outer".to_owned()]);
    folder.apply("1.2.3").done().expect_code(0);
    let again = folder.run("plan --detailed-exitcode --ref refs/tags/v1.2.3").done();
    assert_eq!(again.code(), Some(0), "the same bytes on every run\n{}", again.shown());

    let raw = |reference: &str| world::manifest(&format!("docker://{}/{reference}", registry.host()));
    let root = raw("app:v1.2.3");
    assert_eq!(root["annotations"], json!({ "version": "1.2.3" }));
    let mut found = Vec::new();
    for nested in root["manifests"].as_array().expect("entries") {
        assert_eq!(nested["mediaType"], OCI_INDEX);
        for entry in raw(&format!("app@{}", nested["digest"].as_str().expect("a digest")))["manifests"]
            .as_array()
            .expect("entries")
        {
            let about = entry["annotations"]["vnd.docker.reference.digest"].as_str().unwrap_or_default();
            let version = entry["annotations"]["version"].as_str().unwrap_or_default();
            found.push(format!("{} {version} {}", entry["platform"]["architecture"], !about.is_empty()));
            raw(&format!("app@{}", entry["digest"].as_str().expect("a digest")));
        }
    }
    let expected =
        ["\"amd64\" 1.2.3 false", "\"unknown\"  true", "\"arm64\" 1.2.3 false", "\"unknown\"  true"];
    assert_eq!(found, expected);
    let one = raw("labelled:v1.2.3");
    assert_eq!(one["manifests"].as_array().map(Vec::len), Some(1));
    let reference = format!("docker://{}/labelled:v1.2.3", registry.host());
    let inspect =
        ["inspect", "--tls-verify=false", "--override-os=linux", "--override-arch=s390x", &reference];
    let inspected: Value = serde_json::from_slice(&run(Command::new("skopeo").args(inspect))).expect("JSON");
    assert_eq!(inspected["Labels"], json!({ "version": "1.2.3" }));
    world::pull(&reference);
}
