//! The search of one file or text, in pieces of any size.
//!
//! The matches do not depend on the sizes of the pieces, because every keyword is examined with the same bytes around it. For that,
//! the last [`REACH`] bytes are kept from piece to piece, and nothing else.

use std::ops::Range;

use oci_registry::Digest;

use crate::compiled::Rules;
use crate::keyword_match::{KeywordSpot, may_begin, secret_at};
use crate::line_rules::{Assignment, note_line, note_variable};
use crate::lines::{Line, LineReader, assignments};
use crate::matches::Match;
use crate::rule::Detection;
use crate::settings::SettingsReader;
use crate::severity::SecretSeverity;
use crate::text_matches::{Sighting, TextMatches};
use crate::work_budget::WorkBudget;
use crate::{command, judge, places, settings_places};

/// How many bytes before a keyword a pattern may begin.
const BEFORE: usize = 256;
/// How many bytes after the start of a keyword a pattern may end.
const AFTER: usize = 2048;
/// How many bytes a rule sees around a keyword.
const REACH: usize = BEFORE + AFTER;
/// Fewer bytes than this are collected before they are searched.
const LEAST: usize = 4 * REACH;
/// The work to judge and note a match, in bytes that are looked at.
const NOTED: usize = 256;
/// The number of first bytes of a key in DER that identify it.
const HEAD_OF_KEY: usize = 256;
/// The size of the largest file that may hold nothing but a secret.
const LONE: usize = 1024;
/// The number of first bytes in which a zero byte marks binary data, the same as in git. Binary data has no lines.
const SNIFFED: usize = 8000;

/// A search in progress. Its memory is bounded, whatever the size of the data.
pub struct TextSearch<'r> {
    rules: &'r Rules,
    matches: TextMatches<'r>,
    /// The rules that look at whole lines.
    lines: Option<(LineReader, LineRules)>,
    /// The bytes that are not decided yet, and the bytes before them.
    rest: Vec<u8>,
    /// The offset at which `rest` begins.
    start: u64,
    /// The offset up to which every keyword was examined.
    decided: u64,
    /// Whether the data is binary. `None` until the first bytes are searched.
    binary: Option<bool>,
    /// The number of newlines before `decided`.
    newlines: u64,
    /// How much work the patterns may still do, and how many keywords were not looked at when there was none left.
    work: WorkBudget,
    /// Whether a word that is all that the file holds may be a secret, and whether it is a file of secrets.
    lone: Option<bool>,
}

/// The rules that look at each line, by their positions.
enum LineRules {
    /// For a file with certain names: patterns, and the rules about variables, settings and commands.
    File(Vec<usize>, SettingsReader),
    /// For a text that is not a file: the rule about variables looks at its words.
    Words(usize),
}

impl Rules {
    /// Starts a search of the contents of the file `path`, or of a text that is not a file, such as a label.
    pub fn text_search<'r>(&'r self, path: Option<&str>) -> TextSearch<'r> {
        TextSearch::new(self, path)
    }

    /// Returns the matches in `bytes`: the contents of the file `path`, or a text that is not a file.
    pub fn search_bytes(&self, path: Option<&str>, bytes: &[u8]) -> Vec<Match> {
        let mut search = self.text_search(path);
        search.push(bytes);
        search.finish()
    }

    /// Returns the match in the name of the file `path`, if a file with this name is a secret or often holds one. Templates such as
    /// `.env.example` have none.
    pub fn search_file_name(&self, path: &str) -> Option<Match> {
        let plain = places::plain(path);
        let rule = self.all().iter().find(|rule| places::any_matches(&plain, rule.file_names()))?;
        let name = plain.rsplit('/').next().unwrap_or_default();
        (!places::is_pattern(name)).then(|| Match {
            rule: rule.id,
            severity: places::weighed(rule.severity, places::of_examples(&plain)),
            line: None,
            redacted: name.chars().map(|it| if it.is_control() { '?' } else { it }).take(80).collect(),
            fingerprint: Digest::of(path.as_bytes()),
            guessable: false,
        })
    }

    /// Returns the match of the rule `id` about the structure of the file `path`, which begins with `head`.
    pub(crate) fn search_key(&self, id: &str, path: &str, head: &[u8]) -> Option<Match> {
        let rule = self.all().iter().find(|rule| rule.id == id)?;
        let plain = places::plain(path);
        let severity =
            if settings_places::is_published(&plain) { SecretSeverity::Medium } else { rule.severity };
        Some(Match {
            rule: rule.id,
            severity: places::weighed(severity, places::of_examples(&plain)),
            line: None,
            redacted: "a key in DER".to_owned(),
            fingerprint: Digest::of(head.get(..HEAD_OF_KEY).unwrap_or(head)),
            guessable: false,
        })
    }

    /// Returns the matches in an environment variable, whose name counts too.
    pub fn search_variable(&self, name: &str, value: &str) -> Vec<Match> {
        let found = TextSearch::variable(self, name, value, true).finish();
        found.into_iter().map(|it| Match { line: None, ..it }).collect()
    }

    /// Returns the matches in a text with a name that is no variable of an image: a label, an annotation. A value that looks random
    /// counts only if the name is that of a secret.
    pub(crate) fn search_named(&self, name: &str, value: &str) -> Vec<Match> {
        let found = TextSearch::variable(self, name, value, false).finish();
        found.into_iter().map(|it| Match { line: None, ..it }).collect()
    }

    /// Returns the matches in an instruction or a command line: everything that [`Self::search_bytes`] finds, and values after options
    /// such as `--password`, in headers, and in text that is written to a `.netrc`. Lines are counted as there.
    pub fn search_command(&self, text: &str) -> Vec<Match> {
        TextSearch::command(self, text).finish()
    }
}

impl<'r> TextSearch<'r> {
    fn new(rules: &'r Rules, path: Option<&str>) -> Self {
        let plain = path.map(places::plain);
        let of_examples = plain.as_deref().is_some_and(places::of_examples);
        let of_package = plain.as_deref().is_some_and(settings_places::is_of_package);
        let is_published = plain.as_deref().is_some_and(|it| of_package && settings_places::is_published(it));
        let of_variables = plain.as_deref().is_some_and(|it| rules.is_of_variables(it));
        let lone =
            plain.as_deref().filter(|_| !of_variables).and_then(|it| settings_places::lone(it, of_package));
        let lines = match plain {
            Some(path) => Some(rules.of_file(&path, of_package))
                .filter(|it| !it.is_empty())
                .map(|it| LineRules::File(it, Rules::settings_of(&path))),
            None => rules.of_variables().map(LineRules::Words),
        };
        Self {
            rules,
            matches: TextMatches::new(rules, of_examples, of_variables).of_package(is_published),
            lines: lines.map(|it| (LineReader::default(), it)),
            rest: Vec::new(),
            start: 0,
            decided: 0,
            binary: None,
            newlines: 0,
            work: WorkBudget::default(),
            lone,
        }
    }

    /// Starts a search of one environment variable.
    fn variable(rules: &'r Rules, name: &str, value: &str, of_image: bool) -> Self {
        let matches = TextMatches::new(rules, false, true);
        let mut search = Self { lines: None, matches, ..Self::new(rules, None) };
        if let Some(position) = rules.of_variables() {
            let at = name.len() as u64 + 1;
            let assignment = Assignment { name: name.as_bytes(), value: value.as_bytes(), at, line: None };
            note_variable(&mut search.matches, position, &assignment, of_image);
        }
        search.push(format!("{name}={value}").as_bytes());
        search
    }

    /// Starts a search of an instruction or a command line.
    fn command(rules: &'r Rules, text: &str) -> Self {
        let mut search = Self { matches: TextMatches::new(rules, false, true), ..Self::new(rules, None) };
        let text = text.as_bytes();
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        if let Some(position) = rules.of_commands() {
            let severity = search.matches.severity(position);
            // The values of one pattern are in order, so newlines are counted from the value before, and not each time from the start.
            let (mut counted, mut lines) = (0, 0);
            for possible in command::values(text) {
                let (start, length) = (possible.value.start, possible.value.len());
                if start < counted {
                    (counted, lines) = (0, 0);
                }
                lines += newlines(part(counted..start));
                counted = start;
                if let Some(judgement) =
                    judge::option(severity, possible.name.map(part), part(possible.value))
                {
                    let (at, line) = (start as u64, Some(1 + lines));
                    search.matches.note(Sighting { position, at, length, line }, &judgement);
                }
            }
        }
        search.push(text);
        search
    }

    /// Searches the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.push_lines(Some(bytes));
        if self.rest.len() + bytes.len() < LEAST {
            self.rest.extend_from_slice(bytes);
            return;
        }
        self.sniff(bytes);
        let begin = self.start + self.rest.len() as u64;
        let end = begin + bytes.len() as u64;
        if bytes.len() < REACH {
            self.rest.extend_from_slice(bytes);
            let mut rest = std::mem::take(&mut self.rest);
            self.scan(&rest, self.start, end - AFTER as u64);
            rest.drain(..rest.len() - REACH);
            self.rest = rest;
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            if !rest.is_empty() {
                rest.extend_from_slice(bytes.get(..REACH).unwrap_or(bytes));
                self.scan(&rest, self.start, begin + BEFORE as u64);
            }
            self.scan(bytes, begin, end - AFTER as u64);
            rest.clear();
            rest.extend_from_slice(bytes.get(bytes.len() - REACH..).unwrap_or_default());
            self.rest = rest;
        }
        self.start = end - REACH as u64;
    }

    /// Returns the matches, in order. A value is reported once for each rule, at its first place.
    pub fn finish(mut self) -> Vec<Match> {
        self.push_lines(None);
        self.sniff(&[]);
        let rest = std::mem::take(&mut self.rest);
        let end = self.start + rest.len() as u64;
        self.scan(&rest, self.start, end);
        if self.start == 0 && self.binary != Some(true) {
            self.note_lone(&rest);
        }
        self.matches.into_matches()
    }

    /// Applies the rule about words that are all that a file holds to a small file.
    fn note_lone(&mut self, bytes: &[u8]) {
        let (Some(of_secrets), Some(position)) = (self.lone, self.rules.of_lone()) else { return };
        let lines = bytes.split(|it| *it == b'\n').map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
        let words: Vec<&[u8]> = lines.take(4).collect();
        let is_word = |it: &&[u8]| {
            let end = it.iter().position(|it| matches!(it, b'=' | b' '));
            end.is_none_or(|end| it.iter().skip(end).all(|it| *it == b'='))
        };
        if bytes.len() > LONE || words.len() > 3 || !words.iter().all(is_word) {
            return;
        }
        let mut from = 0;
        for word in words {
            let rest = bytes.get(from..).unwrap_or_default();
            let Some(found) = rest.windows(word.len()).position(|it| it == word) else { continue };
            let at = from + found;
            from = at + word.len();
            if let Some(judgement) = judge::lone(self.matches.severity(position), word, of_secrets) {
                let line = Some(1 + newlines(bytes.get(..at).unwrap_or_default()));
                self.matches.note(Sighting { position, at: at as u64, length: word.len(), line }, &judgement);
            }
        }
    }

    /// Returns how many keywords were not looked at, because the data consists of hardly anything else.
    pub(crate) fn skipped(&self) -> u64 {
        self.work.skipped
    }

    /// Decides once whether the data is binary, from the collected bytes and the bytes after them.
    fn sniff(&mut self, behind: &[u8]) {
        if self.binary.is_none() {
            let rest = self.rest.get(..SNIFFED).unwrap_or(&self.rest);
            let behind = behind.get(..SNIFFED - rest.len()).unwrap_or(behind);
            self.binary = Some(rest.contains(&0) || behind.contains(&0));
        }
    }

    /// Examines the keywords from `decided` up to `to` in `bytes`, which begin at `begin`.
    fn scan(&mut self, bytes: &[u8], begin: u64, to: u64) {
        let binary = self.binary.unwrap_or_default();
        let offset =
            |at: u64| usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(bytes.len());
        let (from, to_offset) = (offset(self.decided), offset(to));
        let rules = self.rules;
        let keywords = &rules.keywords;
        let searched = bytes.get(..bytes.len().min(to_offset + keywords.longest())).unwrap_or(bytes);
        self.work.earn(to_offset.saturating_sub(from));
        for (at, positions) in keywords.hits(searched, from).take_while(|(at, _)| *at < to_offset) {
            for position in positions {
                let seen = bytes.get(..bytes.len().min(at + AFTER)).unwrap_or(bytes);
                self.examine(&KeywordSpot { bytes: seen, at, binary, position: *position }, begin, from);
            }
        }
        if !binary {
            self.newlines += newlines(bytes.get(from..to_offset).unwrap_or_default());
        }
        self.decided = self.decided.max(to);
    }

    /// Applies a rule to a keyword in bytes that begin at `begin`. The newlines before `counted` are already counted.
    fn examine(&mut self, spot: &KeywordSpot<'_>, begin: u64, counted: usize) {
        let Some(rule) = self.rules.all().get(spot.position) else { return };
        let Detection::Keyword(near) = rule.detection else { return };
        if self.matches.is_full(spot.position) || !may_begin(&near, spot) || !self.work.spend() {
            return;
        }
        let Some((value, judgement)) = secret_at(self.rules, rule, &near, spot) else {
            // A long match that is no secret took long, too.
            self.work.charge(if near.is_long() { AFTER } else { 0 });
            return;
        };
        let line = (!spot.binary).then(|| {
            let later = newlines(spot.bytes.get(counted..value.start).unwrap_or_default());
            let earlier = newlines(spot.bytes.get(value.start..counted).unwrap_or_default());
            1 + self.newlines + later - earlier
        });
        self.work.charge(NOTED);
        let at = begin + value.start as u64;
        self.matches.note(Sighting { position: spot.position, at, length: value.len(), line }, &judgement);
    }

    /// Applies the rules about lines to the lines that end in `bytes`, or to the last line.
    fn push_lines(&mut self, bytes: Option<&[u8]>) {
        let Some((reader, line_rules)) = &mut self.lines else { return };
        if self.matches.is_weary() {
            self.work.skipped += 1;
            return;
        }
        let (rules, matches) = (self.rules, &mut self.matches);
        let mut each = |line: &Line<'_>| match line_rules {
            LineRules::Words(position) => {
                for (name, value) in assignments(line.text) {
                    note_variable(matches, *position, &Assignment::on(line, name, value), false);
                }
            }
            LineRules::File(positions, settings) => {
                for position in positions {
                    note_line(matches, rules, settings, *position, line);
                }
            }
        };
        match bytes {
            Some(bytes) => reader.push(bytes, &mut each),
            None => reader.end(&mut each),
        }
    }
}

/// Returns the number of newlines in `bytes`. It counts in runs that fit a byte, from which compilers make vector instructions:
/// twelve times the speed of counting one by one.
fn newlines(bytes: &[u8]) -> u64 {
    bytes.chunks(255).map(|run| u64::from(run.iter().map(|it| u8::from(*it == b'\n')).sum::<u8>())).sum()
}
