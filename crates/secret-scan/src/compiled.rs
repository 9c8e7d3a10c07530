//! All rules, compiled.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::keywords::Keywords;
use crate::rule::{Detection, FileLines, Rule};
use crate::settings::{SettingsReader, SettingsSyntax};
use crate::{command, judge, places, rules, settings_places};
use oci_registry::Digest;

/// The version of the code that applies the rules. It must be raised when the same rules find something else than before,
/// because remembered results of layers are valid only for one version.
const FORMAT: u32 = 4;

/// The rules, compiled. Any number of threads can share one set.
pub struct Rules {
    table: Vec<Rule>,
    patterns: Vec<OnceLock<Option<Regex>>>,
    pub(crate) keywords: Keywords,
    identity: Digest,
}

impl Rules {
    /// Returns the rules of this version. They are created once, and each pattern is compiled when it is first needed.
    pub fn standard() -> &'static Self {
        // A constant table, made when it is first needed; nothing changes it.
        static STANDARD: OnceLock<Rules> = OnceLock::new();
        STANDARD.get_or_init(|| Self::new(rules::all()))
    }

    fn new(table: Vec<Rule>) -> Self {
        let near = table.iter().enumerate().filter_map(|(position, rule)| match rule.detection {
            Detection::Keyword(near) => Some((position, near)),
            _ => None,
        });
        let keywords = Keywords::new(
            near.flat_map(|(position, near)| near.keywords.iter().map(move |keyword| (*keyword, position))),
        );
        let identity = Digest::of(
            format!(
                "{FORMAT} {table:?} {} {} {} {:?}",
                judge::lists(),
                places::lists(),
                settings_places::lists(),
                command::texts()
            )
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

    /// Returns the positions of the rules about lines of the file `path`, which is plain.
    pub(crate) fn of_file(&self, path: &str, of_package: bool) -> Vec<usize> {
        let about = |rule: &Rule| match rule.detection {
            Detection::Lines(FileLines { files, .. }) | Detection::Variable(files) => {
                places::any_matches(path, files)
            }
            Detection::Setting => settings_places::syntax(path, of_package).is_some(),
            Detection::Command => settings_places::has_commands(path, of_package),
            Detection::Keyword(_) | Detection::FileName(_) | Detection::Lone | Detection::Structure => false,
        };
        self.table.iter().enumerate().filter(|(_, rule)| about(rule)).map(|(position, _)| position).collect()
    }

    /// Whether the file `path`, which is plain, is a file of variables, such as `.env`.
    pub(crate) fn is_of_variables(&self, path: &str) -> bool {
        let about = |rule: &Rule| match rule.detection {
            Detection::Variable(files) => places::any_matches(path, files),
            _ => false,
        };
        self.table.iter().any(about)
    }

    /// Returns the position of the rule about variables.
    pub(crate) fn of_variables(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.detection, Detection::Variable(_)))
    }

    /// Returns the reader of the settings in the file `path`, which is plain.
    pub(crate) fn settings_of(path: &str) -> SettingsReader {
        SettingsReader::new(settings_places::syntax(path, false).unwrap_or(SettingsSyntax::Program))
    }

    /// Returns the position of the rule about words that are all that a file holds.
    pub(crate) fn of_lone(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.detection, Detection::Lone))
    }

    /// Returns the position of the rule about commands.
    pub(crate) fn of_commands(&self) -> Option<usize> {
        self.table.iter().position(|rule| matches!(rule.detection, Detection::Command))
    }

    /// Returns the pattern of the rule at `position`, anchored at the start of the bytes.
    pub(crate) fn pattern(&self, position: usize) -> Option<&Regex> {
        let text = match self.table.get(position)?.detection {
            Detection::Keyword(near) => near.pattern,
            Detection::Lines(lines) => lines.pattern,
            _ => return None,
        };
        self.patterns
            .get(position)?
            .get_or_init(|| RegexBuilder::new(&format!(r"\A(?:{text})")).unicode(false).build().ok())
            .as_ref()
    }
}
