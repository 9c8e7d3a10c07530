//! `images` of a chart in `publish.toml`, and images that charts name by themselves.

use testkit::chart::TestChart;
use testkit::command::Folder;

/// A folder with a chart whose values and template are given; `more` belongs to the chart in `publish.toml`.
fn folder(values: &str, template: &str, app_version: &str, more: &str) -> Folder {
    let text = format!(
        "version = 1\n[registries.ghcr]\nurl = \"ghcr.io/acme\"\n\
         [tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\
         [tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n\
         [tags.sha]\non = \"branch\"\ntemplate = \"sha-{{{{ git.short_sha }}}}\"\n\
         [images.hello]\nsource = \"oci:hello\"\n[charts.web]\nsource = \"chart\"\n{more}\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let chart = format!("apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: \"{app_version}\"\n");
    TestChart::small("web", "0.1.0")
        .with("Chart.yaml", &chart)
        .with("values.yaml", values)
        .with("templates/deployment.yaml", template)
        .write(&folder.path.join("chart"));
    folder
}

const CREATED: &str = "image:\n  repository: ghcr.io/acme/hello\n  tag: \"\"\n";
const TEMPLATE: &str =
    "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\n";
const LINE: &str = "images = { \"image\" = \"hello\" }";

/// The three charts of issue 14: a chart of `helm create`, and `app_version` that lacks the `v` of a release and the `sha-` of a branch.
#[test]
fn a_chart_that_renders_a_tag_that_no_rule_renders_is_reported() {
    let fixed = "image: ghcr.io/acme/hello:1.16.0\n";
    let in_template = "      - image: \"ghcr.io/acme/hello:{{ .Chart.AppVersion }}\"\n";
    for (values, template, app_version, more, expected) in [
        (
            CREATED,
            TEMPLATE,
            "1.16.0",
            "",
            "names `ghcr.io/acme/hello:1.16.0`, its `appVersion`, a tag that no rule of image `hello` renders",
        ),
        (
            CREATED,
            TEMPLATE,
            "1.16.0",
            "app_version = \"{{ version }}\"\nversion = \"{{ version }}\"",
            "names `ghcr.io/acme/hello:1.4.2` by its `appVersion`",
        ),
        (
            CREATED,
            TEMPLATE,
            "1.16.0",
            "app_version = \"{{ 'v' ~ version if event == 'tag' else git.short_sha }}\"",
            "names `ghcr.io/acme/hello:9f3c2ab` by its `appVersion`",
        ),
        (
            fixed,
            "a: b\n",
            "1.16.0",
            "",
            "names `ghcr.io/acme/hello:1.16.0`, a tag that no rule of image `hello` renders",
        ),
        (
            "image:\n  repository: ghcr.io/acme/hello\n  tag: stable\n",
            "a: b\n",
            "1",
            "",
            "names `ghcr.io/acme/hello:stable`, a tag that no rule",
        ),
        (
            "image:\n  registry: ghcr.io\n  repository: acme/hello\n  tag: stable\n",
            "a: b\n",
            "1",
            "",
            "names `ghcr.io/acme/hello:stable`",
        ),
        (
            "workers:\n- image: ghcr.io/acme/hello:stable\n",
            "a: b\n",
            "1",
            "",
            "`images = { \"workers.0.image\" = \"hello\" }`",
        ),
        (
            "image:\n  repository: hello\n",
            TEMPLATE,
            "1.16.0",
            "",
            "names `hello`, but image `hello` is published as `ghcr.io/acme/hello`",
        ),
        ("a: b\n", in_template, "1.4.2", "", "write the image in `values.yaml`"),
        ("a: b\n", "image: ghcr.io/acme/hello:main\n", "1", "", "names `ghcr.io/acme/hello:main`"),
    ] {
        let folder = folder(values, template, app_version, more);
        let done = folder.run("lint").wide().done().expect_code(0);
        let shown = done.shown();
        assert!(
            shown.contains("publish::source::chart_image") && shown.contains(expected),
            "{expected}\n{shown}"
        );
        assert!(values.contains("workers") || template.contains("hello") || shown.contains(LINE), "{shown}");
    }
}

#[test]
fn a_chart_that_names_images_rightly_is_silent() {
    let own = "image:\n  repository: ghcr.io/acme/hello\n  tag: v1.0.0\nother: docker.io/library/redis:7\n";
    let right = "app_version = \"{{ 'v' ~ version if event == 'tag' else 'sha-' ~ git.short_sha }}\"";
    for (values, template, app_version, more) in [
        (CREATED, TEMPLATE, "1.16.0", LINE),
        (CREATED, TEMPLATE, "1.16.0", right),
        (own, "a: b\n", "1", ""),
        ("image: ghcr.io/acme/hello:latest\n", "a: b\n", "1", ""),
        ("image: ghcr.io/acme/hello:1.0\n", "a: b\n", "1", LINE),
        ("image: ghcr.io/acme/hello@sha256:0\nurl: https://ghcr.io/acme/hello:1\n", "a: b\n", "1", ""),
        ("image:\n  repository: ghcr.io/other/hello\n  tag: x\n", TEMPLATE, "1", ""),
    ] {
        let folder = folder(values, template, app_version, more);
        let shown = folder.run("lint").wide().done().expect_code(0).shown();
        assert!(!shown.contains("chart_image"), "{values}{shown}");
    }
}

#[test]
fn mistakes_in_images_are_found_by_lint() {
    for (more, expected) in [
        ("images = { \"image\" = \"helo\" }", "there is no image `helo`"),
        ("images = { \"image\" = { image = \"hello\", registry = \"gcr\" } }", "there is no registry `gcr`"),
        ("images = { \"image\" = { name = \"hello\" } }", "image"),
        ("images = { \"a..b\" = \"hello\" }", "is not a path in `values.yaml`"),
        ("images = { \"imagine\" = \"hello\" }", "`chart/values.yaml` has no `imagine`"),
        ("images = { \"image.pullPolicy.x\" = \"hello\" }", "has no `image.pullPolicy`"),
        ("images = { \"image\" = \"hello\" }\npin = \"sha\"", "pin"),
    ] {
        let shown = folder(CREATED, TEMPLATE, "1", more).run("lint").wide().done().expect_code(1).shown();
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn a_chart_cannot_name_an_image_in_a_directory() {
    let folder = folder(CREATED, TEMPLATE, "1", LINE);
    folder.image("hello", &testkit::world::image("one"));
    let shown = folder
        .run("plan --ref refs/tags/v1.2.3 --set registries.ghcr.url=oci:out")
        .wide()
        .done()
        .expect_code(1)
        .shown();
    assert!(shown.contains("image `hello` is published only to directories"), "{shown}");
}
