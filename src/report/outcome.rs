//! Outcomes for people: what was done, skipped or failed, and the references to deploy by.

use std::collections::BTreeSet;

use super::Style;
use super::clean;
use super::page::{PLAIN, Page, PageRow, PageTable};
use super::paint::Ink;
use super::signatures;
use super::size::size;
use crate::model::outcome::{ChangeOutcome, ChangeResult, Outcome};
use crate::model::plan::{Plan, PlanKind, TagTarget};
use crate::model::record::Record;

/// Changes with the same result are folded if there are more than this.
const MANY: usize = 8;

/// The number of those that are shown in spite of that.
const SHOWN: usize = 3;

/// Returns `outcome` of a plan of `kind` as text. If `success` is false, it lists every change, because then each matters.
pub fn human(outcome: &Outcome, kind: PlanKind, success: bool, style: Style) -> String {
    let mut text = String::from("\n");
    if !success {
        text.push_str(&changes(outcome, kind, style));
        text.push('\n');
    }
    let (title, rest) = sentence(outcome, kind, success);
    text.push_str(&format!("{}{rest}\n", style.paint(Ink::Strong, title)));
    let references = references(outcome);
    if success && !references.is_empty() {
        text.push_str("\nDeploy by digest:\n");
        for reference in references {
            text.push_str(&format!("  {}\n", clean::line(reference)));
        }
    }
    style.fit(style.plain(text))
}

/// Returns `outcome` as a page: a table for each repository, with the result of each change.
pub fn page(outcome: &Outcome, plan: &Plan, success: bool) -> Page {
    let kind = plan.kind;
    let (title, rest) = sentence(outcome, kind, success);
    let command = match kind {
        PlanKind::Publish => "apply",
        PlanKind::Rollback => "rollback",
        PlanKind::Prune => "prune",
        PlanKind::Withdrawal => "withdraw",
    };
    let mut tables: Vec<PageTable> = Vec::new();
    for change in outcome.changes.iter().filter(|change| counted(kind, change.result)) {
        let name = clean::line(&change.repository);
        let (_, sign, word) = words(change.result);
        let why = [Some(word.to_owned()), change.detail.as_deref().map(clean::line)];
        let why = why.into_iter().flatten().collect::<Vec<_>>().join(": ");
        let digest = named(change).map(|it| it.digest.short(12) + PLAIN.ellipsis());
        let row = PageRow { sign, cells: vec![change.tag.to_string(), digest.unwrap_or_default(), why] };
        match tables.iter_mut().find(|table| table.name == name) {
            Some(table) => table.rows.push(row),
            None => tables.push(PageTable {
                name,
                aside: String::new(),
                head: vec!["tag", "digest", ""],
                rows: vec![row],
            }),
        }
    }
    let references = if success { references(outcome) } else { Vec::new() };
    Page {
        title: format!("brokkr-publish {command} {} {}", PLAIN.dash(), clean::line(&plan.title)),
        summary: format!("{title}{rest}"),
        tables,
        references: references.into_iter().map(clean::line).collect(),
        ..Page::default()
    }
}

/// Returns the references to deploy by.
pub(super) fn references(outcome: &Outcome) -> Vec<&str> {
    outcome.repositories.iter().filter_map(|it| it.reference.as_deref()).collect()
}

/// Whether changes with this result are counted: a prune may keep thousands of tags, which the plan has already shown.
fn counted(kind: PlanKind, result: ChangeResult) -> bool {
    kind != PlanKind::Prune || result != ChangeResult::Kept
}

/// Whether something was changed in a registry.
pub(super) fn has_changed(outcome: &Outcome) -> bool {
    let done = [ChangeResult::Created, ChangeResult::Moved, ChangeResult::Removed];
    outcome.repositories.iter().any(|it| {
        it.referrers_put > 0
            || !it.manifests_deleted.is_empty()
            || it.signatures.iter().any(|it| it.made)
            || it.visibility.as_ref().is_some_and(|it| it.set_from.is_some())
    }) || done.into_iter().any(|result| outcome.count(result) > 0)
}

/// Returns the sentence about an outcome: its first words, and the rest.
pub(super) fn sentence(outcome: &Outcome, kind: PlanKind, success: bool) -> (&'static str, String) {
    let referrers: usize = outcome.repositories.iter().map(|it| it.referrers_put).sum();
    let signed = outcome.repositories.iter().flat_map(|it| &it.signatures).filter(|it| it.made).count();
    let visibilities = outcome.repositories.iter().filter_map(|it| it.visibility.as_ref()?.set_from).count();
    let deleted: usize = outcome.repositories.iter().map(|it| it.manifests_deleted.len()).sum();
    let changed = has_changed(outcome);
    let complete = outcome.changes.iter().all(|change| {
        !matches!(
            change.result,
            ChangeResult::Failed | ChangeResult::Stale | ChangeResult::Skipped | ChangeResult::Restored
        )
    });
    // A plan without a change can still be blocked.
    let is_whole = success || (complete && !outcome.changes.is_empty());
    let title = match (is_whole, changed) {
        (false, _) => "Stopped",
        (true, true) => match kind {
            PlanKind::Publish => "Applied",
            PlanKind::Rollback => "Rolled back",
            PlanKind::Prune => "Pruned",
            PlanKind::Withdrawal => "Withdrawn",
        },
        (true, false) => "Nothing to do",
    };
    let counts = [
        (ChangeResult::Created, "created"),
        (ChangeResult::Moved, "moved"),
        (ChangeResult::Removed, "removed"),
        (ChangeResult::Unchanged, "in place"),
        (ChangeResult::Kept, "kept"),
        (ChangeResult::Restored, "restored"),
        (ChangeResult::Stale, "stale"),
        (ChangeResult::Failed, "failed"),
        (ChangeResult::Skipped, "skipped"),
    ];
    let mut counts: Vec<String> = counts
        .into_iter()
        .filter(|(result, _)| counted(kind, *result))
        .map(|(result, word)| (outcome.count(result), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if deleted > 0 {
        let manifests = if deleted == 1 { "manifest" } else { "manifests" };
        counts.push(format!("{deleted} untagged {manifests} deleted"));
    }
    if referrers > 0 {
        counts.push(format!("{referrers} {} sent", if referrers == 1 { "referrer" } else { "referrers" }));
    }
    if signed > 0 {
        counts.push(format!("{} made", signatures::count(signed)));
    }
    if visibilities > 0 {
        let noun = if visibilities == 1 { "visibility" } else { "visibilities" };
        counts.push(format!("{visibilities} {noun} set"));
    }
    let counts = match (counts.is_empty(), kind) {
        (false, _) => counts.join(", "),
        (true, PlanKind::Publish) => "there is nothing to publish".to_owned(),
        (true, PlanKind::Rollback | PlanKind::Prune | PlanKind::Withdrawal) => {
            "there is no tag to change".to_owned()
        }
    };
    (title, format!(": {counts}.{}{}", content(outcome), left_out(outcome)))
}

/// Returns the registries that did not get everything as a sentence, or an empty text.
fn left_out(outcome: &Outcome) -> String {
    let names: BTreeSet<&str> = outcome.left_out.iter().map(|it| it.registry.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", clean::line(name))).collect();
    let noun = if names.len() == 1 { "Registry" } else { "Registries" };
    format!(" {noun} left out: {}.", names.join(", "))
}

/// Returns a record as text: the context, every change, and what went wrong.
pub fn record(record: &Record, style: Style) -> String {
    let title = format!("brokkr-publish record {} {}", style.dash(), clean::line(&record.plan.title));
    let mut text = format!("{}\n", style.paint(Ink::Strong, title));
    if record.success {
        text.push('\n');
        text.push_str(&changes(&record.outcome, record.plan.kind, style));
    }
    text.push_str(&human(&record.outcome, record.plan.kind, record.success, style));
    let commands = signatures::verify_commands(&record.outcome);
    if record.success && !commands.is_empty() {
        text.push_str("\nVerify the signatures:\n");
        for command in commands {
            text.push_str(&format!("  {}\n", clean::line(&command)));
        }
    }
    for problem in &record.problems {
        let code = clean::line(&problem.code);
        text.push_str(&format!(
            "\n{}: {}\n",
            style.paint(Ink::Alarm, code),
            clean::message(&problem.message).replace('\n', "\n  ")
        ));
    }
    style.fit(style.plain(text))
}

/// Returns what was sent as a sentence, or an empty text if no blob was involved.
fn content(outcome: &Outcome) -> String {
    let sum = |part: fn(&crate::model::outcome::RepositoryOutcome) -> usize| -> usize {
        outcome.repositories.iter().map(part).fold(0, usize::saturating_add)
    };
    let bytes: u64 = outcome.repositories.iter().map(|it| it.bytes_pushed).fold(0, u64::saturating_add);
    let (pushed, mounted, present) =
        (sum(|it| it.blobs_pushed), sum(|it| it.blobs_mounted), sum(|it| it.blobs_present));
    if [pushed, mounted, present] == [0; 3] {
        return String::new();
    }
    let blobs = |count: usize| if count == 1 { "1 blob".to_owned() } else { format!("{count} blobs") };
    let mut parts = Vec::new();
    if pushed > 0 {
        parts.push(format!("{} in {} pushed", size(bytes), blobs(pushed)));
    }
    if mounted > 0 {
        parts.push(format!("{} mounted", blobs(mounted)));
    }
    if present > 0 {
        parts.push(format!("{} already there", blobs(present)));
    }
    format!(" {}.", parts.join(", "))
}

/// Returns a line for each change. Of many with the same result that is no change, only some have one, unless everything is shown.
fn changes(outcome: &Outcome, kind: PlanKind, style: Style) -> String {
    let mut text = String::new();
    let mut seen: Vec<(ChangeResult, usize)> = Vec::new();
    for change in outcome.changes.iter().filter(|change| counted(kind, change.result)) {
        let all = outcome.count(change.result);
        let is_change =
            matches!(change.result, ChangeResult::Created | ChangeResult::Moved | ChangeResult::Removed);
        if style.verbose || is_change || all <= MANY {
            text.push_str(&line(change, style));
            continue;
        }
        let position = seen.iter().position(|(result, _)| *result == change.result).unwrap_or_else(|| {
            seen.push((change.result, 0));
            seen.len() - 1
        });
        let Some((_, count)) = seen.get_mut(position) else { continue };
        *count += 1;
        if *count <= SHOWN {
            text.push_str(&line(change, style));
        } else if *count == all {
            let (ink, sign, word) = words(change.result);
            let more = format!("{sign} {} more {word}", all - SHOWN);
            text.push_str(&format!("  {}\n", style.paint(ink, more)));
        }
    }
    text
}

/// Returns the manifest that the tag names now.
fn named(change: &ChangeOutcome) -> Option<&TagTarget> {
    let restored = change.result == ChangeResult::Restored;
    if restored { change.before.as_ref() } else { change.after.as_ref() }
}

/// Returns the colour, the sign and the word of a result.
pub(super) fn words(result: ChangeResult) -> (Ink, char, &'static str) {
    match result {
        ChangeResult::Created => (Ink::Created, '+', "created"),
        ChangeResult::Moved => (Ink::Moved, '~', "moved"),
        ChangeResult::Removed => (Ink::Moved, '-', "removed"),
        ChangeResult::Unchanged => (Ink::InPlace, '=', "in place"),
        ChangeResult::Kept => (Ink::Kept, '=', "kept"),
        ChangeResult::Skipped => (Ink::Kept, '-', "skipped"),
        ChangeResult::Failed => (Ink::Alarm, '!', "failed"),
        ChangeResult::Stale => (Ink::Alarm, '!', "stale"),
        ChangeResult::Restored => (Ink::Kept, '=', "restored"),
    }
}

/// Returns one change as a line: sign, name, result.
pub(super) fn line(change: &ChangeOutcome, style: Style) -> String {
    let (ink, sign, word) = words(change.result);
    let digest = named(change).map(|named| format!(" {}{}", named.digest.short(12), style.ellipsis()));
    let text = format!(
        "{sign} {}:{} {word}{}",
        clean::line(&change.repository),
        change.tag,
        digest.unwrap_or_default()
    );
    let detail = match (&change.detail, change.result) {
        (
            Some(detail),
            ChangeResult::Kept | ChangeResult::Created | ChangeResult::Moved | ChangeResult::Restored,
        ) => format!(" ({})", clean::line(detail)),
        _ => String::new(),
    };
    format!("  {}{detail}\n", style.paint(ink, text))
}
