//! `fmt`: files, standard input, `--check`, and files that are no TOML.

use testkit::command::{EndedRun, Folder};

const UGLY: &str = "version=1\n\n\n\n# The registry.\n[registries.bundle]   # here\nurl   =   \"oci:dist\"\n[tags.version]\non=[\"tag\",\n\"branch\" # both\n]\ntemplate=\"v{{ version }}\"\n";

const FORMATTED: &str = "version = 1\n\n# The registry.\n[registries.bundle]   # here\nurl = \"oci:dist\"\n\n[tags.version]\non = [\"tag\",\n    \"branch\", # both\n]\ntemplate = \"v{{ version }}\"\n";

fn piped(folder: &Folder, arguments: &str, input: &str) -> EndedRun {
    let run = folder.run(arguments);
    run.with_input(input)
}

#[test]
fn the_file_is_formatted_in_place_and_stays_so() {
    let folder = Folder::with(&[("publish.toml", UGLY)]);
    let done = folder.run("fmt").done().expect_code(0);
    assert_eq!((done.stdout().as_str(), done.stderr().as_str()), ("publish.toml\n", ""));
    let first = folder.read("publish.toml");
    let done = folder.run("fmt").done().expect_code(0);
    assert_eq!(done.stdout() + &done.stderr(), "");
    assert_eq!(folder.read("publish.toml"), first);
    folder.run("fmt --check").done().expect_code(0);
}

#[test]
fn check_prints_the_difference_and_writes_nothing() {
    let folder = Folder::with(&[("publish.toml", UGLY), ("other.toml", "version = 1\n")]);
    let done = folder.run("fmt --check publish.toml other.toml").done().expect_code(1);
    insta::assert_snapshot!(done.stdout());
    assert_eq!(folder.read("publish.toml"), UGLY);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = Folder::new();
    let done = piped(&folder, "fmt -", UGLY).expect_code(0);
    assert_eq!(done.stdout(), piped(&folder, "fmt -", &done.stdout()).stdout());
    assert!(
        done.stdout().contains("[registries.bundle]   # here\nurl = \"oci:dist\"\n\n[tags.version]\n"),
        "{}",
        done.shown()
    );
    assert_eq!(done.stdout().lines().last(), FORMATTED.lines().last());
    piped(&folder, "fmt --check -", UGLY).expect_code(1);
    piped(&folder, "fmt --check -", &done.stdout()).expect_code(0);
}

#[test]
fn a_file_that_is_no_toml_stays_as_it_is() {
    let folder = Folder::with(&[("publish.toml", "version = \n"), ("good.toml", "a=1\n")]);
    let done = folder.run("fmt publish.toml good.toml").done().expect_code(1);
    assert!(
        done.stderr().contains("config::syntax") && done.stderr().contains("publish.toml:1"),
        "{}",
        done.shown()
    );
    assert_eq!(folder.read("publish.toml"), "version = \n");
    assert_eq!(folder.read("good.toml"), "a=1\n");
    folder.run("fmt missing.toml").done().expect_code(1);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with(&[("real.toml", "a=1\n")]);
    let real = folder.path.join("real.toml");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    std::os::unix::fs::symlink("real.toml", folder.path.join("publish.toml")).expect("a link");
    folder.run("fmt").done().expect_code(0);
    assert!(folder.path.join("publish.toml").symlink_metadata().expect("a link").is_symlink());
    assert_eq!(folder.read("real.toml"), "a = 1\n");
    assert_eq!(real.metadata().expect("a file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_difference_shows_no_credential() {
    let folder = Folder::with(&[(
        "publish.toml",
        "version=1\n[vars]\na=\"https://me:hunter2hunter2@example.com/\"\n",
    )]);
    let done = folder.run("fmt --check").done().expect_code(1);
    assert!(!done.shown().contains("hunter2"), "{}", done.shown());
}

#[test]
fn every_configuration_of_this_repository_is_formatted() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::new();
    for name in ["publish.toml", "examples/brokkr/publish.toml", "examples/quickstart/publish.toml"] {
        let path = root.join(name);
        if path.is_file() {
            folder.run_with(["fmt".as_ref(), "--check".as_ref(), path.as_os_str()]).done().expect_code(0);
        }
    }
}
