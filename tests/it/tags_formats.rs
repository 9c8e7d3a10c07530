//! The formats of `tags` for build tools: forward tags are never handed to a builder, texts survive the tool that reads them, and
//! what a plan refuses is refused.

use testkit::command::{EndedRun, Folder};

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
const RELEASE: &str = "--ref refs/tags/v1.2.3 --sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

const TEXT: &str = r#"version = 1

[registries.ghcr]
url = "ghcr.io/acme"

[registries.bundle]
url = "oci:dist/registry"

[registries.hub]
url = "docker.io/acme"

[tags.version]
on = "tag"
template = "v{{ version }}"

[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"

[tags.branch]
on = "branch"
template = "{{ git.branch | slug }}"
mutability = "forward"

[tags.pr]
on = "pull_request"
template = "pr-{{ pr.number }}"
mutability = "mutable"

[images.hello]
registries = ["ghcr", "hub", "bundle"]
source = "oci:dist/hello-{{ version }}"
labels = { "org.opencontainers.image.revision" = "{{ git.sha }}", note = "it's ${HOME} %{x}" }
annotations = { "org.opencontainers.image.revision" = "{{ git.sha }}" }
annotate = ["root", "descriptors"]
platforms = ["linux/amd64", "linux/arm64"]

[images."my.app"]
source = "oci:dist/app"
registries = ["ghcr"]

[charts.web]
source = "charts/web"
registries = ["ghcr"]
repository = "charts/web"
version = "{{ version }}"
"#;

fn folder() -> Folder {
    Folder::with(&[("publish.toml", TEXT)])
}

fn tags(arguments: &str) -> EndedRun {
    folder().run(&format!("tags {arguments}")).done()
}

#[test]
fn forward_tags_are_candidates_and_not_handed_to_a_builder() {
    let json = tags(&format!("--format json {RELEASE}")).expect_code(0).json();
    let hello = &json["images"]["hello"];
    assert_eq!(
        hello["references"],
        serde_json::json!([
            "ghcr.io/acme/hello:v1.2.3",
            "docker.io/acme/hello:v1.2.3",
            "oci:dist/registry/hello:v1.2.3"
        ])
    );
    assert_eq!(
        hello["candidates"],
        serde_json::json!([
            "ghcr.io/acme/hello:latest",
            "docker.io/acme/hello:latest",
            "oci:dist/registry/hello:latest"
        ])
    );
    assert_eq!(hello["tags"][1]["candidate"], true);
    assert_eq!(hello["tags"][0].get("candidate"), None);
    for format in ["github", "bake", "env", "gitlab-dotenv", "docker-args --target images.hello"] {
        let done = tags(&format!("--format {format} {RELEASE}")).expect_code(0).stdout();
        let offered = |line: &&str| {
            line.contains(":latest") && !line.to_lowercase().contains("candidates") && !line.contains("json=")
        };
        assert_eq!(done.lines().find(offered), None, "{format}\n{done}");
        let all = tags(&format!("--format {format} --all {RELEASE}")).expect_code(0).stdout();
        assert!(all.lines().any(|line| offered(&line)), "{format}\n{all}");
    }
    assert_eq!(json["images"]["hello"]["version"], "1.2.3");
}

#[test]
fn every_event_has_a_version() {
    for (flags, version) in [
        (RELEASE.to_owned(), "1.2.3"),
        (format!("--ref refs/heads/feature/x --sha {SHA}"), "feature-x"),
        (format!("--pr 7 --sha {SHA}"), "pr-7"),
    ] {
        let json = tags(&format!("--format json --target images.hello {flags}")).expect_code(0).json();
        assert_eq!(json["images"]["hello"]["version"], *version, "{flags}");
    }
}

#[test]
fn a_bake_file_has_a_target_for_each_image() {
    let done = tags(&format!("--format bake {RELEASE}")).expect_code(0);
    let expected = serde_json::json!({ "target": {
        "hello": {
            "tags": ["ghcr.io/acme/hello:v1.2.3", "docker.io/acme/hello:v1.2.3"],
            // Bake would evaluate `${…}` and `%{…}`.
            "labels": { "org.opencontainers.image.revision": SHA, "note": "it's $${HOME} %%{x}" },
            "annotations": [format!("index,manifest-descriptor:org.opencontainers.image.revision={SHA}")],
        },
        "my-app": { "tags": ["ghcr.io/acme/my.app:v1.2.3"], "labels": {}, "annotations": [] },
    }});
    assert_eq!(done.json(), expected);
}

#[test]
fn arguments_of_docker_are_for_one_image() {
    let done = tags(&format!("--format docker-args --target images.hello@ghcr {RELEASE}")).expect_code(0);
    assert_eq!(
        done.stdout(),
        format!(
            "--tag ghcr.io/acme/hello:v1.2.3 --label 'note=it'\\''s ${{HOME}} %{{x}}' --label org.opencontainers.image.revision={SHA} \
             --annotation index,manifest-descriptor:org.opencontainers.image.revision={SHA}\n"
        )
    );
    let several = tags(&format!("--format docker-args {RELEASE}")).expect_code(1);
    assert!(several.stderr().contains("images.hello, images.my.app"), "{}", several.shown());
    assert!(several.stderr().contains("--target images.hello"), "{}", several.shown());
}

#[test]
fn variables_for_shells_and_gitlab() {
    let done = tags(&format!("--format env --target images.hello {RELEASE}")).expect_code(0);
    assert_eq!(
        done.stdout(),
        "HELLO_VERSION=1.2.3\nHELLO_TAGS=v1.2.3,latest\n\
         HELLO_REFERENCES=ghcr.io/acme/hello:v1.2.3,docker.io/acme/hello:v1.2.3,oci:dist/registry/hello:v1.2.3\n\
         HELLO_CANDIDATES=ghcr.io/acme/hello:latest,docker.io/acme/hello:latest,oci:dist/registry/hello:latest\n"
    );
    let dotenv = tags(&format!("--format gitlab-dotenv --target charts.web {RELEASE}")).expect_code(0);
    assert_eq!(
        dotenv.stdout(),
        "CHARTS_WEB_VERSION=1.2.3\nCHARTS_WEB_TAGS=1.2.3\nCHARTS_WEB_REFERENCES=ghcr.io/acme/charts/web:1.2.3\n"
    );
    // Two names that become one.
    let folder = Folder::with(&[(
        "publish.toml",
        &TEXT.replace("[images.\"my.app\"]\n", "[images.Hello]\nrepository = \"other\"\n"),
    )]);
    let done = folder.run(&format!("tags --format env {RELEASE}")).done().expect_code(1);
    assert!(done.stderr().contains("HELLO_VERSION"), "{}", done.shown());
}

#[test]
fn outputs_of_a_step_have_labels_and_annotations() {
    let done = tags(&format!("--format github --target images.hello {RELEASE}")).expect_code(0).stdout();
    let rest = done.split_once('\n').expect("lines").1;
    assert_eq!(
        rest,
        format!(
            "hello-version=1.2.3\nhello-tags=v1.2.3,latest\n\
             hello-references=ghcr.io/acme/hello:v1.2.3,docker.io/acme/hello:v1.2.3,oci:dist/registry/hello:v1.2.3\n\
             hello-candidates=ghcr.io/acme/hello:latest,docker.io/acme/hello:latest,oci:dist/registry/hello:latest\n\
             hello-labels<<END_OF_LINES\nnote=it's ${{HOME}} %{{x}}\norg.opencontainers.image.revision={SHA}\nEND_OF_LINES\n\
             hello-annotations<<END_OF_LINES\nindex,manifest-descriptor:org.opencontainers.image.revision={SHA}\nEND_OF_LINES\n"
        )
    );
}

#[test]
fn what_a_plan_refuses_is_refused() {
    let text = TEXT.replace("source = \"oci:dist/app\"", "source = \"oci:dist/app\"\nrepository = \"hello\"");
    let folder = Folder::with(&[("publish.toml", &text)]);
    for format in ["text", "json", "bake"] {
        let done = folder.run(&format!("tags --format {format} {RELEASE}")).done().expect_code(1);
        assert!(done.stderr().contains("publish::tag::collision"), "{}", done.shown());
    }
    let unknown = tags(&format!("--target images.nothing {RELEASE}")).expect_code(1);
    assert!(unknown.stderr().contains("publish::plan::target"), "{}", unknown.shown());
    let label = TEXT.replace("note = ", "at = \"{{ git.commit_time }}\", note = ");
    let folder = Folder::with(&[("publish.toml", &label)]);
    // A label without a value here is only a warning: the build may need nothing but the tags.
    let done = folder.run(&format!("tags --format json {RELEASE}")).done().expect_code(0);
    assert!(done.stderr().contains("publish::context::missing"), "{}", done.shown());
}

#[test]
fn a_target_is_a_resource_a_registry_or_a_tag() {
    for (target, expected) in [
        ("images.hello@ghcr", serde_json::json!(["ghcr.io/acme/hello:v1.2.3"])),
        ("images.hello@hub:v1.2.3", serde_json::json!(["docker.io/acme/hello:v1.2.3"])),
        ("images.hello:latest", serde_json::json!([])),
    ] {
        let json = tags(&format!("--format json --target {target} {RELEASE}")).expect_code(0).json();
        assert_eq!(json["images"]["hello"]["references"], expected, "{target}");
        assert_eq!(json["images"].as_object().expect("images").len(), 1, "{target}");
    }
}

/// The text that HCL makes of a string in JSON, which it evaluates as a template (hashicorp/hcl, json/spec.md, "Expression Syntax";
/// hclsyntax/spec.md, "Template Literals"). An interpolation is a mistake here, because no text of a label is meant as one.
fn evaluated(text: &str) -> String {
    let (mut made, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        if let Some(mark) = ["$${", "%%{"].into_iter().find(|mark| rest.starts_with(mark)) {
            made.push_str(&mark[1..]);
            rest = &rest[mark.len()..];
        } else {
            assert!(!rest.starts_with("${") && !rest.starts_with("%{"), "`{text}` is evaluated");
            made.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    made
}

/// The program that reads the file cannot be installed everywhere, so this follows its documentation: docs.docker.com, "Bake file
/// reference", and moby/buildkit, "Image annotations with Buildkit".
#[test]
fn a_bake_file_says_in_bakes_language_what_the_json_says() {
    for flags in
        [RELEASE.to_owned(), format!("--pr 7 --sha {SHA}"), format!("--ref refs/heads/main --sha {SHA}")]
    {
        let bake = tags(&format!("--format bake {flags}")).expect_code(0).json();
        let plain = tags(&format!("--format json {flags}")).expect_code(0).json();
        let texts = |value: &serde_json::Value| -> Vec<String> {
            let items = value.as_array().expect("a list").iter();
            items.map(|it| evaluated(it.as_str().expect("a text"))).collect()
        };
        assert_eq!(bake.as_object().expect("blocks").keys().collect::<Vec<_>>(), ["target"]);
        for (name, target) in bake["target"].as_object().expect("targets") {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{name}");
            let keys: Vec<&String> = target.as_object().expect("a block").keys().collect();
            assert_eq!(keys, ["tags", "labels", "annotations"]);
            let image = &plain["images"][if name == "my-app" { "my.app" } else { name }];
            let pushed: Vec<String> =
                texts(&image["references"]).into_iter().filter(|it| !it.starts_with("oci:")).collect();
            assert_eq!(texts(&target["tags"]), pushed, "{name}");
            for reference in &pushed {
                let (_, tag) = reference.rsplit_once(':').expect("a tag");
                assert!(tag.parse::<oci_registry::Tag>().is_ok(), "{reference}");
            }
            for (key, value) in target["labels"].as_object().expect("labels") {
                assert_eq!(
                    evaluated(value.as_str().expect("a text")),
                    image["labels"][key].as_str().expect("a label")
                );
            }
            for annotation in texts(&target["annotations"]) {
                let (levels, rest) = annotation.split_once(':').expect("a level");
                let known = ["index", "manifest", "index-descriptor", "manifest-descriptor"];
                assert!(levels.split(',').all(|level| known.contains(&level)), "{annotation}");
                assert!(rest.split_once('=').is_some_and(|(key, _)| !key.is_empty()), "{annotation}");
            }
        }
    }
}
