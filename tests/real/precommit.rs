//! The hooks of `.pre-commit-hooks.yaml`, run by the real pre-commit in a throwaway repository.
//!
//! The Python hook installs the wheel of its version, here one that `packaging/make` puts into a folder. The rust hook builds this
//! package with `cargo install`, here without optimization and in a target folder that the next run of the test finds again. Needs
//! pre-commit (a Python package; `scripts/test.sh` installs it), git and the network.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::command::{Folder, clean};
use testkit::docker_registry::run as run_to_end;

const RIGHT: &str = "version = 1\n\n[registries.local]\nurl = \"localhost:5000\"\n\n[tags.version]\non = \"tag\"\n\
                     template = \"v{{ version }}\"\n\n[images.app]\nsource = \"oci:dist\"\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The path of pre-commit: on `PATH`, or the place that `scripts/test.sh` installs it to.
fn pre_commit() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([root().join("target/tools/bin")])
        .map(|folder| folder.join("pre-commit"))
        .find(|program| program.is_file())
        .expect(
            "pre-commit, which this test needs: `scripts/test.sh` installs it, or `pipx install pre-commit`",
        )
}

/// A copy of this package's files in their present state, committed to a repository of its own, like a release.
fn hook_repository(folder: &Folder) {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git, which this test needs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    for name in String::from_utf8(listed.stdout).expect("names").split_terminator('\0') {
        // A deleted file is still listed until the deletion is committed.
        if let Ok(bytes) = std::fs::read(root().join(name)) {
            folder.write(&format!("hooks/{name}"), bytes);
        }
    }
    folder.git_in("hooks", &["init", "--quiet"]);
    folder.git_in("hooks", &["add", "--all"]);
    folder.git_in("hooks", &["commit", "--quiet", "--message", "A release"]);
    folder.git_in("hooks", &["tag", "v1"]);
}

/// A repository that uses the hook `id`.
fn project(folder: &Folder, id: &str) {
    let hooks = folder.path.join("hooks");
    folder.write(
        "project/.pre-commit-config.yaml",
        format!("repos:\n  - repo: {}\n    rev: v1\n    hooks:\n      - id: {id}\n", hooks.display()),
    );
    folder.git_in("project", &["init", "--quiet"]);
}

/// Runs the hooks on every file of the project; returns whether they passed, and their output.
fn run(folder: &Folder) -> (bool, String) {
    folder.git_in("project", &["add", "--all"]);
    let mut command = Command::new(pre_commit());
    command.args(["run", "--all-files", "--color", "never"]).current_dir(folder.path.join("project"));
    clean(&mut command, &folder.home());
    let built = Path::new(env!("CARGO_BIN_EXE_brokkr-publish")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(built.to_owned()).chain(std::env::split_paths(&path));
    command
        .env("PATH", std::env::join_paths(path).expect("a path"))
        .env("PRE_COMMIT_HOME", folder.home().join("pre-commit"))
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("pre-commit"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    // Rust is installed in the real home, and so is the configuration of its package registry.
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(name, std::env::var_os(name).unwrap_or_else(|| home.join(folder).into()));
    }
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        let network = ["ssl_cert_", "cargo_http_", "pip_"].iter().any(|start| text.starts_with(start));
        let network = network || text.ends_with("_proxy");
        if network || text == "rustup_toolchain" {
            command.env(name, value);
        }
    }
    let wheels = folder.path.join("wheels").display().to_string();
    let links = std::env::var("PIP_FIND_LINKS").map_or(wheels.clone(), |links| format!("{links} {wheels}"));
    command.env("PIP_FIND_LINKS", links);
    let output = command.output().expect("pre-commit runs");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

/// The behavior of the hook `id` in a project.
fn exercise(id: &str) {
    let folder = Folder::new();
    hook_repository(&folder);
    if id == "brokkr-publish-lint" {
        wheel(&folder);
    }
    project(&folder, id);

    folder.write("project/Cargo.toml", "this is not TOML").write("project/my-publish.toml", "nor is this");
    let (passed, said) = run(&folder);
    assert!(passed && said.contains("(no files to check)"), "other files are not its business\n{said}");

    folder.write("project/publish.toml", RIGHT).write("project/deploy/app/publish.toml", RIGHT);
    let (passed, said) = run(&folder);
    assert!(passed && said.contains("Passed"), "{said}");

    folder.write("project/deploy/app/publish.toml", RIGHT.replace("source =", "sorce ="));
    let (passed, said) = run(&folder);
    assert!(!passed, "{said}");
    for word in [
        "exit code: 1",
        "publish::config::unknown_key",
        "deploy/app/publish.toml:11:1",
        "did you mean `source`?",
        "2 files checked",
    ] {
        assert!(said.contains(word), "no {word:?} in\n{said}");
    }
}

/// A wheel of the built program, without debug information.
fn wheel(folder: &Folder) {
    let binary =
        folder.path.join(format!("binaries/{}-unknown-linux-musl/brokkr-publish", std::env::consts::ARCH));
    std::fs::create_dir_all(binary.parent().unwrap()).unwrap();
    run_to_end(Command::new("strip").arg(env!("CARGO_BIN_EXE_brokkr-publish")).arg("-o").arg(&binary));
    let mut make = Command::new("python3");
    make.arg(root().join("packaging/make")).args(["wheel", "--level", "1", "--binaries", "binaries"]);
    run_to_end(make.args(["--out", "wheels"]).current_dir(&folder.path).env("PYTHONDONTWRITEBYTECODE", "1"));
}

/// It compiles nothing: in the environment of the hook there is no cargo.
#[test]
fn the_hook_that_installs_a_wheel() {
    exercise("brokkr-publish-lint");
}

#[test]
fn the_hook_that_builds_from_source() {
    exercise("brokkr-publish-lint-source");
}

#[test]
fn the_hook_of_an_installed_program() {
    exercise("brokkr-publish-lint-system");
}
