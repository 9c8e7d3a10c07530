//! All rules, compiled.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::found::Match;
use super::keywords::Keywords;
use super::rule::{Find, Lines, Rule};
use super::search::Search;
use super::{command, judge, places, rules};
use oci_registry::Digest;

/// The version of the code that applies the rules. It must be raised when the same rules find something else than before,
/// because remembered results of layers are valid only for one version.
const FORMAT: u32 = 2;

/// The rules, compiled. Any number of threads can share one set.
pub struct Rules {
    table: Vec<Rule>,
    patterns: Vec<OnceLock<Option<Regex>>>,
    pub(super) keywords: Keywords,
    identity: Digest,
}

impl Rules {
    /// Returns the rules of this version. They are created once, and each pattern is compiled when it is first needed.
    pub fn standard() -> &'static Self {
        static STANDARD: OnceLock<Rules> = OnceLock::new();
        STANDARD.get_or_init(|| Self::new(rules::all()))
    }

    fn new(table: Vec<Rule>) -> Self {
        let near = table.iter().enumerate().filter_map(|(position, rule)| match rule.find {
            Find::Near(near) => Some((position, near)),
            _ => None,
        });
        let keywords = Keywords::new(
            near.flat_map(|(position, near)| near.keywords.iter().map(move |keyword| (*keyword, position))),
        );
        let identity = Digest::of(
            format!("{FORMAT} {table:?} {} {} {:?}", judge::lists(), places::lists(), command::texts())
                .as_bytes(),
        );
        Self { patterns: table.iter().map(|_| OnceLock::new()).collect(), table, keywords, identity }
    }

    /// Returns a digest of everything that decides what is found. Remembered results of a layer are valid only under the same identity.
    pub fn identity(&self) -> &Digest {
        &self.identity
    }

    /// Returns every rule, in the order of the documentation.
    pub fn all(&self) -> &[Rule] {
        &self.table
    }

    /// Returns the match of the rule about names of files that `path`, in a layer, falls under. Templates such as `.env.example` have
    /// none.
    pub fn path(&self, path: &str) -> Option<Match> {
        let plain = places::plain(path);
        let rule = self.table.iter().find(|rule| match rule.find {
            Find::Name(names) => places::any_matches(&plain, names),
            _ => false,
        })?;
        let name = plain.rsplit('/').next().unwrap_or_default();
        (!places::is_pattern(name)).then(|| Match {
            rule: rule.id,
            severity: places::weighed(rule.severity, places::of_examples(&plain)),
            line: None,
            redacted: name.chars().map(|it| if it.is_control() { '?' } else { it }).take(80).collect(),
            fingerprint: Digest::of(path.as_bytes()),
        })
    }

    /// Starts a search of the contents of the file `path`, or of a text that is not a file, such as a label or a command.
    pub fn text<'r>(&'r self, path: Option<&str>) -> Search<'r> {
        Search::new(self, path)
    }

    /// Returns the findings in an environment variable, whose name counts too.
    pub fn variable(&self, name: &str, value: &str) -> Vec<Match> {
        let found = Search::variable(self, name, value).finish();
        found.into_iter().map(|it| Match { line: None, ..it }).collect()
    }

    /// Returns the findings in an instruction or a command line: everything that [`Self::text`] finds, and values after options such
    /// as `--password`, in headers, and in text that is written to a `.netrc`. Lines are counted as there.
    pub fn command(&self, text: &str) -> Vec<Match> {
        Search::command(self, text).finish()
    }

    /// Returns the positions of the rules about lines of the file `path`, which is plain.
    pub(super) fn of_file(&self, path: &str) -> Vec<usize> {
        let about = |rule: &Rule| match rule.find {
            Find::Lines(Lines { files, .. }) | Find::Variable(files) => places::any_matches(path, files),
            Find::Near(_) | Find::Name(_) | Find::Command => false,
        };
        self.table.iter().enumerate().filter(|(_, rule)| about(rule)).map(|(position, _)| position).collect()
    }

    /// Whether the file `path`, which is plain, is a file of variables, such as `.env`.
    pub(super) fn is_of_variables(&self, path: &str) -> bool {
        let about = |rule: &Rule| match rule.find {
            Find::Variable(files) => places::any_matches(path, files),
            _ => false,
        };
        self.table.iter().any(about)
    }

    /// Returns the position of the rule about variables.
    pub(super) fn of_variables(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.find, Find::Variable(_)))
    }

    /// Returns the position of the rule about commands.
    pub(super) fn of_commands(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.find, Find::Command))
    }

    /// Returns the pattern of the rule at `position`, anchored at the start of the bytes.
    pub(super) fn pattern(&self, position: usize) -> Option<&Regex> {
        let text = match self.table.get(position)?.find {
            Find::Near(near) => near.pattern,
            Find::Lines(lines) => lines.pattern,
            Find::Name(_) | Find::Variable(_) | Find::Command => return None,
        };
        self.patterns
            .get(position)?
            .get_or_init(|| RegexBuilder::new(&format!(r"\A(?:{text})")).unicode(false).build().ok())
            .as_ref()
    }
}
