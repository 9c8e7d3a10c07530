//! The part of the credential chain that is kept for the whole run: the answers of credential programs, each of which
//! is asked once, the texts read from pipes, the tokens that token servers returned in place of identity tokens, and
//! the reports about the origin of credentials.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::program::{Program, ProgramCredentials, ProgramLimits};
use crate::error::RegistryError;

/// The answer of one program about one server. The first caller asks the program; all others wait for the answer.
type AskedOnce = Arc<OnceCell<Result<Option<ProgramCredentials>, RegistryError>>>;

/// The token that replaces an identity token at one token server, once it was exchanged there. The task that exchanges
/// it holds the lock, because each token may be usable only once.
type Refreshed = Arc<tokio::sync::Mutex<Option<String>>>;

/// The memory of a run for credential programs, pipes and identity tokens. Clones share it. `Debug` shows none of it.
#[derive(Clone, Default)]
pub struct CredentialMemory(Arc<Remembered>);

#[derive(Default)]
struct Remembered {
    answers: Mutex<HashMap<(String, String), AskedOnce>>,
    piped: Mutex<HashMap<PathBuf, Result<String, RegistryError>>>,
    refreshed: Mutex<HashMap<(String, String), Refreshed>>,
    logged: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for CredentialMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialMemory")
    }
}

impl CredentialMemory {
    /// Returns the answer of `program`, which is asked once in a run even if many tasks need it at the same time. A
    /// failure is remembered too.
    pub(super) async fn answer(
        &self,
        program: &Program,
        limits: &ProgramLimits,
    ) -> Result<Option<ProgramCredentials>, RegistryError> {
        let once = {
            let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (program.name.clone(), program.server.clone());
            Arc::clone(answers.entry(key).or_default())
        };
        once.get_or_init(|| program.ask(limits)).await.clone()
    }

    /// Returns the text that `read` gets from the pipe at `path`. A pipe yields its text only once, so it is read once
    /// in a run, and all others wait.
    pub(super) fn piped(
        &self,
        path: &Path,
        read: impl FnOnce() -> Result<String, RegistryError>,
    ) -> Result<String, RegistryError> {
        let mut piped = self.0.piped.lock().unwrap_or_else(PoisonError::into_inner);
        piped.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// Returns the token that replaces the identity token `identity` at the token server `realm`. It is kept for this
    /// run, and written nowhere.
    pub(crate) fn refreshed(&self, realm: &str, identity: &str) -> Refreshed {
        let mut refreshed = self.0.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(refreshed.entry((realm.to_owned(), identity.to_owned())).or_default())
    }

    /// Logs a text for `-v`, once in a run.
    pub(crate) fn log_once(&self, text: String) {
        let mut logged = self.0.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if !logged.contains(&text) {
            tracing::info!(target: "brokkr_publish::credentials", "{text}");
            logged.insert(text);
        }
    }
}
