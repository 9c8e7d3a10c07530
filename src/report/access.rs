//! The access report: a table for people, JSON for machines, and diagnostics for refused and unknown permissions.

use super::fit::wrapped;
use super::page::{PLAIN, Page, PageRow, PageTable};
use super::paint::Ink;
use super::rows::pad;
use super::{Style, clean};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::access::{AccessAnswer, AccessProblem, AccessReport, Permission, RepositoryAccess};
use crate::model::words::alternatives;

/// The space between two columns.
const GAP: &str = "   ";

/// The narrowest column for the names of repositories.
const NARROWEST: usize = 24;

/// Returns the head of the table.
fn head() -> Vec<&'static str> {
    ["repository"].into_iter().chain(Permission::ALL.map(Permission::as_str)).chain(["as"]).collect()
}

/// Returns `report` as a table with a line for each repository and a column for each permission. If the table is too wide, the
/// credentials stand below each line, or everything does.
pub fn human(report: &AccessReport, style: Style) -> String {
    let title = title(report, style);
    let mut text = format!("{}\n\n", style.paint(Ink::Strong, title));
    let head: Vec<String> = head().into_iter().map(str::to_owned).collect();
    let rows: Vec<(bool, Vec<String>)> =
        report.repositories.iter().map(|repository| (repository.is_granted(), cells(repository))).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|(_, row)| row).chain([&head]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let mut widths: Vec<usize> = (0..head.len()).map(width).collect();
    let needed =
        |widths: &[usize]| 4 + widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    let columns = style.columns().unwrap_or(usize::MAX);
    let beside = needed(&widths) <= columns;
    if !beside {
        widths.pop();
        let others = needed(&widths) - widths.first().copied().unwrap_or_default();
        let room = columns.saturating_sub(others);
        match widths.first_mut() {
            Some(first) if *first <= room || room >= NARROWEST => *first = (*first).min(room),
            _ => widths.clear(),
        }
    }
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| pad(&style.middle(cell, *width), *width));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    if !widths.is_empty() {
        text.push_str(&format!("    {}\n", style.paint(Ink::Strong, line(&head))));
    }
    for (granted, cells) in &rows {
        let (ink, sign) = if *granted { (Ink::Created, '=') } else { (Ink::Alarm, '!') };
        let lines = if widths.is_empty() { stacked(cells, columns, style) } else { vec![line(cells)] };
        for (at, line) in lines.iter().enumerate() {
            let sign = if at == 0 { sign } else { ' ' };
            text.push_str(&format!("  {}\n", style.paint(ink, format!("{sign} {line}"))));
        }
        if !beside && let Some(credentials) = cells.last() {
            for line in wrapped(&format!("as {credentials}"), columns - 8, style) {
                text.push_str(&format!("        {line}\n"));
            }
        }
    }
    text.push_str(&notes(report));
    text.push_str(&format!("\n{}\n", summary(report)));
    style.fit(style.plain(text))
}

/// Returns a row as lines: the repository, and its answers.
fn stacked(cells: &[String], columns: usize, style: Style) -> Vec<String> {
    let Some((name, answers)) = cells.split_first() else { return Vec::new() };
    let answers = head().into_iter().skip(1).zip(answers).take(answers.len() - 1);
    let answers: Vec<String> =
        answers.map(|(permission, answer)| format!("{permission}: {answer}")).collect();
    let answers = wrapped(&answers.join(", "), columns - 8, style);
    std::iter::once(style.middle(name, columns - 4))
        .chain(answers.into_iter().map(|it| format!("    {it}")))
        .collect()
}

/// Returns `report` as a page, without its problems.
pub fn page(report: &AccessReport) -> Page {
    let head = head();
    let row = |repository: &RepositoryAccess| PageRow {
        sign: if repository.is_granted() { '+' } else { '!' },
        cells: cells(repository),
    };
    let rows = report.repositories.iter().map(row).collect();
    let table = PageTable { name: "repositories".to_owned(), aside: String::new(), head, rows };
    let tables = if report.repositories.is_empty() { Vec::new() } else { vec![table] };
    let mut page = Page { title: title(report, PLAIN), summary: summary(report), tables, ..Page::default() };
    page.remark(&notes(report));
    page
}

fn title(report: &AccessReport, style: Style) -> String {
    format!("brokkr-publish auth check {} {}", style.dash(), clean::line(&report.title))
}

fn cells(repository: &RepositoryAccess) -> Vec<String> {
    let answers =
        [&repository.read, &repository.push, &repository.create, repository.mount(), &repository.delete];
    let credentials = match &repository.credentials {
        Some(origin) => clean::line(origin),
        None if repository.name.starts_with("oci:") => "a directory".to_owned(),
        // Credentials are named but not available, as the reason below says.
        None if repository.read.problem().is_some_and(|it| it.code == Code::RegistryCredentials.as_str()) => {
            "-".to_owned()
        }
        None => "anonymous: no credentials were found".to_owned(),
    };
    [clean::line(&repository.name)]
        .into_iter()
        .chain(answers.into_iter().map(|answer| word(answer).to_owned()))
        .chain([credentials])
        .collect()
}

fn word(answer: &AccessAnswer) -> &'static str {
    match answer {
        AccessAnswer::Granted => "yes",
        AccessAnswer::Refused(_) => "no",
        AccessAnswer::Unknown(_) => "unknown",
        AccessAnswer::NotYet => "not yet",
        AccessAnswer::NotShown { .. } => "no answer",
        AccessAnswer::NotAsked => "-",
    }
}

/// Returns the notes that explain the words of the table, each once.
fn notes(report: &AccessReport) -> String {
    let answers = || report.repositories.iter().flat_map(RepositoryAccess::answers);
    let mut notes: Vec<String> = Vec::new();
    if answers().any(|(_, _, answer)| *answer == AccessAnswer::NotYet) {
        notes.push("not yet: it does not exist".to_owned());
    }
    for (_, _, answer) in answers() {
        let AccessAnswer::NotShown { why } = answer else { continue };
        let note = format!("no answer: {}", clean::line(why));
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let lines = notes.iter().map(|note| format!("  {note}\n")).collect::<String>();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

fn summary(report: &AccessReport) -> String {
    let all = report.repositories.len();
    let has = |wanted: fn(&AccessAnswer) -> bool| {
        let of = |it: &&RepositoryAccess| it.answers().any(|(_, _, answer)| wanted(answer));
        report.repositories.iter().filter(of).count()
    };
    let refused = has(|answer| matches!(answer, AccessAnswer::Refused(_)));
    let unknown = has(|answer| matches!(answer, AccessAnswer::Unknown(_)));
    let repositories = |count: usize| match count {
        1 => "1 repository".to_owned(),
        count => format!("{count} repositories"),
    };
    match (all, refused, unknown) {
        (0, ..) => "Auth: no repository is declared.".to_owned(),
        (_, 0, 0) => format!("Auth: {} asked, nothing is refused.", repositories(all)),
        _ => {
            let counts = [(refused, "refused"), (unknown, "unknown")];
            let counts = counts.into_iter().filter(|(count, _)| *count > 0);
            let counts: Vec<String> = counts.map(|(count, word)| format!("{word} in {count}")).collect();
            format!("Auth: {} asked, something is {}.", repositories(all), counts.join(", "))
        }
    }
}

/// Returns `report` as one JSON document.
pub fn json(report: &AccessReport) -> String {
    clean::json(&format!("{:#}\n", serde_json::to_value(report).unwrap_or_default()))
}

/// A problem that several repositories, or several permissions of one, have in common.
struct CommonProblem<'r> {
    problem: &'r AccessProblem,
    /// The answer of the registry, without the request.
    said: &'r str,
    unknown: bool,
    /// The repositories, each with what cannot be done there.
    repositories: Vec<(&'r str, Vec<String>)>,
}

/// Returns one diagnostic for each reason, however many repositories it affects.
pub fn problems(report: &AccessReport) -> Vec<Diagnostic> {
    let mut groups: Vec<CommonProblem<'_>> = Vec::new();
    for repository in &report.repositories {
        for (permission, from, answer) in repository.answers() {
            let Some(problem) = answer.problem() else { continue };
            let (said, unknown) =
                (without_request(&problem.reason), matches!(answer, AccessAnswer::Unknown(_)));
            let what = match from {
                Some(from) => format!("{} from {from}", permission.as_str()),
                None => permission.as_str().to_owned(),
            };
            let same = |group: &&mut CommonProblem<'_>| {
                (group.said, group.unknown, &group.problem.help) == (said, unknown, &problem.help)
            };
            let name = repository.name.as_str();
            let Some(group) = groups.iter_mut().find(same) else {
                let repositories = vec![(name, vec![what])];
                groups.push(CommonProblem { problem, said, unknown, repositories });
                continue;
            };
            match group.repositories.iter_mut().find(|(known, _)| *known == name) {
                Some((_, whats)) => whats.push(what),
                None => group.repositories.push((name, vec![what])),
            }
        }
    }
    groups.iter().map(diagnostic).collect()
}

fn diagnostic(group: &CommonProblem<'_>) -> Diagnostic {
    let cannot = |what: &[String]| {
        let what = alternatives(what);
        if group.unknown {
            format!("cannot find out whether the credentials may {what}")
        } else {
            format!("cannot {what}")
        }
    };
    let message = match group.repositories.as_slice() {
        [(name, what)] => format!("{name}: {}: {}", cannot(what), group.problem.reason),
        several => {
            let lines = several.iter().map(|(name, what)| format!("\n{name}: {}", cannot(what)));
            format!("{}{}", group.said, lines.collect::<String>())
        }
    };
    let code = group.problem.code.parse().unwrap_or(Code::RegistryProtocol);
    Diagnostic::error(code, message).help_maybe(group.problem.help.clone())
}

/// Returns the answer of a registry without the leading `METHOD url: `.
fn without_request(reason: &str) -> &str {
    let is_method = |word: &str| !word.is_empty() && word.chars().all(|it| it.is_ascii_uppercase());
    let request = reason
        .split_once(": ")
        .filter(|(request, _)| request.split_once(" http").is_some_and(|(method, _)| is_method(method)));
    request.map_or(reason, |(_, said)| said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_act_on_a_terminal_are_escaped_in_json() {
        let hostile = "ghcr.io/acme\u{202e}\u{9b}31m";
        let report: AccessReport = serde_json::from_value(serde_json::json!({
            "format_version": "1.0", "generator": "x", "title": hostile, "granted": true, "repositories": [],
        }))
        .expect("a report");
        let document = json(&report);
        assert!(document.is_ascii(), "{document}");
        let read: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!(read["title"], hostile);
    }
}
