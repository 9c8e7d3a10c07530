//! The ownership of tags: a retention takes those tags of its rule that no other rule of the repository may have
//! rendered.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use globset::{Glob, GlobMatcher};

use crate::config::{Config, NamedResource, Resource};
use crate::context::Context;
use crate::desired::rules;
use crate::desired::tag_reader::{self, TagReader, Unreadable};
use crate::desired::tag_template::{TagTemplate, TagTemplateKey};
use crate::desired::tags::Renderer;
use crate::desired::template::{TemplateSyntax, Templates};
use crate::model::version::ReleaseForm;
use crate::model::{EventName, ResourceId};
use oci_registry::Tag;

/// The reader of a rule, or the reason why there is none.
pub(super) type RuleReader = Arc<Result<TagReader, Unreadable>>;

/// The resources for which a template has the same reader.
#[derive(PartialEq, Eq, Hash)]
struct ReaderKey<'a> {
    template: TagTemplateKey<'a>,
    /// The form of the git tags that release the resource.
    form: &'a ReleaseForm,
    /// The resource, if the template can distinguish it from others.
    resource: Option<&'a ResourceId>,
}

impl<'a> ReaderKey<'a> {
    fn new(renderer: &Renderer<'a>, template: TagTemplate<'a>, named: NamedResource<'a>) -> Self {
        Self {
            template: template.key(),
            form: &named.resource.releases,
            resource: renderer.is_by_resource(template).then_some(named.id),
        }
    }
}

/// The readers of the rules of a configuration. Each is made once for all resources that it cannot distinguish.
pub(super) struct TagReaders<'r, 'a> {
    pub renderer: &'r Renderer<'a>,
    known: HashMap<ReaderKey<'a>, RuleReader>,
}

impl<'r, 'a> TagReaders<'r, 'a> {
    pub fn new(renderer: &'r Renderer<'a>) -> Self {
        Self { renderer, known: HashMap::new() }
    }

    /// The reader of a template for a resource.
    pub fn of(&mut self, template: TagTemplate<'a>, named: NamedResource<'a>) -> RuleReader {
        let renderer = self.renderer;
        let known = self.known.entry(ReaderKey::new(renderer, template, named));
        Arc::clone(known.or_insert_with(|| Arc::new(TagReader::new(renderer, template, named))))
    }
}

/// The resources that share a repository, whatever names the registry has.
pub(super) struct SharedRepositories<'a> {
    /// The resources, keyed by [`oci_registry::reference::RegistryLocation::identity`].
    resources: HashMap<String, Vec<NamedResource<'a>>>,
}

impl<'a> SharedRepositories<'a> {
    pub fn new(config: &'a Config) -> Self {
        let mut resources: HashMap<String, Vec<NamedResource<'_>>> = HashMap::new();
        for named in config.named_resources() {
            // Two names for one place count once.
            let registries = named.resource.registries.iter();
            let identities: BTreeSet<String> =
                registries.filter_map(|registry| identity(config, named.resource, registry)).collect();
            for identity in identities {
                resources.entry(identity).or_default().push(named);
            }
        }
        Self { resources }
    }

    /// The resources of the repository that `resource` has in `registry`.
    pub fn resources(&self, config: &Config, resource: &Resource, registry: &str) -> Vec<NamedResource<'a>> {
        identity(config, resource, registry)
            .and_then(|identity| self.resources.get(&identity).cloned())
            .unwrap_or_default()
    }
}

fn identity(config: &Config, resource: &Resource, registry: &str) -> Option<String> {
    let location = &config.registry(registry)?.endpoint.url;
    Some(location.identity(&location.repository(resource.repository_in(registry))))
}

/// The tags that a retention is about.
pub(super) enum OwnTags {
    /// Only this tag.
    Equal(Tag),
    /// The tags that a rule renders.
    Rule(RuleReader),
    /// The tags that a rule rendered for this pull request.
    PullRequest(RuleReader, u64),
    /// The tags that one of these globs matches.
    Globs(Vec<GlobMatcher>),
}

/// The tags that another rule may have rendered.
pub(super) enum OtherTagSet {
    /// Any tag that its reader accepts.
    Reader(RuleReader),
    /// Its tags are versions of a chart.
    ChartVersion,
    /// Its tags cannot be read: any text between the fixed text at its ends.
    Outline { start: String, end: String },
}

/// Another template of the repository.
pub(super) struct OtherTags<'a> {
    /// Its name in messages.
    name: Cow<'a, str>,
    tags: OtherTagSet,
}

impl OtherTagSet {
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

/// The other templates of a repository, by name: all of `resources` except `template` of the resource `id`.
pub(super) fn others<'a>(
    readers: &mut TagReaders<'_, 'a>,
    resources: &[NamedResource<'a>],
    template: TagTemplate<'a>,
    id: &ResourceId,
) -> Vec<OtherTags<'a>> {
    let (mut others, mut seen) = (Vec::new(), HashSet::new());
    for named in resources.iter().copied() {
        for other in TagTemplate::of_resource(readers.renderer.config, named) {
            let is_it = named.id == id && other.key() == template.key();
            if is_it || !seen.insert(ReaderKey::new(readers.renderer, other, named)) {
                continue;
            }
            let reader = readers.of(other, named);
            let tags = match other {
                _ if reader.is_ok() => OtherTagSet::Reader(reader),
                TagTemplate::ChartVersion { .. } => OtherTagSet::ChartVersion,
                TagTemplate::Rule { rule, .. } => outline(&rule.template),
            };
            others.push(OtherTags { name: other.name(), tags });
        }
    }
    others
}

/// Whether a template's output depends only on the number of the pull request. Its tag then belongs to that pull
/// request.
pub(super) fn is_of_number_alone(renderer: &Renderer<'_>, template: &str) -> bool {
    let variables = tag_reader::variables(&renderer.templates, template);
    variables.iter().all(|variable| variable == "pr.number")
        && !renderer.templates.uses(template, TemplateSyntax::Text, "event")
}

/// Returns the tag that a template with conditions renders for a pull request, if nothing but its number and the event decide. A chart
/// has one template for its version on every event, so that conditions are common there.
pub(super) fn rendered_for_pull_request(
    renderer: &Renderer<'_>,
    template: TagTemplate<'_>,
    named: NamedResource<'_>,
    number: u64,
) -> Option<Tag> {
    let variables = tag_reader::variables(&renderer.templates, template.text());
    let is_fixed = |variable: &String| variable != "now" && !variable.starts_with("env");
    let rendered = |number: u64| {
        let mut context = Context::new(EventName::PullRequest);
        context.pull_request = Some(number);
        let (_, values) = renderer.values(&context, named.id, named.resource);
        // A variable without a value is an error, so that no other variable has a part in the tag.
        rules::render(&renderer.templates, template.text(), &values).ok()
    };
    let tag = rendered(number).filter(|_| variables.iter().all(is_fixed))?;
    let other = rendered(number.saturating_add(1));
    (other.as_ref() != Some(&tag)).then_some(tag)
}

/// The fixed text at the ends of a template. The rendered text may lack the blanks at its ends.
fn outline(template: &str) -> OtherTagSet {
    let first = ["{{", "{%", "{#"].iter().filter_map(|mark| template.find(mark)).min();
    let last = ["}}", "%}", "#}"].iter().filter_map(|mark| Some(template.rfind(mark)? + mark.len())).max();
    let start = template.get(..first.unwrap_or(template.len())).unwrap_or_default().trim();
    let end = template.get(last.unwrap_or(template.len())..).unwrap_or_default().trim();
    OtherTagSet::Outline { start: start.to_owned(), end: end.to_owned() }
}

/// Whether a retention is about a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribution<'c> {
    /// The retention is not about the tag.
    No,
    /// The retention is about the tag, and no other rule may have rendered it.
    Yes,
    /// This other rule may have rendered the tag as well.
    Shared(&'c str),
}

/// The tags that a retention claims in one repository.
pub(super) struct ClaimedTags<'a> {
    pub own: OwnTags,
    pub others: Vec<OtherTags<'a>>,
}

impl ClaimedTags<'_> {
    /// Whether the retention is about `tag`.
    pub fn of(&self, templates: &Templates, tag: &Tag) -> Attribution<'_> {
        let is_own = match &self.own {
            OwnTags::Equal(own) => own == tag,
            OwnTags::Rule(reader) => {
                reader.as_ref().as_ref().is_ok_and(|reader| reader.reads(templates, tag))
            }
            OwnTags::PullRequest(reader, number) => reader.as_ref().as_ref().is_ok_and(|reader| {
                reader.reads(templates, tag) && reader.pull_requests(tag) == BTreeSet::from([*number])
            }),
            OwnTags::Globs(globs) => globs.iter().any(|glob| glob.is_match(tag.as_str())),
        };
        if !is_own {
            return Attribution::No;
        }
        self.shared_with(tag).map_or(Attribution::Yes, Attribution::Shared)
    }

    /// Another rule that may have rendered `tag`.
    pub fn shared_with(&self, tag: &Tag) -> Option<&str> {
        self.others.iter().find(|other| other.tags.might_render(tag)).map(|other| other.name.as_ref())
    }

    /// The reader, if versions order the tags.
    pub fn by_version(&self) -> Option<&TagReader> {
        match &self.own {
            OwnTags::Rule(reader) => reader.as_ref().as_ref().ok().filter(|reader| reader.prints_version()),
            OwnTags::Equal(_) | OwnTags::PullRequest(..) | OwnTags::Globs(_) => None,
        }
    }
}

/// Matchers of globs on a tag. `*` matches any text.
pub(super) fn matchers(globs: &[String]) -> Vec<GlobMatcher> {
    globs.iter().filter_map(|glob| Some(Glob::new(glob).ok()?.compile_matcher())).collect()
}
