//! The guides are correct: every command of every page in `docs/guides` is run, in the order of the page, and prints
//! the output that the page shows.
//!
//! A page's first `toml` block is the `publish.toml` of a real git repository with a remote. `ghcr.io/acme` is a real
//! docker-registry: `BROKKR_PUBLISH_REGISTRIES__GHCR__URL` points the program to it, and a script in front of skopeo
//! replaces the host in its arguments; output shows `ghcr.io` again. git and skopeo are the real programs. `docker` is
//! not, because there is no engine here: a script replaces `docker buildx build`. It moves an image that
//! `support/image.rs` makes for each build to the path in `dest=`, or pushes one for a platform by digest. Its label
//! `org.opencontainers.image.revision` is the current commit. A `.env` in the folder goes into a layer of its own, unless
//! `.dockerignore` names it.
//!
//! A workflow is run too, without GitHub: its jobs run one after the other, in fresh clones, with the variables and the payload
//! that GitHub sets for the event, and artifacts are passed from job to job. The action of this
//! repository runs its command with the built program. The other supported actions are those that check out and that pass artifacts;
//! those that prepare docker do nothing here.
//!
//! Docker's credential file contains a user for that registry, as after a login.
//!
//! If a page declares `stage.acme.test` as `staging`, it is a second docker-registry, with a user and a password.
//!
//! With `BROKKR_PUBLISH_UPDATE_GUIDES=1`, the test rewrites the pages with the output of the commands.

mod guide;
mod workflow;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use guide::{GuidePage, GuideStep, difference, is_shown};
use testkit::command::{Folder, clean};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image::{TestImage, TestLayer, to_archive};
use workflow::Workflow;

/// `docker buildx build … --output type=oci,dest=FILE .`: moves the image that was made for this build there. With
/// `--platform P --output type=image,name=NAME,push-by-digest=true,… --metadata-file FILE` it pushes the image for that platform,
/// and prints its digest.
const DOCKER: &str = r#"#!/bin/sh
case "$1 $2" in "buildx build") ;; *) echo "docker $*: not known here" >&2; exit 64 ;; esac
for argument; do
  case "$argument" in
    type=oci,dest=*) to="${argument#type=oci,dest=}" ;;
    type=image,name=*,push-by-digest=true*) name="${argument#type=image,name=}" name="${name%%,*}" ;;
  esac
  case "$before" in --platform) platform="$argument" ;; --metadata-file) metadata="$argument" ;; esac
  before="$argument"
done
# Older versions of buildx fail where the folder is not there; those of GitHub's runners make it.
if [ -n "$to" ] && [ -n "$GITHUB_ACTIONS" ]; then mkdir -p "$(dirname "$to")"; fi
if [ -n "$to" ]; then mv "$NEXT_BUILD" "$to"; exit; fi
image="$NEXT_BUILD.d/$(echo "$platform" | tr / -)"
digest="sha256:$(skopeo inspect --raw "oci:$image" | sha256sum | cut -d ' ' -f 1)"
skopeo copy --quiet --preserve-digests "oci:$image" "docker://$name@$digest" || exit
printf '{\n  "containerimage.digest": "%s"\n}\n' "$digest" > "$metadata"
"#;

/// The address of a page's `[registries.staging]`: it is as long as the name used here, so that tables keep their columns.
const STAGING: &str = "stage.acme.test";

/// The real skopeo is on the path without this script.
const SKOPEO: &str = r#"#!/bin/sh
for argument; do
  shift
  set -- "$@" "$(printf %s "$argument" | sed "s|^docker://ghcr.io/acme|docker://$BROKKR_PUBLISH_REGISTRIES__GHCR__URL|")"
done
PATH="${PATH#*:}"
exec skopeo "$@"
"#;

/// The programs that commands may begin with. The test cannot run other commands of a guide as a reader does.
const PROGRAMS: [&str; 11] =
    ["brokkr-publish", "git", "skopeo", "docker", "echo", "cp", "cut", "sed", "mkdir", "touch", "openssl"];

/// The environment for the commands of one page.
struct GuideFixture {
    folder: Folder,
    registry: DockerRegistry,
    /// The registry of `[registries.staging]`, which needs credentials.
    staging: Option<DockerRegistry>,
    /// The `source` of images, if it is in a registry.
    sources: Vec<(String, String)>,
    builds: u32,
}

impl GuideFixture {
    fn new(configuration: &str) -> Self {
        let registry = DockerRegistry::start(&AcceptedClients::None);
        let folder = Folder::with(&[
            ("publish.toml", configuration),
            (".gitignore", "/dist/\n/*.json\n"),
            ("Dockerfile", "FROM scratch\nCOPY hello /\n"),
        ]);
        let home = folder.home();
        let registries = home.join(".config/containers");
        fs::create_dir_all(&registries).unwrap();
        let text = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry.host());
        fs::write(registries.join("registries.conf"), text).unwrap();
        // The reader of a guide has logged in. The registry needs no credentials.
        let auth =
            serde_json::json!({ "auths": { registry.host(): { "username": "you", "password": "word" } } });
        fs::create_dir(home.join(".docker")).unwrap();
        fs::write(home.join(".docker/config.json"), auth.to_string()).unwrap();
        let git =
            "[init]\ndefaultBranch = main\n[advice]\ndetachedHead = false\n[push]\nautoSetupRemote = true\n";
        fs::write(home.join(".gitconfig"), git).unwrap();
        let programs = home.join("bin");
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_brokkr-publish"), programs.join("brokkr-publish")).unwrap();
        for (name, script) in [("docker", DOCKER), ("skopeo", SKOPEO)] {
            fs::write(programs.join(name), script).unwrap();
            fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let origin = home.join("origin.git");
        folder.git(&["init", "--quiet"]);
        folder.git(&["init", "--quiet", "--bare", origin.to_str().unwrap()]);
        folder.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
        folder.git(&["add", "."]);
        folder.git(&["commit", "--quiet", "--message", "Say hello"]);
        folder.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        let user = AcceptedClients::Basic { username: "ci", password: "word" };
        let staging = configuration.contains("[registries.staging]").then(|| DockerRegistry::start(&user));
        let world = Self { folder, registry, staging, sources: Vec::new(), builds: 0 };
        let sources = sources(configuration);
        let sources = sources.into_iter().map(|(name, value)| (name, world.as_here(&value))).collect();
        Self { sources, ..world }
    }

    /// Replaces the registries in `text` with the real ones of the test.
    fn as_here(&self, text: &str) -> String {
        let text = text.replace("docker://ghcr.io", &format!("docker://{}", self.registry.host()));
        let staging = self.staging.as_ref().map_or_else(|| STAGING.to_owned(), DockerRegistry::host);
        text.replace(STAGING, &staging)
    }

    /// Runs a command in a shell: returns its exit code, and the output of both streams. `$?` is the exit code of the command before.
    fn run(
        &mut self,
        text: &str,
        place: &Path,
        before: i32,
        variables: &[(String, String)],
    ) -> (i32, String) {
        let next = self.next_build(place);
        let mut command = Command::new("sh");
        let setting_code = if before == 0 { String::new() } else { format!("(exit {before})\n") };
        command
            .arg("-c")
            .arg(format!("exec 2>&1\n{setting_code}{}", self.as_here(text)))
            .current_dir(place)
            .stdin(Stdio::null());
        let home = self.folder.home();
        clean(&mut command, &home);
        let programs = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap());
        command
            .env("PATH", programs)
            .env("NEXT_BUILD", next)
            .env("BROKKR_PUBLISH_REGISTRIES__GHCR__URL", format!("{}/acme", self.registry.host()))
            // They are set in `publish.toml`.
            .envs(self.sources.iter().filter(|_| !text.contains(" -c ")).cloned())
            .envs(variables.iter().map(|(name, value)| (name, value)));
        if let Some(staging) = &self.staging {
            let url = format!("{}/team", staging.host());
            command.env("BROKKR_PUBLISH_REGISTRIES__STAGING__URL", url);
            command.env("STAGING_USER", "ci").env("STAGING_TOKEN", "word");
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "A Smith")
                .env(format!("GIT_{role}_EMAIL"), "smith@example.com")
                .env(format!("GIT_{role}_DATE"), "2026-01-02T03:04:05Z");
        }
        let output = command.output().expect("sh");
        let code = output.status.code().expect("an exit code");
        let output = self.as_ghcr(&String::from_utf8(output.stdout).expect("text"));
        (code, if text.starts_with("skopeo list-tags") { in_order(&output) } else { output })
    }

    /// Makes the image of the next build, if the command is a build: each image is different.
    fn next_build(&mut self, place: &Path) -> PathBuf {
        let above = self.folder.home();
        let archive = above.join("build.tar");
        // Otherwise the last command built nothing.
        self.builds += u32::from(!archive.exists());
        let layout = above.join("build");
        let _ = fs::remove_dir_all(&layout);
        let text = format!("hello {}", self.builds);
        // `COPY . /app` would include it, unless it is ignored.
        let ignored = fs::read_to_string(place.join(".dockerignore")).unwrap_or_default();
        let left = fs::read(place.join(".env")).ok().filter(|_| !ignored.lines().any(|line| line == ".env"));
        let layer = |platform| {
            let hello = TestLayer::files(&[("hello", format!("{text} {platform}").as_bytes())]);
            let left = left.iter().map(|bytes| TestLayer::files(&[("app/.env", bytes)]));
            std::iter::once(hello).chain(left).collect::<Vec<_>>()
        };
        TestImage::new()
            .platform("linux/amd64", layer("amd64"))
            .platform("linux/arm64", layer("arm64"))
            .revision(&revision(place))
            .annotation("org.opencontainers.image.created", &self.clock())
            .write(&layout);
        to_archive(&layout, &archive);
        for platform in ["linux/amd64", "linux/arm64", "linux/arm/v7"] {
            let layout = above.join("build.tar.d").join(platform.replace('/', "-"));
            let _ = fs::remove_dir_all(&layout);
            let image = TestImage::new().platform(platform, layer(platform)).revision(&revision(place));
            image.single().write(&layout);
        }
        archive
    }

    /// Each build is one hour after the one before, at times in the past.
    fn clock(&self) -> String {
        format!("2026-01-02T{:02}:04:05Z", self.builds)
    }

    /// Converts `text` to the form with the registry `ghcr.io`: tables keep their columns.
    fn as_ghcr(&self, text: &str) -> String {
        let staging = self.staging.as_ref().map(DockerRegistry::host);
        let text = staging.map_or_else(|| text.to_owned(), |host| text.replace(&host, STAGING));
        // The digest of a plan depends on the port of the registry.
        let text = match text.split_once("--expect sha256:") {
            Some((before, after)) if after.get(64..).is_some() => {
                format!("{before}--expect sha256:…{}", after.get(64..).unwrap_or_default())
            }
            _ => text,
        };
        // The guide makes a new key each time.
        let text = match text.split_once("the key sha256:") {
            Some((before, after)) if after.get(12..).is_some() => {
                format!("{before}the key sha256:…{}", after.get(12..).unwrap_or_default())
            }
            _ => text,
        };
        let host = self.registry.host();
        let gap = " ".repeat(host.len() - "ghcr.io".len());
        let mut shown = String::new();
        for line in text.lines() {
            // A row of `auth check`.
            let row = ["  = ", "  ! "].into_iter().find_map(|sign| {
                let (name, answers) = line.strip_prefix(&format!("{sign}{host}/"))?.split_once("   ")?;
                Some(format!("{sign}ghcr.io/{name}{gap}   {answers}\n"))
            });
            if let Some(row) = row {
                let home = self.folder.home().display().to_string();
                shown.push_str(&row.replace(&home, "/home/you"));
                continue;
            }
            match line.strip_prefix(&format!("  {host}/")).and_then(|rest| rest.split_once("  ")) {
                Some((name, platforms)) => {
                    shown.push_str(&format!("  ghcr.io/{name}{gap}  {platforms}"));
                }
                None => shown.push_str(&line.replace(&host, "ghcr.io")),
            }
            shown.push('\n');
        }
        shown
    }

    /// Runs a command that must succeed.
    fn run_all(&mut self, page: &GuidePage, commands: &[guide::GuideCommand]) {
        let place = self.folder.path.clone();
        for command in commands {
            expect_known(page, command);
            let (code, output) = self.run(&command.text, &place, 0, &[]);
            assert_eq!(code, 0, "{}: {}\n{output}", page.at(command.line), command.text);
        }
    }

    /// Runs the jobs of a workflow one after the other.
    fn run_workflow(&mut self, page: &GuidePage, line: usize, event: &[String], text: &str) {
        let workflow = Workflow::parse(text, &page.at(line));
        let variables = workflow::variables(event, &self.folder);
        let artifacts = self.folder.home().join("artifacts");
        for (number, job) in workflow.jobs.iter().enumerate() {
            let place = self.folder.home().join(format!("runner-{line}-{number}"));
            fs::create_dir(&place).unwrap();
            for step in &job.steps {
                match step {
                    workflow::WorkflowStep::Checkout(branch) => {
                        workflow::check_out(&self.folder, &place, event, branch.as_deref());
                    }
                    workflow::WorkflowStep::Upload(name, paths) => {
                        workflow::upload(paths, &place, &artifacts.join(name));
                    }
                    workflow::WorkflowStep::DownloadAll(start, path) => {
                        workflow::download_all(start, &artifacts, &place.join(path));
                    }
                    workflow::WorkflowStep::Download(name, path) => {
                        workflow::copy(&[String::new()], &artifacts.join(name), &place.join(path));
                    }
                    workflow::WorkflowStep::Run(script) => {
                        for text in script.lines() {
                            let command = guide::GuideCommand { line, text: text.to_owned() };
                            expect_known(page, &command);
                            let (code, output) = self.run(text, &place, 0, &variables);
                            let place = format!("{}: {}: {text}\n{output}", page.at(line), job.name);
                            assert_eq!(code, 0, "{place}");
                            let to_do = ["apply", "rollback", "prune"];
                            let to_do =
                                to_do.iter().any(|it| text.starts_with(&format!("brokkr-publish {it}")));
                            // A mirror on a schedule finds what the reader copied by hand.
                            let is_there = output.contains("(schedule)");
                            assert!(
                                !to_do || is_there || workflow::has_done(&output),
                                "nothing done at {place}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// The variables with the locations of sources in a registry: `source = "docker://…"`, or `from = "docker://…"` in it.
fn sources(configuration: &str) -> Vec<(String, String)> {
    let mut image = "";
    let mut found = Vec::new();
    for line in configuration.lines() {
        if let Some(table) = line.strip_prefix('[') {
            image = table.strip_prefix("images.").and_then(|name| name.strip_suffix(']')).unwrap_or_default();
        }
        let Some(at) = line.strip_prefix("source = ") else { continue };
        let Some(reference) = at.split('"').find(|text| text.starts_with("docker://")) else { continue };
        let key = if at.starts_with('{') { "__FROM" } else { "" };
        let name = format!("BROKKR_PUBLISH_IMAGES__{}__SOURCE{key}", image.to_uppercase());
        found.push((name, reference.to_owned()));
    }
    found
}

/// The current commit; empty if there is no repository.
fn revision(place: &Path) -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(place).output().expect("git");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The output of `skopeo list-tags`, with the tags in order: docker-registry lists them in no fixed order.
fn in_order(listed: &str) -> String {
    let Ok(mut listed) = serde_json::from_str::<serde_json::Value>(listed) else { return listed.to_owned() };
    listed["Tags"].as_array_mut().expect("tags").sort_by_key(ToString::to_string);
    let mut text = Vec::new();
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indented);
    serde::Serialize::serialize(&listed, &mut serializer).expect("JSON");
    String::from_utf8(text).expect("text") + "\n"
}

/// Fails if a command uses a program that a guide may not use.
fn expect_known(page: &GuidePage, command: &guide::GuideCommand) {
    for part in command.text.split(['|', ';', '&']).filter(|part| !part.trim().is_empty()) {
        let first = part.split_whitespace().next().unwrap_or_default();
        if first.contains('=') {
            continue; // a variable is set
        }
        assert!(PROGRAMS.contains(&first), "{}: how is `{first}` run?", page.at(command.line));
    }
}

/// Runs a page from its first line to its last.
fn follow(name: &str) {
    let update = std::env::var_os("BROKKR_PUBLISH_UPDATE_GUIDES").is_some();
    let page = GuidePage::open(name);
    let mut world = GuideFixture::new(&page.configuration());
    let (mut outputs, mut ran, mut workflows) = (Vec::new(), 0, 0);
    for step in page.steps() {
        match step {
            GuideStep::Before(commands) | GuideStep::Shell(commands) => world.run_all(&page, &commands),
            GuideStep::File { name, text } => {
                world.folder.write(&name, text);
            }
            GuideStep::Workflow { line, event, text } => {
                world.run_workflow(&page, line, &event, &text);
                workflows += 1;
            }
            GuideStep::Console(commands) => {
                let place = world.folder.path.clone();
                let mut before = 0;
                for (at, (command, lines)) in commands.iter().enumerate() {
                    expect_known(&page, command);
                    let (code, output) = world.run(&command.text, &place, before, &[]);
                    let output: Vec<String> = output.lines().map(|it| it.trim_end().to_owned()).collect();
                    let told = commands.get(at + 1).is_some_and(|(next, _)| next.text == "echo $?");
                    let place = page.at(command.line);
                    assert!(
                        code == 0 || told,
                        "{place}: `{}` ends with {code}, which the page does not tell by `$ echo $?`\n{}",
                        command.text,
                        output.join("\n")
                    );
                    let shown = page.shown(lines);
                    if !is_shown(shown, &output) {
                        assert!(update, "{place}: `{}`\n{}", command.text, difference(shown, &output));
                        outputs.push((lines.clone(), output));
                    }
                    (before, ran) = (code, ran + 1);
                }
            }
        }
    }
    // The commands of other builders are not run, and a source has no workflow.
    let (least, has_workflow) = if name == "from-your-builder.md" { (3, false) } else { (4, true) };
    assert!(
        ran >= least && (workflows >= 1 || !has_workflow),
        "{name}: only {ran} commands and {workflows} workflows were found"
    );
    if update {
        page.rewrite(outputs);
    }
}

#[test]
fn releasing() {
    follow("releasing.md");
}

#[test]
fn github_actions() {
    follow("github-actions.md");
}

#[test]
fn public_package() {
    follow("public-package.md");
}

#[test]
fn backports() {
    follow("backports.md");
}

#[test]
fn moving() {
    follow("moving.md");
}

#[test]
fn approval() {
    follow("approval.md");
}

#[test]
fn rolling_back() {
    follow("rolling-back.md");
}

#[test]
fn withdrawing() {
    follow("withdrawing.md");
}

#[test]
fn cleaning_up() {
    follow("cleaning-up.md");
}

#[test]
fn pull_requests() {
    follow("pull-requests.md");
}

#[test]
fn promotion() {
    follow("promotion.md");
}

#[test]
fn signing() {
    follow("signing.md");
}

#[test]
fn multi_arch() {
    follow("multi-arch.md");
}

#[test]
fn air_gap() {
    follow("air-gap.md");
}

#[test]
fn charts() {
    follow("charts.md");
}

#[test]
fn secret_finding() {
    follow("secret-finding.md");
}

#[test]
fn personal_token() {
    follow("personal-token.md");
}

#[test]
fn private_registries() {
    follow("private-registries.md");
}

#[test]
fn from_metadata_action() {
    follow("from-metadata-action.md");
}

#[test]
fn from_goreleaser() {
    follow("from-goreleaser.md");
}

#[test]
fn from_scripts() {
    follow("from-scripts.md");
}

#[test]
fn from_regsync() {
    follow("from-regsync.md");
}

#[test]
fn from_your_builder() {
    follow("from-your-builder.md");
}

#[test]
fn every_guide_is_followed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "air-gap.md",
            "approval.md",
            "backports.md",
            "charts.md",
            "cleaning-up.md",
            "from-goreleaser.md",
            "from-metadata-action.md",
            "from-regsync.md",
            "from-scripts.md",
            "from-your-builder.md",
            "github-actions.md",
            "moving.md",
            "multi-arch.md",
            "personal-token.md",
            "private-registries.md",
            "promotion.md",
            "public-package.md",
            "pull-requests.md",
            "releasing.md",
            "rolling-back.md",
            "secret-finding.md",
            "signing.md",
            "withdrawing.md",
        ]
    );
}

#[test]
fn an_ellipsis_stands_for_any_lines_and_nothing_else_may_differ() {
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (shown, output, same) in [
        ("a b", "a b", true),
        ("a b", "a c", false),
        ("a", "a b", false),
        ("a … d", "a b c d", true),
        ("a … d", "a d", true),
        ("a … a", "a", false),
        ("… c … e", "a b c d e", true),
        ("… d … c", "a b c d", false),
        ("a …", "b a", false),
    ] {
        assert_eq!(is_shown(&lines(shown), &lines(output)), same, "{shown} and {output}");
    }
    let pushed = |order: [&str; 2]| order.map(|digest| format!("  pushed sha256:{digest}"));
    assert!(is_shown(&pushed(["1", "2"]), &pushed(["2", "1"])));
    assert!(!is_shown(&pushed(["1", "2"]), &pushed(["2", "2"])));
}
