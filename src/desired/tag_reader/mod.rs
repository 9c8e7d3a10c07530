//! Reads tags back: decides whether a tag of a registry is exactly one that a tag rule can render.
//!
//! A template is not a pattern, so it is tried out: it is rendered with values that can be found in the output, then
//! with others, to check that it treats all of them the same way. A template with conditions, or with filters that
//! change the text, is not read. This module does not decide which of several rules a tag belongs to.

mod class;
mod pieces;
mod probes;
mod trial;

use std::collections::BTreeSet;

use semver::Version;

use super::rules;
use super::tags::Renderer;
use super::template::{Kind, Templates};
use super::values::{VARIABLES, Values};
use crate::config::{Resource, TagRule};
use crate::model::{EventName, ResourceId};
use class::{Mode, Shape};
use oci_registry::Tag;
use pieces::{Piece, cut};
use probes::Probe;
use trial::{alternative, check_words, expressions, independent};

/// The reason why the tags of a rule cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// The template contains statements.
    #[error("its template has conditions or loops")]
    Statement,
    /// An expression contains a condition or computes something.
    #[error("its template computes with `{0}`")]
    Word(String),
    /// A filter gives the same text for different inputs.
    #[error("its template uses the filter `{0}`, which hides its input")]
    Filter(String),
    /// A function or method is called.
    #[error("its template calls a function")]
    Call,
    /// A variable is used but cannot be found in the tag.
    #[error("the value of `{0}` cannot be found in the tag")]
    NotFound(String),
    /// A variable appears twice, or two variables depend on each other.
    #[error("its template prints `{0}` and `{1}`, which depend on each other")]
    Dependent(String, String),
    /// The template behaves differently with other values.
    #[error("its template does not follow a single pattern")]
    Pattern,
    /// The template cannot be rendered.
    #[error("its template cannot be rendered: {0}")]
    Template(String),
}

/// Reads the tags of a rule back.
#[derive(Debug, Clone)]
pub(super) struct TagReader {
    /// The patterns of the rule on each kind of event.
    alternatives: Vec<Alternative>,
    when: Option<String>,
}

#[derive(Debug, Clone)]
struct Alternative {
    pieces: Vec<Piece>,
    /// Whether `when` has to be evaluated, because it uses values that the tag shows.
    asks_when: bool,
    /// The prefix of the git tag and the globs that the git tag must match, if a version shows the git tag.
    git_tag: Option<(String, Vec<Shape>)>,
    values: Values,
    /// Contexts of runs that might happen.
    probes: Vec<Probe>,
}

impl TagReader {
    /// Makes a reader of the tags that the rule renders for the resource `id`.
    pub fn new(
        renderer: &Renderer<'_>,
        rule: &TagRule,
        (id, resource): (&ResourceId, &Resource),
    ) -> Result<Self, Unreadable> {
        let templates = &renderer.templates;
        check_words(templates, &rule.template)?;
        let variables = variables(templates, &rule.template);
        independent(&variables)?;
        let by_event = templates.uses(&rule.template, Kind::Text, "event")
            || rule.when.as_deref().is_some_and(|when| templates.uses(when, Kind::Expression, "event"));
        let (mut alternatives, mut seen) = (Vec::new(), BTreeSet::new());
        for event in &rule.on {
            if seen.insert((by_event.then_some(event), *event == EventName::Tag)) {
                alternatives.extend(alternative(renderer, rule, *event, (id, resource), &variables)?);
            }
        }
        Ok(Self { alternatives, when: rule.when.clone() })
    }

    /// Whether the rule can certainly render `tag`.
    pub fn reads(&self, templates: &Templates, tag: &Tag) -> bool {
        self.alternatives.iter().any(|it| {
            cut(&it.pieces, tag.as_str(), Mode::Certain)
                .is_some_and(|parts| it.holds(&parts, templates, self.when.as_deref()))
        })
    }

    /// Whether the rule might render `tag`. In case of doubt, it might.
    pub fn might_render(&self, tag: &Tag) -> bool {
        self.alternatives.iter().any(|it| cut(&it.pieces, tag.as_str(), Mode::Possible).is_some())
    }

    /// The pull request numbers for which `tag` may have been rendered.
    pub fn pull_requests(&self, tag: &Tag) -> BTreeSet<u64> {
        self.parts(tag, "pr.number").iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The version for which `tag` was rendered, if the template prints it in full.
    pub fn version(&self, tag: &Tag) -> Option<Version> {
        let parts = self.parts(tag, "version");
        let mut versions = parts.iter().filter_map(|text| class::version(text));
        versions.next().filter(|_| parts.len() == 1)
    }

    /// Whether the template prints the full version.
    pub fn prints_version(&self) -> bool {
        !self.alternatives.is_empty()
            && self.alternatives.iter().all(|it| it.pieces.iter().any(|piece| is_part(piece, "version")))
    }

    /// Whether tags of the rule show nothing characteristic of it: the rule renders any text, without a fixed part.
    pub fn is_free(&self) -> bool {
        self.alternatives.iter().any(|it| {
            let fixed = |piece: &Piece| {
                matches!(piece, Piece::Text(text) if text.contains(|c: char| c.is_ascii_alphanumeric()))
            };
            let free = |piece: &Piece| matches!(piece, Piece::Part { class, .. } if class.is_free());
            it.pieces.iter().any(free) && !it.pieces.iter().any(fixed)
        })
    }

    fn parts(&self, tag: &Tag, variable: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for it in &self.alternatives {
            let Some(parts) = cut(&it.pieces, tag.as_str(), Mode::Certain) else { continue };
            let of_variable = it.pieces.iter().zip(&parts).filter(|(piece, _)| is_part(piece, variable));
            found.extend(of_variable.flat_map(|(_, texts)| texts.iter().map(|text| (*text).to_owned())));
        }
        found
    }

    /// Tags that the rule renders in realistic situations, if it renders any.
    pub fn samples(&self, templates: &Templates, rule: &TagRule) -> Vec<Tag> {
        let names: Vec<String> = rule
            .matches
            .iter()
            .flat_map(|glob| {
                ["x", "0", "0.0", "0.0.0"]
                    .map(|text| glob.replace("**", "*").replace('*', text).replace('?', "x"))
            })
            .collect();
        let mut samples = Vec::new();
        for it in &self.alternatives {
            let mut contexts = it.probes.clone();
            for name in &names {
                let Some(mut probe) = it.probes.first().cloned() else { continue };
                probe.context.branch = Some(name.clone());
                probe.context.tag = Some(name.clone());
                let version = it
                    .git_tag
                    .as_ref()
                    .and_then(|(prefix, _)| name.strip_prefix(prefix.as_str())?.parse().ok());
                probe.version = version.unwrap_or(probe.version);
                contexts.push(probe);
            }
            let rendered = contexts.iter().filter_map(|probe| {
                let values = it.values.with_context(&probe.context).with_version(Ok(probe.version.clone()));
                rules::render(templates, &rule.template, &values).ok()
            });
            samples.extend(rendered);
        }
        samples
    }
}

impl Alternative {
    /// Whether `when` and the globs of git tags hold for some run that renders these parts.
    fn holds(&self, parts: &[BTreeSet<&str>], templates: &Templates, when: Option<&str>) -> bool {
        if !self.asks_when && self.git_tag.is_none() {
            return true;
        }
        let only = |variable: &str| -> Option<&str> {
            let of_variable = self.pieces.iter().zip(parts).find(|(piece, _)| is_part(piece, variable));
            of_variable.and_then(|(_, texts)| if texts.len() == 1 { texts.first().copied() } else { None })
        };
        let number = |variable: &str| only(variable).and_then(|text| text.parse().ok()).unwrap_or_default();
        let Some(mut context) = self.probes.first().map(|probe| probe.context.clone()) else { return false };
        context.pull_request = only("pr.number").and_then(|text| text.parse().ok()).or(context.pull_request);
        let full = only("version").map(class::version);
        // If only parts of the version are shown, the others are free. A release and a pre-release represent the
        // possible values.
        let candidates: Vec<Version> = match full {
            Some(version) => version.into_iter().collect(),
            None => ["", "rc.1"]
                .into_iter()
                .map(|free| {
                    let mut version = Version::new(
                        number("version.major"),
                        number("version.minor"),
                        number("version.patch"),
                    );
                    version.pre = only("version.pre").unwrap_or(free).parse().unwrap_or_default();
                    version.build = only("version.build").unwrap_or_default().parse().unwrap_or_default();
                    version
                })
                .collect(),
        };
        candidates.into_iter().any(|version| {
            let named = self.git_tag.as_ref().is_none_or(|(prefix, globs)| {
                let name = format!("{prefix}{version}");
                globs.iter().any(|glob| glob.matches(&name))
            });
            let asked = when.filter(|_| self.asks_when && named);
            let values = || self.values.with_context(&context).with_version(Ok(version.clone()));
            named && asked.is_none_or(|when| templates.test(when, &values()).unwrap_or_default())
        })
    }
}

fn is_part(piece: &Piece, wanted: &str) -> bool {
    matches!(piece, Piece::Part { variable, .. } if *variable == wanted)
}

/// Whether a variable has the same value for a resource in every run.
pub(super) fn is_constant(variable: &str) -> bool {
    matches!(variable, "event" | "image.name" | "chart.name" | "artifact.name")
        || variable.starts_with("vars.")
}

/// The variables of `template` that differ from run to run.
pub(super) fn variables(templates: &Templates, template: &str) -> BTreeSet<String> {
    let mut found = templates.variables(template, Kind::Text);
    // minijinja does not look into slices such as `git.sha[:12]`.
    let code = templates.without_strings(template);
    let paths = expressions(&code)
        .flat_map(|it| it.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))));
    found.extend(paths.filter(|path| VARIABLES.contains(path)).map(str::to_owned));
    found.retain(|variable| !is_constant(variable));
    found
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
