//! Hostile texts in pages: they stay texts.

use super::*;
use crate::report::clean;

fn page(text: &str) -> Page {
    let row = |sign| PageRow { sign, cells: vec![text.to_owned(), text.to_owned(), text.to_owned()] };
    let table = PageTable {
        name: text.to_owned(),
        aside: text.to_owned(),
        head: vec!["tag", "digest", ""],
        rows: vec![row('+')],
    };
    Page {
        title: text.to_owned(),
        summary: text.to_owned(),
        tables: vec![table],
        remarks: vec![text.to_owned()],
        references: vec![text.to_owned()],
        problems: Vec::new(),
    }
}

#[test]
fn nothing_from_outside_is_markup() {
    for text in [
        "<script>alert(1)</script>",
        "![x](https://evil.example/pixel.png)",
        "[click](javascript:alert(1))",
        "a | b | c",
        "``` \n## heading",
        "`code` `` more",
        "@everyone and @acme/admins",
        "<img src=x onerror=alert(1)>",
        "$\\unicode{x}$ **bold** ~~no~~ _it_ #12 !34",
    ] {
        let line = clean::line(text);
        let html = html(&page(&line));
        for tag in ["<script", "<img", "<a ", "javascript:alert(1)\""] {
            assert!(!html.contains(tag), "{tag} in {html}");
        }
        let markdown = markdown(&page(&line));
        // Outside of code, which shows its text as it is.
        let prose: String = without_code(&markdown).replace("\\[", "").replace("\\]", "");
        for markup in ["<script", "<img", "![", "](", "@every", "@acme", "**bold", "~~no"] {
            assert!(!prose.contains(markup), "{markup} of {text} in {prose}");
        }
        for row in markdown.lines().filter(|line| line.starts_with("| `+`")) {
            let cells = row.replace("\\|", "").matches('|').count();
            assert_eq!(cells, 5, "{row}");
        }
    }
}

/// Removes inline code and fenced blocks, as a reader of `CommonMark` does.
fn without_code(markdown: &str) -> String {
    let mut prose = String::new();
    let mut rest = markdown;
    while let Some(start) = rest.find('`') {
        // An escaped backtick opens nothing.
        if rest.get(..start).is_some_and(|before| before.ends_with('\\')) {
            prose.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        }
        prose.push_str(&rest[..start]);
        let run = rest[start..].chars().take_while(|it| *it == '`').count();
        let inside = &rest[start + run..];
        let mut at = 0;
        let end = loop {
            let Some(found) = inside[at..].find('`') else { break None };
            let length = inside[at + found..].chars().take_while(|it| *it == '`').count();
            if length == run {
                break Some(at + found);
            }
            at += found + length;
        };
        let end = end.expect("code that ends");
        rest = &inside[end + run..];
    }
    prose + rest
}

#[test]
fn many_tags_that_stay_are_folded() {
    let row = |sign, name: &str| PageRow {
        sign,
        cells: vec![name.to_owned(), String::new(), "in place".to_owned()],
    };
    let mut rows: Vec<PageRow> = (0..20).map(|it| row('=', &format!("v1.0.{it}"))).collect();
    rows.push(row('+', "v2"));
    let table =
        PageTable { name: "r".to_owned(), aside: String::new(), head: vec!["tag", "digest", ""], rows };
    let text = markdown(&Page { title: "t".to_owned(), tables: vec![table], ..Page::default() });
    let (before, after) =
        text.split_once("<details><summary>20 more stay as they are</summary>").expect("folded");
    assert!(before.contains("`v2`") && after.contains("`v1.0.7`"), "{text}");
}

#[test]
fn a_page_that_is_too_long_is_cut() {
    let page = Page { remarks: vec!["ö".repeat(1_200_000)], ..Page::default() };
    let text = markdown(&page);
    assert!(text.len() < 1_048_576 && text.ends_with("the page is too long.\n\n"));
}
