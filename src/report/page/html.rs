//! A page as one HTML file without scripts and without anything from outside: light and dark, and printable.

use super::contents::{Page, PageRow, PageTable};

const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1f2328;--dim:#59636e;--line:#d1d9e0;--back:#fff;--code:#f6f8fa;--new:#1a7f37;--move:#0550ae;--bad:#d1242f}\
@media(prefers-color-scheme:dark){:root{--text:#f0f6fc;--dim:#9198a1;--line:#3d444d;--back:#0d1117;--code:#151b23;--new:#3fb950;--move:#58a6ff;--bad:#f85149}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:72rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}h2 small{color:var(--dim);font-weight:400}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}\
th{color:var(--dim);font-weight:600}td:first-child{width:1rem;font-family:ui-monospace,monospace;font-weight:700}\
code,pre{font:13px/1.5 ui-monospace,monospace}pre{background:var(--code);padding:.8rem;overflow:auto;white-space:pre-wrap}\
.plus td:first-child{color:var(--new)}.tilde td:first-child{color:var(--move)}.alarm td:first-child,.error strong{color:var(--bad)}.stays{color:var(--dim)}\
blockquote{margin:1rem 0;padding:.2rem 1rem;border-left:4px solid var(--line)}blockquote p{margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere}\
.summary{font-weight:600}.blocked{color:var(--bad)}.meta,.none,small{color:var(--dim)}.meta{margin:.2rem 0;overflow-wrap:anywhere}.digest{font-size:12px;overflow-wrap:anywhere}\
.facts{width:auto;margin:1rem 0}.facts th{white-space:nowrap}.facts td:first-child{width:auto;font:inherit}section{margin:2rem 0}\
@media print{body{margin:0;max-width:none}tr,blockquote,.facts{break-inside:avoid}h2{break-after:avoid}a{color:inherit}}";

/// Returns the page as one HTML document.
pub fn html(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut body = format!("<h1>{title}</h1>\n<p class=\"summary\">{}</p>\n", escaped(page.summary.trim()));
    for problem in &page.problems {
        let place = problem.place.as_deref().map(|place| format!(" <code>{}</code>", escaped(place)));
        let help = problem.help.as_deref().map(|help| format!("<p>help: {}</p>", escaped(help)));
        body.push_str(&format!(
            "<blockquote class=\"{severity}\"><p><strong>{severity}</strong> <code>{}</code>{}</p><p>{}</p>{}</blockquote>\n",
            escaped(&problem.code),
            place.unwrap_or_default(),
            escaped(&problem.message),
            help.unwrap_or_default(),
            severity = problem.severity,
        ));
    }
    for table in &page.tables {
        body.push_str(&section(table));
    }
    for remark in &page.remarks {
        body.push_str(&format!("<pre>{}</pre>\n", escaped(remark)));
    }
    if !page.references.is_empty() {
        let lines: String =
            page.references.iter().map(|it| format!("<li><code>{}</code></li>\n", escaped(it))).collect();
        body.push_str(&format!("<h2>Deploy by digest</h2>\n<ul>\n{lines}</ul>\n"));
    }
    document(&page.title, &body)
}

/// Returns a whole document with a title and the content of its body, which is HTML.
pub(in crate::report) fn document(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn section(table: &PageTable) -> String {
    let aside = if table.aside.is_empty() {
        String::new()
    } else {
        format!(" <small>{}</small>", escaped(&table.aside))
    };
    let head: String = table.head.iter().map(|it| format!("<th>{it}</th>")).collect();
    let rows: String = table.rows.iter().map(row).collect();
    format!(
        "<h2><code>{}</code>{aside}</h2>\n<table>\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        escaped(&table.name)
    )
}

fn row(row: &PageRow) -> String {
    let class = match row.sign {
        '+' => "plus",
        '~' => "tilde",
        '!' | '-' => "alarm",
        _ => "stays",
    };
    let last = row.cells.len().saturating_sub(1);
    let cells = row.cells.iter().enumerate().map(|(at, cell)| {
        let cell = escaped(cell);
        if at == last || cell.is_empty() {
            format!("<td>{cell}</td>")
        } else {
            format!("<td><code>{cell}</code></td>")
        }
    });
    let cells: String = cells.collect();
    format!("<tr class=\"{class}\"><td>{}</td>{cells}</tr>\n", row.sign)
}

/// Returns `text` for HTML. No text becomes a link: an address may come from a registry.
pub(in crate::report) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
