//! Plans for people: what changes, why, and how much is sent.

use std::cmp::Reverse;

use super::Style;
use super::clean;
use super::fold::folded;
use super::page::{PLAIN, Page, PageTable};
use super::paint::Ink;
use super::referrers;
use super::rows::{TableRow, TableSection, short, table};
use super::secrets;
use super::signatures;
use super::size::size;
use super::untagged;
use crate::diagnostic::Code;
use crate::model::Visibility;
use crate::model::plan::{
    Action, Change, ObservedVisibility, Plan, PlanKind, PlannedRepository, Reason, RemovalMethod, TagTarget,
    VisibilityAction, VisibilityChange,
};
use crate::model::visibility::{IRREVERSIBLE, seen_words};

/// The number of reasons that are shown for tags that stay.
const REASONS: usize = 4;

/// Returns `plan` as text. If `every`, each tag that a retention keeps has a line; else each reason has one.
pub fn human(plan: &Plan, every: bool, style: Style) -> String {
    let mut text = format!("{}\n", style.paint(Ink::Strong, title(plan, style)));
    text.push_str(&table(&folded(sections(plan, every, style), style), style));
    text.push_str(&secrets::plan(plan, every, style));
    text.push_str(&silent(plan));
    if let Some(line) = plan.credentials.line() {
        text.push_str(&format!("\n  {}\n", clean::line(&line)));
    }
    text.push('\n');
    text.push_str(&summary(plan));
    style.fit(style.plain(text))
}

/// Returns `plan` as a page.
pub fn page(plan: &Plan, every: bool) -> Page {
    let tables = sections(plan, every, PLAIN).into_iter().map(PageTable::of_tags).collect();
    let mut page = Page { title: title(plan, PLAIN), summary: summary(plan), tables, ..Page::default() };
    page.remark(&secrets::plan(plan, every, PLAIN));
    page.remark(&silent(plan));
    page.remark(&plan.credentials.line().unwrap_or_default());
    page
}

/// Returns the number of tags to create, to move and to remove, as the report `terraform` of GitLab's merge requests takes it.
pub fn gitlab(plan: &Plan) -> String {
    let summary = plan.summary();
    let report = serde_json::json!({
        "create": summary.create, "update": summary.moves + summary.set, "delete": summary.remove,
    });
    format!("{report}\n")
}

pub(super) fn title(plan: &Plan, style: Style) -> String {
    let (command, title) = match plan.kind {
        PlanKind::Publish => ("plan", plan.title.as_str()),
        // The title of a rollback begins with its command, because other output shows it without one.
        PlanKind::Rollback => {
            let title = ["rollback of ", "rollback "].iter().find_map(|start| plan.title.strip_prefix(start));
            ("rollback", title.unwrap_or(plan.title.as_str()))
        }
        PlanKind::Withdrawal => {
            ("withdraw", plan.title.strip_prefix("withdrawal of ").unwrap_or(plan.title.as_str()))
        }
        PlanKind::Prune => ("prune", plan.title.as_str()),
    };
    format!("brokkr-publish {command} {} {}", style.dash(), clean::line(title))
}

fn sections(plan: &Plan, every: bool, style: Style) -> Vec<TableSection> {
    plan.repositories.iter().map(|repository| section(plan.kind, repository, every, style)).collect()
}

fn section(kind: PlanKind, repository: &PlannedRepository, every: bool, style: Style) -> TableSection {
    let platforms = repository.content.iter().flat_map(|content| &content.platforms);
    let platforms = platforms.map(ToString::to_string).collect::<Vec<_>>().join(", ");
    TableSection {
        name: clean::line(&repository.name),
        aside: clean::line(&platforms),
        rows: rows(kind, repository, every, style),
    }
}

fn rows(kind: PlanKind, repository: &PlannedRepository, every: bool, style: Style) -> Vec<TableRow> {
    let shown = |change: &&Change| every || !matches!(change.reason, Reason::Retained { .. });
    let changes = repository.changes.iter().filter(shown);
    changes.map(|change| row(kind, change, style)).chain(other_rows(repository, every, style)).collect()
}

/// Returns the rows of a repository that are not about tags.
pub(super) fn other_rows(repository: &PlannedRepository, every: bool, style: Style) -> Vec<TableRow> {
    let mut rows = Vec::new();
    rows.extend(super::values::rows(repository, style));
    rows.extend(referrers::rows(repository));
    rows.extend(signatures::gate_rows(repository));
    rows.extend(signatures::rows(repository, style));
    rows.extend(orphans(repository));
    rows.extend(untagged::rows(repository, every));
    if !every {
        rows.extend(spared(repository));
    }
    rows.extend(repository.visibility.as_ref().and_then(|visibility| visibility_row(visibility, style)));
    rows
}

/// Returns a digest with the version or commit that it is known as.
fn described(target: &TagTarget, style: Style) -> String {
    let commit = target.revision.as_ref().map(|revision| revision.chars().take(7).collect());
    let stands_for = target
        .version_tag
        .as_ref()
        .map(ToString::to_string)
        .or(commit)
        .map(|it: String| format!(" ({})", clean::line(&it)));
    format!("{}{}", short(&target.digest, style), stands_for.unwrap_or_default())
}

fn row(kind: PlanKind, change: &Change, style: Style) -> TableRow {
    let after = match &change.after {
        None => "not there".to_owned(),
        // The title already says what is published.
        Some(after) if kind == PlanKind::Publish => short(&after.digest, style),
        Some(after) => described(after, style),
    };
    let before = change.before.as_ref().map(|target| described(target, style));
    let arrow = style.arrow();
    let moved =
        |before: &Option<String>| format!("{} {arrow} {after}", before.as_deref().unwrap_or("not there"));
    let (ink, sign, value) = match change.action {
        Action::Create => (Ink::Created, '+', after.clone()),
        Action::Move => (Ink::Moved, '~', moved(&before)),
        Action::Remove => (Ink::Alarm, '-', before.clone().unwrap_or_default()),
        Action::NoOp => (Ink::InPlace, '=', after.clone()),
        Action::Keep => (Ink::Kept, '=', before.clone().unwrap_or_else(|| "not there".to_owned())),
        Action::Conflict => (Ink::Alarm, '!', moved(&before)),
    };
    TableRow { ink, sign, name: change.tag.to_string(), value, why: reason(kind, change) }
}

/// Returns the reason for a change, and the way in which its tag is removed.
pub(super) fn reason(kind: PlanKind, change: &Change) -> String {
    let why = match change.reason {
        Reason::New => format!("new, {}", change.mutability.as_str()),
        Reason::RolledBack if change.action == Action::Remove => {
            "removed: it did not exist before".to_owned()
        }
        ref reason => clean::line(&reason.to_string()),
    };
    match change.removal {
        Some(RemovalMethod::Placeholder) if kind == PlanKind::Prune => {
            format!("{why}; by way of a placeholder")
        }
        Some(RemovalMethod::Manifest) => format!("{why}; with its manifest"),
        _ => why,
    }
}

/// Returns the row for the manifests without a tag that are removed.
fn orphans(repository: &PlannedRepository) -> Option<TableRow> {
    let why = "reachable only from what is removed".to_owned();
    let of_retention = repository.untagged.as_ref().map_or(0, |it| it.remove.len());
    let name = match repository.orphans.len().saturating_sub(of_retention) {
        0 => return None,
        count => format!("{count} untagged"),
    };
    Some(TableRow { ink: Ink::Alarm, sign: '-', name, value: String::new(), why })
}

/// Returns a row for each reason to keep tags that a retention matches, with their number. The most frequent reasons come first,
/// and the rest are one row.
fn spared(repository: &PlannedRepository) -> Vec<TableRow> {
    let mut counts: Vec<(usize, String)> = Vec::new();
    for change in &repository.changes {
        let Reason::Retained { why } = &change.reason else { continue };
        match counts.iter_mut().find(|(_, known)| known == why) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, why.clone())),
        }
    }
    counts.sort_by_key(|(count, _)| Reverse(*count));
    if counts.len() > REASONS {
        let rest: usize = counts.drain(REASONS - 1..).map(|(count, _)| count).sum();
        counts.push((rest, "for other reasons, which `-v` shows".to_owned()));
    }
    let row = |(count, why): (usize, String)| {
        let name = format!("{count} kept");
        TableRow { ink: Ink::Kept, sign: '=', name, value: String::new(), why: clean::line(&why) }
    };
    counts.into_iter().map(row).collect()
}

fn visibility_row(visibility: &VisibilityChange, style: Style) -> Option<TableRow> {
    let (declared, seen) = (visibility.declared, seen_words(visibility.setting, visibility.observed));
    let value = format!("{seen} {} {}", style.arrow(), declared.as_str());
    let wide = visibility.wide.as_deref().map(|wide| format!(", for {}", clean::line(wide)));
    let wide = wide.unwrap_or_default();
    let (ink, sign, why) = match visibility.action {
        VisibilityAction::NoOp => return None,
        VisibilityAction::Set => (Ink::Moved, '~', format!("set by the registry's API{wide}")),
        VisibilityAction::ByHand => (Ink::Alarm, '!', by_hand(visibility, &wide)),
        VisibilityAction::AfterApply if visibility.observed == ObservedVisibility::Unknown => {
            let why = visibility.why.as_deref().unwrap_or("the registry did not answer an anonymous pull");
            (Ink::Kept, '?', clean::line(why))
        }
        VisibilityAction::AfterApply if visibility.settable => {
            (Ink::Kept, '?', "set by the registry's API once it is there, if it differs".to_owned())
        }
        VisibilityAction::AfterApply => {
            (Ink::Kept, '?', "shown by an anonymous pull once it is there".to_owned())
        }
    };
    Some(TableRow { ink, sign, name: "visibility".to_owned(), value, why })
}

/// Returns what a person has to do, and why the registry's API does not do it.
fn by_hand(visibility: &VisibilityChange, wide: &str) -> String {
    let url = visibility.settings_url.as_deref().map(clean::line);
    if visibility.irreversible && visibility.declared != Visibility::Public {
        return url.map_or_else(|| IRREVERSIBLE.to_owned(), |url| format!("{IRREVERSIBLE}: {url}"));
    }
    let way = match (url, visibility.irreversible) {
        (Some(url), true) => format!("by hand, irreversible{wide}: {url}"),
        (Some(url), false) => format!("by hand{wide}: {url}"),
        (None, true) => format!("by hand, where the registry lets you, irreversible{wide}"),
        (None, false) => format!("by hand, where the registry lets you{wide}"),
    };
    match visibility.why.as_deref().filter(|_| !visibility.irreversible) {
        Some(why) => format!("{way} ({})", clean::line(why)),
        None => way,
    }
}

/// Returns the resources of which nothing is published. If nothing is published at all, adds the reason of every rule, and the
/// retentions that do not act.
pub(super) fn silent(plan: &Plan) -> String {
    let mut text = String::new();
    for resource in &plan.silent {
        text.push_str(&format!("\n  {}: no rule fires\n", clean::line(&resource.resource.to_string())));
        if plan.repositories.is_empty() {
            for (rule, reason) in &resource.rules {
                text.push_str(&format!("    {}: {}\n", clean::line(rule), clean::line(reason)));
            }
        }
    }
    if plan.repositories.is_empty() {
        for (retention, reason) in &plan.silent_retentions {
            text.push_str(&format!(
                "\n  retention.{} does not act here: {}\n",
                clean::line(retention),
                clean::line(reason)
            ));
        }
    }
    text
}

pub(super) fn summary(plan: &Plan) -> String {
    let summary = plan.summary();
    if plan.repositories.is_empty() {
        return match plan.kind {
            PlanKind::Publish => "Plan: nothing to publish here.\n",
            PlanKind::Rollback => "Plan: nothing to roll back.\n",
            PlanKind::Prune => "Plan: nothing to remove.\n",
            PlanKind::Withdrawal => "Plan: nothing to withdraw.\n",
        }
        .to_owned();
    }
    let counts = [
        (summary.conflict, "in conflict"),
        (summary.create, "to create"),
        (summary.moves, "to move"),
        (summary.remove, "to remove"),
        (summary.keep, "kept"),
        (summary.no_op, "in place"),
        (summary.by_hand, "to change by hand"),
        (summary.set, if summary.set == 1 { "visibility to set" } else { "visibilities to set" }),
    ];
    let mut counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match plan.secrets.as_ref().map_or(0, |secrets| secrets.blocking().count()) {
        0 => {}
        1 => counts.insert(0, "1 secret".to_owned()),
        count => counts.insert(0, format!("{count} secrets")),
    }
    match referrers::to_send(plan) {
        0 => {}
        count => counts.push(format!("{} to send", referrers::count(count))),
    }
    match signatures::to_make(plan) {
        0 => {}
        count => counts.push(format!("{} to make", signatures::count(count))),
    }
    match untagged::count(plan) {
        0 => {}
        count => counts.push(format!("{count} untagged to delete")),
    }
    let counts = if counts.is_empty() { "nothing to remove".to_owned() } else { counts.join(", ") };
    if plan.is_blocked() {
        let why = blocked(plan);
        return format!("Plan: {counts}. Blocked: {why}, so nothing would be applied.\n");
    }
    let is_change = |change: &Change| change.action.is_change();
    let changes = |it: &PlannedRepository| {
        it.changes.iter().any(is_change) || it.sends_referrers() || it.signs() || !it.orphans.is_empty()
    };
    if !plan.repositories.iter().any(changes) {
        return format!("Plan: {counts}. No tag has to change.\n");
    }
    if plan.repositories.iter().all(|repository| repository.content.is_none()) {
        return format!("Plan: {counts}.\n");
    }
    let (send, all) = (size(summary.bytes_to_send), size(summary.bytes));
    if summary.bytes_to_send >= summary.bytes {
        return format!("Plan: {counts}. {send} to send.\n");
    }
    format!("Plan: {counts}. {send} to send of {all}; the rest is there or can be mounted.\n")
}

/// Returns why a plan is blocked: the reason of its first conflict, or secrets if no tag is in conflict.
fn blocked(plan: &Plan) -> &'static str {
    let changes = plan.repositories.iter().flat_map(|repository| &repository.changes);
    let conflict =
        changes.filter(|change| change.action == Action::Conflict).map(|change| &change.reason).next();
    match conflict {
        None if plan.errors().any(|it| it.code == Code::GateClosed.as_str()) => "a gate is closed",
        None if signatures::any_missing(plan) => "a signature is missing",
        None if plan.kind == PlanKind::Prune => "it is unknown what needs the manifests without a tag",
        None if plan.errors().any(|it| it.code == Code::SourceChartImage.as_str()) => {
            "a chart names an image that is not there"
        }
        None if plan.errors().next().is_some() => "no rule fires for anything",
        None => "the content holds secrets",
        Some(Reason::KeptElsewhere { .. }) => "registries would hold different digests under one tag",
        Some(Reason::UnknownRefused { .. }) => "a tag might move backward",
        Some(Reason::MovedSince | Reason::ContentGone) => "a tag cannot go back",
        Some(_) => "an immutable tag cannot move",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(declared: Visibility, observed: ObservedVisibility, irreversible: bool) -> VisibilityChange {
        VisibilityChange {
            declared,
            observed,
            setting: None,
            action: VisibilityAction::ByHand,
            settable: false,
            irreversible,
            wide: None,
            why: Some("GitHub has no API to change it".to_owned()),
            settings_url: Some("https://github.com/orgs/acme/packages/container/app/settings".to_owned()),
        }
    }

    #[test]
    fn an_irreversible_change_is_called_irreversible() {
        let public = change(Visibility::Public, ObservedVisibility::NotPublic, true);
        assert_eq!(
            by_hand(&public, ""),
            "by hand, irreversible: https://github.com/orgs/acme/packages/container/app/settings"
        );
        let private = change(Visibility::Private, ObservedVisibility::Public, true);
        assert_eq!(
            by_hand(&private, ""),
            "irreversible: GitHub does not make a public package private again; delete it and publish anew: \
             https://github.com/orgs/acme/packages/container/app/settings"
        );
        let internal = change(Visibility::Internal, ObservedVisibility::NotPublic, false);
        assert_eq!(
            by_hand(&internal, ""),
            "by hand: https://github.com/orgs/acme/packages/container/app/settings (GitHub has no API to change it)"
        );
    }

    #[test]
    fn control_characters_of_a_plan_do_not_reach_the_terminal() {
        let hostile = "x\u{1b}[31m\u{202e}y".to_owned();
        let mut change = change(Visibility::Public, ObservedVisibility::NotPublic, false);
        change.settings_url = Some(hostile.clone());
        change.why = Some(hostile.clone());
        assert!(!by_hand(&change, "").contains(['\u{1b}', '\u{202e}']));
        change.action = VisibilityAction::Set;
        change.wide = Some(hostile);
        let row = visibility_row(&change, PLAIN).expect("a row");
        assert!(!row.why.contains(['\u{1b}', '\u{202e}']));
    }
}
