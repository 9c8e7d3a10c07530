//! Facts about hosts that hold for a whole run: [`HostMemory`].

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use url::Url;

use super::challenge::Challenge;
use super::first_connect::Reached;
use super::known_limit::KnownLimit;
use super::pace::Pace;
use crate::endpoint::RegistryEndpoint;
use crate::error::RegistryError;
use crate::error::redaction::SentCredentials;

/// The memory of a run for the hosts of registries: their schemes, and the credentials that they require. All
/// connections of a run share it, so that `GET /v2/` is sent once for each host, not once for each connection. Clones
/// share it. Its only secrets are credentials that were sent, which are taken out of answers; nothing shows them.
#[derive(Clone, Default)]
pub struct HostMemory(Arc<Mutex<HashMap<HostKey, Arc<HostFacts>>>>);

/// Everything about an endpoint that determines how its host answers the first request.
#[derive(PartialEq, Eq, Hash)]
struct HostKey {
    name: String,
    insecure: bool,
    ca_file: Option<String>,
    client_certificate: Option<String>,
}

/// The facts about one host.
#[derive(Default)]
pub(super) struct HostFacts {
    /// The root of the API once it was found, or the reason why it cannot be found.
    pub(super) base: OnceCell<Result<Url, RegistryError>>,
    /// Whether the host has answered.
    pub(super) reached: Reached,
    /// Whether the registry was seen to remove a tag alone.
    pub(super) removes_tags_alone: AtomicBool,
    /// The credentials that were sent.
    pub(super) sent_credentials: Arc<SentCredentials>,
    /// Whether it puts several tags in one request; `None` while nobody has asked.
    pub(super) tags_together: tokio::sync::Mutex<Option<bool>>,
    /// The pace of its requests.
    pub(super) pace: Pace,
    /// The pace of the manifests that are put, if the registry has a limit for them.
    pub(super) manifest_pace: Option<Pace>,
    challenge: Mutex<Option<Challenge>>,
}

impl HostMemory {
    /// Returns the facts about the host `name` of `endpoint`.
    pub(super) fn facts(&self, name: &str, endpoint: &RegistryEndpoint) -> Arc<HostFacts> {
        let key = HostKey {
            name: name.to_owned(),
            insecure: endpoint.insecure,
            ca_file: endpoint.ca_file.clone(),
            client_certificate: endpoint.client_certificate.clone(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(HostFacts {
                pace: Pace::new(KnownLimit::of_host(name)),
                manifest_pace: KnownLimit::of_manifests(name).map(|limit| Pace::new(Some(limit))),
                ..HostFacts::default()
            })
        };
        Arc::clone(known.entry(key).or_insert_with(new))
    }
}

impl std::fmt::Debug for HostMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostMemory")
    }
}

impl HostFacts {
    /// Returns the credentials that the registry requires, if known.
    pub(super) fn challenge(&self) -> Option<Challenge> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records the credentials that the registry requires.
    pub(super) fn set_challenge(&self, challenge: Challenge) {
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_speak_alike_share_their_facts() {
        let memory = HostMemory::default();
        let plain = RegistryEndpoint::of("h.example".parse().expect("a location"));
        let facts = memory.facts("h.example", &plain);
        facts.set_challenge(Challenge::Basic);
        assert_eq!(memory.clone().facts("h.example", &plain.anonymous()).challenge(), Some(Challenge::Basic));
        let known = RegistryEndpoint { client_certificate: Some("me.pem".to_owned()), ..plain.clone() };
        for (name, endpoint) in [("h.example", &known), ("other.example", &plain)] {
            assert_eq!(memory.facts(name, endpoint).challenge(), None, "{name}");
        }
    }
}
