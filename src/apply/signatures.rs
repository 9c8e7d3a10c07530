//! Signing: after the content and before any tag moves, so that no tag ever names an unsigned image. Each signature is read back from
//! the registry and verified. A signature that is there and verifies is enough, so that a run that is repeated adds none.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::sync::Mutex;

use super::options::ApplyOptions;
use super::prepared::Prepared;
use super::progress::Progress;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::event::Placed;
use crate::model::plan::Plan;
use crate::model::signing::{PlannedSignature, SignatureAction};
use crate::signing::{self, PublishFacts};
use oci_registry::{Digest, READ_PAUSES, RegistryError};
use oci_signing::{Bundle, BundleManifest, Signer, SignerError, Statement, Verifier};

/// The signer, the subject, and the statement.
type StatementKey = (String, Digest, Statement);

/// The keys of an apply, and the bundles that were made. All registries get the same bundle.
#[derive(Default)]
pub(super) struct Signers {
    public: BTreeMap<String, Verifier>,
    /// Those of the signers that have something to sign.
    private: BTreeMap<String, Signer>,
    made: Mutex<BTreeMap<StatementKey, Bundle>>,
}

/// Whether signatures are to be there before the tags of a repository are put.
fn is_due(it: &Prepared<'_>) -> bool {
    !it.planned.signatures.is_empty() && it.planned.has_changes()
}

/// Opens the keys of every signer that signs something, before anything is sent.
pub(super) fn open(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
) -> Result<Signers, Vec<Diagnostic>> {
    let (mut signers, mut problems) = (Signers::default(), Vec::new());
    for it in prepared.iter().filter(|it| is_due(it)) {
        for planned in &it.planned.signatures {
            match open_one(plan, planned, &mut signers, options) {
                Err(problem) if !problems.contains(&problem) => problems.push(problem),
                _ => {}
            }
        }
    }
    if problems.is_empty() { Ok(signers) } else { Err(problems) }
}

fn open_one(
    plan: &Plan,
    planned: &PlannedSignature,
    signers: &mut Signers,
    options: &ApplyOptions<'_>,
) -> Result<(), Diagnostic> {
    let inconsistent = || {
        let message = format!("the plan contradicts itself about the signer `{}`", planned.signer);
        Diagnostic::error(Code::PlanFile, message).help("make the plan again")
    };
    let name = &planned.signer;
    let signer = plan.signers.get(name).ok_or_else(inconsistent)?;
    let public =
        signing::verifier(name, signer, &options.surroundings).map_err(|error| error.to_diagnostic())?;
    if signing::identity(&public) != planned.identity {
        return Err(inconsistent());
    }
    signers.public.insert(name.clone(), public);
    if planned.action == SignatureAction::Sign && !signers.private.contains_key(name) {
        let key =
            signing::open(name, signer, &options.surroundings).map_err(|error| error.to_diagnostic())?;
        signers.private.insert(name.clone(), key);
    }
    Ok(())
}

/// Whether anything is to be signed, or shown to be.
pub(super) fn any(prepared: &[Prepared<'_>]) -> bool {
    prepared.iter().any(is_due)
}

/// Signs what is not signed yet. Repositories are handled side by side, and the signatures of one repository one after the other,
/// because they may share a list.
pub(super) async fn place(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    signers: &Signers,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    let (plan_digest, surroundings) = (&options.plan_digest, &options.surroundings);
    let facts = &PublishFacts { plan, plan_digest, surroundings };
    let repositories = prepared.iter().filter(|it| is_due(it)).map(|it| async move {
        for planned in &it.planned.signatures {
            sign(it, planned, signers, facts, progress).await?;
        }
        Ok::<_, Diagnostic>(())
    });
    let problems: Vec<Diagnostic> =
        join_all(repositories).await.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

async fn sign(
    it: &Prepared<'_>,
    planned: &PlannedSignature,
    signers: &Signers,
    facts: &PublishFacts<'_>,
    progress: &Progress,
) -> Result<(), Diagnostic> {
    let PlannedSignature { subject, signer, statement, .. } = planned;
    let predicate_type = &statement.predicate_type;
    let what = format!("cannot sign {}, so no tag was moved", subject.short(12));
    let about = |diagnostic: Diagnostic| diagnostic.about(format_args!("{}: {what}", it.planned.name));
    let refused = |error: RegistryError| about(error.to_diagnostic());
    let failed = |code: Code, reason: &str, help: &str| about(Diagnostic::error(code, reason).help(help));
    let stale = |reason: &str| failed(Code::PlanStale, reason, "make the plan again");
    let Some(public) = signers.public.get(signer) else {
        return Err(stale("the plan does not have its signer"));
    };
    let repository = it.repository.as_ref();
    let find = || signing::find(repository, subject, public, predicate_type);
    if let Some(manifest) = find().await.map_err(refused)? {
        progress.signed(it.position, planned, &manifest, Placed::Present);
        return Ok(());
    }
    let Some(key) = signers.private.get(signer) else {
        return Err(stale("its signature is gone since the plan was made"));
    };
    let signed = it.manifest(subject).await.map_err(refused)?;
    let signed = signed.ok_or_else(|| stale("the repository no longer has it"))?;
    let statement = facts.statement(statement, it.planned).map_err(|error| about(error.to_diagnostic()))?;
    let bundle = signers.bundle(planned, &statement, key).await;
    let bundle =
        bundle.map_err(|error| failed(Code::SigningKey, &error.to_string(), "run the same command again"))?;
    let created = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let created = created.ok().and_then(|it| i64::try_from(it.as_secs()).ok()).unwrap_or_default();
    let attached = BundleManifest::new(&bundle, predicate_type, &signed.descriptor(), created);
    attached.put(repository).await.map_err(refused)?;
    // Reads may lag.
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        if let Some(manifest) = find().await.map_err(refused)? {
            progress.signed(it.position, planned, &manifest, Placed::Pushed);
            return Ok(());
        }
        let Some(pause) = pauses.next() else { break };
        tokio::time::sleep(pause).await;
    }
    Err(failed(
        Code::ApplyReadBack,
        "the registry took the signature, but does not list it, or returns another one",
        "run the same command again; if this persists, the registry does not support referrers",
    ))
}

impl Signers {
    /// Returns the bundle of a statement, which is made once.
    async fn bundle(
        &self,
        planned: &PlannedSignature,
        statement: &Statement,
        key: &Signer,
    ) -> Result<Bundle, SignerError> {
        let PlannedSignature { subject, signer, .. } = planned;
        let mut made = self.made.lock().await;
        let statement_key = (signer.clone(), subject.clone(), statement.clone());
        if let Some(bundle) = made.get(&statement_key) {
            return Ok(bundle.clone());
        }
        let bundle = key.sign(statement, subject).await?;
        made.insert(statement_key, bundle.clone());
        Ok(bundle)
    }
}
