//! Reads tags back: decides whether a tag of a registry is exactly one that a tag rule can render, and for which values.
//!
//! `prune` needs this, because a registry holds only the text `pr-12-0a1b2c3`, and a wrong answer deletes an image. A template is
//! not a pattern, so it is tried out instead of being analysed. Take `pr-{{ pr.number }}-{{ git.short_sha }}`:
//!
//! 1. [`words`] checks that the template only prints. One with conditions, calls, or filters that hide their input is refused.
//! 2. [`probes`] gives it made-up values that occur nowhere else, such as pull request 7305918264 and commit `c0ffee1d2b3a…`,
//!    and lists the forms in which each variable can appear, each with the [`class`] of text that it can print.
//! 3. [`trial`] renders the template with them, `pr-7305918264-c0ffee1`, and looks the values up in the output. That gives four
//!    [`pieces`]: `pr-`, a number, `-`, seven hexadecimal digits. Four more probes must fit the same pieces; otherwise the template
//!    treats some values differently and is refused.
//! 4. The result is an [`alternative`], one for each kind of event. It also evaluates `when` and `match`, if they depend on
//!    values that the tag shows.
//! 5. [`TagReader::reads`] cuts a tag into the pieces in every possible way. `pr-12-0a1b2c3` has one: the rule rendered it, for
//!    pull request 12.
//!
//! There are two questions. [`TagReader::reads`] says no in doubt, and [`TagReader::might_render`] says yes in doubt. A retention
//! takes a tag only if its own rule reads it and no other rule of the repository might render it; `retention::claims` asks both.
//! ADR 8, `docs/adr/0008-reading-tags-back.md`, has the reasons and the alternatives.
//!
//! To make a new variable or filter readable, list its forms in [`probes`], give it a class in [`class`], and add it to the
//! property test in `tests.rs`.

mod alternative;
mod class;
mod pieces;
mod probes;
mod trial;
mod words;

use std::collections::BTreeSet;

use super::rules;
use super::tag_template::TagTemplate;
use super::tags::Renderer;
use super::template::{TemplateSyntax, Templates};
use crate::config::NamedResource;
use crate::model::EventName;
use crate::model::version::ReleaseVersion;
use alternative::Alternative;
use class::Certainty;
use oci_registry::Tag;
use pieces::{TagPiece, cut};
pub(super) use words::{Unreadable, variables};
use words::{check_words, independent};

/// Reads the tags of a rule back.
#[derive(Debug, Clone)]
pub(super) struct TagReader {
    /// The patterns of the rule on each kind of event.
    alternatives: Vec<Alternative>,
    /// The condition on which the rule fires.
    when: Option<String>,
}

impl TagReader {
    /// Makes a reader of the tags that `template` renders for a resource.
    pub fn new(
        renderer: &Renderer<'_>,
        template: TagTemplate<'_>,
        resource: NamedResource<'_>,
    ) -> Result<Self, Unreadable> {
        let templates = &renderer.templates;
        check_words(template.text())?;
        let variables = variables(templates, template.text());
        independent(&variables)?;
        let by_event = templates.uses(template.text(), TemplateSyntax::Text, "event")
            || template.when().is_some_and(|when| templates.uses(when, TemplateSyntax::Expression, "event"));
        let (mut alternatives, mut seen) = (Vec::new(), BTreeSet::new());
        let contexts = if by_event { template.contexts() } else { template.events().to_vec() };
        for event in contexts {
            if seen.insert((by_event.then_some(event), event == EventName::Tag)) {
                let found = trial::alternative(renderer, template, event, resource, &variables)?;
                alternatives.extend(found);
            }
        }
        Ok(Self { alternatives, when: template.when().map(str::to_owned) })
    }

    /// Whether the rule can certainly render `tag`.
    pub fn reads(&self, templates: &Templates, tag: &Tag) -> bool {
        self.alternatives.iter().any(|it| {
            cut(&it.pieces, tag.as_str(), Certainty::Certain)
                .is_some_and(|parts| it.holds(&parts, templates, self.when.as_deref()))
        })
    }

    /// Whether the rule might render `tag`. In case of doubt, it might.
    pub fn might_render(&self, tag: &Tag) -> bool {
        self.alternatives.iter().any(|it| cut(&it.pieces, tag.as_str(), Certainty::Possible).is_some())
    }

    /// The pull request numbers for which `tag` may have been rendered.
    pub fn pull_requests(&self, tag: &Tag) -> BTreeSet<u64> {
        self.parts(tag, "pr.number").iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The version for which `tag` was rendered, if the template prints it in full.
    pub fn version(&self, tag: &Tag) -> Option<ReleaseVersion> {
        let parts = self.parts(tag, "version");
        let scheme = &self.alternatives.first()?.scheme;
        let mut versions = parts.iter().filter_map(|text| class::version(scheme, text));
        versions.next().filter(|_| parts.len() == 1)
    }

    /// Whether the template prints the full version.
    pub fn prints_version(&self) -> bool {
        !self.alternatives.is_empty()
            && self.alternatives.iter().all(|it| it.pieces.iter().any(|piece| piece.is_of("version")))
    }

    /// Whether tags of the rule show nothing characteristic of it: the rule renders any text, without a fixed part.
    pub fn is_free(&self) -> bool {
        self.alternatives.iter().any(|it| {
            let fixed = |piece: &TagPiece| {
                matches!(piece, TagPiece::Text(text) if text.contains(|c: char| c.is_ascii_alphanumeric()))
            };
            let free = |piece: &TagPiece| matches!(piece, TagPiece::Part { class, .. } if class.is_free());
            it.pieces.iter().any(free) && !it.pieces.iter().any(fixed)
        })
    }

    fn parts(&self, tag: &Tag, variable: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for it in &self.alternatives {
            let Some(parts) = cut(&it.pieces, tag.as_str(), Certainty::Certain) else { continue };
            let of_variable = it.pieces.iter().zip(&parts).filter(|(piece, _)| piece.is_of(variable));
            found.extend(of_variable.flat_map(|(_, texts)| texts.iter().map(|text| (*text).to_owned())));
        }
        found
    }

    /// Tags that the rule renders in realistic situations, if it renders any.
    pub fn samples(&self, templates: &Templates, template: TagTemplate<'_>) -> Vec<Tag> {
        let names: Vec<String> = template
            .globs()
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
                let version = it.git_tag.as_ref().and_then(|pattern| {
                    let mut rests = pattern.prefixes.iter().filter_map(|prefix| name.strip_prefix(prefix));
                    rests.find_map(|rest| it.scheme.parse(rest).ok())
                });
                probe.version = version.unwrap_or(probe.version);
                contexts.push(probe);
            }
            let rendered = contexts.iter().filter_map(|probe| {
                let values = it.values.with_context(&probe.context).with_version(Ok(probe.version.clone()));
                rules::render(templates, template.text(), &values).ok()
            });
            samples.extend(rendered);
        }
        samples
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
