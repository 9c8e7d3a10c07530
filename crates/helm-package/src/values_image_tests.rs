//! The forms in which charts name images.

use super::*;
use crate::helm_yaml::HelmYaml;
use crate::values_edit::with_values;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn image(path: &str, by_digest: bool) -> ChartImage {
    ChartImage {
        path: path.split('.').map(str::to_owned).collect(),
        registry: "ghcr.io".to_owned(),
        repository: "acme/app".parse().expect("a name"),
        tag: "v1.2.4".parse().expect("a tag"),
        digest: by_digest.then(|| DIGEST.parse().expect("a digest")),
    }
}

fn set(text: &str, path: &str, by_digest: bool) -> Result<String, String> {
    let yaml = HelmYaml::parse("values.yaml", None, text).unwrap_or_else(|error| panic!("{}", error.message));
    let edits =
        edits(yaml.root().expect("values"), &image(path, by_digest)).map_err(|(message, _)| message)?;
    with_values(text, &edits).ok_or_else(|| "cannot be edited".to_owned())
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn every_form_is_pinned_by_tag_and_by_digest() {
    let hex = DIGEST.trim_start_matches("sha256:");
    for (path, text, by_tag, by_digest) in [
        // `helm create`: the digest goes into the tag, because nothing else is rendered.
        (
            "image",
            "image:\n  repository: nginx # mine\n  pullPolicy: IfNotPresent\n  # the default is the appVersion\n  tag: \"\"\n",
            "image:\n  repository: ghcr.io/acme/app # mine\n  pullPolicy: IfNotPresent\n  # the default is the appVersion\n  tag: \"v1.2.4\"\n",
            "image:\n  repository: ghcr.io/acme/app # mine\n  pullPolicy: IfNotPresent\n  # the default is the appVersion\n  tag: \"v1.2.4@DIGEST\"\n",
        ),
        // bitnami
        (
            "image",
            "image: {registry: docker.io, repository: x/y, tag: '1', digest: \"\"}\n",
            "image: {registry: ghcr.io, repository: acme/app, tag: 'v1.2.4', digest: \"\"}\n",
            "image: {registry: ghcr.io, repository: acme/app, tag: 'v1.2.4', digest: \"DIGEST\"}\n",
        ),
        // An old digest would win over the tag.
        (
            "image",
            "image: {repository: x, tag: '1', digest: \"sha256:0\"}\n",
            "image: {repository: ghcr.io/acme/app, tag: 'v1.2.4', digest: \"\"}\n",
            "image: {repository: ghcr.io/acme/app, tag: 'v1.2.4', digest: \"DIGEST\"}\n",
        ),
        (
            "image",
            "image: ghcr.io/x/y:1 # c\n",
            "image: ghcr.io/acme/app:v1.2.4 # c\n",
            "image: ghcr.io/acme/app@DIGEST # c\n",
        ),
        (
            "image",
            "image: \"y:1@sha256:0\"\n",
            "image: \"ghcr.io/acme/app:v1.2.4\"\n",
            "image: \"ghcr.io/acme/app:v1.2.4@DIGEST\"\n",
        ),
        ("image", "image: yy\n", "image: ghcr.io/acme/app:v1.2.4\n", "image: ghcr.io/acme/app@DIGEST\n"),
        (
            "image",
            "image: \"\"\n",
            "image: \"ghcr.io/acme/app:v1.2.4\"\n",
            "image: \"ghcr.io/acme/app@DIGEST\"\n",
        ),
        (
            "a.b.image",
            "a: {b: {image: 'y:1'}}\n",
            "a: {b: {image: 'ghcr.io/acme/app:v1.2.4'}}\n",
            "a: {b: {image: 'ghcr.io/acme/app@DIGEST'}}\n",
        ),
        (
            "c.1.image",
            "c:\n  - image: x:1\n  - image: y:1\n",
            "c:\n  - image: x:1\n  - image: ghcr.io/acme/app:v1.2.4\n",
            "c:\n  - image: x:1\n  - image: ghcr.io/acme/app@DIGEST\n",
        ),
        ("c.0", "c: [y:1]\n", "c: [ghcr.io/acme/app:v1.2.4]\n", "c: [ghcr.io/acme/app@DIGEST]\n"),
        (
            "c.0",
            "c:\n- repository: yy\n  tag: 1.10\n",
            "c:\n- repository: ghcr.io/acme/app\n  tag: v1.2.4\n",
            "c:\n- repository: ghcr.io/acme/app\n  tag: v1.2.4@DIGEST\n",
        ),
        // older charts
        (
            "image",
            "image: yy\nimageTag: \"1\"\n",
            "image: ghcr.io/acme/app\nimageTag: \"v1.2.4\"\n",
            "image: ghcr.io/acme/app\nimageTag: \"v1.2.4@DIGEST\"\n",
        ),
        (
            "imageTag",
            "imageRepository: yy\nimageTag: 1.0\n",
            "imageRepository: ghcr.io/acme/app\nimageTag: v1.2.4\n",
            "imageRepository: ghcr.io/acme/app\nimageTag: v1.2.4@DIGEST\n",
        ),
        (
            "w.image.tag",
            "w: {image: {repository: yy, tag: a}}\n",
            "w: {image: {repository: ghcr.io/acme/app, tag: v1.2.4}}\n",
            "w: {image: {repository: ghcr.io/acme/app, tag: v1.2.4@DIGEST}}\n",
        ),
        (
            "image",
            "image: {name: 'y:1'}\n",
            "image: {name: 'ghcr.io/acme/app:v1.2.4'}\n",
            "image: {name: 'ghcr.io/acme/app@DIGEST'}\n",
        ),
        (
            "image",
            "image: {repository: quay.io/x, name: app, tag: a}\n",
            "image: {repository: ghcr.io/acme, name: app, tag: v1.2.4}\n",
            "image: {repository: ghcr.io/acme, name: app, tag: v1.2.4@DIGEST}\n",
        ),
        // istio, grafana, cilium
        (
            "pilot",
            "pilot: {hub: docker.io/istio, tag: a, image: yy}\n",
            "pilot: {hub: ghcr.io/acme, tag: v1.2.4, image: app}\n",
            "pilot: {hub: ghcr.io/acme, tag: v1.2.4@DIGEST, image: app}\n",
        ),
        (
            "image",
            "image: {repository: yy, tag: a, sha: \"\"}\n",
            "image: {repository: ghcr.io/acme/app, tag: v1.2.4, sha: \"\"}\n",
            "image: {repository: ghcr.io/acme/app, tag: v1.2.4, sha: \"HEX\"}\n",
        ),
        (
            "image",
            "image: {repository: yy, tag: a, digest: 'sha256:0', useDigest: true}\n",
            "image: {repository: ghcr.io/acme/app, tag: v1.2.4, digest: '', useDigest: false}\n",
            "image: {repository: ghcr.io/acme/app, tag: v1.2.4, digest: 'DIGEST', useDigest: true}\n",
        ),
        (
            "image",
            "image: {registry: '', repository: ghcr.io/x/y, tag: a}\n",
            "image: {registry: '', repository: ghcr.io/acme/app, tag: v1.2.4}\n",
            "image: {registry: '', repository: ghcr.io/acme/app, tag: v1.2.4@DIGEST}\n",
        ),
        (
            "image",
            "image: {registry: ghcr.io/x, repository: yy, tag: a}\n",
            "image: {registry: ghcr.io/acme, repository: app, tag: v1.2.4}\n",
            "image: {registry: ghcr.io/acme, repository: app, tag: v1.2.4@DIGEST}\n",
        ),
        (
            "image",
            "image:\n  repository: yy\n",
            "image:\n  repository: ghcr.io/acme/app\n  tag: \"v1.2.4\"\n",
            "image:\n  repository: ghcr.io/acme/app\n  tag: \"v1.2.4@DIGEST\"\n",
        ),
        (
            "image",
            "image: {}\n",
            "image: {repository: \"ghcr.io/acme/app\", tag: \"v1.2.4\"}\n",
            "image: {repository: \"ghcr.io/acme/app\", tag: \"v1.2.4@DIGEST\"}\n",
        ),
    ] {
        let expected = by_digest.replace("DIGEST", DIGEST).replace("HEX", hex);
        assert_eq!(set(text, path, false).as_deref(), Ok(by_tag), "{text}");
        assert_eq!(set(text, path, true).as_deref(), Ok(expected.as_str()), "{text}");
    }
}

#[test]
fn a_path_that_leads_to_no_image_is_refused() {
    for (path, text, expected) in [
        ("image", "replicas: 1\n", "has no `image`"),
        ("a.b.c", "a: {x: 1}\n", "has no `a.b`"),
        ("a.0", "a: []\n", "has no `a.0`"),
        ("a", "a: [x]\n", "has a list at `a`"),
        ("a", "a: 5\n", "has `5` at `a`, which names no image"),
        ("a", "a: {port: 80}\n", "has no image at `a`: none of its keys is a repository"),
    ] {
        assert_eq!(set(text, path, false), Err(expected.to_owned()));
    }
}
