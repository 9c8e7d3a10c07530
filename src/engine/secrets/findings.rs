//! From what blobs gave to findings: where each stands in which image, whether it is allowed, whether it blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::allow::Allowances;
use super::gather::{Gathered, Standing};
use super::search::{Answer, Failed};
use crate::diagnostic::Diagnostic;
use crate::guard::content::{annotation, hide};
use crate::guard::secrets::{Match, Rules};
use crate::model::secret_search::{
    PlannedSecrets, SearchedContent, SecretAllowance, SecretFinding, SecretPlace, SecretPolicy, Unsearched,
};
use crate::model::{Digest, ResourceId, Severity};

pub(super) type Answers = BTreeMap<Digest, Result<Answer, Failed>>;

/// `planned` with what was found, and the allowances that allow nothing of it; or what cannot be searched and must be.
pub(super) fn findings(
    rules: &Rules,
    planned: PlannedSecrets,
    gathered: &Gathered,
    answers: &Answers,
) -> Result<(PlannedSecrets, Vec<SecretAllowance>), Vec<Diagnostic>> {
    let mut telling =
        Telling { planned: &planned, findings: Vec::new(), unsearched: Vec::new(), problems: Vec::new() };
    for ((resource, digest), standing) in &gathered.standing {
        match answers.get(digest) {
            Some(Ok(answer)) => telling.answer(resource, digest, standing, answer, answers),
            Some(Err(failed)) => telling.failed(resource, digest, standing, failed),
            None => {}
        }
    }
    for ((resource, _), (annotated, addresses)) in &gathered.annotated {
        for (key, value) in &annotated.annotations {
            for found in annotation(rules, value) {
                let (manifest, key) = (annotated.manifest.clone(), hide(rules, key));
                telling.found(resource, addresses, SecretPlace::Annotation { manifest, key }, &found);
            }
        }
    }
    let Telling { mut findings, mut unsearched, problems, .. } = telling;
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut allowances = Allowances::new(&planned.allow);
    for finding in &mut findings {
        finding.allowed = allowances.reason(finding);
        finding.blocks &= finding.allowed.is_none();
    }
    findings.sort_by(|one, other| {
        let key = |it: &SecretFinding| (!it.blocks, it.allowed.is_some(), std::cmp::Reverse(it.severity));
        key(one).cmp(&key(other)).then_with(|| {
            (&one.resource, &one.place, &one.rule).cmp(&(&other.resource, &other.place, &other.rule))
        })
    });
    unsearched.sort();
    let unused = allowances.unused();
    let searched = searched(gathered, answers);
    Ok((PlannedSecrets { searched, findings, unsearched, ..planned }, unused))
}

/// How much was searched.
fn searched(gathered: &Gathered, answers: &Answers) -> SearchedContent {
    let mut searched = SearchedContent::default();
    for (digest, answer) in answers {
        searched.blobs += 1;
        let size = gathered.jobs.get(digest).map_or(0, |job| job.blob.size);
        searched.bytes = searched.bytes.saturating_add(size);
        if matches!(answer, Ok(Answer::Content { from_cache: true, .. })) {
            searched.from_cache += 1;
        }
    }
    searched
}

struct Telling<'a> {
    planned: &'a PlannedSecrets,
    findings: Vec<SecretFinding>,
    unsearched: Vec<Unsearched>,
    problems: Vec<Diagnostic>,
}

impl Telling<'_> {
    fn answer(
        &mut self,
        resource: &ResourceId,
        digest: &Digest,
        standing: &Standing,
        answer: &Answer,
        answers: &Answers,
    ) {
        match answer {
            Answer::Config(hits) => {
                for hit in hits {
                    let place = SecretPlace::Config {
                        blob: digest.clone(),
                        platforms: standing.platforms.iter().cloned().collect(),
                        part: hit.part.clone(),
                    };
                    self.found(resource, &standing.addresses, place, &hit.found);
                }
            }
            Answer::Content { searched, .. } => {
                for hit in &searched.hits {
                    let place = SecretPlace::File {
                        blob: digest.clone(),
                        platforms: standing.platforms.iter().cloned().collect(),
                        layer: standing.layer,
                        instruction: standing.instruction.clone(),
                        path: hit.path.clone(),
                        line: hit.found.line,
                        deleted_by: hit.path.as_ref().and_then(|path| deleted_by(path, standing, answers)),
                    };
                    self.found(resource, &standing.addresses, place, &hit.found);
                }
                for (path, reason) in &searched.unsearched {
                    self.unsearched(resource, digest, path.clone(), reason.clone());
                }
            }
        }
    }

    fn unsearched(&mut self, resource: &ResourceId, blob: &Digest, path: Option<String>, reason: String) {
        self.unsearched.push(Unsearched { resource: resource.clone(), blob: blob.clone(), path, reason });
    }

    /// What cannot be read is an error where a secret would be; where it would be let through, so is this.
    fn failed(&mut self, resource: &ResourceId, digest: &Digest, standing: &Standing, failed: &Failed) {
        if failed.unreadable && !self.denies(&standing.addresses) {
            return self.unsearched(resource, digest, None, failed.diagnostic.message.clone());
        }
        let mut diagnostic = failed.diagnostic.clone();
        let layer = standing.layer.map(|layer| format!(" layer {layer}")).unwrap_or_default();
        diagnostic.message = format!("{resource}{layer}: {}", diagnostic.message);
        self.problems.push(diagnostic);
    }

    fn denies(&self, addresses: &BTreeSet<String>) -> bool {
        let policy = |address: &String| self.planned.repositories.get(address).map(|it| it.policy);
        addresses.iter().any(|address| policy(address) == Some(SecretPolicy::Deny))
    }

    fn found(
        &mut self,
        resource: &ResourceId,
        addresses: &BTreeSet<String>,
        place: SecretPlace,
        found: &Match,
    ) {
        self.findings.push(SecretFinding {
            resource: resource.clone(),
            repositories: addresses.iter().cloned().collect(),
            rule: found.rule.to_owned(),
            severity: found.severity,
            place,
            redacted: found.redacted.clone(),
            fingerprint: found.fingerprint.clone(),
            allowed: None,
            blocks: found.severity == Severity::High && self.denies(addresses),
        });
    }
}

/// The lowest layer above that deletes `path`, as far as it was searched.
fn deleted_by(path: &str, standing: &Standing, answers: &Answers) -> Option<usize> {
    // What lies in an archive goes with it.
    let path = path.split("!/").next().unwrap_or(path);
    let deletes = |deleted: &String| match deleted.strip_suffix('/') {
        Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
        None => {
            path.strip_prefix(deleted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    };
    standing.above.iter().find_map(|(number, layer)| match answers.get(layer) {
        Some(Ok(Answer::Content { searched, .. })) if searched.deleted.iter().any(deletes) => Some(*number),
        _ => None,
    })
}
