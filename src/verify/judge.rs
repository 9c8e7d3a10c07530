//! Decides whether one tag is in place. All rules of drift are here.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::{Demand, ExpectedRepository, ExpectedTag, Later, RecordedTag};
use super::observe::PresentContent;
use crate::model::drift::{Note, RegistryDigest, TagDrift};
use crate::model::forward::{Descent, Held};
use crate::model::standing::StandingVersion;
use crate::model::version::ReleaseVersion;
use oci_registry::{Digest, Tag};

/// The digests of one tag in all registries of a resource.
#[derive(Default)]
pub(super) struct TagInRegistries<'a> {
    /// The registries that have the tag, each with the digest.
    pub holders: Vec<(&'a str, &'a Digest)>,
    /// The record that determines the tag permanently.
    pub recorded: Option<&'a RecordedTag>,
}

/// A tag in a repository, with its surroundings.
pub(super) struct TagInRepository<'a> {
    pub tag: &'a Tag,
    pub expected: &'a ExpectedTag,
    pub wanted: &'a ExpectedRepository,
    pub present: &'a PresentContent,
    /// The highest version of each digest in this repository.
    pub versions: &'a BTreeMap<Digest, Held>,
    pub everywhere: &'a TagInRegistries<'a>,
    /// The correct tag and digest of each version in this repository: see [`digest_of_version`].
    pub settled: &'a BTreeMap<&'a ReleaseVersion, (&'a Tag, &'a Digest)>,
}

/// Whether a tag is in place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TagJudgement {
    /// The tag is not here, and need not be.
    NotHere,
    /// The tag is in place.
    InPlace,
    /// The tag has drifted. The digest is the one that it should name, if that is known.
    Drifted(TagDrift, Option<Digest>),
}

/// Judges a tag, first by its rule and then by the records. Facts that are no drift but worth reporting go to `notes`.
pub(super) fn judge(here: &TagInRepository<'_>, notes: &mut Vec<Note>) -> TagJudgement {
    if let Some(found) = here.present.corrupt.get(here.tag) {
        return TagJudgement::Drifted(TagDrift::Corrupt { found: found.clone() }, None);
    }
    let judged = match here.present.tags.get(here.tag) {
        None => by_absence(here),
        Some(digest) => match &here.expected.demand {
            Demand::Recorded => TagJudgement::InPlace,
            Demand::Highest { line, withheld } => by_line(here, digest, line, *withheld, notes),
            Demand::Everywhere | Demand::EverywhereIfAnywhere | Demand::SameWhereItIs => {
                by_others(here.everywhere, digest)
            }
        },
    };
    if matches!(judged, TagJudgement::Drifted(..)) {
        return judged;
    }
    let mut recorded = here.wanted.recorded.iter().filter(|recorded| recorded.tag == *here.tag);
    recorded.find_map(|recorded| by_record(here, recorded, notes)).unwrap_or(judged)
}

fn by_absence(here: &TagInRepository<'_>) -> TagJudgement {
    let holders = &here.everywhere.holders;
    // A rule that is younger than a version never rendered its tag, so only the last version must have all tags.
    let last = here.wanted.last.as_ref();
    let belongs_here = match &here.expected.demand {
        Demand::Everywhere => !holders.is_empty() || here.expected.version.as_ref() == last,
        Demand::Highest { line, .. } => {
            !holders.is_empty() || last.is_some_and(|last| line.contains(last) || line.last() > Some(last))
        }
        Demand::EverywhereIfAnywhere => !holders.is_empty(),
        Demand::SameWhereItIs | Demand::Recorded => false,
    };
    if !belongs_here {
        return TagJudgement::NotHere;
    }
    let held_by = holders.iter().map(|(registry, _)| (*registry).to_owned()).collect();
    let should = match &here.expected.demand {
        Demand::Highest { line, .. } => highest(here, line).map(|(digest, _)| digest.clone()),
        _ => agreement(here.everywhere).cloned(),
    };
    TagJudgement::Drifted(TagDrift::Missing { held_by }, should)
}

/// The digest in a record, or the one that most registries name. `None` in case of a tie.
fn agreement<'a>(everywhere: &TagInRegistries<'a>) -> Option<&'a Digest> {
    if let Some(recorded) = everywhere.recorded {
        return Some(&recorded.digest);
    }
    let mut counts: BTreeMap<&Digest, usize> = BTreeMap::new();
    for (_, digest) in &everywhere.holders {
        *counts.entry(digest).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or_default();
    let mut winners = counts.iter().filter(|(_, count)| **count == most);
    let (digest, _) = winners.next()?;
    winners.next().is_none().then_some(*digest)
}

fn by_others(everywhere: &TagInRegistries<'_>, digest: &Digest) -> TagJudgement {
    match agreement(everywhere) {
        Some(agreed) if agreed == digest => TagJudgement::InPlace,
        Some(agreed) => {
            let agreeing = everywhere.holders.iter().filter(|(_, digest)| *digest == agreed);
            let registries: Vec<String> = agreeing.map(|(registry, _)| (*registry).to_owned()).collect();
            let drift = match everywhere.recorded {
                Some(recorded) if registries.is_empty() => {
                    TagDrift::NotAsRecorded { record: recorded.record.clone(), version: None }
                }
                _ => TagDrift::Differs { registries },
            };
            TagJudgement::Drifted(drift, Some(agreed.clone()))
        }
        None => {
            let others = everywhere.holders.iter().filter(|(_, other)| *other != digest);
            let others = others
                .map(|(registry, digest)| RegistryDigest {
                    registry: (*registry).to_owned(),
                    digest: (*digest).clone(),
                })
                .collect();
            TagJudgement::Drifted(TagDrift::Disagree { others }, None)
        }
    }
}

/// The digest that the tag of a version should name: the one on which the registries agree, even if this one has
/// another digest, because that is reported for the tag itself; otherwise the digest in this registry.
pub(super) fn digest_of_version<'a>(
    everywhere: Option<&TagInRegistries<'a>>,
    present: &'a PresentContent,
    tag: &Tag,
) -> Option<&'a Digest> {
    let here = present.tags.get(tag)?;
    Some(everywhere.and_then(agreement).unwrap_or(here))
}

/// The highest version of a line in this repository, with its digest.
fn highest<'a>(here: &TagInRepository<'a>, line: &BTreeSet<ReleaseVersion>) -> Option<(&'a Digest, Held)> {
    let version = line.last()?;
    let (tag, digest) = *here.settled.get(version)?;
    Some((digest, Held { version: version.clone(), tag: tag.clone() }))
}

fn by_line(
    here: &TagInRepository<'_>,
    digest: &Digest,
    line: &BTreeSet<ReleaseVersion>,
    withheld: bool,
    notes: &mut Vec<Note>,
) -> TagJudgement {
    // A version that has disappeared since it was listed is reported for its own tag.
    let Some((should, Held { version, tag })) = highest(here, line) else { return TagJudgement::InPlace };
    let named = here.versions.get(digest);
    let may_have_it = withheld && named.is_some_and(|held| line.contains(&held.version));
    if digest == should || may_have_it {
        return TagJudgement::InPlace;
    }
    let drift = match (named, here.present.standing.get(digest)) {
        (None, Some(StandingVersion::Shown(shown)))
            if shown.version > version && !here.wanted.withdrawn.contains(&shown.version) =>
        {
            notes.push(Note::NewerStanding {
                tag: here.tag.clone(),
                version: shown.version.to_string(),
                shown_by: shown.by.clone(),
            });
            return TagJudgement::InPlace;
        }
        (None, None | Some(StandingVersion::Unknown(_))) => {
            TagDrift::NoVersion { version: version.to_string(), tag }
        }
        (Some(_), _) | (None, Some(StandingVersion::Shown(_))) => {
            TagDrift::NotHighest { version: version.to_string(), tag }
        }
    };
    TagJudgement::Drifted(drift, Some(should.clone()))
}

/// The drift from a record, if there is any.
fn by_record(
    here: &TagInRepository<'_>,
    recorded: &RecordedTag,
    notes: &mut Vec<Note>,
) -> Option<TagJudgement> {
    let Some(digest) = here.present.tags.get(here.tag) else {
        let held_by = here.everywhere.holders.iter().map(|(registry, _)| (*registry).to_owned()).collect();
        return Some(TagJudgement::Drifted(TagDrift::Missing { held_by }, Some(recorded.digest.clone())));
    };
    if *digest == recorded.digest {
        return None;
    }
    let mut note = |why: String| {
        notes.push(Note::MovedSince { tag: here.tag.clone(), record: recorded.record.clone(), why });
        None
    };
    let drifted = |version: Option<&ReleaseVersion>| {
        let (record, version) = (recorded.record.clone(), version.map(ToString::to_string));
        let drift = TagDrift::NotAsRecorded { record, version };
        Some(TagJudgement::Drifted(drift, Some(recorded.digest.clone())))
    };
    match &recorded.later {
        Later::Nothing => drifted(None),
        Later::Anything => note("it is mutable".to_owned()),
        Later::Version(version) => match here.versions.get(digest) {
            Some(held) if held.version > *version => None,
            _ => drifted(Some(version)),
        },
        Later::Commit(_) => match here.present.descents.get(&(here.tag.clone(), recorded.digest.clone())) {
            Some(Descent::Descendant) => None,
            Some(Descent::Older | Descent::Diverged) => drifted(None),
            Some(Descent::Unknown(why)) => note(why.clone()),
            None => note("an image does not say which commit it was built from".to_owned()),
        },
    }
}
