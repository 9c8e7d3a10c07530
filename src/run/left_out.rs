//! Registries that are not required and cannot even be connected to: without a certificate, for example.

use super::Run;
use crate::desired::Desired;
use crate::diagnostic::{ToDiagnostic, left_out};
use crate::model::optional::LeftOut;

impl Run {
    /// Takes the repositories of such registries out of `desired`, and returns each registry with the problem.
    pub(super) fn leave_out_unconnected(&self, desired: &mut Desired) -> Vec<LeftOut> {
        let mut found: Vec<LeftOut> = Vec::new();
        desired.repositories.retain(|it| {
            if it.required {
                return true;
            }
            let Err(error) = self.connections.connection(&it.endpoint, &it.name) else { return true };
            let left_out = left_out(&it.registry, error.to_diagnostic());
            if !found.contains(&left_out) {
                found.push(left_out);
            }
            false
        });
        found
    }
}
