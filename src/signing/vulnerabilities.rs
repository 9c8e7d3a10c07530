//! Reports about vulnerabilities, from signed attestations: how many an image has of each severity.
//!
//! Three forms are read: the predicate of cosign (`cosign attest --type vuln`, sigstore/cosign, `specs/COSIGN_VULN_ATTESTATION_SPEC.md`) with
//! the result of Trivy or Grype in it; that of in-toto (in-toto/attestation, `spec/predicates/vuln.md`); and a CycloneDX BOM that lists
//! `vulnerabilities`. A vulnerability that `OpenVEX` or the BOM says is not there does not count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::predicate::CYCLONEDX;
use crate::model::gate::{Severity, VulnerabilityCounts};
use oci_registry::Digest;

/// The predicate types of reports.
const COSIGN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const IN_TOTO: &str = "https://in-toto.io/attestation/vulns/";

/// The start of the predicate types of `OpenVEX`.
const OPENVEX: &str = "https://openvex.dev/ns";

/// The statuses, and the states of CycloneDX, of a vulnerability that is not there.
const NOT_THERE: [&str; 5] =
    ["not_affected", "fixed", "false_positive", "resolved", "resolved_with_pedigree"];

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VulnerabilityReport {
    /// The time of the scan, in seconds since 1970.
    pub time: Option<i64>,
    /// The worst severity of each vulnerability, by its name.
    pub found: BTreeMap<String, Severity>,
}

impl VulnerabilityReport {
    /// Returns the report in a predicate; `None` if the type is not that of a report.
    ///
    /// # Errors
    ///
    /// The reason, if it cannot be read.
    pub(super) fn read(predicate_type: &str, predicate: &Value) -> Option<Result<Self, String>> {
        if predicate_type == COSIGN {
            return Some(of_cosign(predicate));
        }
        if predicate_type.starts_with(IN_TOTO) {
            return Some(of_in_toto(predicate));
        }
        if predicate_type.starts_with(CYCLONEDX) && predicate.get("vulnerabilities").is_some() {
            return Some(of_cyclonedx(predicate));
        }
        None
    }

    /// Leaves out the vulnerabilities in `names`.
    pub(super) fn without(&mut self, names: &BTreeSet<String>) {
        self.found.retain(|name, _| !names.contains(name));
    }

    /// Counts the vulnerabilities of each severity.
    pub(super) fn counts(&self) -> VulnerabilityCounts {
        let mut counts = VulnerabilityCounts::default();
        for severity in self.found.values() {
            *counts.of_mut(*severity) += 1;
        }
        counts
    }

    /// The names of the vulnerabilities of a severity.
    pub(super) fn names(&self, severity: Severity) -> Vec<&str> {
        self.found.iter().filter(|(_, it)| **it == severity).map(|(name, _)| name.as_str()).collect()
    }

    fn add(&mut self, name: &str, severity: Severity) {
        let known = self.found.entry(name.to_owned()).or_insert(severity);
        *known = (*known).max(severity);
    }
}

/// Returns the names of the vulnerabilities that a predicate of `OpenVEX` says are not in the image `digest`.
pub(super) fn not_there(predicate_type: &str, predicate: &Value, digest: &Digest) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if !predicate_type.starts_with(OPENVEX) {
        return names;
    }
    for statement in predicate.get("statements").and_then(Value::as_array).into_iter().flatten() {
        let status = text(statement, "status").unwrap_or_default();
        // Without products, a statement is about the subject of the attestation (openvex/spec, "Inheritance Model").
        let products = statement.get("products").and_then(Value::as_array);
        let is_about_it = products.is_none_or(|it| it.iter().any(|product| is_product(product, digest)));
        if !NOT_THERE.contains(&status) || !is_about_it {
            continue;
        }
        match statement.get("vulnerability") {
            Some(Value::String(name)) => drop(names.insert(name.clone())),
            Some(vulnerability) => {
                names.extend(
                    ["name", "@id"].iter().filter_map(|key| text(vulnerability, key)).map(str::to_owned),
                );
                let aliases = vulnerability.get("aliases").and_then(Value::as_array).into_iter().flatten();
                names.extend(aliases.filter_map(Value::as_str).map(str::to_owned));
            }
            None => {}
        }
    }
    names
}

/// Whether a product of `OpenVEX` is the image: its identifiers or hashes have the digest.
fn is_product(product: &Value, digest: &Digest) -> bool {
    let has = |value: &Value| value.as_str().is_some_and(|text| text.contains(digest.hex()));
    let of = |key: &str| product.get(key).and_then(Value::as_object).into_iter().flat_map(|it| it.values());
    // A statement about one component of the image is not about the image.
    product.get("subcomponents").is_none()
        && (has(product)
            || product.get("@id").is_some_and(has)
            || of("identifiers").chain(of("hashes")).any(has))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn time(value: Option<&Value>) -> Option<i64> {
    value?.as_str()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

fn of_cosign(predicate: &Value) -> Result<VulnerabilityReport, String> {
    let metadata = predicate.get("metadata");
    let finished = metadata.and_then(|it| it.get("scanFinishedOn"));
    let mut report = VulnerabilityReport { time: time(finished), found: BTreeMap::new() };
    let result = predicate.pointer("/scanner/result").ok_or("it has no `scanner.result`")?;
    // The schema of Trivy says so even if nothing was found: then it has no `Results`.
    if result.get("SchemaVersion").is_some() || result.get("Results").is_some() {
        for target in result.get("Results").and_then(Value::as_array).into_iter().flatten() {
            for it in target.get("Vulnerabilities").and_then(Value::as_array).into_iter().flatten() {
                let name = text(it, "VulnerabilityID").ok_or("a vulnerability has no `VulnerabilityID`")?;
                report.add(name, Severity::of_word(text(it, "Severity").unwrap_or_default()));
            }
        }
        return Ok(report);
    }
    let matches = result.get("matches").and_then(Value::as_array);
    for it in matches.ok_or("its result is neither of Trivy nor of Grype")? {
        let name = it.pointer("/vulnerability/id").and_then(Value::as_str);
        let severity = it.pointer("/vulnerability/severity").and_then(Value::as_str).unwrap_or_default();
        report.add(name.ok_or("a match has no `vulnerability.id`")?, Severity::of_word(severity));
    }
    Ok(report)
}

fn of_in_toto(predicate: &Value) -> Result<VulnerabilityReport, String> {
    let finished = predicate.pointer("/metadata/scanFinishedOn");
    let mut report = VulnerabilityReport { time: time(finished), found: BTreeMap::new() };
    let result = predicate.pointer("/scanner/result").and_then(Value::as_array);
    for it in result.ok_or("it has no list `scanner.result`")? {
        let name = text(it, "id").ok_or("a vulnerability has no `id`")?;
        let scores = it.get("severity").and_then(Value::as_array).into_iter().flatten();
        let scores = scores.filter_map(|score| score.get("score")).map(|score| match score {
            Value::String(text) => Severity::of_word(text),
            Value::Number(number) => number.as_f64().map_or(Severity::Unknown, Severity::of_score),
            _ => Severity::Unknown,
        });
        report.add(name, scores.max().unwrap_or(Severity::Unknown));
    }
    Ok(report)
}

fn of_cyclonedx(predicate: &Value) -> Result<VulnerabilityReport, String> {
    let timestamp = predicate.pointer("/metadata/timestamp");
    let mut report = VulnerabilityReport { time: time(timestamp), found: BTreeMap::new() };
    let list = predicate.get("vulnerabilities").and_then(Value::as_array);
    for it in list.ok_or("its `vulnerabilities` is no list")? {
        let state = it.pointer("/analysis/state").and_then(Value::as_str).unwrap_or_default();
        if NOT_THERE.contains(&state) {
            continue;
        }
        let name = text(it, "id").or_else(|| text(it, "bom-ref")).ok_or("a vulnerability has no `id`")?;
        let ratings = it.get("ratings").and_then(Value::as_array).into_iter().flatten();
        let ratings = ratings.map(|rating| match (text(rating, "severity"), rating.get("score")) {
            (Some(word), _) => Severity::of_word(word),
            (None, Some(score)) => score.as_f64().map_or(Severity::Unknown, Severity::of_score),
            (None, None) => Severity::Unknown,
        });
        report.add(name, ratings.max().unwrap_or(Severity::Unknown));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(predicate_type: &str, predicate: &Value) -> Result<[usize; 5], String> {
        let report = VulnerabilityReport::read(predicate_type, predicate).expect("a report")?;
        let counts = report.counts();
        Ok([counts.critical, counts.high, counts.medium, counts.low, counts.unknown])
    }

    #[test]
    fn the_forms_of_scanners_are_read() {
        let trivy = json!({ "SchemaVersion": 2, "Results": [
            { "Target": "a", "Vulnerabilities": [{ "VulnerabilityID": "CVE-1", "Severity": "CRITICAL" }, { "VulnerabilityID": "CVE-2", "Severity": "MEDIUM" }] },
            { "Target": "b", "Vulnerabilities": [{ "VulnerabilityID": "CVE-2", "Severity": "HIGH" }, { "VulnerabilityID": "CVE-3", "Severity": "UNKNOWN" }] },
            { "Target": "c" }
        ] });
        let grype = json!({ "matches": [
            { "vulnerability": { "id": "CVE-1", "severity": "Critical" } },
            { "vulnerability": { "id": "CVE-2", "severity": "Negligible" } },
            { "vulnerability": { "id": "CVE-3" } }
        ] });
        let cosign = |result: Value| json!({ "scanner": { "result": result }, "metadata": { "scanFinishedOn": "2026-11-20T10:00:00Z" } });
        assert_eq!(read(COSIGN, &cosign(trivy)), Ok([1, 1, 0, 0, 1]));
        assert_eq!(read(COSIGN, &cosign(json!({ "SchemaVersion": 2 }))), Ok([0; 5]));
        assert_eq!(read(COSIGN, &cosign(grype)), Ok([1, 0, 0, 1, 1]));
        let report = VulnerabilityReport::read(COSIGN, &cosign(json!({ "matches": [] }))).expect("a report");
        assert_eq!(report.expect("read").time, Some(1_795_168_800));
        for bad in [
            json!({}),
            json!([]),
            json!({ "matches": {} }),
            json!({ "matches": [{}] }),
            json!({ "Results": [{ "Vulnerabilities": [{}] }] }),
        ] {
            assert!(read(COSIGN, &cosign(bad.clone())).is_err(), "{bad}");
        }
        let in_toto = json!({ "scanner": { "result": [
            { "id": "CVE-1", "severity": [{ "method": "nvd", "score": "9.8" }] },
            { "id": "CVE-2", "severity": [{ "method": "x", "score": 5.0 }, { "method": "y", "score": "high" }] },
            { "id": "CVE-3", "severity": [{ "method": "CVSS", "score": "CVSS:3.1/AV:N/AC:L" }] },
            { "id": "CVE-4" }
        ] } });
        assert_eq!(read("https://in-toto.io/attestation/vulns/v0.1", &in_toto), Ok([1, 1, 0, 0, 2]));
        assert!(read("https://in-toto.io/attestation/vulns/v0.2", &json!({ "scanner": {} })).is_err());
        let cyclonedx = json!({ "bomFormat": "CycloneDX", "vulnerabilities": [
            { "id": "CVE-1", "ratings": [{ "severity": "high" }, { "severity": "critical" }] },
            { "id": "CVE-2", "ratings": [{ "score": 4.1 }] },
            { "id": "CVE-3", "ratings": [{ "severity": "critical" }], "analysis": { "state": "not_affected" } },
            { "id": "CVE-4", "ratings": [{ "severity": "info" }] }
        ] });
        assert_eq!(read(CYCLONEDX, &cyclonedx), Ok([1, 0, 1, 1, 0]));
        assert_eq!(VulnerabilityReport::read(CYCLONEDX, &json!({ "components": [] })), None);
        assert_eq!(VulnerabilityReport::read("https://spdx.dev/Document", &json!({})), None);
    }

    #[test]
    fn openvex_says_what_is_not_there() {
        let digest = Digest::of(b"image");
        let purl = format!("pkg:oci/app@sha256%3A{}", digest.hex());
        let vex = json!({ "statements": [
            { "vulnerability": { "name": "CVE-1", "aliases": ["GHSA-1"] }, "status": "not_affected", "products": [{ "@id": purl }] },
            { "vulnerability": { "name": "CVE-2" }, "status": "not_affected", "products": [{ "@id": "pkg:oci/other@sha256%3A00" }] },
            { "vulnerability": "CVE-3", "status": "fixed" },
            { "vulnerability": { "name": "CVE-4" }, "status": "affected" },
            { "vulnerability": { "name": "CVE-5" }, "status": "under_investigation", "products": [{ "@id": purl }] },
            { "vulnerability": { "name": "CVE-6" }, "status": "not_affected", "products": [{ "@id": purl, "subcomponents": [{ "@id": "pkg:deb/x" }] }] },
            { "vulnerability": { "name": "CVE-7" }, "status": "not_affected", "products": [] }
        ] });
        let names: Vec<String> =
            not_there("https://openvex.dev/ns/v0.2.0", &vex, &digest).into_iter().collect();
        assert_eq!(names, ["CVE-1", "CVE-3", "GHSA-1"]);
        assert!(not_there("https://example.com/vex", &vex, &digest).is_empty());
    }
}
