//! The registries that sources read from: found by their endpoints, and connected through the connections of the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::connections::Connections;
use oci_content::{SourceRegistries, SourceRepository};
use oci_registry::reference::RegistryEndpoint;

/// Returns the registries for sources: `registries` as they are declared, and others with the credentials that the credential chain
/// has for them. Must be called within a runtime.
pub(super) fn source_registries(
    registries: BTreeMap<String, RegistryEndpoint>,
    connections: Arc<Connections>,
) -> SourceRegistries {
    SourceRegistries::new(Handle::current(), move |image| {
        let endpoint = image
            .declared(&registries)
            .map_or_else(|| RegistryEndpoint::of(image.location()), |(_, endpoint)| endpoint.clone());
        let host = image.location().host();
        let travels = registries.values().any(|endpoint| endpoint.url.host() != host);
        let repository = connections.repository(&endpoint, &image.repository)?;
        Ok(SourceRepository { repository, travels })
    })
}
