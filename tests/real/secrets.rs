//! Secrets in the content to send, from `publish.toml` to the record: they are found everywhere, reported without their value,
//! allowed with a reason, and remembered.
//!
//! Needs docker-registry and skopeo; fails if one is missing.

use std::fs;
use std::io::Write;
use std::path::Path;
use testkit::{image, raw_tar, world};

use serde_json::{Value, json};

use testkit::chart::TestChart;
use testkit::command::{EndedRun, Folder};
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image::{LayoutDirectory, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, TestLayer, sha256};

/// A token that no service issued, with a checksum as in real ones.
fn token() -> String {
    let random = "q7Zt3mXc9LwB2vKd8RfYh5Np1SgJx6";
    let mut crc = flate2::Crc::new();
    crc.update(random.as_bytes());
    let (mut sum, mut digits) = (crc.sum(), Vec::new());
    for _ in 0..6 {
        let digit = u8::try_from(sum % 62).unwrap();
        digits.push(match digit {
            0..10 => b'0' + digit,
            10..36 => b'A' + digit - 10,
            _ => b'a' + digit - 36,
        });
        sum /= 62;
    }
    digits.reverse();
    format!("ghp_{random}{}", String::from_utf8(digits).unwrap())
}

fn env_file() -> Vec<u8> {
    format!("LOG=debug\nGITHUB_TOKEN={}\n", token()).into_bytes()
}

const RULES: &str = "
[tags.version]
on = \"tag\"
template = \"v{{ version }}\"

[tags.latest]
on = \"tag\"
template = \"latest\"
mutability = \"forward\"
";

/// A folder that publishes the image of `image` to a directory, with `more` in its `publish.toml`.
fn folder(more: &str) -> Folder {
    let text = format!(
        "version = 1\n{more}\n[registries.bundle]\nurl = \"oci:registry\"\n{RULES}\n[images.app]\nsource = \"oci:image\"\n"
    );
    Folder::with(&[("publish.toml", &text)])
}

const DENY: &str = "[secrets]\npolicy = \"deny\"\n";

/// A layer with these bytes.
fn layer(bytes: Vec<u8>) -> TestLayer {
    TestLayer { diff_id: sha256(&bytes), bytes, descriptor: json!({}), present: true }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes an image of `layers` to the layout `image`, whose configuration has `config` and `history`.
fn write_image(folder: &Folder, layers: &[TestLayer], config: &Value, history: &Value, annotations: &Value) {
    let path = folder.path.join("image");
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    let layout = LayoutDirectory::create(&path);
    let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
    let whole = json!({ "os": "linux", "architecture": "amd64", "config": config, "history": history,
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    let config = layout.put(OCI_CONFIG, &serde_json::to_vec(&whole).unwrap());
    let layers: Vec<Value> = layers.iter().map(|layer| layout.put(OCI_LAYER_GZIP, &layer.bytes)).collect();
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers,
        "annotations": annotations });
    let root = layout.put(OCI_MANIFEST, &serde_json::to_vec(&manifest).unwrap());
    layout.list(&root, &[]);
}

fn with_layers(folder: &Folder, layers: &[TestLayer]) {
    let made = |_: &TestLayer| json!({ "created_by": "COPY . /app # buildkit" });
    let history: Vec<Value> = layers.iter().map(made).collect();
    write_image(folder, layers, &json!({}), &json!(history), &json!({}));
}

const PLAN: &str = "plan --ref refs/tags/v1.2.3";
const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";

/// Asserts that the value is neither in the output, nor in any file of the folder and its home except for the source.
fn nowhere(folder: &Folder, done: &EndedRun) {
    let value = token();
    nowhere_of(folder, done, value.strip_prefix("ghp_").unwrap());
}

fn nowhere_of(folder: &Folder, done: &EndedRun, value: &str) {
    assert!(!done.stdout().contains(value) && !done.stderr().contains(value), "\n{}", done.shown());
    let mut open = vec![folder.path.clone(), folder.home()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let is_published =
                ["image", "registry", "charts", "store"].iter().any(|name| path == folder.path.join(name));
            if path.is_dir() && !is_published {
                open.push(path);
            } else if path.is_file() {
                let bytes = fs::read(&path).unwrap();
                let holds = bytes.windows(value.len()).any(|part| part == value.as_bytes());
                assert!(!holds, "the value is in {}", path.display());
            }
        }
    }
}

fn findings(plan: &Value) -> Vec<&Value> {
    plan["secrets"]["findings"].as_array().into_iter().flatten().collect()
}

/// The places of the blocking findings, in the form for people.
fn blocking(done: &EndedRun) -> Vec<String> {
    let plan: brokkr_publish::model::plan::Plan =
        serde_json::from_value(without_checksum(done.json())).unwrap();
    let secrets = plan.secrets.expect("a search");
    secrets.blocking().map(|it| it.place.to_string()).collect()
}

fn without_checksum(mut plan: Value) -> Value {
    plan.as_object_mut().unwrap().remove("checksum");
    plan
}

#[test]
fn a_secret_that_a_later_layer_deletes_blocks_the_plan_and_is_told_without_its_value() {
    let folder = folder(DENY);
    let layers = [
        TestLayer::files(&[("etc/hello", b"hello")]),
        TestLayer::files(&[("app/.env", &env_file())]),
        TestLayer::files(&[("app/.wh..env", b"")]),
    ];
    with_layers(&folder, &layers);
    let done = folder.run(&format!("{PLAN} --out plan.json")).wide().done().expect_code(1);
    let shown = done.shown();
    assert!(
        shown.contains("images.app layer 2 (COPY . /app): app/.env line 2 (layer 3 deletes it"),
        "{shown}"
    );
    assert!(shown.contains("github-token ghp_… (40 characters)"), "{shown}");
    nowhere(&folder, &done);
    let blocked = folder.run("apply plan.json").wide().done().expect_code(1);
    assert!(blocked.stderr().contains("publish::secrets::found"), "{}", blocked.shown());
    assert!(!folder.path.join("registry").exists(), "something was sent");
    nowhere(&folder, &blocked);
    insta::assert_snapshot!("blocked_plan", steady(&shown));
    insta::assert_snapshot!("blocked_apply", steady(&blocked.error()));
}

/// Replaces each digest in a text.
fn steady(shown: &str) -> String {
    let mut text = shown.to_owned();
    for (pattern, name) in [("\n  │ ", " "), ("sha256:[0-9a-f]{12,64}", "sha256:[DIGEST]")] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

#[test]
fn it_is_found_in_variables_history_labels_arguments_and_annotations() {
    let folder = folder(DENY);
    let value = token();
    let config = json!({ "Env": [format!("GITHUB_TOKEN={value}")], "Labels": { "note": value },
        "Entrypoint": ["serve", format!("--token={value}")] });
    let history = json!([{ "created_by": format!("RUN |1 TOKEN={value} /bin/sh -c make # buildkit") }]);
    let annotations = json!({ "com.example.note": value });
    write_image(&folder, &[TestLayer::files(&[("a", b"a")])], &config, &history, &annotations);
    let done = folder.run(&format!("{PLAN} --json")).done().expect_code(1);
    let found = blocking(&done);
    for place in [
        "environment variable `GITHUB_TOKEN`",
        "label `note`",
        "entrypoint",
        "history entry 1 (RUN make)",
        "annotation `com.example.note`",
    ] {
        assert!(found.iter().any(|it| it == place), "{place}: {found:?}");
    }
    nowhere(&folder, &done);
    nowhere(&folder, &folder.run(PLAN).done().expect_code(1));
}

#[test]
fn passwords_in_files_and_instructions_are_nowhere() {
    // One looks random; the other is found in a file, and is alone in an instruction.
    let (netrc, database) = ("pcMysQ8vLw2Zt7Kd", "sunflower-lane");
    let folder = folder("[secrets]\npolicy = \"warn\"\n");
    let layers = [
        TestLayer::files(&[(
            "root/.netrc",
            format!("machine api.github.com login me password {netrc}\n").as_bytes(),
        )]),
        TestLayer::files(&[("root/.my.cnf", format!("[client]\nuser=me\npassword={database}\n").as_bytes())]),
        TestLayer::files(&[("app/.env", &env_file())]),
    ];
    let history = json!([
        { "created_by": format!("RUN /bin/sh -c printf \"machine api.github.com login me password {netrc}\" > /root/.netrc # buildkit") },
        { "created_by": format!("RUN /bin/sh -c setup-the-database-of-the-application --host db.example.com me {database} # buildkit") },
        { "created_by": format!("RUN /bin/sh -c setup me/{database}:{netrc} # buildkit") },
    ]);
    let config = json!({ "Cmd": ["serve", "--password", netrc], "Labels": { "db_password": netrc } });
    write_image(&folder, &layers, &config, &history, &json!({}));
    for (arguments, code) in [
        (PLAN.to_owned(), 0),
        (format!("{PLAN} -v"), 0),
        (format!("{PLAN} --json"), 0),
        (format!("{PLAN} --out plan.json"), 0),
        (format!("{APPLY} --set secrets.policy=deny"), 1),
        (format!("{APPLY} -v --record record.json"), 0),
    ] {
        let done = folder.run(&arguments).wide().done().expect_code(code);
        for value in [netrc, "sunflower", &netrc[..6]] {
            nowhere_of(&folder, &done, value);
        }
        nowhere(&folder, &done);
    }
    let record = folder.read("record.json");
    for rule in ["netrc-password", "my-cnf-password", "github-token"] {
        assert!(record.contains(rule), "{rule}: {record}");
    }
}

#[test]
fn harmless_findings_do_not_switch_the_block_off() {
    let folder = folder(DENY);
    let mut tar: Vec<u8> = (0..1_001).flat_map(|it| raw_tar::file(&format!("{it}.jks"), b"x")).collect();
    tar.extend(raw_tar::file("app/.env", &env_file()));
    tar.extend(raw_tar::end());
    with_layers(&folder, &[layer(gzip(&tar))]);
    let done = folder.run(&format!("{PLAN} --json")).done().expect_code(1);
    assert_eq!(blocking(&done), ["layer 1 (COPY . /app): app/.env line 2"]);
    // If there are more findings than the output lists, an allowance for all listed ones does not allow the others.
    let mut tar: Vec<u8> =
        (0..1_001).flat_map(|it| raw_tar::file(&format!("a/{it}.txt"), &env_file())).collect();
    tar.extend(raw_tar::end());
    with_layers(&folder, &[layer(gzip(&tar))]);
    let allow = format!("{DENY}allow = [{{ path = \"a/**\", reason = \"a test\" }}]\n");
    folder.write("publish.toml", folder.read("publish.toml").replace(DENY, &allow));
    let done = folder.run(PLAN).wide().done().expect_code(1);
    assert!(done.stderr().contains("1 more findings of severity high"), "{}", done.shown());
}

#[test]
fn a_layer_that_is_no_archive_is_an_error_under_deny_and_told_under_warn() {
    let folder = folder(DENY);
    let xz = [b"\xfd7zXZ\x00".as_slice(), &image::noise(1, 5_000)].concat();
    with_layers(&folder, &[layer(xz)]);
    let done = folder.run(PLAN).wide().done().expect_code(1);
    assert!(done.stderr().contains("publish::secrets::unreadable"), "{}", done.shown());
    folder.write("publish.toml", folder.read("publish.toml").replace("\"deny\"", "\"warn\""));
    let plan = folder.run(&format!("{PLAN} --json")).done().expect_code(0).json();
    let reason = plan["secrets"]["unsearched"][0]["reason"].to_string();
    assert!(reason.contains("XZ stream header CRC32 mismatch"), "{reason}");
}

#[test]
fn every_form_of_layer_is_searched() {
    let long = format!("{}/settings.txt", "folder".repeat(40));
    let file = |name: &str| raw_tar::file(name, &env_file());
    let tar = |parts: &[Vec<u8>]| [parts.concat(), raw_tar::end()].concat();
    let nested = tar(&[raw_tar::file("inner.tgz", &gzip(&tar(&[file("conf/app.txt")])))]);
    let folder = folder(DENY);
    for (bytes, path) in [
        (tar(&[file("plain.txt")]), "plain.txt"),
        (zstd::encode_all(tar(&[file("zstd.txt")]).as_slice(), 1).unwrap(), "zstd.txt"),
        (gzip(&tar(&[raw_tar::pax(&[("path", &long)], b'x'), file("x")])), long.as_str()),
        (gzip(&nested), "inner.tgz!/conf/app.txt"),
    ] {
        with_layers(&folder, &[layer(bytes)]);
        let done = folder.run(&format!("{PLAN} --json")).done().expect_code(1);
        assert_eq!(blocking(&done), [format!("layer 1 (COPY . /app): {path} line 2")]);
    }
}

#[test]
fn a_chart_is_searched_too() {
    let text = format!(
        "version = 1\n{DENY}\n[registries.bundle]\nurl = \"oci:registry\"\n\n[charts.hello]\nsource = \"charts/hello\"\n"
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let values = format!("replicas: 1\ntoken: {}\n", token());
    TestChart::small("hello", "1.2.3").with("values.yaml", &values).write(&folder.path.join("charts/hello"));
    let done = folder.run(&format!("{PLAN} --json")).done().expect_code(1);
    let found = blocking(&done);
    assert!(found[0].ends_with("hello/values.yaml line 2"), "{found:?}");
    nowhere(&folder, &done);
}

#[test]
fn a_warning_lets_it_through_and_the_record_holds_it() {
    let folder = folder("[secrets]\npolicy = \"warn\"\n");
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    let done = folder.run(&format!("{APPLY} --record record.json")).done().expect_code(0);
    assert!(done.stderr().contains("let through"), "{}", done.shown());
    nowhere(&folder, &done);
    let record: Value = serde_json::from_str(&folder.read("record.json")).unwrap();
    let through = record["outcome"]["secrets"].as_array().unwrap();
    assert!(through.iter().any(|it| it["rule"] == "github-token" && it["blocks"] == false), "{through:?}");
    let quiet = self::folder("[secrets]\npolicy = \"warn\"\n");
    with_layers(&quiet, &[TestLayer::files(&[("app/.env", &env_file())])]);
    let done = quiet.run(&format!("-q {APPLY}")).done().expect_code(0);
    assert!(done.stderr().contains("let through"), "{}", done.shown());
}

#[test]
fn it_is_allowed_by_rule_path_and_value_and_what_allows_nothing_is_told() {
    let fingerprint = sha256(token().as_bytes());
    for allow in [
        "path = \"app/**\", reason = \"a test\"".to_owned(),
        format!("value = \"{fingerprint}\", reason = \"a test\""),
        format!("rule = \"github-token\", value = \"{}\", reason = \"a test\"", &fingerprint[..19]),
        "rule = \"github-token\", path = \"app/.env\", reason = \"a test\"".to_owned(),
    ] {
        let folder = folder(&format!(
            "{DENY}allow = [{{ {allow} }}, {{ path = \"gone/**\", reason = \"an old one\" }}]\n"
        ));
        with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
        let done = folder.run(&format!("{PLAN} --json")).done().expect_code(0);
        let plan = done.json();
        let allowed = findings(&plan).into_iter().find(|it| it["rule"] == "github-token").expect("a finding");
        assert_eq!(allowed["allowed"], "a test", "{allow}");
        assert_eq!(plan["secrets"]["unused"][0]["path"], "gone/**", "{allow}");
        let shown = folder.run(PLAN).wide().done().expect_code(0).stdout();
        assert!(shown.contains("`gone/**` (an old one) matches no finding"), "{shown}");
        folder.run(APPLY).done().expect_code(0);
    }
}

#[test]
fn the_line_that_the_plan_shows_allows_exactly_that() {
    let folder = folder(DENY);
    with_layers(&folder, &[TestLayer::files(&[("app/[a]*.txt", &env_file())])]);
    let shown = folder.run(PLAN).wide().done().expect_code(1).stdout();
    let allow: Vec<String> = shown
        .lines()
        .filter_map(|line| line.split_once("to allow it: "))
        .map(|(_, allow)| allow.replace('…', "a test"))
        .collect();
    let text = folder.read("publish.toml").replace(DENY, &format!("{DENY}allow = [{}]\n", allow.join(", ")));
    folder.write("publish.toml", text);
    folder.run(PLAN).done().expect_code(0);
}

#[test]
fn what_was_searched_is_remembered_and_a_broken_memory_is_ignored() {
    let folder = folder(DENY);
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())]), TestLayer::noise(1, 100_000)]);
    let searched = |done: &EndedRun| {
        let plan = done.json();
        let searched = &plan["secrets"]["searched"];
        (
            searched["blobs"].as_u64().unwrap(),
            searched["from_cache"].as_u64().unwrap(),
            plan["secrets"]["findings"].clone(),
        )
    };
    let plan = || folder.run(&format!("{PLAN} --json")).done().expect_code(1);
    let (blobs, from_cache, found) = searched(&plan());
    assert_eq!((blobs, from_cache), (3, 0));
    // The configuration is small, and is searched each time.
    assert_eq!(searched(&plan()), (3, 2, found.clone()));
    let memory = folder.home().join(".cache/brokkr-publish/secrets");
    let rules = fs::read_dir(&memory).unwrap().next().unwrap().unwrap().path().join("sha256");
    let files: Vec<_> = fs::read_dir(&rules).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    for file in &files {
        fs::write(file, "{").unwrap();
    }
    assert_eq!(searched(&plan()), (3, 0, found.clone()));
    assert_eq!(searched(&plan()), (3, 2, found));
    // Another policy and other allowances use the remembered results.
    let text = folder.read("publish.toml").replace("\"deny\"", "\"warn\"");
    folder.write("publish.toml", text);
    let done = folder.run(&format!("{PLAN} --json")).done().expect_code(0);
    assert_eq!(searched(&done).1, 2);
}

#[test]
fn a_memory_that_cannot_be_used_is_no_error() {
    let folder = folder(DENY);
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    folder.write("file", "in the way");
    for place in
        [folder.path.join("file"), Path::new("/dev/null").to_owned(), Path::new("relative").to_owned()]
    {
        let done = folder.run(&format!("{PLAN} --json")).env("XDG_CACHE_HOME", &place).done().expect_code(1);
        assert_eq!(done.json()["secrets"]["searched"]["from_cache"], 0);
    }
}

#[test]
fn by_default_public_repositories_are_searched_and_others_are_not() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text = |visibility: &str, policy: &str| {
        format!(
            "version = 1\n{policy}\n[registries.local]\nurl = \"{}\"\n{visibility}{RULES}\n[images.app]\nsource = \"oci:image\"\n",
            registry.host()
        )
    };
    let folder = Folder::new();
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    // The repository does not exist yet, and no visibility is declared: the program says that strangers can pull the content.
    folder.write("publish.toml", text("", ""));
    folder.run(PLAN).done().expect_code(1);
    folder.write("publish.toml", text("visibility = \"private\"\n", ""));
    folder.run(PLAN).done().expect_code(1);
    // The repository is declared public.
    folder.write("publish.toml", text("visibility = \"public\"\n", ""));
    folder.run(PLAN).done().expect_code(1);
    folder.write("publish.toml", text("visibility = \"public\"\n", "[secrets]\npolicy = \"off\"\n"));
    folder.run(PLAN).done().expect_code(0);
    // The repository is found to be public: anybody can pull its content.
    folder.write("publish.toml", text("", ""));
    with_layers(&folder, &[TestLayer::files(&[("harmless", b"hello")])]);
    folder.run("apply --auto-approve --ref refs/tags/v1.0.0").done().expect_code(0);
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    folder.run(PLAN).done().expect_code(1);
    let text = folder.read("publish.toml").replace("template = \"latest\"", "template = \"newest\"");
    folder.write("publish.toml", text);
    folder.run(PLAN).done().expect_code(1);
}

#[test]
fn a_private_repository_is_not_searched_unless_that_is_declared() {
    let registry = DockerRegistry::start(&AcceptedClients::Basic { username: "alice", password: "se:cret" });
    let folder = Folder::new();
    let text = |policy: &str| {
        format!(
            "version = 1\n{policy}\n[registries.local]\nurl = \"{}\"\nauth = {{ username_env = \"THE_USER\", password_env = \"THE_WORD\" }}\n{RULES}\n[images.app]\nsource = \"oci:image\"\n",
            registry.host()
        )
    };
    let run = |arguments: &str| folder.run(arguments).env("THE_USER", "alice").env("THE_WORD", "se:cret");
    folder.write("publish.toml", text(""));
    // The repository does not exist yet, and strangers are refused.
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    let plan = run(&format!("{PLAN} --json")).done().expect_code(0).json();
    assert_eq!(plan.get("secrets"), None);
    with_layers(&folder, &[TestLayer::files(&[("harmless", b"hello")])]);
    run("apply --auto-approve --ref refs/tags/v1.0.0").done().expect_code(0);
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    let plan = run(&format!("{PLAN} --json")).done().expect_code(0).json();
    assert_eq!(plan.get("secrets"), None);
    folder.write("publish.toml", text(DENY));
    run(PLAN).done().expect_code(1);
}

#[test]
fn what_a_repository_holds_already_is_not_searched_again() {
    let folder = folder("[secrets]\npolicy = \"off\"\n");
    let base = TestLayer::files(&[("app/.env", &env_file())]);
    with_layers(&folder, std::slice::from_ref(&base));
    folder.run("apply --auto-approve --ref refs/tags/v1.0.0").done().expect_code(0);
    let text = folder.read("publish.toml").replace("\"off\"", "\"deny\"");
    folder.write("publish.toml", text);
    with_layers(&folder, &[base, TestLayer::files(&[("more", b"more")])]);
    let plan = folder.run(&format!("{PLAN} --json")).done().expect_code(0).json();
    assert_eq!(plan["secrets"]["searched"]["blobs"], 2, "the new layer and the configuration");
    folder.run(APPLY).done().expect_code(0);
    // Everything is in place: nothing is searched.
    assert_eq!(folder.run(&format!("{PLAN} --json")).done().expect_code(0).json().get("secrets"), None);
}

#[test]
fn what_is_promoted_is_searched_where_it_comes_from() {
    let staging = DockerRegistry::start(&AcceptedClients::None);
    let folder = folder(DENY);
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    world::copy(&folder.path.join("image"), &format!("{}/app:candidate", staging.host()));
    let text = folder
        .read("publish.toml")
        .replace("oci:image", &format!("docker://{}/app:candidate", staging.host()));
    folder.write("publish.toml", text);
    let done = folder.run(&format!("{PLAN} --json")).done().expect_code(1);
    assert_eq!(blocking(&done), ["layer 1 (COPY . /app): app/.env line 2"]);
    nowhere(&folder, &done);
}

#[test]
fn a_saved_plan_is_held_to_what_it_says_and_searched_again() {
    let folder =
        folder("[secrets]\npolicy = \"deny\"\nallow = [{ path = \"app/**\", reason = \"a test\" }]\n");
    with_layers(&folder, &[TestLayer::files(&[("app/.env", &env_file())])]);
    folder.run(&format!("{PLAN} --out plan.json")).done().expect_code(0);
    fs::remove_file(folder.path.join("publish.toml")).unwrap();
    fs::remove_dir_all(folder.home().join(".cache")).unwrap();
    // Somebody removes the allowance, and the search of the apply finds the secret.
    let mut plan: Value = serde_json::from_str(&folder.read("plan.json")).unwrap();
    plan["secrets"].as_object_mut().unwrap().remove("allow");
    plan["secrets"]["findings"] = json!([]);
    let plan = without_checksum(plan);
    let parsed: brokkr_publish::model::plan::Plan = serde_json::from_value(plan).unwrap();
    brokkr_publish::saved::save(&parsed, &folder.path.join("edited.json")).unwrap();
    let done = folder.run("apply edited.json").done().expect_code(1);
    assert!(done.stderr().contains("publish::secrets::found"), "{}", done.shown());
    assert!(!folder.path.join("registry").exists(), "something was sent");
    // The allowances of the approved plan count only if its digest shows that it is the approved one.
    folder.run("apply plan.json").done().expect_code(1);
    let digest = oci_registry::Digest::of(folder.read("plan.json").as_bytes());
    folder.run(&format!("apply plan.json --expect {digest}")).done().expect_code(0);
}

#[test]
fn a_layer_that_cannot_be_read_is_an_error_and_a_warning_lets_it_through() {
    let folder = folder(DENY);
    let whole = TestLayer::files(&[("app/noise", &image::noise(1, 50_000))]);
    with_layers(&folder, &[layer(whole.bytes[..whole.bytes.len() / 2].to_vec())]);
    let done = folder.run(PLAN).wide().done().expect_code(1);
    insta::assert_snapshot!("unreadable", steady(&done.shown()));
    let text = folder.read("publish.toml").replace("\"deny\"", "\"warn\"");
    folder.write("publish.toml", text);
    let plan = folder.run(&format!("{PLAN} --json")).done().expect_code(0).json();
    let reason = plan["secrets"]["unsearched"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("cannot be searched"), "{reason}");
}

#[test]
fn an_image_made_to_stop_the_search_does_not() {
    let folder = folder(DENY);
    let zeros = gzip(&vec![0; 100 * 1024 * 1024]);
    let tar =
        [raw_tar::file("bomb.gz", &zeros), raw_tar::file("app/.env", &env_file()), raw_tar::end()].concat();
    let many = gzip(&raw_tar::file("a/b", b"").repeat(300_000));
    with_layers(&folder, &[layer(gzip(&tar)), layer(many)]);
    let done = folder.run(&format!("{PLAN} --json")).done().expect_code(1);
    assert_eq!(blocking(&done), ["layer 1 (COPY . /app): app/.env line 2"]);
    let reason = done.json()["secrets"]["unsearched"][0]["reason"].to_string();
    assert!(reason.contains("the rest was not searched"), "{reason}");
}

#[test]
fn names_from_outside_do_nothing_to_a_terminal() {
    let folder = folder(DENY);
    let tar = [raw_tar::file("a\u{1b}[2Jb/.env", &env_file()), raw_tar::end()].concat();
    with_layers(&folder, &[layer(gzip(&tar))]);
    let done = folder.run(PLAN).done().expect_code(1);
    assert!(!done.shown().contains('\u{1b}'), "{}", done.shown());
    let done = folder.run(APPLY).done().expect_code(1);
    assert!(!done.shown().contains('\u{1b}'), "{}", done.shown());
}

#[test]
fn lint_looks_at_what_is_allowed() {
    let allow = r#"allow = [
    { rule = "github-tokn", reason = "a test" },
    { path = "a[", reason = "a test" },
    { reason = "a test" },
    { rule = "github-token", reason = " " },
    { rule = "github-token" },
    { value = "sha256:12", reason = "a test" },
]"#;
    let folder = folder(&format!("{DENY}{allow}\n"));
    insta::assert_snapshot!("lint", folder.run("lint").wide().done().expect_code(1).shown());
    let right = self::folder(&format!(
        "{DENY}allow = [{{ rule = \"github-token\", reason = \"a test\" }}]\n[profile.dev.secrets]\npolicy = \"warn\"\n"
    ));
    right.run("lint").done().expect_code(0);
}
