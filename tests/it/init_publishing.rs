//! `init` in repositories that publish already: the file renders the tags that their workflows, scripts and tools make. The projects are
//! made up, each after a public one that is named.

use insta::assert_snapshot;
use testkit::chart::TestChart;
use testkit::command::Folder;

/// A repository with these files, this remote and these git tags, the oldest first, on the branch `main`.
fn repository(files: &[(&str, &str)], remote: &str, tags: &[&str]) -> Folder {
    let folder = Folder::with(files);
    folder.git(&["init", "--quiet", "--initial-branch", "main"]);
    folder.git(&["remote", "add", "origin", remote]);
    folder.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
    for tag in tags {
        folder.git(&["tag", tag]);
    }
    folder
}

/// Runs `init` with these options, asserts that the file lints clean, and shows what it says, the file, and the tags of each run.
#[track_caller]
fn published(folder: &Folder, options: &str, runs: &[&str]) -> String {
    let said = folder.run(&format!("init {options}")).wide().done().expect_code(0);
    let lint = folder.run("lint").done().expect_code(0);
    assert_eq!(lint.stderr(), "1 file checked, nothing wrong\n", "{}", folder.read("publish.toml"));
    let mut shown = format!("{}===== publish.toml =====\n{}", said.shown(), folder.read("publish.toml"));
    for run in runs {
        shown.push_str(&format!(
            "===== {run} =====\n{}",
            folder.run(&format!("tags {run}")).done().expect_code(0).stdout()
        ));
    }
    shown
}

/// The tags of a run, with their images.
fn tags(folder: &Folder, run: &str) -> Vec<String> {
    let text = folder.run(&format!("tags {run} --format json")).done().expect_code(0).stdout();
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut found = Vec::new();
    for kind in ["images", "charts"] {
        for (name, resource) in json[kind].as_object().into_iter().flatten() {
            for tag in resource["tags"].as_array().into_iter().flatten() {
                found.push(format!("{name}:{}", tag["tag"].as_str().expect("a tag")));
            }
        }
    }
    found.sort();
    found
}

const DOCKERFILE: (&str, &str) = ("Dockerfile", "FROM scratch\n");

/// Two variants of one image in two registries, as go-gitea/gitea publishes them.
#[test]
fn variants_of_metadata_action() {
    let workflow = r#"name: release
on:
  push:
    tags:
      - "v1.*"
      - "!v1*-rc*"
jobs:
  container:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/metadata-action@v5
        id: meta
        with:
          images: |-
            acme/app
            ghcr.io/acme-org/app
          # latest, 1, 1.2, 1.2.3
          tags: |
            type=semver,pattern={{version}}
            type=semver,pattern={{major}}
            type=semver,pattern={{major}}.{{minor}}
      - uses: docker/metadata-action@v5
        id: meta_rootless
        with:
          images: |-
            acme/app
            ghcr.io/acme-org/app
          flavor: |
            suffix=-rootless,onlatest=true
          tags: |
            type=semver,pattern={{version}}
            type=semver,pattern={{major}}
            type=semver,pattern={{major}}.{{minor}}
          labels: |
            org.opencontainers.image.authors=team@acme.example
      - uses: docker/build-push-action@v6
        with:
          platforms: linux/amd64,linux/arm64
          push: true
          tags: ${{ steps.meta.outputs.tags }}
      - uses: docker/build-push-action@v6
        with:
          platforms: linux/amd64,linux/arm64
          push: true
          file: Dockerfile.rootless
          tags: ${{ steps.meta_rootless.outputs.tags }}
"#;
    let files =
        [(".github/workflows/release.yml", workflow), DOCKERFILE, ("Dockerfile.rootless", "FROM scratch\n")];
    let folder =
        repository(&files, "https://github.com/acme-org/app", &["v1.23.8", "v1.24.0-rc0", "v1.24.0"]);
    assert_snapshot!(published(&folder, "", &["--ref refs/tags/v1.24.0"]));
    assert_eq!(
        tags(&folder, "--ref refs/tags/v1.24.0"),
        [
            "app-rootless:1-rootless",
            "app-rootless:1.24-rootless",
            "app-rootless:1.24.0-rootless",
            "app-rootless:latest-rootless",
            "app:1",
            "app:1.24",
            "app:1.24.0",
            "app:latest",
        ]
    );
}

/// A reusable workflow with a matrix, an output of a step as the name, and conditions, as dexidp/dex publishes.
#[test]
fn a_reusable_workflow_with_a_matrix() {
    let caller = "on:\n  push:\n    branches: [main]\n  pull_request:\njobs:\n  artifacts:\n    uses: ./.github/workflows/artifacts.yaml\n    with:\n      publish: ${{ github.event_name == 'push' }}\n";
    let release = "on:\n  push:\n    tags: [ \"v[0-9]+.[0-9]+.[0-9]+\" ]\njobs:\n  artifacts:\n    uses: ./.github/workflows/artifacts.yaml\n    with:\n      publish: true\n";
    let artifacts = r#"on:
  workflow_call:
    inputs:
      publish:
        default: false
        type: boolean
jobs:
  images:
    strategy:
      matrix:
        variant:
          - alpine
          - distroless
    steps:
      - name: Set image name
        id: name
        run: echo "value=ghcr.io/${{ github.repository }}" >> "$GITHUB_OUTPUT"
      - id: meta
        uses: docker/metadata-action@369eb591f429131d6889c46b94e711f089e6ca96 # v5.6.1
        with:
          images: |
            ${{ steps.name.outputs.value }}
            acme/other
          flavor: |
            latest = false
          tags: |
            type=ref,event=branch,enable=${{ matrix.variant == 'alpine' }}
            type=semver,pattern={{raw}},enable=${{ matrix.variant == 'alpine' }}
            type=raw,value=latest,enable=${{ github.ref_name == github.event.repository.default_branch && matrix.variant == 'alpine' }}
            type=ref,event=branch,suffix=-${{ matrix.variant }}
            type=semver,pattern={{raw}},suffix=-${{ matrix.variant }}
            type=raw,value=latest,enable={{is_default_branch}},suffix=-${{ matrix.variant }}
      - uses: docker/build-push-action@v6
        with:
          platforms: linux/amd64,linux/arm64
          push: ${{ inputs.publish }}
          tags: ${{ steps.meta.outputs.tags }}
          build-args: |
            BASE_IMAGE=${{ matrix.variant }}
      - run: cosign sign --yes ${{ steps.name.outputs.value }}@${{ steps.build.outputs.digest }}
        if: inputs.publish
"#;
    let files = [
        (".github/workflows/ci.yaml", caller),
        (".github/workflows/release.yaml", release),
        (".github/workflows/artifacts.yaml", artifacts),
        DOCKERFILE,
    ];
    let folder = repository(&files, "https://github.com/Acme/app", &["v2.42.0", "v2.43.0"]);
    assert_snapshot!(published(&folder, "", &["--ref refs/tags/v2.43.0", "--ref refs/heads/main"]));
    let release = tags(&folder, "--ref refs/tags/v2.43.0");
    let expected = ["app-distroless-dockerhub:v2.43.0-distroless", "app-distroless:v2.43.0-distroless"];
    assert!(expected.iter().all(|it| release.contains(&(*it).to_owned())), "{release:?}");
    assert!(
        release.contains(&"app:v2.43.0".to_owned()) && release.contains(&"app:v2.43.0-alpine".to_owned()),
        "{release:?}"
    );
    assert!(!release.iter().any(|it| it.contains("latest")), "{release:?}");
    assert!(tags(&folder, "--ref refs/heads/main").contains(&"app:latest".to_owned()));
}

/// Every type of rule, and what cannot be carried over.
#[test]
fn every_type_of_rule_of_metadata_action() {
    let workflow = r#"on:
  schedule: [{cron: "0 1 * * *"}]
  push:
    branches: [main, "release/**"]
    tags: ["v*"]
  pull_request:
  workflow_dispatch:
env:
  REGISTRY: ghcr.io
jobs:
  build:
    steps:
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: |
            name=${{ env.REGISTRY }}/acme/app
            name=quay.io/${{ secrets.QUAY_USER }}/app,enable=${{ startsWith(github.ref, 'refs/tags/') }}
          flavor: |
            latest=auto
          tags: |
            # comments are no rules
            type=schedule,pattern={{date 'YYYYMMDD-HHmmss' tz='Europe/Berlin'}}
            type=semver,pattern={{version}}
            type=semver,pattern={{major}}.{{minor}}
            type=semver,pattern={{major}},enable=${{ !startsWith(github.ref, 'refs/tags/v0.') }}
            type=pep440,pattern=py{{version}}
            type=match,pattern=v(\d+\.\d+)\.,group=1,prefix=line-
            type=edge
            type=edge,branch=release/next,prefix=next-
            type=ref,event=branch
            type=ref,event=pr,suffix=-pr
            type=sha,format=long,prefix=commit-
            type=sha,enable=${{ github.event_name == 'push' && github.ref == format('refs/heads/{0}', 'main') }}
            type=raw,value=stable,enable=${{ github.ref == format('refs/heads/{0}', 'main') }},priority=50
            type=raw,value={{branch}}-{{sha}},enable={{is_default_branch}}
            type=raw,value=secret,enable=${{ secrets.PUBLISH == 'yes' }}
            type=raw,value=${{ steps.other.outputs.thing }}
            plain
      - uses: docker/build-push-action@v6
        with:
          push: ${{ github.event_name != 'pull_request' }}
          tags: ${{ steps.meta.outputs.tags }}
"#;
    let files = [(".github/workflows/all.yml", workflow), DOCKERFILE];
    let folder = repository(&files, "https://github.com/acme/app", &["v1.2.3"]);
    let options = "--from metadata-action .github/workflows/all.yml";
    let runs = ["--ref refs/tags/v1.2.3", "--ref refs/heads/main", "--event schedule --ref refs/heads/main"];
    assert_snapshot!(published(&folder, options, &runs));
}

/// One tag for each platform and manifests over them, as binwiederhier/ntfy publishes with goreleaser.
#[test]
fn goreleaser_with_manifests() {
    let goreleaser = r#"project_name: app
dockers:
  - image_templates: [&amd64 "acme/app:{{ .Tag }}-amd64"]
    use: buildx
    goarch: amd64
    build_flag_templates: ["--platform=linux/amd64"]
  - image_templates: [&arm64 "acme/app:{{ .Tag }}-arm64v8"]
    use: buildx
    goarch: arm64
    build_flag_templates: ["--platform=linux/arm64/v8"]
docker_manifests:
  - name_template: "acme/app:latest"
    skip_push: auto
    image_templates: [*amd64, *arm64]
  - name_template: "acme/app:{{ .Tag }}"
    image_templates: [*amd64, *arm64]
  - name_template: "acme/app:{{ if not .Prerelease }}v{{ .Major }}{{ end }}"
    image_templates: [*amd64, *arm64]
  - name_template: "acme/app:{{ .Env.CHANNEL }}"
    image_templates: [*amd64, *arm64]
docker_signs:
  - artifacts: all
"#;
    let workflow = "on:\n  push:\n    tags: ['v*']\njobs:\n  release:\n    steps:\n      - uses: goreleaser/goreleaser-action@v6\n        with:\n          args: release --clean\n";
    let files = [(".goreleaser.yml", goreleaser), (".github/workflows/release.yml", workflow), DOCKERFILE];
    let folder = repository(&files, "https://github.com/acme/app", &["v2.11.0"]);
    assert_snapshot!(published(&folder, "", &["--ref refs/tags/v2.11.0"]));
    assert_eq!(
        tags(&folder, "--ref refs/tags/v2.11.0"),
        ["app-amd64:v2.11.0-amd64", "app-arm64v8:v2.11.0-arm64v8", "app:latest", "app:v2", "app:v2.11.0"]
    );
}

/// Scripts in a workflow that put the tags together, as miniflux/v2 and stefanprodan/podinfo do; git tags without a prefix, and a chart.
#[test]
fn scripts_that_make_tags() {
    let workflow = r#"on:
  schedule: [{cron: "0 1 * * *"}]
  push:
    tags: ['[0-9]+.[0-9]+.[0-9]+']
  pull_request:
jobs:
  publish:
    if: ${{ ! github.event.pull_request }}
    steps:
      - id: tag
        run: |
          IMAGE=${{ github.repository_owner }}/app
          VERSION=dev
          if [ "${{ github.event_name }}" = "schedule" ]; then
            VERSION=nightly
            TAGS="docker.io/${IMAGE}:${VERSION},ghcr.io/${IMAGE}:${VERSION}"
          elif [[ $GITHUB_REF == refs/tags/* ]]; then
            VERSION=${GITHUB_REF#refs/tags/}
            TAGS="docker.io/${IMAGE}:${VERSION},ghcr.io/${IMAGE}:${VERSION},docker.io/${IMAGE}:latest,ghcr.io/${IMAGE}:latest"
          fi
          echo "tags=${TAGS}" >> $GITHUB_OUTPUT
      - uses: docker/build-push-action@v4
        with:
          platforms: linux/amd64,linux/arm64
          push: true
          tags: ${{ steps.tag.outputs.tags }}
      - run: |
          docker build -t quay.io/acme/tool:${GITHUB_REF_NAME} -f tool.dockerfile .
          docker tag quay.io/acme/tool:${GITHUB_REF_NAME} quay.io/acme/tool:${GITHUB_REF_NAME%.*}
          for tag in ${GITHUB_REF_NAME} ${GITHUB_REF_NAME%.*}; do
            docker push quay.io/acme/tool:$tag
          done
        if: github.ref_type == 'tag'
      - run: |
          helm package charts/app
          helm push app-*.tgz oci://ghcr.io/acme/charts
        if: github.ref_type == 'tag'
"#;
    let files =
        [(".github/workflows/docker.yml", workflow), DOCKERFILE, ("tool.dockerfile", "FROM scratch\n")];
    let folder = repository(&files, "https://github.com/acme/app", &["2.2.7", "2.2.8"]);
    TestChart::small("app", "2.2.8").write(&folder.path.join("charts/app"));
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "chart"]);
    folder.git(&["tag", "--force", "2.2.8"]);
    assert_snapshot!(published(
        &folder,
        "",
        &["--ref refs/tags/2.2.8", "--event schedule --ref refs/heads/main"]
    ));
    let release = tags(&folder, "--ref refs/tags/2.2.8");
    assert_eq!(release, ["app:2.2.8", "app:2.2.8", "app:latest", "tool:2.2", "tool:2.2.8"]);
}

/// Pipelines of GitLab with its variables and rules.
#[test]
fn pipelines_of_gitlab() {
    let pipeline = r#"stages: [build]
variables:
  IMAGE: $CI_REGISTRY_IMAGE/web
.docker:
  before_script:
    - docker login -u "$CI_REGISTRY_USER" -p "$CI_REGISTRY_PASSWORD" $CI_REGISTRY
release:
  extends: .docker
  rules:
    - if: $CI_COMMIT_TAG =~ /^v\d+\.\d+\.\d+$/
  script:
    - docker build --pull -t "$IMAGE:${CI_COMMIT_TAG#v}" -t "$IMAGE:latest" .
    - docker push "$IMAGE:${CI_COMMIT_TAG#v}"
    - docker push "$IMAGE:latest"
main:
  only: [main]
  script:
    - docker build -t $IMAGE:$CI_COMMIT_SHORT_SHA -t $IMAGE:$CI_COMMIT_BRANCH .
    - docker push --all-tags $IMAGE
"#;
    let files = [(".gitlab-ci.yml", pipeline), DOCKERFILE];
    let folder = repository(&files, "https://gitlab.com/Group/app", &["v1.0.0", "v1.1.0"]);
    assert_snapshot!(published(&folder, "", &["--ref refs/tags/v1.1.0", "--ref refs/heads/main"]));
    assert_eq!(tags(&folder, "--ref refs/tags/v1.1.0"), ["web:1.1.0", "web:latest"]);
}

/// Targets of a bake file whose variables the workflow sets, as dani-garcia/vaultwarden publishes.
#[test]
fn bake_files() {
    let bake = r#"// Baking
variable "BASE_TAGS" { default = "testing" }
variable "REGISTRIES" {
  default = "acme/server"
}
group "default" { targets = ["debian"] }
target "_common" { platforms = ["linux/amd64", "linux/arm64"] }
target "debian" {
  inherits = ["_common"]
  dockerfile = "docker/Dockerfile.debian"
  tags = generate_tags("")
}
target "alpine" {
  inherits = ["_common"]
  dockerfile = "docker/Dockerfile.alpine"
  tags = generate_tags("-alpine")
}
function "generate_tags" {
  params = [suffix]
  result = flatten([
    for registry in flatten(split(",", REGISTRIES)) :
      [for tag in split(",", BASE_TAGS) :
        concat(
          tag == "latest" ? suffix == "-alpine" ? ["${registry}:alpine"] : [] : [],
          ["${registry}:${tag}${suffix}"]
        )
      ]
  ])
}
"#;
    let workflow = r#"on:
  push:
    branches: [main]
    tags: ["[1-2].*"]
jobs:
  bake:
    strategy:
      matrix:
        base: [debian, alpine]
    env:
      REGISTRIES: ghcr.io/acme/server,quay.io/acme/server
    steps:
      - if: github.ref_type == 'tag'
        run: echo "BASE_TAGS=latest,${GITHUB_REF#refs/*/}" | tee -a "$GITHUB_ENV"
      - if: github.ref_type == 'branch'
        run: echo "BASE_TAGS=testing" | tee -a "$GITHUB_ENV"
      - uses: docker/bake-action@v6
        with:
          push: true
          files: docker-bake.hcl
          targets: ${{ matrix.base }}
"#;
    let files = [
        ("docker-bake.hcl", bake),
        (".github/workflows/release.yml", workflow),
        ("docker/Dockerfile.debian", "FROM scratch\n"),
        ("docker/Dockerfile.alpine", "FROM scratch\n"),
    ];
    let folder = repository(&files, "https://github.com/acme/server", &["1.34.0", "1.34.1"]);
    assert_snapshot!(published(&folder, "", &["--ref refs/tags/1.34.1", "--ref refs/heads/main"]));
    let release = tags(&folder, "--ref refs/tags/1.34.1");
    assert_eq!(
        release,
        [
            "server-alpine:1.34.1-alpine",
            "server-alpine:alpine",
            "server-alpine:latest-alpine",
            "server:1.34.1",
            "server:latest"
        ]
    );
}

/// Scripts and Makefiles of a repository without workflows, and compose files.
#[test]
fn scripts_makefiles_and_compose_files() {
    let script = "#!/bin/sh\nset -e\nVERSION=${1:-$(git describe --tags)}\ndocker build -t registry.example.com:5000/team/app:$VERSION .\ndocker push registry.example.com:5000/team/app:$VERSION\n";
    let makefile = "IMAGE ?= registry.example.com:5000/team/tool\nVERSION := $(shell git describe --tags | sed 's/^v//')\n\nbuild:\n\tdocker build -t $(IMAGE):$(VERSION) .\n\npush: build\n\t@docker push $(IMAGE):$(VERSION)\n";
    let folder = repository(
        &[("scripts/publish.sh", script), ("Makefile", makefile), DOCKERFILE],
        "https://git.example.com/team/app",
        &["v0.9.0"],
    );
    assert_snapshot!("scripts_and_makefiles", published(&folder, "", &["--ref refs/tags/v0.9.0"]));
    assert_eq!(tags(&folder, "--ref refs/tags/v0.9.0"), ["app:v0.9.0", "tool:0.9.0"]);

    let compose = "services:\n  web:\n    build: ./web\n    image: ghcr.io/acme/web:${VERSION:-latest}\n  db:\n    image: postgres:17\n";
    let folder = repository(
        &[("compose.yaml", compose), ("web/Dockerfile", "FROM scratch\n")],
        "https://github.com/acme/web",
        &["v0.9.0"],
    );
    assert_snapshot!("compose", published(&folder, "", &["--ref refs/tags/v0.9.0"]));
}

/// Images that regsync copies.
#[test]
fn mirrors_of_regsync() {
    let regsync = r#"version: 1
creds:
  - registry: ghcr.io
sync:
  - source: busybox:1.37
    target: ghcr.io/acme/mirror/busybox:1.37
    type: image
  - source: quay.io/prometheus/node-exporter
    target: ghcr.io/acme/mirror/node-exporter
    type: repository
    tags:
      allow:
        - v1.9.1
        - "v1\\.8\\..*"
    schedule: "0 3 * * *"
"#;
    let folder = repository(&[("regsync.yml", regsync)], "https://github.com/acme/mirror", &[]);
    assert_snapshot!(published(&folder, "", &["--event schedule --ref refs/heads/main"]));
}

#[test]
fn options_answer_what_a_terminal_would_be_asked() {
    let folder = repository(&[DOCKERFILE], "https://git.example.com/team/app", &["release-1.0.0"]);
    let done = folder
        .run("init --stdout --registry registry.example.com/team --visibility private")
        .done()
        .expect_code(0);
    assert!(done.stdout().contains("url = \"registry.example.com/team\""), "{}", done.shown());
    assert!(done.stdout().contains("visibility = \"private\""), "{}", done.shown());
    for wrong in ["--registry HTTPS://X", "--visibility all", "--from metadata-action", "--from other x.yml"]
    {
        folder.run(&format!("init --stdout {wrong}")).done().expect_code(1);
    }
    let missing = folder.run("init --from metadata-action nowhere.yml").done().expect_code(1);
    assert!(missing.stderr().contains("nowhere.yml"), "{}", missing.shown());
}
