//! Completions in real shells: bash and zsh on a terminal, with the TAB key, and fish by its own `complete`. Needs bash, zsh, fish
//! and python3, which presses the key; `scripts/test.sh` installs them.

use std::path::Path;
use std::process::Command;

use testkit::command::{Folder, clean};
use testkit::docker_registry::run;

const CONFIG: &str = "version = 1\n\n[registries.local]\nurl = \"oci:dist\"\n\n[tags.version]\non = \"tag\"\n\
                      template = \"v{{ version }}\"\n\n[images.hello]\nsource = \"oci:dist\"\n\n[charts.garden]\n\
                      source = \"charts/garden\"\n\n[profile.staging.vars]\n";

fn folder() -> Folder {
    Folder::with(&[("publish.toml", CONFIG)])
}

/// A command whose PATH begins with the built program.
fn command(folder: &Folder, program: &str) -> Command {
    let mut command = Command::new(program);
    clean(&mut command, &folder.home());
    let built = Path::new(env!("CARGO_BIN_EXE_brokkr-publish")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(built.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).expect("a path")).current_dir(&folder.path);
    command
}

/// Returns the text that a terminal shows after `lines` were typed into a shell.
fn typed(folder: &Folder, shell: &[&str], lines: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/typed.py");
    let mut python = command(folder, "python3");
    python.arg(script).arg("60").arg(lines.join("\n")).args(shell);
    String::from_utf8_lossy(&run(&mut python)).into_owned()
}

/// Keys to type, and the text that the shell then shows or fills in.
const CASES: [(&str, &str); 7] = [
    ("brokkr-publish ver\\t", "brokkr-publish verify"),
    ("brokkr-publish auth ch\\t", "brokkr-publish auth check"),
    ("brokkr-publish plan --detailed\\t", "brokkr-publish plan --detailed-exitcode"),
    ("brokkr-publish plan --target images.\\t", "brokkr-publish plan --target images.hello"),
    ("brokkr-publish verify --target ch\\t", "brokkr-publish verify --target charts.garden"),
    ("brokkr-publish plan --profile st\\t", "brokkr-publish plan --profile staging"),
    ("brokkr-publish explain tag::coll\\t", "brokkr-publish explain tag::collision"),
];

fn shell_completes(shell: &[&str], start: &[&str]) {
    let folder = folder();
    for (line, whole) in CASES {
        let mut lines = start.to_vec();
        lines.push(line);
        let shown = typed(&folder, shell, &lines);
        // Bash puts the words between its own separators, `::` among them, into colours or not: only the text counts.
        let last = shown.rsplit(['\r', '\n']).find(|it| it.contains("brokkr-publish ")).unwrap_or_default();
        assert!(last.contains(whole), "{line}: {last:?} in\n{shown}");
    }
}

#[test]
fn bash() {
    shell_completes(
        &["bash", "--norc", "--noprofile", "-i"],
        &["source <(brokkr-publish completions bash)\\r"],
    );
}

#[test]
fn zsh() {
    let start = ["autoload -U compinit; compinit -u -D\\r", "source <(brokkr-publish completions zsh)\\r"];
    shell_completes(&["zsh", "-f", "-i"], &start);
}

#[test]
fn fish() {
    let folder = folder();
    for (line, whole) in CASES {
        let line = line.trim_end_matches("\\t");
        let script = format!("brokkr-publish completions fish | source; complete --do-complete '{line}'");
        let shown = run(command(&folder, "fish").args(["--no-config", "--command", &script]));
        let shown = String::from_utf8_lossy(&shown).into_owned();
        let word = whole.rsplit(' ').next().unwrap_or_default();
        let found = shown.lines().any(|line| line.split('\t').next() == Some(word));
        assert!(found, "{line}: {shown}");
    }
}
