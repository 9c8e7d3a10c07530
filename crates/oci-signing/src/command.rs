//! Signing by a program: of a key management service, a hardware token, or another tool. The program gets a request as JSON on its standard
//! input, and writes its answer as JSON to its standard output.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oci_registry::{Digest, ProcessGroup};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::bundle::{Bundle, IN_TOTO, KeyHint, Material, encode};
use crate::key::PublicKey;
use crate::statement::Statement;

/// The version of the protocol.
const VERSION: u32 = 1;

/// The largest answer, in bytes.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;

/// The longest message of a program that is shown.
const MAX_SHOWN: usize = 300;

/// The reason why a program did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the program `{program}` did not sign: {reason}")]
pub struct CommandError {
    /// The program.
    pub program: String,
    /// The reason.
    pub reason: String,
}

/// Signs by a program, whose signatures verify with a public key.
#[derive(Debug, Clone)]
pub struct CommandSigner {
    /// The name of the signer.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments. No shell reads them.
    pub arguments: Vec<String>,
    /// Its working directory.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The time that it may take.
    pub timeout: Duration,
    /// The public key.
    pub public_key: PublicKey,
}

/// The answer of a program: one of the members.
#[derive(Deserialize)]
struct Answer {
    /// The signature of the message, in base64.
    signature: Option<String>,
    /// A whole bundle.
    bundle: Option<serde_json::Value>,
    /// The reason why it does not sign.
    error: Option<String>,
}

impl CommandSigner {
    /// Lets the program sign `statement` about `subject`, and verifies what it signed.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the program cannot be started, fails, takes too long, or does not sign with the key.
    pub async fn sign(&self, statement: &Statement, subject: &Digest) -> Result<Bundle, CommandError> {
        let payload = statement.payload(subject).map_err(|error| self.failed(error.to_string()))?;
        let request = json!({
            "version": VERSION,
            "operation": "sign",
            "signer": self.name,
            "subject": subject,
            "predicate_type": statement.predicate_type,
            "payload_type": IN_TOTO,
            "payload": BASE64_STANDARD.encode(&payload),
            "message": BASE64_STANDARD.encode(encode(IN_TOTO, &payload)),
        });
        let answer = match tokio::time::timeout(self.timeout, self.run(request.to_string())).await {
            Ok(answer) => answer?,
            // Dropping the handles stops the program.
            Err(_) => {
                return Err(self.failed(format!("it did not end within {} s", self.timeout.as_secs())));
            }
        };
        let bundle = self.bundle(&answer, &payload)?;
        match bundle.verify(subject, &self.public_key) {
            Ok(read) if read.predicate_type == statement.predicate_type => Ok(bundle),
            Ok(_) => Err(self.failed("it signed another statement".to_owned())),
            Err(error) => Err(self.failed(error.to_string())),
        }
    }

    fn bundle(&self, answer: &[u8], payload: &[u8]) -> Result<Bundle, CommandError> {
        // The parser's message may quote the text.
        let answer: Answer = serde_json::from_slice(answer)
            .map_err(|_| self.failed("its answer is not JSON of the protocol".to_owned()))?;
        match answer {
            Answer { error: Some(error), .. } => Err(self.failed(shown(&error))),
            Answer { signature: Some(signature), bundle: None, .. } => {
                let signature = BASE64_STANDARD
                    .decode(signature.trim())
                    .map_err(|_| self.failed("its signature is not base64".to_owned()))?;
                let public_key = Some(KeyHint { hint: self.public_key.hint() });
                Ok(Bundle::assemble(payload, &signature, Material { public_key, ..Material::default() }))
            }
            Answer { signature: None, bundle: Some(bundle), .. } => {
                Bundle::parse(bundle.to_string().as_bytes()).map_err(|error| self.failed(error.to_string()))
            }
            Answer { .. } => Err(self.failed("its answer has neither a signature nor a bundle".to_owned())),
        }
    }

    fn failed(&self, reason: String) -> CommandError {
        CommandError { program: shown(&self.program.display().to_string()), reason }
    }

    async fn run(&self, request: String) -> Result<Vec<u8>, CommandError> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        ProcessGroup::prepare(&mut command, true);
        let not_started = |error: std::io::Error| self.failed(format!("it cannot be started: {error}"));
        let mut child = command.spawn().map_err(not_started)?;
        // The group is dropped before the child, which keeps its process number until then.
        let group = ProcessGroup::of(&child, true);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A program that answers without reading has not failed.
                let _ = stdin.write_all(request.as_bytes()).await;
                let _ = stdin.write_all(b"\n").await;
            }
        };
        let ((), stdout, stderr) = tokio::join!(write, read(stdout), read(stderr));
        let status = child.wait().await.map_err(|error| self.failed(error.to_string()))?;
        group.release();
        let (stdout, stderr) = (
            stdout.map_err(|error| self.failed(error.to_string()))?,
            stderr.map_err(|error| self.failed(error.to_string()))?,
        );
        if stdout.len() as u64 > MAX_ANSWER {
            return Err(self.failed(format!("its answer has more than {MAX_ANSWER} bytes")));
        }
        if status.success() {
            return Ok(stdout);
        }
        let said = shown(&String::from_utf8_lossy(&stderr));
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Err(self.failed(format!("{status}{said}")))
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(MAX_ANSWER + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// The beginning of a text of a program, on one line.
fn shown(text: &str) -> String {
    let line: String = text.trim().chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    line.chars().take(MAX_SHOWN).collect()
}
