//! The reference lists every rule as it is in the code.

use std::fs;
use std::path::Path;

use secret_scan::Rules;

/// Returns the rows of a table: the rules about names of files, or all others.
fn table(about_names: bool) -> String {
    let rules = Rules::standard().all().iter().filter(|it| it.file_names().is_empty() != about_names);
    let rows = rules.map(|it| {
        let names = it.file_names();
        let names = if about_names { format!(" `{}`.", names.join("`, `")) } else { String::new() };
        format!("| `{}` | {} | {} | {}{names} |\n", it.id, it.severity, it.title, it.description)
    });
    format!(
        "| rule | severity | what it is | what is found |\n| --- | --- | --- | --- |\n{}",
        rows.collect::<String>()
    )
}

#[test]
fn the_reference_lists_every_rule() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/secrets.md");
    let mut page = fs::read_to_string(&file).expect("the reference");
    let written = page.clone();
    for (name, about_names) in [("contents", false), ("names", true)] {
        let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
        let start = page.find(&begin).expect("the table") + begin.len();
        let stop = page.find(&end).expect("the end of the table");
        page.replace_range(start..stop, &table(about_names));
    }
    if std::env::var_os("BROKKR_PUBLISH_UPDATE_SCHEMAS").is_some() {
        fs::write(&file, &page).expect("a file that can be written");
    } else {
        assert!(
            page == written,
            "docs/reference/secrets.md is not of these rules: run with BROKKR_PUBLISH_UPDATE_SCHEMAS=1"
        );
    }
}
