//! `repository` as a template and as a list: several repositories of one image, `REGISTRY:PATH`, and upper case.

use testkit::command::{EndedRun, Folder};
use testkit::world::image;

const SHA: &str = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";

fn text(image: &str) -> String {
    format!(
        r#"version = 1

[vars]
team = "Core"

[registries.ghcr]
url = "ghcr.io"

[registries.hub]
url = "docker.io/acme"

[tags.branch]
on = "branch"
template = "{{{{ git.branch | slug }}}}"
mutability = "mutable"

[images.app]
source = "oci:dist/app"
{image}
"#
    )
}

fn tags(image: &str, flags: &str) -> EndedRun {
    let folder = Folder::with(&[("publish.toml", &text(image))]);
    folder
        .run(&format!("tags --format json --ref refs/heads/main --sha {SHA} {flags}"))
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_REPOSITORY", "Acme/App")
        .done()
}

fn references(image: &str, flags: &str) -> Vec<String> {
    let json = tags(image, flags).expect_code(0).json();
    let references = json["images"]["app"]["references"].as_array().expect("references").clone();
    references.iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
}

/// The messages without their line breaks.
fn said(done: &EndedRun) -> String {
    done.stderr().replace("│ ", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_image_has_a_list_of_repositories() {
    for (image, flags, expected) in [
        ("repository = [\"name/app\"]", "", vec!["ghcr.io/name/app:main", "docker.io/acme/name/app:main"]),
        (
            "repository = [\"name/app\", \"ghcr:other/app\"]",
            "",
            vec!["ghcr.io/name/app:main", "docker.io/acme/name/app:main", "ghcr.io/other/app:main"],
        ),
        ("repository = [\"ghcr:a/b\", \"hub:c\"]", "", vec!["ghcr.io/a/b:main", "docker.io/acme/c:main"]),
        ("repository = \"ghcr:a/b\"", "", vec!["ghcr.io/a/b:main"]),
        ("repository = [\"a/b\", \"ghcr:a/b\"]\nregistries = [\"ghcr\"]", "", vec!["ghcr.io/a/b:main"]),
        ("repository = \"{{ ci.repository }}\"\nregistries = [\"ghcr\"]", "", vec!["ghcr.io/acme/app:main"]),
        (
            "repository = [\"ghcr:{{ ci.repository | lower }}\", \"hub:{{ image.name }}-{{ vars.team | lower }}\"]",
            "",
            vec!["ghcr.io/acme/app:main", "docker.io/acme/app-core:main"],
        ),
        (
            "repository = [\"x/a\", \"ghcr:x/b\"]",
            "--target images.app@ghcr",
            vec!["ghcr.io/x/a:main", "ghcr.io/x/b:main"],
        ),
        ("repository = [\"x/a\", \"ghcr:x/b\"]", "--target images.app@ghcr/x/b", vec!["ghcr.io/x/b:main"]),
        ("repository = \"Name/App\"\nregistries = [\"ghcr\"]", "", vec!["ghcr.io/name/app:main"]),
    ] {
        assert_eq!(references(image, flags), expected, "{image} {flags}");
    }
}

#[test]
fn upper_case_is_lowered_with_a_note() {
    let done = tags("repository = \"{{ ci.repository }}\"", "").expect_code(0);
    assert!(said(&done).contains("the repository `Acme/App` is published as `acme/app`"), "{}", done.shown());
    let quiet = tags("repository = \"{{ ci.repository | lower }}\"", "").expect_code(0);
    assert!(!said(&quiet).contains("is published as"), "{}", quiet.shown());
    let folder = Folder::with(&[("publish.toml", &text("repository = \"Name/App\""))]);
    let lint = folder.run("lint").done().expect_code(0);
    assert!(said(&lint).contains("the repository `Name/App` is published as `name/app`"), "{}", lint.shown());
}

#[test]
fn what_is_wrong_with_a_repository_is_found() {
    for (image, command, messages) in [
        (
            "repository = \"{{ ci.repo }}\"",
            "lint",
            vec!["`ci.repo` is not a template variable", "ci.repository"],
        ),
        ("repository = \"{{ image.name }}//x\"", "lint", vec!["`app//x` is not a repository name"]),
        ("repository = [\"nowhere:a/b\"]", "lint", vec!["there is no registry `nowhere`"]),
        ("repository = [\"a/b\", \"a//b\"]", "lint", vec!["`a//b` is not a repository name"]),
        ("repository = []", "lint", vec!["is empty"]),
        (
            "repository = \"app-{{ pr.number }}\"",
            "tags --ref refs/heads/main",
            vec!["`repository` of image `app`: `pr.number` has no value here"],
        ),
    ] {
        let folder = Folder::with(&[("publish.toml", &text(image))]);
        let done = folder.run(command).done().expect_code(1);
        for message in messages {
            assert!(said(&done).contains(message), "{image}: {}", done.shown());
        }
    }
    let folder = Folder::with(&[("publish.toml", &text("repository = \"app-{{ pr.number }}\""))]);
    folder.run("lint").done().expect_code(0);
}

#[test]
fn every_repository_of_a_registry_is_published_and_verified() {
    let text = r#"version = 1

[registries.bundle]
url = "oci:registry"

[tags.version]
on = "tag"
template = "v{{ version }}"

[images.app]
source = "oci:dist/app"
repository = ["one/{{ image.name }}", "bundle:two/{{ git.tag | default('x') | slug }}"]
"#;
    let folder =
        Folder::with(&[("publish.toml", &text.replace("{{ git.tag | default('x') | slug }}", "app"))]);
    folder.image("dist/app", &image("1.2.3"));
    let release = format!("--ref refs/tags/v1.2.3 --sha {SHA}");
    let plan = folder.run(&format!("plan {release} --out plan.json")).wide().done().expect_code(0);
    let shown = plan.shown();
    assert!(shown.contains("oci:registry/one/app") && shown.contains("oci:registry/two/app"), "{shown}");
    let saved = folder.read("plan.json");
    assert!(
        saved.contains("images.app@bundle:v1.2.3") && saved.contains("images.app@bundle/two/app:v1.2.3"),
        "{saved}"
    );
    let _applied = folder.run("apply plan.json").done().expect_code(0);
    let again = folder.run(&format!("plan {release}")).wide().done().expect_code(0);
    assert!(
        again.shown().contains("0 to create") || !again.shown().contains("to create"),
        "{}",
        again.shown()
    );
    let one = folder
        .run(&format!("plan {release} --target images.app@bundle/two/app"))
        .wide()
        .done()
        .expect_code(0);
    assert!(!one.shown().contains("oci:registry/one/app"), "{}", one.shown());
    folder.run("verify").done().expect_code(0);
}
