//! The comparison of expected and observed: a pure function. All rules of drift are here and in [`judge`].

use std::collections::{BTreeMap, HashMap};

use super::expected::{ExpectedRepository, Later};
use super::judge::{TagInRegistries, TagInRepository, TagJudgement, digest_of_version, judge};
use super::observe::{ComparedRepository, Comparison, PresentContent};
use crate::model::ResourceId;
use crate::model::drift::{Finding, Note};
use crate::model::forward::Held;
use crate::model::plan::{ObservedVisibility, TagTarget};
use crate::model::verification::{FORMAT_VERSION, Verification, VerifiedRepository, VerifiedTag};
use crate::model::version::ReleaseVersion;
use crate::model::visibility::as_declared;
use crate::visibility::{irreversible, settings_url};
use oci_registry::{Digest, Tag};

/// Compares what is observed with what is expected. `title` describes the verified configuration.
pub fn compare(comparison: &Comparison, title: String) -> Verification {
    let mut everywhere: HashMap<(&ResourceId, &Tag), TagInRegistries<'_>> = HashMap::new();
    for ComparedRepository { expected: wanted, observed: present } in &comparison.repositories {
        let (resource, registry) = (&wanted.declared.resource, wanted.declared.registry.as_str());
        for tag in wanted.tags.keys() {
            if let Some(digest) = present.tags.get(tag) {
                everywhere.entry((resource, tag)).or_default().holders.push((registry, digest));
            }
        }
        for recorded in wanted.recorded.iter().filter(|recorded| recorded.later == Later::Nothing) {
            everywhere.entry((resource, &recorded.tag)).or_default().recorded.get_or_insert(recorded);
        }
    }
    let repositories: Vec<VerifiedRepository> =
        comparison.repositories.iter().map(|it| repository(it, &everywhere)).collect();
    let mut verification = Verification {
        format_version: FORMAT_VERSION.to_owned(),
        generator: concat!("brokkr-publish ", env!("CARGO_PKG_VERSION")).to_owned(),
        title,
        stands: false,
        repositories,
        unverified: comparison.unverified.clone(),
    };
    verification.stands = verification.drifted() == 0;
    verification
}

fn repository(
    ComparedRepository { expected: wanted, observed: present }: &ComparedRepository,
    everywhere: &HashMap<(&ResourceId, &Tag), TagInRegistries<'_>>,
) -> VerifiedRepository {
    let repository = &wanted.declared;
    let settled = settled(wanted, present, everywhere);
    let versions: BTreeMap<Digest, Held> = settled
        .iter()
        .map(|(version, (tag, digest))| {
            ((*digest).clone(), Held { version: (*version).clone(), tag: (*tag).clone() })
        })
        .collect();
    let nowhere = TagInRegistries::default();
    let mut notes = Vec::new();
    let mut tags = Vec::new();
    for (tag, expected) in &wanted.tags {
        let everywhere = everywhere.get(&(&repository.resource, tag)).unwrap_or(&nowhere);
        let here = TagInRepository {
            tag,
            expected,
            wanted,
            present,
            versions: &versions,
            everywhere,
            settled: &settled,
        };
        let digest = present.tags.get(tag);
        let (drift, should) = match judge(&here, &mut notes) {
            TagJudgement::NotHere => continue,
            TagJudgement::InPlace => (None, digest.cloned()),
            TagJudgement::Drifted(drift, should) => (Some(drift), should),
        };
        let target = |digest: Digest| {
            let held = versions.get(&digest);
            TagTarget {
                version: held.map(|held| held.version.to_string()),
                version_tag: held.map(|held| held.tag.clone()),
                ..TagTarget::new(digest)
            }
        };
        tags.push(VerifiedTag {
            address: format!("{}:{tag}", repository.address),
            tag: tag.clone(),
            rule: expected.rule.clone(),
            mutability: expected.mutability,
            version: expected.version.as_ref().map(ToString::to_string),
            observed: digest.cloned().map(target),
            expected: should.map(target),
            drift,
        });
    }
    let findings = findings(wanted, present);
    if let Some(gap) = wanted.listing.gap(present.tags.keys()) {
        notes.push(Note::ListIncomplete { why: gap.to_string() });
    }
    if !wanted.readable {
        notes.push(Note::NoFullVersion);
    } else if wanted.last.is_none() && wanted.tagged.is_none() && tags.is_empty() {
        notes.push(Note::NothingPublished);
    }
    let pulled = present.visibility;
    if let (Some(declared), Some(ObservedVisibility::Unknown)) = (repository.visibility, pulled)
        && as_declared(declared, present.reading.visibility(), ObservedVisibility::Unknown).is_none()
    {
        notes.push(Note::VisibilityUnknown { declared });
    }
    VerifiedRepository {
        address: repository.address.clone(),
        resource: repository.resource.clone(),
        registry: repository.registry.clone(),
        name: repository.name.clone(),
        version: wanted.last.as_ref().map(ToString::to_string),
        tags,
        findings,
        notes,
    }
}

/// The versions in this repository, lowest first, each with its tag and the correct digest.
fn settled<'a>(
    wanted: &'a ExpectedRepository,
    present: &'a PresentContent,
    everywhere: &HashMap<(&ResourceId, &Tag), TagInRegistries<'a>>,
) -> BTreeMap<&'a ReleaseVersion, (&'a Tag, &'a Digest)> {
    let right = |tag: &'a Tag| {
        let everywhere = everywhere.get(&(&wanted.declared.resource, tag));
        Some((tag, digest_of_version(everywhere, present, tag)?))
    };
    let settled =
        wanted.versions.iter().filter_map(|(version, tags)| Some((version, tags.iter().find_map(right)?)));
    settled.collect()
}

/// Finds the drift beyond the tags.
fn findings(wanted: &ExpectedRepository, present: &PresentContent) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(last) = wanted.last.as_ref().filter(|_| wanted.versions.is_empty()) {
        findings.push(Finding::NoVersions { version: last.to_string(), count: wanted.known });
    }
    if let Some((version, git_tag)) = &wanted.tagged {
        findings.push(Finding::Unpublished { version: version.to_string(), git_tag: git_tag.clone() });
    }
    if let Some((root, tag)) = present.root.as_ref().and_then(|root| Some((root, root.tag.as_ref()?))) {
        if let Some(found) = &root.platforms {
            let missing =
                wanted.platforms.iter().filter(|wanted| !found.iter().any(|it| it.satisfies(wanted)));
            findings.extend(
                missing.map(|platform| Finding::MissingPlatform {
                    platform: platform.clone(),
                    tag: tag.clone(),
                }),
            );
        }
        if let Some(found) = &root.annotations {
            let differing = wanted.annotations.iter().filter(|(key, value)| found.get(*key) != Some(value));
            findings.extend(differing.map(|(key, declared)| Finding::Annotation {
                key: key.clone(),
                declared: declared.clone(),
                found: found.get(key).cloned(),
                tag: tag.clone(),
            }));
        }
        // A finding that the search of all content repeats is reported there, with every tag.
        let again = |finding: &&Finding| present.content.iter().all(|other| digest(other) != digest(finding));
        findings.extend(root.findings.iter().filter(again).cloned());
    }
    findings.extend(present.content.iter().chain(&present.unsigned).cloned());
    if let (Some(declared), Some(observed)) = (wanted.declared.visibility, present.visibility) {
        let (endpoint, reading) = (&wanted.declared.endpoint, &present.reading);
        let setting = reading.visibility();
        if as_declared(declared, setting, observed) == Some(false) {
            let project = reading.setting.as_ref().and_then(|setting| setting.project.as_deref());
            findings.push(Finding::Visibility {
                declared,
                observed,
                setting,
                settable: reading.settable && setting.is_some_and(|setting| setting != declared),
                irreversible: irreversible(endpoint.provider(), declared, setting, observed),
                settings_url: settings_url(endpoint, &wanted.declared.repository, project),
            });
        }
    }
    findings
}

/// The digest of the content that a finding is about.
fn digest(finding: &Finding) -> Option<&Digest> {
    match finding {
        Finding::MissingManifest { digest, .. }
        | Finding::MissingBlob { digest, .. }
        | Finding::Corrupt { digest, .. }
        | Finding::Unreadable { digest, .. } => Some(digest),
        Finding::NoVersions { .. }
        | Finding::Unpublished { .. }
        | Finding::MissingPlatform { .. }
        | Finding::Annotation { .. }
        | Finding::MissingImage { .. }
        // It is about what is missing, not about the content itself.
        | Finding::Unsigned { .. }
        | Finding::Ungated { .. }
        | Finding::Visibility { .. } => None,
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
