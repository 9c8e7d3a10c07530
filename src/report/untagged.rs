//! The manifests without a tag in a plan: those that go, and the proof that nothing that stays needs them.

use std::cmp::Reverse;

use super::clean;
use super::paint::Ink;
use super::rows::TableRow;
use crate::model::plan::{Plan, PlannedRepository};
use crate::model::untagged::PlannedUntagged;

/// Returns a row for those that go and one for those that stay. If `every`, each manifest has a row of its own.
pub(super) fn rows(repository: &PlannedRepository, every: bool) -> Vec<TableRow> {
    let Some(untagged) = &repository.untagged else { return Vec::new() };
    let row = |ink, sign, name: String, why: String| TableRow { ink, sign, name, value: String::new(), why };
    let (limits, mut rows) = (untagged.limits(), Vec::new());
    let nothing = "no tag, index, referrer or fallback tag that stays reaches";
    match untagged.remove.len() {
        0 => {}
        count => {
            let it = if count == 1 { "it" } else { "any of them" };
            rows.push(row(Ink::Alarm, '-', format!("{count} untagged"), format!("{limits}; {nothing} {it}")));
        }
    }
    rows.push(row(Ink::Kept, '=', format!("{} untagged", untagged.keep.len()), kept(untagged)));
    if every {
        let going = untagged.remove.iter().map(|it| row(Ink::Alarm, '-', it.short(12), limits.clone()));
        let staying = untagged
            .keep
            .iter()
            .map(|it| row(Ink::Kept, '=', it.digest.short(12), clean::line(&format!("kept: {}", it.why))));
        rows.extend(going.chain(staying));
    }
    rows
}

/// The reasons of those that stay with their numbers, the most frequent first, and what was read to know them.
fn kept(untagged: &PlannedUntagged) -> String {
    let mut counts: Vec<(usize, String)> = Vec::new();
    for kept in &untagged.keep {
        let kind = kept.why.kind();
        match counts.iter_mut().find(|(_, known)| *known == kind) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, kind)),
        }
    }
    counts.sort_by_key(|(count, _)| Reverse(*count));
    let counts: Vec<String> = counts.iter().map(|(count, kind)| format!("{count} {kind}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!("kept: {}; ", counts.join(", ")) };
    let manifests = if untagged.manifests == 1 { "manifest" } else { "manifests" };
    let tags = if untagged.tags == 1 { "tag" } else { "tags" };
    format!("{counts}read: {} {manifests}, {} {tags}", untagged.manifests, untagged.tags)
}

/// Returns the number of manifests without a tag that a retention deletes.
pub(super) fn count(plan: &Plan) -> usize {
    plan.repositories.iter().filter_map(|it| it.untagged.as_ref()).map(|it| it.remove.len()).sum()
}
