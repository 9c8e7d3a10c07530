//! The gates of a plan: each source is asked for its evidence, in the plan and again before anything is sent.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::Run;
use crate::condition::Variables;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::model::ContentSpec;
use crate::model::gate::{GateEvidence, PlannedGate};
use crate::model::plan::{Change, Plan, PlannedContent, PlannedRepository};
use crate::signing::{self, GateError, GatedImage};
use oci_content::{Surroundings, TransportSpec};
use oci_registry::Digest;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::remote::RemoteReference;

impl Run {
    /// Judges the gates of everything that `plan` changes, and notes the evidence in it. Returns a diagnostic for each missing piece.
    pub(super) async fn judge_gates(&self, plan: &mut Plan, surroundings: &Surroundings) -> Vec<Diagnostic> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let (mut problems, mut evidence) = (Vec::new(), Vec::new());
        for repository in &plan.repositories {
            let gated = repository.content.as_ref().filter(|it| !it.gates.is_empty());
            let Some(content) = gated.filter(|_| repository.has_changes()) else {
                evidence.push(None);
                continue;
            };
            let (found, closed) = self.judge_repository(plan, repository, content, surroundings, now).await;
            evidence.push(Some(found));
            problems.extend(closed.into_iter().filter(|new| !problems.contains(new)).collect::<Vec<_>>());
        }
        for (repository, found) in plan.repositories.iter_mut().zip(evidence) {
            if let (Some(content), Some(found)) = (&mut repository.content, found) {
                content.evidence = found;
            }
        }
        problems
    }

    /// Judges the gates of a saved plan again, with what stands now. Those of a plan that this run made were just judged.
    pub async fn judge_gates_again(&self, plan: &mut Plan) -> Vec<Diagnostic> {
        if self.made_plan && !self.tags_are_old {
            return Vec::new();
        }
        self.judge_gates(plan, &self.surroundings(plan.registries.clone())).await
    }

    async fn judge_repository(
        &self,
        plan: &Plan,
        repository: &PlannedRepository,
        content: &PlannedContent,
        surroundings: &Surroundings,
        now: i64,
    ) -> (Vec<GateEvidence>, Vec<Diagnostic>) {
        let (mut evidence, mut problems) = (Vec::new(), Vec::new());
        let tags: Vec<&str> =
            repository.changes.iter().filter(|it| it.action.is_change()).map(|it| it.tag.as_str()).collect();
        let facts: Variables = vec![
            ("context", json!(plan.context)),
            (
                "to",
                json!({ "registry": repository.registry, "repository": repository.repository, "tags": tags }),
            ),
        ];
        for name in &content.gates {
            let about = |diagnostic: Diagnostic| {
                diagnostic.about(format_args!("{}: gate `{name}`", repository.resource))
            };
            let closed = |message: String| {
                let help = "promote an image that has it, or let the job that tests the image sign it; a gate is never skipped";
                about(Diagnostic::error(Code::GateClosed, message).help(help))
            };
            let (Some(gate), Some(sources)) = (plan.gates.get(name), sources(content)) else {
                problems.push(closed(
                    "its source is not an image in a registry, so nothing can be shown".to_owned(),
                ));
                continue;
            };
            let (mut found, before) = (Vec::new(), problems.len());
            for (source, digest) in promoted(&sources, repository, content) {
                let Some(digest) = digest else {
                    problems.push(closed(format!("{}/{} lacks a digest", source.host, source.repository)));
                    continue;
                };
                let judged = self.judge(name, gate, source, digest, plan, surroundings, now, &facts).await;
                match judged {
                    Ok(judgement) => {
                        found.extend(judgement.evidence);
                        let missing = judgement.missing.into_iter();
                        let shown = if Some(digest) == source.digest.as_ref() {
                            format!("{}/{}", source.host, source.repository)
                        } else {
                            format!(
                                "{}/{}@{}, which a tag moves to,",
                                source.host,
                                source.repository,
                                digest.short(12)
                            )
                        };
                        problems.extend(missing.map(|what| closed(format!("{shown} {what}"))));
                    }
                    Err(GateError::Signer(error)) => problems.push(about(error.to_diagnostic())),
                    Err(GateError::Registry(error)) => problems.push(about(error.to_diagnostic())),
                }
            }
            // Some evidence does not open a gate.
            if problems.len() == before {
                evidence.extend(found);
            }
        }
        (evidence, problems)
    }

    #[allow(clippy::too_many_arguments, reason = "each is of another kind")]
    async fn judge(
        &self,
        name: &str,
        gate: &PlannedGate,
        source: &RemoteReference,
        digest: &Digest,
        plan: &Plan,
        surroundings: &Surroundings,
        now: i64,
        facts: &Variables,
    ) -> std::result::Result<signing::Judgement, GateError> {
        let endpoint = source
            .declared(&plan.registries)
            .map_or_else(|| RegistryEndpoint::of(source.location()), |(_, endpoint)| endpoint.clone());
        let repository =
            self.connections.repository(&endpoint, &source.repository).map_err(GateError::Registry)?;
        let image = GatedImage {
            repository: repository.as_ref(),
            registry: &source.host,
            name: source.repository.as_str(),
            tag: source.tag.as_ref().map(oci_registry::Tag::as_str),
            digest,
            now,
            facts,
        };
        signing::judge(name, gate, &image, surroundings).await
    }
}

/// Returns the images in registries that content is read from; `None` if it is read from anywhere else.
fn sources(content: &PlannedContent) -> Option<Vec<&RemoteReference>> {
    let ContentSpec::Image(image) = &content.source else { return None };
    let sources = image.source.transports().into_iter().map(|transport| match transport {
        TransportSpec::Docker(remote) => Some(remote),
        _ => None,
    });
    sources.collect::<Option<Vec<_>>>().filter(|sources| !sources.is_empty())
}

/// Returns each image that must pass: those of the sources, and another one that a tag is to move to, because it was published first. Its
/// evidence is in the repository of the source too.
fn promoted<'a>(
    sources: &[&'a RemoteReference],
    repository: &'a PlannedRepository,
    content: &'a PlannedContent,
) -> Vec<(&'a RemoteReference, Option<&'a Digest>)> {
    let mut images: Vec<_> = sources.iter().map(|source| (*source, source.digest.as_ref())).collect();
    let moved = repository.changes.iter().filter(|it| it.action.is_change()).filter_map(Change::wanted);
    let known: BTreeSet<&Digest> = sources.iter().filter_map(|it| it.digest.as_ref()).collect();
    let others: BTreeSet<&Digest> =
        moved.filter(|digest| **digest != content.root.digest && !known.contains(digest)).collect();
    if let Some(first) = sources.first() {
        images.extend(others.into_iter().map(|digest| (*first, Some(digest))));
    }
    images
}
