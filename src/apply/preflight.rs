//! Before anything is sent: may each repository be pushed to, may its source be read where content is mounted from there, may
//! tags go where some are to? All repositories are asked at once, and just what the plan needs.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::Options;
use super::check::Prepared;
use super::refused::PrepareError;
use crate::access::{self, Answers, Questions, Verdict};
use crate::diagnostic::Diagnostic;
use crate::model::access::alternatives;
use crate::model::plan::{Action, Plan, PlannedRepository, RemovalMethod};
use crate::model::reference::RegistryEndpoint;
use crate::model::remote::RemoteReference;
use crate::model::{ContentSpec, RepositoryName};
use crate::registry::RegistryError;

/// A repository with what is asked about it.
struct Asked<'p> {
    it: &'p Prepared<'p>,
    questions: Questions,
    /// The names of what it mounts from.
    mounts: Vec<String>,
}

/// Asks every repository in which something is still to change, those at the positions in `pending` among them, and tells
/// everything that is refused or could not be found out. Where all is as wanted nothing is asked.
pub(super) async fn ask(
    plan: &Plan,
    prepared: &[Prepared<'_>],
    pending: &BTreeSet<usize>,
    options: &Options<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let (mut asked, mut problems) = (Vec::<Asked<'_>>::new(), Vec::new());
    let changes = |it: &&Prepared<'_>| pending.contains(&it.position) || it.planned.sends_referrers();
    for it in prepared.iter().filter(changes) {
        // What is published may share a repository, which is asked once.
        let same = |other: &Asked<'_>| {
            other.it.planned.registry == it.planned.registry
                && other.it.planned.repository == it.planned.repository
        };
        let position = asked.iter().position(same).unwrap_or_else(|| {
            asked.push(Asked { it, questions: Questions::default(), mounts: Vec::new() });
            asked.len() - 1
        });
        let Some(one) = asked.get_mut(position) else { continue };
        one.questions.push |= pushes(it.planned);
        one.questions.delete |= it.planned.changes.iter().any(|change| change.action == Action::Remove);
        for source in mounted_from(it.planned, it.endpoint) {
            let name = format!("{}/{}", source.host, source.repository);
            if one.mounts.contains(&name) {
                continue;
            }
            let (endpoint, repository) = declared(plan, source);
            match options.connect.repository(&endpoint, repository) {
                Ok(repository) => {
                    one.questions.mounts.push(repository);
                    one.mounts.push(name);
                }
                Err(error) => {
                    let address = it.planned.address.clone();
                    problems.push(PrepareError::Registry { address, error }.to_diagnostic());
                }
            }
        }
    }
    let answers = join_all(asked.iter().map(|one| async move {
        let provider = one.it.endpoint.provider();
        told(one, &access::ask(one.it.repository.as_ref(), provider, &one.questions).await)
    }));
    problems.extend(answers.await.into_iter().flatten());
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether something is put here: content, a tag, or the placeholder by way of which a tag goes.
fn pushes(planned: &PlannedRepository) -> bool {
    planned.sends_referrers()
        || planned.changes.iter().any(|change| match change.action {
            Action::Create | Action::Move => true,
            Action::Remove => change.removal != Some(RemovalMethod::Manifest),
            Action::NoOp | Action::Keep | Action::Conflict => false,
        })
}

/// The repositories of the same registry that content comes from.
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

/// How a source is reached: as a registry of the plan that is declared for it, or as the credential chain has it.
fn declared<'s>(plan: &Plan, source: &'s RemoteReference) -> (RegistryEndpoint, &'s RepositoryName) {
    let declared = source.declared(&plan.registries).map(|(_, endpoint)| endpoint.clone());
    let bare = || RegistryEndpoint::of(source.location());
    (declared.unwrap_or_else(bare), &source.repository)
}

/// What stands in the way in one repository, each thing once: a token that is refused is refused for everything.
fn told(one: &Asked<'_>, answers: &Answers) -> Vec<Diagnostic> {
    let mounts = one.mounts.iter().map(|from| format!("mount from {from}")).zip(&answers.mounts);
    let all = [("push".to_owned(), &answers.push), ("delete".to_owned(), &answers.delete)];
    let mut problems: Vec<(Vec<String>, &Verdict, Diagnostic)> = Vec::new();
    for (what, verdict) in all.into_iter().chain(mounts) {
        let Some(diagnostic) = verdict.error().map(RegistryError::to_diagnostic) else { continue };
        match problems.iter_mut().find(|(.., told)| *told == diagnostic) {
            Some((whats, ..)) => whats.push(what),
            None => problems.push((vec![what], verdict, diagnostic)),
        }
    }
    let with_name = |(what, verdict, mut diagnostic): (Vec<String>, &Verdict, Diagnostic)| {
        let what = match verdict {
            Verdict::Refused(_) => format!("cannot {}", alternatives(&what)),
            _ => format!("cannot find out whether the credentials may {}", alternatives(&what)),
        };
        let name = &one.it.planned.name;
        diagnostic.message = format!("{name}: {what}, so nothing was sent: {}", diagnostic.message);
        diagnostic
    };
    problems.into_iter().map(with_name).collect()
}
