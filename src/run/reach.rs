//! The registries that sources read from: found by their endpoints, and connected through the connections of the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::connections::Connections;
use crate::event::{Event, Reporter};
use oci_content::{SourceRegistries, SourceRepository};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{READ_PAUSES, RegistryLocation};

/// Returns the registries for sources: `registries` as they are declared, and others with the credentials that the credential chain
/// has for them. Waits for content that was just pushed are reported to `reporter`. Must be called within a runtime.
pub(super) fn source_registries(
    registries: BTreeMap<String, RegistryEndpoint>,
    connections: Arc<Connections>,
    reporter: Arc<dyn Reporter>,
) -> SourceRegistries {
    let sources = SourceRegistries::new(Handle::current(), move |image| {
        let endpoint = image
            .declared(&registries)
            .map_or_else(|| RegistryEndpoint::of(image.location()), |(_, endpoint)| endpoint.clone());
        let host = image.location().host();
        let travels = registries.values().any(|endpoint| endpoint.url.host() != host);
        let repository = connections.repository(&endpoint, &image.repository)?;
        let pauses = match endpoint.url {
            RegistryLocation::Http { .. } => READ_PAUSES.to_vec(),
            RegistryLocation::Directory { .. } => Vec::new(),
        };
        Ok(SourceRepository { repository, travels, pauses })
    });
    sources.notifying(move |wait| {
        reporter.report(&Event::Retry {
            request: wait.content,
            attempt: wait.attempt,
            wait_milliseconds: u64::try_from(wait.pause.as_millis()).unwrap_or(u64::MAX),
            cause: "it was pushed by digest just before, and is not visible yet",
        });
    })
}
