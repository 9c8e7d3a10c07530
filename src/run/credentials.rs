//! The environment variables whose values a run sends, and the limits that an apply sets to them.

use std::sync::Arc;

use super::Run;
use super::session::Session;
use crate::model::credential_use::{PlannedCredentials, PlannedVariable};
use crate::model::plan::Plan;
use oci_registry::EnvironmentLookup;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::sent_variables;

/// The reason why a run sends no credentials.
const OF_FORK: &str = "the pull request is from a fork; `--fork-credentials` sends them";

impl Run {
    /// Notes in `plan` which variables go to which host, as this run knows it.
    pub(super) fn note_credentials(&self, plan: &mut Plan) {
        let variables = sent(&self.session, plan.registries.values());
        plan.credentials = if self.connections.is_anonymous() {
            PlannedCredentials { anonymous: Some(OF_FORK.to_owned()), variables: Vec::new() }
        } else {
            PlannedCredentials { anonymous: None, variables }
        };
    }
}

/// Returns the variables that go to the registries at `endpoints`, and to their APIs, each with each host once.
fn sent<'e>(
    session: &Session,
    endpoints: impl Iterator<Item = &'e RegistryEndpoint>,
) -> Vec<PlannedVariable> {
    let environment = session.environment.clone();
    let lookup: EnvironmentLookup = Arc::new(move |name| environment.get(name).cloned());
    let mut sent: Vec<PlannedVariable> = Vec::new();
    for found in endpoints.flat_map(|endpoint| sent_variables(endpoint, &lookup)) {
        let variable = PlannedVariable { variable: found.variable, host: found.host };
        if !sent.contains(&variable) {
            sent.push(variable);
        }
    }
    sent
}
