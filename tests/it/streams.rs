//! Output to the streams: only colours and characters that they support, errors of writing, and the plan that a question
//! is about.

use testkit::command;
use testkit::command::{Folder, ProgramRun};
#[cfg(unix)]
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};

const CONFIG: &str = r#"
version = 1
[registries.bundle]
url = "oci:registry"
[tags.version]
on = "tag"
template = "v{{ version }}"
[images.app]
source = "oci-archive:image.tar"
[profile.other.tags.version]
template = "other-{{ version }}"
"#;

fn folder() -> Folder {
    let folder = Folder::with(&[("publish.toml", CONFIG)]);
    let image = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/image.tar"));
    folder.write("image.tar", image.expect("the quickstart's image"));
    folder
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_fails_the_command() {
    let folder = folder();
    for arguments in [
        "tags --format github --ref refs/tags/v1.2.3",
        "plan --json --ref refs/tags/v1.2.3",
        "--help",
        "--version",
        "completions bash",
        "man",
        "schema",
        "explain",
    ] {
        let mut run = folder.run(arguments);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let output = run.command.stdout(full).stderr(std::process::Stdio::piped()).output().expect("runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {stderr}");
        assert!(stderr.contains("error: standard output cannot be written to"), "{arguments}: {stderr}");
    }
}

#[test]
fn colours_are_as_asked_for() {
    let folder = folder();
    let forced = |arguments: &str| folder.run(arguments).env("CLICOLOR_FORCE", "1");
    let colored = |run: ProgramRun| run.done().shown().contains('\u{1b}');
    for arguments in ["--help", "plan --help", "aply", "show nowhere.json"] {
        let with = |color: &str| folder.run(&format!("{color} {arguments}"));
        assert!(!colored(folder.run(arguments)), "{arguments}");
        assert!(colored(forced(arguments)), "{arguments}");
        assert!(!colored(folder.run(arguments).env("CLICOLOR_FORCE", "0")), "{arguments}");
        for value in ["0", "1", "false"] {
            assert!(!colored(forced(arguments).env("NO_COLOR", value)), "{arguments}: NO_COLOR={value}");
        }
        assert!(colored(forced(arguments).env("NO_COLOR", "")), "{arguments}");
        for color in ["--color never", "--color=never"] {
            assert!(!colored(with(color).env("CLICOLOR_FORCE", "1")), "{color} {arguments}");
        }
        for color in ["--color always", "--color=always"] {
            assert!(colored(with(color).env("NO_COLOR", "1")), "{color} {arguments}");
        }
    }
}

#[test]
fn a_stream_without_unicode_gets_none() {
    let folder = folder();
    let mut all: Vec<String> =
        brokkr_publish::diagnostic::Code::ALL.iter().map(|code| format!("explain {code}")).collect();
    for command in brokkr_publish::cli::command().get_subcommands() {
        all.push(format!("{} --help", command.get_name()));
    }
    all.extend(
        [
            "--help",
            "apply --auto-approve --record record.json --ref refs/tags/v1.2.3",
            "show record.json",
            "plan --ref refs/tags/v1.2.4 --set images.app.source=nothing",
            "plan --ref refs/tags/v1.2.4 --set tags.version.template={{x",
            "tags --ref refs/heads/main",
        ]
        .map(str::to_owned),
    );
    for arguments in all {
        let shown = folder.run(&arguments).env("LC_ALL", "C").done().shown();
        assert!(shown.is_ascii(), "{arguments}: {shown}");
    }
}

/// Types `answer` at a terminal that runs the program.
#[cfg(target_os = "linux")]
fn at_a_terminal(folder: &Folder, arguments: &str, answer: &str) -> String {
    use std::io::Write;
    let program = env!("CARGO_BIN_EXE_brokkr-publish");
    let mut command = std::process::Command::new("script");
    command.args(["-qefc", &format!("{program} {arguments}"), "/dev/null"]).current_dir(&folder.path);
    command::clean(&mut command, &folder.home());
    command.env("SHELL", "/bin/sh");
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("script, which this test needs");
    let mut input = child.stdin.take().expect("an input");
    writeln!(input, "{answer}").expect("typed");
    let output = child.wait_with_output().expect("ended");
    drop(input);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_is_asked_about_a_plan_that_was_not_shown() {
    let folder = folder();
    for option in ["", "--json", "-q"] {
        let shown = at_a_terminal(&folder, &format!("apply {option} --ref refs/tags/v1.2.3"), "no");
        let (plan, question) = (shown.find("1 to create"), shown.find("Apply this plan?"));
        assert!(plan.is_some() && plan < question, "{option}: {shown}");
        assert!(shown.contains("the answer was not"), "{option}: {shown}");
    }
    let shown = at_a_terminal(&folder, "apply -q --auto-approve --ref refs/tags/v1.2.3", "");
    assert!(!shown.contains("1 to create"), "{shown}");
}

#[test]
fn variables_of_a_job_are_no_options_of_a_saved_plan() {
    let folder = folder();
    let _planned = folder.run("plan --out plan.json --ref refs/tags/v1.2.3").done().expect_code(0);
    for (name, value) in [
        ("BROKKR_PUBLISH_PROFILE", ""),
        ("BROKKR_PUBLISH_PROFILE", "other"),
        ("BROKKR_PUBLISH_CONFIG", ""),
        ("BROKKR_PUBLISH_CONFIG", "publish.toml"),
    ] {
        let _applied = folder.run("apply plan.json").env(name, value).done().expect_code(0);
    }
    // These decide only what is searched for secrets and where the plan may send.
    let _applied = folder.run("apply plan.json -c publish.toml").done().expect_code(0);
    for option in ["--target images.app", "--ref refs/tags/v1.2.4", "--set registries.bundle.url=oci:other"] {
        let refused = folder.run(&format!("apply plan.json {option}")).done().expect_code(1);
        assert!(refused.stderr().contains("cannot change it"), "{}", refused.shown());
    }

    let tags = |run: ProgramRun| run.done().expect_code(0).stdout();
    let (plain, other) = ("v1.2.3", "other-1.2.3");
    let run = |options: &str| folder.run(&format!("tags --ref refs/tags/v1.2.3 {options}"));
    for (shown, expected) in [
        (tags(run("").env("BROKKR_PUBLISH_PROFILE", "other")), other),
        (tags(run("").env("BROKKR_PUBLISH_PROFILE", "")), plain),
        (tags(run("--profile=").env("BROKKR_PUBLISH_PROFILE", "other")), plain),
        (tags(run("--profile other").env("BROKKR_PUBLISH_PROFILE", "unknown")), other),
        (tags(run("").env("BROKKR_PUBLISH_CONFIG", "")), plain),
        (tags(run("-c publish.toml").env("BROKKR_PUBLISH_CONFIG", "nowhere.toml")), plain),
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
    let missing = run("").env("BROKKR_PUBLISH_CONFIG", "nowhere.toml").done().expect_code(1);
    assert!(missing.stderr().contains("nowhere.toml"), "{}", missing.shown());
}

#[test]
fn a_document_of_another_version_is_called_what_it_is() {
    let folder = Folder::with(&[
        ("plan.json", r#"{"format_version": "99.0", "unheard": "of"}"#),
        ("record.json", r#"{"format_version": "99.0", "outcome": {"unheard": "of"}}"#),
        ("broken.json", r#"{"format_version": "1.0", "outcome": {}}"#),
    ]);
    for (arguments, expected) in [
        ("show plan.json", "the plan `plan.json` has format version 99.0"),
        ("show record.json", "the record `record.json` has format version 99.0"),
        ("show broken.json", "`broken.json` is not a saved record"),
        ("show nowhere.json", "`nowhere.json` cannot be read"),
    ] {
        let refused = folder.run(arguments).done().expect_code(1);
        assert!(refused.stderr().contains(expected), "{}", refused.shown());
    }
}

/// The program asks for a tag, and the registry no longer answers.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_second_interruption_says_what_may_be_half_done() {
    use std::io::{BufRead, BufReader};
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    registry.on("PUT", "/manifests/v1.2.3", 9, Fault::Stall { after: 0 });
    let folder = folder();
    folder.write("publish.toml", CONFIG.replace("oci:registry", &registry.host()));
    let mut run = folder.run("apply --auto-approve --ref refs/tags/v1.2.3");
    run.command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let mut child = run.command.spawn().expect("runs");
    let process = child.id().to_string();
    let interrupt = || {
        let done = std::process::Command::new("kill").args(["-INT", &process]).status();
        assert!(done.expect("kill").success());
    };
    let started = std::time::Instant::now();
    while registry.count("PUT", "/manifests/v1.2.3") == 0 {
        assert!(started.elapsed().as_secs() < 30, "no tag was put");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let mut lines =
        BufReader::new(child.stderr.take().expect("an error stream")).lines().map_while(Result::ok);
    interrupt();
    assert!(lines.any(|line| line.starts_with("Stopping")));
    // The next is listened for once that is said.
    std::thread::sleep(std::time::Duration::from_millis(200));
    interrupt();
    let rest: Vec<String> = lines.collect();
    assert!(rest.join("\n").contains("a tag may have been moved"), "{rest:?}");
    assert_eq!(child.wait().expect("ended").code(), Some(1));
}
