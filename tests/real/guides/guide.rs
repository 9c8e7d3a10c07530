//! A page of `docs/guides` as a list of actions of the reader: commands with the output that it shows, in the order of the page.
//! `guides.rs` runs them. CONTRIBUTING.md describes the conventions for authors of guides.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An action of the reader.
pub enum GuideStep {
    /// `<!-- before … -->`: actions of others, or actions that the page mentions but does not show. They must succeed.
    Before(Vec<GuideCommand>),
    /// `<!-- file: NAME -->`, and a block: the content that the reader writes to a file of that name.
    File { name: String, text: String },
    /// A `sh` block, whose commands must succeed.
    Shell(Vec<GuideCommand>),
    /// A `console` block: each command, and the lines of the page that show its output.
    Console(Vec<(GuideCommand, Range<usize>)>),
    /// A `yaml` block, a whole workflow of GitHub Actions, and the event that starts it.
    Workflow { line: usize, event: Vec<String>, text: String },
}

/// A command from the page, on one line.
pub struct GuideCommand {
    /// Its line number, counted from 1.
    pub line: usize,
    pub text: String,
}

/// A guide.
pub struct GuidePage {
    path: PathBuf,
    lines: Vec<String>,
}

impl GuidePage {
    pub fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides").join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { path, lines: text.lines().map(str::to_owned).collect() }
    }

    /// The first `toml` block, which is the `publish.toml` of the page.
    pub fn configuration(&self) -> String {
        let from = self.lines.iter().position(|line| line == "```toml").expect("a block of toml");
        let to = self.end(from + 1, "```");
        self.lines[from + 1..to].join("\n") + "\n"
    }

    /// All actions, in the order of the page.
    pub fn steps(&self) -> Vec<GuideStep> {
        let (mut steps, mut event, mut file, mut at) = (Vec::new(), None, None, 0);
        while let Some(line) = self.lines.get(at) {
            let from = at + 1;
            at = from;
            if line == "<!-- before" {
                at = self.end(from, "-->");
                steps.push(GuideStep::Before(self.commands(from..at)));
            } else if let Some(name) = line.strip_prefix("<!-- file: ") {
                file = Some(name.strip_suffix(" -->").expect("the end of the comment").to_owned());
            } else if let Some(words) = line.strip_prefix("<!-- workflow: ") {
                let words = words.strip_suffix(" -->").expect("the end of the comment");
                event = Some(words.split(' ').map(str::to_owned).collect());
            } else if let Some(language) = line.trim_start().strip_prefix("```") {
                assert!(line.starts_with('`'), "{}: a block that is indented is not run", self.at(from));
                at = self.end(from, "```");
                match language {
                    _ if file.is_some() => steps.push(GuideStep::File {
                        name: file.take().unwrap_or_default(),
                        text: self.lines[from..at].join("\n") + "\n",
                    }),
                    "sh" => steps.push(GuideStep::Shell(self.commands(from..at))),
                    "console" => steps.push(GuideStep::Console(self.console(from..at))),
                    "yaml" => steps.push(GuideStep::Workflow {
                        line: from + 1,
                        event: event.take().unwrap_or_else(|| {
                            panic!("{}: for which event? <!-- workflow: … -->", self.at(from));
                        }),
                        text: self.lines[from..at].join("\n"),
                    }),
                    "toml" | "text" => {}
                    other => panic!("{}: how is `{other}` run?", self.at(from)),
                }
                at += 1;
            }
        }
        assert!(event.is_none(), "an event without a workflow");
        steps
    }

    /// The position of `close`, searched from `from` on.
    fn end(&self, from: usize, close: &str) -> usize {
        let found = self.lines[from..].iter().position(|line| line == close);
        from + found.unwrap_or_else(|| panic!("{}: is not closed", self.at(from)))
    }

    /// `PAGE:LINE`.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.file_name().unwrap().to_string_lossy())
    }

    /// One command per line; a backslash at the end of a line continues the command on the next one.
    fn commands(&self, range: Range<usize>) -> Vec<GuideCommand> {
        let mut commands = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let (text, next) = self.command(at);
            if !text.trim().is_empty() {
                commands.push(GuideCommand { line: at + 1, text });
            }
            at = next;
        }
        commands
    }

    fn command(&self, mut at: usize) -> (String, usize) {
        let mut text = self.lines[at].clone();
        while text.ends_with('\\') {
            text.pop();
            at += 1;
            text.push_str(self.lines[at].trim_start());
        }
        (text, at + 1)
    }

    fn console(&self, range: Range<usize>) -> Vec<(GuideCommand, Range<usize>)> {
        let mut commands: Vec<(GuideCommand, Range<usize>)> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            if self.lines[at].starts_with("$ ") {
                let (text, next) = self.command(at);
                commands.push((GuideCommand { line: at + 1, text: text[2..].to_owned() }, next..next));
                at = next;
            } else {
                let shown = commands.last_mut().unwrap_or_else(|| panic!("{}: no command", self.at(at + 1)));
                at += 1;
                shown.1.end = at;
            }
        }
        commands
    }

    /// The output that the page shows.
    pub fn shown(&self, lines: &Range<usize>) -> &[String] {
        &self.lines[lines.clone()]
    }

    /// Rewrites the page with other output in these places, which are in the order of the page.
    pub fn rewrite(mut self, outputs: Vec<(Range<usize>, Vec<String>)>) {
        for (lines, output) in outputs.into_iter().rev() {
            self.lines.splice(lines, output);
        }
        fs::write(&self.path, self.lines.join("\n") + "\n").expect("written");
    }
}

/// Whether output matches the output that a page shows. `…` alone on a line stands for any lines, and blobs that are pushed or mounted in
/// parallel may finish in any order.
pub fn is_shown(shown: &[String], output: &[String]) -> bool {
    let (shown, output) = (in_order(shown), in_order(output));
    let mut parts = shown.split(|line| line == "…");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = output.strip_prefix(first) else { return false };
    let mut parts: Vec<&[String]> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let found = (0..=rest.len()).find(|at| rest[*at..].starts_with(part));
        let Some(found) = found else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

fn in_order(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for group in lines.chunk_by_mut(|one, next| [one, next].iter().all(|line| is_of_blob(line))) {
        group.sort();
    }
    lines
}

/// Both outputs side by side, for the failure message.
pub fn difference(shown: &[String], output: &[String]) -> String {
    let mut text = String::new();
    for (title, lines) in [("the page shows", shown), ("the program printed", output)] {
        let _ = writeln!(text, "----- {title}");
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// Whether a line reports a blob. Blobs are sent at the same time, and end in any order.
fn is_of_blob(line: &str) -> bool {
    ["  pushed ", "  mounted "].iter().any(|start| line.starts_with(start))
}
