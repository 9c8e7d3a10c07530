//! The record of a promotion: where an image came from and went, by which plan, and which evidence opened which gate.

use serde_json::{Value, json};

use crate::model::ContentSpec;
use crate::model::plan::{Plan, PlannedContent, PlannedRepository};
use oci_registry::Digest;
use oci_registry::remote::RemoteReference;

/// The predicate type of the record.
pub const PROMOTION: &str = "https://github.com/colliery-io/brokkr-publish/promotion/v1";

/// The plan of a promotion.
pub(super) struct PromotionFacts<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The digest of the plan as it is saved.
    pub plan_digest: &'a Digest,
}

/// Returns the predicate about the promotion of the content of `repository`.
pub(super) fn promotion(facts: &PromotionFacts<'_>, repository: &PlannedRepository) -> Value {
    let content = repository.content.as_ref();
    let from: Vec<Value> = content.map(sources).unwrap_or_default().into_iter().map(source).collect();
    let tags: Vec<&str> =
        repository.changes.iter().filter(|it| it.action.is_change()).map(|it| it.tag.as_str()).collect();
    let gates = content.into_iter().flat_map(|content| {
        content.gates.iter().map(|name| {
            let evidence: Vec<_> = content.evidence.iter().filter(|it| it.gate == *name).collect();
            json!({ "name": name, "evidence": evidence })
        })
    });
    let mut context = serde_json::Map::new();
    for key in ["event", "ref", "sha", "remote"] {
        context.extend(facts.plan.context.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    json!({
        "from": from,
        "to": {
            "uri": repository.name,
            "digest": content.map(|it| digest(&it.root.digest)),
            "tags": tags,
        },
        "plan": { "digest": digest(facts.plan_digest), "title": facts.plan.title },
        "config": { "path": facts.plan.config.path, "digest": digest(&facts.plan.config.file_digest) },
        "context": context,
        "gates": gates.collect::<Vec<_>>(),
    })
}

fn sources(content: &PlannedContent) -> Vec<&RemoteReference> {
    let ContentSpec::Image(image) = &content.source else { return Vec::new() };
    image.source.remotes().collect()
}

fn source(image: &RemoteReference) -> Value {
    let tag = image.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
    json!({
        "uri": format!("{}/{}{tag}", image.host, image.repository),
        "digest": image.digest.as_ref().map(digest),
    })
}

fn digest(digest: &Digest) -> Value {
    json!({ (digest.algorithm()): digest.hex() })
}

/// Whether a verified predicate records that the gate `name` was open.
pub fn records_gate(predicate: &Value, name: &str) -> bool {
    let gates = predicate.get("gates").and_then(Value::as_array).into_iter().flatten();
    gates.filter_map(|gate| gate.get("name")).any(|it| it == name)
}
