//! The questions about permissions before anything is sent: whether each repository may be pushed to, whether its source may
//! be read if content is mounted from it, and whether tags may be deleted if the plan removes some. All repositories are asked
//! at once, and only for what the plan needs.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::options::ApplyOptions;
use super::prepared::Prepared;
use super::refused::PrepareError;
use crate::access::{self, AccessQuestions, AccessVerdict, AccessVerdicts};
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::ContentSpec;
use crate::model::plan::{Action, Change, Plan, PlannedRepository, RemovalMethod};
use crate::model::words::alternatives;
use oci_registry::RepositoryName;
use oci_registry::reference::RegistryEndpoint;
use oci_registry::remote::RemoteReference;

/// A repository with the questions about it.
struct AskedRepository<'p> {
    it: &'p Prepared<'p>,
    questions: AccessQuestions,
    /// The names of the repositories that it mounts from.
    mounts: Vec<String>,
}

/// Asks every repository in which something still has to change, including those at the positions in `pending`. Returns
/// everything that is refused or could not be found out. A repository that needs no change is not asked.
pub(super) async fn ask(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    pending: &BTreeSet<usize>,
    options: &ApplyOptions<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let (mut asked, mut problems) = (Vec::<AskedRepository<'_>>::new(), Vec::new());
    let changes = |it: &&Prepared<'_>| {
        pending.contains(&it.position) || it.planned.sends_referrers() || !it.planned.orphans.is_empty()
    };
    for it in prepared.iter().filter(changes) {
        // Several resources may share a repository, which is asked once.
        let same = |other: &AskedRepository<'_>| {
            other.it.planned.registry == it.planned.registry
                && other.it.planned.repository == it.planned.repository
        };
        let position = asked.iter().position(same).unwrap_or_else(|| {
            asked.push(AskedRepository { it, questions: AccessQuestions::default(), mounts: Vec::new() });
            asked.len() - 1
        });
        let Some(one) = asked.get_mut(position) else { continue };
        one.questions.push |= pushes(it.planned);
        one.questions.keep_session |= it.planned.places_content();
        let removes = |change: &Change| change.action == Action::Remove;
        one.questions.delete |= it.planned.changes.iter().any(removes) || !it.planned.orphans.is_empty();
        for source in mounted_from(it.planned, it.endpoint) {
            let name = format!("{}/{}", source.host, source.repository);
            if one.mounts.contains(&name) {
                continue;
            }
            let (endpoint, repository) = declared(plan, source);
            match options.connections.repository(&endpoint, repository) {
                Ok(repository) => {
                    one.questions.mounts.push(repository);
                    one.mounts.push(name);
                }
                Err(error) => {
                    let address = it.planned.address.clone();
                    problems.push(PrepareError::Registry { address, error: Box::new(error) }.to_diagnostic());
                }
            }
        }
    }
    let answers = join_all(asked.iter().map(|one| async move {
        let provider = one.it.endpoint.provider();
        refusals(one, &access::ask(one.it.repository.as_ref(), provider, &one.questions).await)
    }));
    problems.extend(answers.await.into_iter().flatten());
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether something is put here: content, a tag, or the placeholder through which a tag is removed.
fn pushes(planned: &PlannedRepository) -> bool {
    planned.sends_referrers()
        || planned.signs()
        || planned.changes.iter().any(|change| match change.action {
            Action::Create | Action::Move => true,
            Action::Remove => change.removal != Some(RemovalMethod::Manifest),
            Action::NoOp | Action::Keep | Action::Conflict => false,
        })
}

/// Returns the repositories of the same registry that content comes from.
fn mounted_from<'p>(
    planned: &'p PlannedRepository,
    endpoint: &'p RegistryEndpoint,
) -> impl Iterator<Item = &'p RemoteReference> {
    let image = planned.content.as_ref().filter(|_| planned.places_content()).and_then(|content| {
        let mounts = content.sending.blobs_to_mount > 0;
        match &content.source {
            ContentSpec::Image(image) if mounts => Some(image),
            _ => None,
        }
    });
    image.into_iter().flat_map(|image| image.source.remotes()).filter(move |source| {
        source.location().host() == endpoint.url.host() && source.repository != planned.repository
    })
}

/// Returns how a source is reached: through the registry of the plan that is declared for it, or with the credential chain.
fn declared<'s>(plan: &Plan, source: &'s RemoteReference) -> (RegistryEndpoint, &'s RepositoryName) {
    let declared = source.declared(&plan.registries).map(|(_, endpoint)| endpoint.clone());
    let bare = || RegistryEndpoint::of(source.location());
    (declared.unwrap_or_else(bare), &source.repository)
}

/// Returns the problems in one repository, each once, because a token that is refused is refused for everything.
fn refusals(one: &AskedRepository<'_>, answers: &AccessVerdicts) -> Vec<Diagnostic> {
    let mounts = one.mounts.iter().map(|from| format!("mount from {from}")).zip(&answers.mounts);
    let all = [("push".to_owned(), &answers.push), ("delete".to_owned(), &answers.delete)];
    let mut problems: Vec<(Vec<String>, &AccessVerdict, Diagnostic)> = Vec::new();
    for (what, verdict) in all.into_iter().chain(mounts) {
        let Some(diagnostic) = verdict.error().map(ToDiagnostic::to_diagnostic) else { continue };
        match problems.iter_mut().find(|(.., known)| *known == diagnostic) {
            Some((whats, ..)) => whats.push(what),
            None => problems.push((vec![what], verdict, diagnostic)),
        }
    }
    let with_name = |(what, verdict, diagnostic): (Vec<String>, &AccessVerdict, Diagnostic)| {
        let what = match verdict {
            AccessVerdict::Refused(_) => format!("cannot {}", alternatives(&what)),
            _ => format!("cannot find out whether the credentials may {}", alternatives(&what)),
        };
        let name = &one.it.planned.name;
        diagnostic.about(format_args!("{name}: {what}, so nothing was sent"))
    };
    problems.into_iter().map(with_name).collect()
}
