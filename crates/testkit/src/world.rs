//! The environment of the end-to-end tests: a folder with a `publish.toml` and images, registries that real programs serve,
//! and skopeo, which shows their content.
//!

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Folder, ProgramRun};
use crate::docker_registry::run;
use crate::image::{TestImage, TestLayer, Written};

/// The rules of a release that most tests use.
pub const RELEASE_RULES: &str = r#"
[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"

[tags.major]
on = "tag"
template = "v{{ version.major }}"
mutability = "forward"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
"#;

/// A configuration with these registries (name and address), the rules of a release, and one image.
pub fn configuration(registries: &[(&str, &str)]) -> String {
    let registries: Vec<String> =
        registries.iter().map(|(name, url)| format!("\n[registries.{name}]\nurl = \"{url}\"\n")).collect();
    let registries = registries.concat();
    format!(
        "version = 1\n{registries}{RELEASE_RULES}\n[images.app]\nsource = \"oci:image\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]\n"
    )
}

/// A small image for two platforms; another `text` gives another digest.
pub fn image(text: &str) -> TestImage {
    let layer = |platform: &str| vec![TestLayer::files(&[("text", format!("{text} {platform}").as_bytes())])];
    TestImage::new()
        .platform("linux/amd64", layer("amd64"))
        .platform("linux/arm64", layer("arm64"))
        .attested()
}

impl Folder {
    /// Writes `image` to the layout `name`, and replaces the existing content.
    pub fn image(&self, name: &str, image: &TestImage) -> Written {
        let path = self.path.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        image.write(&path)
    }

    /// Applies at the git tag of `version`, without confirmation.
    pub fn apply(&self, version: &str) -> ProgramRun {
        self.run(&format!("apply --auto-approve --ref refs/tags/v{version}"))
    }

    /// Makes an image for `version`, publishes it, and returns the digest.
    pub fn publish(&self, version: &str) -> String {
        let written = self.image("image", &image(version));
        let _done = self.apply(version).done().expect_code(0);
        written.digest
    }

    /// Starts a run in the background.
    pub fn start(&self, arguments: &str) -> Child {
        let mut run = self.run(arguments);
        run.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs")
    }
}

/// The digest at `reference` (`docker://…`, `oci:…`) as skopeo reads it; `None` if it reads nothing.
pub fn digest(reference: &str) -> Option<String> {
    let mut command = Command::new("skopeo");
    command.args(["inspect", "--raw"]);
    if reference.starts_with("docker:") {
        command.arg("--tls-verify=false");
    }
    let output = command.arg(reference).output().expect("skopeo, which this test needs");
    output.status.success().then(|| crate::image::sha256(&output.stdout))
}

/// The raw manifest at `reference`.
pub fn manifest(reference: &str) -> serde_json::Value {
    let tls = if reference.starts_with("docker:") { "--tls-verify=false" } else { "--debug=false" };
    serde_json::from_slice(&run(Command::new("skopeo").args(["inspect", "--raw", tls, reference])))
        .expect("a manifest")
}

/// Every tag of a repository, sorted, as skopeo lists them; empty if there is no repository.
pub fn tags(repository: &str) -> Vec<String> {
    let output = Command::new("skopeo")
        .args(["list-tags", "--tls-verify=false", &format!("docker://{repository}")])
        .output()
        .expect("skopeo, which this test needs");
    if !output.status.success() {
        return Vec::new();
    }
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut tags: Vec<String> = listed["Tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|tag| tag.as_str().expect("a tag").to_owned())
        .collect();
    tags.sort();
    tags
}

/// Copies the image of a layout to `to`, without the program under test.
pub fn copy(layout: &Path, to: &str) {
    run(Command::new("skopeo")
        .args(["copy", "--all", "--quiet", "--dest-tls-verify=false"])
        .args([format!("oci:{}", layout.display()), format!("docker://{to}")]));
}

/// Pulls everything that `reference` names into a layout, which verifies each digest.
pub fn pull(reference: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    run(Command::new("skopeo")
        .args(["copy", "--all", "--quiet", "--src-tls-verify=false", reference])
        .arg(format!("oci:{}:x", folder.path().join("pulled").display())));
}

/// Sends a signal (`INT`, `STOP`, `CONT`, `KILL`) to a process.
pub fn signal(name: &str, process: u32) {
    run(Command::new("sh").args(["-c", &format!("kill -{name} {process}")]));
}

/// Waits until `holds` is true, at most half a minute.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The size of all files below `folder`, in bytes.
pub fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
