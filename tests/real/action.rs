//! The steps of the action and of the CI component, run as a runner does, against a mirror of a release. Needs bash, python3 and curl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::command::{Folder, clean};
use testkit::docker_registry::run;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program in `target/tools`, where `scripts/test.sh` installs it.
fn tool(name: &str) -> Command {
    let path = root().join("target/tools/bin").join(name);
    assert!(path.is_file(), "`scripts/test.sh` installs {}", path.display());
    Command::new(path)
}

/// A checkout of the action at a commit that pins a release, and the release.
struct Runner {
    folder: Folder,
}

impl Runner {
    fn new() -> Self {
        let folder = Folder::new();
        for name in [
            "Cargo.toml",
            "packaging/install.sh",
            "packaging/pinned.txt",
            "packaging/action/install.sh",
            "packaging/action/run.sh",
        ] {
            folder.write(&format!("action/{name}"), fs::read(root().join(name)).unwrap());
        }
        let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let binary = folder.path.join("binaries").join(&target).join("brokkr-publish");
        fs::create_dir_all(binary.parent().unwrap()).unwrap();
        run(Command::new("strip").arg(env!("CARGO_BIN_EXE_brokkr-publish")).arg("-o").arg(&binary));
        for name in ["man", "completions"] {
            fs::create_dir_all(folder.path.join("extras").join(name)).unwrap();
        }
        let out = format!("mirror/v{VERSION}");
        let mut make = Command::new("python3");
        make.arg(root().join("packaging/make")).args([
            "archive",
            "--binaries",
            "binaries",
            "--extras",
            "extras",
        ]);
        run(make.args(["--out", &out]).current_dir(&folder.path).env("PYTHONDONTWRITEBYTECODE", "1"));
        let archive = format!("brokkr-publish-{VERSION}-{target}.tar.gz");
        let digest = oci_registry::Digest::of(&fs::read(folder.path.join(&out).join(&archive)).unwrap());
        let pinned = folder.read("action/packaging/pinned.txt") + &format!("{}  {archive}\n", digest.hex());
        folder.write("action/packaging/pinned.txt", pinned);
        folder.write(
            "project/publish.toml",
            fs::read(root().join("examples/quickstart/publish.toml")).unwrap(),
        );
        folder.write("project/image.tar", fs::read(root().join("examples/quickstart/image.tar")).unwrap());
        fs::create_dir(folder.path.join("temporary")).unwrap();
        Self { folder }
    }

    /// Puts the release's installer beside its archives.
    fn installer(&self) {
        let out = format!("mirror/v{VERSION}");
        let python = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); from make import formula; \
                      formula.installer(pathlib.Path(sys.argv[2]))";
        let mut make = Command::new("python3");
        make.args(["-c", python]).arg(root().join("packaging")).arg(self.path(&out));
        run(make.env("PYTHONDONTWRITEBYTECODE", "1"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path.join(name)
    }

    /// A step that runs a script of the action.
    fn step(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new("bash");
        clean(&mut command, &self.folder.home());
        // The runner puts the lines of GITHUB_PATH before PATH.
        let added = fs::read_to_string(self.path("path")).unwrap_or_default();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = added.lines().map(PathBuf::from).chain(std::env::split_paths(&path));
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(self.path("action/packaging/action").join(script))
            .current_dir(self.path("project"))
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("BROKKR_INSTALL_DOWNLOADS", format!("file://{}", self.path("mirror").display()))
            .env("RUNNER_TEMP", self.path("temporary"))
            .env("RUNNER_OS", "Linux");
        for (name, file) in
            [("GITHUB_PATH", "path"), ("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")]
        {
            command.env(name, self.path(file));
        }
        command.envs(variables.iter().copied()).output().expect("bash")
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_action_installs_by_checksum_runs_and_sets_outputs() {
    let runner = Runner::new();
    let installed = runner.step("install.sh", &[]);
    assert!(installed.status.success(), "{}", said(&installed));
    assert!(
        said(&installed).contains(&format!("Installed brokkr-publish {VERSION}")),
        "{}",
        said(&installed)
    );

    let command = "plan\n  --out 'plan of today.json'";
    let planned = runner.step("run.sh", &[("COMMAND", command), ("GITHUB_TOKEN", "")]);
    assert!(planned.status.success(), "{}", said(&planned));
    let digest = oci_registry::Digest::of(&fs::read(runner.path("project/plan of today.json")).unwrap());
    let outputs = runner.folder.read("output");
    assert!(outputs.contains(&format!("changed=true\nplan-digest={digest}\n")), "{outputs}");
    assert!(outputs.ends_with("exit-code=0\n"), "{outputs}");
    assert!(runner.folder.read("summary").contains("**Plan: 2 to create."));

    // A second use installs nothing again.
    fs::remove_dir_all(runner.path("mirror")).unwrap();
    assert!(runner.step("install.sh", &[("VERSION", VERSION)]).status.success());

    let command = format!("brokkr-publish apply 'plan of today.json' --expect {digest}");
    let applied = runner.step("run.sh", &[("COMMAND", &command)]);
    assert!(applied.status.success(), "{}", said(&applied));
    assert!(runner.path("project/published/hello/index.json").is_file());
}

#[test]
fn nothing_in_the_command_is_expanded() {
    let runner = Runner::new();
    runner.step("install.sh", &[]);
    for command in [
        "lint $(touch pwned)",
        "lint `touch pwned`",
        "lint ; touch pwned",
        "lint \"$(touch pwned)\"",
        "lint && touch pwned",
    ] {
        let output = runner.step("run.sh", &[("COMMAND", command)]);
        assert!(
            !output.status.success() && !runner.path("project/pwned").exists(),
            "{command}: {}",
            said(&output)
        );
    }
    let output = runner.step("run.sh", &[("COMMAND", "lint 'publish.toml")]);
    assert!(
        !output.status.success() && said(&output).contains("The quotes of the input"),
        "{}",
        said(&output)
    );
    // The step fails as the command does, and the code is an output.
    fs::write(runner.path("output"), "").unwrap();
    let output = runner.step("run.sh", &[("COMMAND", "lint none.toml")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(runner.folder.read("output"), "exit-code=1\n");
}

#[test]
fn a_release_that_is_not_pinned_is_refused() {
    let runner = Runner::new();
    let output = runner.step("install.sh", &[("VERSION", "9.9.9")]);
    assert!(
        !output.status.success() && said(&output).contains("Version 9.9.9 is not pinned"),
        "{}",
        said(&output)
    );
    // An archive that was replaced is refused, too.
    let archive =
        fs::read_dir(runner.path(&format!("mirror/v{VERSION}"))).unwrap().next().unwrap().unwrap().path();
    fs::write(&archive, "another program").unwrap();
    let output = runner.step("install.sh", &[]);
    assert!(!output.status.success() && said(&output).contains("nothing was installed"), "{}", said(&output));
}

/// The job of the component is valid for GitLab, and its scripts install, lint, run and write the outputs.
#[test]
fn the_component_of_gitlab_installs_and_runs() {
    let runner = Runner::new();
    runner.installer();
    let mut fill = tool("python3");
    fill.arg(root().join("tests/real/component.py"))
        .arg(root().join("templates/brokkr-publish/template.yml"));
    let sum =
        oci_registry::Digest::of(&fs::read(runner.path(&format!("mirror/v{VERSION}/install.sh"))).unwrap());
    fill.arg(runner.path("project")).arg(format!("installer-sha256={}", sum.hex()));
    run(&mut fill);
    let mut check = tool("check-jsonschema");
    run(check.args(["--builtin-schema", "vendor.gitlab-ci"]).arg(runner.path("project/.gitlab-ci.yml")));

    let job = |changed: &dyn Fn(&mut Command)| {
        let mut command = Command::new("sh");
        clean(&mut command, &runner.folder.home());
        command
            .arg("job.sh")
            .current_dir(runner.path("project"))
            .env("CI_PROJECT_DIR", runner.path("project"));
        command.env("BROKKR_INSTALL_DOWNLOADS", format!("file://{}", runner.path("mirror").display()));
        changed(&mut command);
        command.output().unwrap()
    };
    let output = job(&|_| {});
    assert!(output.status.success(), "{}", said(&output));
    let outputs = runner.folder.read("project/brokkr-publish.env");
    assert!(outputs.starts_with("BROKKR_PUBLISHED_CHANGED=true\n"), "{outputs}");
    let quality: serde_json::Value =
        serde_json::from_str(&runner.folder.read("project/brokkr-publish-quality.json")).unwrap();
    assert_eq!(quality, serde_json::json!([]));

    // A mistake fails the job, and is in the report of the merge request.
    let config = runner.folder.read("project/publish.toml");
    runner.folder.write("project/publish.toml", config.replace("source =", "sorce ="));
    let output = job(&|_| {});
    assert!(
        !output.status.success() && said(&output).contains("did you mean `source`?"),
        "{}",
        said(&output)
    );
    assert!(
        runner.folder.read("project/brokkr-publish-quality.json").contains("publish::config::unknown_key")
    );
    // An installer that was replaced is not run.
    runner.folder.write(&format!("mirror/v{VERSION}/install.sh"), "echo hello");
    let output = job(&|_| {});
    assert!(!output.status.success() && !said(&output).contains("hello"), "{}", said(&output));
}
