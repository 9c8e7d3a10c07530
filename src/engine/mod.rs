//! The pipeline on one page: config and context give what is desired, the registries give what is observed, both together
//! give a plan, and the plan is applied. Every command is a few lines here.

mod auth;
pub(crate) mod connect;
mod files;
mod findings;
mod init;
mod judge;
mod path;
mod prune;
mod reach;
mod rollback;
mod verify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

pub use auth::check_access;
use connect::Connections;
pub use files::{
    Saved, check_declared, check_destinations, load_plan, load_record, load_saved, record, save_plan,
    save_record,
};
use findings::Findings;
pub use init::{first_configuration, write_first};
use judge::PlanJudge;
pub use prune::prune;
use reach::RegistryReach;
pub use rollback::rollback;
pub use verify::{Verifying, verify};

use crate::apply;
use crate::checks;
use crate::config::{self, Config, LoadOptions};
use crate::context::{self, Context, Environment, Flags, Needs};
use crate::desired::{self, Basis, Desired, Selection};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::event::Reporter;
use crate::model::ResourceId;
use crate::model::forward::Descent;
use crate::model::outcome::Outcome;
use crate::model::plan::{Plan, PlannedConfig};
use crate::observed::{self, Connection, Observed};
use crate::plan;
use crate::screening;
use oci_content::Surroundings;
use oci_registry::Digest;
use oci_registry::RegistryError;
use oci_registry::reference::RegistryEndpoint;

/// A result, or everything that is wrong.
pub type Result<T> = std::result::Result<T, Vec<Diagnostic>>;

/// The surroundings of a command: the options given on the command line, and the environment of the process.
pub struct Session {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--event`, `--ref`, `--sha`, `--pr`.
    pub flags: Flags,
    /// The environment of the process.
    pub environment: Environment,
    /// The working directory.
    pub working_folder: PathBuf,
}

impl Session {
    /// Returns the options to load `path`, which is relative to the working directory and shown as it is.
    fn load_options(&self, path: &Path) -> LoadOptions {
        LoadOptions {
            path: self.working_folder.join(path),
            display_name: path.display().to_string(),
            profile: self.profile.clone(),
            environment: self.environment.clone().into_iter().collect(),
            set: self.set.clone(),
        }
    }

    /// Returns the file that `--config` names, or the one found in the working directory or above it.
    fn config_path(&self) -> Result<PathBuf> {
        if let Some(path) = &self.config {
            return Ok(path.clone());
        }
        let found = config::find(&self.working_folder).ok_or_else(|| {
            let message =
                format!("there is no `publish.toml` in `{}` or above it", self.working_folder.display());
            vec![Diagnostic::error(Code::ConfigFile, message).help("name the file with `--config FILE`")]
        })?;
        Ok(path::relative(&self.working_folder, &found))
    }

    fn load(&self) -> Result<Config> {
        let loaded = config::load(&self.load_options(&self.config_path()?));
        loaded.config.ok_or(loaded.diagnostics)
    }

    /// Loads the file of `config` under each other profile, and under none. Leaves out those that have errors.
    fn other_profiles(&self, config: &Config) -> impl Iterator<Item = Config> {
        let options = self.load_options(&path::relative(&self.working_folder, &config.path));
        let declared = config::profiles(&options).into_iter().map(Some);
        let others = declared.chain([None]).filter(|profile| *profile != config.profile).collect::<Vec<_>>();
        others
            .into_iter()
            .filter_map(move |profile| config::load(&LoadOptions { profile, ..options.clone() }).config)
    }

    /// Returns the digest of the file of `config` with its profile, without the environment and the command line.
    fn file_digest(&self, config: &Config) -> Digest {
        let options = LoadOptions { profile: config.profile.clone(), ..self.load_options(&config.path) };
        // The file was readable a moment ago.
        config::file_digest(&options).unwrap_or_else(|| config.digest.clone())
    }

    fn context(&self, config: &Config) -> Result<Context> {
        // Collecting the components drops the `.` that the folder is if the file is in the working directory.
        let folder: PathBuf = self.working_folder.join(&config.folder).components().collect();
        let needs = Needs { dirty: desired::uses_dirty(config) };
        Context::discover(&folder, &self.environment, &self.flags, needs)
            .map_err(|error| vec![error.to_diagnostic()])
    }
}

/// Returns everything that is wrong with the files, offline and without git. If there are no `files`, checks the one found in
/// the working directory or above it.
///
/// Every profile that a file declares is checked, unless one was given.
pub fn lint(session: &Session, files: &[PathBuf]) -> Vec<Diagnostic> {
    let files = match files {
        [] => match session.config_path() {
            Ok(path) => vec![path],
            Err(diagnostics) => return diagnostics,
        },
        files => files.to_vec(),
    };
    let mut found = Findings::default();
    for file in files {
        let options = session.load_options(&file);
        let base = lint_one(&options, &mut found);
        if session.profile.is_none() {
            for profile in base {
                let options = LoadOptions { profile: Some(profile), ..options.clone() };
                lint_one(&options, &mut found);
            }
        }
    }
    found.told()
}

/// Adds the new diagnostics about one profile. Returns the profiles that the file declares.
fn lint_one(options: &LoadOptions, found: &mut Findings) -> Vec<String> {
    let loaded = config::load(options);
    let templates = match (&loaded.config, &loaded.part) {
        (Some(config), _) => desired::lint(config),
        (None, Some(part)) => desired::lint_part(part),
        (None, None) => Vec::new(),
    };
    let shown = Path::new(&options.display_name).parent().unwrap_or(Path::new(""));
    let charts = loaded.config.iter().flat_map(|config| desired::lint_charts(config, shown));
    loaded
        .diagnostics
        .into_iter()
        .chain(templates)
        .chain(charts)
        .for_each(|diagnostic| found.add(diagnostic));
    loaded.profiles
}

/// The tags of a context.
pub struct RenderedTags {
    /// The configuration.
    pub config: Config,
    /// The context.
    pub context: Context,
    /// The tags of each resource.
    pub resources: indexmap::IndexMap<ResourceId, desired::ResourceTags>,
}

/// Renders the tags of this context. Contacts no registry and opens no source.
pub fn tags(session: &Session) -> Result<RenderedTags> {
    let config = session.load()?;
    let context = session.context(&config)?;
    let resources = desired::tags(&config, &context)?;
    Ok(RenderedTags { config, context, resources })
}

/// Makes the plan: resolves what is desired, observes the registries, and compares the two.
pub async fn plan(
    session: &Session,
    targets: &[String],
    parallelism: usize,
    reporter: &Arc<dyn Reporter>,
) -> Result<Plan> {
    let config = session.load()?;
    let context = session.context(&config)?;
    let connections =
        Connections::new(config.folder.clone(), &session.environment, parallelism, reporter.clone());
    let connections = Arc::new(connections);
    let declared = config.registries.iter().map(|(name, it)| (name.clone(), it.endpoint.clone()));
    let surroundings = surroundings(session, &config.folder, declared.collect(), &connections);
    // Sources are read on this thread, and sources in registries wait for the network.
    let mut desired = tokio::task::block_in_place(|| {
        checked(session, &config, &context, &Selection::new(targets), &surroundings)
    })?;
    let mut observed = observe(&mut desired, &connections).await?;
    judge_descent(&config.folder, &desired, &mut observed);
    let mut plan = plan::diff(&desired, &observed, origin(session, &config, &context));
    let around = (&session.environment, reporter);
    let both = (&desired, &observed);
    screening::planned(&mut plan, &config.secrets, both, &connections, around, targets.is_empty()).await?;
    Ok(plan)
}

/// Returns the surroundings that sources are opened with. Sources in registries are reached as `registries` declares them.
fn surroundings(
    session: &Session,
    folder: &Path,
    registries: BTreeMap<String, RegistryEndpoint>,
    connections: &Arc<Connections>,
) -> Surroundings {
    let environment = session.environment.clone();
    Surroundings {
        folder: folder.to_owned(),
        environment: Arc::new(move |name| environment.get(name).cloned()),
        reach: Arc::new(RegistryReach::new(registries, connections.clone())),
    }
}

/// Returns what a plan says about its origin.
fn origin(session: &Session, config: &Config, context: &Context) -> plan::Origin {
    plan::Origin {
        config: PlannedConfig {
            path: path::relative(&session.working_folder, &config.path).display().to_string(),
            digest: config.digest.clone(),
            file_digest: session.file_digest(config),
            profile: config.profile.clone(),
        },
        folder: path::relative(&session.working_folder, &config.folder).display().to_string(),
        context: context_fields(context),
        title: context.describe(),
    }
}

/// Resolves what is desired, if the lockstep checks allow it. Problems that the checks find are returned together with the
/// problems of resolving.
fn checked(
    session: &Session,
    config: &Config,
    context: &Context,
    selection: &Selection,
    surroundings: &Surroundings,
) -> Result<Desired> {
    let (checks, mut found) = desired::checks(config, context, selection);
    let shown = path::relative(&session.working_folder, &config.folder);
    found.extend(checks::run_checks(&checks, &config.folder, &shown));
    found.extend(
        session
            .other_profiles(config)
            .flat_map(|it| desired::against_profile(config, &it, context, surroundings)),
    );
    match desired::resolve(config, context, selection, surroundings) {
        Ok(desired) if found.is_empty() => Ok(desired),
        Ok(_) => Err(found),
        Err(mut diagnostics) => {
            // A missing version is one mistake, and the tags already report it.
            let reported = diagnostics.iter().any(|it| it.code == Code::ContextVersion);
            diagnostics.extend(found.into_iter().filter(|it| !reported || it.code != Code::ContextVersion));
            Err(diagnostics)
        }
    }
}

async fn observe(desired: &mut Desired, connections: &Connections) -> Result<Observed> {
    let places = desired.repositories.iter().map(|it| (&it.endpoint, &it.name));
    let connected = connections.both(places)?.into_iter();
    let connected: Vec<Connection> = connected
        .map(|(repository, anonymous, visibility)| Connection { repository, anonymous, visibility })
        .collect();
    observed::refresh(desired, &connected).await.map_err(|errors| told(&errors))
}

/// Returns the errors of repositories as diagnostics, each with the name of its repository.
fn told(errors: &[(String, RegistryError)]) -> Vec<Diagnostic> {
    errors.iter().map(|(name, error)| error.to_diagnostic().about(name)).collect()
}

/// Asks git whether the commit being published descends from the commit of each branch tag.
fn judge_descent(folder: &Path, desired: &Desired, observed: &mut Observed) {
    for (wanted, present) in desired.repositories.iter().zip(&mut observed.repositories) {
        for tag in &wanted.tags {
            let Basis::Commit(commit) = &tag.basis else { continue };
            let Some(present) = present.tags.get_mut(&tag.tag) else { continue };
            let Some(revision) = &present.revision else { continue };
            present.descent = Some(match commit {
                None => Descent::Unknown("the commit being published is not known".to_owned()),
                Some(commit) => context::descent(folder, revision, commit),
            });
        }
    }
}

fn context_fields(context: &Context) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(context) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    }
}

/// Options for applying a plan.
#[derive(Debug, Clone, Copy)]
pub struct Applying {
    /// Whether the plan was saved before, instead of made in this run.
    pub saved: bool,
    /// The number of blobs that are under way at once.
    pub parallelism: usize,
}

/// Applies a plan, saved or just made. Nothing else is needed except credentials.
pub async fn apply(
    session: &Session,
    plan: &Plan,
    how: &Applying,
    reporter: &Arc<dyn Reporter>,
    cancel: watch::Receiver<bool>,
) -> (Outcome, Vec<Diagnostic>) {
    let folder = path::normal(&session.working_folder.join(&plan.folder));
    let connections =
        Connections::new(folder.clone(), &session.environment, how.parallelism, reporter.clone());
    let connections = Arc::new(connections);
    let options = apply::Options {
        judge: Arc::new(PlanJudge::new(plan, &folder)),
        surroundings: surroundings(session, &folder, plan.registries.clone(), &connections),
        connect: connections.as_ref(),
        secrets: Arc::new(screening::Searcher::new(&session.environment, reporter.clone())),
        saved: how.saved,
        reporter: reporter.clone(),
        parallelism: how.parallelism,
        cancel,
    };
    apply::apply(plan, &options).await
}

/// Returns the full names of the repositories of the resource `id`.
pub fn repositories(config: &Config, id: &ResourceId) -> Vec<String> {
    let Some(resource) = config.resources.get(id) else { return Vec::new() };
    let locations = resource.registries.iter().filter_map(|registry| config.registries.get(registry));
    locations
        .map(|registry| &registry.endpoint.url)
        .map(|location| location.full_name(&location.repository(&resource.repository)))
        .collect()
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod lint_tests;
