//! Credential programs (`credHelpers`, `credsStore`): `docker-credential-NAME get` reads the server from its standard
//! input and writes JSON to its standard output (docker/docker-credential-helpers, README, "Development").

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::group::{self, ProcessGroup};
use super::{CredentialKind, Credentials};
use crate::credentials::EnvironmentLookup;
use crate::error::text;
use crate::error::{CredentialError, ProgramProblem, RegistryError};
use crate::mask::mask_by_text;

/// The longest answer, in bytes: some tokens have 10 KB.
const ANSWER_LIMIT: u64 = 256 * 1024;
/// The messages of a program that has no credentials (docker/docker-credential-helpers, `credentials/error.go`).
const NOT_FOUND: [&str; 3] =
    ["credentials not found in native keychain", "no credentials server url", "no credentials username"];
/// The user name that goes with an identity token (docker/cli, `cli/config/credentials/native_store.go`).
const TOKEN_USER: &str = "<token>";

/// A credential program that a file names for a server.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// The part after `docker-credential-`, as in the file.
    pub(super) name: String,
    /// The key of the file that names it: `credHelpers` or `credsStore`.
    pub(super) key: &'static str,
    /// The file, in words for people.
    pub(super) file: String,
    /// The server that the program is asked about.
    pub(super) server: String,
}

/// The environment and the time limit of a program.
#[derive(Clone)]
pub(super) struct ProgramLimits {
    /// The variables of the run.
    pub(super) environment: EnvironmentLookup,
    /// How long the program may take.
    pub(super) patience: Duration,
}

/// The answer of a program.
#[derive(Clone)]
pub(super) struct ProgramCredentials {
    username: String,
    secret: String,
}

#[derive(Deserialize)]
struct PrintedCredentials {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

impl ProgramCredentials {
    /// Returns the answer as credentials from `origin`.
    pub(super) fn credentials(self, origin: String) -> Credentials {
        if self.username == TOKEN_USER {
            return Credentials::token(CredentialKind::IdentityToken, self.secret, origin);
        }
        Credentials::new(self.username, self.secret, origin)
    }
}

impl Program {
    /// Returns the origin of this program's credentials, in words for people.
    pub(super) fn origin(&self) -> String {
        format!("{} (`{}`: {})", self.file, self.key, self.shown())
    }

    /// Returns its name for people.
    pub(super) fn shown(&self) -> String {
        format!("`docker-credential-{}`", text::printable(&self.name, 60))
    }

    /// Runs the program, and waits for it within the time limit. Returns `None` if it has no credentials for the
    /// server.
    pub(super) async fn ask(
        &self,
        limits: &ProgramLimits,
    ) -> Result<Option<ProgramCredentials>, RegistryError> {
        // A file that somebody else can write must not be able to run arbitrary programs.
        if !is_name(&self.name) {
            return Err(self.failed(ProgramProblem::InvalidName));
        }
        let Some(path) = self.find(&limits.environment).await else {
            return Err(self.failed(ProgramProblem::NotFound));
        };
        let limit = limits.patience;
        let run = self.run(path, &limits.environment, "get", self.server.as_bytes());
        match tokio::time::timeout(limit, run).await {
            Ok(Ok(output)) => self.read(&output),
            Ok(Err(error)) => Err(self.failed(ProgramProblem::CannotRun(error.to_string()))),
            // Dropping the handle stops the program.
            Err(_) => Err(self.failed(ProgramProblem::TimedOut(limit))),
        }
    }

    /// Makes the program `store` or `erase` credentials, within the time limit.
    pub(super) async fn tell(
        &self,
        action: &'static str,
        input: &[u8],
        limits: &ProgramLimits,
    ) -> Result<(), RegistryError> {
        if !is_name(&self.name) {
            return Err(self.failed(ProgramProblem::InvalidName));
        }
        let Some(path) = self.find(&limits.environment).await else {
            return Err(self.failed(ProgramProblem::NotFound));
        };
        let limit = limits.patience;
        match tokio::time::timeout(limit, self.run(path, &limits.environment, action, input)).await {
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(output)) => Err(self.refused(&output)),
            Ok(Err(error)) => Err(self.failed(ProgramProblem::CannotRun(error.to_string()))),
            Err(_) => Err(self.failed(ProgramProblem::TimedOut(limit))),
        }
    }

    fn failed(&self, problem: ProgramProblem) -> RegistryError {
        CredentialError::Program {
            program: self.shown(),
            key: self.key,
            file: self.file.clone(),
            server: self.server.clone(),
            problem,
        }
        .into()
    }

    /// Returns the first program of that name in `PATH`. Relative folders in `PATH` are skipped.
    async fn find(&self, environment: &EnvironmentLookup) -> Option<PathBuf> {
        let file = format!("docker-credential-{}", self.name);
        let suffix = std::env::consts::EXE_SUFFIX;
        let names = if suffix.is_empty() || file.ends_with(suffix) {
            vec![file]
        } else {
            vec![format!("{file}{suffix}"), file]
        };
        let folders = environment("PATH").unwrap_or_default();
        for folder in std::env::split_paths(&folders).filter(|folder| folder.is_absolute()) {
            for name in &names {
                let path = folder.join(name);
                if tokio::fs::metadata(&path).await.is_ok_and(|metadata| metadata.is_file()) {
                    return Some(path);
                }
            }
        }
        None
    }

    async fn run(
        &self,
        path: PathBuf,
        environment: &EnvironmentLookup,
        action: &str,
        input: &[u8],
    ) -> std::io::Result<ProgramOutput> {
        let mut command = Command::new(path);
        command
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // The process already has the variables of the run; if the run was given others, those take precedence.
        for name in ["PATH", "HOME", "DOCKER_CONFIG"] {
            match environment(name) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let apart = group::is_apart();
        ProcessGroup::prepare(&mut command, apart);
        let mut child = command.spawn()?;
        // The group is dropped before the child, which keeps its process number until then.
        let group = ProcessGroup::of(&child, apart);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A program that answers without reading has not failed.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), stdout, stderr) = tokio::join!(write, some(stdout), some(stderr));
        let status = child.wait().await?;
        group.release();
        Ok(ProgramOutput { status, stdout: stdout?, stderr: stderr? })
    }

    /// Returns the error of a program that failed.
    fn refused(&self, output: &ProgramOutput) -> RegistryError {
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // Docker's programs report failures on standard output, others on standard error.
        let said = if stdout.trim().is_empty() { &stderr } else { &stdout };
        let said = text::printable(&mask_by_text(said.clone().into_owned()), 300);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        self.failed(ProgramProblem::Failed(format!("({}){said}", output.status)))
    }

    fn read(&self, output: &ProgramOutput) -> Result<Option<ProgramCredentials>, RegistryError> {
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let says_nothing_there = |said: &str| {
            let said = said.trim().to_lowercase();
            NOT_FOUND.iter().any(|words| said.contains(words))
        };
        // The rest of a longer answer was not read, which may have stopped the program.
        if output.stdout.len() as u64 > ANSWER_LIMIT {
            return Err(self.failed(ProgramProblem::LongAnswer(ANSWER_LIMIT)));
        }
        if !output.status.success() {
            if says_nothing_there(&stdout) || says_nothing_there(&stderr) {
                return Ok(None);
            }
            return Err(self.refused(output));
        }
        if says_nothing_there(&stdout) {
            return Ok(None);
        }
        // The parser's message may quote the text.
        let printed: PrintedCredentials =
            serde_json::from_slice(&output.stdout).map_err(|_| self.failed(ProgramProblem::InvalidAnswer))?;
        if printed.secret.is_empty() {
            return Ok(None);
        }
        Ok(Some(ProgramCredentials { username: printed.username, secret: printed.secret }))
    }
}

/// The output of a program, cut off just above the limit.
struct ProgramOutput {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Reads a stream to its end, or until it exceeds the limit.
async fn some(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(ANSWER_LIMIT + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Whether `name` may follow `docker-credential-`, which excludes names that lead to another folder.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 100 && name.bytes().all(allowed)
}

#[cfg(all(test, unix))]
#[path = "program_tests.rs"]
mod tests;
