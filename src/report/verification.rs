//! Verifications for people, in the same table as plans, and for machines.

use super::fold::folded;
use super::page::{PLAIN, Page, PageTable};
use super::paint::Ink;
use super::rows::{TableRow, TableSection, short, table};
use super::{Style, clean};
use crate::model::drift::{Finding, Note, TagDrift};
use crate::model::plan::TagTarget;
use crate::model::verification::{Unverified, UnverifiedKind, Verification, VerifiedRepository, VerifiedTag};
use crate::model::visibility::seen_words;
use oci_registry::Tag;

/// The maximum number of characters of an annotation that are shown.
const LONGEST: usize = 60;

/// Returns `verification` as text. Unless `verbose`, tags of older versions that are in place are only counted, and things that
/// could not be verified are left out, except for records.
pub fn human(verification: &Verification, verbose: bool, style: Style) -> String {
    let mut text = format!("{}\n", style.paint(Ink::Strong, title(verification, style)));
    text.push_str(&table(&folded(sections(verification, verbose, style), style), style));
    text.push_str(&not_verified(verification, verbose));
    text.push_str(&format!("\n{}\n", summary(verification)));
    style.fit(style.plain(text))
}

/// Returns `verification` as a page.
pub fn page(verification: &Verification, verbose: bool) -> Page {
    let tables = sections(verification, verbose, PLAIN).into_iter().map(PageTable::of_tags).collect();
    let (title, summary) = (title(verification, PLAIN), summary(verification));
    let mut page = Page { title, summary, tables, ..Page::default() };
    page.remark(&not_verified(verification, verbose));
    page
}

fn title(verification: &Verification, style: Style) -> String {
    format!("brokkr-publish verify {} {}", style.dash(), clean::line(&verification.title))
}

fn sections(verification: &Verification, verbose: bool, style: Style) -> Vec<TableSection> {
    let section = |repository: &VerifiedRepository| TableSection {
        name: clean::line(&repository.name),
        aside: clean::line(repository.version.as_deref().unwrap_or_default()),
        rows: rows(repository, verbose, style),
    };
    verification.repositories.iter().map(section).collect()
}

fn not_verified(verification: &Verification, verbose: bool) -> String {
    // Rules that cannot be verified are the same every night. A record that cannot be used was given for this run.
    let shown = |it: &&Unverified| verbose || it.kind == UnverifiedKind::Record;
    let unverified: Vec<String> = verification.unverified.iter().filter(shown).map(unverified).collect();
    if unverified.is_empty() { String::new() } else { format!("\n  not verified\n{}", unverified.concat()) }
}

fn unverified(it: &Unverified) -> String {
    let kind = match it.kind {
        UnverifiedKind::Rule => "tag rule",
        UnverifiedKind::Annotation => "annotation",
        UnverifiedKind::Record => "record",
    };
    let others = match it.versions.len() {
        0 | 1 => String::new(),
        count => format!("; the same for {} other versions", count - 1),
    };
    let (name, why) = (clean::line(&it.name), clean::line(&it.why));
    let resource = it.resource.to_string();
    let resource = clean::line(&resource);
    format!("    {resource}, {kind} {name}: {why}{others}\n")
}

/// Returns `verification` as one JSON document.
pub fn json(verification: &Verification) -> String {
    clean::json(&format!("{:#}\n", serde_json::to_value(verification).unwrap_or_default()))
}

fn rows(repository: &VerifiedRepository, verbose: bool, style: Style) -> Vec<TableRow> {
    // In a long history, drifted tags and the last version matter.
    let matters = |tag: &&VerifiedTag| {
        verbose || tag.drift.is_some() || tag.version.is_none() || tag.version == repository.version
    };
    let shown: Vec<&VerifiedTag> = repository.tags.iter().filter(matters).collect();
    let left_out = repository.tags.len() - shown.len();
    let mut rows: Vec<TableRow> = shown.into_iter().map(|tag| tag_row(tag, style)).collect();
    if left_out > 0 {
        let name = format!("{left_out} more");
        let why = "in place, of other versions".to_owned();
        rows.push(TableRow { ink: Ink::Kept, sign: '=', name, value: String::new(), why });
    }
    rows.extend(repository.findings.iter().map(|finding| finding_row(finding, style)));
    rows.extend(repository.notes.iter().map(|note| note_row(note, style)));
    rows
}

/// Returns a digest, with its version if that differs from the tag.
fn target(target: &TagTarget, tag: &Tag, style: Style) -> String {
    let stood_for = target.version_tag.as_ref().filter(|version_tag| *version_tag != tag);
    let stood_for = stood_for.map(|tag| format!(" ({tag})")).unwrap_or_default();
    format!("{}{stood_for}", short(&target.digest, style))
}

fn tag_row(tag: &VerifiedTag, style: Style) -> TableRow {
    let observed = tag.observed.as_ref().map(|it| target(it, &tag.tag, style));
    let expected = tag.expected.as_ref().map(|it| target(it, &tag.tag, style));
    let (ink, sign, value) = match (&tag.drift, observed, expected) {
        (None, observed, _) => (Ink::InPlace, '=', observed.unwrap_or_default()),
        (Some(TagDrift::Missing { .. }), _, expected) => {
            (Ink::Created, '+', expected.unwrap_or_else(|| "not there".to_owned()))
        }
        (Some(_), Some(observed), Some(expected)) => {
            (Ink::Moved, '~', format!("{observed} {} {expected}", style.arrow()))
        }
        (Some(_), observed, _) => (Ink::Alarm, '!', observed.unwrap_or_default()),
    };
    let why = tag.drift.as_ref().map_or_else(|| "in place".to_owned(), ToString::to_string);
    TableRow { ink, sign, name: tag.tag.to_string(), value, why: clean::line(&why) }
}

fn finding_row(finding: &Finding, style: Style) -> TableRow {
    let arrow = style.arrow();
    let value = match finding {
        Finding::NoVersions { version, .. } | Finding::Unpublished { version, .. } => {
            format!("none {arrow} {}", clean::line(version))
        }
        Finding::MissingPlatform { platform, .. } => clean::line(&platform.to_string()),
        Finding::MissingImage { image, .. } => clean::line(image),
        Finding::Annotation { key, declared, found, .. } => {
            let found = found.as_deref().map_or_else(|| "not there".to_owned(), |it| quoted(it, style));
            format!("{} {found} {arrow} {}", clean::line(key), quoted(declared, style))
        }
        Finding::MissingManifest { digest, .. }
        | Finding::MissingBlob { digest, .. }
        | Finding::Corrupt { digest, .. }
        | Finding::Unreadable { digest, .. }
        | Finding::Unsigned { digest, .. }
        | Finding::Ungated { digest, .. } => short(digest, style),
        Finding::Visibility { declared, observed, setting, .. } => {
            format!("{} {arrow} {}", seen_words(*setting, *observed), declared.as_str())
        }
    };
    let (name, why) = (finding.subject().to_owned(), clean::line(&finding.to_string()));
    TableRow { ink: Ink::Alarm, sign: '!', name, value, why }
}

/// Returns the beginning of a text that anybody may have written, in quotes.
fn quoted(text: &str, style: Style) -> String {
    let text = clean::line(text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("\"{}{}\"", text.get(..at).unwrap_or_default(), style.ellipsis()),
        None => format!("\"{text}\""),
    }
}

fn note_row(note: &Note, style: Style) -> TableRow {
    let (name, value) = match note {
        Note::NothingPublished | Note::NoFullVersion | Note::ListIncomplete { .. } => {
            ("versions".to_owned(), String::new())
        }
        Note::VisibilityUnknown { declared } => {
            ("visibility".to_owned(), format!("unknown {} {}", style.arrow(), declared.as_str()))
        }
        Note::MovedSince { tag, .. } | Note::NewerStanding { tag, .. } => (tag.to_string(), String::new()),
    };
    TableRow { ink: Ink::Kept, sign: '?', name, value, why: clean::line(&note.to_string()) }
}

fn summary(verification: &Verification) -> String {
    match (verification.in_place(), verification.drifted()) {
        (0, 0) => "Verify: there is nothing to verify.".to_owned(),
        (in_place, 0) => format!("Verify: {in_place} in place."),
        (0, drifted) => format!("Verify: {drifted} drifted."),
        (in_place, drifted) => format!("Verify: {in_place} in place, {drifted} drifted."),
    }
}
