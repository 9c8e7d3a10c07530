//! The published images and charts: for people, for machines, and as a site.

mod site;

pub use site::site;

use std::collections::BTreeMap;

use super::page::{PLAIN, Page, PageTable};
use super::paint::Ink;
use super::rows::{TableRow, TableSection, short, table};
use super::size::size;
use super::{Style, clean};
use crate::model::catalogue::{Catalogue, CatalogueImage, CatalogueRepository};
use crate::model::visibility::ObservedVisibility;
use oci_signing::SIGNATURE;

/// The most tags of an image that are shown unless everything is.
const MOST_TAGS: usize = 4;

/// Returns a catalogue as text. With `verbose`, all tags of each image are shown, and its referrers by type.
pub fn human(catalogue: &Catalogue, verbose: bool, style: Style) -> String {
    let title = format!("brokkr-publish list {} {}", style.dash(), clean::line(&catalogue.title));
    let mut text = format!("{}\n", style.paint(Ink::Strong, title));
    let sections = catalogue.repositories.iter().map(|repository| section(repository, verbose, style));
    text.push_str(&table(&sections.collect::<Vec<_>>(), style));
    text.push_str(&format!("\n{}\n", summary(catalogue)));
    style.fit(style.plain(text))
}

/// Returns a catalogue as a page.
pub fn page(catalogue: &Catalogue, verbose: bool) -> Page {
    let sections = catalogue.repositories.iter().map(|repository| section(repository, verbose, PLAIN));
    Page {
        title: format!("brokkr-publish list {} {}", PLAIN.dash(), clean::line(&catalogue.title)),
        summary: summary(catalogue),
        tables: sections.map(PageTable::of_tags).collect(),
        ..Page::default()
    }
}

fn summary(catalogue: &Catalogue) -> String {
    let images: usize = catalogue.repositories.iter().map(|it| it.images.len() + it.older).sum();
    let tags: usize = catalogue.repositories.iter().map(|it| it.tags).sum();
    let repositories = catalogue.repositories.len();
    format!(
        "List: {images} in {repositories} {}, {tags} {}.",
        if repositories == 1 { "repository" } else { "repositories" },
        if tags == 1 { "tag" } else { "tags" },
    )
}

/// Returns a catalogue as one JSON document.
pub fn json(catalogue: &Catalogue) -> String {
    clean::json(&format!("{:#}\n", serde_json::to_value(catalogue).unwrap_or_default()))
}

fn section(repository: &CatalogueRepository, verbose: bool, style: Style) -> TableSection {
    let mut rows: Vec<TableRow> = repository.images.iter().map(|image| row(image, verbose, style)).collect();
    let mut note = |name: String, why: String| {
        rows.push(TableRow { ink: Ink::Kept, sign: ' ', name, value: String::new(), why });
    };
    if repository.older > 0 {
        note(format!("{} more", repository.older), "add `--all` to list them".to_owned());
    }
    if repository.images.is_empty() && repository.incomplete.is_none() {
        note("nothing".to_owned(), "no tag is published yet".to_owned());
    }
    if let Some(why) = &repository.incomplete {
        note("incomplete".to_owned(), clean::line(why));
    }
    let aside = repository.visibility.map(visibility).unwrap_or_default().to_owned();
    TableSection { name: clean::line(&repository.name), aside, rows }
}

/// The word for who can pull.
fn visibility(observed: ObservedVisibility) -> &'static str {
    match observed {
        ObservedVisibility::Public => "public",
        ObservedVisibility::NotPublic => "private",
        ObservedVisibility::Absent | ObservedVisibility::Unknown => "visibility unknown",
    }
}

fn row(image: &CatalogueImage, verbose: bool, style: Style) -> TableRow {
    let mut names: Vec<String> = image.tags.iter().map(ToString::to_string).collect();
    if !verbose && names.len() > MOST_TAGS {
        let more = names.len() - MOST_TAGS + 1;
        names.truncate(MOST_TAGS - 1);
        names.push(format!("+{more}"));
    }
    let mut facts = Vec::new();
    facts.extend(image.created.as_deref().map(|time| clean::line(day(time))));
    if image.platforms.is_empty() && image.unknown.is_none() {
        facts.push(clean::line(&image.media_type));
    } else if !image.platforms.is_empty() {
        facts.push(clean::line(&image.platforms.join(", ")));
    }
    facts.extend(image.bytes.map(size));
    facts.extend(referrers(image, verbose));
    facts.extend(statements(image));
    facts.extend(image.unknown.as_deref().map(|why| format!("unknown: {}", clean::line(why))));
    let ink = if image.unknown.is_some() || !image.unsigned_by.is_empty() { Ink::Alarm } else { Ink::Kept };
    TableRow {
        ink,
        sign: ' ',
        name: names.join(" "),
        value: short(&image.digest, style),
        why: facts.join("; "),
    }
}

/// The date of a time, as the image states it.
fn day(time: &str) -> &str {
    time.get(..10).filter(|_| time.is_char_boundary(10)).unwrap_or(time)
}

/// The signers of an image, each with the types of what it attested; then the signers that it lacks.
fn statements(image: &CatalogueImage) -> Vec<String> {
    let mut by_signer: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for statement in &image.statements {
        if let (Some(signer), Some(kind)) = (&statement.signer, &statement.predicate_type) {
            by_signer.entry(signer).or_default().push(kind);
        }
    }
    let mut facts: Vec<String> = Vec::new();
    for (signer, mut kinds) in by_signer {
        let is_signed = kinds.contains(&SIGNATURE);
        kinds.retain(|kind| *kind != SIGNATURE);
        kinds.sort_unstable();
        let signer = clean::line(signer);
        facts.extend(is_signed.then(|| format!("signed by {signer}")));
        facts.extend(
            (!kinds.is_empty()).then(|| format!("attested by {signer}: {}", clean::line(&kinds.join(", ")))),
        );
    }
    facts.extend(image.unsigned_by.iter().map(|signer| format!("not signed by {}", clean::line(signer))));
    let others = image.statements.iter().filter(|it| it.signer.is_none()).count();
    facts.extend((others > 0).then(|| format!("{others} of others")));
    facts
}

fn referrers(image: &CatalogueImage, verbose: bool) -> Option<String> {
    let signatures = image.referrers.iter().filter(|it| it.is_signature).count();
    let others = image.referrers.len() - signatures;
    let count = |number: usize, one: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{number} {one}s")),
    };
    let mut parts: Vec<String> =
        [count(signatures, "signature"), count(others, "other referrer")].into_iter().flatten().collect();
    if verbose {
        parts.extend(image.referrers.iter().map(|it| clean::line(&it.artifact_type)));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
