//! Makes findings from the results of the blobs: the position in an image, whether it is allowed, and whether it blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::allow::Allowances;
use super::gather::{Gathered, Standing};
use super::search::{Answer, Failed, cannot_be_searched};
use crate::diagnostic::Diagnostic;
use crate::model::ResourceId;
use crate::model::secret_search::{
    PlannedSecrets, SearchedContent, SecretAllowance, SecretFinding, SecretPlace, SecretPolicy, Unsearched,
};
use oci_registry::Digest;
use secret_scan::Severity;
use secret_scan::content::{annotation, hide, shown, shown_path};
use secret_scan::{Match, Rules};

pub(crate) type Answers = BTreeMap<Digest, Result<Answer, Failed>>;

/// Returns `planned` with the findings and the allowances that allow none of them, or an error for all content that must be
/// searched and cannot be.
pub(crate) fn findings(
    rules: &Rules,
    planned: PlannedSecrets,
    gathered: &Gathered,
    answers: &Answers,
) -> Result<(PlannedSecrets, Vec<SecretAllowance>), Vec<Diagnostic>> {
    let mut telling = Telling {
        planned: &planned,
        known: known(rules, gathered, answers),
        findings: Vec::new(),
        unsearched: Vec::new(),
        problems: Vec::new(),
    };
    for ((resource, digest), standing) in &gathered.standing {
        match answers.get(digest) {
            Some(Ok(answer)) => telling.answer(resource, digest, standing, answer, answers),
            Some(Err(failed)) => telling.failed(resource, digest, standing, failed),
            None => {}
        }
    }
    for ((resource, _), (annotated, addresses)) in &gathered.annotated {
        for (key, value) in &annotated.annotations {
            for found in annotation(rules, key, value) {
                let key = shown(&hide(rules, key), &telling.known);
                let manifest = annotated.manifest.clone();
                telling.found(resource, addresses, SecretPlace::Annotation { manifest, key }, &found);
            }
        }
    }
    let Telling { mut findings, mut unsearched, mut problems, .. } = telling;
    let mut allowances = Allowances::new(&planned.allow);
    for finding in &mut findings {
        finding.allowed = allowances.reason(finding);
        finding.blocks &= finding.allowed.is_none();
    }
    problems.extend(left_out(&planned, gathered, answers, &findings));
    if !problems.is_empty() {
        return Err(problems);
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

/// Returns the fingerprints of the values that were found anywhere. None of these values is shown, wherever it occurs.
fn known(rules: &Rules, gathered: &Gathered, answers: &Answers) -> BTreeSet<Digest> {
    let mut known = BTreeSet::new();
    for answer in answers.values().flatten() {
        match answer {
            Answer::Config(hits) => known.extend(hits.iter().map(|hit| hit.found.fingerprint.clone())),
            Answer::Content { searched, .. } => {
                // A finding about a file name has the fingerprint of the name, which may be shown.
                let of_value = searched.hits.iter().filter(|hit| {
                    let name = hit.path.as_ref().map(|path| Digest::of(path.as_bytes()));
                    name.as_ref() != Some(&hit.found.fingerprint)
                });
                known.extend(of_value.map(|hit| hit.found.fingerprint.clone()));
            }
        }
    }
    for (annotated, _) in gathered.annotated.values() {
        let found = annotated.annotations.iter().flat_map(|(key, value)| annotation(rules, key, value));
        known.extend(found.map(|found| found.fingerprint));
    }
    known
}

/// Returns an error for each blob that has more secrets than are listed, if all listed ones are allowed: nobody saw the others.
fn left_out(
    planned: &PlannedSecrets,
    gathered: &Gathered,
    answers: &Answers,
    findings: &[SecretFinding],
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for ((resource, digest), standing) in &gathered.standing {
        let Some(Ok(Answer::Content { searched, .. })) = answers.get(digest) else { continue };
        let blocks = |finding: &SecretFinding| {
            let place = matches!(&finding.place, SecretPlace::File { blob, .. } if blob == digest);
            place && finding.blocks && finding.resource == *resource
        };
        if searched.high_left_out > 0 && denies(planned, &standing.addresses) && !findings.iter().any(blocks)
        {
            let reason = format!("{} more findings of severity high are not listed", searched.high_left_out);
            let mut diagnostic = cannot_be_searched(&format!("{resource}: `{digest}`"), &reason).diagnostic;
            diagnostic.help = Some(
                "leave out the files that hold them, so that every finding is listed and can be judged"
                    .to_owned(),
            );
            problems.push(diagnostic);
        }
    }
    problems
}

fn denies(planned: &PlannedSecrets, addresses: &BTreeSet<String>) -> bool {
    let policy = |address: &String| planned.repositories.get(address).map(|it| it.policy);
    addresses.iter().any(|address| policy(address) == Some(SecretPolicy::Deny))
}

/// Returns how much was searched.
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
    /// The fingerprints of all values that were found.
    known: BTreeSet<Digest>,
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
                        part: hit.part.shown(&self.known),
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
                        instruction: standing.instruction.as_ref().map(|it| shown(it, &self.known)),
                        path: hit.path.as_ref().map(|path| shown_path(path, &self.known)),
                        line: hit.found.line,
                        deleted_by: hit.path.as_ref().and_then(|path| deleted_by(path, standing, answers)),
                    };
                    self.found(resource, &standing.addresses, place, &hit.found);
                }
                for (path, reason) in &searched.unsearched {
                    let path = path.as_ref().map(|path| shown_path(path, &self.known));
                    self.unsearched(resource, digest, path, reason.clone());
                }
                if let Some(reason) = &searched.unreadable {
                    let what =
                        format!("{} `{digest}`", if standing.layer.is_some() { "layer" } else { "blob" });
                    self.failed(resource, digest, standing, &cannot_be_searched(&what, reason));
                }
            }
        }
    }

    fn unsearched(&mut self, resource: &ResourceId, blob: &Digest, path: Option<String>, reason: String) {
        self.unsearched.push(Unsearched { resource: resource.clone(), blob: blob.clone(), path, reason });
    }

    /// Notes content that cannot be read. It is an error if a secret there would be one; if a secret would be let through, so is
    /// this.
    fn failed(&mut self, resource: &ResourceId, digest: &Digest, standing: &Standing, failed: &Failed) {
        if failed.unreadable && !denies(self.planned, &standing.addresses) {
            return self.unsearched(resource, digest, None, failed.diagnostic.message.clone());
        }
        let layer = standing.layer.map(|layer| format!(" layer {layer}")).unwrap_or_default();
        self.problems.push(failed.diagnostic.clone().about(format_args!("{resource}{layer}")));
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
            blocks: found.severity == Severity::High && denies(self.planned, addresses),
        });
    }
}

/// Returns the lowest layer above that deletes `path`, among those that were searched.
fn deleted_by(path: &str, standing: &Standing, answers: &Answers) -> Option<usize> {
    // A file in an archive is deleted with the archive.
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
