//! The search for secrets before the first byte is sent. The content is searched again, with the policy and the allowances that
//! the plan carries. An implementation of [`SecretSearch`] decides how.

use std::sync::Arc;

use super::options::{Options, Stop};
use super::prepared::Prepared;
use super::progress::Progress;
use crate::content::Published;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::Stage;
use crate::model::ResourceId;
use crate::model::secret_search::{PlannedSecrets, SecretFinding};
use secret_scan::Severity;

/// The content that is sent to a repository.
pub struct Sent<'a> {
    /// The address of the repository in the plan.
    pub address: &'a str,
    /// The published resource.
    pub resource: &'a ResourceId,
    /// Its content.
    pub published: &'a Published,
}

/// Searches the content to send for secrets.
pub trait SecretSearch: Send + Sync {
    /// Returns the findings in the parts of `sent` that `planned` names. `stopped` returns whether the person wants to stop;
    /// then nothing is found. Blocks, and reads what was not searched before.
    ///
    /// # Errors
    ///
    /// Everything that could not be searched.
    fn search(
        &self,
        planned: &PlannedSecrets,
        sent: &[Sent<'_>],
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<SecretFinding>, Vec<Diagnostic>>;
}

/// Searches the content, returns the findings that block as errors, and notes those that are let through.
pub(super) fn search(
    planned: &PlannedSecrets,
    prepared: &[Prepared<'_>],
    options: &Options<'_>,
    progress: &Progress,
) -> Result<(), Stop> {
    let contents: Vec<(&Prepared<'_>, &Arc<Published>)> =
        prepared.iter().filter_map(|it| Some((it, it.content.as_ref()?))).collect();
    let sent = contents.iter().map(|(it, published)| Sent {
        address: &it.planned.address,
        resource: &it.planned.resource,
        published,
    });
    let sent: Vec<Sent<'_>> = sent.collect();
    let stopped = || *options.cancel.borrow();
    let found = tokio::task::block_in_place(|| options.secrets.search(planned, &sent, &stopped))?;
    if stopped() {
        return Err(Stop { problems: Vec::new(), interrupted: Some(Stage::Secrets) });
    }
    let blocking: Vec<Diagnostic> = found.iter().filter(|it| it.blocks).map(diagnostic).collect();
    if !blocking.is_empty() {
        return Err(Stop::from(blocking));
    }
    progress.let_through(found.into_iter().filter(|it| it.allowed.is_none()).collect());
    Ok(())
}

/// The diagnostic for a secret that blocks.
pub(super) fn diagnostic(finding: &SecretFinding) -> Diagnostic {
    let way_out = format!(
        "remove it, publish again, and replace it wherever it is used; or, if it is not a secret, add this to `allow` in `[secrets]`: {}",
        finding.allowance()
    );
    let code = Code::SecretsFound;
    match finding.severity {
        Severity::High => Diagnostic::error(code, finding.title()),
        Severity::Medium | Severity::Low => Diagnostic::warning(code, finding.title()),
    }
    .help(way_out)
}
