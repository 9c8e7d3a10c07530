//! Collects the results while a blob is searched: findings, names that remain to be searched, and files that could not be
//! searched. How a blob is read is in `blob`.

use super::{Hit, Searched, hidden_path};
use crate::Severity;
use crate::{Match, Rules};

/// How many findings of a blob are reported.
const MAX_HITS: usize = 1_000;
/// How many files that could not be searched are named for a blob.
const MAX_UNSEARCHED: usize = 50;
/// How many names of files are searched at once, and how many bytes of names.
const NAMES_AT_ONCE: usize = 1_024;
const NAME_BYTES_AT_ONCE: usize = 256 * 1024;
/// The size that all archives in a blob together may expand to, in bytes.
const INNER_TOTAL: u64 = 8 * 1024 * 1024 * 1024;

/// Searches the files that it is given, and collects the findings.
pub(super) struct Finder<'r> {
    pub(super) rules: &'r Rules,
    pub(super) searched: Searched,
    /// Names of files, or other texts about files, that remain to be searched, and the total number of their bytes.
    names: (Vec<(String, Option<String>)>, usize),
    /// How many more bytes the archives in the blob may expand to.
    pub(super) left: u64,
    /// How many findings, and how many files that could not be searched, were left out for lack of room.
    omitted: (usize, usize),
}

impl<'r> Finder<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        let searched = Searched { complete: true, ..Searched::default() };
        Self { rules, searched, names: (Vec::new(), 0), left: INNER_TOTAL, omitted: (0, 0) }
    }

    /// Notes the findings in a file.
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

    /// Makes room for a finding of `severity` by dropping the last of the least severe findings, if those are less severe. `first` is
    /// the index of the file's first finding.
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

    /// Notes the findings in the raw bytes of an archive, except those that were found in its files already. The findings of its
    /// files begin at index `first`.
    pub(super) fn found_beside(&mut self, first: usize, path: Option<&str>, found: Vec<Match>) {
        // If room was made, they begin earlier, and a finding may be reported twice.
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

    /// Searches a short text about a file: an attribute, or the target of a link.
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

    /// Searches the collected names in one search, because names are short and each search has a cost.
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
            // The name must be the same as in findings.
            self.searched.deleted.push(hidden_path(self.rules, path));
        }
    }

    /// Notes how many bytes a file expanded to.
    pub(super) fn expanded(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Notes a part of the blob that could not be searched.
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
