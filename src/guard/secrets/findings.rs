//! The findings of one search: bounded, each value once, and of several rules about the same bytes the first.

use super::Match;
use super::compiled::Rules;
use super::found::redacted;
use super::judge::Judged;
use super::places;
use crate::model::Severity;

/// The most findings of one rule in one file.
const MOST: usize = 20;

/// What was found so far.
pub(super) struct Findings<'r> {
    rules: &'r Rules,
    /// Whether the file is of tests or documentation.
    of_examples: bool,
    found: Vec<(Sighting, Match)>,
}

/// Where a rule saw a value.
#[derive(Clone, Copy)]
pub(super) struct Sighting {
    /// The position of the rule.
    pub position: usize,
    /// Where the value begins.
    pub at: u64,
    /// The length of the value, in bytes.
    pub length: usize,
    /// The line it begins in, from 1.
    pub line: Option<u64>,
}

impl Sighting {
    fn overlaps(&self, other: &Self) -> bool {
        self.at < other.at + other.length as u64 && other.at < self.at + self.length as u64
    }
}

impl<'r> Findings<'r> {
    pub(super) fn new(rules: &'r Rules, of_examples: bool) -> Self {
        Self { rules, of_examples, found: Vec::new() }
    }

    /// Whether no more findings of the rule at `position` are taken.
    pub(super) fn is_full(&self, position: usize) -> bool {
        self.found.iter().filter(|(it, _)| it.position == position).count() >= MOST
    }

    /// The severity of the rule at `position`.
    pub(super) fn severity(&self, position: usize) -> Severity {
        self.rules.all().get(position).map_or(Severity::Low, |it| it.severity)
    }

    /// Takes a finding, unless it is known to be public or was found before.
    pub(super) fn note(&mut self, sighting: Sighting, judged: &Judged<'_>) {
        let Some(rule) = self.rules.all().get(sighting.position) else { return };
        let Some(fingerprint) = judged.fingerprint() else { return };
        let known = |(it, found): &(Sighting, Match)| {
            it.position == sighting.position && found.fingerprint == fingerprint
        };
        if self.is_full(sighting.position) || self.found.iter().any(known) {
            return;
        }
        let found = Match {
            rule: rule.id,
            severity: places::weighed(judged.severity, self.of_examples),
            line: sighting.line,
            redacted: judged.shown.clone().unwrap_or_else(|| redacted(&judged.value)),
            fingerprint,
        };
        self.found.push((sighting, found));
    }

    /// All of them, in order. Of rules that found overlapping bytes or the same value the first is told, with the highest
    /// severity of theirs.
    pub(super) fn into_matches(self) -> Vec<Match> {
        let mut found = self.found;
        found.sort_by_key(|(it, _)| (it.position, it.at));
        let mut kept: Vec<(Sighting, Match)> = Vec::new();
        for (sighting, found) in found {
            let same = |(it, other): &&mut (Sighting, Match)| {
                it.position < sighting.position
                    && (it.overlaps(&sighting) || other.fingerprint == found.fingerprint)
            };
            let mut known = false;
            for (_, other) in kept.iter_mut().filter(same) {
                other.severity = other.severity.max(found.severity);
                known = true;
            }
            if !known {
                kept.push((sighting, found));
            }
        }
        kept.sort_by_key(|(it, _)| (it.at, it.position));
        kept.into_iter().map(|(_, found)| found).collect()
    }
}
