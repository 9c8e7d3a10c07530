//! What is kept of the credential chain for the length of a run: the answers of credential programs, each of which is asked once,
//! what was read from pipes, what token servers gave in place of identity tokens, and what was said about where credentials come
//! from.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::program::{Answer, Program, Surroundings};
use crate::registry::RegistryError;

/// The answer of one program about one server, which whoever asks first waits for, and all others with it.
type Once = Arc<OnceCell<Result<Option<Answer>, RegistryError>>>;

/// The token that takes the place of an identity token at one token server, once it was exchanged there. Whoever exchanges it holds the
/// lock, as each may serve once.
type Refreshed = Arc<tokio::sync::Mutex<Option<String>>>;

/// What a run remembers of its credential programs, pipes and identity tokens. Clones share it. Shows nothing in `Debug`.
#[derive(Clone, Default)]
pub struct CredentialMemory(Arc<Inner>);

#[derive(Default)]
struct Inner {
    answers: Mutex<HashMap<(String, String), Once>>,
    piped: Mutex<HashMap<PathBuf, Result<String, RegistryError>>>,
    refreshed: Mutex<HashMap<(String, String), Refreshed>>,
    told: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for CredentialMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialMemory")
    }
}

impl CredentialMemory {
    /// What `program` answers: asked once in a run, however many ask at a time. That it fails is remembered too.
    pub(super) async fn answer(
        &self,
        program: &Program,
        surroundings: &Surroundings,
    ) -> Result<Option<Answer>, RegistryError> {
        let once = {
            let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (program.name.clone(), program.server.clone());
            Arc::clone(answers.entry(key).or_default())
        };
        once.get_or_init(|| program.ask(surroundings)).await.clone()
    }

    /// What `read` has from the pipe at `path`, which gives it once: read once in a run, and all others wait.
    pub(super) fn piped(
        &self,
        path: &Path,
        read: impl FnOnce() -> Result<String, RegistryError>,
    ) -> Result<String, RegistryError> {
        let mut piped = self.0.piped.lock().unwrap_or_else(PoisonError::into_inner);
        piped.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// What takes the place of the identity token `identity` at the token server `realm`: for this run, and written nowhere.
    pub(in crate::registry) fn refreshed(&self, realm: &str, identity: &str) -> Refreshed {
        let mut refreshed = self.0.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(refreshed.entry((realm.to_owned(), identity.to_owned())).or_default())
    }

    /// Tells `-v` something, once in a run.
    pub(in crate::registry) fn tell(&self, text: String) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&text) {
            tracing::info!(target: "brokkr_publish::credentials", "{text}");
            told.insert(text);
        }
    }
}
