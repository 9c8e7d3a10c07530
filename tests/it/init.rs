//! `init`: a first `publish.toml` from the files of a repository. The file lints clean for every repository.

use std::collections::BTreeMap;

use brokkr_publish::context::Flags;
use brokkr_publish::diagnostic::Code;
use brokkr_publish::init::{GitFacts, InitAnswers, propose, survey};
use brokkr_publish::run::{self, Session};
use insta::assert_snapshot;
use proptest::prelude::*;
use testkit::chart::TestChart;
use testkit::command::Folder;
use testkit::image::{TestImage, TestLayer, to_archive};

/// A git repository with these files and this remote.
fn repository(files: &[(&str, &str)], remote: Option<&str>) -> Folder {
    let folder = Folder::with(files);
    folder.git(&["init", "--quiet"]);
    if let Some(remote) = remote {
        folder.git(&["remote", "add", "origin", remote]);
    }
    folder
}

/// Runs `init`, asserts that its file lints clean and renders tags, and shows both the output and the file.
#[track_caller]
fn first(folder: &Folder) -> String {
    let said = folder.run("init").wide().done().expect_code(0);
    assert_eq!(said.stdout(), "");
    let lint = folder.run("lint").done().expect_code(0);
    assert_eq!(lint.stderr(), "1 file checked, nothing wrong\n");
    for reference in ["refs/tags/v1.2.3", "refs/heads/main", "refs/pull/12/head"] {
        let sha = "9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
        folder.run(&format!("tags --ref {reference} --sha {sha}")).done().expect_code(0);
    }
    format!("{}===== publish.toml =====\n{}", said.shown(), folder.read("publish.toml"))
}

/// Brokkr's own layout: two images, two charts, a Cargo workspace.
fn brokkr() -> Folder {
    let folder = repository(
        &[
            ("docker/Dockerfile.broker", "FROM scratch\n"),
            ("docker/Dockerfile.agent", "FROM scratch\n"),
            ("docker/Dockerfile.dev", "FROM scratch\n"),
            ("examples/web/Dockerfile", "FROM scratch\n"),
            ("target/x/Dockerfile", "FROM scratch\n"),
            (".gitignore", "/target\n/dist\n"),
            ("Cargo.toml", "[workspace.package]\nversion = \"0.4.1\"\n"),
        ],
        Some("git@github.com:Colliery-IO/brokkr.git"),
    );
    for (name, chart) in [("brokkr-broker", TestChart::broker()), ("brokkr-agent", TestChart::agent())] {
        chart.write(&folder.path.join("charts").join(name));
    }
    folder
}

#[test]
fn the_layout_of_brokkr() {
    assert_snapshot!(first(&brokkr()));
}

#[test]
fn one_image_on_gitlab() {
    let folder = repository(
        &[("Dockerfile", "FROM scratch\n"), ("package.json", "{\"version\": \"1.0.0\"}")],
        Some("https://user:secret@gitlab.com/Group/sub/App.git"),
    );
    folder.git(&["checkout", "--quiet", "-b", "master"]);
    let shown = first(&folder);
    assert!(!shown.contains("secret"), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn outside_of_any_repository() {
    let folder = Folder::with(&[
        ("services/web/Dockerfile", "FROM scratch\n"),
        ("services/api/Containerfile", "FROM scratch\n"),
        ("node_modules/x/Dockerfile", "FROM scratch\n"),
        (".hidden/Dockerfile", "FROM scratch\n"),
    ]);
    assert_snapshot!(first(&folder));
}

#[test]
fn charts_alone() {
    let folder = repository(&[], Some("https://git.example.com/team/charts"));
    TestChart::small("web", "1.2.3").write(&folder.path.join("web"));
    let dependencies = "dependencies:\n- name: sub\n  version: 1.2.3\n";
    folder.write("web/Chart.yaml", format!("apiVersion: v2\nname: web\nversion: 1.2.3\n{dependencies}"));
    TestChart::small("sub", "1.2.3").write(&folder.path.join("web/charts/sub"));
    folder.write("lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n");
    folder.write("other/Chart.yaml", "apiVersion: v2\nversion: 1.0.0\n");
    assert_snapshot!(first(&folder));
}

#[test]
fn an_empty_folder_gets_an_example() {
    assert_snapshot!(first(&Folder::new()));
}

/// The commands that `init` says to go on with.
fn commands(said: &str) -> Vec<String> {
    said.lines().filter_map(|line| line.strip_prefix("  brokkr-publish ")).map(str::to_owned).collect()
}

#[test]
fn the_commands_that_are_printed_work() {
    for (file, text, version) in [
        ("Cargo.toml", "[package]\nversion = \"0.4.0\"\n", "v0.4.0"),
        ("pyproject.toml", "[project]\nversion = \"2.0.0-rc.1\"\n", "v2.0.0-rc.1"),
        ("package.json", "{\"version\": \"0.0.0\"}", "v1.2.3"),
        ("README.md", "# App\n", "v1.2.3"),
    ] {
        for (below, option, repeated) in [
            ("", "", ""),
            ("", " --config publish.toml", ""),
            ("", " --config other.toml", " --config other.toml"),
            ("sub/", " --config sub/new.toml", " --config sub/new.toml"),
        ] {
            let (dockerfile, file) = (format!("{below}Dockerfile"), format!("{below}{file}"));
            let files = [(dockerfile.as_str(), "FROM scratch\n"), (file.as_str(), text)];
            let folder = repository(&files, Some("https://git.example.com/team/app"));
            folder.git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
            let said = folder.run(&format!("init{option}")).wide().done().expect_code(0);
            let commands = commands(&said.stderr());
            let expected = [format!("lint{repeated}"), format!("plan{repeated} --ref refs/tags/{version}")];
            assert_eq!(commands, expected, "{file}{option}");

            let dist = folder.path.join(below).join("dist");
            std::fs::create_dir(&dist).unwrap();
            let layer = || vec![TestLayer::files(&[("hello", b"hello")])];
            let image = TestImage::new().platform("linux/amd64", layer()).platform("linux/arm64", layer());
            image.write(&dist.join("layout"));
            to_archive(&dist.join("layout"), &dist.join("app.tar"));
            for command in &commands {
                let done = folder.run(command).done().expect_code(0);
                let planned = done.stdout().contains(&format!("+ {version} "));
                assert!(planned || command.starts_with("lint"), "{command}: {}", done.shown());
            }
        }
    }
    let folder = Folder::new();
    let said = folder.run_with(["init", "--config", "it's.toml"]).wide().done().expect_code(0);
    assert_eq!(commands(&said.stderr())[0], r"lint --config 'it'\''s.toml'");
}

#[test]
fn a_default_branch_whose_tag_another_rule_has_is_replaced_with_a_word() {
    for (branch, told, matched) in [
        ("Latest", true, "main"),
        ("V2", true, "main"),
        ("v2-dev", true, "main"),
        ("Sha-x", true, "main"),
        ("latest-dev", false, "latest-dev"),
        ("Trunk", false, "Trunk"),
    ] {
        let folder = repository(&[("Dockerfile", "FROM scratch\n")], None);
        let target = format!("refs/remotes/origin/{branch}");
        folder.git(&["symbolic-ref", "refs/remotes/origin/HEAD", &target]);
        let shown = first(&folder);
        let said = shown.contains(&format!("left out: the default branch `{branch}`: "));
        let comment = shown.contains(&format!("# Not the default branch `{branch}`: "));
        assert_eq!((said, comment), (told, told), "{shown}");
        assert!(shown.contains(&format!("match = [\"{matched}\"]")), "{shown}");
    }
    // A file without rules of tags has no branch.
    let folder = repository(&[], None);
    TestChart::small("web", "1.2.3").write(&folder.path.join("web"));
    folder.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/Latest"]);
    let shown = first(&folder);
    assert!(!shown.contains("Latest"), "{shown}");
}

#[test]
fn every_address_of_a_project_on_github_leads_to_its_registry() {
    for remote in [
        "ssh://git@ssh.github.com:443/Acme/app.git",
        "ssh://git@github.com:22/Acme/app",
        "git@ssh.github.com:Acme/app.git",
        "https://www.github.com/Acme/app?private_token=hidden#hidden",
    ] {
        let folder = repository(&[("Dockerfile", "FROM scratch\n")], Some(remote));
        let text = folder.run("init --stdout").done().expect_code(0).stdout();
        assert!(text.contains("url = \"ghcr.io/acme\""), "{remote}: {text}");
        assert!(text.contains("source = \"https://github.com/Acme/app\""), "{remote}: {text}");
        assert!(!text.contains("hidden"), "{remote}: {text}");
    }
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let folder = brokkr();
    folder.write("publish.toml", "version = 1 # mine\n");
    assert_snapshot!("there_already", folder.run("init").done().expect_code(1).shown());
    assert_eq!(folder.read("publish.toml"), "version = 1 # mine\n");
    // A link that leads nowhere counts as a file too: `init` would write to its target.
    std::fs::remove_file(folder.path.join("publish.toml")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("elsewhere", folder.path.join("publish.toml")).unwrap();
        folder.run("init").done().expect_code(1);
        assert!(!folder.path.join("elsewhere").exists());
        std::fs::remove_file(folder.path.join("publish.toml")).unwrap();
    }
    let done = folder.run("init --config nowhere/publish.toml").done().expect_code(1);
    assert!(done.stderr().contains("there is no folder"), "{}", done.shown());
}

#[test]
fn what_is_printed_is_what_would_be_written() {
    let folder = brokkr();
    let printed = folder.run("init --stdout").done().expect_code(0);
    assert!(!folder.path.join("publish.toml").exists());
    folder.run("init").done().expect_code(0);
    assert_eq!(printed.stdout(), folder.read("publish.toml"));
    assert!(printed.stderr().contains("images.brokkr-broker"), "{}", printed.shown());
    assert_eq!(folder.run("init --quiet --config other.toml").done().expect_code(0).stderr(), "");
    assert_eq!(folder.read("other.toml"), folder.read("publish.toml"));
}

#[cfg(unix)]
#[test]
fn hostile_names_are_left_out_with_a_word() {
    let folder =
        repository(&[("Dockerfile", "FROM scratch\n")], Some("https://github.com/a\u{1b}]0;t\u{7}/b"));
    let hostile = "x\u{1b}[2J\u{202e}\n[images.forged]\nsource = 'oci:x'\n#";
    for name in [
        format!("{hostile}/Dockerfile"),
        format!("Dockerfile.{hostile}"),
        "Dockerfile.q\"uo'te$(touch pwned)`touch pwned`".to_owned(),
        "-c/Dockerfile".to_owned(),
        "{{ pr.number }}/Chart.yaml".to_owned(),
    ] {
        folder.write(&name, "name: x\n");
    }
    let shown = first(&folder);
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
    assert!(!folder.read("publish.toml").contains("forged"), "{shown}");
    assert!(shown.contains("left out: "), "{shown}");
    assert!(!folder.path.join("pwned").exists());
}

/// A name of a file: mostly usual characters, and some that break texts.
fn names() -> impl Strategy<Value = String> {
    let part = "[a-zA-Z0-9._ \"'\\\\#{}\\[\\]$`;=\n\u{1b}\u{9b}\u{202e}äß-]{1,12}";
    let file = prop_oneof![
        Just("Dockerfile".to_owned()),
        Just("Chart.yaml".to_owned()),
        part.prop_map(|part| format!("Dockerfile.{part}")),
        part.prop_map(|part| format!("{part}.Containerfile")),
    ];
    (proptest::collection::vec(part, 0..3), file).prop_map(|(folders, file)| {
        let folders: Vec<String> = folders.into_iter().filter(|it| it != "." && it != "..").collect();
        folders.into_iter().chain([file]).collect::<Vec<_>>().join("/")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_names_give_a_file_that_lints_clean(
        files in proptest::collection::vec(names(), 0..6),
        remote in prop_oneof![Just(None), "https://(github.com|gitlab.com|x.y)/[a-zA-Z0-9/._ \"\n-]{0,20}".prop_map(Some)],
        branch in proptest::option::of("([Vv]|[Ll]atest|[Ss]ha[-/]|PR-)?[a-zA-Z0-9*?{}\\[\\]\"\\\\/\n\u{1b}-]{1,12}"),
    ) {
        let folder = Folder::new();
        for file in &files {
            let path = folder.path.join(file);
            let _taken = std::fs::create_dir_all(path.parent().expect("a folder"));
            let name = path.parent().and_then(|it| it.file_name()).and_then(|it| it.to_str()).unwrap_or("x");
            let _taken = std::fs::write(&path, format!("apiVersion: v2\nname: {name}\nversion: 1.2.3\n"));
        }
        let surroundings = GitFacts { files: Some(files), remote, branch, tags: Vec::new() };
        let proposal = propose(&survey(&folder.path, surroundings), &InitAnswers::default());
        folder.write("publish.toml", &proposal.text);
        let session = Session {
            config: None,
            profile: None,
            set: Vec::new(),
            allow_outside: Vec::new(),
            flags: Flags::default(),
            environment: BTreeMap::new(),
            working_folder: folder.path.clone(),
        };
        // `lint` also reports a chart that Helm refuses. That is a mistake of the chart, not of `init`.
        let mut found = run::lint(&session, &[]);
        found.retain(|it| it.code != Code::SourceChart);
        let messages: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
        prop_assert!(found.is_empty(), "{messages:?}\n{}", proposal.text);
    }
}
