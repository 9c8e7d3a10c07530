//! Lines of releases: the versions that a registry's tags stand for, and those of them that share a forward tag.
//!
//! Git history is not used, so that a shallow clone decides correctly: the registry's own tag list is read back through
//! the rule that prints the full version. Two versions belong to one line if the forward rule renders the same tag for
//! both, which works for any template.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::rules;
use super::template::{TemplateSyntax, Templates};
use super::values::Values;
use crate::context::Context;
use crate::model::ResourceId;
use crate::model::forward::{Held, OnUnknown, PlannedLine, VersionReader, marked_versions};
use crate::model::standing::{VersionCandidate, version_candidates};
use crate::model::version::{ReleaseForm, ReleaseVersion, VersionScheme};
use oci_registry::Tag;

/// Returns readers of the tags that `template` prints, or none if it does not print the full version exactly once. The version
/// may come from the git tag, and its `+` may be replaced.
pub(super) fn readers(
    templates: &Templates,
    template: &str,
    values: &Values,
    form: &ReleaseForm,
) -> Vec<VersionReader> {
    let mut readers: Vec<VersionReader> = Vec::new();
    for prefix in &form.prefixes {
        let found = reader(templates, template, values, form, prefix);
        readers.extend(found.filter(|found| !readers.contains(found)));
        if !template.contains("git") {
            break;
        }
    }
    readers
}

/// Whether a reader is of use beside `all`: one that reads only numbers is not beside one that reads the whole text.
pub(super) fn is_useful(reader: &VersionReader, all: &[VersionReader]) -> bool {
    reader.separators.is_empty() || all.iter().all(|other| !other.separators.is_empty())
}

/// The readers of every template in `all`, without those that are of no use.
pub(super) fn all_readers<'t>(
    templates: &Templates,
    all: impl IntoIterator<Item = &'t str>,
    values: &Values,
    form: &ReleaseForm,
) -> Vec<VersionReader> {
    let found: Vec<VersionReader> =
        all.into_iter().flat_map(|template| readers(templates, template, values, form)).collect();
    found.iter().filter(|reader| is_useful(reader, &found)).cloned().collect()
}

fn reader(
    templates: &Templates,
    template: &str,
    values: &Values,
    form: &ReleaseForm,
    prefix: &str,
) -> Option<VersionReader> {
    let sentinel = ReleaseVersion::sentinel(&form.scheme);
    let tag = rules::render(templates, template, &values.at_tag_of(prefix, &sentinel)).ok()?;
    let printed = tag.as_str();
    let Some((prefix, rest)) = printed.split_once(ReleaseVersion::SENTINEL) else {
        return of_numbers(printed, &sentinel, form);
    };
    let (plus, suffix) = rest.split_once(ReleaseVersion::SENTINEL_BUILD)?;
    let is_plus = plus.len() < 4 && !plus.contains(|c: char| c.is_ascii_alphanumeric());
    let once = !suffix.contains(ReleaseVersion::SENTINEL);
    let plus = (plus != "_").then(|| plus.to_owned());
    (once && is_plus).then(|| VersionReader { plus, ..VersionReader::new(prefix, suffix, &form.scheme) })
}

/// Returns a reader of tags that print every number that a version of a pattern has, in their order.
fn of_numbers(printed: &str, sentinel: &ReleaseVersion, form: &ReleaseForm) -> Option<VersionReader> {
    let VersionScheme::Pattern(pattern) = &form.scheme else { return None };
    let numbers = sentinel.parts().numbers.iter().take(pattern.numbers().len());
    let (mut texts, mut rest) = (Vec::new(), printed);
    for number in numbers {
        let (before, after) = rest.split_once(number.as_str())?;
        texts.push(before.to_owned());
        rest = after;
    }
    let (prefix, separators) = texts.split_first()?;
    let is_separated = separators.iter().all(|separator| !separator.is_empty());
    let is_plain =
        !separators.is_empty() && sentinel.parts().numbers.iter().all(|number| !rest.contains(number));
    (is_separated && is_plain).then(|| VersionReader {
        separators: separators.to_vec(),
        ..VersionReader::new(prefix, rest, &form.scheme)
    })
}

/// The line of a forward tag.
#[derive(Clone)]
pub struct ReleaseLine {
    pub(super) templates: Arc<Templates>,
    pub(super) readers: Arc<Vec<VersionReader>>,
    pub(super) other_readers: Arc<Vec<VersionReader>>,
    pub(super) on_unknown: OnUnknown,
    /// The prefix of the git tag being published.
    pub(super) tag_prefix: String,
    pub(super) template: String,
    pub(super) vars: IndexMap<String, serde_json::Value>,
    pub(super) values: Values,
    pub(super) tag: Tag,
    /// The versions that the configuration withdraws.
    pub(super) withdrawn: BTreeSet<ReleaseVersion>,
    /// The version being published.
    pub version: ReleaseVersion,
    /// Whether the rule takes pre-releases.
    pub prereleases: bool,
}

impl ReleaseLine {
    /// The line that a plan carries for the tag `tag` of `resource`. `context` is the plan's.
    pub fn from_plan(planned: &PlannedLine, context: &Context, resource: &ResourceId, tag: &Tag) -> Self {
        let vars = planned.vars.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let values = Values::new(context, &vars, Some(resource));
        Self {
            templates: Arc::new(Templates::new(vars.keys())),
            readers: Arc::new(planned.readers.clone()),
            other_readers: Arc::new(planned.other_readers.clone()),
            on_unknown: planned.on_unknown,
            tag_prefix: planned.tag_prefix.clone().unwrap_or_default(),
            template: planned.template.clone(),
            vars,
            values,
            tag: tag.clone(),
            withdrawn: planned.withdrawn.clone(),
            version: planned.version.clone(),
            prereleases: planned.prereleases,
        }
    }

    /// The part of the line that a plan carries, so that the decision can be made again.
    pub fn to_plan(&self) -> PlannedLine {
        let used = self.templates.variables(&self.template, TemplateSyntax::Text);
        let vars = self.vars.iter().filter(|(name, _)| {
            used.iter()
                .any(|used| used == "vars" || used.strip_prefix("vars.").is_some_and(|used| used == *name))
        });
        let by_git_tag = used.iter().any(|name| name == "git.tag" || name == "git.ref" || name == "git");
        PlannedLine {
            tag_prefix: by_git_tag.then(|| self.tag_prefix.clone()),
            version: self.version.clone(),
            prereleases: self.prereleases,
            template: self.template.clone(),
            vars: vars.map(|(name, value)| (name.clone(), value.clone())).collect(),
            readers: self.readers.to_vec(),
            highest: None,
            other_readers: self.other_readers.to_vec(),
            on_unknown: self.on_unknown,
            withdrawn: self.withdrawn.clone(),
        }
    }

    /// Whether `version` is withdrawn, by the configuration or by one of `tags`, which are those of the repository.
    pub fn is_withdrawn(&self, version: &ReleaseVersion, tags: &[Tag]) -> bool {
        self.withdrawn.contains(version) || marked_versions(tags, &self.readers).contains(version)
    }

    /// Whether any rule prints the full version. Without one, nothing is known about the content of a registry.
    pub fn can_be_read(&self) -> bool {
        !self.readers.is_empty()
    }

    /// The versions of this line among `tags`, lowest first. Pre-releases count only if the rule takes them, and versions that are
    /// withdrawn do not count.
    pub fn held(&self, tags: &[Tag]) -> Vec<Held> {
        self.read(tags, |tag| self.readers.iter().find_map(|reader| reader.read(tag)))
    }

    /// The versions of this line among the `tags` that no rule prints, lowest first, as tags of other publishers read.
    pub fn held_by_others(&self, tags: &[Tag]) -> Vec<Held> {
        self.read(tags, |tag| {
            let is_declared = self.readers.iter().any(|reader| reader.read(tag).is_some());
            self.other_readers.iter().filter(|_| !is_declared).find_map(|reader| reader.read(tag))
        })
    }

    /// The versions of this line that `read` finds in `tags`, lowest first.
    fn read(&self, tags: &[Tag], read: impl Fn(&Tag) -> Option<ReleaseVersion>) -> Vec<Held> {
        let marked = marked_versions(tags, &self.readers);
        let mut held: Vec<Held> = tags
            .iter()
            .filter_map(|tag| Some(Held { version: read(tag)?, tag: tag.clone() }))
            .filter(|held| !self.withdrawn.contains(&held.version) && !marked.contains(&held.version))
            .filter(|held| !held.version.is_development())
            .filter(|held| self.prereleases || !held.version.is_prerelease())
            .filter(|held| self.contains(&held.version))
            .collect();
        // The total order includes build metadata: two builds of one version must not take a tag in turns.
        held.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.tag.cmp(&b.tag)));
        held
    }

    /// The readers of versions that an image states, or that another publisher put into a tag.
    pub fn other_readers(&self) -> &[VersionReader] {
        &self.other_readers
    }

    /// The tags among `tags` that may show the version of the image that the tag of this line names, in the order in which
    /// they are asked. The highest versions of the line come first, without the one being published.
    pub fn candidates(&self, tags: &[Tag]) -> Vec<VersionCandidate> {
        /// The number of versions of the line that come before all others.
        const OF_LINE: usize = 4;
        let mut line = self.held(tags);
        line.retain(|held| held.version != self.version);
        let of_line = line.split_off(line.len().saturating_sub(OF_LINE));
        version_candidates(&of_line, &self.readers, &self.other_readers, tags)
    }

    fn contains(&self, version: &ReleaseVersion) -> bool {
        let values = if self.template.contains("git") {
            self.values.at_tag_of(&self.tag_prefix, version)
        } else {
            self.values.with_version(Ok(version.clone()))
        };
        rules::render(&self.templates, &self.template, &values).is_ok_and(|tag| tag == self.tag)
    }
}

impl std::fmt::Debug for ReleaseLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReleaseLine")
            .field("tag", &self.tag)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventName;

    fn line(template: &str, version: &str, full: &[&str], prereleases: bool) -> ReleaseLine {
        let templates = Templates::new([]);
        let version: ReleaseVersion = version.parse().expect("a version");
        let values = Values::new(&Context::new(EventName::Tag), &IndexMap::new(), None)
            .with_version(Ok(version.clone()));
        let form = ReleaseForm { prefixes: vec!["v".to_owned()], scheme: version.scheme().clone() };
        let readers = full.iter().flat_map(|full| readers(&templates, full, &values, &form)).collect();
        let tag = rules::render(&templates, template, &values).expect("a tag");
        ReleaseLine {
            templates: Arc::new(templates),
            readers: Arc::new(readers),
            other_readers: Arc::default(),
            on_unknown: OnUnknown::for_releases(),
            tag_prefix: "v".to_owned(),
            template: template.to_owned(),
            vars: IndexMap::new(),
            values,
            tag,
            withdrawn: BTreeSet::new(),
            version,
            prereleases,
        }
    }

    fn held(line: &ReleaseLine, tags: &[&str]) -> Vec<String> {
        let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().expect("a tag")).collect();
        line.held(&tags).into_iter().map(|held| held.version.to_string()).collect()
    }

    const TAGS: [&str; 9] =
        ["v1.2.3", "v1.10.0", "v2.0.1", "v2.1.0-rc.1", "v1", "latest", "sha-123", "v1.2.4_build.7", "v10.0"];

    #[test]
    fn lines_follow_from_the_template() {
        let full = ["v{{ version }}"];
        assert_eq!(
            held(&line("latest", "1.2.5", &full, false), &TAGS),
            ["1.2.3", "1.2.4+build.7", "1.10.0", "2.0.1"]
        );
        assert_eq!(
            held(&line("v{{ version.major }}", "1.2.5", &full, false), &TAGS),
            ["1.2.3", "1.2.4+build.7", "1.10.0"]
        );
        assert_eq!(
            held(&line("v{{ version.major }}.{{ version.minor }}", "1.2.5", &full, false), &TAGS),
            ["1.2.3", "1.2.4+build.7"]
        );
        assert_eq!(held(&line("v{{ version.major }}", "2.0.0", &full, true), &TAGS), ["2.0.1", "2.1.0-rc.1"]);
    }

    #[test]
    fn a_plan_carries_a_line() {
        for template in ["latest", "v{{ version.major }}", "v{{ version.major }}.{{ version.minor }}"] {
            let line = line(template, "1.2.5", &["v{{ version }}"], false);
            let context = Context::new(EventName::Tag);
            let carried =
                ReleaseLine::from_plan(&line.to_plan(), &context, &ResourceId::image("x"), &line.tag);
            assert_eq!(held(&carried, &TAGS), held(&line, &TAGS), "{template}");
        }
    }

    #[test]
    fn a_rule_that_prints_only_a_part_reads_nothing() {
        for template in
            ["v{{ version.major }}", "latest", "{{ version | upper }}", "{{ version }}-{{ version }}"]
        {
            assert!(!line("latest", "1.0.0", &[template], false).can_be_read(), "{template}");
        }
        assert_eq!(
            held(&line("latest", "1.0.0", &["rel-{{ version }}-x"], false), &["rel-1.2.3-x", "1.2.3"]),
            ["1.2.3"]
        );
    }
}
