//! Before anything is sent: may each repository be pushed to, may its source be read where content is mounted from there, may
//! tags go where some are to? All repositories are asked at once, and just what the plan needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Options;
use super::refused::{PrepareError, conflict, contradiction};
use crate::access::{self, Answers, Questions, Verdict};
use crate::diagnostic::Diagnostic;
use crate::model::access::alternatives;
use crate::model::plan::{Action, Change, Plan, PlannedRepository, RemovalMethod};
use crate::model::reference::RegistryEndpoint;
use crate::model::remote::RemoteReference;
use crate::model::{ContentSpec, Provider, RepositoryName};
use crate::registry::{ReadWriteRepository, RegistryError};

/// A repository with what is asked about it.
struct Asked<'p> {
    planned: &'p PlannedRepository,
    repository: Arc<dyn ReadWriteRepository>,
    provider: Option<Provider>,
    questions: Questions,
    /// The names of what it mounts from.
    mounts: Vec<String>,
}

/// Asks every repository in which something is to change, and tells everything that is refused or could not be found out.
/// A plan that changes nothing asks nothing, and neither does one that will be refused anyway.
pub(super) async fn ask(plan: &Plan, options: &Options<'_>) -> Result<(), Vec<Diagnostic>> {
    if !is_sound(plan) {
        return Ok(());
    }
    let (mut asked, mut problems) = (BTreeMap::<_, Asked<'_>>::new(), Vec::new());
    for (position, planned) in plan.repositories.iter().enumerate().filter(|(_, it)| it.has_changes()) {
        let Some(endpoint) = plan.registries.get(&planned.registry) else { continue };
        let failed = |error: RegistryError| {
            PrepareError::Registry { address: planned.address.clone(), error }.to_diagnostic()
        };
        let repository = match options.connect.repository(endpoint, &planned.repository) {
            Ok(repository) => repository,
            Err(error) => {
                problems.push(failed(error));
                continue;
            }
        };
        // What is published may share a repository, which is asked once.
        let same = |other: &&mut Asked<'_>| {
            other.planned.registry == planned.registry && other.planned.repository == planned.repository
        };
        let it = match asked.values_mut().find(same) {
            Some(it) => it,
            None => asked.entry(position).or_insert(Asked {
                planned,
                repository,
                provider: endpoint.provider(),
                questions: Questions::default(),
                mounts: Vec::new(),
            }),
        };
        it.questions.push |= pushes(planned);
        it.questions.delete |= planned.changes.iter().any(|change| change.action == Action::Remove);
        for source in mounted_from(planned, endpoint) {
            let name = format!("{}/{}", source.host, source.repository);
            if it.mounts.contains(&name) {
                continue;
            }
            let (endpoint, repository) = declared(plan, source);
            match options.connect.repository(&endpoint, repository) {
                Ok(repository) => {
                    it.questions.mounts.push(repository);
                    it.mounts.push(name);
                }
                Err(error) => problems.push(failed(error)),
            }
        }
    }
    let answers = join_all(asked.values().map(|it| async move {
        let answers = access::ask(it.repository.as_ref(), it.provider, &it.questions).await;
        told(it, &answers)
    }));
    problems.extend(answers.await.into_iter().flatten());
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether the plan is one that an apply begins with; the check says what is wrong with another.
fn is_sound(plan: &Plan) -> bool {
    plan.repositories.iter().all(|planned| {
        let refused =
            |change: &Change| conflict(planned, change).is_some() || contradiction(planned, change).is_some();
        let endpoint = plan.registries.get(&planned.registry);
        endpoint.is_some_and(|it| it.url.full_name(&planned.repository) == planned.name)
            && !planned.changes.iter().any(refused)
    })
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
    let bare = || RegistryEndpoint {
        url: source.location(),
        insecure: false,
        ca_file: None,
        auth: None,
        provider: None,
    };
    (declared.unwrap_or_else(bare), &source.repository)
}

/// What stands in the way in one repository, each thing once: a token that is refused is refused for everything.
fn told(it: &Asked<'_>, answers: &Answers) -> Vec<Diagnostic> {
    let mounts = it.mounts.iter().map(|from| format!("mount from {from}")).zip(&answers.mounts);
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
            _ => format!("cannot find out whether to {} is allowed", alternatives(&what)),
        };
        let name = &it.planned.name;
        diagnostic.message = format!("{name}: {what}, so nothing was sent: {}", diagnostic.message);
        diagnostic
    };
    problems.into_iter().map(with_name).collect()
}
