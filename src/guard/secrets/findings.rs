//! The findings of one search: bounded, each value once, and of several rules about the same bytes the first.

use super::Match;
use super::compiled::Rules;
use super::found::redacted;
use super::judge::Judged;
use super::places;
use super::rule::{Check, Find};
use crate::model::Severity;

/// The most findings of one rule in one file: the worst, and of those the first.
const MOST: usize = 20;

/// What was found so far.
pub(super) struct Findings<'r> {
    rules: &'r Rules,
    /// Whether the file is of tests or documentation.
    of_examples: bool,
    /// Whether it is of variables: one of an image, a command, or a file such as `.env`.
    of_variables: bool,
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
    pub(super) fn new(rules: &'r Rules, of_examples: bool, of_variables: bool) -> Self {
        Self { rules, of_examples, of_variables, found: Vec::new() }
    }

    /// Whether no more findings of the rule at `position` are taken: there are as many as there may be, and none could
    /// become worse by another.
    pub(super) fn is_full(&self, position: usize) -> bool {
        let of_rule = || self.found.iter().filter(|(it, _)| it.position == position);
        of_rule().count() >= MOST && of_rule().all(|(_, it)| it.severity >= self.worst(position))
    }

    /// The highest severity that a finding of the rule at `position` may have here.
    fn worst(&self, position: usize) -> Severity {
        let Some(rule) = self.rules.all().get(position) else { return Severity::Low };
        let check = match rule.find {
            Find::Near(near) => Some(near.check),
            _ => None,
        };
        if self.of_examples && !check.is_some_and(Check::is_certain) {
            Severity::Low
        } else if self.of_variables && check == Some(Check::InVariables) {
            Severity::High
        } else {
            rule.severity
        }
    }

    /// The severity of the rule at `position`.
    pub(super) fn severity(&self, position: usize) -> Severity {
        self.rules.all().get(position).map_or(Severity::Low, |it| it.severity)
    }

    /// Takes a finding, unless it is known to be public or was found before. Where there are as many of the rule as there
    /// may be, it takes the place of the last of a lower severity.
    pub(super) fn note(&mut self, sighting: Sighting, judged: &Judged<'_>) {
        let Some(rule) = self.rules.all().get(sighting.position) else { return };
        let Some(fingerprint) = judged.fingerprint() else { return };
        let severity = if self.of_variables { judged.in_variables } else { judged.severity };
        let severity = places::weighed(severity, self.of_examples && !judged.certain);
        let of_rule = |(it, _): &&mut (Sighting, Match)| it.position == sighting.position;
        if let Some((_, known)) =
            self.found.iter_mut().filter(of_rule).find(|(_, it)| it.fingerprint == fingerprint)
        {
            known.severity = known.severity.max(severity);
            return;
        }
        if self.found.iter_mut().filter(of_rule).count() >= MOST {
            let of_rule =
                self.found.iter().enumerate().filter(|(_, (it, _))| it.position == sighting.position).rev();
            // Of several of the lowest severity, the last: `min_by_key` gives the first, seen from the end.
            let least = of_rule.min_by_key(|(_, (_, it))| it.severity);
            match least.map(|(index, (_, it))| (index, it.severity)) {
                Some((index, least)) if least < severity => self.found.remove(index),
                _ => return,
            };
        }
        let found = Match {
            rule: rule.id,
            severity,
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
