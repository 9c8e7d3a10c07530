//! Files that builders leave behind as sources: metadata files, lists of digests, archives from a pipe, references without `docker://`.

use std::fs::File;

use bytes::Bytes;
use testkit::command::{EndedRun, Folder};
use testkit::image::{OCI_INDEX, OCI_MANIFEST, TestImage, TestLayer, Written, files_of, to_archive};
use testkit::test_registry::{TestRegistry, TestRegistryOptions};

const RULES: &str = "version = 1\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n";

fn image(text: &str) -> TestImage {
    let layer = |platform: &str| vec![TestLayer::files(&[("text", format!("{text} {platform}").as_bytes())])];
    TestImage::new()
        .platform("linux/amd64", layer("amd64"))
        .platform("linux/arm64", layer("arm64"))
        .attested()
}

/// Pushes an image to the repository `app`, as a build with `--push` does.
fn push(registry: &TestRegistry, folder: &Folder, image: &TestImage) -> Written {
    let written = folder.image("built", image);
    let mut content = registry.content();
    for (name, bytes) in files_of(&written.directory) {
        if !name.starts_with("blobs/") {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.starts_with('{') && text.contains("\"manifests\"") {
            content.put("app", OCI_INDEX, &bytes);
        } else if text.starts_with('{') && text.contains("\"schemaVersion\"") {
            content.put("app", OCI_MANIFEST, &bytes);
        } else {
            content.blob("app", &Bytes::from(bytes));
        }
    }
    written
}

fn published(registry: &TestRegistry, tag: &str) -> Option<String> {
    let at = ("app".to_owned(), tag.to_owned());
    registry.content().tags.get(&at).map(ToString::to_string)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_that_a_builder_reports_is_published_byte_for_byte() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let host = registry.host();
    let config = |more: &str| {
        format!(
            "{RULES}[registries.home]\nurl = \"{host}\"\n[images.app]\nsource = {{ digests = \"file\", from = \"docker://{host}/app\"{more} }}\n"
        )
    };
    let folder = Folder::with(&[("publish.toml", &config(""))]);
    let digest = push(&registry, &folder, &image("hello")).digest;
    let other = format!("sha256:{}", "0".repeat(64));
    let metadata = format!(
        "\"containerimage.digest\": \"{digest}\", \"containerimage.descriptor\": {{ \"digest\": \"{digest}\", \"size\": 1 }}"
    );
    for (number, (text, more)) in [
        (format!("{{ {metadata}, \"image.name\": \"{host}/app:dev\" }}"), ""),
        (
            format!(
                "{{ \"app\": {{ {metadata}, \"image.name\": \"{host}/app\" }}, \"web\": {{ \"containerimage.digest\": \"{other}\", \"image.name\": \"{host}/web\" }} }}"
            ),
            "",
        ),
        (
            format!("{{ \"app\": {{ {metadata} }}, \"web\": {{ \"containerimage.digest\": \"{other}\" }} }}"),
            ", target = \"app\"",
        ),
        (digest.clone(), ""),
        (format!("{host}/app@{digest}\r\n{host}/web@{other}\r\n"), ""),
        (format!("{host}/app:dev@{digest}\nquay.io/other/app:dev@{other}\n"), ""),
    ]
    .into_iter()
    .enumerate()
    {
        folder.write("publish.toml", config(more)).write("file", &text);
        folder.apply(&format!("1.0.{number}")).wide().done().expect_code(0);
        assert_eq!(published(&registry, &format!("v1.0.{number}")).as_ref(), Some(&digest), "{text}");
    }
    for (text, words) in [
        (format!("{host}/web@{other}"), format!("lists no image of `{host}/app`, only of `{host}/web`")),
        ("{ \"buildx.build.ref\": \"x\" }".to_owned(), "exported no image".to_owned()),
        (String::new(), "it is empty".to_owned()),
    ] {
        folder.write("publish.toml", config("")).write("file", &text);
        let error = folder.run("plan --ref refs/tags/v2.0.0").wide().done().expect_code(1).error();
        assert!(error.contains(&words), "{words}\n{error}");
    }
}

fn with_input(folder: &Folder, arguments: &str, input: &str) -> EndedRun {
    let mut run = folder.run(arguments).wide();
    run.command.stdin(File::open(folder.path.join(input)).expect("a file"));
    run.done()
}

#[test]
fn an_archive_comes_from_a_pipe() {
    let folder = Folder::with(&[(
        "publish.toml",
        &format!(
            "{RULES}[registries.bundle]\nurl = \"oci:registry\"\n[images.app]\nsource = \"oci-archive:-\"\n"
        ),
    )]);
    for (name, text) in [("one.tar", "one"), ("two.tar", "two")] {
        let written = folder.image("built", &image(text));
        to_archive(&written.directory, &folder.path.join(name));
        std::fs::remove_dir_all(&written.directory).expect("removed");
    }
    folder.run("lint").done().expect_code(0);
    let plan = "plan --ref refs/tags/v1.2.3 --out plan.json";
    assert!(
        with_input(&folder, plan, "one.tar").expect_code(0).stdout().contains("linux/amd64, linux/arm64")
    );
    // The plan is about one image.
    let stale = with_input(&folder, "apply plan.json", "two.tar");
    assert_ne!(stale.code(), Some(0), "{}", stale.shown());
    assert!(!folder.path.join("registry/app/index.json").exists(), "{}", stale.shown());
    with_input(&folder, "apply plan.json", "one.tar").expect_code(0);
    let none = folder.run("plan --ref refs/tags/v1.2.4").wide().done().expect_code(1).error();
    assert!(none.contains("but the standard input is empty"), "{none}");
    assert!(none.contains("pipe the archive into the command"), "{none}");
}
