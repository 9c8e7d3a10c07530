//! Gates: whether an image in a registry has the required evidence. A gate fails closed: evidence that cannot be verified is missing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error::SignerError;
use super::predicate::{CYCLONEDX, SPDX};
use super::signers::{identity, verifier};
use super::vulnerabilities::{VulnerabilityReport, not_there};
use crate::condition::{self, Variables};
use crate::model::gate::{GateEvidence, GateSigner, PlannedGate, Severity, VulnerabilityLimits};
use crate::model::signing::{KeyPlace, KeylessPlace, PlannedSigner, SignerIdentity};
use crate::model::words::first_of;
use oci_content::Surroundings;
use oci_registry::{Digest, RegistryError, Repository};
use oci_signing::{Bundle, SIGNATURE, attached_bundles};

/// The size of the predicates that a condition may read.
const MAX_PREDICATES: usize = 8 * 1024 * 1024;

/// The reason why a gate cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The signer of the evidence cannot be read.
    #[error(transparent)]
    Signer(SignerError),
    /// The registry does not answer.
    #[error(transparent)]
    Registry(RegistryError),
}

/// An image that is to pass gates.
pub struct GatedImage<'a> {
    /// The repository that has the image and its evidence.
    pub repository: &'a dyn Repository,
    /// The host of the registry.
    pub registry: &'a str,
    /// The repository in the registry.
    pub name: &'a str,
    /// The tag that the source names, if it names one.
    pub tag: Option<&'a str>,
    /// The image.
    pub digest: &'a Digest,
    /// The time, in seconds since 1970.
    pub now: i64,
    /// The place that the image is published to, and the context, for conditions.
    pub facts: &'a Variables,
}

/// The result of judging a gate.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Each missing piece, in words that follow the name of the repository. The gate is open if there is none.
    pub missing: Vec<String>,
    /// The evidence that was found.
    pub evidence: Vec<GateEvidence>,
}

impl Judgement {
    fn found(&mut self, gate: &str, kind: &str, value: Option<String>, statement: Option<&SignedStatement>) {
        self.evidence.push(GateEvidence {
            gate: gate.to_owned(),
            kind: kind.to_owned(),
            value,
            predicate_type: statement.map(|it| it.predicate_type.clone()),
            signer: statement.map(|it| it.signer.clone()),
            manifest: statement.map(|it| it.manifest.clone()),
        });
    }
}

/// A statement about the image that verifies.
struct SignedStatement {
    manifest: Digest,
    signer: SignerIdentity,
    predicate_type: String,
    predicate: Value,
}

/// Judges the gate `name` about `image`.
///
/// # Errors
///
/// [`GateError`] if it cannot be judged.
pub async fn judge(
    name: &str,
    gate: &PlannedGate,
    image: &GatedImage<'_>,
    surroundings: &Surroundings,
) -> Result<Judgement, GateError> {
    let mut judgement = Judgement::default();
    let mut statements = Vec::new();
    if let Some(signer) = &gate.signature {
        let verifier = verifier(name, &as_signer(signer), surroundings).map_err(GateError::Signer)?;
        let by = identity(&verifier);
        let bundles =
            attached_bundles(image.repository, image.digest, &[]).await.map_err(GateError::Registry)?;
        statements.extend(bundles.into_iter().filter_map(|attached| {
            let bundle = Bundle::parse(&attached.json).ok()?;
            let statement = verifier.verify(&bundle, image.digest).ok()?;
            Some(SignedStatement {
                manifest: attached.manifest,
                signer: by.clone(),
                predicate_type: statement.predicate_type,
                predicate: statement.predicate,
            })
        }));
        judge_statements(name, gate, &statements, &by, &mut judgement);
        if let Some(limits) = &gate.vulnerabilities {
            judge_vulnerabilities(name, limits, &statements, image, &by, &mut judgement);
        }
    }
    let asks_age = gate.min_age.is_some() || gate.max_age.is_some() || gate.when.is_some();
    let created = if asks_age {
        oci_registry::latest_time(image.repository, image.digest).await.map_err(GateError::Registry)?
    } else {
        None
    };
    judge_age(name, gate, created.map(|created| image.now.saturating_sub(created)), &mut judgement);
    if let Some(when) = &gate.when {
        judge_condition(name, when, &statements, image, created, &mut judgement);
    }
    Ok(judgement)
}

fn judge_statements(
    name: &str,
    gate: &PlannedGate,
    statements: &[SignedStatement],
    by: &SignerIdentity,
    judgement: &mut Judgement,
) {
    let find = |kind: &str| statements.iter().find(|it| it.predicate_type == kind);
    match find(SIGNATURE) {
        Some(statement) => judgement.found(name, "signature", None, Some(statement)),
        None => judgement.missing.push(format!("lacks a signature by {by}")),
    }
    for kind in &gate.predicates {
        match find(kind) {
            Some(statement) => judgement.found(name, "attestation", None, Some(statement)),
            None => judgement.missing.push(format!("lacks an attestation of the type {kind} by {by}")),
        }
    }
    if gate.sbom {
        match find(SPDX).or_else(|| find(CYCLONEDX)) {
            Some(statement) => judgement.found(name, "sbom", None, Some(statement)),
            None => judgement.missing.push(format!("lacks an SBOM by {by}")),
        }
    }
}

/// The latest report counts. One that cannot be read is missing.
fn judge_vulnerabilities(
    name: &str,
    limits: &VulnerabilityLimits,
    statements: &[SignedStatement],
    image: &GatedImage<'_>,
    by: &SignerIdentity,
    judgement: &mut Judgement,
) {
    let missing = &mut judgement.missing;
    let mut reports = Vec::new();
    for statement in statements {
        match VulnerabilityReport::read(&statement.predicate_type, &statement.predicate) {
            Some(Ok(report)) => reports.push((report, statement)),
            Some(Err(why)) => {
                missing.push(format!("has a report about vulnerabilities that cannot be read: {why}"));
            }
            None => {}
        }
    }
    let latest = reports.into_iter().max_by_key(|(report, _)| report.time);
    let Some((mut report, statement)) = latest else {
        return missing.push(format!("lacks a report about vulnerabilities by {by}"));
    };
    if let Some(max_age) = limits.max_age {
        match report.time.map(|time| image.now.saturating_sub(time)) {
            Some(age) if age <= max_age.seconds() => {}
            Some(_) => missing.push(format!("lacks a report about vulnerabilities of at most {max_age}")),
            None => missing.push("lacks the time of its report about vulnerabilities".to_owned()),
        }
    }
    let excused: BTreeSet<String> =
        statements.iter().flat_map(|it| not_there(&it.predicate_type, &it.predicate, image.digest)).collect();
    report.without(&excused);
    let counts = report.counts();
    let before = missing.len();
    for (severity, limit) in limits.limits() {
        let count = counts.from(severity);
        if count > limit {
            let names: Vec<&str> =
                [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Unknown]
                    .into_iter()
                    .filter(|it| *it == severity || (severity != Severity::Unknown && *it > severity))
                    .flat_map(|it| report.names(it))
                    .collect();
            let worse =
                if matches!(severity, Severity::Critical | Severity::Unknown) { "" } else { " or worse" };
            let word = if count == 1 { "vulnerability" } else { "vulnerabilities" };
            missing.push(format!(
                "has {count} {word} of severity {severity}{worse}, more than {limit}: {}",
                first_of(&names, 5)
            ));
        }
    }
    if missing.len() == before {
        let value = format!(
            "{} critical, {} high, {} medium, {} low, {} unknown",
            counts.critical, counts.high, counts.medium, counts.low, counts.unknown
        );
        judgement.found(name, "vulnerabilities", Some(value), Some(statement));
    }
}

fn judge_age(name: &str, gate: &PlannedGate, age: Option<i64>, judgement: &mut Judgement) {
    if gate.min_age.is_none() && gate.max_age.is_none() {
        return;
    }
    let Some(age) = age else {
        return judgement.missing.push("lacks the time at which it was created".to_owned());
    };
    let before = judgement.missing.len();
    let young = gate.min_age.filter(|least| age < least.seconds());
    judgement.missing.extend(young.map(|least| format!("lacks an age of at least {least}")));
    let old = gate.max_age.filter(|greatest| age > greatest.seconds());
    judgement.missing.extend(old.map(|greatest| format!("lacks an age of at most {greatest}")));
    if judgement.missing.len() == before {
        judgement.found(name, "age", Some(format!("{age} s")), None);
    }
}

fn judge_condition(
    name: &str,
    when: &str,
    statements: &[SignedStatement],
    image: &GatedImage<'_>,
    created: Option<i64>,
    judgement: &mut Judgement,
) {
    let size: usize = statements.iter().map(|it| it.predicate.to_string().len()).sum();
    if size > MAX_PREDICATES {
        let words = format!("has more than {MAX_PREDICATES} bytes of predicates, too many for `when`");
        return judgement.missing.push(words);
    }
    let mut predicates = serde_json::Map::new();
    for statement in statements {
        let list = predicates.entry(statement.predicate_type.clone()).or_insert_with(|| json!([]));
        list.as_array_mut().into_iter().for_each(|list| list.push(statement.predicate.clone()));
    }
    let reports =
        statements.iter().filter_map(|it| VulnerabilityReport::read(&it.predicate_type, &it.predicate));
    let report = reports.filter_map(Result::ok).max_by_key(|report| report.time);
    let time = created.and_then(|it| jiff::Timestamp::from_second(it).ok()).map(|it| it.to_string());
    let mut variables: Variables = vec![
        (
            "image",
            json!({
                "registry": image.registry,
                "repository": image.name,
                "tag": image.tag,
                "digest": image.digest,
                "created": time,
                "age": created.map(|created| image.now.saturating_sub(created)),
            }),
        ),
        ("signed", json!(statements.iter().any(|it| it.predicate_type == SIGNATURE))),
        ("predicates", Value::Object(predicates)),
        ("vulnerabilities", report.map_or(Value::Null, |report| json!(report.counts()))),
    ];
    variables.extend(image.facts.iter().cloned());
    match tokio::task::block_in_place(|| condition::holds(when, variables)) {
        Ok(true) => judgement.found(name, "condition", Some(when.to_owned()), None),
        Ok(false) => judgement.missing.push(format!("does not satisfy `when`: {when}")),
        Err(why) => judgement.missing.push(format!("cannot be judged by `when`: {why}")),
    }
}

/// Returns the signer of the evidence as a signer of a plan, which never signs.
fn as_signer(signer: &GateSigner) -> PlannedSigner {
    match &signer.key {
        Some(pem) => {
            let key = KeyPlace { file: None, env: None, password_env: String::new() };
            PlannedSigner::Key { key, public_key: pem.clone() }
        }
        None => PlannedSigner::Keyless {
            keyless: KeylessPlace {
                identity: signer.identity.clone().unwrap_or_default(),
                issuer: signer.issuer.clone().unwrap_or_default(),
                token_env: None,
                fulcio: None,
                rekor: None,
                timestamp_authority: signer.timestamps.then(String::new),
                trusted_root: signer.trusted_root.clone(),
            },
        },
    }
}
