//! Bake files.

use super::condition::Condition;
use super::publication::{BuildFacts, Origin};
use super::steps::StepContext;

/// Publishes the targets of bake files.
pub(super) fn publish(
    _files: &[String],
    _targets: &[String],
    pushed: &Condition,
    _origin: &Origin,
    metadata: &[usize],
    context: &mut StepContext<'_, '_>,
) {
    for number in metadata {
        context.push_metadata(*number, &BuildFacts::default(), pushed);
    }
}
