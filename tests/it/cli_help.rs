//! The command line itself: help of every command, version, usage errors, completions, man pages, `explain`.

use brokkr_publish::diagnostic::Code;
use brokkr_publish::model::access::AccessReport;
use brokkr_publish::model::plan::Plan;
use brokkr_publish::model::record::Record;
use brokkr_publish::model::verification::Verification;
use brokkr_publish::saved::{json_schema, printed_schema};
use insta::assert_snapshot;

use testkit::command::Folder;

fn commands() -> Vec<String> {
    let names = brokkr_publish::cli::command();
    names.get_subcommands().map(|it| it.get_name().to_owned()).collect()
}

#[test]
fn the_help_of_every_command() {
    let folder = Folder::new();
    assert_snapshot!("help", folder.run("--help").done().expect_code(0).shown());
    for name in commands() {
        let done = folder.run(&format!("{name} --help")).done().expect_code(0);
        assert_eq!(done.stderr(), "", "help that was asked for is data");
        assert_snapshot!(format!("help_{name}"), done.shown());
    }
}

#[test]
fn the_help_of_a_command_below_another() {
    let done = Folder::new().run("auth check --help").done().expect_code(0);
    assert_snapshot!("help_auth_check", done.shown());
    let page = Folder::new().run("man auth check").done().expect_code(0).stdout();
    assert!(page.contains("brokkr-publish-auth-check"), "{page}");
}

#[test]
fn the_version() {
    let done = Folder::new().run("--version").done().expect_code(0);
    assert_eq!(done.stdout(), concat!("brokkr-publish ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn usage_errors_exit_with_1() {
    for (name, arguments) in [
        ("nothing", ""),
        ("unknown_command", "aply"),
        ("unknown_option", "plan --tarket images.app"),
        ("unknown_value", "lint --format xml"),
        ("quiet_and_verbose", "lint -q -v"),
        ("two_plans", "apply saved.json --out other.json"),
        ("parallelism", "plan --parallelism 0"),
        ("man_of_nothing", "man nothing"),
    ] {
        let done = Folder::new().run(arguments).done().expect_code(1);
        assert_eq!(done.stdout(), "", "{}", done.shown());
        assert_snapshot!(format!("usage_{name}"), done.shown());
    }
}

#[test]
fn completions_and_man_pages_are_complete() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = folder.run(&format!("completions {shell}")).done().expect_code(0);
        assert!(done.stdout().contains("_BROKKR_PUBLISH_COMPLETE"), "{shell}: {}", done.stdout());
    }
    // The script asks the program itself; fish gets one candidate per line.
    let asked = folder.run("-- brokkr-publish").env("_BROKKR_PUBLISH_COMPLETE", "fish");
    let mut asked = asked;
    asked.command.arg("");
    let offered = asked.done().expect_code(0).stdout();
    for name in commands() {
        assert!(
            offered.lines().any(|line| line.split('\t').next() == Some(&name)),
            "no {name} in\n{offered}"
        );
    }
    assert!(folder.run("man").done().expect_code(0).stdout().contains(".TH"));
    for name in commands() {
        let page = folder.run(&format!("man {name}")).done().expect_code(0).stdout();
        assert!(page.contains(&format!("brokkr-publish-{name}")), "{page}");
    }
}

#[test]
fn schemas_are_json() {
    let folder = Folder::new();
    let config = folder.run("schema").done().expect_code(0);
    assert_eq!(config.json(), brokkr_publish::config::json_schema());
    let plan = folder.run("schema plan").done().expect_code(0);
    assert_eq!(plan.json(), json_schema::<Plan>());
    let record = folder.run("schema record").done().expect_code(0);
    assert_eq!(record.json(), json_schema::<Record>());
    let access = folder.run("schema access").done().expect_code(0);
    assert_eq!(access.json(), printed_schema::<AccessReport>("access"));
    let verification = folder.run("schema verification").done().expect_code(0);
    assert_eq!(verification.json(), printed_schema::<Verification>("verification"));
}

#[test]
fn saved_plans_that_are_none() {
    let folder = Folder::with(&[
        ("text", "no JSON"),
        ("other.json", "{}"),
        ("new.json", r#"{"format_version": "99.0", "unheard": "of"}"#),
        ("half.json", r#"{"format_version": "1.0", "generator": "x""#),
    ]);
    for (name, file) in [
        ("missing", "nowhere.json"),
        ("text", "text"),
        ("other", "other.json"),
        ("newer", "new.json"),
        ("half", "half.json"),
    ] {
        for command in ["show", "apply"] {
            let done = folder.run(&format!("{command} {file}")).done().expect_code(1);
            assert!(done.stderr().contains("publish::plan::file"), "{}", done.shown());
        }
        assert_snapshot!(format!("plan_file_{name}"), folder.run(&format!("show {file}")).shown());
    }
}

#[test]
fn a_broken_pipe_is_no_panic() {
    let folder = Folder::new();
    let mut run = folder.run("completions bash");
    let mut child = run
        .command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
    assert_ne!(output.status.code(), Some(101));
}

#[test]
fn every_code_is_explained() {
    let folder = Folder::new();
    let listed = folder.run("explain").done().expect_code(0).stdout();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(listed.lines().collect::<Vec<_>>(), codes);
    for code in Code::ALL {
        let page = folder.run(&format!("explain {code}")).done().expect_code(0).stdout();
        assert_eq!(page.trim_end(), code.page().trim_end());
    }
    // The last part is enough where it is unique, which people type.
    let page = folder.run("explain collision").done().expect_code(0).stdout();
    assert_eq!(page.trim_end(), Code::TagCollision.page().trim_end());
    assert_snapshot!("explain_near", folder.run("explain publish::tag::colision").shown());
    assert_snapshot!("explain_far", folder.run("explain xyz").shown());
}
