//! All rules, ready to be used.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::found::Match;
use super::keywords::Keywords;
use super::rule::{Find, Lines, Rule};
use super::search::Search;
use super::{command, judge, places, rules};
use crate::model::Digest;

/// Must be raised where the code finds something else by the same rules than before: what is remembered of layers goes
/// by it.
const FORMAT: u32 = 2;

/// The rules, compiled. One set serves any number of threads.
pub struct Rules {
    table: Vec<Rule>,
    patterns: Vec<OnceLock<Option<Regex>>>,
    pub(super) keywords: Keywords,
    identity: Digest,
}

impl Rules {
    /// The rules of this version. They are compiled once, and each pattern when it is first needed.
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

    /// A digest of all that decides what is found. What is remembered of a layer holds only under the same identity.
    pub fn identity(&self) -> &Digest {
        &self.identity
    }

    /// Every rule, in the order of the documentation.
    pub fn all(&self) -> &[Rule] {
        &self.table
    }

    /// The rule about the name of a file that `path`, of a layer, falls under. Patterns of files such as `.env.example` do
    /// not.
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

    /// A search of the contents of the file `path`; or of a text that is no file, such as a label or a command.
    pub fn text<'r>(&'r self, path: Option<&str>) -> Search<'r> {
        Search::new(self, path)
    }

    /// What is found in an environment variable, by its name too.
    pub fn variable(&self, name: &str, value: &str) -> Vec<Match> {
        let found = Search::variable(self, name, value).finish();
        found.into_iter().map(|it| Match { line: None, ..it }).collect()
    }

    /// What is found in an instruction or a command line: all that [`Self::text`] finds, and what stands behind options
    /// such as `--password`, in headers, and in what is written to a `.netrc`. Lines are counted as there.
    pub fn command(&self, text: &str) -> Vec<Match> {
        Search::command(self, text).finish()
    }

    /// The positions of the rules about lines of the file `path`, which is plain.
    pub(super) fn of_file(&self, path: &str) -> Vec<usize> {
        let about = |rule: &Rule| match rule.find {
            Find::Lines(Lines { files, .. }) | Find::Variable(files) => places::any_matches(path, files),
            Find::Near(_) | Find::Name(_) | Find::Command => false,
        };
        self.table.iter().enumerate().filter(|(_, rule)| about(rule)).map(|(position, _)| position).collect()
    }

    /// Whether the file `path`, which is plain, is one of variables: `.env`.
    pub(super) fn is_of_variables(&self, path: &str) -> bool {
        let about = |rule: &Rule| match rule.find {
            Find::Variable(files) => places::any_matches(path, files),
            _ => false,
        };
        self.table.iter().any(about)
    }

    /// The position of the rule about variables.
    pub(super) fn of_variables(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.find, Find::Variable(_)))
    }

    /// The position of the rule about commands.
    pub(super) fn of_commands(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.find, Find::Command))
    }

    /// The pattern of the rule at `position`, which is tried at the start of what it is given.
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
