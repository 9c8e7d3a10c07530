//! Outcomes for people: what was done, skipped or failed, and the references to deploy by.

use super::Style;
use super::clean;
use super::paint::Ink;
use super::signatures;
use super::size::size;
use crate::model::outcome::{ChangeOutcome, ChangeResult, Outcome};
use crate::model::plan::PlanKind;
use crate::model::record::Record;

/// Returns `outcome` of a plan of `kind` as text. If `success` is false, it lists every change, because then each matters.
pub fn human(outcome: &Outcome, kind: PlanKind, success: bool, style: Style) -> String {
    let mut text = String::from("\n");
    let done = [ChangeResult::Created, ChangeResult::Moved, ChangeResult::Removed];
    let referrers: usize = outcome.repositories.iter().map(|it| it.referrers_put).sum();
    let signed = outcome.repositories.iter().flat_map(|it| &it.signatures).filter(|it| it.made).count();
    let visibilities = outcome.repositories.iter().filter_map(|it| it.visibility.as_ref()?.set_from).count();
    let deleted: usize = outcome.repositories.iter().map(|it| it.manifests_deleted.len()).sum();
    let changed = deleted > 0
        || referrers > 0
        || signed > 0
        || visibilities > 0
        || done.into_iter().any(|result| outcome.count(result) > 0);
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
    // A prune may keep thousands of tags, which the plan has already shown.
    let counted = |result: ChangeResult| kind != PlanKind::Prune || result != ChangeResult::Kept;
    let mut counts: Vec<String> = counts
        .into_iter()
        .filter(|(result, _)| counted(*result))
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
    if !success {
        for change in outcome.changes.iter().filter(|change| counted(change.result)) {
            text.push_str(&line(change, style));
        }
        text.push('\n');
    }
    let counts = match (counts.is_empty(), kind) {
        (false, _) => counts.join(", "),
        (true, PlanKind::Publish) => "there is nothing to publish".to_owned(),
        (true, PlanKind::Rollback | PlanKind::Prune | PlanKind::Withdrawal) => {
            "there is no tag to change".to_owned()
        }
    };
    text.push_str(&format!("{}: {counts}.{}\n", style.paint(Ink::Strong, title), content(outcome)));
    let references: Vec<&str> =
        outcome.repositories.iter().filter_map(|it| it.reference.as_deref()).collect();
    if success && !references.is_empty() {
        text.push_str("\nDeploy by digest:\n");
        for reference in references {
            text.push_str(&format!("  {}\n", clean::line(reference)));
        }
    }
    style.plain(text)
}

/// Returns a record as text: the context, every change, and what went wrong.
pub fn record(record: &Record, style: Style) -> String {
    let title = format!("brokkr-publish record {} {}", style.dash(), clean::line(&record.plan.title));
    let mut text = format!("{}\n", style.paint(Ink::Strong, title));
    if record.success {
        text.push('\n');
        let shown = |change: &&ChangeOutcome| {
            record.plan.kind != PlanKind::Prune || change.result != ChangeResult::Kept
        };
        for change in record.outcome.changes.iter().filter(shown) {
            text.push_str(&line(change, style));
        }
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
    style.plain(text)
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

/// Returns one change as a line: sign, name, result.
pub(super) fn line(change: &ChangeOutcome, style: Style) -> String {
    let (ink, sign, word) = match change.result {
        ChangeResult::Created => (Ink::Created, '+', "created"),
        ChangeResult::Moved => (Ink::Moved, '~', "moved"),
        ChangeResult::Removed => (Ink::Moved, '-', "removed"),
        ChangeResult::Unchanged => (Ink::Kept, '=', "in place"),
        ChangeResult::Kept => (Ink::Kept, '=', "kept"),
        ChangeResult::Skipped => (Ink::Kept, '-', "skipped"),
        ChangeResult::Failed => (Ink::Alarm, '!', "failed"),
        ChangeResult::Stale => (Ink::Alarm, '!', "stale"),
        ChangeResult::Restored => (Ink::Kept, '=', "restored"),
    };
    let named = if change.result == ChangeResult::Restored { &change.before } else { &change.after };
    let digest = named.as_ref().map(|named| format!(" {}{}", named.digest.short(12), style.ellipsis()));
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
