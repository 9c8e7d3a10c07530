//! The rollback of an apply: a pure function of its record and of the current digests of the tags.
//!
//! One rule holds for the records of every kind of plan: a tag that an apply changed goes back to its previous digest
//! if it still names the digest that the apply left. An immutable tag that was put stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::{Address, Selection};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::Mutability;
use crate::model::credential_use::PlannedCredentials;
use crate::model::optional::OptionalRegistries;
use crate::model::outcome::ChangeOutcome;
use crate::model::plan::{
    Action, Change, FORMAT_VERSION, GENERATOR, Plan, PlanKind, PlannedRepository, Reason, RemovalMethod,
    TagTarget,
};
use crate::model::record::Record;
use crate::observed::{StandingTags, TagQuestions};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, Tag};

/// The reason why a record cannot be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The outcome and the plan of the record do not belong to one apply, which happens only if the record was edited.
    #[error("the record contradicts itself: `{0}` is not in both its plan and its outcome")]
    Inconsistent(String),
    /// The record names a registry that it does not describe.
    #[error("the record names the registry `{0}` without describing it")]
    UnknownRegistry(String),
}

impl RollbackError {
    /// Returns the diagnostic, shown to people.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(Code::PlanFile, self.to_string())
            .help("use the record exactly as `--record FILE` wrote it")
    }
}

/// The changes to roll back, before any registry is asked.
#[derive(Debug)]
pub struct Rollback<'r> {
    record: &'r Record,
    repositories: Vec<RolledBackRepository<'r>>,
}

/// The part of the rollback in one repository.
#[derive(Debug)]
struct RolledBackRepository<'r> {
    planned: &'r PlannedRepository,
    endpoint: &'r RegistryEndpoint,
    tags: Vec<AppliedChange<'r>>,
}

/// A change that the apply made, or may have made.
#[derive(Debug, Clone, Copy)]
struct AppliedChange<'r> {
    planned: &'r Change,
    outcome: &'r ChangeOutcome,
}

impl<'r> Rollback<'r> {
    /// Selects from the changes that the apply of `record` made or may have made.
    ///
    /// # Errors
    ///
    /// Contradictions in the record, and targets that name nothing in it.
    pub fn new(record: &'r Record, selection: &Selection) -> Result<Self, Vec<Diagnostic>> {
        let mut outcomes: BTreeMap<&str, &ChangeOutcome> =
            record.outcome.changes.iter().map(|outcome| (outcome.address.as_str(), outcome)).collect();
        let (mut repositories, mut errors, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
        for planned in &record.plan.repositories {
            let mut tags = Vec::new();
            for change in &planned.changes {
                let Some(outcome) = outcomes.remove(change.address.as_str()) else {
                    errors.push(RollbackError::Inconsistent(change.address.clone()));
                    continue;
                };
                let (resource, registry) = (&planned.resource, planned.registry.as_str());
                let address = Address { resource, registry, tag: change.tag.as_str() };
                addresses.push(address);
                if outcome.result.may_have_changed() && selection.selects(address) {
                    tags.push(AppliedChange { planned: change, outcome });
                }
            }
            if tags.is_empty() {
                continue;
            }
            match record.plan.registries.get(&planned.registry) {
                Some(endpoint) => repositories.push(RolledBackRepository { planned, endpoint, tags }),
                None => errors.push(RollbackError::UnknownRegistry(planned.registry.clone())),
            }
        }
        errors.extend(outcomes.into_keys().map(|address| RollbackError::Inconsistent(address.to_owned())));
        let mut diagnostics: Vec<Diagnostic> = errors.iter().map(RollbackError::to_diagnostic).collect();
        diagnostics.extend(selection.unknown(&addresses, &[], "this plan"));
        if diagnostics.is_empty() { Ok(Self { record, repositories }) } else { Err(diagnostics) }
    }

    /// The questions whose answers the plan needs.
    pub fn questions(&self) -> Vec<TagQuestions<'r>> {
        let question = |it: &RolledBackRepository<'r>| TagQuestions {
            address: &it.planned.address,
            endpoint: it.endpoint,
            repository: &it.planned.repository,
            tags: it.tags.iter().map(|tag| (&tag.planned.tag, tag.before())).collect(),
        };
        self.repositories.iter().map(question).collect()
    }

    /// Returns the plan. `standing` has the answers to the questions, by address. A repository without an answer is left out.
    pub fn plan(&self, standing: &BTreeMap<String, StandingTags>) -> Plan {
        let plan = &self.record.plan;
        let planned = self
            .repositories
            .iter()
            .filter_map(|repository| Some(repository.plan(standing.get(&repository.planned.address)?)));
        let repositories: Vec<PlannedRepository> = planned.collect();
        let named: BTreeSet<&String> = repositories.iter().map(|it| &it.registry).collect();
        let mut registries = plan.registries.clone();
        registries.retain(|name, _| named.contains(name));
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            generator: GENERATOR.to_owned(),
            kind: PlanKind::Rollback,
            folder: plan.folder.clone(),
            config: plan.config.clone(),
            context: plan.context.clone(),
            title: format!("rollback of {}", plan.title),
            on_tag_failure: plan.on_tag_failure,
            registries,
            optional: OptionalRegistries::default(),
            credentials: PlannedCredentials::default(),
            approval: None,
            gates: BTreeMap::new(),
            signers: BTreeMap::new(),
            repositories,
            secrets: None,
            not_searched: BTreeMap::new(),
            problems: Vec::new(),
            silent: Vec::new(),
            silent_retentions: BTreeMap::new(),
        }
    }
}

impl RolledBackRepository<'_> {
    fn plan(&self, standing: &StandingTags) -> PlannedRepository {
        let planned = self.planned;
        PlannedRepository {
            address: planned.address.clone(),
            resource: planned.resource.clone(),
            registry: planned.registry.clone(),
            repository: planned.repository.clone(),
            name: self.endpoint.url.full_name(&planned.repository),
            content: None,
            changes: self.tags.iter().map(|tag| self.change(*tag, standing)).collect(),
            orphans: Vec::new(),
            signatures: Vec::new(),
            untagged: None,
            visibility: None,
        }
    }

    fn change(&self, done: AppliedChange<'_>, standing: &StandingTags) -> Change {
        let Change { tag, address, rule, mutability, .. } = done.planned;
        let present = standing.tags.get(tag);
        let (action, reason, removal) = decide(done, present, standing);
        let before = present.map(|digest| self.target(tag, digest, done));
        let after = match action {
            // The tag keeps its current digest.
            Action::Keep => before.clone(),
            _ => done.outcome.before.clone(),
        };
        Change {
            address: address.clone(),
            tag: tag.clone(),
            rule: rule.clone(),
            mutability: *mutability,
            action,
            reason,
            before,
            after,
            // The tag goes backward on purpose.
            forward: None,
            removal,
        }
    }

    /// Returns the record's knowledge about `digest`, which `tag` names.
    fn target(&self, tag: &Tag, digest: &Digest, done: AppliedChange<'_>) -> TagTarget {
        let mut known = [&done.outcome.before, &done.outcome.after].into_iter().flatten();
        let Some(known) = known.find(|target| target.digest == *digest) else {
            return TagTarget::new(digest.clone());
        };
        let mut target = known.clone();
        if let (None, Some(version)) = (&target.version_tag, &target.version) {
            // A tag renders `+` as `_`.
            let version = version.replace('+', "_");
            let stands_for = |other: &&Change| {
                other.mutability == Mutability::Immutable
                    && other.tag != *tag
                    && other.wanted() == Some(digest)
                    && other.tag.as_str().contains(&version)
            };
            target.version_tag = self.planned.changes.iter().find(stands_for).map(|other| other.tag.clone());
        }
        target
    }
}

impl<'r> AppliedChange<'r> {
    /// The digest of the tag before the apply.
    fn before(&self) -> Option<&'r Digest> {
        self.outcome.before.as_ref().map(|target| &target.digest)
    }

    /// The digest that the apply left or meant to leave.
    fn after(&self) -> Option<&'r Digest> {
        self.outcome.after.as_ref().map(|target| &target.digest)
    }
}

/// Decides about a tag that names `present`. All rules of going back are here.
fn decide(
    done: AppliedChange<'_>,
    present: Option<&Digest>,
    standing: &StandingTags,
) -> (Action, Reason, Option<RemovalMethod>) {
    // A tag that a retention was to remove may come back, because it always had the same digest.
    let was_put = done.after().is_some();
    if done.planned.mutability == Mutability::Immutable && was_put {
        return (Action::Keep, Reason::ImmutableStays, None);
    }
    let back_to = done.before();
    if present == back_to {
        return (Action::NoOp, Reason::RolledBackAlready, None);
    }
    if present != done.after() {
        return (Action::Conflict, Reason::MovedSince, None);
    }
    match (present, back_to, &standing.removal) {
        (_, Some(digest), _) if !standing.held.contains(digest) => {
            (Action::Conflict, Reason::ContentGone, None)
        }
        (None, Some(_), _) => (Action::Create, Reason::RolledBack, None),
        (Some(_), Some(_), _) => (Action::Move, Reason::RolledBack, None),
        (_, None, Some(Ok(method))) => (Action::Remove, Reason::RolledBack, Some(*method)),
        (_, None, Some(Err(why))) => (Action::Keep, Reason::CannotRemove { why: why.clone() }, None),
        (_, None, None) => {
            let why = "the registry was not asked whether it can".to_owned();
            (Action::Keep, Reason::CannotRemove { why }, None)
        }
    }
}

#[cfg(test)]
#[path = "rollback_tests.rs"]
mod tests;
