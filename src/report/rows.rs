//! The table of plans and verifications: repositories, with a row for each tag and for other remarks.

use super::Style;
use super::fit::wrapped;
use super::paint::Ink;
use oci_registry::Digest;

/// One line of a repository: sign, name, old and new value, reason. Its texts are clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableRow {
    pub ink: Ink,
    pub sign: char,
    pub name: String,
    pub value: String,
    pub why: String,
}

/// A repository: its name, the text to the right of the name, and its rows.
#[derive(Debug, Clone)]
pub(super) struct TableSection {
    pub name: String,
    pub aside: String,
    pub rows: Vec<TableRow>,
}

/// The columns before the names: the indentation, the sign and a space.
const LEAD: usize = 6;

/// The spaces before the values, and before the reasons.
const GAPS: (usize, usize) = (3, 4);

/// The indentation of texts below a row that do not fit beside it.
const BELOW: usize = 8;

/// The narrowest column in which a reason is wrapped. A narrower one is left empty, and the reason stands below.
const NARROW: usize = 28;

/// A screen below this width shows digests without their algorithm.
const NARROW_SCREEN: usize = 80;

/// The widths of the columns of a table.
#[derive(Debug, Clone, Copy)]
struct Columns {
    names: usize,
    values: usize,
    /// The width that no line may exceed.
    limit: usize,
}

/// Returns the sections one below the other, with aligned columns. If the width is limited, long names are shortened in the middle,
/// and texts that do not fit beside their row stand below it.
pub(super) fn table(sections: &[TableSection], style: Style) -> String {
    let columns = columns(sections, style);
    let mut text = String::new();
    for section in sections {
        text.push('\n');
        for line in heading(section, columns, style) {
            text.push_str(&format!("{line}\n"));
        }
        for row in &section.rows {
            for line in lines(row, columns, style) {
                text.push_str(&format!("    {}\n", style.paint(row.ink, line)));
            }
        }
    }
    text
}

fn columns(sections: &[TableSection], style: Style) -> Columns {
    let width = |part: fn(&TableRow) -> &str| {
        let rows = sections.iter().flat_map(|section| &section.rows);
        rows.map(|row| part(row).chars().count()).max().unwrap_or_default()
    };
    // A row that is only a name may use the whole line.
    let name = |row: &TableRow| {
        if row.value.is_empty() && row.why.is_empty() { 0 } else { row.name.chars().count() }
    };
    let names = sections.iter().flat_map(|section| &section.rows).map(name).max().unwrap_or_default();
    let (mut names, values) = (names, width(|row| &row.value));
    let Some(limit) = style.columns() else { return Columns { names, values, limit: usize::MAX } };
    let needed = LEAD + names + GAPS.0 + values + GAPS.1 + width(|row| &row.why).min(NARROW);
    if needed > limit {
        let most = if limit < NARROW_SCREEN { limit / 3 } else { limit * 2 / 5 };
        names = names.min(most.max(12));
    }
    Columns { names, values, limit }
}

fn heading(section: &TableSection, columns: Columns, style: Style) -> Vec<String> {
    let aligned = pad(&section.name, columns.names + columns.values + 9);
    let strong = |name: String| style.paint(Ink::Strong, name);
    let width = |name: &str| 2 + name.chars().count() + 2 + section.aside.chars().count();
    if section.aside.is_empty() || width(&aligned) <= columns.limit {
        let name = if columns.limit == usize::MAX {
            aligned
        } else {
            style.middle(aligned.trim_end(), columns.limit - 2)
        };
        let name =
            if section.aside.is_empty() { name } else { pad(&name, columns.names + columns.values + 9) };
        return vec![format!("  {}  {}", strong(name), section.aside).trim_end().to_owned()];
    }
    if width(&section.name) <= columns.limit {
        return vec![format!("  {}  {}", strong(section.name.clone()), section.aside)];
    }
    let name = style.middle(&section.name, columns.limit - 2);
    let aside =
        wrapped(&section.aside, columns.limit - 4, style).into_iter().map(|line| format!("    {line}"));
    std::iter::once(format!("  {}", strong(name))).chain(aside).collect()
}

/// Returns the lines of a row, without the indentation of all rows.
fn lines(row: &TableRow, columns: Columns, style: Style) -> Vec<String> {
    let Columns { names, values, limit } = columns;
    if row.value.is_empty() && row.why.is_empty() {
        return vec![format!("{} {}", row.sign, style.middle(&row.name, limit.saturating_sub(LEAD)))];
    }
    let name = pad(&style.middle(&row.name, names), names);
    let whole = format!("{} {name}   {}    {}", row.sign, pad(&row.value, values), row.why);
    let whole = whole.trim_end();
    if limit == usize::MAX || LEAD - 2 + whole.chars().count() <= limit {
        return vec![whole.to_owned()];
    }
    let mut lines = vec![format!("{} {name}", row.sign)];
    let (value, why) = (&row.value, &row.why);
    let start = LEAD + names + GAPS.0 + values + GAPS.1;
    if LEAD + names + GAPS.0 + value.chars().count() <= limit {
        lines = vec![format!("{} {name}   {}", row.sign, pad(value, values))];
        if start + NARROW <= limit {
            let mut parts = wrapped(why, limit - start, style).into_iter();
            let first = parts.next().unwrap_or_default();
            let lead = " ".repeat(start - 4);
            let rest = parts.map(|part| format!("{lead}{part}"));
            return std::iter::once(format!("{}    {first}", lines.concat())).chain(rest).collect();
        }
        lines = lines.into_iter().map(|line| line.trim_end().to_owned()).collect();
    } else {
        lines.extend(below(value, limit, style));
    }
    match lines.last_mut() {
        // A short reason still fits behind the value.
        Some(last) if !why.is_empty() && 4 + last.chars().count() + 4 + why.chars().count() <= limit => {
            last.push_str(&format!("    {why}"));
        }
        _ if why.is_empty() => {}
        _ => lines.extend(below(why, limit, style)),
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Returns the lines of a text that stands below its row.
fn below(text: &str, limit: usize, style: Style) -> impl Iterator<Item = String> {
    wrapped(text, limit - BELOW, style).into_iter().map(|line| format!("{}{line}", " ".repeat(BELOW - 4)))
}

pub(super) fn pad(text: &str, width: usize) -> String {
    let length = text.chars().count();
    format!("{text}{}", " ".repeat(width.saturating_sub(length)))
}

/// Returns the first digits of a digest.
pub(super) fn short(digest: &Digest, style: Style) -> String {
    let digits = digest.short(12);
    let narrow = style.columns().is_some_and(|columns| columns < NARROW_SCREEN);
    let digits = if narrow { digits.strip_prefix("sha256:").unwrap_or(&digits) } else { &digits };
    format!("{digits}{}", style.ellipsis())
}
