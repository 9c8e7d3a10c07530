//! Tables without what would only fill the screen: tags that are in place, and the same conflict in many repositories. `-v` shows all.

use super::Style;
use super::paint::Ink;
use super::rows::{TableRow, TableSection};

/// Rows and repositories of one kind are folded if there are more than this.
const MANY: usize = 5;

/// The number of those that are shown in spite of that.
const SHOWN: usize = 3;

/// The number of repositories with the same conflict that are named.
const NAMED: usize = 8;

/// Returns the sections as they are shown.
pub(super) fn folded(sections: Vec<TableSection>, style: Style) -> Vec<TableSection> {
    if style.verbose {
        return sections;
    }
    let sections = alike(sections);
    let mut shown: Vec<TableSection> = Vec::new();
    let whole = |section: &TableSection| section.rows.iter().all(|row| row.ink == Ink::InPlace);
    let is_many = sections.iter().filter(|section| whole(section)).count() > MANY;
    let (mut settled, mut repositories, mut tags) = (0, 0, 0);
    for section in sections {
        if whole(&section) && is_many {
            settled += 1;
            if settled > SHOWN {
                repositories += 1;
                tags += section.rows.len();
                continue;
            }
        }
        shown.push(in_place(section));
    }
    if repositories > 0 {
        let name = if tags == 1 { "1 tag".to_owned() } else { format!("{tags} tags") };
        shown.push(TableSection {
            name: format!("{repositories} more repositories"),
            aside: String::new(),
            rows: vec![more(name)],
        });
    }
    shown
}

fn more(name: String) -> TableRow {
    TableRow { ink: Ink::InPlace, sign: '=', name, value: String::new(), why: "in place".to_owned() }
}

/// Folds the rows of a section that are in place.
fn in_place(mut section: TableSection) -> TableSection {
    let settled = section.rows.iter().filter(|row| row.ink == Ink::InPlace).count();
    if settled <= MANY {
        return section;
    }
    let mut seen = 0;
    let mut at = 0;
    let mut rows = Vec::new();
    for row in section.rows {
        if row.ink == Ink::InPlace {
            seen += 1;
            if seen > SHOWN {
                continue;
            }
            at = rows.len() + 1;
        }
        rows.push(row);
    }
    rows.insert(at, more(format!("{} more", settled - SHOWN)));
    section.rows = rows;
    section
}

/// Merges repositories in which the same tags are in conflict for the same reason.
fn alike(sections: Vec<TableSection>) -> Vec<TableSection> {
    let conflicts = |section: &TableSection| {
        section.rows.iter().any(|row| row.sign == '!')
            && section.rows.iter().all(|row| row.sign == '!' || row.ink == Ink::InPlace)
    };
    let same = |one: &TableSection, other: &TableSection| {
        let key = |row: &TableRow| (row.sign, row.name.clone(), row.why.clone());
        one.rows.len() == other.rows.len() && one.rows.iter().map(key).eq(other.rows.iter().map(key))
    };
    let mut groups: Vec<Vec<TableSection>> = Vec::new();
    for section in sections {
        let group = groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|first| conflicts(first) && conflicts(&section) && same(first, &section))
        });
        match group {
            Some(group) => group.push(section),
            None => groups.push(vec![section]),
        }
    }
    groups
        .into_iter()
        .flat_map(|group| if group.len() > SHOWN { vec![merged(&group)] } else { group })
        .collect()
}

/// Returns one section for repositories with the same conflicts: each tag once, then the repositories.
fn merged(group: &[TableSection]) -> TableSection {
    let first = group.first().map(|section| section.rows.clone()).unwrap_or_default();
    let (tags, left_out) = (first.len().min(NAMED), first.len().saturating_sub(NAMED));
    let mut last_why = String::new();
    let mut rows: Vec<TableRow> = Vec::new();
    for mut row in first.into_iter().take(tags) {
        row.value.clear();
        // A reason that is the same as above is not repeated.
        if row.why == last_why {
            row.why.clear();
        } else {
            last_why.clone_from(&row.why);
        }
        rows.push(row);
    }
    let note =
        |name: String, why: String| TableRow { ink: Ink::Kept, sign: ' ', name, value: String::new(), why };
    if left_out > 0 {
        rows.push(note(format!("and {left_out} more"), "`-v` shows them".to_owned()));
    }
    let count = group.len();
    let named = group.iter().take(NAMED);
    rows.extend(named.map(|section| note(section.name.clone(), String::new())));
    if count > NAMED {
        let others = format!("and {} more", count - NAMED);
        rows.push(note(others, "`-v` shows them".to_owned()));
    }
    TableSection { name: format!("{count} repositories with the same conflict"), aside: String::new(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::PLAIN;

    fn row(ink: Ink, sign: char, name: &str, why: &str) -> TableRow {
        TableRow { ink, sign, name: name.to_owned(), value: "a → b".to_owned(), why: why.to_owned() }
    }

    fn section(name: &str, rows: Vec<TableRow>) -> TableSection {
        TableSection { name: name.to_owned(), aside: String::new(), rows }
    }

    fn names(sections: &[TableSection]) -> Vec<String> {
        sections.iter().flat_map(|it| &it.rows).map(|row| format!("{} {}", row.sign, row.name)).collect()
    }

    #[test]
    fn tags_in_place_are_folded() {
        let mut rows: Vec<TableRow> =
            (0..100).map(|it| row(Ink::InPlace, '=', &format!("v{it}"), "already there")).collect();
        rows.push(row(Ink::Created, '+', "new", "new"));
        let shown = folded(vec![section("r", rows.clone())], PLAIN);
        assert_eq!(names(&shown), ["= v0", "= v1", "= v2", "= 97 more", "+ new"]);
        let all = folded(vec![section("r", rows)], Style { verbose: true, ..PLAIN });
        assert_eq!(names(&all).len(), 101);
    }

    #[test]
    fn repositories_in_place_are_folded() {
        let one =
            |name: usize| section(&name.to_string(), vec![row(Ink::InPlace, '=', "v1", "already there")]);
        let shown = folded((0..100).map(one).collect(), PLAIN);
        assert_eq!(shown.len(), 4);
        assert_eq!(shown[3].name, "97 more repositories");
        assert_eq!(names(&shown[3..]), ["= 97 tags"]);
        assert_eq!(folded((0..4).map(one).collect(), PLAIN).len(), 4);
    }

    #[test]
    fn a_change_is_never_folded() {
        let one = |name: usize| {
            let rows = (0..5).map(|it| row(Ink::Created, '+', &format!("v{it}"), "new")).collect();
            section(&name.to_string(), rows)
        };
        assert_eq!(names(&folded((0..20).map(one).collect(), PLAIN)).len(), 100);
    }

    #[test]
    fn the_same_conflict_of_many_repositories_is_one() {
        let one = |name: usize| {
            let rows = (0..5).map(|it| row(Ink::Alarm, '!', &format!("v{it}"), "conflict")).collect();
            section(&format!("r{name}"), rows)
        };
        let mut sections: Vec<TableSection> = (0..20).map(one).collect();
        sections.push(section("other", vec![row(Ink::Alarm, '!', "v9", "gone")]));
        let shown = folded(sections, PLAIN);
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0].name, "20 repositories with the same conflict");
        assert_eq!(names(&shown[..1]).len(), 5 + NAMED + 1);
    }
}
