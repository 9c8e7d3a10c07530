//! The way back to a version without a record: `rollback --to` and `withdraw`. A pure function of the rules, the tags that a
//! registry lists, and the digests that they name.

use std::collections::BTreeSet;

use crate::model::version::ReleaseVersion;

use super::diff::PlanOrigin;
use crate::desired::{Address, ReleaseTag, Rendered, Selection, VersionReaders};
use crate::model::credential_use::PlannedCredentials;
use crate::model::forward::{WITHDRAWN_MARK, marked_versions};
use crate::model::optional::OptionalRegistries;
use crate::model::plan::{
    Action, Change, FORMAT_VERSION, GENERATOR, Plan, PlanKind, PlannedRepository, Reason, TagTarget,
};
use crate::model::problem::PlannedProblem;
use crate::model::{Mutability, ResourceId};
use crate::observed::VersionTags;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, RepositoryName, Tag};

/// The way in which floating tags go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayBack {
    /// The floating tags of a version go to it: `rollback --to`.
    To,
    /// The floating tags that name a version go to the best other one: `withdraw`.
    Withdraw,
}

/// A repository, and the versions that it holds.
#[derive(Debug)]
pub struct VersionedRepository {
    /// The resource.
    pub resource: ResourceId,
    /// The registry's name.
    pub registry: String,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, including the namespace.
    pub repository: RepositoryName,
    /// The version that is gone back to, or that is withdrawn.
    pub version: ReleaseVersion,
    /// The tags of the version.
    pub own: Vec<Tag>,
    /// The floating tags that the rules render for the version.
    pub floating: Vec<FloatingTag>,
}

/// A floating tag, and the version that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloatingTag {
    /// The tag.
    pub tag: Tag,
    /// The rule that renders it.
    pub rule: String,
    /// Whether it may move.
    pub mutability: Mutability,
    /// The version that it goes to, with the tag of that version. `None`: there is none.
    pub to: Option<(ReleaseVersion, Tag)>,
}

/// Returns the floating tags that the rules of a resource render for `version`, each with its destination. `rendered` gives the
/// results of the rules for a version, `own` are the tags of the version, `tags` all of the repository, and `withdrawn` are the versions that do not count.
pub fn floating_tags<'a>(
    way: WayBack,
    version: &ReleaseVersion,
    rendered: impl Fn(&ReleaseVersion) -> Vec<ReleaseTag<'a>>,
    readers: &VersionReaders,
    own: &[Tag],
    tags: &[Tag],
    withdrawn: &BTreeSet<ReleaseVersion>,
) -> Vec<FloatingTag> {
    let versions = readers.versions(tags);
    let marked = marked_versions(tags, readers.as_slice());
    let stands = |it: &&ReleaseVersion| !withdrawn.contains(*it) && !marked.contains(*it) && *it != version;
    let standing: Vec<&ReleaseVersion> = versions.keys().rev().filter(stands).collect();
    let tag_of = |it: &ReleaseVersion| versions.get(it).and_then(|tags| tags.first()).cloned();
    let destination = |name: &str, tag: &Tag| match way {
        WayBack::To => Some((version.clone(), own.first()?.clone())),
        WayBack::Withdraw => standing.iter().find_map(|candidate| {
            let renders =
                |it: &ReleaseTag<'_>| it.template.name() == name && it.rendered == Rendered::Tag(tag.clone());
            rendered(candidate)
                .iter()
                .any(renders)
                .then(|| Some(((*candidate).clone(), tag_of(candidate)?)))?
        }),
    };
    let mut floating: Vec<FloatingTag> = Vec::new();
    for ReleaseTag { template, rendered } in rendered(version) {
        let (Rendered::Tag(tag), name) = (rendered, template.name()) else { continue };
        let is_floating = template.mutability() != Mutability::Immutable && !readers.reads(&name);
        if is_floating && floating.iter().all(|known| known.tag != tag) {
            let to = destination(&name, &tag);
            let (rule, mutability) = (name.into_owned(), template.mutability());
            floating.push(FloatingTag { tag, rule, mutability, to });
        }
    }
    floating
}

impl VersionedRepository {
    /// The tag that marks the version as withdrawn, if a tag can be as long.
    pub fn mark(&self) -> Option<Tag> {
        format!("{WITHDRAWN_MARK}{}", self.own.first()?).parse().ok()
    }

    /// Every tag whose digest decides.
    pub fn asked(&self, way: WayBack) -> BTreeSet<Tag> {
        let destinations = self.floating.iter().filter_map(|it| Some(it.to.as_ref()?.1.clone()));
        let mark = self.mark().filter(|_| way == WayBack::Withdraw);
        self.floating
            .iter()
            .map(|it| it.tag.clone())
            .chain(destinations)
            .chain(self.own.iter().cloned())
            .chain(mark)
            .collect()
    }

    fn address(&self) -> String {
        format!("{}@{}", self.resource, self.registry)
    }

    fn change(&self, tag: &Tag, rule: &str, mutability: Mutability) -> Change {
        Change {
            address: format!("{}:{tag}", self.address()),
            tag: tag.clone(),
            rule: rule.to_owned(),
            mutability,
            action: Action::NoOp,
            reason: Reason::AlreadyThere,
            before: None,
            after: None,
            // The tag goes backward on purpose.
            forward: None,
            removal: None,
        }
    }

    fn plan(&self, way: WayBack, held: &VersionTags, selection: &Selection) -> Option<PlannedRepository> {
        let own: BTreeSet<&Digest> = self.own.iter().filter_map(|tag| held.tags.get(tag)).collect();
        let digest = self.own.iter().find_map(|tag| held.tags.get(tag))?;
        let mut changes = Vec::new();
        let selected = |tag: &Tag| {
            selection.selects(Address {
                resource: &self.resource,
                registry: &self.registry,
                tag: tag.as_str(),
            })
        };
        // The mark comes first, so that nobody takes the tags back in the meantime.
        if let Some(mark) = self.mark().filter(|tag| way == WayBack::Withdraw && selected(tag)) {
            changes.push(self.marked(&mark, digest, held));
        }
        for floating in self.floating.iter().filter(|it| selected(&it.tag)) {
            let present = held.tags.get(&floating.tag);
            // Only tags that name the version are taken from it.
            if way == WayBack::Withdraw && present.is_none_or(|present| !own.contains(present)) {
                continue;
            }
            changes.push(self.moved(floating, present, held));
        }
        Some(PlannedRepository {
            address: self.address(),
            resource: self.resource.clone(),
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            name: self.endpoint.url.full_name(&self.repository),
            content: None,
            changes,
            orphans: Vec::new(),
            untagged: None,
            signatures: Vec::new(),
            visibility: None,
        })
    }

    /// The change of the tag that marks the version as withdrawn, which names the same image.
    fn marked(&self, mark: &Tag, digest: &Digest, held: &VersionTags) -> Change {
        let target = Self::target(digest, &self.version, self.own.first());
        let action = match held.tags.get(mark) {
            None => Action::Create,
            Some(_) => Action::NoOp,
        };
        let before = held.tags.get(mark).map(|digest| TagTarget::new(digest.clone()));
        Change {
            action,
            reason: Reason::MarksWithdrawn { version: self.version.to_string() },
            after: before.clone().or(Some(target)),
            before,
            ..self.change(mark, "withdrawn", Mutability::Mutable)
        }
    }

    fn moved(&self, floating: &FloatingTag, present: Option<&Digest>, held: &VersionTags) -> Change {
        let change = self.change(&floating.tag, &floating.rule, floating.mutability);
        let before = present.map(|digest| {
            let shown = held.versions.get(digest);
            TagTarget {
                version: shown.map(|shown| shown.version.to_string()),
                version_tag: shown.and_then(|shown| shown.by.tag()).cloned(),
                ..TagTarget::new(digest.clone())
            }
        });
        let to = floating.to.as_ref().and_then(|(version, tag)| Some((version, tag, held.tags.get(tag)?)));
        let Some((version, tag, digest)) = to else {
            let reason = Reason::NoOtherVersion { version: self.version.to_string() };
            return Change { action: Action::Keep, reason, after: before.clone(), before, ..change };
        };
        let action = match present {
            Some(present) if present == digest => Action::NoOp,
            Some(_) => Action::Move,
            None => Action::Create,
        };
        let reason = match action {
            Action::NoOp => Reason::AlreadyThere,
            _ => Reason::BackToVersion { version: version.to_string() },
        };
        Change { action, reason, before, after: Some(Self::target(digest, version, Some(tag))), ..change }
    }

    fn target(digest: &Digest, version: &ReleaseVersion, tag: Option<&Tag>) -> TagTarget {
        TagTarget {
            version: Some(version.to_string()),
            version_tag: tag.cloned(),
            ..TagTarget::new(digest.clone())
        }
    }
}

/// Returns the plan of going back, for repositories that hold the version. `held` has the answers, in the same order.
pub fn back_to_version(
    way: WayBack,
    repositories: &[VersionedRepository],
    held: &[VersionTags],
    selection: &Selection,
    problems: Vec<PlannedProblem>,
    origin: PlanOrigin,
) -> Plan {
    let planned = repositories.iter().zip(held);
    let planned: Vec<PlannedRepository> =
        planned.filter_map(|(repository, held)| repository.plan(way, held, selection)).collect();
    let registries = repositories.iter().map(|it| (it.registry.clone(), it.endpoint.clone()));
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        generator: GENERATOR.to_owned(),
        kind: match way {
            WayBack::To => PlanKind::Rollback,
            WayBack::Withdraw => PlanKind::Withdrawal,
        },
        folder: origin.folder,
        config: origin.config,
        context: origin.context,
        title: origin.title,
        on_tag_failure: origin.on_tag_failure,
        registries: registries.collect(),
        optional: OptionalRegistries::default(),
        credentials: PlannedCredentials::default(),
        approval: None,
        gates: std::collections::BTreeMap::new(),
        signers: std::collections::BTreeMap::new(),
        repositories: planned,
        secrets: None,
        not_searched: std::collections::BTreeMap::new(),
        problems,
        silent: Vec::new(),
        silent_retentions: std::collections::BTreeMap::new(),
    }
}
