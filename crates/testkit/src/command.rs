//! Runs the built binary in a folder of its own with a clean environment, and shows exit code, stdout and stderr as
//! one text that is the same in every run.
//!

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder to run in; removed when it is dropped.
pub struct Folder {
    temporary: tempfile::TempDir,
    /// The folder that the program runs in.
    pub path: PathBuf,
}

impl Folder {
    /// Makes an empty folder that is not a git repository and not inside one.
    pub fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        // If the system's folder for temporary files is a link, the program shows the target of the link.
        let path = temporary.path().canonicalize().unwrap().join("work");
        fs::create_dir(&path).unwrap();
        Self { temporary, path }
    }

    /// Makes a folder with files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    /// Writes a file, and creates missing folders.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    /// Returns the text of a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Prepares a run of the program in this folder, with arguments that are separated by spaces.
    pub fn run(&self, arguments: &str) -> ProgramRun {
        self.run_with(arguments.split_whitespace())
    }

    /// Prepares a run of the program in this folder.
    pub fn run_with<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> ProgramRun {
        let mut command = Command::new(crate::program());
        command.args(arguments).current_dir(&self.path).stdin(Stdio::null());
        clean(&mut command, &self.home());
        ProgramRun { command, folder: self.path.clone() }
    }

    /// A home folder, empty at first, outside the folder that the program runs in.
    pub fn home(&self) -> PathBuf {
        let home = self.temporary.path().canonicalize().unwrap().join("home");
        fs::create_dir_all(&home).unwrap();
        home
    }

    /// Runs git with a fixed identity and fixed times, and returns its output.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in("", arguments)
    }

    /// Runs git in a subfolder.
    pub fn git_in(&self, folder: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(self.path.join(folder));
        clean(&mut command, &self.home());
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "A Smith")
                .env(format!("GIT_{role}_EMAIL"), "smith@example.com")
                .env(format!("GIT_{role}_DATE"), "2026-01-02T03:04:05Z");
        }
        let output = command.output().unwrap_or_else(|error| panic!("git, which this test needs: {error}"));
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }
}

/// Keeps only the variables that a run needs, so that the CI system or the user's settings do not affect it.
pub fn clean(command: &mut Command, home: &Path) {
    let runtime = home.join(".run");
    fs::create_dir_all(&runtime).expect("a folder");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join(".cache"))
        // Otherwise podman's logins of this machine are looked up in `/run`.
        .env("XDG_RUNTIME_DIR", &runtime)
        .env("LC_ALL", "C.UTF-8")
        // Otherwise git uses a repository above the folder of temporary files.
        .env("GIT_CEILING_DIRECTORIES", home.parent().unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1");
    // Coverage and sanitizers are passed through the environment.
    for name in ["LLVM_PROFILE_FILE", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// A run of the program that has not started.
pub struct ProgramRun {
    /// The command, for settings that this type has no method for.
    pub command: Command,
    folder: PathBuf,
}

impl ProgramRun {
    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets environment variables.
    #[must_use]
    pub fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// Turns off line wrapping, for output with a path: its length differs between machines.
    #[must_use]
    pub fn wide(self) -> Self {
        self.env("COLUMNS", "1000")
    }

    /// Runs in a subfolder.
    #[must_use]
    pub fn in_folder(mut self, folder: &str) -> Self {
        self.command.current_dir(self.folder.join(folder));
        self
    }

    /// Runs to the end.
    pub fn done(mut self) -> EndedRun {
        let output = self.command.output().expect("the program runs");
        EndedRun { output, folder: self.folder }
    }

    /// Runs to the end with a text on standard input.
    pub fn with_input(mut self, input: &str) -> EndedRun {
        use std::io::Write as _;
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program runs");
        let mut stdin = child.stdin.take().expect("standard input");
        // A program that does not read it has not failed.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        EndedRun { output: child.wait_with_output().expect("it ends"), folder: self.folder }
    }

    /// Runs to the end, and shows exit code, stdout and stderr.
    pub fn shown(self) -> String {
        self.done().shown()
    }
}

/// A run that has ended.
pub struct EndedRun {
    pub output: Output,
    folder: PathBuf,
}

impl EndedRun {
    /// The exit code; a run that a signal ended has none.
    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    pub fn stdout(&self) -> String {
        text(&self.output.stdout)
    }

    pub fn stderr(&self) -> String {
        text(&self.output.stderr)
    }

    /// Asserts the exit code; the message contains everything that was printed.
    #[allow(clippy::return_self_not_must_use)] // the assertion alone is often enough
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "\n{}", self.shown());
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.output.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.shown()))
    }

    /// Exit code, stdout and stderr as one text, with the folder's path as `[FOLDER]`.
    pub fn shown(&self) -> String {
        let mut shown =
            format!("exit code: {}\n", self.code().map_or("none".to_owned(), |it| it.to_string()));
        for (name, bytes) in [("stdout", &self.output.stdout), ("stderr", &self.output.stderr)] {
            if !bytes.is_empty() {
                shown.push_str(&format!("----- {name} -----\n{}", text(bytes)));
            }
        }
        self.without_paths(&shown)
    }

    /// Standard error from the first error on, without the lines before it.
    #[track_caller]
    pub fn error(&self) -> String {
        let stderr = self.stderr();
        let at = stderr.find("error: ").unwrap_or_else(|| panic!("no error\n{}", self.shown()));
        self.without_paths(&stderr[at..])
    }

    /// `text` with the folder's path as `[FOLDER]`, and the program's version as `[VERSION]`.
    fn without_paths(&self, text: &str) -> String {
        let folder = self.folder.to_str().unwrap();
        let above = self.folder.parent().unwrap().to_str().unwrap();
        text.replace(folder, "[FOLDER]")
            .replace(above, "[ABOVE]")
            .replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
