//! Nothing from outside reaches a terminal or a log of a CI raw: each command is run with hostile texts from each place that
//! texts come from, and what it prints is looked at. `SECURITY.md` says what is promised.
//!
//! Names and answers of single readers are in `tests/it/hostile_sources.rs`, `tests/it/hostile_plan.rs` and `tests/it/registry_http/malice.rs`.

use serde_json::{Value, json};
use testkit::chart::TestChart;
use testkit::command::{EndedRun, Folder};
use testkit::test_registry;
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};

/// Sets colours and a title, clears the screen, in C0 and in C1, reorders text, goes back in the line; then forges lines that
/// GitHub and Azure take for commands.
const HOSTILE: &str = "h\u{1b}[35;45mX\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200f}\u{2028}\r\u{8}\u{7f}\u{feff}\n::add-mask::x\n  ##vso[task.x]y";

/// The same without the characters that arguments, headers and names of files and refs cannot hold.
const NAME: &str = "h\u{9b}2J\u{202e}\u{2066}\u{200f}\u{2028}\u{85}x";

/// The characters of `shown` that act on a terminal or forge a line.
fn acting(shown: &str) -> Vec<char> {
    let acts = |c: &char| {
        (c.is_control() && !"\n\t".contains(*c)) || "\u{202e}\u{2066}\u{200f}\u{2028}\u{feff}".contains(*c)
    };
    shown.chars().filter(acts).collect()
}

/// Asserts that nothing in what was printed acts.
#[track_caller]
fn quiet(what: &str, done: &EndedRun) {
    for shown in [done.stdout(), done.stderr()] {
        assert_eq!(acting(&shown), Vec::<char>::new(), "{what}: {shown:?}");
        let annotations = what.contains("lint --format github") || what.starts_with("GITHUB");
        let command = |line: &str| match line.trim().strip_prefix("::") {
            Some(rest) => !(annotations && (rest.starts_with("error ") || rest.starts_with("warning "))),
            None => line.contains("##vso["),
        };
        assert!(!shown.lines().any(command), "{what}: {shown}");
    }
    assert!(matches!(done.code(), Some(0..=2)), "{what}: {}", done.shown());
}

const CONFIG: &str = r#"
version = 1
[project]
source = "https://example.com/acme/app"
tag_prefix = "v"
[vars]
word = "text"
[registries.bundle]
url = "oci:registry"
[registries.far]
url = "localhost:1/acme"
provider = "github"
ca_file = "ca.pem"
auth = { username_env = "FAR_USER", password_env = "FAR_PASSWORD" }
[tags.version]
on = "tag"
template = "v{{ version }}"
when = "event == 'tag'"
match = "v*"
[tags.branch]
on = "branch"
template = "{{ git.branch | slug }}"
mutability = "forward"
[images.app]
source = "oci:image"
repository = "team/app"
registries = ["bundle"]
tags = ["version", "branch"]
platforms = ["linux/amd64"]
annotations = { "org.example.word" = "{{ vars.word }}" }
labels = { "org.example.label" = "{{ git.ref }}" }
[charts.web]
source = "charts/web"
registries = ["bundle"]
version = "{{ version }}"
[artifacts.files]
artifact_type = "application/vnd.example"
registries = ["bundle"]
files = [{ path = "file.txt", media_type = "text/plain", title = "file.txt" }]
[[checks]]
file = "Cargo.toml"
key = "package.version"
equals = "{{ version }}"
[retention.old]
match = "old-*"
keep_last = 5
[profile.other.tags.version]
template = "other-{{ version }}"
"#;

fn folder() -> Folder {
    let folder = Folder::with(&[
        ("publish.toml", CONFIG),
        ("file.txt", "text"),
        ("Cargo.toml", "[package]\nversion = \"1.2.3\"\n"),
    ]);
    TestChart::small("web", "1.2.3").write(&folder.path.join("charts/web"));
    layout(&folder, "image");
    folder
}

/// A small image as a layout; its index.
fn layout(folder: &Folder, name: &str) -> Value {
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/image.tar");
    let mut archive = tar::Archive::new(std::fs::File::open(archive).expect("the quickstart's image"));
    archive.unpack(folder.path.join(name)).expect("unpacked");
    serde_json::from_str(&folder.read(&format!("{name}/index.json"))).expect("JSON")
}

const TAG: &str = "--ref refs/tags/v1.2.3";

fn arguments(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn arguments_of_every_command() {
    let folder = folder();
    let hostile = HOSTILE;
    for before in [
        "lint",
        "-c",
        "lint --profile",
        "lint --set",
        "lint --format",
        "tags --ref",
        "tags --sha",
        "tags --event",
        "tags --pr",
        "tags --format",
        "plan --target",
        "plan --parallelism",
        "plan --ref refs/tags/v1.2.3 --out",
        "apply",
        "apply --record",
        "apply --auto-approve --ref refs/tags/v1.2.3 --target images.app --record",
        "rollback",
        "verify --record",
        "verify --target",
        "prune --target",
        "prune --ref",
        "show",
        "show --format",
        "explain",
        "man",
        "completions",
        "schema",
        "--color",
        "",
        "lint --",
        "--set",
    ] {
        for option in ["", "--", "tags.version.template={{", "images.app.source=", "x="] {
            let mut all = arguments(before);
            all.push(format!("{option}{hostile}"));
            if matches!(before, "-c" | "--set") {
                all.push("lint".to_owned());
            }
            quiet(&format!("{before} {option}"), &folder.run_with(all).done());
        }
    }
}

#[test]
fn our_own_colours_are_all_that_is_left_where_colours_are_wanted() {
    let colors = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a pattern");
    let folder = folder();
    folder.write("hostile.toml", format!("version = 1\n# {HOSTILE}\nx = \"{HOSTILE}\"\n"));
    for all in [
        vec!["--color=always", "lint", HOSTILE],
        vec!["--color=always", HOSTILE],
        vec!["--color=always", "explain", HOSTILE],
        vec!["--color=always", "lint", "hostile.toml"],
        vec!["--color=always", "-vv", "tags", "--ref", HOSTILE],
        vec!["--color=always", "tags", "--sha", HOSTILE, "--ref", "refs/tags/v1.2.3"],
    ] {
        let done = folder.run_with(all.clone()).done();
        let shown = done.stdout() + &done.stderr();
        assert!(!shown.contains("\u{1b}[35;45m"), "{all:?}: {shown:?}");
        assert_eq!(acting(&colors.replace_all(&shown, "")), Vec::<char>::new(), "{all:?}: {shown:?}");
    }
}

#[test]
fn variables_of_the_environment() {
    let folder = folder();
    for name in [
        "BROKKR_PUBLISH_CONFIG",
        "BROKKR_PUBLISH_PROFILE",
        "BROKKR_PUBLISH_images__app__source",
        "BROKKR_PUBLISH_TAGS__VERSION__TEMPLATE",
        "BROKKR_PUBLISH_x",
        "BROKKR_PUBLISH_LOG",
        "SOURCE_DATE_EPOCH",
        "DOCKER_CONFIG",
        "DOCKER_AUTH_CONFIG",
        "REGISTRY_AUTH_FILE",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "COLUMNS",
        "TERM",
        "LANG",
        "LC_ALL",
        "HOME",
        "XDG_RUNTIME_DIR",
        "TMPDIR",
        "GITHUB_REF",
        "GIT_DIR",
        "GITHUB_EVENT_PATH",
        "CI_COMMIT_BRANCH",
        "CI_COMMIT_TAG",
        "CI_COMMIT_SHA",
        "CI_DEFAULT_BRANCH",
    ] {
        let ci: &[(&str, &str)] = match name {
            _ if name.starts_with("GITHUB") => &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push")],
            _ if name.starts_with("CI_") => &[("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "push")],
            _ => &[],
        };
        for text in [
            "lint",
            "lint --format json",
            "lint --format github",
            "-vv tags",
            "tags --format json",
            "tags --format github",
        ] {
            let run = folder.run(text).envs(ci).env(name, HOSTILE);
            quiet(&format!("{name}: {text}"), &run.done());
        }
        let run = folder.run(&format!("-vv plan --target images.app {TAG}")).envs(ci).env(name, HOSTILE);
        quiet(&format!("{name}: plan"), &run.done());
    }
}

/// `value` with each of its texts, and each of its keys, in turn made hostile; with the place.
fn spoiled(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    places(value, &mut String::new(), &mut |place| {
        let mut spoiled = value.clone();
        let text = spoiled.pointer_mut(place).expect("a place");
        if text.is_string() {
            *text = json!(HOSTILE);
            found.push((place.to_owned(), spoiled));
        }
        if let Some((parent, key)) = place.rsplit_once('/') {
            let mut spoiled = value.clone();
            if let Some(Value::Object(parent)) = spoiled.pointer_mut(parent) {
                let key = key.replace("~1", "/").replace("~0", "~");
                let inner = parent.remove(&key).expect("a key");
                parent.insert(format!("{key}{HOSTILE}"), inner);
                found.push((format!("the key {place}"), spoiled));
            }
        }
    });
    found
}

fn places(value: &Value, at: &mut String, each: &mut dyn FnMut(&str)) {
    each(at);
    let length = at.len();
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in parts {
        at.push('/');
        at.push_str(&key);
        places(value, at, each);
        at.truncate(length);
    }
}

#[test]
fn every_text_of_publish_toml() {
    let folder = folder();
    folder.run("lint").done().expect_code(0);
    folder
        .run(&format!("plan --target images.app@bundle charts.web@bundle artifacts.files@bundle {TAG}"))
        .done()
        .expect_code(0);
    let config: toml::Table = CONFIG.parse().expect("TOML");
    let config = serde_json::to_value(config).expect("JSON");
    for (place, spoiled) in spoiled(&config) {
        let table: toml::Table = serde_json::from_value(spoiled).expect("a table");
        folder.write("publish.toml", table.to_string());
        for text in [
            "lint",
            "lint --format json",
            "lint --format github",
            "lint --format sarif",
            "-v tags --ref refs/tags/v1.2.3",
            "tags --format github --ref refs/heads/main",
            "tags --format json --ref refs/heads/main",
        ] {
            quiet(&format!("{place}: {text}"), &folder.run(text).done());
        }
        // The other registry is far away, and would be waited for.
        let target = "--target images.app@bundle charts.web@bundle artifacts.files@bundle";
        for text in [format!("-v plan {TAG} {target}"), format!("plan --json {TAG} {target}")] {
            quiet(&format!("{place}: {text}"), &folder.run(&text).done());
        }
    }
}

#[test]
fn bytes_of_a_file_that_is_shown_in_part() {
    for text in [
        format!("version = 1 # {HOSTILE}\nwrong = 2 # {HOSTILE}\n"),
        format!("version = \"{HOSTILE}\"\n"),
        format!("version = 1\n\"{HOSTILE}\" = 2\n[tags.x{HOSTILE}]\n"),
        HOSTILE.to_owned(),
        format!("version = 1\n[tags.x]\ntemplate = '''{{{{ y }}}} {HOSTILE}'''\n"),
        format!("version = 1\n[tags.x]\non = 'tag'\ntemplate = '''{HOSTILE}\n{{{{ y | nothing }}}}'''\n"),
        format!("version = 1\n[images.x]\nsource = '{NAME}'\nplatforms = ['{NAME}'] # {NAME}\n"),
    ] {
        let folder = folder();
        folder.write("publish.toml", &text);
        folder.write("Cargo.toml", format!("[package]\nversion = '{NAME}' # {HOSTILE}\n"));
        folder.write("package.json", format!("{{\"version\": \"{HOSTILE}\""));
        for arguments in
            ["lint", "lint --format github", "lint --format json", "lint --format sarif", "tags", "verify"]
        {
            quiet(&format!("{text:?}: {arguments}"), &folder.run(arguments).done());
        }
    }
    // A file that is checked, in each of its formats.
    for (file, text) in [
        ("Cargo.toml", format!("[package]\nversion = '{NAME}' # {NAME}\n")),
        ("Cargo.toml", format!("[package] # {HOSTILE}\n")),
        ("Cargo.toml", format!("[package]\nversion = 7 # {NAME}\nother = '{NAME}'\n")),
        ("x.json", format!("{{\"package\": {{\"version\": {}, \"{NAME}\": 1}}}}", json!(HOSTILE))),
        ("x.json", format!("{{\"package\": {HOSTILE}")),
        ("x.yaml", format!("package:\n  version: \"h\\x1b[2J\\u202e{NAME}\" # {NAME}\n")),
        ("x.yaml", format!("package: [{HOSTILE}\n")),
    ] {
        let folder = folder();
        folder.write("publish.toml", CONFIG.replace("file = \"Cargo.toml\"", &format!("file = \"{file}\"")));
        folder.write(file, &text);
        for arguments in [
            format!("plan --target images.app@bundle {TAG}"),
            format!("plan --json --target images.app@bundle {TAG}"),
        ] {
            let done = folder.run(&arguments).done();
            quiet(&format!("{text:?}: {arguments}"), &done);
        }
    }
}

#[test]
fn refs_remotes_and_folders_of_a_git_repository() {
    let folder = folder();
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "--force", "."]);
    folder.git(&["commit", "--quiet", "--message", HOSTILE]);
    folder.git(&[
        "remote",
        "add",
        "origin",
        &format!("https://u:p@example.com/{}", HOSTILE.replace('\n', "")),
    ]);
    // git refuses blanks and control characters below U+0080 in names of refs, and nothing else of this.
    for name in [
        NAME,
        "$(touch pwned)",
        "`touch${IFS}pwned`",
        "x;touch${IFS}pwned",
        "--upload-pack=touch${IFS}pwned",
        "-c",
        "::add-mask::x",
        "##vso[task.x]y",
        "'\"|&<>",
    ] {
        let name = name.replace([' ', '[', ':'], "");
        folder.git(&["update-ref", &format!("refs/tags/v1-{name}"), "HEAD"]);
        folder.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
        folder.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        for text in [
            "-vv tags",
            "tags --format json",
            "tags --format github",
            "-v plan --target images.app@bundle",
            "plan --json --target images.app@bundle",
            "apply --auto-approve --target images.app@bundle --json",
        ] {
            let done = folder.run(text).done();
            quiet(&format!("{name}: {text}"), &done);
        }
        folder.git(&["checkout", "--quiet", "--detach"]);
        quiet(&name, &folder.run("-vv tags").done());
        folder.git(&["tag", &format!("v2-{name}")]);
        quiet(&name, &folder.run("-vv tags").done());
    }
    assert!(!folder.path.join("pwned").exists());

    // A folder of that name, inside a repository and out.
    let folder = Folder::new();
    folder.write(&format!("{NAME}\u{1b}[2J/publish.toml"), CONFIG.replace("oci:image", "oci:nowhere"));
    for text in ["lint", "tags", &format!("plan {TAG}"), "verify", "show publish.toml", "lint nothing.toml"] {
        quiet(text, &folder.run(text).in_folder(&format!("{NAME}\u{1b}[2J")).done());
    }
    quiet("the name", &folder.run_with(["lint", "-c", &format!("{NAME}\u{1b}[2J/publish.toml")]).done());
}

#[test]
fn every_text_of_a_source() {
    let folder = folder();
    let index = layout(&folder, "image");
    for (place, spoiled) in spoiled(&index) {
        folder.write("image/index.json", spoiled.to_string());
        for text in [
            format!("plan --target images.app@bundle {TAG}"),
            format!("plan --json --target images.app@bundle {TAG}"),
        ] {
            quiet(&format!("{place}: {text}"), &folder.run(&text).done());
        }
    }
    // The texts of a chart that the program reads and shows, and the annotations of an index.
    let mut good = index.clone();
    good["annotations"] = json!({ HOSTILE: HOSTILE, "org.opencontainers.image.version": HOSTILE, "org.opencontainers.image.revision": HOSTILE });
    good["manifests"][0]["annotations"] =
        json!({ HOSTILE: HOSTILE, "org.opencontainers.image.ref.name": HOSTILE });
    folder.write("image/index.json", good.to_string());
    let quoted = json!(HOSTILE).to_string();
    for chart in [
        format!("apiVersion: v2\nname: web\nversion: 1.2.3\ndescription: {quoted}\nappVersion: {quoted}\n"),
        format!("apiVersion: v2\nname: {quoted}\nversion: 1.2.3\n"),
        format!("apiVersion: v2\nname: web\nversion: {quoted}\n"),
        format!("apiVersion: {quoted}\nname: web\nversion: 1.2.3\ntype: {quoted}\nkubeVersion: {quoted}\n"),
        format!(
            "apiVersion: v2\nname: web\nversion: 1.2.3\ndependencies:\n- name: {quoted}\n  version: {quoted}\n  repository: {quoted}\n"
        ),
        format!(
            "apiVersion: v2\nname: web\nversion: 1.2.3\nannotations: {{ {quoted}: {quoted} }}\nmaintainers: [{{ name: {quoted} }}]\n"
        ),
        format!("apiVersion: v2 # {HOSTILE}\nname: [{NAME}\n"),
    ] {
        folder.write("charts/web/Chart.yaml", &chart);
        for text in [
            format!("plan --target images.app@bundle charts.web@bundle {TAG}"),
            "lint".to_owned(),
            "lint --format github".to_owned(),
        ] {
            quiet(&format!("{chart}: {text}"), &folder.run(&text).done());
        }
    }
    TestChart::small("web", "1.2.3")
        .with(&format!("templates/{NAME}\u{1b}[2J.yaml"), "x: {{")
        .write(&folder.path.join("charts/web"));
    folder.write(&format!("charts/web/charts/{NAME}\u{1b}[2J.tgz"), "no chart");
    for text in [format!("plan --target charts.web@bundle {TAG}"), "lint".to_owned()] {
        quiet(&text, &folder.run(&text).done());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_registries_and_token_servers() {
    let warnings = vec![
        ("warning", format!("299 - \"{NAME}\"")),
        ("www-authenticate", format!("Bearer realm=\"http://{NAME}\",service=\"{NAME}\"")),
    ];
    let refusal =
        json!({ "errors": [{ "code": HOSTILE, "message": HOSTILE, "detail": { HOSTILE: HOSTILE } }] })
            .to_string();
    let odd = vec![
        ("content-type", NAME.to_owned()),
        ("docker-content-digest", NAME.to_owned()),
        ("location", format!("http://{NAME}/x")),
        ("link", format!("<{NAME}>; rel=\"next\"")),
    ];
    let answers = |status: u16, headers: &[(&'static str, String)], body: &str| {
        Fault::Answer(status, headers.to_vec(), body.as_bytes().to_vec())
    };
    let mut faults =
        vec![("a warning", Fault::Headers(warnings.clone())), ("odd headers", Fault::Headers(odd.clone()))];
    for status in [200, 201, 307, 400, 401, 403, 404, 405, 416] {
        faults.push(("a refusal", answers(status, &warnings, &refusal)));
        faults.push(("a text", answers(status, &odd, HOSTILE)));
    }
    let tags = json!({ "name": HOSTILE, "tags": [HOSTILE, "v1.2.3", NAME, ["x"]] }).to_string();
    faults.push(("a list", answers(200, &[], &tags)));
    let token = json!({ "token": HOSTILE, "access_token": HOSTILE, "expires_in": HOSTILE }).to_string();
    faults.push(("a token", answers(200, &[], &token)));
    let manifest = json!({ "schemaVersion": 2, "mediaType": HOSTILE, "annotations": { HOSTILE: HOSTILE }, "manifests": [{ "mediaType": HOSTILE, "digest": HOSTILE, "size": 1 }] }).to_string();
    faults.push((
        "a manifest",
        answers(200, &[("content-type", "application/vnd.oci.image.index.v1+json".to_owned())], &manifest),
    ));
    for auth in [test_registry::RequiredCredentials::None, test_registry::RequiredCredentials::Token] {
        for (what, fault) in &faults {
            let registry =
                TestRegistry::start(TestRegistryOptions { auth, ..TestRegistryOptions::default() }).await;
            let host = registry.host();
            let part = if auth == test_registry::RequiredCredentials::Token { "/token" } else { "/v2/" };
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH"] {
                registry.on(method, part, 1000, fault.clone());
            }
            let shown = tokio::task::spawn_blocking(move || {
                let folder = folder();
                let config = CONFIG.replace("oci:registry", &format!("{host}/acme"));
                folder.write("publish.toml", config);
                let commands = [
                    format!("-vv plan --target images.app@bundle {TAG}"),
                    format!("apply --auto-approve --json --target images.app@bundle {TAG}"),
                    "verify --target images.app@bundle".to_owned(),
                    "verify --json --target images.app@bundle".to_owned(),
                    "prune --auto-approve --target images.app@bundle".to_owned(),
                ];
                commands.map(|text| {
                    let done = folder
                        .run(&text)
                        .env("BROKKR_PUBLISH_LOG", if text.starts_with("-vv") { "trace" } else { "" })
                        .done();
                    (text, done)
                })
            });
            for (text, done) in shown.await.expect("runs") {
                quiet(&format!("{what} ({fault:?}): {text}"), &done);
            }
            // The registry gives hostile answers only to the commands above.
            registry.forget_script();
        }
    }
}

#[test]
fn every_text_of_a_plan_and_of_a_record() {
    let folder = folder();
    let target = "--target images.app@bundle charts.web@bundle artifacts.files@bundle";
    folder.run(&format!("plan {TAG} --out plan.json {target}")).done().expect_code(0);
    folder.run("apply plan.json --record record.json").done().expect_code(0);
    for (name, commands) in [
        (
            "plan",
            [
                "show hostile.json",
                "show hostile.json --json",
                "apply hostile.json",
                "apply --json hostile.json",
            ]
            .as_slice(),
        ),
        (
            "record",
            [
                "show hostile.json",
                "show hostile.json --json",
                "show hostile.json --format digests",
                "show hostile.json --format env",
                "show hostile.json --format json",
                "show hostile.json --format kubernetes-images",
                "rollback hostile.json",
                "verify --target images.app@bundle --record hostile.json",
            ]
            .as_slice(),
        ),
    ] {
        let document: Value = serde_json::from_str(&folder.read(&format!("{name}.json"))).expect("JSON");
        let spoiled = spoiled(&document);
        assert!(spoiled.len() > 40, "{}", spoiled.len());
        for (at, (place, mut spoiled)) in spoiled.into_iter().enumerate() {
            brokkr_publish::saved::seal(&mut spoiled);
            folder.write("hostile.json", spoiled.to_string());
            // Each way of showing it, and one of the others in turn: what is refused is refused before they differ.
            let (show, others) = commands.split_at(2);
            for text in show.iter().chain(others.get(at % others.len())) {
                quiet(&format!("{place}: {text}"), &folder.run(text).done());
            }
        }
    }
}
