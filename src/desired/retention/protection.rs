//! The tags that no retention removes: tags by which forward tags are decided, forward tags themselves, and the tags
//! that hold signatures and other referrers.

use std::collections::{BTreeMap, HashMap};

use crate::config::NamedResource;
use crate::context::Context;
use crate::desired::forward;
use crate::desired::rules;
use crate::desired::tag_reader;
use crate::desired::tag_template::TagTemplate;
use crate::desired::tags::Renderer;
use crate::desired::values::Values;
use crate::model::forward::{WITHDRAWN_MARK, marked_versions};
use crate::model::retention::KeepReason;
use crate::model::version::ReleaseVersion;
use crate::model::{EventName, Mutability};
use oci_registry::Tag;

/// The tags of a repository that stay whatever a retention says.
#[derive(Debug, Default)]
pub(super) struct Protection {
    /// Protected from every retention.
    always: BTreeMap<Tag, KeepReason>,
    /// Protected from retentions that match by globs.
    from_globs: BTreeMap<Tag, KeepReason>,
}

impl Protection {
    /// Finds the protected tags among the `tags` of a repository that belongs to these resources.
    pub fn new(renderer: &Renderer<'_>, resources: &[NamedResource<'_>], tags: &[&Tag]) -> Self {
        let mut protection = Self::default();
        for named in resources {
            protection.add(renderer, *named, tags);
        }
        protection
    }

    /// The reason why `tag` stays, if it does.
    pub fn of(&self, tag: &Tag, by_glob: bool) -> Option<KeepReason> {
        if by_glob && tag.is_of_referrers() {
            return Some(KeepReason::Referrers);
        }
        self.always.get(tag).or_else(|| self.from_globs.get(tag).filter(|_| by_glob)).cloned()
    }

    fn add(&mut self, renderer: &Renderer<'_>, named: NamedResource<'_>, tags: &[&Tag]) {
        let of_releases: Vec<TagTemplate<'_>> = TagTemplate::of_resource(renderer.config, named)
            .filter(|template| template.events().contains(&EventName::Tag))
            .collect();
        let forward = || of_releases.iter().filter(|template| template.mutability() == Mutability::Forward);
        if forward().next().is_none() {
            return;
        }
        // Tags are read as in the plan: through every rule on git tags that prints the full version.
        let (_, values) = renderer.values(&Context::new(EventName::Tag), named.id, named.resource);
        let templates = &renderer.templates;
        let texts = of_releases.iter().map(|template| template.text());
        let readers = forward::all_readers(templates, texts, &values, &named.resource.releases);
        let read = |tag: &Tag| readers.iter().find_map(|reader| reader.read(tag));
        let mut held: Vec<(ReleaseVersion, &Tag)> =
            tags.iter().filter_map(|tag| Some((read(tag)?, *tag))).collect();
        held.sort();
        let all: Vec<Tag> = tags.iter().map(|tag| (*tag).clone()).collect();
        let mut withdrawn = renderer.config.withdrawn(named.resource);
        withdrawn.extend(marked_versions(&all, &readers));
        for tag in tags.iter().filter(|tag| tag.as_str().starts_with(WITHDRAWN_MARK)) {
            self.from_globs.entry((*tag).clone()).or_insert(KeepReason::MarksWithdrawn);
        }
        // A forward tag goes to the highest version that is not withdrawn.
        let standing: Vec<(ReleaseVersion, &Tag)> =
            held.iter().filter(|(version, _)| !withdrawn.contains(version)).cloned().collect();
        for template in forward().copied() {
            let rule = template.name().into_owned();
            let of_version = |name: &String| name == "version" || name.starts_with("version.");
            if !tag_reader::variables(templates, template.text()).iter().all(of_version) {
                let reason = KeepReason::UnknownLines { rule };
                for (_, tag) in &held {
                    self.always.entry((*tag).clone()).or_insert_with(|| reason.clone());
                }
                continue;
            }
            for (line, highest) in lines(renderer, template, &values, &standing) {
                let forward = KeepReason::Forward { rule: rule.clone() };
                self.from_globs.entry(line.clone()).or_insert(forward);
                self.always.entry(highest.clone()).or_insert(KeepReason::HighestOfLine { line });
            }
        }
    }
}

/// The forward tags that `template` renders for the versions of `held`, which are sorted lowest first, each with the tag of
/// its highest version.
fn lines<'t>(
    renderer: &Renderer<'_>,
    template: TagTemplate<'_>,
    values: &Values,
    held: &[(ReleaseVersion, &'t Tag)],
) -> Vec<(Tag, &'t Tag)> {
    let mut lines: HashMap<Tag, &Tag> = HashMap::new();
    for (version, tag) in held.iter().filter(|(version, _)| {
        !version.is_development() && (template.takes_prereleases() || !version.is_prerelease())
    }) {
        let values = values.with_version(Ok(version.clone()));
        if let Ok(line) = rules::render(&renderer.templates, template.text(), &values) {
            lines.insert(line, tag);
        }
    }
    let mut lines: Vec<(Tag, &Tag)> = lines.into_iter().collect();
    // If several lines have the same highest version, the shortest name says the most: `latest` beside `v1.2`.
    lines.sort();
    lines
}
