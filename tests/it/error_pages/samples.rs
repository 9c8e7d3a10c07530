//! The producers of the samples: for each code, a run of the program that fails with it. Hosts such as `ghcr.io` are a scripted
//! registry behind a proxy, because messages name them and advice depends on them.

use std::fs;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use brokkr_publish::diagnostic::Code;
use serde_json::json;
use testkit::chart::{DATABASE, TestChart};
use testkit::command::{EndedRun, Folder, ProgramRun};
use testkit::image::{LayoutDirectory, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, TestImage, TestLayer};
use testkit::signatures::{PUBLIC_KEY, SIGNING_KEY};
use testkit::tls_proxy::{AUTHORITY, TlsProxy};
use testkit::world::{image, signal, wait_until};

use super::ErrorPage;
use super::drawn::{diagnostics, diagnostics_with, wide};
use testkit::test_registry::{Fault, RequiredCredentials, TestRegistry, TestRegistryOptions};

/// The lines before the fragment of a page.
const PRELUDE: &str = "version = 1\n\n[registries.ghcr]\nurl = \"ghcr.io/acme\"\n\n";
const VERSION_RULE: &str = "[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n";
const LATEST_RULE: &str = "[tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n\n";
const STABLE_RULE: &str = "[tags.stable]\non = \"tag\"\ntemplate = \"stable\"\nmutability = \"mutable\"\n\n";
const BROKER: &str = "[images.broker]\nsource = \"oci:dist/broker\"\n";
const HELLO: &str = "[images.hello]\nsource = \"oci:dist/hello\"\n";
const SIGNER: &str = "[signing.release]\nkey = { env = \"COSIGN_PRIVATE_KEY\" }\n\n";
const SIGNED: &str = "[images.hello]\nsource = \"oci:dist/hello\"\nsign = [\"release\"]\n";
const PLAN: &str = "plan --ref refs/tags/v1.2.3";
const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";

/// Returns the samples of the page of a code, in the order of the page.
#[allow(clippy::too_many_lines, reason = "one line for each code")]
pub async fn of(page: &ErrorPage) -> Vec<String> {
    let sample = match page.code {
        Code::ConfigFile => config_file(page),
        Code::ConfigOverride => lint(page, &format!("{PRELUDE}{BROKER}"), "lint --set images.broker.source"),
        Code::ConfigOutside => outside(page),
        Code::PlanLimits => plan_limits(page),
        Code::ConfigUnknownProfile => lint(page, toml(page), "lint --profile dve"),
        Code::ConfigSyntax
        | Code::ConfigUnknownKey
        | Code::ConfigMissingKey
        | Code::ConfigType
        | Code::ConfigValue
        | Code::ConfigUnknownRegistry
        | Code::ConfigUnknownTagRule
        | Code::ConfigUnknownSigner
        | Code::ConfigUnknownImage
        | Code::ConfigPlatform
        | Code::ConfigUrl
        | Code::ConfigRepository
        | Code::ConfigSource
        | Code::ConfigLiteralCredential => lint(page, toml(page), "lint"),
        Code::TemplateUnknownFilter => {
            let rule = "[tags.branch]\non = \"branch\"\ntemplate = \"{{ git.branch | slugify }}\"\n";
            lint(page, &format!("{PRELUDE}{rule}\n{BROKER}"), "lint")
        }
        Code::TemplateSyntax
        | Code::TemplateUnknownVariable
        | Code::TemplateComparison
        | Code::TemplateFailed
        | Code::TagInvalid
        | Code::TagNeverFires
        | Code::TagReused
        | Code::TagForward
        | Code::RetentionRule
        | Code::ContextMissing => lint(page, &format!("{PRELUDE}{}\n{BROKER}", toml(page)), "lint"),
        Code::TagCollision => lint(page, &format!("{PRELUDE}{VERSION_RULE}{}", toml(page)), "lint"),
        Code::SigningKey => {
            let folder = directory(SIGNER, SIGNED);
            folder.image("dist/hello", &image("1.2.3"));
            error(page, &folder, folder.run(PLAN))
        }
        Code::GateClosed => gate_closed(page).await,
        Code::PlanNotApproved => {
            let approval = format!("[apply]\nrequire_approval = {{ keys = [\"approver.pub\"] }}\n\n{HELLO}");
            let folder = directory("", &approval);
            folder.write("approver.pub", PUBLIC_KEY);
            folder.image("dist/hello", &image("1.2.3"));
            folder.run(&format!("{PLAN} --out plan.json")).done().expect_code(0);
            error(page, &folder, folder.run("apply plan.json"))
        }
        Code::SigningPredicate => {
            let attested = format!("{SIGNED}attest = {{ sbom = \"dist/hello.spdx.json\" }}\n");
            let folder = directory(SIGNER, &attested);
            folder.image("dist/hello", &image("1.2.3"));
            error(page, &folder, folder.run(PLAN).env("COSIGN_PRIVATE_KEY", SIGNING_KEY))
        }
        Code::SigningMissing => signing_missing(page),
        Code::RetentionNone => lint(page, toml(page), "prune --event pull_request_closed --pr 12"),
        Code::RetentionInUse => {
            let folder = Folder::with(&[
                ("publish.toml", toml(page)),
                ("deployed.txt", "localhost:5000/acme/hello:v1.2.3\n- hello v1\n"),
            ]);
            error(page, &folder, folder.run("prune"))
        }
        Code::RetentionUntagged => retention_untagged(page).await,
        Code::ContextGit => lint(page, &release(BROKER), "tags"),
        Code::ContextFlag => lint(page, &release(BROKER), "tags --ref v1.2.3"),
        Code::PlanNothing => {
            let folder = directory("", HELLO);
            error(page, &folder, folder.run("plan --ref refs/tags/1.2.3"))
        }
        Code::ContextAmbiguous => {
            let folder = committed(&release(BROKER), &[]);
            folder.git(&["tag", "v1.2.3"]);
            folder.git(&["tag", "v1.2.4"]);
            error(page, &folder, folder.run("plan"))
        }
        Code::ContextContradiction => {
            let folder = committed(&release(BROKER), &[]);
            folder.git(&["tag", "v1.2.3"]);
            let sha = "6a0f6c2e7c0b4bd53ab0b6aa6b6a7bd2ea3f5c11";
            // Without all branches, the clone may lack the commit.
            folder.git(&["config", "remote.origin.url", "https://github.com/acme/hello"]);
            error(page, &folder, folder.run(&format!("{PLAN} --sha {sha}")))
        }
        Code::ContextWorkTree => {
            let chart = "[charts.hello]\nsource = \"charts/hello\"\n";
            let yaml = "apiVersion: v2\nname: hello\nversion: 1.2.3\n";
            let text = directory("", chart).read("publish.toml");
            let folder = committed(
                &text,
                &[("charts/hello/Chart.yaml", yaml), ("charts/hello/values.yaml", "a: 1\n")],
            );
            folder.git(&["tag", "v1.2.3"]);
            folder.write("charts/hello/values.yaml", "a: 2\n");
            error(page, &folder, folder.run(PLAN))
        }
        Code::ContextVersion => {
            let configuration = format!("{}\n{}", release(BROKER), toml(page));
            let folder = Folder::with(&[("publish.toml", &configuration)]);
            // It is a warning.
            let done = wide(offline(folder.run("tags --ref refs/tags/v1.2"))).expect_code(0);
            diagnostics(&folder, &done, page.code, 1)
        }
        Code::CommandUsage => lint(page, &release(BROKER), "apply plan.json --ref refs/tags/v1.0.0"),
        Code::CheckFile | Code::CheckDiffers => check(page),
        Code::PlanConflict => return plan_conflict().await,
        Code::PlanStale => plan_stale().await,
        Code::PlanTarget => plan_target().await,
        Code::PlanFile => return plan_file(),
        Code::ApplyNotConfirmed => {
            let folder = directory("", HELLO);
            folder.image("dist/hello", &image("1.2.3"));
            error(page, &folder, folder.run("apply --ref refs/tags/v1.2.3"))
        }
        Code::ApplyInterrupted => interrupted().await,
        Code::ApplyReadBack => read_back(page).await,
        Code::ApplyNotRestored => not_restored(page).await,
        Code::ApplyFailed => apply_failed(page),
        Code::RegistryUnauthorized => registry_unauthorized(page).await,
        Code::RegistryDenied => registry_denied(page).await,
        Code::RegistryNotFound => registry_not_found(page).await,
        Code::RegistryRejected => registry_rejected(page).await,
        Code::RegistryRateLimited => registry_rate_limited(page).await,
        Code::RegistryUnreachable => registry_unreachable(page).await,
        Code::RegistryProtocol => registry_protocol(page).await,
        Code::RegistryCredentials => registry_credentials(page),
        Code::RegistryDirectory => registry_directory(page),
        Code::VisibilityDiffers => visibility_differs(page).await,
        Code::VisibilityApi => visibility_api(page).await,
        Code::SecretsFound => secrets_found(page),
        Code::SecretsUnreadable => secrets_unreadable(page),
        Code::SourceMissing => source(page, "oci:dist/brokkr", |folder| {
            let layout = folder.path.join("dist/brokkr");
            image("1.2.3").reference("broker").write(&layout);
            image("1.2.4").reference("agent").write(&layout);
        }),
        Code::SourceUnreadable => source(page, "oci-archive:dist/broker.tar", |folder| {
            // A link to itself. Rights would not do, because they do not stop a test that runs as root.
            std::os::unix::fs::symlink("broker.tar", folder.path.join("dist/broker.tar")).expect("a link");
        }),
        Code::SourceMalformed => source(page, "oci-archive:dist/broker.tar", |folder| {
            // An archive without files, and without the two blocks of zeros that end one.
            folder.write("dist/broker.tar", b"");
        }),
        Code::SourceDigest => source(page, "oci:dist/broker", |folder| {
            let written = folder.image("dist/broker", &image("1.2.3"));
            let path = testkit::image::blob_path(&written.directory, &written.blobs[0]);
            let mut bytes = fs::read(&path).expect("a blob");
            bytes.extend(b"\n\n");
            fs::write(&path, bytes).expect("written");
        }),
        Code::SourcePlatform => source_platform(page),
        Code::SourceUnsupported => source(page, "oci-archive:dist/broker.tar.xz", |folder| {
            folder.write("dist/broker.tar.xz", b"\xfd7zXZ\0 and so on");
        }),
        Code::SourceEngine => source_engine(page),
        Code::SourceTemporary => source_temporary(page),
        Code::SourceChart => source_chart(page),
        Code::SourceChartDependencies => source_chart_dependencies(page),
        Code::SourceChartImage => source_chart_image(page),
    };
    vec![sample]
}

fn toml(page: &ErrorPage) -> &str {
    page.block("toml").expect("the page shows a configuration")
}

/// Returns a configuration for releases to `ghcr.io/acme`.
fn release(resources: &str) -> String {
    format!("{PRELUDE}{VERSION_RULE}{resources}")
}

/// Returns a folder that publishes to a directory.
fn directory(more: &str, resources: &str) -> Folder {
    let registry = "version = 1\n\n[registries.bundle]\nurl = \"oci:dist/registry\"\n\n";
    Folder::with(&[("publish.toml", &format!("{registry}{VERSION_RULE}{more}{resources}"))])
}

/// Returns a folder with a git repository in which this `publish.toml` and `files` are committed.
fn committed(configuration: &str, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(&[("publish.toml", configuration)]);
    for (name, text) in files {
        folder.write(name, text);
    }
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--message", "first"]);
    folder
}

/// Returns the first diagnostic of the page's code that a run prints. The run reaches no network.
fn error(page: &ErrorPage, folder: &Folder, run: ProgramRun) -> String {
    let done = wide(offline(run)).expect_code(1);
    diagnostics(folder, &done, page.code, 1)
}

/// Makes each connection to another machine fail.
fn offline(run: ProgramRun) -> ProgramRun {
    run.env("HTTPS_PROXY", "http://127.0.0.1:1").env("HTTP_PROXY", "http://127.0.0.1:1")
}

fn lint(page: &ErrorPage, configuration: &str, arguments: &str) -> String {
    // The pages show files that end with the last line of their snippet.
    let folder = Folder::with(&[("publish.toml", configuration)]);
    error(page, &folder, folder.run(arguments))
}

fn plan_limits(page: &ErrorPage) -> String {
    let configuration = release(HELLO).replace("ghcr.io/acme", "oci:registry");
    let folder = Folder::with(&[("publish.toml", &configuration)]);
    folder.image("dist/hello", &image("hello"));
    let _planned = folder.run(&format!("{PLAN} --out plan.json")).done().expect_code(0);
    error(page, &folder, folder.run("apply plan.json --only-registry ghcr.io/acme"))
}

fn outside(page: &ErrorPage) -> String {
    let configuration = format!("{PRELUDE}{}\n{VERSION_RULE}{BROKER}", toml(page));
    let folder = Folder::with(&[("publish.toml", &configuration)]);
    let done = wide(offline(folder.run(PLAN))).expect_code(1);
    let above = folder.path.parent().expect("a folder").display().to_string();
    diagnostics_with(&folder, &done, page.code, 1, &[(&above, "/builds/acme")])
}

fn config_file(page: &ErrorPage) -> String {
    let folder = Folder::new();
    folder.write("publish.toml", b"version = 1\n\n[vars]\nplace = \"caf\xe9\"\n");
    error(page, &folder, folder.run("lint"))
}

fn check(page: &ErrorPage) -> String {
    let configuration = format!("{PRELUDE}{}\n{VERSION_RULE}{BROKER}", toml(page));
    let file = page.block("yaml").expect("the page shows a file");
    let folder = Folder::with(&[("publish.toml", &configuration), ("Chart.yaml", file)]);
    error(page, &folder, folder.run(PLAN))
}

fn plan_file() -> Vec<String> {
    let folder = Folder::with(&[
        ("publish.toml", &release(BROKER)),
        ("plan.json", r#"{"format_version": "3.0"}"#),
        ("notes.txt", "a plan"),
    ]);
    let sample = |arguments: &str| {
        let done = wide(offline(folder.run(arguments))).expect_code(1);
        diagnostics(&folder, &done, Code::PlanFile, 1)
    };
    vec![sample("apply plan.json"), sample("apply notes.txt")]
}

fn apply_failed(page: &ErrorPage) -> String {
    let folder = directory("", HELLO);
    folder.image("dist/hello", &image("1.2.3"));
    // With so few open files the program starts, but its asynchronous runtime does not.
    for limit in 4..16 {
        let mut run = offline(folder.run("plan --ref refs/tags/v1.2.3"));
        let program = run.command.get_program().to_owned();
        let arguments: Vec<_> = run.command.get_args().map(ToOwned::to_owned).collect();
        let variables: Vec<_> = run
            .command
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
            .collect();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(program).args(arguments);
        command.current_dir(&folder.path).stdin(Stdio::null()).env_clear();
        command.envs(variables.into_iter().filter_map(|(name, value)| Some((name, value?))));
        run.command = command;
        let done = wide(run);
        if done.stderr().contains(page.code.as_str()) {
            return diagnostics(&folder, &done, page.code, 1);
        }
    }
    panic!("no limit of open files stops the runtime alone");
}

// Registries.

/// A host that a scripted registry stands in for, and a folder that publishes there.
struct Online {
    registry: TestRegistry,
    proxy: TlsProxy,
    folder: Folder,
}

impl Online {
    /// Starts a registry that answers as `host`, and writes a configuration that publishes to `url`.
    async fn start(host: &str, url: &str, options: TestRegistryOptions, rest: &str) -> Self {
        let registry = TestRegistry::start(options).await;
        let proxy = TlsProxy::start(&[(host, &registry.host())]).await;
        let folder = Folder::with(&[
            ("publish.toml", &format!("version = 1\n\n[registries.main]\nurl = \"{url}\"\n{rest}")),
            ("authority.pem", AUTHORITY),
        ]);
        Self { registry, proxy, folder }
    }

    /// Starts `ghcr.io/acme` with the rules of a release and the image `hello`.
    async fn hello(rules: &str) -> Self {
        let online = Self::start("ghcr.io", "ghcr.io/acme", TestRegistryOptions::default(), "").await;
        let text = format!("{PRELUDE}{rules}{HELLO}");
        online.folder.write("publish.toml", text);
        online
    }

    fn run(&self, arguments: &str) -> ProgramRun {
        let run = self.folder.run(arguments).env("HTTPS_PROXY", self.proxy.url());
        let authority = self.folder.path.join("authority.pem");
        run.env("BROKKR_PUBLISH_REGISTRIES__MAIN__CA_FILE", &authority)
    }

    /// A run with a configuration whose registry is called `ghcr`.
    fn run_ghcr(&self, arguments: &str) -> ProgramRun {
        let authority = self.folder.path.join("authority.pem");
        let run = self.folder.run(arguments).env("HTTPS_PROXY", self.proxy.url());
        run.env("BROKKR_PUBLISH_REGISTRIES__GHCR__CA_FILE", &authority)
    }

    fn error(&self, page: &ErrorPage, run: ProgramRun) -> String {
        diagnostics(&self.folder, &wide(run).expect_code(1), page.code, 1)
    }
}

/// An answer of a registry that refuses.
fn refusal(status: u16, code: &str, message: &str) -> Fault {
    let body = json!({ "errors": [{ "code": code, "message": message }] }).to_string();
    Fault::Answer(status, vec![("content-type", "application/json".to_owned())], body.into_bytes())
}

/// Returns the outcome at the end of what an apply printed, or the plan before it.
fn outcome(stdout: &str) -> &str {
    let plan = stdout.find("\nPlan: ").map_or(0, |at| at + 1);
    let end = stdout[plan..].find("\n\n").map_or(0, |end| plan + end + 2);
    if plan == 0 { stdout } else { &stdout[end..] }
}

/// Returns what people see on both streams: the data, an empty line, and the diagnostics.
fn both(stdout: &str, stderr: &str) -> String {
    let error = stderr.find("error: ").unwrap_or_else(|| panic!("no error in {stderr}"));
    format!("{}\n\n{}", stdout.trim_matches('\n'), &stderr[error..])
}

async fn plan_target() -> String {
    let online = Online::hello(VERSION_RULE).await;
    online.folder.image("dist/hello", &image("1.2.3"));
    let done = wide(online.run_ghcr(&format!("{PLAN} --target images.helo"))).expect_code(1);
    diagnostics(&online.folder, &done, Code::PlanTarget, 1)
}

const MINOR_RULE: &str = "[tags.minor]\non = \"tag\"\ntemplate = \"v{{ version.major }}.{{ version.minor }}\"\nmutability = \"forward\"\n\n";
const MAJOR_RULE: &str =
    "[tags.major]\non = \"tag\"\ntemplate = \"v{{ version.major }}\"\nmutability = \"forward\"\n\n";

fn shown(done: &EndedRun) -> String {
    both(&done.stdout(), &done.stderr())
}

async fn plan_conflict() -> Vec<String> {
    let online = Online::hello(&format!("{VERSION_RULE}{MINOR_RULE}{LATEST_RULE}")).await;
    let apply = "apply --auto-approve --ref refs/tags/v1.3.0 --sha 2564d71ab0e5c1b0b6c6b1f0a7a2d3c4e5f60718";
    online.folder.image("dist/hello", &image("1.3.0"));
    online.run_ghcr(apply).done().expect_code(0);
    online.folder.image("dist/hello", &image("1.3.0, built again"));
    let twice = shown(&online.run_ghcr(apply).done().expect_code(1));

    let online = Online::hello(&format!("{VERSION_RULE}{MAJOR_RULE}{LATEST_RULE}")).await;
    for (version, more) in [("1.2.3", ""), ("2.0.0", " --record record.json"), ("2.0.1", "")] {
        online.folder.image("dist/hello", &image(version));
        let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
        let apply = format!("apply --auto-approve --ref refs/tags/v{version} --sha {sha}{more}");
        online.run_ghcr(&apply).done().expect_code(0);
    }
    let done = online.run_ghcr("rollback record.json").done().expect_code(1);
    let plan = done.stdout();
    let end = plan.find("\nPlan: ").expect("a plan") + 1;
    let end = plan[end..].find('\n').map_or(plan.len(), |line| end + line + 1);
    vec![twice, plan[..end].to_owned()]
}

async fn gate_closed(page: &ErrorPage) -> String {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let first = format!(
        "version = 1\n\n[registries.staging]\nurl = \"{}\"\n\n{VERSION_RULE}{HELLO}",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &first), ("staging.pub", PUBLIC_KEY)]);
    folder.image("dist/hello", &image("1.2.3"));
    folder.run(APPLY).done().expect_code(0);
    let gate = "[gates.tested]\nrequire = { signature = { key = \"staging.pub\" } }\n\n";
    let promoted = format!(
        "[images.hello]\nsource = \"docker://{}/hello:v1.2.3\"\ngates = [\"tested\"]\n",
        registry.host()
    );
    folder.write("publish.toml", directory(gate, &promoted).read("publish.toml"));
    let sample = error(page, &folder, folder.run(APPLY));
    sample.replace(&registry.host(), "staging.acme.test")
}

fn signing_missing(page: &ErrorPage) -> String {
    let keeping = |more: &str, resources: &str| {
        let text = directory(more, resources).read("publish.toml");
        text.replace(VERSION_RULE, &VERSION_RULE.replacen("\n\n", "\non_conflict = \"keep\"\n\n", 1))
    };
    let folder = Folder::with(&[("publish.toml", &keeping("", HELLO))]);
    folder.image("dist/hello", &image("1.2.3"));
    folder.run(APPLY).done().expect_code(0);
    folder.image("dist/hello", &image("1.2.3, built again"));
    folder.write("publish.toml", keeping(&format!("{STABLE_RULE}{SIGNER}"), SIGNED));
    error(page, &folder, folder.run(APPLY).env("COSIGN_PRIVATE_KEY", SIGNING_KEY))
}

async fn plan_stale() -> String {
    let online = Online::hello(&format!("{VERSION_RULE}{MINOR_RULE}{LATEST_RULE}")).await;
    online.folder.image("dist/hello", &image("1.2.0"));
    online.run_ghcr("apply --auto-approve --ref refs/tags/v1.2.0").done().expect_code(0);
    online.folder.image("dist/hello", &image("1.3.0"));
    online.run_ghcr("plan --ref refs/tags/v1.3.0 --out plan.json").done().expect_code(0);
    move_latest(&online.registry);
    shown(&online.run_ghcr("apply plan.json").done().expect_code(1))
}

/// Moves `latest` of `acme/hello` to a manifest of another digest, as somebody else may.
fn move_latest(registry: &TestRegistry) -> bool {
    let mut content = registry.content();
    let latest = ("acme/hello".to_owned(), "latest".to_owned());
    let Some(now) = content.tags.get(&latest).cloned() else { return false };
    let mut others: Vec<_> = content.manifests.keys().map(|(_, digest)| digest.clone()).collect();
    others.sort();
    let other = others.into_iter().find(|digest| *digest != now).expect("another manifest");
    content.tags.insert(latest, other);
    true
}

async fn interrupted() -> String {
    let online = Online::hello(&format!("{VERSION_RULE}{LATEST_RULE}")).await;
    online.folder.image("dist/hello", &image("1.3.0"));
    let sending = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&sending);
    online.registry.hold(Arc::new(move |request| {
        if request.method == "PUT" && request.path.contains("/blobs/uploads/") {
            begun.store(true, Ordering::SeqCst);
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(()))
    }));
    let mut run = online.run_ghcr("apply --auto-approve --ref refs/tags/v1.3.0");
    let child: Child =
        run.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    wait_until("a blob is sent", || sending.load(Ordering::SeqCst));
    signal("INT", child.id());
    let output = child.wait_with_output().expect("the program ends");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    both(outcome(&stdout), &String::from_utf8_lossy(&output.stderr))
}

async fn read_back(page: &ErrorPage) -> String {
    let online = Online::hello(&format!("{VERSION_RULE}{LATEST_RULE}")).await;
    online.folder.image("dist/hello", &image("1.3.0"));
    let (registry, moved) = (online.registry.clone(), AtomicBool::new(false));
    online.registry.hold(Arc::new(move |request| {
        let reads = request.method != "PUT" && request.path.ends_with("/manifests/latest");
        if reads && !moved.load(Ordering::SeqCst) {
            moved.store(move_latest(&registry), Ordering::SeqCst);
        }
        Box::pin(std::future::ready(()))
    }));
    online.error(page, online.run_ghcr("apply --auto-approve --ref refs/tags/v1.3.0"))
}

async fn not_restored(page: &ErrorPage) -> String {
    let host = "registry.example.com";
    let rest = format!("\n{VERSION_RULE}{LATEST_RULE}{STABLE_RULE}{HELLO}");
    let online =
        Online::start(host, "registry.example.com/acme", TestRegistryOptions::default(), &rest).await;
    online.folder.image("dist/hello", &image("1.3.0"));
    let fault = refusal(400, "TAG_INVALID", "manifest tag did not match URI");
    online.registry.on("PUT", "/manifests/stable", 100, fault);
    online.error(page, online.run("apply --auto-approve --ref refs/tags/v1.3.0"))
}

async fn registry_unauthorized(page: &ErrorPage) -> String {
    let online = Online::hello(VERSION_RULE).await;
    online.folder.image("dist/hello", &image("1.2.3"));
    let challenge =
        "Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:acme/hello:pull\"";
    let asked = Fault::Answer(401, vec![("www-authenticate", challenge.to_owned())], Vec::new());
    for method in ["GET", "HEAD", "POST"] {
        online.registry.on(method, "/v2/", 100, asked.clone());
    }
    online.registry.on("GET", "/token", 100, refusal(401, "UNAUTHORIZED", "authentication required"));
    let run = online.run_ghcr(PLAN).env("GITHUB_ACTIONS", "true").env("GITHUB_ACTOR", "alice");
    online.error(page, run.env("GITHUB_TOKEN", "expired"))
}

const BROKKR_BROKER: &str = "\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n[images.brokkr-broker]\nsource = \"oci:dist/broker\"\n";

/// Returns the configuration of an image `name` with the rule of versions, and `more` in its table.
fn of_image(name: &str, rules: &str, more: &str) -> String {
    format!("\n{VERSION_RULE}{rules}[images.{name}]\nsource = \"oci:dist/broker\"\n{more}")
}

async fn registry_denied(page: &ErrorPage) -> String {
    let online =
        Online::start("ghcr.io", "ghcr.io/colliery-io", TestRegistryOptions::default(), BROKKR_BROKER).await;
    online.folder.image("dist/broker", &image("1.2.3"));
    let fault = refusal(403, "DENIED", "permission_denied: write_package");
    online.registry.on("POST", "/blobs/uploads/", 100, fault);
    online.error(page, online.run(APPLY))
}

async fn registry_not_found(page: &ErrorPage) -> String {
    let host = "harbor.example.com";
    let image_of = of_image("broker", "", "");
    let online =
        Online::start(host, "harbor.example.com/brokkr", TestRegistryOptions::default(), &image_of).await;
    online.folder.image("dist/broker", &image("1.2.3"));
    let fault = refusal(404, "NAME_UNKNOWN", "project brokkr not found");
    online.registry.on("POST", "/blobs/uploads/", 100, fault);
    online.error(page, online.run(APPLY))
}

async fn registry_rejected(page: &ErrorPage) -> String {
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let online = Online::start(host, host, TestRegistryOptions::default(), &of_image("brokkr", "", "")).await;
    online.folder.image("dist/broker", &image("1.2.3"));
    let message = "The image tag 'v1.2.3' already exists in the 'brokkr' repository and cannot be overwritten because the repository is immutable.";
    online.registry.on("PUT", "/manifests/v1.2.3", 100, refusal(400, "TAG_INVALID", message));
    online.error(page, online.run(APPLY))
}

async fn registry_rate_limited(page: &ErrorPage) -> String {
    let image_of = of_image("brokkr", "", "");
    let online = Online::start(
        "registry-1.docker.io",
        "docker.io/colliery",
        TestRegistryOptions::default(),
        &image_of,
    )
    .await;
    online.folder.image("dist/broker", &image("1.2.3"));
    let fault = refusal(429, "TOOMANYREQUESTS", "You have reached your pull rate limit");
    online.registry.on("PUT", "/manifests/v1.2.3", 100, fault);
    online.error(page, online.run(APPLY))
}

async fn registry_unreachable(page: &ErrorPage) -> String {
    let image_of = of_image("hello", "", "");
    let url = "registry.example.com:5000";
    let online = Online::start("registry.example.com", url, TestRegistryOptions::default(), &image_of).await;
    online.folder.image("dist/broker", &image("1.2.3"));
    // The program does not know the authority of the certificate.
    online.error(page, online.folder.run(PLAN).env("HTTPS_PROXY", online.proxy.url()))
}

async fn registry_protocol(page: &ErrorPage) -> String {
    let host = "registry.example.com";
    let online =
        Online::start(host, host, TestRegistryOptions::default(), &of_image("brokkr", LATEST_RULE, "")).await;
    online.folder.image("dist/broker", &image("1.2.3"));
    let headers = vec![("content-type", "text/html".to_owned())];
    let login = Fault::Answer(200, headers, b"<html><title>Log in</title></html>".to_vec());
    online.registry.on("GET", "/tags/list", 100, login);
    online.error(page, online.run(PLAN))
}

fn registry_credentials(page: &ErrorPage) -> String {
    let registry = "version = 1\n\n[registries.quay]\nurl = \"quay.io/acme\"\nauth = { username_env = \"QUAY_USERNAME\", password_env = \"QUAY_PASSWORD\" }\n\n";
    let folder = Folder::with(&[("publish.toml", &format!("{registry}{VERSION_RULE}{HELLO}"))]);
    folder.image("dist/hello", &image("1.2.3"));
    error(page, &folder, folder.run(PLAN).env("QUAY_USERNAME", "acme+robot"))
}

fn registry_directory(page: &ErrorPage) -> String {
    let folder = directory("", "[images.brokkr]\nsource = \"oci:dist/brokkr\"\n");
    folder.image("dist/brokkr", &image("1.2.3"));
    folder.write("dist/registry/brokkr/README.md", "Not an image.\n");
    error(page, &folder, folder.run(PLAN))
}

async fn visibility_differs(page: &ErrorPage) -> String {
    let options = TestRegistryOptions {
        auth: RequiredCredentials::Basic,
        user: Some(("alice", "secret")),
        ..TestRegistryOptions::default()
    };
    let image_of = format!(
        "visibility = \"public\"\nauth = {{ username_env = \"U\", password_env = \"P\" }}\n{BROKKR_BROKER}"
    );
    let online = Online::start("ghcr.io", "ghcr.io/colliery-io", options, &image_of).await;
    online.folder.image("dist/broker", &image("1.2.3"));
    online.error(page, online.run(APPLY).env("U", "alice").env("P", "secret"))
}

async fn visibility_api(page: &ErrorPage) -> String {
    let options = TestRegistryOptions {
        auth: RequiredCredentials::Basic,
        user: Some(("alice", "secret")),
        ..TestRegistryOptions::default()
    };
    let image_of = format!(
        "visibility = \"public\"\napi_token_env = \"QUAY_API_TOKEN\"\nauth = {{ username_env = \"U\", password_env = \"P\" }}\n\n{VERSION_RULE}{HELLO}"
    );
    let online = Online::start("quay.io", "quay.io/acme", options, &image_of).await;
    online.folder.image("dist/hello", &image("1.2.3"));
    let answer = |status: u16, body: serde_json::Value| {
        let headers = vec![("content-type", "application/json".to_owned())];
        Fault::Answer(status, headers, body.to_string().into_bytes())
    };
    // As `testkit::quay_api` answers, which cannot have the host of the registry.
    let private = json!({ "namespace": "acme", "name": "hello", "kind": "image", "description": null,
        "is_public": false, "state": "NORMAL" });
    online.registry.on("GET", "/api/v1/repository/acme/hello", 100, answer(200, private));
    let refused = json!({ "status": 403, "error_message": "Unauthorized", "title": "insufficient_scope",
        "error_type": "insufficient_scope", "detail": "Unauthorized",
        "type": "https://quay.io/api/v1/error/insufficient_scope" });
    online.registry.on("POST", "/changevisibility", 100, answer(403, refused));
    let run = online.run(APPLY).env("U", "alice").env("P", "secret");
    online.error(page, run.env("QUAY_API_TOKEN", "quay-oauth-reader"))
}

// Secrets.

/// Writes an image whose layers an instruction made each.
fn image_of_layers(folder: &Folder, layers: &[(&str, TestLayer)]) {
    let layout = LayoutDirectory::create(&folder.path.join("dist/hello"));
    let diff_ids: Vec<&str> = layers.iter().map(|(_, layer)| layer.diff_id.as_str()).collect();
    let history: Vec<_> = layers.iter().map(|(made_by, _)| json!({ "created_by": made_by })).collect();
    let config = json!({ "os": "linux", "architecture": "amd64", "config": {}, "history": history,
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    let config = layout.put(OCI_CONFIG, &serde_json::to_vec(&config).expect("JSON"));
    let layers: Vec<_> = layers.iter().map(|(_, layer)| layout.put(OCI_LAYER_GZIP, &layer.bytes)).collect();
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers });
    let root = layout.put(OCI_MANIFEST, &serde_json::to_vec(&manifest).expect("JSON"));
    layout.list(&root, &[]);
}

const DENY: &str = "[secrets]\npolicy = \"deny\"\n\n";

fn secrets_found(page: &ErrorPage) -> String {
    let folder = directory(DENY, HELLO);
    // No service gave out this token. Its checksum is right.
    let file = format!("LOG=debug\nGITHUB_TOKEN={}\n", github_token());
    let layers = [
        ("RUN apk add ca-certificates", TestLayer::files(&[("etc/ssl/cert.pem", b"certificates")])),
        ("COPY . /app # buildkit", TestLayer::files(&[("app/.env", file.as_bytes())])),
        ("RUN rm /app/.env", TestLayer::files(&[("app/.wh..env", b"")])),
    ];
    image_of_layers(&folder, &layers);
    error(page, &folder, folder.run(APPLY))
}

/// Returns a token that no service gave out, with the checksum that real ones have.
fn github_token() -> String {
    let random = "q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6";
    let mut crc = flate2::Crc::new();
    crc.update(random.as_bytes());
    let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".as_bytes();
    let mut sum = crc.sum() as usize;
    let mut checksum = Vec::new();
    for _ in 0..6 {
        checksum.push(digits[sum % 62]);
        sum /= 62;
    }
    checksum.reverse();
    format!("ghp_{random}{}", String::from_utf8(checksum).expect("letters"))
}

fn secrets_unreadable(page: &ErrorPage) -> String {
    let folder = directory(DENY, HELLO);
    let mut layer = TestLayer::noise(7, 10_000);
    layer.bytes.truncate(5000);
    image_of_layers(&folder, &[("COPY . /app", layer)]);
    error(page, &folder, folder.run(PLAN))
}

// Sources.

/// Returns the error of a plan whose image `broker` has this source.
fn source(page: &ErrorPage, source: &str, write: impl FnOnce(&Folder)) -> String {
    let folder = source_folder(source, "");
    write(&folder);
    error(page, &folder, folder.run(PLAN))
}

fn source_folder(source: &str, more: &str) -> Folder {
    let resource = format!("[images.broker]\nsource = \"{source}\"\n{more}");
    Folder::with(&[("publish.toml", &release(&resource)), ("dist/README.md", "Images.\n")])
}

fn source_platform(page: &ErrorPage) -> String {
    let folder =
        source_folder("oci-archive:dist/broker.tar", "platforms = [\"linux/amd64\", \"linux/arm64\"]\n");
    let one = TestImage::new().platform("linux/amd64", vec![TestLayer::files(&[("text", b"amd64")])]);
    let layout = folder.image("layout", &one).directory;
    testkit::image::to_archive(&layout, &folder.path.join("dist/broker.tar"));
    error(page, &folder, folder.run(PLAN))
}

fn source_engine(page: &ErrorPage) -> String {
    let folder = source_folder("docker-daemon:broker", "");
    let socket = folder.path.join("docker.sock").display().to_string();
    let done = wide(offline(folder.run(PLAN)).env("DOCKER_HOST", format!("unix://{socket}"))).expect_code(1);
    let replaced = [("/builds/acme/hello/docker.sock", "/run/user/1000/docker.sock")];
    diagnostics_with(&folder, &done, page.code, 1, &replaced)
}

fn source_temporary(page: &ErrorPage) -> String {
    let folder = source_folder("docker-archive:dist/broker.tar", "");
    fs::write(folder.path.join("dist/broker.tar"), docker_archive()).expect("written");
    let done = wide(offline(folder.run(PLAN)).env("TMPDIR", folder.path.join("tmp"))).expect_code(1);
    // A test cannot fill a disk. The folder is missing instead, and everything but the system's reason is the same.
    let missing = std::io::Error::from_raw_os_error(2).to_string();
    let full = std::io::Error::from_raw_os_error(28).to_string();
    let replaced = [("/builds/acme/hello/tmp", "/tmp"), (missing.as_str(), full.as_str())];
    diagnostics_with(&folder, &done, page.code, 1, &replaced)
}

/// Returns the smallest archive of `docker save`: an image of one layer that is not compressed.
fn docker_archive() -> Vec<u8> {
    let mut layer = tar::Builder::new(Vec::new());
    testkit::chart::entry(&mut layer, "text", b"hello");
    let layer = layer.into_inner().expect("a layer");
    let diff_id = testkit::image::sha256(&layer);
    let config = json!({ "os": "linux", "architecture": "amd64", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [diff_id] } });
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": ["broker:latest"], "Layers": ["layer.tar"] }]);
    let mut archive = tar::Builder::new(Vec::new());
    testkit::chart::entry(&mut archive, "manifest.json", manifest.to_string().as_bytes());
    testkit::chart::entry(&mut archive, "config.json", config.to_string().as_bytes());
    testkit::chart::entry(&mut archive, "layer.tar", &layer);
    archive.into_inner().expect("an archive")
}

fn source_chart(page: &ErrorPage) -> String {
    let chart = TestChart::small("hello", "0.0.0")
        .with(
            "Chart.yaml",
            "apiVersion: v2\nname: hello\ndescription: Says hello\nversion: 0.0.0 # set when it is published\ntype: service\n",
        )
        .with("values.yaml", "greeting: Hello: you\n");
    let folder = Folder::with(&[("publish.toml", &release("[charts.hello]\nsource = \"charts/hello\"\n"))]);
    chart.write(&folder.path.join("charts/hello"));
    let done = wide(offline(folder.run(PLAN))).expect_code(1);
    diagnostics(&folder, &done, page.code, 2)
}

fn source_chart_image(page: &ErrorPage) -> String {
    let chart = "[images.web]\nsource = \"oci:web\"\n\n[charts.web]\nsource = \"charts/web\"\n";
    let folder = Folder::with(&[("publish.toml", &release(chart))]);
    TestChart::small("web", "0.1.0")
        .with("values.yaml", "image:\n  repository: ghcr.io/acme/web\n  tag: 1.16.0\n")
        .write(&folder.path.join("charts/web"));
    let done = wide(offline(folder.run("lint"))).expect_code(0);
    diagnostics(&folder, &done, page.code, 1)
}

fn source_chart_dependencies(page: &ErrorPage) -> String {
    let folder = Folder::with(&[(
        "publish.toml",
        &release("[charts.brokkr-broker]\nsource = \"charts/brokkr-broker\"\n"),
    )]);
    TestChart::broker().without(DATABASE).write(&folder.path.join("charts/brokkr-broker"));
    error(page, &folder, folder.run(PLAN))
}

async fn retention_untagged(page: &ErrorPage) -> String {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let text = toml(page).replace("localhost:5000", &registry.host());
    let folder = Folder::with(&[("publish.toml", &text)]);
    let done = wide(folder.run("prune")).expect_code(1);
    diagnostics_with(&folder, &done, page.code, 1, &[(&registry.host(), "localhost:5000")])
}
