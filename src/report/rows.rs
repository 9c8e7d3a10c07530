//! The table of plans and verifications: repositories, with a row for each tag and for other remarks.

use super::Style;
use super::paint::Ink;
use oci_registry::Digest;

/// One line of a repository: sign, name, old and new value, reason. Its texts are clean.
pub(super) struct TableRow {
    pub ink: Ink,
    pub sign: char,
    pub name: String,
    pub value: String,
    pub why: String,
}

/// A repository: its name, the text to the right of the name, and its rows.
pub(super) struct TableSection {
    pub name: String,
    pub aside: String,
    pub rows: Vec<TableRow>,
}

/// Returns the sections one below the other, with aligned columns.
pub(super) fn table(sections: &[TableSection], style: Style) -> String {
    let width = |part: fn(&TableRow) -> &str| {
        let rows = sections.iter().flat_map(|section| &section.rows);
        rows.map(|row| part(row).chars().count()).max().unwrap_or_default()
    };
    let (names, values) = (width(|row| &row.name), width(|row| &row.value));
    let mut text = String::new();
    for section in sections {
        let name = pad(&section.name, names + values + 9);
        text.push_str(format!("\n  {}  {}\n", style.paint(Ink::Strong, name), section.aside).trim_end());
        text.push('\n');
        for row in &section.rows {
            let line = format!(
                "{} {}   {}    {}",
                row.sign,
                pad(&row.name, names),
                pad(&row.value, values),
                row.why
            );
            text.push_str(&format!("    {}\n", style.paint(row.ink, line.trim_end())));
        }
    }
    text
}

pub(super) fn pad(text: &str, width: usize) -> String {
    let length = text.chars().count();
    format!("{text}{}", " ".repeat(width.saturating_sub(length)))
}

/// Returns the first digits of a digest.
pub(super) fn short(digest: &Digest, style: Style) -> String {
    format!("{}{}", digest.short(12), style.ellipsis())
}
