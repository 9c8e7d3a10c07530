//! The gates of a plan: each source is asked for its evidence, in the plan and again before anything is sent.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Run;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::ContentSpec;
use crate::model::gate::PlannedGate;
use crate::model::plan::{Plan, PlannedContent};
use crate::signing::{self, GateError};
use oci_content::{SourceSpec, Surroundings, TransportSpec};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::remote::RemoteReference;

impl Run {
    /// Returns a diagnostic for each piece of evidence that the sources of `plan` lack.
    pub(super) async fn closed_gates(&self, plan: &Plan, surroundings: &Surroundings) -> Vec<Diagnostic> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let mut problems = Vec::new();
        for repository in plan.repositories.iter().filter(|it| it.has_changes()) {
            let Some(content) = repository.content.as_ref().filter(|it| !it.gates.is_empty()) else {
                continue;
            };
            for name in &content.gates {
                let about = |diagnostic: Diagnostic| {
                    diagnostic.about(format_args!("{}: gate `{name}`", repository.resource))
                };
                let closed = |message: String| {
                    let help = "promote an image that has it, or let the job that tests the image sign it; a gate is never skipped";
                    about(Diagnostic::error(Code::GateClosed, message).help(help))
                };
                let (Some(gate), Some(source)) = (plan.gates.get(name), source(content)) else {
                    problems.push(closed(
                        "its source is not an image in a registry, so nothing can be shown".to_owned(),
                    ));
                    continue;
                };
                let found = match self.evidence(name, gate, source, plan, surroundings, now).await {
                    Ok(missing) => missing
                        .into_iter()
                        .map(|what| closed(format!("{}/{} lacks {what}", source.host, source.repository)))
                        .collect(),
                    Err(GateError::Signer(error)) => vec![about(error.to_diagnostic())],
                    Err(GateError::Registry(error)) => vec![about(error.to_diagnostic())],
                };
                problems.extend(found.into_iter().filter(|new| !problems.contains(new)).collect::<Vec<_>>());
            }
        }
        problems
    }

    /// Returns what the sources of a saved plan lack now. A plan that this run made was just asked about.
    pub async fn closed_gates_again(&self, plan: &Plan) -> Vec<Diagnostic> {
        if self.made_plan && !self.tags_are_old {
            return Vec::new();
        }
        self.closed_gates(plan, &self.surroundings(plan.registries.clone())).await
    }

    async fn evidence(
        &self,
        name: &str,
        gate: &PlannedGate,
        source: &RemoteReference,
        plan: &Plan,
        surroundings: &Surroundings,
        now: i64,
    ) -> std::result::Result<Vec<String>, GateError> {
        let endpoint = source
            .declared(&plan.registries)
            .map_or_else(|| RegistryEndpoint::of(source.location()), |(_, endpoint)| endpoint.clone());
        let repository =
            self.connections.repository(&endpoint, &source.repository).map_err(GateError::Registry)?;
        let Some(digest) = &source.digest else {
            return Ok(vec!["a digest, because the plan does not pin it".to_owned()]);
        };
        signing::missing_evidence(name, gate, repository.as_ref(), digest, now, surroundings).await
    }
}

/// Returns the image in a registry that content is read from.
fn source(content: &PlannedContent) -> Option<&RemoteReference> {
    let ContentSpec::Image(image) = &content.source else { return None };
    match &image.source {
        SourceSpec::One(TransportSpec::Docker(remote)) => Some(remote),
        _ => None,
    }
}
