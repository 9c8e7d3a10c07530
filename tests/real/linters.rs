//! Linters check the files that no test can run here: the workflows of the repository and of the documentation, the action, shell
//! scripts, Homebrew's formula, Nix expressions, the schema. Needs actionlint, zizmor, shellcheck, ruby, nix-instantiate,
//! check-jsonschema, taplo and tombi; `scripts/test.sh` installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::command::Folder;

/// The end of a line that uses the action. A release replaces the commit in all pages.
const ACTION: &str = "@5d1aa5a8b6c7f87c01921bdb082b285a0d2bba27 # main";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the repository.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git, which this test needs");
    let names = String::from_utf8(listed.stdout).expect("names");
    names.split_terminator('\0').map(|name| root().join(name)).filter(|path| path.is_file()).collect()
}

/// A program in `target/tools`, where `scripts/test.sh` installs it.
fn tool(name: &str) -> Command {
    let path = root().join("target/tools/bin").join(name);
    assert!(path.is_file(), "`scripts/test.sh` installs {}", path.display());
    Command::new(path)
}

#[track_caller]
fn clean(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// `zizmor` fails from this severity on.
fn zizmor(folder: &Path) -> Command {
    let mut command = tool("zizmor");
    command.args(["--offline", "--no-progress", "--color=never", "--min-severity=medium"]).arg(folder);
    command
}

#[test]
fn the_workflows_of_the_repository() {
    let workflows: Vec<_> =
        files().into_iter().filter(|path| path.starts_with(root().join(".github/workflows"))).collect();
    assert!(workflows.len() >= 3, "{workflows:?}");
    clean(tool("actionlint").arg("-color=false").args(&workflows));
    clean(&mut zizmor(&root().join(".github")));
}

/// The workflows in the documentation, `yaml` blocks with jobs, and those of the examples.
fn documented() -> Vec<(String, String)> {
    let pages = files().into_iter().filter(|path| path.extension().is_some_and(|it| it == "md"));
    let example = fs::read_to_string(root().join("examples/brokkr/publish.yml")).unwrap();
    let mut workflows = vec![("examples-brokkr.yml".to_owned(), example)];
    for path in pages {
        let page = path.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        for (number, block) in text.split("\n```yaml\n").skip(1).enumerate() {
            let block = block.split("\n```").next().unwrap_or_default();
            if block.starts_with("on:") && block.contains("\njobs:") {
                let name = format!("{}-{number}.yml", page.replace('/', "-"));
                workflows.push((name, format!("{block}\n")));
            }
        }
    }
    workflows
}

/// Pinned actions, least permissions, and the token only in the step that needs it.
#[test]
fn the_workflows_of_the_documentation() {
    let folder = Folder::new();
    // The workflow of the user's own that the example calls.
    let build = "on:\n  workflow_call:\npermissions: {}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: \"true\"\n";
    folder.write(".github/workflows/build.yml", build);
    let workflows = documented();
    assert!(workflows.len() >= 25, "only {} workflows were found", workflows.len());
    for (name, text) in &workflows {
        folder.write(&format!(".github/workflows/{name}"), text);
        assert!(!text.contains("cargo install"), "{name}: the action installs the program");
        let head = text.split("\njobs:").next().unwrap_or_default();
        assert!(head.contains("permissions: {}"), "{name}: rights belong to jobs");
        assert!(!head.contains("token") && !head.contains("secrets."), "{name}: a secret belongs to a step");
        // One commit of the action, so that a reader meets one version.
        for line in text.lines().filter(|line| line.contains("colliery-io/brokkr-publish@")) {
            assert!(line.ends_with(ACTION), "{name}: {line}");
        }
    }
    let paths: Vec<_> =
        workflows.iter().map(|(name, _)| folder.path.join(".github/workflows").join(name)).collect();
    clean(tool("actionlint").arg("-color=false").args(&paths));
    clean(&mut zizmor(&folder.path));
}

#[test]
fn the_action_and_the_component() {
    clean(&mut zizmor(&root().join("action.yml")));
    // actionlint reads an action through a workflow that uses it from the same repository.
    let folder = Folder::new();
    for name in ["action.yml", "packaging/action/install.sh", "packaging/action/run.sh"] {
        folder.write(name, fs::read(root().join(name)).unwrap());
    }
    folder.git(&["init", "--quiet"]);
    let uses = "on: push\npermissions: {}\njobs:\n  use:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./\n        id: it\n        \
                with: { command: plan, token: '', version: '', working-directory: . }\n      - run: echo \"$CHANGED\"\n        env:\n          \
                CHANGED: ${{ steps.it.outputs.changed }}${{ steps.it.outputs.plan-digest }}\n";
    folder.write(".github/workflows/use.yml", uses);
    let mut lint = tool("actionlint");
    clean(lint.arg("-color=false").arg(".github/workflows/use.yml").current_dir(&folder.path));
    // An input that does not exist is found, so the action was read.
    folder.write(".github/workflows/use.yml", uses.replace("version: ''", "verison: ''"));
    let mut lint = tool("actionlint");
    let wrong =
        lint.arg("-color=false").arg(".github/workflows/use.yml").current_dir(&folder.path).output().unwrap();
    assert!(String::from_utf8_lossy(&wrong.stdout).contains("verison"));

    let component = fs::read_to_string(root().join("templates/brokkr-publish/template.yml")).unwrap();
    let (spec, job) = component.split_once("\n---\n").expect("the inputs, and the job");
    for input in job.split("$[[ inputs.").skip(1).map(|rest| rest.split(" ]]").next().unwrap()) {
        assert!(spec.contains(&format!("\n    {input}:\n")), "the input `{input}` is declared");
    }
}

#[test]
fn shell_scripts() {
    let mut scripts = files();
    scripts.retain(|path| {
        let start = fs::read(path).unwrap_or_default();
        let line =
            String::from_utf8_lossy(start.split(|it| *it == b'\n').next().unwrap_or_default()).into_owned();
        line.starts_with("#!") && (line.ends_with("bash") || line.ends_with("/sh"))
    });
    assert!(scripts.len() >= 5, "{scripts:?}");
    clean(Command::new("shellcheck").arg("--severity=warning").args(&scripts));
    // People pipe this one into a shell, so it has no finding at all.
    clean(Command::new("shellcheck").arg(root().join("packaging/install.sh")));
}

#[test]
fn the_formula_of_homebrew_and_the_expressions_of_nix() {
    clean(Command::new("ruby").arg("-wc").arg(root().join("packaging/homebrew/brokkr-publish.rb")));
    for name in ["flake.nix", "package.nix"] {
        // Everything that Nix wants to write goes to a folder of its own.
        let folder = Folder::new();
        clean(
            Command::new("nix-instantiate")
                .arg("--parse")
                .arg(root().join("packaging/nix").join(name))
                .env("HOME", folder.home())
                .env("NIX_STATE_DIR", folder.path.join("state"))
                .env("NIX_STORE_DIR", folder.path.join("store")),
        );
    }
}

#[test]
fn the_scripts_of_python_and_node_parse() {
    let folder = Folder::new();
    let scripts: Vec<_> =
        files().into_iter().filter(|path| path.starts_with(root().join("packaging"))).collect();
    for path in scripts.iter().filter(|path| path.extension().is_some_and(|it| it == "py")) {
        let target = folder.path.join("compiled");
        let program = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], doraise=True)";
        clean(Command::new("python3").args(["-c", program]).arg(path).arg(target));
    }
    clean(Command::new("node").arg("--check").arg(root().join("packaging/npm/brokkr-publish.js")));
}

/// Each configuration of the repository is valid for a validator that knows nothing of this program, and so are the schemas.
#[test]
fn the_schema_and_the_configurations() {
    let schema = root().join("schemas/publish.schema.json");
    let is_configuration = |path: &PathBuf| path.file_name().is_some_and(|name| name == "publish.toml");
    let valid = |path: &PathBuf| !path.components().any(|part| part.as_os_str() == "corpus");
    let configurations: Vec<_> = files().into_iter().filter(is_configuration).filter(valid).collect();
    assert!(configurations.len() >= 2, "{configurations:?}");
    clean(tool("check-jsonschema").arg("--schemafile").arg(&schema).args(&configurations));
    let schemas: Vec<_> =
        files().into_iter().filter(|path| path.to_string_lossy().ends_with(".schema.json")).collect();
    assert!(schemas.len() >= 7, "{schemas:?}");
    clean(tool("check-jsonschema").arg("--check-metaschema").args(&schemas));
}

/// The linters of editors find the schema, accept each configuration, and find a wrong key.
#[test]
fn the_linters_of_editors() {
    let folder = Folder::new();
    let schema = root().join("schemas/publish.schema.json");
    let text = fs::read_to_string(root().join("publish.toml")).expect("a configuration");
    let text =
        text.replace("#:schema schemas/publish.schema.json", &format!("#:schema {}", schema.display()));
    assert!(text.contains(&schema.display().to_string()), "the first line names the schema");
    for (wrong, accepted) in [(false, true), (true, false)] {
        folder.write(
            "publish.toml",
            if wrong { text.replace("visibility =", "visibilty =") } else { text.clone() },
        );
        for (program, arguments) in [
            (
                "taplo",
                vec!["check".to_owned(), "--schema".to_owned(), format!("file://{}", schema.display())],
            ),
            ("tombi", vec!["lint".to_owned(), "--offline".to_owned()]),
        ] {
            let mut command = tool(program);
            command.args(arguments).arg("publish.toml").current_dir(&folder.path).env("HOME", folder.home());
            let output = command.output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), accepted, "{program}: {said}");
            assert!(accepted || said.contains("visibilty"), "{program}: {said}");
        }
    }
}
