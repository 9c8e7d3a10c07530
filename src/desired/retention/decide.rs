//! Decides which tags of one repository are removed.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::claims::{Attribution, OwnTags};
use super::decisions::{Decisions, KeptTag, ListedTag, RemovedTag};
use super::guards::{MemberGuard, Spared};
use super::protection::Protection;
use super::scope::{RetentionScope, ScopedRetention};
use crate::config::RetentionCondition;
use crate::desired::tags::Renderer;
use crate::model::retention::{Age, KeepReason, RemovalReason};
use crate::model::version::ReleaseVersion;
use oci_registry::Tag;

/// 1980-01-01. Reproducible builds stamp their output with an earlier time, usually 1970.
const EARLIEST: i64 = 315_532_800;

/// Why a tag goes, or why it stays.
type Verdict = Result<RemovalReason, KeepReason>;

/// Decides about the `tags` of one repository. `now` is in seconds since 1970.
pub(super) fn decide(
    renderer: &Renderer<'_>,
    scope: &RetentionScope<'_>,
    tags: &[ListedTag],
    spared: &Spared,
    now: i64,
) -> Decisions {
    let names: Vec<&Tag> = tags.iter().map(|listed| &listed.tag).collect();
    let protection = Protection::new(renderer, &scope.resources, &names);
    let mut verdicts: HashMap<&Tag, (&str, Verdict)> = HashMap::new();
    for member in &scope.members {
        let by_glob = matches!(member.claims.own, OwnTags::Globs(_));
        let guard = MemberGuard::new(renderer, scope, member, spared);
        for (listed, verdict) in judge(renderer, member, tags, now) {
            let verdict =
                verdict.and_then(|reason| protection.of(&listed.tag, by_glob).map_or(Ok(reason), Err));
            let verdict = verdict.and_then(|reason| guard.of(listed).map_or(Ok(reason), Err));
            let known = verdicts.entry(&listed.tag).or_insert_with(|| (member.name, verdict.clone()));
            // One retention that removes a tag is enough. The first one that does gives the reason.
            if known.1.is_err() && verdict.is_ok() {
                *known = (member.name, verdict);
            }
        }
    }
    let mut decisions = Decisions::default();
    for ListedTag { tag, digest, .. } in tags {
        let Some((retention, verdict)) = verdicts.remove(tag) else { continue };
        let (tag, digest, retention) = (tag.clone(), digest.clone(), retention.to_owned());
        match verdict {
            Ok(reason) => decisions.remove.push(RemovedTag { tag, digest, retention, reason }),
            Err(reason) => decisions.keep.push(KeptTag { tag, digest, retention, reason }),
        }
    }
    decisions
}

/// The verdict of one retention alone on each tag that it matches.
fn judge<'t>(
    renderer: &Renderer<'_>,
    member: &ScopedRetention<'_>,
    tags: &'t [ListedTag],
    now: i64,
) -> Vec<(&'t ListedTag, Verdict)> {
    let (mut verdicts, mut own) = (Vec::new(), Vec::new());
    for listed in tags {
        match member.claims.of(&renderer.templates, &listed.tag) {
            Attribution::No => {}
            Attribution::Yes => own.push(listed),
            Attribution::Shared(rule) => {
                verdicts.push((listed, Err(KeepReason::OtherRule { rule: rule.to_owned() })));
            }
        }
    }
    match member.retention.condition {
        RetentionCondition::PullRequestClosed => {
            let reason = |number| RemovalReason::PullRequestClosed { number };
            let number = member.pull_request.into_iter();
            verdicts.extend(
                number.flat_map(|number| own.iter().map(move |listed| (*listed, Ok(reason(number))))),
            );
        }
        RetentionCondition::Limits { keep_last, older_than, keep_per_minor } => {
            let limits = Limits { keep_last, older_than, keep_per_minor };
            verdicts.extend(limited(member, own, limits, now));
        }
    }
    verdicts
}

/// The rank of a tag among those of its retention: the newest has the greatest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum TagRank {
    Version(ReleaseVersion),
    Time(i64),
}

/// The limits of a retention.
#[derive(Clone, Copy)]
struct Limits {
    keep_last: Option<u64>,
    older_than: Option<Age>,
    keep_per_minor: Option<u64>,
}

fn limited<'t>(
    member: &ScopedRetention<'_>,
    own: Vec<&'t ListedTag>,
    limits: Limits,
    now: i64,
) -> Vec<(&'t ListedTag, Verdict)> {
    let Limits { keep_last, older_than, keep_per_minor } = limits;
    let reader = member.claims.by_version();
    let stated = member.counts_from_creation();
    let time = |listed: &ListedTag| {
        let time = if stated { listed.stated } else { listed.created };
        time.filter(|time| *time >= EARLIEST)
    };
    let rank = |listed: &ListedTag| match reader {
        Some(reader) => reader.version(&listed.tag).map(TagRank::Version).ok_or(KeepReason::VersionUnknown),
        None => time(listed).map(TagRank::Time).ok_or(KeepReason::TimeUnknown),
    };
    let (mut verdicts, mut ranked) = (Vec::new(), Vec::new());
    let of_minor = of_minor(member, &own, keep_per_minor);
    for listed in own {
        if let Some(Some(reason)) = of_minor.get(&listed.tag) {
            verdicts.push((listed, Err(reason.clone())));
            // It counts among the newest all the same.
        }
        match keep_last.map(|_| rank(listed)).transpose() {
            // A tag without a rank does not count among the newest.
            Err(reason) => verdicts.push((listed, Err(reason))),
            Ok(rank) => ranked.push((rank, listed)),
        }
    }
    ranked.sort_by(|(one, a), (other, b)| (Reverse(one), &a.tag).cmp(&(Reverse(other), &b.tag)));
    for (position, (_, listed)) in ranked.into_iter().enumerate() {
        if of_minor.get(&listed.tag).is_some_and(Option::is_some) {
            continue;
        }
        let newest =
            keep_last.filter(|count| u64::try_from(position).is_ok_and(|position| position < *count));
        let verdict = match (newest, older_than, time(listed)) {
            (Some(keep_last), _, _) => Err(KeepReason::Newest { keep_last }),
            (None, Some(_), None) => Err(KeepReason::TimeUnknown),
            (None, Some(age), Some(time)) if now.saturating_sub(time) <= age.seconds() => {
                Err(KeepReason::Younger { age })
            }
            (None, Some(age), Some(_)) => Ok(RemovalReason::Older { age, keep_last }),
            (None, None, _) => match (keep_last, keep_per_minor) {
                (Some(keep_last), _) => Ok(RemovalReason::Beyond { keep_last }),
                (None, Some(keep_per_minor)) => Ok(RemovalReason::BeyondMinor { keep_per_minor }),
                (None, None) if member.retention.keep.git_tags || member.retention.keep.branches => {
                    Ok(RemovalReason::RefGone)
                }
                // Nothing is removed without a condition. The configuration always has one.
                (None, None) => Err(KeepReason::TimeUnknown),
            },
        };
        verdicts.push((listed, verdict));
    }
    verdicts
}

/// The reason why each tag stays among the newest of its minor line, or `None` if it is not one of them. Without a limit, no tag has an
/// entry.
fn of_minor(
    member: &ScopedRetention<'_>,
    own: &[&ListedTag],
    keep_per_minor: Option<u64>,
) -> HashMap<Tag, Option<KeepReason>> {
    let Some(keep_per_minor) = keep_per_minor else { return HashMap::new() };
    let reader = member.claims.by_version();
    // A glob has no reader: the tag is the version, with or without a `v`.
    let plain = |tag: &Tag| {
        let text = tag.as_str().replacen('_', "+", 1);
        ReleaseVersion::parse(text.strip_prefix('v').unwrap_or(&text)).ok()
    };
    let version = |tag: &Tag| reader.map_or_else(|| plain(tag), |reader| reader.version(tag));
    let mut lines: HashMap<Vec<String>, Vec<(ReleaseVersion, &Tag)>> = HashMap::new();
    let mut reasons = HashMap::new();
    for listed in own {
        match version(&listed.tag) {
            Some(version) => {
                let line = version.parts().numbers.iter().take(2).cloned().collect();
                lines.entry(line).or_default().push((version, &listed.tag));
            }
            None => drop(reasons.insert(listed.tag.clone(), Some(KeepReason::VersionUnknown))),
        }
    }
    for versions in lines.values_mut() {
        versions.sort_by(|one, other| other.cmp(one));
        let mut known: Vec<&ReleaseVersion> = Vec::new();
        for (version, tag) in versions.iter() {
            if known.last() != Some(&version) {
                known.push(version);
            }
            let is_newest = u64::try_from(known.len()).is_ok_and(|count| count <= keep_per_minor);
            reasons.insert((*tag).clone(), is_newest.then_some(KeepReason::NewestOfMinor { keep_per_minor }));
        }
    }
    reasons
}
