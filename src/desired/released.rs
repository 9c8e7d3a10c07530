//! The tags and annotations that the rules of a resource render for releases and branches published in the past,
//! whatever this run publishes.

use std::collections::{BTreeMap, BTreeSet};

use super::forward;
use super::rules::{self, Firing};
use super::standard;
use super::tag_template::TagTemplate;
use super::tags::Renderer;
use super::template::TemplateSyntax;
use super::values::Values;
use super::version::ResourceVersion;
use crate::config::{Config, DeclaredContent, NamedResource, Resource};
use crate::context::{Context, TaggedCommits};
use crate::model::forward::VersionReader;
use crate::model::standing::other_readers;
use crate::model::version::{ReleaseVersion, VersionScheme};
use crate::model::{EventName, Mutability, ResourceId};
use oci_content::AnnotationPlace;
use oci_registry::{Tag, annotation};

/// Renders the rules of a configuration for releases and branches of the past.
pub struct Releases<'a> {
    renderer: Renderer<'a>,
    commits: TaggedCommits,
}

/// The result of a rule for a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rendered {
    /// The rule fires and renders this tag.
    Tag(Tag),
    /// The rule does not fire. A forward rule still counts the version as part of this tag's line.
    Silent(Option<Tag>),
    /// The rendered tag can no longer be known, for this reason.
    Unknown(String),
}

/// The result of one template for a release.
#[derive(Debug, Clone)]
pub struct ReleaseTag<'a> {
    /// The template.
    pub template: TagTemplate<'a>,
    /// Its result.
    pub rendered: Rendered,
}

/// The result of one template for a branch.
#[derive(Debug, Clone)]
pub struct BranchTag<'a> {
    /// The template.
    pub template: TagTemplate<'a>,
    /// The branch.
    pub branch: &'a str,
    /// The tag, or the reason why it can no longer be known.
    pub tag: Result<Tag, String>,
}

/// A template of which it is not known which tags it rendered.
#[derive(Debug, Clone)]
pub struct Untraceable<'a> {
    /// The template.
    pub template: TagTemplate<'a>,
    /// The reason.
    pub reason: String,
}

/// Reads versions from the tags of a resource.
#[derive(Debug, Clone, Default)]
pub struct VersionReaders {
    /// The rules that print the full version, in their order.
    rules: Vec<String>,
    /// The reader of each of them.
    readers: Vec<VersionReader>,
    /// Whether forward tags read like versions with fewer numbers, such as `1.2` beside `1.2.3`.
    shortens: bool,
}

impl VersionReaders {
    /// Whether any rule prints the full version.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the rule called `rule` prints the full version.
    pub fn reads(&self, rule: &str) -> bool {
        self.rules.iter().any(|name| name == rule)
    }

    /// The readers, in the order of the rules.
    pub fn as_slice(&self) -> &[VersionReader] {
        &self.readers
    }

    /// The versions that `tags` stand for, each with its tags in the order of the rules.
    ///
    /// If several rules can have printed a tag, it belongs to the one that prints the most text around the version:
    /// `v1.2.3-slim` is version 1.2.3 if a rule prints `v{{ version }}-slim`, not a pre-release.
    pub fn versions(&self, tags: &[Tag]) -> BTreeMap<ReleaseVersion, Vec<Tag>> {
        let mut versions: BTreeMap<ReleaseVersion, Vec<(usize, &Tag)>> = BTreeMap::new();
        for tag in tags {
            let read = |(position, reader): (usize, &VersionReader)| {
                let around = reader.prefix.len() + reader.suffix.len();
                Some((around, std::cmp::Reverse(position), reader.read(tag)?))
            };
            let most = self.readers.iter().enumerate().filter_map(read).max();
            if let Some((_, position, version)) = most {
                versions.entry(version).or_default().push((position.0, tag));
            }
        }
        if self.shortens {
            let all: Vec<ReleaseVersion> = versions.keys().cloned().collect();
            versions.retain(|version, _| !all.iter().any(|other| version.is_start_of(other)));
        }
        let in_order = |mut tags: Vec<(usize, &Tag)>| {
            tags.sort();
            tags.into_iter().map(|(_, tag)| tag.clone()).collect()
        };
        versions.into_iter().map(|(version, tags)| (version, in_order(tags))).collect()
    }
}

impl<'a> Releases<'a> {
    /// Releases of `config`. `commits` are the ones that git knows.
    pub fn new(config: &'a Config, commits: TaggedCommits) -> Self {
        // The current version in the version file was not true of any other version.
        Self { renderer: Renderer::with_file_version(config, None), commits }
    }

    /// The templates of `named` that render on `event`.
    fn templates_on(
        &self,
        named: NamedResource<'a>,
        event: EventName,
    ) -> impl Iterator<Item = TagTemplate<'a>> {
        let templates = TagTemplate::of_resource(self.renderer.config, named);
        templates.filter(move |template| template.events().contains(&event))
    }

    /// The git tag of a release: the one that git knows, or else the one with the first prefix.
    fn git_tag(&self, resource: &Resource, version: &ReleaseVersion) -> String {
        let form = &resource.releases;
        let tags = || form.prefixes.iter().map(|prefix| format!("{prefix}{version}"));
        let known = tags().find(|tag| self.commits.tags().any(|known| known == tag));
        known.or_else(|| tags().next()).unwrap_or_else(|| version.to_string())
    }

    /// The context and values of a release.
    fn release(&self, id: &ResourceId, resource: &Resource, version: &ReleaseVersion) -> (Context, Values) {
        let config = self.renderer.config;
        let context = self.commits.release(&self.git_tag(resource, version));
        let values = Values::new(&context, &config.vars, Some(id)).with_version(Ok(version.clone()));
        (context, values)
    }

    /// The highest release of `resource` that git knows, with its tag. Pre-releases are ignored.
    pub fn highest_tagged(&self, resource: &Resource) -> Option<(ReleaseVersion, String)> {
        let withdrawn = self.renderer.config.withdrawn(resource);
        let releases = self.commits.tags().filter_map(|tag| {
            let version = resource.releases.version(tag)?;
            let counts = !version.is_prerelease() && !withdrawn.contains(&version);
            counts.then(|| (version, tag.to_owned()))
        });
        releases.max()
    }

    /// Returns the readers that find versions in the tags of a resource.
    pub fn readers(&self, named: NamedResource<'a>) -> VersionReaders {
        // The reader replaces this version with one of its own.
        let form = &named.resource.releases;
        let (_, values) = self.release(named.id, named.resource, &ReleaseVersion::sentinel(&form.scheme));
        let templates = &self.renderer.templates;
        let readers = self.templates_on(named, EventName::Tag).flat_map(|template| {
            let readers = forward::readers(templates, template.text(), &values, form);
            readers.into_iter().map(move |reader| (template.name().into_owned(), reader))
        });
        let readers: Vec<(String, VersionReader)> = readers.collect();
        let all: Vec<VersionReader> = readers.iter().map(|(_, reader)| reader.clone()).collect();
        let useful = readers.into_iter().filter(|(_, reader)| forward::is_useful(reader, &all));
        let (rules, readers) = useful.unzip();
        let mut forward = self.templates_on(named, EventName::Tag).filter(|template| {
            template.mutability() == Mutability::Forward
                && templates.uses(template.text(), TemplateSyntax::Text, "version.major")
        });
        let shortens = form.scheme != VersionScheme::Semver && forward.next().is_some();
        VersionReaders { rules, readers, shortens }
    }

    /// The versions of `named` that the configuration withdraws.
    pub fn withdrawn(&self, named: NamedResource<'_>) -> BTreeSet<ReleaseVersion> {
        self.renderer.config.withdrawn(named.resource)
    }

    /// The readers of the tags that another publisher of `named` may have written.
    pub fn other_readers(&self, named: NamedResource<'a>) -> Vec<VersionReader> {
        other_readers(self.readers(named).as_slice(), &named.resource.releases)
    }

    /// The results of the release rules of a resource for `version`, in the order of the rules.
    pub fn tags(&self, named: NamedResource<'a>, version: &ReleaseVersion) -> Vec<ReleaseTag<'a>> {
        let (context, values) = self.release(named.id, named.resource, version);
        let (templates, known) = (&self.renderer.templates, ResourceVersion::Known(version.clone()));
        let rendered = |template: TagTemplate<'a>| {
            let line = || rules::render(templates, template.text(), &values).ok();
            let is_forward = template.mutability() == Mutability::Forward;
            let held_back = is_forward && template.holds_back(version);
            let rendered = match rules::fire(templates, template, &context, &values, &known) {
                // A line counts pre-releases only if its rule says so.
                _ if held_back => Rendered::Silent(None),
                Ok(Firing::Tag(tag)) => Rendered::Tag(tag),
                Ok(Firing::Silent(_)) if is_forward => Rendered::Silent(line()),
                Ok(Firing::Silent(_)) => Rendered::Silent(None),
                Err(error) => Rendered::Unknown(error.error.message),
            };
            ReleaseTag { template, rendered }
        };
        self.templates_on(named, EventName::Tag).map(rendered).collect()
    }

    /// The tags that branch rules render for each branch named without a pattern.
    pub fn branches(&self, named: NamedResource<'a>) -> Vec<BranchTag<'a>> {
        let mut found = Vec::new();
        let reason = "the version of the branch is not known".to_owned();
        for template in self.templates_on(named, EventName::Branch) {
            for branch in template.globs().iter().filter(|glob| is_literal(glob)) {
                let context = self.commits.branch(branch);
                let vars = &self.renderer.config.vars;
                let values = Values::new(&context, vars, Some(named.id)).with_version(Err(reason.clone()));
                let version = ResourceVersion::None(reason.clone());
                let templates = &self.renderer.templates;
                let tag = match rules::fire(templates, template, &context, &values, &version) {
                    Ok(Firing::Tag(tag)) => Ok(tag),
                    Ok(Firing::Silent(_)) => continue,
                    Err(error) => Err(error.error.message),
                };
                found.push(BranchTag { template, branch, tag });
            }
        }
        found
    }

    /// The templates of a resource, or events of them, that leave no trace of the tags they rendered.
    pub fn untraceable(&self, named: NamedResource<'a>) -> Vec<Untraceable<'a>> {
        let mut found = Vec::new();
        for template in TagTemplate::of_resource(self.renderer.config, named) {
            let mut add = |reason: String| found.push(Untraceable { template, reason });
            for event in template.events() {
                match event {
                    EventName::Tag => {}
                    EventName::Branch if template.globs().is_empty() => {
                        add("the branches it fired on are not known".to_owned());
                    }
                    EventName::Branch => {
                        for glob in template.globs().iter().filter(|glob| !is_literal(glob)) {
                            add(format!("the branches that matched `{glob}` are not known"));
                        }
                    }
                    other => add(format!("the tags it rendered on `{other}` are not known")),
                }
            }
        }
        found
    }

    /// The annotations that the root of `version` should have. Each key has its value, or the reason why the value can
    /// no longer be known.
    pub fn annotations(
        &self,
        NamedResource { id, resource }: NamedResource<'_>,
        version: &ReleaseVersion,
    ) -> BTreeMap<String, Result<String, String>> {
        if let DeclaredContent::Image(image) = &resource.content
            && !image.annotate.is_empty()
            && !image.annotate.contains(&AnnotationPlace::Root)
        {
            return BTreeMap::new();
        }
        let (context, values) = self.release(id, resource, version);
        let render =
            |text: &String| self.renderer.templates.render(text, &values).map_err(|error| error.message);
        let project = &self.renderer.config.project;
        let declared = &resource.annotations;
        let mut annotations: BTreeMap<_, _> = BTreeMap::new();
        if declared.standard {
            let mut standard = standard::annotations(self.renderer.config, &context, id, Some(version));
            // `SOURCE_DATE_EPOCH` may have set the time, and its value is no longer known. The CI may have given others, and
            // the release may be older than the name of the ref.
            let of_ci = [
                (annotation::CREATED, false),
                (annotation::REF_NAME, false),
                (annotation::DESCRIPTION, project.description.is_some()),
                (annotation::LICENSES, project.licenses.is_some()),
                (annotation::URL, project.url.is_some()),
            ];
            standard.retain(|key, _| of_ci.iter().all(|(unknown, known)| key != unknown || *known));
            annotations.extend(standard.into_iter().map(|(key, value)| (key, Ok(value))));
        }
        if let Some(source) = project.source.as_ref().filter(|_| declared.of_project) {
            annotations.insert(annotation::SOURCE.to_owned(), Ok(source.clone()));
        }
        let standard: Vec<String> = annotations.keys().cloned().collect();
        let of_project = project.annotations.iter().filter(|_| declared.of_project);
        let own = of_project.chain(&declared.own);
        annotations.extend(own.map(|(key, text)| (key.clone(), render(text))));
        annotations.retain(|key, value| !standard.contains(key) || value.as_deref() != Ok(""));
        annotations
    }
}

/// Whether a branch glob is a literal branch name.
fn is_literal(glob: &str) -> bool {
    !glob.contains(['*', '?', '[', ']', '{', '}', '!', '\\'])
}

#[cfg(test)]
#[path = "released_tests.rs"]
mod tests;
