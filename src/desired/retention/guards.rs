//! The tags that a retention spares beside its limits: those of git tags and branches that exist, and tags and digests that something still uses.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::OwnTags;
use super::decisions::ListedTag;
use super::scope::{RetentionScope, ScopedRetention};
use crate::context::{Context, GitRef};
use crate::desired::rules;
use crate::desired::tag_reader;
use crate::desired::tag_template::TagTemplate;
use crate::desired::tags::Renderer;
use crate::model::EventName;
use crate::model::retention::KeepReason;
use oci_registry::{Digest, Tag};

/// The git refs that exist, or the reason why they are not known.
pub type KnownRefs = Result<Vec<GitRef>, String>;

/// The images of one repository that are in use: the names under which something refers to it, each with where it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    /// The tags.
    pub tags: BTreeMap<Tag, String>,
    /// The digests: of a tag, or of a part of what it names.
    pub digests: BTreeMap<Digest, String>,
}

impl InUse {
    /// Adds what another list names.
    pub fn extend(&mut self, other: Self) {
        self.tags.extend(other.tags);
        self.digests.extend(other.digests);
    }
}

/// Everything that the retentions of one repository spare.
#[derive(Debug, Clone, Default)]
pub struct Spared {
    /// The git refs, if a retention asks for them.
    pub refs: Option<KnownRefs>,
    /// The images in use, by the name of the retention that asks for it.
    pub in_use: BTreeMap<String, InUse>,
}

/// The tags that one retention spares.
#[derive(Debug, Default)]
pub(super) struct MemberGuard<'s> {
    /// Tags of git refs, each with the reason.
    of_refs: BTreeMap<Tag, KeepReason>,
    /// The reason why every tag stays: the git refs, or what a template renders for them, are not known.
    all: Option<KeepReason>,
    in_use: Option<&'s InUse>,
}

impl<'s> MemberGuard<'s> {
    pub fn new(
        renderer: &Renderer<'_>,
        scope: &RetentionScope<'_>,
        member: &ScopedRetention<'_>,
        spared: &'s Spared,
    ) -> Self {
        let mut guard = Self { in_use: spared.in_use.get(member.name), ..Self::default() };
        let keeps = &member.retention.keep;
        if !keeps.git_tags && !keeps.branches {
            return guard;
        }
        match &spared.refs {
            None => guard.all = Some(KeepReason::GitUnknown { why: "nobody asked git".to_owned() }),
            Some(Err(why)) => guard.all = Some(KeepReason::GitUnknown { why: why.clone() }),
            Some(Ok(refs)) => {
                let wanted = refs.iter().filter(|it| if it.is_tag { keeps.git_tags } else { keeps.branches });
                for git_ref in wanted {
                    guard.spare(renderer, scope, member, git_ref);
                }
            }
        }
        guard
    }

    /// The reason why `listed` stays, if it does.
    pub fn of(&self, listed: &ListedTag) -> Option<KeepReason> {
        let used = self.in_use.and_then(|in_use| {
            in_use.tags.get(&listed.tag).or_else(|| in_use.digests.get(&listed.digest)).cloned()
        });
        let used = used.map(|by| KeepReason::InUse { by });
        used.or_else(|| self.of_refs.get(&listed.tag).cloned()).or_else(|| self.all.clone())
    }

    /// Spares every tag that a template of the repository renders for `git_ref`.
    fn spare(
        &mut self,
        renderer: &Renderer<'_>,
        scope: &RetentionScope<'_>,
        member: &ScopedRetention<'_>,
        git_ref: &GitRef,
    ) {
        let context = context_of(git_ref);
        let reason = KeepReason::GitRef { name: git_ref.name.clone(), is_tag: git_ref.is_tag };
        for named in &scope.resources {
            let (_, values) = renderer.values(&context, named.id, named.resource);
            for template in TagTemplate::of_resource(renderer.config, *named) {
                if let Ok(tag) = rules::render(&renderer.templates, template.text(), &values) {
                    self.of_refs.entry(tag).or_insert_with(|| reason.clone());
                    continue;
                }
                // The time of a commit is only known if the clone has the commit, and then the tag might be any.
                let by_time = || {
                    tag_reader::variables(&renderer.templates, template.text()).contains("git.commit_time")
                };
                let is_own = match &member.retention.subject {
                    crate::config::RetentionSubject::Rule(rule) => template.name() == rule.as_str(),
                    _ => matches!(member.claims.own, OwnTags::Globs(_)),
                };
                if git_ref.time.is_none() && is_own && by_time() {
                    let why = format!("this clone does not have the commit of `{}`", git_ref.name);
                    self.all.get_or_insert(KeepReason::GitUnknown { why });
                }
            }
        }
    }
}

/// The context in which something is published from `git_ref`.
fn context_of(git_ref: &GitRef) -> Context {
    let mut context = Context::new(if git_ref.is_tag { EventName::Tag } else { EventName::Branch });
    let folder = if git_ref.is_tag { "tags" } else { "heads" };
    context.reference = Some(format!("refs/{folder}/{}", git_ref.name));
    context.sha = Some(git_ref.sha.clone());
    context.commit_time = git_ref.time;
    let name = Some(git_ref.name.clone());
    if git_ref.is_tag {
        context.tag = name;
    } else {
        context.branch = name;
    }
    context
}

/// The digests in `in_use` that no listed tag names: they may be parts of what a tag names.
pub fn unnamed<'u>(in_use: &'u InUse, tags: &[ListedTag]) -> BTreeSet<&'u Digest> {
    let named: BTreeSet<&Digest> = tags.iter().map(|listed| &listed.digest).collect();
    in_use.digests.keys().filter(|digest| !named.contains(digest)).collect()
}
