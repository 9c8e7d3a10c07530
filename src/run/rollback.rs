//! The plan of a rollback, made from a record and from what its tags name now. `publish.toml` is not used.

use super::Run;
use super::session::Result;
use crate::desired::Selection;
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::observed;
use crate::plan::Rollback;

impl Run {
    /// Makes the plan that undoes what the apply of `record` did to the floating tags.
    ///
    /// # Errors
    ///
    /// Contradictions in the record, targets that name nothing, and every failure of a registry.
    pub async fn rollback(&mut self, record: &Record, targets: &[String]) -> Result<Plan> {
        let rollback = Rollback::new(record, &Selection::new(targets))?;
        let standing = observed::standing_tags(&rollback.questions(), &self.connections).await?;
        self.made_plan = true;
        let mut plan = rollback.plan(&standing);
        self.note_credentials(&mut plan);
        Ok(plan)
    }
}
