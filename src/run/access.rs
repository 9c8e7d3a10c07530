//! `auth check`: asks every declared repository what the credentials may do there. It depends on no event, and opens no
//! source.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Run;
use super::session::Result;
use crate::access::{self, AccessQuestions, AccessVerdict, AccessVerdicts};
use crate::config::registry_of_place;
use crate::config::{Config, DeclaredContent};
use crate::connections::Connections;
use crate::desired::{Address, Selection};
use crate::diagnostic::ToDiagnostic;
use crate::model::access::{
    AccessAnswer, AccessProblem, AccessReport, FORMAT_VERSION, MountAccess, RepositoryAccess,
};
use crate::model::plan::GENERATOR;
use crate::verify::{self, DeclaredRepository};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::remote::RemoteReference;
use oci_registry::{RegistryError, Repository};

impl Run {
    /// Asks what the credentials may do in every repository that `targets` name, or in all of them if there are no targets.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the targets.
    pub async fn check_access(&self, targets: &[String]) -> Result<AccessReport> {
        let config = self.config()?;
        // A target may name a tag, but permissions belong to its repository.
        let of_repositories =
            targets.iter().map(|target| target.split(':').next().unwrap_or_default().to_owned());
        let selection = Selection::new(&of_repositories.collect::<Vec<_>>());
        let everything = verify::declared_repositories(config, &Selection::default());
        let addresses =
            everything.iter().map(|it| Address { resource: &it.resource, registry: &it.registry, tag: "" });
        let unknown = selection.unknown(&addresses.collect::<Vec<_>>(), &[], "this configuration");
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let places = verify::declared_repositories(config, &selection);
        let repositories = join_all(places.iter().map(|place| ask(config, place, &self.connections))).await;
        Ok(AccessReport {
            format_version: FORMAT_VERSION.to_owned(),
            generator: GENERATOR.to_owned(),
            title: self.session.title(config),
            granted: repositories.iter().all(RepositoryAccess::is_granted),
            repositories,
        })
    }
}

/// Asks one repository. An error that prevents asking is the answer to every question.
async fn ask(config: &Config, place: &DeclaredRepository, connections: &Connections) -> RepositoryAccess {
    let report = |credentials, answers: AccessVerdicts, mounts: Vec<String>| RepositoryAccess {
        address: place.address.clone(),
        resource: place.resource.clone(),
        registry: place.registry.clone(),
        name: place.name.clone(),
        credentials,
        read: answer(&answers.read),
        push: answer(&answers.push),
        create: answer(&answers.create),
        mounts: mounts
            .into_iter()
            .zip(&answers.mounts)
            .map(|(from, verdict)| MountAccess { from, answer: answer(verdict) })
            .collect(),
        delete: answer(&answers.delete),
    };
    let (repository, mounts) = match connected(config, place, connections) {
        Ok(connected) => connected,
        Err(error) => return report(None, nothing(&error), Vec::new()),
    };
    let credentials = match repository.credentials_origin().await {
        Ok(credentials) => credentials,
        Err(error) => return report(None, nothing(&error), Vec::new()),
    };
    let (names, mounts) = mounts.into_iter().unzip();
    let questions = AccessQuestions {
        read: true,
        push: true,
        keep_session: false,
        delete: is_retained(config, place),
        mounts,
    };
    let answers = access::ask(repository.as_ref(), place.endpoint.provider(), &questions).await;
    report(credentials, answers, names)
}

type Connected = (Arc<dyn Repository>, Vec<(String, Arc<dyn Repository>)>);

/// Returns the repository, and those that it mounts from by name.
fn connected(
    config: &Config,
    place: &DeclaredRepository,
    connections: &Connections,
) -> std::result::Result<Connected, RegistryError> {
    let repository = connections.repository(&place.endpoint, &place.repository)?;
    let mut mounts = Vec::new();
    for source in mounted_from(config, place) {
        let name = format!("{}/{}", source.host, source.repository);
        if mounts.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let registries = config.registries.iter().map(|(name, registry)| (name, &registry.endpoint));
        let endpoint = source
            .declared(registries)
            .map_or_else(|| RegistryEndpoint::of(source.location()), |(_, endpoint)| endpoint.clone());
        mounts.push((name, connections.repository(&endpoint, &source.repository)?));
    }
    Ok((repository, mounts))
}

/// Returns the repositories of the same registry that the sources of an image are in, except those whose names are templates.
fn mounted_from(config: &Config, place: &DeclaredRepository) -> Vec<RemoteReference> {
    let Some(DeclaredContent::Image(image)) = config.resources.get(&place.resource).map(|it| &it.content)
    else {
        return Vec::new();
    };
    let remotes = image.source.templates().into_iter().filter_map(|(_, text)| repository_of(text));
    let here = |source: &RemoteReference| {
        source.location().host() == place.endpoint.url.host() && source.repository != place.repository
    };
    remotes.filter(here).collect()
}

/// Returns the repository of a `docker://` source, whose tag or digest may be a template.
fn repository_of(source: &str) -> Option<RemoteReference> {
    let name = source.strip_prefix("docker://")?;
    let plain = name.find("{{").or_else(|| name.find("{%"));
    let name = match plain {
        None => name,
        // The name is complete only if a tag or digest begins before the template.
        Some(at) => {
            let before = name.get(..at)?;
            let tag = before.rfind([':', '@'])?;
            before.get(..tag).filter(|_| !before.get(tag..).unwrap_or_default().contains('/'))?
        }
    };
    name.parse().ok()
}

/// Whether a retention applies to the repository.
fn is_retained(config: &Config, place: &DeclaredRepository) -> bool {
    config.retention.values().any(|retention| {
        let registry = registry_of_place(&place.registry);
        retention.resources.contains(&place.resource) && retention.registries.iter().any(|it| it == registry)
    })
}

/// Returns the answers for a repository that could not be asked.
fn nothing(error: &RegistryError) -> AccessVerdicts {
    let unknown = || AccessVerdict::Unknown(error.clone());
    AccessVerdicts {
        read: unknown(),
        push: unknown(),
        create: AccessVerdict::NotAsked,
        mounts: Vec::new(),
        delete: AccessVerdict::NotAsked,
    }
}

fn answer(verdict: &AccessVerdict) -> AccessAnswer {
    match verdict {
        AccessVerdict::Granted => AccessAnswer::Granted,
        AccessVerdict::Refused(error) => AccessAnswer::Refused(problem(error)),
        AccessVerdict::Unknown(error) => AccessAnswer::Unknown(problem(error)),
        AccessVerdict::NotYet => AccessAnswer::NotYet,
        AccessVerdict::NotShown => {
            AccessAnswer::NotShown { why: "GitHub shows this only when something is deleted".to_owned() }
        }
        AccessVerdict::NotAsked => AccessAnswer::NotAsked,
    }
}

fn problem(error: &RegistryError) -> AccessProblem {
    let diagnostic = error.to_diagnostic();
    AccessProblem { code: diagnostic.code.to_string(), reason: diagnostic.message, help: diagnostic.help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_of_a_source_is_known_if_its_tag_is_a_template() {
        for (source, expected) in [
            ("docker://ghcr.io/acme/staging:{{ version }}", Some("ghcr.io/acme/staging")),
            ("docker://ghcr.io/acme/staging:v{{ version }}", Some("ghcr.io/acme/staging")),
            ("docker://localhost:5000/staging:{{ version }}", Some("localhost:5000/staging")),
            ("docker://ghcr.io/acme/staging@{{ vars.digest }}", Some("ghcr.io/acme/staging")),
            ("docker://ghcr.io/acme/staging:v1", Some("ghcr.io/acme/staging")),
            ("docker://ghcr.io/acme/staging", Some("ghcr.io/acme/staging")),
            ("docker://ghcr.io/acme/{{ image.name }}:{{ version }}", None),
            ("docker://localhost:5000/{{ image.name }}", None),
            ("docker://{{ vars.staging }}", None),
            ("oci:image", None),
        ] {
            let found = repository_of(source).map(|it| format!("{}/{}", it.host, it.repository));
            assert_eq!(found.as_deref(), expected, "{source}");
        }
    }
}
