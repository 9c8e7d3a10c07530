//! The search for secrets before the first byte is sent. The content of a saved plan is searched again, with the policy and the
//! allowances that the plan carries.

use std::sync::Arc;

use super::options::{ApplyOptions, Stop};
use super::prepared::Prepared;
use super::progress::Progress;
use crate::content::Published;
use crate::diagnostic::Diagnostic;
use crate::event::Stage;
use crate::model::plan::Plan;
use crate::model::secret_search::{PlannedSecrets, SecretFinding};
use crate::screening::{SentContent, secret_diagnostic};

/// Returns the search that the plan needs. If this run made the plan, it is the search of the plan.
pub(super) async fn required(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
) -> Result<Option<PlannedSecrets>, Vec<Diagnostic>> {
    if options.observed.is_some() {
        return Ok(plan.secrets.clone());
    }
    let sent = prepared.iter().filter_map(|it| {
        let published = it.content.as_ref()?;
        let (address, resource) = (&it.planned.address, &it.planned.resource);
        Some((it.planned, it.endpoint, SentContent { address, resource, published }))
    });
    options.screening.required(plan, &sent.collect::<Vec<_>>(), options.connections).await
}

/// Searches the content, returns the findings that block as errors, and notes those that are let through. If this run made the
/// plan, the content has just been searched.
pub(super) fn search(
    planned: &PlannedSecrets,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let found = match options.observed {
        Some(_) => planned.findings.clone(),
        None => search_again(planned, prepared, options)?,
    };
    let blocking: Vec<Diagnostic> = found.iter().filter(|it| it.blocks).map(secret_diagnostic).collect();
    if !blocking.is_empty() {
        return Err(Stop::from(blocking));
    }
    progress.let_through(found.into_iter().filter(|it| it.allowed.is_none()).collect());
    Ok(())
}

fn search_again(
    planned: &PlannedSecrets,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
) -> Result<Vec<SecretFinding>, Stop> {
    let contents: Vec<(&Prepared<'_>, &Arc<Published>)> =
        prepared.iter().filter_map(|it| Some((it, it.content.as_ref()?))).collect();
    let sent = contents.iter().map(|(it, published)| SentContent {
        address: &it.planned.address,
        resource: &it.planned.resource,
        published,
    });
    let sent: Vec<SentContent<'_>> = sent.collect();
    let stopped = || *options.cancel.borrow();
    let found = tokio::task::block_in_place(|| options.screening.search_again(planned, &sent, &stopped))?;
    if stopped() {
        return Err(Stop { problems: Vec::new(), interrupted: Some(Stage::Secrets) });
    }
    Ok(found)
}
