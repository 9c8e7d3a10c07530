//! What is kept of the credential chain for the length of a run: the answers of credential programs, each of which is asked once,
//! and what was said about where credentials come from.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::program::{Answer, Program, Surroundings};
use crate::registry::RegistryError;

/// The answer of one program about one server, which whoever asks first waits for, and all others with it.
type Once = Arc<OnceCell<Result<Option<Answer>, RegistryError>>>;

/// What a run remembers of its credential programs. Clones share it. Shows nothing in `Debug`.
#[derive(Clone, Default)]
pub struct CredentialMemory(Arc<Inner>);

#[derive(Default)]
struct Inner {
    answers: Mutex<HashMap<(String, String), Once>>,
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

    /// Tells `-v` something, once in a run.
    pub(super) fn tell(&self, text: String) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&text) {
            tracing::info!(target: "brokkr_publish::credentials", "{text}");
            told.insert(text);
        }
    }
}
