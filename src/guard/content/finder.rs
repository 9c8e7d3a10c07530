//! What a search of a blob collects while it is led through it: findings, names that are to be searched, what could not be. How
//! a blob is read is in `blob`.

use super::super::secrets::{Match, Rules};
use super::{Hit, Searched, hidden_path};
use crate::model::Severity;

/// How many findings of a blob are told.
const MAX_HITS: usize = 1_000;
/// How many files of a blob are named that could not be searched.
const MAX_UNSEARCHED: usize = 50;
/// How many names of files are searched at once, and how many bytes of them.
const NAMES_AT_ONCE: usize = 1_024;
const NAME_BYTES_AT_ONCE: usize = 256 * 1024;
/// What all archives in a blob may expand to together, in bytes.
const INNER_TOTAL: u64 = 8 * 1024 * 1024 * 1024;

/// Searches what it is led through, and collects what is found.
pub(super) struct Finder<'r> {
    pub(super) rules: &'r Rules,
    pub(super) searched: Searched,
    /// Files with their names, or other texts about them, that are to be searched; and the bytes of these in all.
    names: (Vec<(String, Option<String>)>, usize),
    /// What archives in the blob may still expand to.
    pub(super) left: u64,
    /// How many findings, and files that could not be searched, there is no room for.
    omitted: (usize, usize),
}

impl<'r> Finder<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        let searched = Searched { complete: true, ..Searched::default() };
        Self { rules, searched, names: (Vec::new(), 0), left: INNER_TOTAL, omitted: (0, 0) }
    }

    /// Notes what was found in a file.
    pub(super) fn found(&mut self, path: Option<&str>, found: Vec<Match>) {
        let mut shown = None;
        let mut first = self.searched.hits.len();
        for found in found {
            let of_file = self.searched.hits.get(first..).unwrap_or_default();
            let same = |it: &Hit| it.found.rule == found.rule && it.found.fingerprint == found.fingerprint;
            if of_file.iter().any(same) {
                continue;
            }
            if self.searched.hits.len() >= MAX_HITS && !self.has_room(found.severity, &mut first) {
                continue;
            }
            let path = path.map(|path| shown.get_or_insert_with(|| hidden_path(self.rules, path)).clone());
            self.searched.hits.push(Hit { path, found });
        }
    }

    /// Makes room for a finding of `severity` where there is one that is less bad; of these the last goes. `first`: where the
    /// findings of the file begin.
    fn has_room(&mut self, severity: Severity, first: &mut usize) -> bool {
        let hits = &mut self.searched.hits;
        let least = hits.iter().map(|hit| hit.found.severity).min();
        self.omitted.0 += 1;
        if least.is_none_or(|least| least >= severity) {
            self.searched.high_left_out += usize::from(severity == Severity::High);
            return false;
        }
        if let Some(last) = hits.iter().rposition(|hit| Some(hit.found.severity) == least) {
            hits.remove(last);
            *first -= usize::from(last < *first);
        }
        true
    }

    /// Notes what was found in the bytes of an archive, but for what was found in its files, whose findings begin at `first`.
    pub(super) fn found_beside(&mut self, first: usize, path: Option<&str>, found: Vec<Match>) {
        // Where room was made, they begin before: then something may be told twice.
        let known = self.searched.hits.get(first..).unwrap_or_default();
        let new = |found: &Match| !known.iter().any(|hit| hit.found.fingerprint == found.fingerprint);
        let found = found.into_iter().filter(new).collect();
        self.found(path, found);
    }

    /// Searches the name of a file.
    pub(super) fn name(&mut self, path: &str) {
        if let Some(mut found) = self.rules.path(path) {
            found.redacted = hidden_path(self.rules, &found.redacted);
            self.found(Some(path), vec![found]);
        }
        self.text_of(path, None);
    }

    /// Searches a short text about a file: an attribute, where it leads to.
    pub(super) fn text(&mut self, path: &str, text: &[u8]) {
        if !text.is_empty() {
            self.text_of(path, Some(String::from_utf8_lossy(text).into_owned()));
        }
    }

    fn text_of(&mut self, path: &str, text: Option<String>) {
        self.names.1 += path.len() + text.as_ref().map_or(0, String::len);
        self.names.0.push((path.to_owned(), text));
        if self.names.0.len() >= NAMES_AT_ONCE || self.names.1 >= NAME_BYTES_AT_ONCE {
            self.search_names();
        }
    }

    /// Searches names that were noted, all at once: a name is short, and a search has its costs.
    pub(super) fn search_names(&mut self) {
        let (names, _) = std::mem::take(&mut self.names);
        let mut search = self.rules.text(None);
        for (name, text) in &names {
            search.push(text.as_ref().unwrap_or(name).replace('\n', " ").as_bytes());
            search.push(b"\n");
        }
        for mut found in search.finish() {
            let line = found.line.take().and_then(|line| usize::try_from(line).ok());
            let name = line.and_then(|line| names.get(line.checked_sub(1)?));
            self.found(name.map(|(name, _)| name.as_str()), vec![found]);
        }
    }

    /// Notes that a layer deletes something; folders end with a `/`.
    pub(super) fn deletes(&mut self, path: &str) {
        const MOST: usize = 10_000;
        if self.searched.deleted.len() < MOST {
            // As findings name it.
            self.searched.deleted.push(hidden_path(self.rules, path));
        }
    }

    /// Notes what a file expanded to.
    pub(super) fn expanded(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Notes what could not be searched.
    pub(super) fn note(&mut self, path: Option<&str>, reason: String) {
        if self.searched.unsearched.len() < MAX_UNSEARCHED {
            let path = path.map(|path| hidden_path(self.rules, path));
            self.searched.unsearched.push((path, reason));
        } else {
            self.omitted.1 += 1;
        }
    }

    pub(super) fn finish(mut self) -> Searched {
        let (hits, files) = self.omitted;
        if hits > 0 {
            self.searched
                .unsearched
                .push((None, format!("it has {hits} more findings, which are not listed")));
        }
        if files > 0 {
            let reason = format!("{files} more files in it were not searched to the end");
            self.searched.unsearched.push((None, reason));
        }
        self.searched
    }
}
