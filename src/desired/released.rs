//! The tags and annotations that the rules of a resource render for releases and branches published in the past,
//! whatever this run publishes.

use std::collections::BTreeMap;

use semver::Version;

use super::forward;
use super::rules::{self, Firing};
use super::standard;
use super::tags::Renderer;
use super::values::Values;
use super::version::{self, ResourceVersion};
use crate::config::{Config, Content, Resource, TagRule};
use crate::context::{Context, TaggedCommits};
use crate::model::forward::VersionReader;
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

/// Reads versions from the tags of a resource.
#[derive(Debug, Clone, Default)]
pub struct Readers {
    /// The rules that print the full version, in their order.
    rules: Vec<(String, VersionReader)>,
}

impl Readers {
    /// Whether any rule prints the full version.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the rule called `rule` prints the full version.
    pub fn reads(&self, rule: &str) -> bool {
        self.rules.iter().any(|(name, _)| name == rule)
    }

    /// The versions that `tags` stand for, each with its tags in the order of the rules.
    ///
    /// If several rules can have printed a tag, it belongs to the one that prints the most text around the version:
    /// `v1.2.3-slim` is version 1.2.3 if a rule prints `v{{ version }}-slim`, not a pre-release.
    pub fn versions(&self, tags: &[Tag]) -> BTreeMap<Version, Vec<Tag>> {
        let mut versions: BTreeMap<Version, Vec<(usize, &Tag)>> = BTreeMap::new();
        for tag in tags {
            let read = |(position, (_, reader)): (usize, &(String, VersionReader))| {
                let around = reader.prefix.len() + reader.suffix.len();
                Some((around, std::cmp::Reverse(position), reader.read(tag)?))
            };
            let most = self.rules.iter().enumerate().filter_map(read).max();
            if let Some((_, position, version)) = most {
                versions.entry(version).or_default().push((position.0, tag));
            }
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

    /// The rules of `resource`, in their order.
    fn rules(&self, resource: &'a Resource) -> impl Iterator<Item = (&'a str, &'a TagRule)> {
        let config = self.renderer.config;
        resource.tags.iter().filter_map(|name| Some((name.as_str(), config.tags.get(name)?)))
    }

    /// The context and values of a release.
    fn release(&self, id: &ResourceId, resource: &Resource, version: &Version) -> (Context, Values) {
        let config = self.renderer.config;
        let context = self.commits.release(&format!("{}{version}", version::prefix(config, resource)));
        let values = Values::new(&context, &config.vars, Some(id)).with_version(Ok(version.clone()));
        (context, values)
    }

    /// The highest release of `resource` that git knows, with its tag. Pre-releases are ignored.
    pub fn highest_tagged(&self, resource: &Resource) -> Option<(Version, String)> {
        let prefix = version::prefix(self.renderer.config, resource);
        let releases = self.commits.tags().filter_map(|tag| {
            let version = Version::parse(tag.strip_prefix(prefix)?).ok()?;
            version.pre.is_empty().then(|| (version, tag.to_owned()))
        });
        releases.max()
    }

    /// Returns the readers that find versions in the tags of the resource `id`.
    pub fn readers(&self, id: &ResourceId, resource: &'a Resource) -> Readers {
        // The reader replaces this version with one of its own.
        let (_, values) = self.release(id, resource, &Version::new(0, 0, 0));
        let of_tags = self.rules(resource).filter(|(_, rule)| rule.on.contains(&EventName::Tag));
        let templates = &self.renderer.templates;
        let readers = of_tags.filter_map(|(rule, definition)| {
            Some((rule.to_owned(), forward::reader(templates, &definition.template, &values)?))
        });
        Readers { rules: readers.collect() }
    }

    /// The results of the release rules of the resource `id` for `version`, in the order of the rules.
    pub fn tags(
        &self,
        id: &ResourceId,
        resource: &'a Resource,
        version: &Version,
    ) -> Vec<(&'a str, &'a TagRule, Rendered)> {
        let (context, values) = self.release(id, resource, version);
        let (templates, known) = (&self.renderer.templates, ResourceVersion::Known(version.clone()));
        let of_tags = self.rules(resource).filter(|(_, rule)| rule.on.contains(&EventName::Tag));
        let rendered = |(name, rule): (&'a str, &'a TagRule)| {
            let line = || rules::render(templates, &rule.template, &values).ok();
            let held_back =
                rule.mutability == Mutability::Forward && !rule.prereleases && !version.pre.is_empty();
            let rendered = match rules::fire(templates, rule, &context, &values, &known) {
                // A line counts pre-releases only if its rule says so.
                _ if held_back => Rendered::Silent(None),
                Ok(Firing::Tag(tag)) => Rendered::Tag(tag),
                Ok(Firing::Silent(_)) if rule.mutability == Mutability::Forward => Rendered::Silent(line()),
                Ok(Firing::Silent(_)) => Rendered::Silent(None),
                Err(error) => Rendered::Unknown(error.error.message),
            };
            (name, rule, rendered)
        };
        of_tags.map(rendered).collect()
    }

    /// The tags that branch rules render for each branch named without a pattern, as rule, branch and tag.
    pub fn branches(
        &self,
        id: &ResourceId,
        resource: &'a Resource,
    ) -> Vec<(&'a str, &'a TagRule, &'a str, Result<Tag, String>)> {
        let mut found = Vec::new();
        let reason = "the version of the branch is not known".to_owned();
        for (rule, definition) in
            self.rules(resource).filter(|(_, rule)| rule.on.contains(&EventName::Branch))
        {
            for branch in definition.matches.iter().filter(|glob| is_literal(glob)) {
                let context = self.commits.branch(branch);
                let vars = &self.renderer.config.vars;
                let values = Values::new(&context, vars, Some(id)).with_version(Err(reason.clone()));
                let version = ResourceVersion::None(reason.clone());
                let templates = &self.renderer.templates;
                match rules::fire(templates, definition, &context, &values, &version) {
                    Ok(Firing::Tag(tag)) => found.push((rule, definition, branch.as_str(), Ok(tag))),
                    Ok(Firing::Silent(_)) => {}
                    Err(error) => {
                        found.push((rule, definition, branch.as_str(), Err(error.error.message)));
                    }
                }
            }
        }
        found
    }

    /// The rules of `resource`, or events of rules, that leave no trace of the tags they rendered, each with the
    /// reason.
    pub fn untraceable(&self, resource: &'a Resource) -> Vec<(&'a str, String)> {
        let mut found = Vec::new();
        for (name, rule) in self.rules(resource) {
            for event in &rule.on {
                match event {
                    EventName::Tag => {}
                    EventName::Branch if rule.matches.is_empty() => {
                        found.push((name, "the branches it fired on are not known".to_owned()));
                    }
                    EventName::Branch => {
                        let patterns = rule.matches.iter().filter(|glob| !is_literal(glob));
                        found.extend(
                            patterns.map(|glob| {
                                (name, format!("the branches that matched `{glob}` are not known"))
                            }),
                        );
                    }
                    other => found.push((name, format!("the tags it rendered on `{other}` are not known"))),
                }
            }
        }
        found
    }

    /// The annotations that the root of `version` should have. Each key has its value, or the reason why the value can
    /// no longer be known.
    pub fn annotations(
        &self,
        id: &ResourceId,
        resource: &Resource,
        version: &Version,
    ) -> BTreeMap<String, Result<String, String>> {
        if let Content::Image(image) = &resource.content
            && !image.annotate.is_empty()
            && !image.annotate.contains(&AnnotationPlace::Root)
        {
            return BTreeMap::new();
        }
        let (context, values) = self.release(id, resource, version);
        let render =
            |text: &String| self.renderer.templates.render(text, &values).map_err(|error| error.message);
        let mut annotations: BTreeMap<_, _> =
            resource.annotations.own.iter().map(|(key, text)| (key.clone(), render(text))).collect();
        if resource.annotations.standard {
            let config = self.renderer.config;
            let mut standard = standard::annotations(config, &context, id, Some(version));
            // `SOURCE_DATE_EPOCH` may have set the time, and its value is no longer known.
            standard.remove(annotation::CREATED);
            for (key, value) in standard {
                annotations.entry(key).or_insert(Ok(value));
            }
        }
        if let Some(source) =
            self.renderer.config.project.source.as_ref().filter(|_| resource.annotations.source)
        {
            annotations.entry(annotation::SOURCE.to_owned()).or_insert_with(|| Ok(source.clone()));
        }
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
