//! The search of one file or text, in pieces of any size.
//!
//! What is found does not depend on the sizes of the pieces: every keyword is looked at with the same bytes around it.
//! For that the last [`REACH`] bytes are kept from piece to piece, and nothing else.

use super::compiled::Rules;
use super::found::{Match, redacted};
use super::judge::{self, Verdict};
use super::places;
use super::rule::{Find, Near, Start};
use crate::model::{Digest, Severity};

/// How far before a keyword a pattern may begin, in bytes.
pub(super) const BEFORE: usize = 256;
/// How far behind the start of a keyword a pattern may end, in bytes.
pub(super) const AFTER: usize = 2048;
/// What a keyword is looked at with.
const REACH: usize = BEFORE + AFTER;
/// Less than this is gathered before it is searched.
const LEAST: usize = 4 * REACH;
/// Data with a zero byte among its first bytes, as many as git looks at, is binary and has no lines.
const SNIFFED: usize = 8000;
/// The most findings of one rule in one file.
const MOST: usize = 20;

/// A search under way.
pub struct Search<'r> {
    rules: &'r Rules,
    /// Whether the file is of tests or documentation.
    of_examples: bool,
    /// What is not decided yet, and what stands before it.
    rest: Vec<u8>,
    /// Where `rest` begins.
    start: u64,
    /// Up to where every keyword was looked at.
    decided: u64,
    /// None until the first bytes were searched.
    binary: Option<bool>,
    /// The newlines before `decided`.
    newlines: u64,
    found: Vec<Found>,
}

struct Found {
    rule: usize,
    at: u64,
    end: u64,
    found: Match,
}

impl<'r> Search<'r> {
    pub(super) fn new(rules: &'r Rules, path: Option<&str>) -> Self {
        Self {
            rules,
            of_examples: path.is_some_and(places::of_examples),
            rest: Vec::new(),
            start: 0,
            decided: 0,
            binary: None,
            newlines: 0,
            found: Vec::new(),
        }
    }

    /// Searches the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.rest.len() + bytes.len() < LEAST {
            self.rest.extend_from_slice(bytes);
            return;
        }
        let begin = self.start + self.rest.len() as u64;
        let end = begin + bytes.len() as u64;
        if bytes.len() < REACH {
            self.rest.extend_from_slice(bytes);
            let rest = std::mem::take(&mut self.rest);
            self.scan(&rest, self.start, end - AFTER as u64);
            self.rest = rest;
            self.rest.drain(..self.rest.len() - REACH);
        } else {
            if !self.rest.is_empty() {
                self.rest.extend_from_slice(bytes.get(..REACH).unwrap_or(bytes));
                let rest = std::mem::take(&mut self.rest);
                self.scan(&rest, self.start, begin + BEFORE as u64);
                self.rest = rest;
            }
            self.scan(bytes, begin, end - AFTER as u64);
            self.rest.clear();
            self.rest.extend_from_slice(bytes.get(bytes.len() - REACH..).unwrap_or_default());
        }
        self.start = end - REACH as u64;
    }

    /// What was found, in order.
    pub fn finish(mut self) -> Vec<Match> {
        let rest = std::mem::take(&mut self.rest);
        let end = self.start + rest.len() as u64;
        self.scan(&rest, self.start, end);
        self.found.sort_by_key(|it| (it.at, it.rule));
        self.found.into_iter().map(|it| it.found).collect()
    }

    /// Looks at an environment variable, or at a line that sets one.
    #[allow(clippy::unused_self)]
    pub(super) fn variable(&mut self, _name: &[u8], _value: &[u8]) {}

    /// Looks at the keywords from `decided` up to `to` in `bytes`, which begin at `begin`.
    fn scan(&mut self, bytes: &[u8], begin: u64, to: u64) {
        let binary = *self.binary.get_or_insert_with(|| bytes.iter().take(SNIFFED).any(|it| *it == 0));
        let offset = |at: u64| usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX);
        let (from, to_offset) = (offset(self.decided), offset(to).min(bytes.len()));
        let keywords = &self.rules.keywords;
        let searched = bytes.get(..bytes.len().min(to_offset + keywords.longest())).unwrap_or(bytes);
        let mut next = from;
        while let Some((at, rules)) = keywords.next(searched, next) {
            if at >= to_offset {
                break;
            }
            for rule in rules {
                self.look(bytes, begin, at, *rule, (from, binary));
            }
            next = at + 1;
        }
        if !binary {
            self.newlines += newlines(bytes.get(from..to_offset).unwrap_or_default());
        }
        self.decided = self.decided.max(to);
    }

    fn look(&mut self, bytes: &[u8], begin: u64, at: usize, position: usize, (from, binary): (usize, bool)) {
        let Some(rule) = self.rules.all().get(position) else { return };
        let Find::Near(near) = rule.find else { return };
        if self.found.iter().filter(|it| it.rule == position).count() >= MOST {
            return;
        }
        let window = bytes.get(..bytes.len().min(at + AFTER)).unwrap_or(bytes);
        let Some((first, last, verdict)) = self.candidate(window, at, position, &near) else { return };
        let value = window.get(first..last).unwrap_or_default();
        let (Verdict::Likely(severity) | Verdict::Proven(severity)) = verdict else { return };
        let severity = if self.of_examples { Severity::Low } else { severity };
        let fingerprint = Digest::of(value);
        if self.found.iter().any(|it| it.rule == position && it.found.fingerprint == fingerprint) {
            return;
        }
        let line = (!binary).then(|| {
            let before = newlines(bytes.get(from..first).unwrap_or_default());
            let behind = newlines(bytes.get(first..from).unwrap_or_default());
            1 + self.newlines + before - behind
        });
        self.found.push(Found {
            rule: position,
            at: begin + first as u64,
            end: begin + last as u64,
            found: Match { rule: rule.id, severity, line, redacted: redacted(value), fingerprint },
        });
    }

    /// The value that the rule sees at a keyword, and what is thought of it.
    fn candidate(
        &self,
        window: &[u8],
        at: usize,
        position: usize,
        near: &Near,
    ) -> Option<(usize, usize, Verdict)> {
        let start = match near.start {
            Start::Here => at,
            Start::Back(count) => at.checked_sub(count)?,
            Start::Run | Start::Text(_) => return None,
        };
        let captures = self.rules.pattern(position)?.captures(window.get(start..)?)?;
        let value = captures.name("value").or_else(|| captures.get(0))?;
        let rule = self.rules.all().get(position)?;
        let verdict = judge::judge(rule, near, value.as_bytes());
        Some((start + value.start(), start + value.end(), verdict))
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|it| **it == b'\n').count() as u64
}
