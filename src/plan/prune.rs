//! The plan of a prune: a pure function of the decisions of retentions and of how each registry removes tags.
//!
//! All rules of how a tag is removed are here. The rule of what may be removed with it is in
//! [`crate::model::inventory`].

use std::collections::{BTreeMap, BTreeSet};

use super::diff::PlanOrigin;
use crate::desired::{Decided, UntaggedRetention};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::credential_use::PlannedCredentials;
use crate::model::optional::OptionalRegistries;
use crate::model::plan::{
    Action, Change, FORMAT_VERSION, GENERATOR, Plan, PlanKind, PlannedRepository, Reason, RemovalMethod,
    TagTarget,
};
use crate::model::problem::PlannedProblem;
use crate::model::retention::{Age, KeepReason};
use crate::model::untagged::{KeptManifest, PlannedUntagged, UntaggedReason};
use crate::model::{Mutability, ResourceId};
use crate::observed::Removing;
use oci_registry::inventory::Inventory;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::untagged::{UntaggedLimits, UntaggedObstacle};
use oci_registry::{Digest, RepositoryName, Tag};

/// The reason why the last tags of a package stay: GitHub answers 400, "You cannot delete the last tagged version of a
/// package".
const LAST: &str = "GitHub keeps the last tagged version of a package: delete the whole package by hand";

/// A repository, and the decisions about its tags.
#[derive(Debug)]
pub struct Pruned {
    /// The resource's name. If several share the repository, the first one's.
    pub resource: ResourceId,
    /// The registry's name for that resource.
    pub registry: String,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, including the namespace.
    pub repository: RepositoryName,
    /// The decision about each tag that a retention matches.
    pub decided: Vec<Decided>,
    /// How tags are removed, or `None` if none is to go.
    pub removing: Option<Removing>,
    /// The manifests without a tag, if a retention is about them.
    pub untagged: Option<UntaggedManifests>,
}

/// The manifests without a tag of a repository.
#[derive(Debug)]
pub struct UntaggedManifests {
    /// The retention.
    pub retention: UntaggedRetention,
    /// Everything that the repository holds, or the reason why that cannot be known.
    pub inventory: Result<Inventory, String>,
    /// The manifests that something outside of the registry still uses.
    pub in_use: BTreeSet<Digest>,
}

/// Returns the plan that removes the tags chosen by retentions. `mutabilities` are those of the rules that retentions
/// name, by retention; `silent` are the retentions that do not act, with the reasons; `now` is in seconds since 1970.
pub fn prune(
    pruned: &[Pruned],
    mutabilities: &BTreeMap<String, Mutability>,
    silent: &[(String, String)],
    origin: PlanOrigin,
    now: i64,
) -> Plan {
    let planned = |it: &&Pruned| !it.decided.is_empty() || it.untagged.is_some();
    let repositories = pruned.iter().filter(planned).map(|it| it.plan(mutabilities, now)).collect();
    let registries = pruned.iter().filter(planned).map(|it| (it.registry.clone(), it.endpoint.clone()));
    Plan {
        format_version: FORMAT_VERSION.to_owned(),
        generator: GENERATOR.to_owned(),
        kind: PlanKind::Prune,
        folder: origin.folder,
        config: origin.config,
        context: origin.context,
        title: origin.title,
        on_tag_failure: origin.on_tag_failure,
        registries: registries.collect(),
        optional: OptionalRegistries::default(),
        credentials: PlannedCredentials::default(),
        approval: None,
        gates: BTreeMap::new(),
        signers: BTreeMap::new(),
        repositories,
        secrets: None,
        not_searched: BTreeMap::new(),
        problems: pruned.iter().filter_map(|it| it.untagged_problem(now)).collect(),
        silent: Vec::new(),
        silent_retentions: silent.iter().cloned().collect(),
    }
}

/// The manifests that are removed whole, and the tags that stay nevertheless.
#[derive(Debug, Default)]
struct Whole {
    manifests: BTreeSet<Digest>,
    /// The tags of the last manifest that has any tags.
    last: BTreeSet<Tag>,
}

impl Pruned {
    fn plan(&self, mutabilities: &BTreeMap<String, Mutability>, now: i64) -> PlannedRepository {
        let going: BTreeSet<Tag> = self
            .decided
            .iter()
            .filter(|it| it.verdict.is_ok() && !it.tag.is_of_referrers())
            .map(|it| it.tag.clone())
            .collect();
        let inventory = match &self.removing {
            Some(Removing::Manifests(inventory)) => Some(inventory),
            _ => None,
        };
        let whole = inventory.map(|inventory| whole(inventory, going, now)).unwrap_or_default();
        let mut changes: Vec<Change> =
            self.decided.iter().map(|it| self.change(it, &whole, mutabilities)).collect();
        let mut orphans = Vec::new();
        if let Some(inventory) = inventory {
            let signatures = self.signatures(inventory, &whole, &changes);
            // A glob that matches everything has already listed them, as tags that stay.
            changes.retain(|change| signatures.iter().all(|signature| signature.tag != change.tag));
            changes.extend(signatures);
            let depths = inventory.parents_first(&whole.manifests);
            let depth = |change: &Change| change.present().and_then(|digest| depths.get(digest)).copied();
            // An index is removed before the manifests that it lists.
            changes.sort_by_key(|change| match change.removal {
                Some(RemovalMethod::Manifest) => depth(change).unwrap_or_default(),
                _ => 0,
            });
            let is_bare = |digest: &&Digest| {
                inventory.manifests().get(*digest).is_some_and(|holding| holding.tags.is_empty())
            };
            orphans = whole.manifests.iter().filter(is_bare).cloned().collect();
            orphans.sort_by_key(|digest| depths.get(digest).copied().unwrap_or_default());
        }
        let untagged = self.untagged(now).and_then(Result::ok);
        if let (Some(planned), Some(UntaggedManifests { inventory: Ok(inventory), .. })) =
            (&untagged, &self.untagged)
        {
            let all: BTreeSet<Digest> = orphans.iter().chain(&planned.remove).cloned().collect();
            let depths = inventory.parents_first(&all);
            orphans = all.into_iter().collect();
            orphans.sort_by_key(|digest| depths.get(digest).copied().unwrap_or_default());
        }
        PlannedRepository {
            address: format!("{}@{}", self.resource, self.registry),
            resource: self.resource.clone(),
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            name: self.endpoint.url.full_name(&self.repository),
            content: None,
            changes,
            orphans,
            signatures: Vec::new(),
            untagged,
            visibility: None,
        }
    }

    /// The decision about the manifests without a tag, if a retention is about them, or the reason why there is none.
    fn untagged(&self, now: i64) -> Option<Result<PlannedUntagged, String>> {
        let UntaggedManifests { retention, inventory, in_use } = self.untagged.as_ref()?;
        let inventory = match inventory {
            Ok(inventory) => inventory,
            Err(why) => return Some(Err(why.clone())),
        };
        let (keep_last, older_than) = (retention.keep_last, retention.older_than);
        let limits = UntaggedLimits { keep_last, older_than: older_than.map(Age::seconds) };
        let decision = match inventory.untagged(&limits, in_use, now) {
            Ok(decision) => decision,
            Err(dark) => {
                return Some(Err(format!(
                    "{} cannot be read, so it may need any other manifest",
                    dark.short(12)
                )));
            }
        };
        let reason = |obstacle| match obstacle {
            UntaggedObstacle::Reached(by, tag) => UntaggedReason::Reached { by, tag },
            UntaggedObstacle::Refers(to) => UntaggedReason::Refers { to },
            UntaggedObstacle::Referrers(tag) => UntaggedReason::Referrers { tag },
            UntaggedObstacle::InUse => UntaggedReason::InUse,
            UntaggedObstacle::Newest => UntaggedReason::Newest { keep_last: keep_last.unwrap_or_default() },
            UntaggedObstacle::Younger => match older_than {
                Some(age) => UntaggedReason::Younger { age },
                None => UntaggedReason::Young,
            },
            UntaggedObstacle::TimeUnknown => UntaggedReason::TimeUnknown,
            UntaggedObstacle::Young => UntaggedReason::Young,
        };
        Some(Ok(PlannedUntagged {
            retention: retention.name.clone(),
            keep_last,
            older_than,
            manifests: inventory.manifests().len(),
            tags: inventory.manifests().values().map(|holding| holding.tags.len()).sum(),
            remove: decision.remove.into_iter().collect(),
            keep: decision
                .keep
                .into_iter()
                .map(|(digest, obstacle)| KeptManifest { digest, why: reason(obstacle) })
                .collect(),
        }))
    }

    /// The problem that blocks the plan if it is unknown which manifests have no tag.
    fn untagged_problem(&self, now: i64) -> Option<PlannedProblem> {
        let why = self.untagged(now)?.err()?;
        let name = self.endpoint.url.full_name(&self.repository);
        let message = format!("{name}: the manifests without a tag stay: {why}");
        let help = "a manifest is removed only if it is known that nothing needs it; name other registries or images in `[retention.untagged]`, or select other addresses with `--target`";
        Some(PlannedProblem::from(&Diagnostic::error(Code::RetentionUntagged, message).help(help)))
    }

    fn change(
        &self,
        decided: &Decided,
        whole: &Whole,
        mutabilities: &BTreeMap<String, Mutability>,
    ) -> Change {
        let Decided { tag, digest, resource, registry, retention, verdict } = decided;
        let (reason, removal) = match verdict {
            Err(why) => (Reason::Retained { why: why.to_string() }, None),
            // These tags are removed together with their subject, not before it.
            Ok(_) if tag.is_of_referrers() => {
                (Reason::Retained { why: KeepReason::Referrers.to_string() }, None)
            }
            Ok(why) => match self.method(tag, digest, whole) {
                Ok(method) => (Reason::Expired { why: why.to_string() }, Some(method)),
                Err(why) => (Reason::CannotRemove { why }, None),
            },
        };
        let before = Some(TagTarget::new(digest.clone()));
        Change {
            address: format!("{resource}@{registry}:{tag}"),
            tag: tag.clone(),
            rule: retention.clone(),
            mutability: mutabilities.get(retention).copied().unwrap_or(Mutability::Mutable),
            action: if removal.is_some() { Action::Remove } else { Action::Keep },
            reason,
            after: before.clone().filter(|_| removal.is_none()),
            before,
            forward: None,
            removal,
        }
    }

    /// The way to remove `tag`, or the reason why that is impossible.
    fn method(&self, tag: &Tag, digest: &Digest, whole: &Whole) -> Result<RemovalMethod, String> {
        match &self.removing {
            Some(Removing::Tags) => Ok(RemovalMethod::Tag),
            Some(Removing::Manifests(_)) if whole.last.contains(tag) => Err(LAST.to_owned()),
            Some(Removing::Manifests(_)) if whole.manifests.contains(digest) => Ok(RemovalMethod::Manifest),
            Some(Removing::Placeholders | Removing::Manifests(_)) => Ok(RemovalMethod::Placeholder),
            Some(Removing::Nothing(why)) => Err(why.clone()),
            None => Err("the registry was not asked whether it can".to_owned()),
        }
    }

    /// The tags of signatures and other referrers that are removed with their subject.
    fn signatures(&self, inventory: &Inventory, whole: &Whole, changes: &[Change]) -> Vec<Change> {
        let mut signatures = Vec::new();
        for digest in &whole.manifests {
            let Some(holding) = inventory.manifests().get(digest) else { continue };
            for tag in holding.tags.iter().filter(|tag| tag.is_of_referrers()) {
                let subject = changes.iter().find(|change| {
                    change.action == Action::Remove
                        && change.present().is_some_and(|present| tag.is_of_referrers_to(present))
                });
                let of = subject.map_or_else(
                    || "an image that is removed".to_owned(),
                    |change| format!("{}, which is removed", change.tag),
                );
                signatures.push(Change {
                    address: format!("{}@{}:{tag}", self.resource, self.registry),
                    tag: tag.clone(),
                    rule: subject.or(changes.first()).map(|it| it.rule.clone()).unwrap_or_default(),
                    mutability: Mutability::Mutable,
                    action: Action::Remove,
                    reason: Reason::Expired { why: format!("it refers to {of}") },
                    before: Some(TagTarget::new(digest.clone())),
                    after: None,
                    forward: None,
                    removal: Some(RemovalMethod::Manifest),
                });
            }
        }
        signatures
    }
}

/// Returns the manifests that are removed whole if the tags `going` are removed.
fn whole(inventory: &Inventory, mut going: BTreeSet<Tag>, now: i64) -> Whole {
    let manifests = inventory.removable(&going, now);
    let stays = |(digest, tags): (&Digest, &BTreeSet<Tag>)| {
        !manifests.contains(digest) && tags.iter().any(|tag| !going.contains(tag))
    };
    let mut held = inventory.manifests().iter().map(|(digest, holding)| (digest, &holding.tags));
    if going.is_empty() || held.any(stays) {
        return Whole { manifests, last: BTreeSet::new() };
    }
    let named =
        inventory.manifests().values().filter(|holding| holding.tags.iter().any(|it| going.contains(it)));
    let newest = named.max_by_key(|holding| (holding.created, holding.tags.iter().next_back().cloned()));
    let last: BTreeSet<Tag> = newest.map(|holding| holding.tags.clone()).unwrap_or_default();
    going.retain(|tag| !last.contains(tag));
    Whole { manifests: inventory.removable(&going, now), last }
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
