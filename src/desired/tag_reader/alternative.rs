//! The tags that a rule renders on one kind of event.

use std::collections::BTreeSet;

use super::class::{self, Shape};
use super::pieces::TagPiece;
use super::probes::Probe;
use crate::desired::template::Templates;
use crate::desired::values::Values;
use crate::model::version::{ReleaseVersion, VersionScheme};

/// The pattern of the tags that a rule renders on one kind of event.
#[derive(Debug, Clone)]
pub(super) struct Alternative {
    pub pieces: Vec<TagPiece>,
    /// Whether `when` has to be evaluated, because it uses values that the tag shows.
    pub asks_when: bool,
    /// The git tags on which the rule fires, if a version shows the git tag.
    pub git_tag: Option<GitTagPattern>,
    /// The scheme of the versions.
    pub scheme: VersionScheme,
    pub values: Values,
    /// Contexts of runs that might happen.
    pub probes: Vec<Probe>,
}

/// The git tags on which a rule fires: one of the prefixes and a version, which together match one of the globs.
#[derive(Debug, Clone)]
pub(super) struct GitTagPattern {
    pub prefixes: Vec<String>,
    pub globs: Vec<Shape>,
}

impl Alternative {
    /// Whether `when` and the globs of git tags hold for some run that renders these parts.
    pub fn holds(&self, parts: &[BTreeSet<&str>], templates: &Templates, when: Option<&str>) -> bool {
        if !self.asks_when && self.git_tag.is_none() {
            return true;
        }
        let only = |variable: &str| -> Option<&str> {
            let of_variable = self.pieces.iter().zip(parts).find(|(piece, _)| piece.is_of(variable));
            of_variable.and_then(|(_, texts)| if texts.len() == 1 { texts.first().copied() } else { None })
        };
        let number = |variable: &str| only(variable).unwrap_or("0").to_owned();
        let Some(mut context) = self.probes.first().map(|probe| probe.context.clone()) else { return false };
        context.pull_request = only("pr.number").and_then(|text| text.parse().ok()).or(context.pull_request);
        let full = only("version").map(|text| class::version(&self.scheme, text));
        // If only parts of the version are shown, the others are free. A release and a pre-release represent the
        // possible values.
        let candidates: Vec<ReleaseVersion> = match full {
            Some(version) => version.into_iter().collect(),
            None => ["", "rc.1"]
                .into_iter()
                .map(|free| {
                    let numbers = ["version.major", "version.minor", "version.patch"].map(number);
                    let pre = only("version.pre").unwrap_or(free);
                    let build = only("version.build").unwrap_or_default();
                    let version = ReleaseVersion::of_numbers(&self.scheme, numbers);
                    version.with_suffixes(pre, build)
                })
                .collect(),
        };
        candidates.into_iter().any(|version| {
            let named = self.git_tag.as_ref().is_none_or(|pattern| {
                let mut names = pattern.prefixes.iter().map(|prefix| format!("{prefix}{version}"));
                names.any(|name| pattern.globs.iter().any(|glob| glob.matches(&name)))
            });
            let asked = when.filter(|_| self.asks_when && named);
            let values = || self.values.with_context(&context).with_version(Ok(version.clone()));
            named && asked.is_none_or(|when| templates.test(when, &values()).unwrap_or_default())
        })
    }
}
