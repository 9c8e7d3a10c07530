//! Standard labels and annotations, as `tags` gives them to build tools: from the project, the context and the CI.

use testkit::command::{EndedRun, Folder};

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

fn text(project: &str, image: &str) -> String {
    format!(
        r#"version = 1

[project]
{project}

[registries.ghcr]
url = "ghcr.io/acme"

[tags.version]
on = "tag"
template = "v{{{{ version }}}}"

[tags.branch]
on = ["branch", "pull_request"]
template = "{{{{ git.branch | slug }}}}"
mutability = "mutable"

[images.app]
source = "oci:dist/app"
{image}
"#
    )
}

fn bake(project: &str, image: &str, flags: &str, environment: &[(&str, &str)]) -> EndedRun {
    let folder = Folder::with(&[("publish.toml", &text(project, image))]);
    let mut run = folder.run(&format!("tags --format bake {flags}"));
    for (name, value) in environment {
        run = run.env(name, value);
    }
    run.env("SOURCE_DATE_EPOCH", "1767323045").done()
}

fn labels(run: &EndedRun) -> Vec<String> {
    let json = run.json();
    let labels = json["target"]["app"]["labels"].as_object().expect("labels").clone();
    labels
        .iter()
        .map(|(key, value)| {
            format!("{}={}", key.replace("org.opencontainers.image.", ""), value.as_str().unwrap_or_default())
        })
        .collect()
}

/// The messages without their line breaks.
fn said(done: &EndedRun) -> String {
    done.stderr().replace("│ ", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_project_and_the_context_give_the_standard_labels() {
    let project = r#"labels = "standard"
source = "https://github.com/acme/app"
description = "An app"
licenses = "MIT""#;
    let done = bake(project, "", &format!("--ref refs/tags/v1.2.3 --sha {SHA}"), &[]).expect_code(0);
    let revision = format!("revision={SHA}");
    assert_eq!(
        labels(&done),
        [
            "created=2026-01-02T03:04:05Z",
            "description=An app",
            "licenses=MIT",
            "ref.name=v1.2.3",
            &revision,
            "source=https://github.com/acme/app",
            "title=app",
            "url=https://github.com/acme/app",
            "version=1.2.3",
        ]
    );
    assert_eq!(
        done.json()["target"]["app"]["annotations"].as_array().map(Vec::len),
        Some(1),
        "only the source"
    );
}

#[test]
fn each_can_be_overridden_for_the_project_and_for_an_image() {
    let project = r#"source = "https://github.com/acme/app"
[project.labels]
standard = true
"org.opencontainers.image.title" = "Acme {{ image.name }}"
"org.opencontainers.image.vendor" = "Acme"
"org.opencontainers.image.created" = "" "#;
    let image = r#"labels = { "org.opencontainers.image.vendor" = "Other", "org.opencontainers.image.ref.name" = "{{ git.branch }}!" }"#;
    let done = bake(project, image, &format!("--ref refs/heads/main --sha {SHA}"), &[]).expect_code(0);
    let revision = format!("revision={SHA}");
    assert_eq!(
        labels(&done),
        [
            "ref.name=main!",
            &revision,
            "source=https://github.com/acme/app",
            "title=Acme app",
            "url=https://github.com/acme/app",
            "vendor=Other",
        ]
    );
}

#[test]
fn the_ci_knows_more_about_the_repository() {
    let event = r#"{"repository": {"full_name": "Acme/App", "description": "From GitHub", "homepage": "https://acme.example",
        "license": {"spdx_id": "Apache-2.0"}, "default_branch": "main"}}"#;
    let folder = Folder::with(&[
        ("publish.toml", &text("labels = \"standard\"\nannotations = \"standard\"", "")),
        ("event.json", event),
    ]);
    let path = folder.path.join("event.json");
    let done = folder
        .run("tags --format bake")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REF", "refs/heads/feature/x#1")
        .env("GITHUB_SHA", SHA)
        .env("GITHUB_REPOSITORY", "Acme/App")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_EVENT_PATH", path.display().to_string())
        .done()
        .expect_code(0);
    let revision = format!("revision={SHA}");
    let expected = [
        "description=From GitHub",
        "licenses=Apache-2.0",
        "ref.name=feature/x-1",
        &revision,
        "source=https://github.com/Acme/App",
        "title=app",
        "url=https://acme.example",
    ];
    assert_eq!(labels(&done), expected);
    let json = done.json();
    let annotations = json["target"]["app"]["annotations"].as_array().expect("annotations");
    let shown: Vec<String> = annotations
        .iter()
        .map(|it| it.as_str().unwrap_or_default().replace("manifest:org.opencontainers.image.", ""))
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn a_wrong_template_of_the_project_is_found_by_lint() {
    let folder = Folder::with(&[("publish.toml", &text("labels = { a = \"{{ git.shaa }}\" }", ""))]);
    let done = folder.run("lint").done().expect_code(1);
    assert!(said(&done).contains("the project: `git.shaa` is not a template variable"), "{}", done.shown());
    assert!(said(&done).contains("did you mean `git.sha`?"), "{}", done.shown());
}
