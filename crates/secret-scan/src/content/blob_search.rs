//! Collects the results while a blob is searched: matches, names that remain to be searched, and files that could not be
//! searched. `blob` reads the blob.

use std::io;

use super::file_search::FileSearch;
use super::report::{BlobReport, FileMatch, UnsearchedPart};
use crate::compiled::Rules;
use crate::display::redact_path;
use crate::matches::Match;
use crate::severity::SecretSeverity;

/// How many matches in a blob are reported.
const MAX_MATCHES: usize = 1_000;
/// How many files that could not be searched are named for a blob.
const MAX_UNSEARCHED: usize = 50;
/// How many names of files are searched at once, and how many bytes of names.
const NAMES_AT_ONCE: usize = 1_024;
const NAME_BYTES_AT_ONCE: usize = 256 * 1024;
/// The size that all archives in a blob together may expand to, in bytes.
const INNER_TOTAL: u64 = 8 * 1024 * 1024 * 1024;

/// Why a search of a blob stops early.
pub(super) enum WalkError {
    /// Reading failed; the reader knows the original error.
    Io(io::Error),
    /// An archive is damaged.
    Malformed(String),
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The name of a file, or another text about it, that remains to be searched.
struct PendingText {
    path: String,
    /// The text. `None` if it is the name itself.
    text: Option<String>,
}

/// Searches the files that it is given, and collects the matches.
pub(super) struct BlobSearch<'r> {
    pub(super) rules: &'r Rules,
    pub(super) report: BlobReport,
    /// The texts about files that remain to be searched.
    pending: Vec<PendingText>,
    /// The total number of their bytes.
    pending_bytes: usize,
    /// How many more bytes the archives in the blob may expand to.
    pub(super) left: u64,
    /// How many matches were left out for lack of room.
    omitted_matches: usize,
    /// How many files that could not be searched were left out for lack of room.
    omitted_files: usize,
}

impl<'r> BlobSearch<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            report: BlobReport { complete: true, ..BlobReport::default() },
            pending: Vec::new(),
            pending_bytes: 0,
            left: INNER_TOTAL,
            omitted_matches: 0,
            omitted_files: 0,
        }
    }

    /// Adds the matches of a search that is done.
    pub(super) fn add_search(&mut self, path: Option<&str>, search: FileSearch<'_>) {
        let (found, unsearched) = search.finish();
        self.add_matches(path, found);
        if let Some(reason) = unsearched {
            self.note_unsearched(path, reason);
        }
    }

    /// Adds the matches in a file.
    pub(super) fn add_matches(&mut self, path: Option<&str>, found: Vec<Match>) {
        let mut shown = None;
        let mut first = self.report.matches.len();
        for found in found {
            let of_file = self.report.matches.get(first..).unwrap_or_default();
            let same =
                |it: &FileMatch| it.found.rule == found.rule && it.found.fingerprint == found.fingerprint;
            if of_file.iter().any(same) {
                continue;
            }
            if self.report.matches.len() >= MAX_MATCHES && !self.has_room(found.severity, &mut first) {
                continue;
            }
            let path = path.map(|path| shown.get_or_insert_with(|| redact_path(self.rules, path)).clone());
            self.report.matches.push(FileMatch { path, found });
        }
    }

    /// Makes room for a match of `severity` by dropping the last of the least severe matches, if those are less severe. `first` is the
    /// index of the file's first match.
    fn has_room(&mut self, severity: SecretSeverity, first: &mut usize) -> bool {
        let matches = &mut self.report.matches;
        let least = matches.iter().map(|hit| hit.found.severity).min();
        self.omitted_matches += 1;
        if least.is_none_or(|least| least >= severity) {
            self.report.high_left_out += usize::from(severity == SecretSeverity::High);
            return false;
        }
        if let Some(last) = matches.iter().rposition(|hit| Some(hit.found.severity) == least) {
            matches.remove(last);
            *first -= usize::from(last < *first);
        }
        true
    }

    /// Adds the matches in the raw bytes of an archive, except those that were found in its files already. The matches in its files
    /// begin at index `first`.
    pub(super) fn add_matches_beside(&mut self, first: usize, path: Option<&str>, found: Vec<Match>) {
        // If room was made, they begin earlier, and a match may be reported twice.
        let known = self.report.matches.get(first..).unwrap_or_default();
        let new = |found: &Match| !known.iter().any(|hit| hit.found.fingerprint == found.fingerprint);
        let found = found.into_iter().filter(new).collect();
        self.add_matches(path, found);
    }

    /// Searches the name of a file.
    pub(super) fn name(&mut self, path: &str) {
        if let Some(mut found) = self.rules.search_file_name(path) {
            found.redacted = redact_path(self.rules, &found.redacted);
            self.add_matches(Some(path), vec![found]);
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
        self.pending_bytes += path.len() + text.as_ref().map_or(0, String::len);
        self.pending.push(PendingText { path: path.to_owned(), text });
        if self.pending.len() >= NAMES_AT_ONCE || self.pending_bytes >= NAME_BYTES_AT_ONCE {
            self.search_names();
        }
    }

    /// Searches the collected names in one search, because names are short and each search has a cost.
    pub(super) fn search_names(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let mut search = self.rules.text_search(None);
        for PendingText { path, text } in &pending {
            search.push(text.as_ref().unwrap_or(path).replace('\n', " ").as_bytes());
            search.push(b"\n");
        }
        for mut found in search.finish() {
            let line = found.line.take().and_then(|line| usize::try_from(line).ok());
            let about = line.and_then(|line| pending.get(line.checked_sub(1)?));
            self.add_matches(about.map(|it| it.path.as_str()), vec![found]);
        }
    }

    /// Notes that a layer deletes something; folders end with a `/`.
    pub(super) fn deletes(&mut self, path: &str) {
        const MOST: usize = 10_000;
        if self.report.deleted.len() < MOST {
            // The name must be the same as in matches.
            self.report.deleted.push(redact_path(self.rules, path));
        }
    }

    /// Notes how many bytes a file expanded to.
    pub(super) fn expanded(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Notes a part of the blob that could not be searched.
    pub(super) fn note_unsearched(&mut self, path: Option<&str>, reason: String) {
        if self.report.unsearched.len() < MAX_UNSEARCHED {
            let path = path.map(|path| redact_path(self.rules, path));
            self.report.unsearched.push(UnsearchedPart { path, reason });
        } else {
            self.omitted_files += 1;
        }
    }

    pub(super) fn finish(mut self) -> BlobReport {
        let (matches, files) = (self.omitted_matches, self.omitted_files);
        if matches > 0 {
            let reason = format!("it has {matches} more findings, which are not listed");
            self.report.unsearched.push(UnsearchedPart { path: None, reason });
        }
        if files > 0 {
            let reason = format!("{files} more files in it were not searched to the end");
            self.report.unsearched.push(UnsearchedPart { path: None, reason });
        }
        self.report
    }
}
