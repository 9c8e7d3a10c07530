//! A page as Markdown of GitHub and GitLab, for the summary of a job or a comment. Nothing in a text of a registry or a file is
//! markup, a mention or an image.

use super::contents::{Page, PageRow, PageTable};

/// The most rows of tags that stay. If there are more, they are folded.
const SHOWN: usize = 8;

/// GitHub refuses a summary of more than 1 MiB for a step, and a comment of more than 65,536 characters.
const LONGEST: usize = 1_000_000;

/// Returns the page as Markdown. It ends with an empty line, because summaries are appended to each other.
pub fn markdown(page: &Page) -> String {
    let mut text = format!("### {}\n\n**{}**\n", escaped(&page.title), escaped(page.summary.trim()));
    for problem in &page.problems {
        let place = problem.place.as_deref().map(|place| format!(" {}", code(place))).unwrap_or_default();
        let message = quoted(&problem.message);
        text.push_str(&format!("\n> **{}** {}{place}\n>\n{message}", problem.severity, code(&problem.code)));
        if let Some(help) = &problem.help {
            text.push_str(&format!(">\n{}", quoted(&format!("help: {help}"))));
        }
    }
    for table in &page.tables {
        text.push_str(&section(table));
    }
    for remark in &page.remarks {
        let fence = fence(remark);
        text.push_str(&format!("\n{fence}text\n{remark}\n{fence}\n"));
    }
    if !page.references.is_empty() {
        text.push_str("\nDeploy by digest:\n\n");
        for reference in &page.references {
            text.push_str(&format!("- {}\n", code(reference)));
        }
    }
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push_str("\n\nThe rest is left out: the page is too long.\n");
    }
    text.push('\n');
    text
}

fn section(table: &PageTable) -> String {
    let aside = if table.aside.is_empty() { String::new() } else { format!(" {}", escaped(&table.aside)) };
    let mut text = format!("\n#### {}{aside}\n", code(&table.name));
    let (stays, changes): (Vec<&PageRow>, Vec<&PageRow>) = table.rows.iter().partition(|row| row.sign == '=');
    if stays.len() <= SHOWN {
        text.push_str(&rows(table, &table.rows.iter().collect::<Vec<_>>()));
        return text;
    }
    if !changes.is_empty() {
        text.push_str(&rows(table, &changes));
    }
    let folded = rows(table, &stays);
    text.push_str(&format!(
        "\n<details><summary>{} more stay as they are</summary>\n{folded}\n</details>\n",
        stays.len()
    ));
    text
}

fn rows(table: &PageTable, rows: &[&PageRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text =
        format!("\n| | {} |\n|{}\n", table.head.join(" | "), " --- |".repeat(table.head.len() + 1));
    for row in rows {
        let last = row.cells.len().saturating_sub(1);
        let cells = row.cells.iter().enumerate();
        // Names and digests are code, and the reason is prose.
        let cells = cells.map(|(at, cell)| if at == last { escaped(cell) } else { code(cell) });
        text.push_str(&format!(
            "| {} | {} |\n",
            code(&row.sign.to_string()),
            cells.collect::<Vec<_>>().join(" | ")
        ));
    }
    text
}

/// Returns `text` as lines of a quotation.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {}\n", escaped(line))).collect::<Vec<_>>().join(">\n")
}

/// Returns `text` as inline code that is safe in a table: the fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(text) + 1);
    // A table ends a cell at `|`, even in code, unless a backslash precedes it.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{}{space}{ticks}", text.replace('|', "\\|"))
}

fn fence(text: &str) -> String {
    "`".repeat((longest_run(text) + 1).max(3))
}

fn longest_run(text: &str) -> usize {
    text.split(|it| it != '`').map(str::len).max().unwrap_or_default()
}

/// Returns `text` with every character that is markup escaped. Addresses of pages stay links.
fn escaped(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_link = word.starts_with("https://") && word.chars().all(|it| it.is_ascii_graphic());
        if is_link && !word.contains(['<', '>', '"', '\\', '|', '`']) {
            return format!("<{word}>");
        }
        let mut escaped = String::with_capacity(word.len());
        for character in word.chars() {
            match character {
                // A comment between `@` and the name: nobody is notified.
                '@' => escaped.push_str("@<!-- -->"),
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                    escaped.push('\\');
                    escaped.push(character);
                }
                _ => escaped.push(character),
            }
        }
        escaped
    });
    words.collect::<Vec<_>>().join(" ")
}
