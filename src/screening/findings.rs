//! Makes findings from the results of the blobs: the position in an image, whether it is allowed, and whether it blocks.

use std::collections::BTreeSet;

use super::allow::Allowances;
use super::blob_search::{BlobResult, BlobResults, SearchFailure, cannot_be_searched};
use super::gather::{BlobPosition, GatheredContent};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;
use crate::model::secret_search::{
    PlannedSecrets, SearchedContent, SecretAllowance, SecretFinding, SecretPlace, SecretPolicy, Unsearched,
    UnsearchedPolicy,
};
use oci_registry::Digest;
use secret_scan::display::{path_without_known, redact_text, without_known};
use secret_scan::{Match, Rules, SecretSeverity};

/// Returns `planned` with the findings and the allowances that allow none of them, or an error for all content that must be
/// searched and cannot be.
pub(super) fn findings(
    rules: &Rules,
    planned: PlannedSecrets,
    gathered: &GatheredContent,
    results: &BlobResults,
) -> Result<(PlannedSecrets, Vec<SecretAllowance>), Vec<Diagnostic>> {
    let mut list = FindingList {
        planned: &planned,
        known: known(rules, gathered, results),
        findings: Vec::new(),
        unsearched: Vec::new(),
        problems: Vec::new(),
    };
    for ((resource, digest), position) in &gathered.positions {
        match results.get(digest) {
            Some(Ok(result)) => list.add_result(resource, digest, position, result, results),
            Some(Err(failed)) => list.add_failure(resource, digest, position, failed),
            None => {}
        }
    }
    for ((resource, manifest), annotated) in &gathered.annotated {
        for (key, value) in &annotated.annotations {
            for found in rules.search_annotation(key, value) {
                let key = without_known(&redact_text(rules, key), &list.known);
                let place = SecretPlace::Annotation { manifest: manifest.clone(), key };
                list.add(resource, &annotated.addresses, place, &found);
            }
        }
    }
    let FindingList { mut findings, mut unsearched, mut problems, .. } = list;
    let mut allowances = Allowances::new(&planned.allow);
    for finding in &mut findings {
        finding.allowed = allowances.reason(finding);
        finding.blocks &= finding.allowed.is_none();
    }
    problems.extend(left_out(&planned, gathered, results, &findings));
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
    let searched = amount(gathered, results);
    Ok((PlannedSecrets { searched, findings, unsearched, ..planned }, unused))
}

/// Returns the fingerprints of the values that were found anywhere. None of these values is shown, wherever it occurs.
fn known(rules: &Rules, gathered: &GatheredContent, results: &BlobResults) -> BTreeSet<Digest> {
    let mut known = BTreeSet::new();
    for result in results.values().flatten() {
        match result {
            BlobResult::Config(matches) => {
                known.extend(matches.iter().map(|it| it.found.fingerprint.clone()));
            }
            BlobResult::Content { report, .. } => {
                // A finding about a file name has the fingerprint of the name, which may be shown.
                let of_value = report.matches.iter().filter(|it| {
                    let name = it.path.as_ref().map(|path| Digest::of(path.as_bytes()));
                    name.as_ref() != Some(&it.found.fingerprint)
                });
                known.extend(of_value.map(|it| it.found.fingerprint.clone()));
            }
        }
    }
    for annotated in gathered.annotated.values() {
        let found = annotated.annotations.iter().flat_map(|(key, value)| rules.search_annotation(key, value));
        known.extend(found.map(|found| found.fingerprint));
    }
    known
}

/// Returns an error for each blob that has more secrets than are listed, if all listed ones are allowed: nobody saw the others.
fn left_out(
    planned: &PlannedSecrets,
    gathered: &GatheredContent,
    results: &BlobResults,
    findings: &[SecretFinding],
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for ((resource, digest), position) in &gathered.positions {
        let Some(Ok(BlobResult::Content { report, .. })) = results.get(digest) else { continue };
        let blocks = |finding: &SecretFinding| {
            let place = matches!(&finding.place, SecretPlace::File { blob, .. } if blob == digest);
            place && finding.blocks && finding.resource == *resource
        };
        if report.high_left_out > 0 && denies(planned, &position.addresses) && !findings.iter().any(blocks) {
            let reason = format!("{} more findings of severity high are not listed", report.high_left_out);
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

/// Returns the error for a file that could not be searched to its end, if that blocks.
fn not_to_its_end(resource: &ResourceId, blob: &Digest, path: Option<&str>, reason: &str) -> Diagnostic {
    let file = path.map_or_else(|| format!("`{blob}`"), |path| format!("`{path}` in `{blob}`"));
    let mut diagnostic = cannot_be_searched(&format!("{resource}: {file}"), reason).diagnostic;
    let help =
        "leave the file out, or unpack it; `[secrets] unsearched = \"warn\"` lets it through".to_owned();
    diagnostic.help = Some(help);
    diagnostic
}

/// Returns how much was searched.
fn amount(gathered: &GatheredContent, results: &BlobResults) -> SearchedContent {
    let mut searched = SearchedContent::default();
    for (digest, result) in results {
        searched.blobs += 1;
        let size = gathered.jobs.get(digest).map_or(0, |job| job.blob.size);
        searched.bytes = searched.bytes.saturating_add(size);
        if matches!(result, Ok(BlobResult::Content { from_cache: true, .. })) {
            searched.from_cache += 1;
        }
    }
    searched
}

/// The findings and problems so far.
struct FindingList<'a> {
    planned: &'a PlannedSecrets,
    /// The fingerprints of all values that were found.
    known: BTreeSet<Digest>,
    findings: Vec<SecretFinding>,
    unsearched: Vec<Unsearched>,
    problems: Vec<Diagnostic>,
}

impl FindingList<'_> {
    fn add_result(
        &mut self,
        resource: &ResourceId,
        digest: &Digest,
        position: &BlobPosition,
        result: &BlobResult,
        results: &BlobResults,
    ) {
        match result {
            BlobResult::Config(matches) => {
                for config_match in matches {
                    let place = SecretPlace::Config {
                        blob: digest.clone(),
                        platforms: position.platforms.iter().cloned().collect(),
                        part: config_match.part.shown(&self.known),
                    };
                    self.add(resource, &position.addresses, place, &config_match.found);
                }
            }
            BlobResult::Content { report, .. } => {
                for file_match in &report.matches {
                    let place = SecretPlace::File {
                        blob: digest.clone(),
                        platforms: position.platforms.iter().cloned().collect(),
                        layer: position.layer,
                        instruction: position.instruction.as_ref().map(|it| without_known(it, &self.known)),
                        path: file_match.path.as_ref().map(|path| path_without_known(path, &self.known)),
                        line: file_match.found.line,
                        deleted_by: file_match
                            .path
                            .as_ref()
                            .and_then(|path| deleted_by(path, position, results)),
                    };
                    self.add(resource, &position.addresses, place, &file_match.found);
                }
                for part in &report.unsearched {
                    let path = part.path.as_ref().map(|path| path_without_known(path, &self.known));
                    if self.planned.unsearched_policy == UnsearchedPolicy::Deny
                        && denies(self.planned, &position.addresses)
                    {
                        self.problems.push(not_to_its_end(resource, digest, path.as_deref(), &part.reason));
                        continue;
                    }
                    self.add_unsearched(resource, digest, path, part.reason.clone());
                }
                if let Some(reason) = &report.unreadable {
                    let what =
                        format!("{} `{digest}`", if position.layer.is_some() { "layer" } else { "blob" });
                    self.add_failure(resource, digest, position, &cannot_be_searched(&what, reason));
                }
            }
        }
    }

    fn add_unsearched(&mut self, resource: &ResourceId, blob: &Digest, path: Option<String>, reason: String) {
        self.unsearched.push(Unsearched { resource: resource.clone(), blob: blob.clone(), path, reason });
    }

    /// Notes content that was not searched. If only the search cannot read it, and a secret in it would not block the plan, it is listed
    /// as unsearched. Otherwise it is an error.
    fn add_failure(
        &mut self,
        resource: &ResourceId,
        digest: &Digest,
        position: &BlobPosition,
        failed: &SearchFailure,
    ) {
        if failed.unreadable && !denies(self.planned, &position.addresses) {
            return self.add_unsearched(resource, digest, None, failed.diagnostic.message.clone());
        }
        let layer = position.layer.map(|layer| format!(" layer {layer}")).unwrap_or_default();
        self.problems.push(failed.diagnostic.clone().about(format_args!("{resource}{layer}")));
    }

    fn add(
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
            fingerprint: (!found.guessable).then(|| found.fingerprint.clone()),
            identity: Some(found.fingerprint.clone()),
            allowed: None,
            public: None,
            blocks: self.planned.block.blocks(found.severity) && denies(self.planned, addresses),
        });
    }
}

/// Returns the lowest layer above that deletes `path`, among those that were searched.
fn deleted_by(path: &str, position: &BlobPosition, results: &BlobResults) -> Option<usize> {
    // A file in an archive is deleted with the archive.
    let path = path.split("!/").next().unwrap_or(path);
    let deletes = |deleted: &String| match deleted.strip_suffix('/') {
        Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
        None => {
            path.strip_prefix(deleted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    };
    position.above.iter().find_map(|(number, layer)| match results.get(layer) {
        Some(Ok(BlobResult::Content { report, .. })) if report.deleted.iter().any(deletes) => Some(*number),
        _ => None,
    })
}

/// Returns the diagnostic for a finding that blocks, with the entry of `publish.toml` that allows it.
pub(crate) fn secret_diagnostic(finding: &SecretFinding) -> Diagnostic {
    let way_out = format!(
        "remove it, publish again, and replace it wherever it is used; or, if it is not a secret, add this to `allow` in `[secrets]`: {}",
        finding.allowance()
    );
    let code = Code::SecretsFound;
    let blocks = finding.blocks || (finding.severity == SecretSeverity::High && finding.public.is_none());
    let diagnostic = if blocks { Diagnostic::error } else { Diagnostic::warning };
    diagnostic(code, finding.title()).help(way_out)
}
