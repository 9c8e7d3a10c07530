//! The plan of a rollback, made from a record and from what its tags name now. `publish.toml` is not used.

use std::sync::Arc;

use super::connect::Connections;
use super::{Result, Session, path, told};
use crate::apply::Connect;
use crate::desired::Selection;
use crate::diagnostic::ToDiagnostic;
use crate::event::Reporter;
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::observed;
use crate::plan::Rollback;

/// Makes the plan that undoes what the apply of `record` did to the floating tags.
pub async fn rollback(
    session: &Session,
    record: &Record,
    targets: &[String],
    parallelism: usize,
    reporter: &Arc<dyn Reporter>,
) -> Result<Plan> {
    let rollback = Rollback::new(record, &Selection::new(targets))?;
    let folder = path::normal(&session.working_folder.join(&record.plan.folder));
    let connections = Connections::new(folder, &session.environment, parallelism, reporter.clone());
    let questions = rollback.questions();
    let (mut connected, mut diagnostics) = (Vec::new(), Vec::new());
    for question in &questions {
        match connections.repository(question.endpoint, question.repository) {
            Ok(repository) => connected.push(repository),
            Err(error) => diagnostics.push(error.to_diagnostic()),
        }
    }
    if !diagnostics.is_empty() {
        diagnostics.dedup();
        return Err(diagnostics);
    }
    let standing = observed::standing(&questions, &connected).await.map_err(|errors| told(&errors))?;
    Ok(rollback.plan(&standing))
}
