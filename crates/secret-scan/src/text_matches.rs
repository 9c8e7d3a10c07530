//! The matches in one text. They are bounded, each value occurs once, and the first of several rules about the same bytes wins.

use crate::compiled::Rules;
use crate::judge::Judgement;
use crate::matches::{Match, redacted};
use crate::places;
use crate::rule::{Detection, ValueCheck};
use crate::severity::SecretSeverity;

/// The most matches of one rule in one file. The worst are kept, and among equals the first.
const MOST: usize = 20;

/// The matches so far.
pub(crate) struct TextMatches<'r> {
    rules: &'r Rules,
    /// Whether the file belongs to tests or documentation.
    of_examples: bool,
    /// Whether the file belongs to a package, so that others published it.
    of_package: bool,
    /// Whether the text holds variables: a variable of an image, a command, or a file such as `.env`.
    of_variables: bool,
    /// How many matches were noted, known ones included.
    noted: u64,
    matches: Vec<(Sighting, Match)>,
}

/// The place at which a rule saw a value.
#[derive(Clone, Copy)]
pub(crate) struct Sighting {
    /// The position of the rule.
    pub position: usize,
    /// The offset at which the value begins.
    pub at: u64,
    /// The length of the value, in bytes.
    pub length: usize,
    /// The line in which the value begins, from 1.
    pub line: Option<u64>,
}

impl Sighting {
    fn overlaps(&self, other: &Self) -> bool {
        self.at < other.at + other.length as u64 && other.at < self.at + self.length as u64
    }
}

impl<'r> TextMatches<'r> {
    pub(crate) fn new(rules: &'r Rules, of_examples: bool, of_variables: bool) -> Self {
        Self { rules, of_examples, of_package: false, of_variables, noted: 0, matches: Vec::new() }
    }

    /// Sets whether the file belongs to a package.
    pub(crate) fn of_package(self, of_package: bool) -> Self {
        Self { of_package, ..self }
    }

    /// Whether no more matches of the rule at `position` are accepted: their number is at the limit, and no new one could be worse.
    pub(crate) fn is_full(&self, position: usize) -> bool {
        let of_rule = || self.matches.iter().filter(|(it, _)| it.position == position);
        of_rule().count() >= MOST && of_rule().all(|(_, it)| it.severity >= self.worst(position))
    }

    /// Returns the highest severity that a match of the rule at `position` can have here.
    fn worst(&self, position: usize) -> SecretSeverity {
        let Some(rule) = self.rules.all().get(position) else { return SecretSeverity::Low };
        let check = match rule.detection {
            Detection::Keyword(near) => Some(near.check),
            _ => None,
        };
        if check.is_some_and(ValueCheck::is_certain) {
            rule.severity
        } else if self.of_examples {
            SecretSeverity::Low
        } else if check == Some(ValueCheck::Jwt)
            || self.of_variables && check == Some(ValueCheck::InVariables)
        {
            SecretSeverity::High
        } else {
            self.weighed(check, rule.severity)
        }
    }

    /// Returns the severity of a finding of a rule with `check`: in a package, values of general forms are rarely secrets.
    fn weighed(&self, check: Option<ValueCheck>, severity: SecretSeverity) -> SecretSeverity {
        let is_general = self.of_package && check.is_some_and(ValueCheck::is_general);
        if is_general { severity.min(SecretSeverity::Medium) } else { severity }
    }

    /// Returns the severity of the rule at `position`.
    pub(crate) fn severity(&self, position: usize) -> SecretSeverity {
        self.rules.all().get(position).map_or(SecretSeverity::Low, |it| it.severity)
    }

    /// Whether so many matches were noted that the file consists of them.
    pub(crate) fn is_weary(&self) -> bool {
        self.noted > 200_000
    }

    /// Adds a match, unless the value is known to be public or was found before. If the matches of the rule are at the limit, it
    /// replaces the last of those with the lowest severity, provided that is lower than its own.
    pub(crate) fn note(&mut self, sighting: Sighting, judgement: &Judgement<'_>) {
        self.noted += 1;
        let Some(rule) = self.rules.all().get(sighting.position) else { return };
        let Some(fingerprint) = judgement.fingerprint() else { return };
        let severity = if self.of_variables { judgement.in_variables } else { judgement.severity };
        let check = match rule.detection {
            Detection::Keyword(near) => Some(near.check),
            _ => None,
        };
        let severity = if judgement.certain {
            severity
        } else {
            places::weighed(self.weighed(check, severity), self.of_examples)
        };
        let of_rule = |(it, _): &&mut (Sighting, Match)| it.position == sighting.position;
        if let Some((_, known)) =
            self.matches.iter_mut().filter(of_rule).find(|(_, it)| it.fingerprint == fingerprint)
        {
            known.severity = known.severity.max(severity);
            return;
        }
        if self.matches.iter_mut().filter(of_rule).count() >= MOST {
            let of_rule =
                self.matches.iter().enumerate().filter(|(_, (it, _))| it.position == sighting.position).rev();
            // `min_by_key` returns the first minimum, so the reversed order gives the last match of the lowest severity.
            let least = of_rule.min_by_key(|(_, (_, it))| it.severity);
            match least.map(|(index, (_, it))| (index, it.severity)) {
                Some((index, least)) if least < severity => self.matches.remove(index),
                _ => return,
            };
        }
        let found = Match {
            rule: rule.id,
            severity,
            line: sighting.line,
            redacted: judgement.shown.clone().unwrap_or_else(|| redacted(&judgement.value)),
            fingerprint,
            guessable: judgement.is_guessable(),
        };
        self.matches.push((sighting, found));
    }

    /// Returns all matches, in order. If rules found overlapping bytes or the same value, only the match of the first rule is kept,
    /// with the highest severity among them.
    pub(crate) fn into_matches(self) -> Vec<Match> {
        let mut all = self.matches;
        all.sort_by_key(|(it, _)| (it.position, it.at));
        let mut kept: Vec<(Sighting, Match)> = Vec::new();
        for (sighting, found) in all {
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
