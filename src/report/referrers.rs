//! The rows of a plan about referrers of the content.

use super::clean;
use super::paint::Ink;
use super::rows::TableRow;
use crate::model::ContentSpec;
use crate::model::plan::{Plan, PlannedContent, PlannedRepository};
use crate::model::referrer::{PlannedReferrer, ReferrerAction};
use oci_content::LeftBehind;

/// The number of kinds of referrers that are named.
const NAMED: usize = 3;

/// Returns a row for each action on referrers of the content of a repository, or one row if there are no referrers.
pub(super) fn rows(repository: &PlannedRepository) -> Vec<TableRow> {
    let Some(content) = &repository.content else { return Vec::new() };
    let left: Vec<TableRow> = content.left_behind.iter().map(left_behind).collect();
    if content.referrers.is_empty() && left.is_empty() {
        return none(repository, content).into_iter().collect();
    }
    let row = |(action, ink, sign, why): (ReferrerAction, Ink, char, &str)| {
        let of_action: Vec<&PlannedReferrer> =
            content.referrers.iter().filter(|it| it.action == action).collect();
        let name = count(of_action.len());
        let why = clean::line(&format!("{why}{}", kinds(&of_action)));
        (!of_action.is_empty()).then_some(TableRow { ink, sign, name, value: String::new(), why })
    };
    [
        (ReferrerAction::Send, Ink::Created, '+', "to send: "),
        (ReferrerAction::NoOp, Ink::Kept, '=', "in place: "),
        (
            ReferrerAction::Keep,
            Ink::Kept,
            '=',
            "kept as they are here, with signatures that the source lacks: ",
        ),
    ]
    .into_iter()
    .filter_map(row)
    .chain(left)
    .collect()
}

/// Returns a row that names a referrer that is not published.
fn left_behind(left: &LeftBehind) -> TableRow {
    let LeftBehind { referrer, why } = left;
    let descriptor = &referrer.descriptor;
    let kind = descriptor.artifact_type.as_ref().unwrap_or(&descriptor.media_type);
    let why = clean::line(&format!("{} of {kind} stays behind: {why}", descriptor.digest.short(12)));
    TableRow { ink: Ink::Alarm, sign: '!', name: count(1), value: String::new(), why }
}

/// Returns the number of referrers that a plan sends.
pub(super) fn to_send(plan: &Plan) -> usize {
    let contents = plan.repositories.iter().filter_map(|it| it.content.as_ref());
    let referrers = contents.flat_map(|content| &content.referrers);
    referrers.filter(|it| it.action == ReferrerAction::Send).count()
}

/// Returns `1 referrer`, `2 referrers` and so on.
pub(super) fn count(count: usize) -> String {
    format!("{count} {}", if count == 1 { "referrer" } else { "referrers" })
}

/// Returns a row that says that there are no referrers, if they were requested and the image is sent.
fn none(repository: &PlannedRepository, content: &PlannedContent) -> Option<TableRow> {
    let ContentSpec::Image(image) = &content.source else { return None };
    let why = "the source has no signatures or other referrers".to_owned();
    (image.referrers && repository.places_content()).then(|| TableRow {
        ink: Ink::Kept,
        sign: '=',
        name: count(0),
        value: String::new(),
        why,
    })
}

/// Returns the kinds of the referrers: the artifact type, or the suffix of the tag.
fn kinds(referrers: &[&PlannedReferrer]) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for PlannedReferrer { referrer, .. } in referrers {
        let kind = match &referrer.tag {
            Some(tag) => tag.as_str().rsplit_once('.').map(|(_, suffix)| format!("cosign's .{suffix}")),
            None => referrer.descriptor.artifact_type.clone(),
        };
        let kind = kind.unwrap_or_else(|| referrer.descriptor.media_type.clone());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let more = kinds.len().saturating_sub(NAMED);
    kinds.truncate(NAMED);
    let text = kinds.join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}
