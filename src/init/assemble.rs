//! Puts publications together: images, the registries that they go to, and the rules that make their tags.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::Condition;
use super::destinations::Destinations;
use super::names::slug;
use super::project::LeftOutFile;
use super::publication::{Address, BuildFacts, Findings, Origin, Publication};
use super::rule::{ProposedRule, RuleUse, rules};
use super::symbolic::{Part, Symbol};
use super::tags::TagFacts;

/// An image of `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AssembledImage {
    /// Its name.
    pub name: String,
    /// The repository below the namespace of its registries.
    pub repository: String,
    /// The names of its registries.
    pub registries: Vec<String>,
    /// The names of its rules.
    pub rules: Vec<String>,
    /// Its build.
    pub build: BuildFacts,
    /// The source, if it is not what a build leaves.
    pub source: Option<String>,
    /// The place that declares it first.
    pub origin: Origin,
}

/// Everything that publications declare.
#[derive(Debug, Clone, Default)]
pub(super) struct Assembly {
    /// The registries.
    pub destinations: Destinations,
    /// The rules.
    pub rules: Vec<ProposedRule>,
    /// The images.
    pub images: Vec<AssembledImage>,
}

/// The most images.
const MAX_IMAGES: usize = 100;

/// The key of the content of an image.
type ContentKey = (Option<String>, String, String);

/// Puts `found` together.
pub(super) fn assemble(found: &mut Findings, tags: &TagFacts) -> Assembly {
    let mut assembly = Assembly::default();
    let mut groups: Vec<(ContentKey, Vec<Publication>)> = Vec::new();
    for publication in merged_builds(&found.publications) {
        if publication.condition == Condition::Never {
            continue;
        }
        let key = content(&publication, &found.publications);
        match groups.iter_mut().find(|(it, _)| *it == key) {
            Some((_, all)) => all.push(publication),
            None => groups.push((key, vec![publication])),
        }
    }
    let mut left_out = Vec::new();
    for (key, publications) in groups {
        // Addresses with the same rules belong to one image.
        let mut by_address: Vec<(Address, Vec<&Publication>)> = Vec::new();
        for publication in &publications {
            match by_address.iter_mut().find(|(it, _)| *it == publication.address) {
                Some((_, all)) => all.push(publication),
                None => by_address.push((publication.address.clone(), vec![publication])),
            }
        }
        let mut entries: Vec<(Vec<Address>, Vec<RuleUse>)> = Vec::new();
        for (address, publications) in by_address {
            let made = rules(&publications, tags, &mut left_out);
            if made.is_empty() {
                continue;
            }
            match entries.iter_mut().find(|(_, it)| same(it, &made)) {
                Some((addresses, _)) => addresses.push(address),
                None => entries.push((vec![address], made)),
            }
        }
        let first = publications.first();
        let mut build = first.map(|it| it.build.clone()).unwrap_or_default();
        for (address, other) in &found.builds {
            let fits = publications.iter().any(|it| it.address == *address) && key.2.is_empty();
            if fits {
                if build.dockerfile.is_none() {
                    build.dockerfile.clone_from(&other.dockerfile);
                }
                build.platforms.extend(
                    other
                        .platforms
                        .iter()
                        .filter(|it| !build.platforms.contains(it))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
            }
        }
        for publication in &publications {
            let more = publication.build.platforms.iter().filter(|it| !build.platforms.contains(it)).cloned();
            build.platforms.extend(more.collect::<Vec<_>>());
        }
        build.platforms.dedup();
        let origin = first.map(|it| it.origin.clone()).unwrap_or_default();
        for (addresses, made) in entries {
            assembly.add(&addresses, made, &build, &key, &origin);
        }
    }
    for (origin, text) in left_out {
        found.leave(&origin, text);
    }
    assembly
}

fn same(one: &[RuleUse], other: &[RuleUse]) -> bool {
    one.len() == other.len() && one.iter().all(|it| other.iter().any(|other| it.rule.means(&other.rule)))
}

/// A tag without a known build is of the build that pushes to its repository, if there is only one.
fn merged_builds(publications: &[Publication]) -> Vec<Publication> {
    let mut builds: BTreeMap<&Address, BTreeSet<&BuildFacts>> = BTreeMap::new();
    for publication in publications.iter().filter(|it| it.build.dockerfile.is_some()) {
        builds.entry(&publication.address).or_default().insert(&publication.build);
    }
    let merged = publications.iter().cloned().map(|mut publication| {
        if publication.build.dockerfile.is_none() && publication.build.variant.is_empty() {
            let known = builds.get(&publication.address).filter(|all| all.len() == 1);
            if let Some(build) = known.and_then(|all| all.first()) {
                publication.build = (*build).clone();
            }
        }
        publication
    });
    merged.collect()
}

/// The key of the content of a tag. Without a known build, images of one repository differ by the ends of their tags.
fn content(publication: &Publication, all: &[Publication]) -> ContentKey {
    let build = &publication.build;
    if build.dockerfile.is_some() || !build.variant.is_empty() {
        return (build.dockerfile.clone(), build.variant.clone(), String::new());
    }
    let ends: BTreeSet<&str> =
        all.iter().filter(|it| it.address == publication.address).filter_map(end_of_symbols).collect();
    let end = match end_of_symbols(publication) {
        Some(end) => end.to_owned(),
        None => {
            let shown = publication.tag.shown();
            let fitting = ends.iter().filter(|end| !end.is_empty() && shown.ends_with(**end));
            fitting.max_by_key(|end| end.len()).map(|end| (*end).to_owned()).unwrap_or_default()
        }
    };
    (None, String::new(), end)
}

/// The text after the last symbol of a tag, if there is a symbol that differs from run to run.
fn end_of_symbols(publication: &Publication) -> Option<&str> {
    let parts = publication.tag.parts();
    let is_telling = |part: &Part| {
        matches!(
            part,
            Part::Symbol(
                Symbol::Tag
                    | Symbol::Version
                    | Symbol::Branch
                    | Symbol::Sha
                    | Symbol::ShortSha(_)
                    | Symbol::PullRequest
            )
        )
    };
    if !parts.iter().any(is_telling) {
        return None;
    }
    match parts.last() {
        Some(Part::Literal(end)) => Some(end),
        _ => Some(""),
    }
}

impl Assembly {
    /// Removes rules, and images that have none left.
    pub fn remove_rules(&mut self, without: &[LeftOutFile]) {
        let is_removed = |name: &String| without.iter().any(|it| it.file.strip_prefix("tags.") == Some(name));
        self.rules.retain(|rule| !is_removed(&rule.name));
        for image in &mut self.images {
            image.rules.retain(|name| !is_removed(name));
        }
        self.images.retain(|image| !image.rules.is_empty());
    }

    fn add(
        &mut self,
        addresses: &[Address],
        made: Vec<RuleUse>,
        build: &BuildFacts,
        key: &ContentKey,
        origin: &Origin,
    ) {
        let mut rules = Vec::new();
        let suffix = common_end(&made).unwrap_or_else(|| key.2.clone());
        let last = addresses
            .first()
            .map(|it| it.path.rsplit('/').next().unwrap_or(&it.path).to_owned())
            .unwrap_or_default();
        let base = slug(&last).unwrap_or_else(|| "app".to_owned());
        let end = slug(suffix.trim_matches(['-', '.', '_'])).unwrap_or_default();
        let with_end = if end.is_empty() { base.clone() } else { format!("{base}-{end}") };
        let name = self.free_name(&with_end, &base, build);
        for RuleUse { mut rule, .. } in made {
            match self.rules.iter_mut().find(|it| it.means(&rule)) {
                Some(known) => {
                    known.origins.extend(
                        rule.origins.into_iter().filter(|it| !known.origins.contains(it)).collect::<Vec<_>>(),
                    );
                    rules.push(known.name.clone());
                }
                None => {
                    let names: BTreeSet<&str> = self.rules.iter().map(|it| it.name.as_str()).collect();
                    rule.name = free(&rule.name, &names, &rule.on, &name);
                    rules.push(rule.name.clone());
                    self.rules.push(rule);
                }
            }
        }
        // One image has one name of a repository; another name needs an image of its own.
        let mut by_repository: Vec<(String, Vec<String>)> = Vec::new();
        for address in addresses {
            let (registry, repository) = self.destinations.place(address);
            match by_repository.iter_mut().find(|(it, _)| *it == repository) {
                Some((_, registries)) => registries.push(registry),
                None => by_repository.push((repository, vec![registry])),
            }
        }
        for (number, (repository, registries)) in by_repository.into_iter().enumerate() {
            if self.images.len() >= MAX_IMAGES {
                return;
            }
            let name = if number == 0 {
                name.clone()
            } else {
                self.free_name(
                    &format!("{name}-{}", registries.first().map_or("other", String::as_str)),
                    &name,
                    build,
                )
            };
            self.images.push(AssembledImage {
                name,
                repository,
                registries,
                rules: rules.clone(),
                build: build.clone(),
                source: None,
                origin: origin.clone(),
            });
        }
    }

    fn free_name(&self, wanted: &str, base: &str, build: &BuildFacts) -> String {
        let taken: BTreeSet<&str> = self.images.iter().map(|it| it.name.as_str()).collect();
        if !taken.contains(wanted) {
            return wanted.to_owned();
        }
        let file = build.dockerfile.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let from_file = super::names::called_for(file).filter(|it| !it.is_empty()).and_then(slug);
        let from_variant = slug(build.variant.rsplit('=').next().unwrap_or_default());
        let more = from_file.into_iter().chain(from_variant).map(|it| format!("{base}-{it}"));
        let numbered = (2..1000).map(|number| format!("{wanted}-{number}"));
        more.chain(numbered).find(|it| !taken.contains(it.as_str())).unwrap_or_else(|| wanted.to_owned())
    }
}

/// The end that all tags of an image have in common.
fn common_end(made: &[RuleUse]) -> Option<String> {
    let ends: Vec<&str> = made
        .iter()
        .map(|it| match it.tag.parts().last() {
            Some(Part::Literal(end)) => {
                end.rfind(['-', '.', '_']).map_or("", |at| end.get(at..).unwrap_or_default())
            }
            _ => "",
        })
        .collect();
    let first = *ends.first()?;
    let is_telling = ends.len() > 1 || made.iter().any(|it| it.tag.parts().len() > 1);
    (!first.is_empty() && is_telling && ends.iter().all(|end| *end == first)).then(|| first.to_owned())
}

fn free(wanted: &str, taken: &BTreeSet<&str>, on: &[&str], image: &str) -> String {
    if !taken.contains(wanted) {
        return wanted.to_owned();
    }
    let own = [format!("{wanted}-{}", on.join("-")), format!("{wanted}-{image}")];
    let numbered = (2..1000).map(|number| format!("{wanted}-{number}"));
    own.into_iter()
        .chain(numbered)
        .find(|it| !taken.contains(it.as_str()))
        .unwrap_or_else(|| wanted.to_owned())
}
