//! `--target`: a plan cut down to some addresses.

use crate::model::plan::{Change, Plan, PlannedRepository};

/// A target that is no address of the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` is not an address of this plan")]
pub struct TargetError {
    /// What was given.
    pub target: String,
    /// The addresses that there are.
    pub known: Vec<String>,
}

/// Keeps of `plan` what `targets` name: `images.NAME`, `images.NAME@REGISTRY` or `images.NAME@REGISTRY:TAG`, and
/// `images.NAME:TAG` for a tag in every registry. No target keeps all.
///
/// # Errors
///
/// Every target that names nothing.
pub fn retain(plan: &mut Plan, targets: &[String]) -> Result<(), Vec<TargetError>> {
    if targets.is_empty() {
        return Ok(());
    }
    let names_something =
        |target: &String| plan.repositories.iter().any(|it| !selected(it, target).is_empty());
    let errors: Vec<TargetError> = targets
        .iter()
        .filter(|target| !names_something(target))
        .map(|target| TargetError {
            target: target.clone(),
            known: plan.repositories.iter().map(|it| it.address.clone()).collect(),
        })
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    for repository in &mut plan.repositories {
        let keep: Vec<String> = targets
            .iter()
            .flat_map(|target| selected(repository, target))
            .map(|change| change.address.clone())
            .collect();
        repository.changes.retain(|change| keep.contains(&change.address));
        if !repository.has_changes() {
            let content = &mut repository.content;
            (
                content.bytes_to_send,
                content.blobs_to_push,
                content.blobs_to_mount,
                content.manifests_to_put,
            ) = (0, 0, 0, 0);
        }
    }
    plan.repositories.retain(|repository| !repository.changes.is_empty());
    plan.silent.clear();
    Ok(())
}

/// The changes of `repository` that `target` names.
fn selected<'a>(repository: &'a PlannedRepository, target: &str) -> Vec<&'a Change> {
    let whole = format!("images.{}", repository.image);
    let by_tag = |rest: &str| -> Vec<&'a Change> {
        match rest.strip_prefix(':') {
            Some(tag) => repository.changes.iter().filter(|change| change.tag.as_str() == tag).collect(),
            None if rest.is_empty() => repository.changes.iter().collect(),
            None => Vec::new(),
        }
    };
    let below = |start: &str| target.strip_prefix(start).map(by_tag).unwrap_or_default();
    let by_address = below(&repository.address);
    if by_address.is_empty() { below(&whole) } else { by_address }
}
