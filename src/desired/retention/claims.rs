//! The ownership of tags: a retention takes those tags of its rule that no other rule of the repository may have
//! rendered.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use globset::{Glob, GlobMatcher};

use crate::config::{Config, Resource};
use crate::desired::tag_reader::{TagReader, Unreadable};
use crate::desired::tags::Renderer;
use crate::desired::template::Templates;
use crate::desired::version;
use crate::model::ResourceId;
use oci_registry::Tag;

/// The reader of a rule, or the reason why there is none.
pub(super) type Reading = Arc<Result<TagReader, Unreadable>>;

/// Identifies a rule for a resource: the rule's name, the release prefix, and the resource's name if it makes a
/// difference.
type Key<'a> = (&'a str, &'a str, Option<&'a ResourceId>);

/// Readers of the rules of a configuration. Each is made once for all resources that it cannot distinguish.
pub(super) struct Readers<'r, 'a> {
    pub renderer: &'r Renderer<'a>,
    known: HashMap<Key<'a>, Reading>,
}

impl<'r, 'a> Readers<'r, 'a> {
    pub fn new(renderer: &'r Renderer<'a>) -> Self {
        Self { renderer, known: HashMap::new() }
    }

    /// The reader of a rule for a resource, or `None` if there is no such rule.
    pub fn of(&mut self, rule: &'a str, (id, resource): (&'a ResourceId, &'a Resource)) -> Option<Reading> {
        let renderer = self.renderer;
        let definition = renderer.config.tags.get(rule)?;
        let key =
            (rule, version::prefix(renderer.config, resource), renderer.is_by_resource(rule).then_some(id));
        let known = self.known.entry(key);
        Some(Arc::clone(
            known.or_insert_with(|| Arc::new(TagReader::new(renderer, definition, (id, resource)))),
        ))
    }
}

/// The resources that share a repository, whatever names the registry has.
pub(super) struct Repositories<'a> {
    /// The resources, keyed by [`oci_registry::reference::RegistryLocation::identity`].
    resources: HashMap<String, Vec<(&'a ResourceId, &'a Resource)>>,
}

impl<'a> Repositories<'a> {
    pub fn new(config: &'a Config) -> Self {
        let mut resources: HashMap<String, Vec<(&ResourceId, &Resource)>> = HashMap::new();
        for (id, resource) in &config.resources {
            // Two names for one place count once.
            let identities: BTreeSet<String> = resource
                .registries
                .iter()
                .filter_map(|registry| identity(config, resource, registry))
                .collect();
            for identity in identities {
                resources.entry(identity).or_default().push((id, resource));
            }
        }
        Self { resources }
    }

    /// The resources of the repository that `resource` has in `registry`.
    pub fn resources(
        &self,
        config: &Config,
        resource: &Resource,
        registry: &str,
    ) -> Vec<(&'a ResourceId, &'a Resource)> {
        identity(config, resource, registry)
            .and_then(|identity| self.resources.get(&identity).cloned())
            .unwrap_or_default()
    }
}

fn identity(config: &Config, resource: &Resource, registry: &str) -> Option<String> {
    let location = &config.registries.get(registry)?.endpoint.url;
    Some(location.identity(&location.repository(&resource.repository)))
}

/// The tags that a retention is about.
pub(super) enum Own {
    /// Only this tag.
    Equal(Tag),
    /// The tags that a rule renders.
    Rule(Reading),
    /// The tags that a rule rendered for this pull request.
    PullRequest(Reading, u64),
    /// The tags that one of these globs matches.
    Globs(Vec<GlobMatcher>),
}

/// The tags that another rule may have rendered.
pub(super) enum Other {
    /// Any tag that its reader accepts.
    Reader(Reading),
    /// Its tags are versions of a chart.
    ChartVersion,
    /// Its tags cannot be read: any text between the fixed text at its ends.
    Outline { start: String, end: String },
}

impl Other {
    fn might_render(&self, tag: &Tag) -> bool {
        match self {
            Self::Reader(reader) => reader.as_ref().as_ref().map_or(true, |reader| reader.might_render(tag)),
            Self::ChartVersion => semver::Version::parse(&tag.as_str().replace('_', "+")).is_ok(),
            Self::Outline { start, end } => {
                tag.as_str().strip_prefix(start.as_str()).is_some_and(|rest| rest.ends_with(end.as_str()))
            }
        }
    }
}

/// The other rules of a repository, by name: all rules of `resources` except `rule` of the resource `id`.
pub(super) fn others<'a>(
    readers: &mut Readers<'_, 'a>,
    resources: &[(&'a ResourceId, &'a Resource)],
    (rule, id): (&str, &ResourceId),
) -> Vec<(&'a str, Other)> {
    let (mut others, mut seen) = (Vec::new(), BTreeSet::new());
    for (resource_id, resource) in resources.iter().copied() {
        for other in resource.tags.iter().filter(|other| resource_id != id || *other != rule) {
            let by_resource = readers.renderer.is_by_resource(other).then_some(resource_id);
            let prefix = version::prefix(readers.renderer.config, resource);
            if !seen.insert((other, prefix, by_resource)) {
                continue;
            }
            let Some(reader) = readers.of(other, (resource_id, resource)) else { continue };
            let other_tags = match readers.renderer.config.tags.get(other) {
                _ if reader.is_ok() => Other::Reader(reader),
                Some(rule) if rule.chart.is_some() => Other::ChartVersion,
                rule => outline(rule.map(|rule| rule.template.as_str()).unwrap_or_default()),
            };
            others.push((other.as_str(), other_tags));
        }
    }
    others
}

/// The fixed text at the ends of a template. The rendered text may lack the blanks at its ends.
fn outline(template: &str) -> Other {
    let first = ["{{", "{%", "{#"].iter().filter_map(|mark| template.find(mark)).min();
    let last = ["}}", "%}", "#}"].iter().filter_map(|mark| Some(template.rfind(mark)? + mark.len())).max();
    let start = template.get(..first.unwrap_or(template.len())).unwrap_or_default().trim();
    let end = template.get(last.unwrap_or(template.len())..).unwrap_or_default().trim();
    Other::Outline { start: start.to_owned(), end: end.to_owned() }
}

/// Whether a retention is about a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim<'c> {
    /// The retention is not about the tag.
    No,
    /// The retention is about the tag, and no other rule may have rendered it.
    Yes,
    /// This other rule may have rendered the tag as well.
    Shared(&'c str),
}

/// The tags that a retention claims in one repository.
pub(super) struct Claims<'a> {
    pub own: Own,
    pub others: Vec<(&'a str, Other)>,
}

impl Claims<'_> {
    /// Whether the retention is about `tag`.
    pub fn of(&self, templates: &Templates, tag: &Tag) -> Claim<'_> {
        let is_own = match &self.own {
            Own::Equal(own) => own == tag,
            Own::Rule(reader) => reader.as_ref().as_ref().is_ok_and(|reader| reader.reads(templates, tag)),
            Own::PullRequest(reader, number) => reader.as_ref().as_ref().is_ok_and(|reader| {
                reader.reads(templates, tag) && reader.pull_requests(tag) == BTreeSet::from([*number])
            }),
            Own::Globs(globs) => globs.iter().any(|glob| glob.is_match(tag.as_str())),
        };
        if !is_own {
            return Claim::No;
        }
        self.shared_with(tag).map_or(Claim::Yes, Claim::Shared)
    }

    /// Another rule that may have rendered `tag`.
    pub fn shared_with(&self, tag: &Tag) -> Option<&str> {
        self.others.iter().find(|(_, other)| other.might_render(tag)).map(|(rule, _)| *rule)
    }

    /// The reader, if versions order the tags.
    pub fn by_version(&self) -> Option<&TagReader> {
        match &self.own {
            Own::Rule(reader) => reader.as_ref().as_ref().ok().filter(|reader| reader.prints_version()),
            Own::Equal(_) | Own::PullRequest(..) | Own::Globs(_) => None,
        }
    }
}

/// Matchers of globs on a tag. `*` matches any text.
pub(super) fn matchers(globs: &[String]) -> Vec<GlobMatcher> {
    globs.iter().filter_map(|glob| Some(Glob::new(glob).ok()?.compile_matcher())).collect()
}
