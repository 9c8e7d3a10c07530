//! The search for secrets before the first byte is sent. The content of a saved plan is searched again, by the rules of the apply.

use super::options::{ApplyOptions, Stop};
use super::prepared::Prepared;
use super::progress::Progress;
use crate::diagnostic::Diagnostic;
use crate::event::Stage;
use crate::model::plan::Plan;
use crate::model::secret_search::{PlannedSecrets, SecretFinding};
use crate::screening::{SentContent, SentRepository, secret_diagnostic};

/// Returns the search that the plan needs. If this run made the plan, it is the search of the plan.
pub(super) async fn required(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
) -> Result<Option<PlannedSecrets>, Vec<Diagnostic>> {
    if options.observed.is_some() {
        return Ok(plan.secrets.clone());
    }
    options.screening.required(plan, options.own_search, &sent(prepared), options.connections).await
}

/// Returns the content of each repository that has some.
fn sent<'a>(prepared: &'a [Prepared<'_>]) -> Vec<SentRepository<'a>> {
    let sent = prepared.iter().filter_map(|it| {
        let published = it.content.as_ref()?;
        let (planned, endpoint) = (it.planned, it.endpoint);
        let content = SentContent { address: &planned.address, resource: &planned.resource, published };
        Some(SentRepository { planned, endpoint, content })
    });
    sent.collect()
}

/// Searches the content, returns the findings that block as errors, and notes those that are let through. If this run made the
/// plan, the content has just been searched.
pub(super) async fn search(
    plan: &Plan,
    planned: &PlannedSecrets,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let found = match options.observed {
        Some(_) => planned.findings.clone(),
        None => search_again(planned, prepared, options).await?,
    };
    let blocking: Vec<Diagnostic> =
        found.iter().filter(|it| it.blocks).map(|finding| blocked(plan, finding)).collect();
    if !blocking.is_empty() {
        return Err(Stop::from(blocking));
    }
    progress.let_through(found.into_iter().filter(|it| it.allowed.is_none()).collect());
    Ok(())
}

/// Returns the diagnostic for a finding that blocks. If the plan lets it through, it says why that does not count.
fn blocked(plan: &Plan, finding: &SecretFinding) -> Diagnostic {
    let diagnostic = secret_diagnostic(finding);
    let same = |it: &&SecretFinding| it.place == finding.place && it.rule == finding.rule;
    let planned = plan.secrets.as_ref().and_then(|secrets| secrets.findings.iter().find(same));
    let is_let_through = planned.is_some_and(|it| !it.blocks)
        || plan.not_searched.keys().any(|address| finding.repositories.contains(address));
    if !is_let_through {
        return diagnostic;
    }
    let help = diagnostic.help.clone().unwrap_or_default();
    diagnostic.help(format!(
        "the plan lets it through, but a file does not decide that: run `apply` where its `publish.toml` is, or name it with `--config`; {help}"
    ))
}

async fn search_again(
    planned: &PlannedSecrets,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
) -> Result<Vec<SecretFinding>, Stop> {
    let sent = sent(prepared);
    let contents: Vec<&SentContent<'_>> = sent.iter().map(|it| &it.content).collect();
    let stopped = || *options.cancel.borrow();
    let again = || options.screening.search_again(planned, &contents, &stopped);
    let mut found = tokio::task::block_in_place(again)?;
    if stopped() {
        return Err(Stop { problems: Vec::new(), interrupted: Some(Stage::Secrets) });
    }
    options.screening.spare_public(&mut found, &sent, options.connections).await;
    Ok(found.findings)
}
