//! `SECURITY.md` names a test for each thing that it says cannot happen: this file checks that those tests exist. It
//! also has the tests that belong to no other file: the limits of a configuration, of git's configuration and of the environment.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use testkit::command::Folder;
use testkit::test_registry::{RequiredCredentials, TestRegistry, TestRegistryOptions};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_cannot_names_tests_that_are_there() {
    let page = read("SECURITY.md");
    let reference = Regex::new(r"`((?:src|tests|crates)/[a-z_/-]+\.rs)::([a-z0-9_]+)`").expect("a pattern");
    let mut named = BTreeSet::new();
    let mut headings = Vec::new();
    let mut claims = 0;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            headings.push((heading, 0));
        }
        let Some(row) =
            line.strip_prefix("| ").filter(|row| !row.starts_with("---") && !row.starts_with("cannot"))
        else {
            continue;
        };
        let tests: Vec<_> = reference.captures_iter(row).collect();
        assert!(!tests.is_empty(), "no test is named for: {row}");
        claims += 1;
        if let Some((_, count)) = headings.last_mut() {
            *count += 1;
        }
        for test in tests {
            named.insert((test[1].to_owned(), test[2].to_owned()));
        }
    }
    for (heading, count) in headings {
        assert!(count > 0, "{heading}: nothing is said that cannot happen");
    }
    assert!(claims >= 40, "only {claims} rows were found");
    let wrong: Vec<String> = named
        .iter()
        .filter(|(file, name)| {
            let test = format!(r"#\[(tokio::)?test[^\n]*\]\s*(#\[[^\n]*\]\s*)*(async )?fn {name}\(");
            !Regex::new(&test).expect("a pattern").is_match(&read(file))
        })
        .map(|(file, name)| format!("{file}::{name}"))
        .collect();
    assert!(wrong.is_empty(), "no such tests: {wrong:#?}");
}

const RULES: &str = r#"
version = 1
[registries.bundle]
url = "oci:registry"
[tags.version]
on = "tag"
template = "v{{ version }}"
"#;

#[test]
fn a_configuration_runs_no_program_and_its_templates_read_nothing() {
    for template in [
        "{% include '/etc/passwd' %}",
        "{% import '/etc/passwd' as x %}{{ x }}",
        "{% extends '/etc/passwd' %}",
        "{{ '/etc/passwd' | read }}",
        "{{ open('/etc/passwd') }}",
        "{{ env.HOME }}",
        "{{ environ('HOME') }}",
        "{{ lipsum.__globals__ }}",
        "{{ ''.__class__ }}",
        "{{ shell('touch pwned') }}",
    ] {
        let folder = Folder::new();
        let config = format!(
            "{RULES}[tags.x]\non = 'tag'\ntemplate = \"{template}\"\n[images.app]\nsource = 'oci:image'\n"
        );
        folder.write("publish.toml", config);
        for arguments in ["lint", "tags --ref refs/tags/v1.2.3", "plan --ref refs/tags/v1.2.3"] {
            let done = folder.run(arguments).done().expect_code(1);
            assert!(!done.shown().contains("root:"), "{template}: {}", done.shown());
            assert!(!done.stderr().contains(folder.home().to_str().unwrap()), "{template}: {}", done.shown());
        }
    }
    // In every text of the language that names something outside.
    for program in [
        "$(touch pwned)",
        "`touch pwned`",
        "x;touch pwned",
        "|touch pwned",
        "--x=touch pwned",
        "ext::sh -c touch% pwned",
    ] {
        for line in [
            format!("[images.app]\nsource = '{program}'"),
            format!("[images.app]\nsource = 'oci:{program}'"),
            format!("[images.app]\nsource = 'docker-daemon:{program}'"),
            format!("[images.app]\nsource = 'docker://{program}'"),
            format!("[charts.app]\nsource = '{program}'"),
            format!("[artifacts.app]\nartifact_type = 'a/b'\nfiles = [{{ path = '{program}' }}]"),
            format!(
                "[images.app]\nsource = 'oci:x'\n[[checks]]\nfile = '{program}.toml'\nkey = 'a'\nequals = '{program}'"
            ),
            format!("[images.app]\nsource = 'oci:x'\n[registries.other]\nurl = 'oci:{program}'"),
            format!(
                "[project]\nsource = '{program}'\n[images.app]\nsource = 'oci:x'\nannotations = {{ a = '{program}' }}"
            ),
        ] {
            let folder = Folder::new();
            folder.write("publish.toml", format!("{RULES}{line}\n"));
            for arguments in ["lint", "plan --ref refs/tags/v1.2.3"] {
                let done = folder.run(arguments).env("DOCKER_HOST", format!("unix://{program}")).done();
                assert!(matches!(done.code(), Some(0 | 1)), "{line}: {}", done.shown());
            }
            assert!(!folder.path.join("pwned").exists(), "{line}");
        }
    }
}

#[cfg(unix)]
#[test]
fn questions_to_git_run_no_program_of_its_configuration() {
    let config = format!(
        "{RULES}[tags.dirty]\non = ['branch', 'tag']\ntemplate = \"d-{{{{ git.dirty }}}}-{{{{ git.commit_time }}}}\"\n[images.app]\nsource = 'oci:image'\n"
    );
    let folder = Folder::with(&[("publish.toml", &config), ("Dockerfile", "FROM scratch\n")]);
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "x"]);
    folder.git(&["tag", "v1.2.3"]);
    let program = folder.path.join("program");
    fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\n", folder.path.join("pwned").display()))
        .unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "pager.log",
        "pager.status",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "gpg.program",
        "diff.external",
        "credential.helper",
        "core.gitProxy",
        "alias.log",
        "alias.status",
        "alias.ls-files",
        "core.hooksPath",
    ] {
        folder.git(&["config", key, program]);
    }
    folder.git(&["config", "log.showSignature", "true"]);
    folder.git(&["config", "status.submoduleSummary", "true"]);
    folder.write("Dockerfile", "FROM scratch\n# changed\n");
    for arguments in [
        "tags",
        "tags --ref refs/tags/v1.2.3",
        "tags --ref refs/heads/main",
        "init --stdout --config other.toml",
        "plan",
        "verify",
    ] {
        let done = folder.run(arguments).done();
        assert!(matches!(done.code(), Some(0..=2)), "{}", done.shown());
        assert!(!folder.path.join("pwned").exists(), "{arguments}: {}", folder.read("pwned"));
    }
    // The same configuration does run programs if somebody calls git without that care.
    folder.git(&["status", "--porcelain"]);
    assert!(folder.read("pwned").contains("program"));
}

#[test]
fn outputs_of_a_step_are_one_line_each_whatever_things_are_called() {
    for name in ["x\nforged=1", "x=1", "x<<EOF", "x\r\nforged<<EOF\nEOF", "x\u{2028}y", "::add-mask::x"] {
        let quoted = serde_json::json!(name).to_string();
        for resource in [
            format!("[images.{quoted}]\nsource = 'oci:image'\nrepository = 'app'\n"),
            format!("[charts.{quoted}]\nsource = 'chart'\nrepository = 'app'\n"),
            format!("[images.app]\nsource = 'oci:image'\nrepository = {quoted}\n"),
            format!("[images.app]\nsource = 'oci:image'\n[registries.other]\nurl = {quoted}\n"),
            format!("[images.app]\nsource = 'oci:image'\n[tags.other]\non = 'tag'\ntemplate = {quoted}\n"),
        ] {
            let folder = Folder::with(&[("publish.toml", &format!("{RULES}{resource}"))]);
            let done = folder.run("tags --format github --ref refs/tags/v1.2.3").done().expect_code(1);
            assert_eq!(done.stdout(), "", "{resource}");
        }
    }
    // Refs and variables are not names, but the document contains them.
    let config = format!(
        "{RULES}[vars]\nx = \"a\\nforged=1\"\n[images.app]\nsource = 'oci:image'\n[images.'team/other']\nsource = 'oci:image'\n"
    );
    let folder = Folder::with(&[("publish.toml", &config)]);
    let output = Regex::new(
        r"^(json|[A-Za-z0-9_./-]+-(version|tags|references|candidates|labels|annotations))=[^\r\n]*$",
    )
    .expect("a pattern");
    for reference in ["refs/tags/v1.2.3", "refs/heads/x=1<<EOF", "refs/heads/a\u{2028}b\u{85}c"] {
        let done = folder.run_with(["tags", "--format", "github", "--ref", reference]).done().expect_code(0);
        assert_eq!(done.stdout().lines().count(), 13, "{}", done.shown());
        for line in done.stdout().lines() {
            assert!(output.is_match(line) && !line.starts_with("forged"), "{reference:?}: {}", done.shown());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_the_environment_reach_their_registry_and_nothing_else() {
    let (user, password) = ("publisher", "hunter2-and-more");
    let options = TestRegistryOptions {
        auth: RequiredCredentials::Basic,
        user: Some((user, password)),
        ..TestRegistryOptions::default()
    };
    let registry = TestRegistry::start(options.clone()).await;
    let other = TestRegistry::start(options).await;
    let (host, other_host) = (registry.host(), other.host());
    let work = tokio::task::spawn_blocking(move || {
        let config = format!(
            "version = 1\n[registries.one]\nurl = '{host}/acme'\nauth = {{ username_env = 'ONE_USER', password_env = 'ONE_PASSWORD' }}\n\
             [registries.two]\nurl = '{other_host}/acme'\n[tags.version]\non = 'tag'\ntemplate = 'v{{{{ version }}}}'\n\
             [images.app]\nsource = 'oci-archive:image.tar'\nregistries = ['one']\n[images.other]\nsource = 'oci-archive:image.tar'\nregistries = ['two']\n"
        );
        let folder = Folder::with(&[("publish.toml", &config)]);
        let image = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/image.tar"));
        folder.write("image.tar", image.expect("the quickstart's image"));
        let run = |arguments: &str| {
            let run = folder.run(arguments).env("ONE_USER", user).env("ONE_PASSWORD", password);
            run.env("BROKKR_PUBLISH_LOG", "trace").env("UNRELATED_SECRET", "xyzzy-secret").done()
        };
        let mut shown = Vec::new();
        for (arguments, code) in [
            ("-vv plan --ref refs/tags/v1.2.3 --target images.app --out plan.json", 0),
            ("-vv apply plan.json --json --record record.json", 0),
            ("show record.json --json", 0),
            ("verify --json --target images.app", 0),
            ("-vv plan --ref refs/tags/v1.2.3 --target images.other", 1),
        ] {
            shown.push(run(arguments).expect_code(code).shown());
        }
        shown.extend([folder.read("plan.json"), folder.read("record.json")]);
        shown
    });
    let encoded = ["aHVudGVyMi1hbmQtbW9yZQ", "cHVibGlzaGVyOmh1bnRlcjItYW5kLW1vcmU"];
    for text in work.await.expect("runs") {
        for secret in [password, "xyzzy-secret"].into_iter().chain(encoded) {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    assert!(registry.log().iter().any(|request| request.header("authorization").starts_with("Basic ")));
    assert!(!other.log().is_empty());
    assert!(other.log().iter().all(|request| request.header("authorization").is_empty()));
}
