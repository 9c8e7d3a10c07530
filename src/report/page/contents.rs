//! The contents of a page, whatever its format.

use crate::diagnostic::Diagnostic;
use crate::report::rows::{TableRow, TableSection};
use crate::report::{Style, clean};

/// The style of texts in a page: neither colours nor a width.
pub(in crate::report) const PLAIN: Style =
    Style { color: false, unicode: true, width: 100, limit: None, verbose: false };

/// A report as a page. Its texts are clean, but not escaped.
#[derive(Debug, Default)]
pub struct Page {
    /// The title, such as `brokkr-publish plan — refs/tags/v1.2.3 at 9f3c2ab`.
    pub(in crate::report) title: String,
    /// The sentence that sums it up.
    pub(in crate::report) summary: String,
    /// The tables.
    pub(in crate::report) tables: Vec<PageTable>,
    /// Texts of several lines whose columns matter.
    pub(in crate::report) remarks: Vec<String>,
    /// References that deployments should use.
    pub(in crate::report) references: Vec<String>,
    /// The problems, each with its way out.
    pub(in crate::report) problems: Vec<PageProblem>,
}

/// A table, such as the changes of a repository.
#[derive(Debug)]
pub(in crate::report) struct PageTable {
    pub name: String,
    pub aside: String,
    pub head: Vec<&'static str>,
    pub rows: Vec<PageRow>,
}

/// A row: its sign, and its cells.
#[derive(Debug)]
pub(in crate::report) struct PageRow {
    pub sign: char,
    pub cells: Vec<String>,
}

/// A diagnostic as a paragraph.
#[derive(Debug)]
pub(in crate::report) struct PageProblem {
    pub severity: &'static str,
    pub code: String,
    pub place: Option<String>,
    pub message: String,
    pub help: Option<String>,
}

impl PageTable {
    /// The table of a repository's tags.
    pub(in crate::report) fn of_tags(section: TableSection) -> Self {
        let cells = |row: TableRow| PageRow { sign: row.sign, cells: vec![row.name, row.value, row.why] };
        Self {
            name: section.name,
            aside: section.aside,
            head: vec!["tag", "digest", ""],
            rows: section.rows.into_iter().map(cells).collect(),
        }
    }
}

impl Page {
    /// A page for a command that ended before it had a result.
    pub fn failed(command: &str, problems: &[Diagnostic]) -> Self {
        let title = format!("brokkr-publish {command}");
        Self { title, summary: "Failed.".to_owned(), ..Self::default() }.with_problems(problems)
    }

    /// Adds problems.
    #[must_use]
    pub fn with_problems(mut self, problems: &[Diagnostic]) -> Self {
        let place = |diagnostic: &Diagnostic| {
            let label = diagnostic.labels.first()?;
            let line = label.place.position().0;
            Some(clean::line(&format!("{}:{line}", label.place.source.name)))
        };
        self.problems.extend(problems.iter().map(|it| PageProblem {
            severity: it.severity.as_str(),
            code: it.code.to_string(),
            place: place(it),
            message: clean::message(&it.message),
            help: it.help.as_deref().map(clean::message),
        }));
        self
    }

    /// Adds a text of several lines, unless it is empty.
    pub(in crate::report) fn remark(&mut self, text: &str) {
        let text = text.trim_matches('\n');
        if !text.is_empty() {
            self.remarks.push(text.to_owned());
        }
    }
}
