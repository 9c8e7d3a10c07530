//! A run: everything that one command knows and has open, from its first request to its last.
//!
//! ```text
//! Run::new ─► Run::plan ─► (a person approves) ─► Run::apply
//!               │ config × context × sources = desired     check, preflight, secrets, content, tags,
//!               │ desired × registries = observed          visibility, read-back
//!               └ observed = plan
//! ```
//!
//! A run owns the configuration (loaded once), the connections with their tokens, the content that was read from sources in
//! registries, and what it observed, with the opened sources in it. `plan` leaves that behind, and `apply` asks for none of it again,
//! except for each tag just before it moves. A saved plan is enough by itself: [`Run::without_configuration`] applies it with
//! nothing but connections. `prune`, `rollback`, `withdraw`, `verify`, `list` and `access` are the other commands that talk to
//! registries;
//! `check`, `lint`, `init`, `tags` and `files` talk to none.

mod access;
mod approvals;
mod bundle;
mod chart_images;
mod check;
mod confined;
mod credentials;
mod declared_names;
mod files;
mod gates;
mod going_back;
mod init;
mod layout;
mod left_out;
mod limits;
mod lint;
mod list;
mod login;
mod own;
mod package;
mod path;
mod placed;
mod prune;
mod reach;
mod required_approval;
mod rollback;
mod same_images;
mod sbom;
mod session;
mod signers;
mod tags;
mod verify;
mod work_tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

pub use approvals::{NamedApprover, approve, check_approval, refuse_unapproved};
pub use bundle::{Bundle, is_bundle, load_bundle};
pub use check::{CheckedValues, check};
pub use declared_names::{DeclaredNames, declared_names};
pub use files::{
    PlanOrRecord, check_declared, check_destinations, load_record, load_saved, record, save_plan, save_record,
};
pub use init::{first_configuration, write_first};
pub use layout::{FormattedFile, format_files, write_formatted};
pub use lint::{lint, lint_files};
pub use list::write_pages;
pub use login::{log_in, log_out};
pub use own::is_of_apply;
pub use package::Package;
pub use placed::{SavedPlan, load_plan};
use session::LoadedConfig;
pub use session::{Result, Session};
pub use tags::{RenderedTags, tags};
pub use verify::Verifying;

use crate::apply::{self, Lineage};
use crate::checks;
use crate::config::{ApplyLimits, Config};
use crate::connections::{Connection, Connections};
use crate::context::{CommitUse, Context, ContextDoubt};
use crate::desired::{self, Desired, DesiredRepository, Selection};
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{Event, Reporter};
use crate::model::gate::PlannedGate;
use crate::model::outcome::Outcome;
use crate::model::plan::{Plan, PlanKind, PlannedConfig};
use crate::model::problem::PlannedProblem;
use crate::model::signing::RequiredApproval;
use crate::observed::{self, Observed};
use crate::plan::{self, PlanOrigin};
use crate::saved;
use crate::screening::{OwnSearch, Screening};
use oci_content::{OpenedContent, Surroundings};
use oci_registry::Digest;
use oci_registry::reference::RegistryEndpoint;
use own::OwnConfig;
use reach::source_registries;
use signers::Signers;
use work_tree::check_work_tree;

/// The number of bytes of layers that are kept from the search to the push.
const SPOOL: u64 = 4 * 1024 * 1024 * 1024;

/// One run of the program. See the module.
pub struct Run {
    session: Session,
    /// The configuration; `None` if the run has a saved plan or a record instead.
    config: Option<LoadedConfig>,
    /// The folder that relative paths start at.
    folder: PathBuf,
    connections: Arc<Connections>,
    screening: Screening,
    /// The rules of the search for an apply of a saved plan.
    own_search: OwnSearch,
    /// The content of the sources that this run opened.
    content: Arc<OpenedContent>,
    /// The number of blobs that are under way at once.
    parallelism: usize,
    reporter: Arc<CurrentReporter>,
    /// The observations that the plan of this run was made from.
    observed: Option<Observed>,
    /// Whether the plan was made in this run. A saved plan may have been approved when the registries were in another state, so its gates
    /// are judged again.
    made_plan: bool,
    /// Whether the tags may have moved since they were observed.
    tags_are_old: bool,
    /// The digest of the file of a saved plan.
    plan_digest: Option<Digest>,
}

/// The reporter of the present phase: a plan is reported to people even if `apply` reports in JSON.
struct CurrentReporter(RwLock<Arc<dyn Reporter>>);

impl Reporter for CurrentReporter {
    fn report(&self, event: &Event<'_>) {
        let reporter = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        reporter.report(event);
    }
}

impl Run {
    /// Starts a run with the configuration that `session` names.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the configuration.
    pub fn new(session: &Session, parallelism: usize, reporter: Arc<dyn Reporter>) -> Result<Self> {
        let loaded = session.load()?;
        let folder = path::normal(&session.working_folder.join(&loaded.config.folder));
        Ok(Self { config: Some(loaded), ..Self::in_folder(session, folder, parallelism, reporter) })
    }

    /// Starts a run for `plan`, a saved plan or that of a record, which is enough by itself.
    pub fn without_configuration(
        session: &Session,
        plan: &Plan,
        parallelism: usize,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        let folder = path::normal(&session.working_folder.join(&plan.folder));
        Self::in_folder(session, folder, parallelism, reporter)
    }

    fn in_folder(
        session: &Session,
        folder: PathBuf,
        parallelism: usize,
        reporter: Arc<dyn Reporter>,
    ) -> Self {
        let reporter = Arc::new(CurrentReporter(RwLock::new(reporter)));
        let mut connections =
            Connections::new(folder.clone(), &session.environment, parallelism, reporter.clone());
        if let Some(bytes) = session.flags.limit_rate {
            connections = connections.with_upload_rate(bytes);
        }
        // The configuration of a pull request from a fork is that of a stranger, who decides where credentials would go.
        if !session.flags.fork_credentials && Context::is_run_of_fork(&session.environment) {
            connections = connections.without_credentials();
        }
        Self {
            session: session.clone(),
            config: None,
            folder,
            connections: Arc::new(connections),
            screening: Screening::new(&session.environment, reporter.clone()),
            own_search: OwnSearch::default(),
            content: Arc::default(),
            parallelism,
            reporter,
            observed: None,
            made_plan: false,
            tags_are_old: false,
            plan_digest: None,
        }
    }

    /// Starts an apply of the `saved` plan.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the configuration of the apply, if it has one; or the plan sends something that it may not.
    pub fn of_saved(
        session: &Session,
        saved: &mut SavedPlan,
        limits: &ApplyLimits,
        parallelism: usize,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Self> {
        let SavedPlan { plan, is_bound, .. } = saved;
        let mut run = Self::without_configuration(session, plan, parallelism, reporter);
        limits::check(plan, limits)?;
        let own = OwnConfig::find(session, plan.config.profile.as_deref().filter(|_| *is_bound));
        if !*is_bound {
            limits::check_signers(plan, own.as_ref().ok())?;
        }
        let own = match own {
            // A way back must not need a configuration without mistakes. It sends no content.
            Err(_) if matches!(plan.kind, PlanKind::Rollback | PlanKind::Withdrawal) => return Ok(run),
            own => own?,
        };
        limits::check(plan, &own.config.apply.limits)?;
        if !*is_bound {
            limits::check_saved(plan, &own, limits)?;
        }
        run.own_search = own.search(plan, *is_bound);
        run.note_credentials(plan);
        Ok(run)
    }

    /// Refuses a plan of this run that sends something that neither `limits` nor the configuration allows.
    ///
    /// # Errors
    ///
    /// Everything that it may not send.
    pub fn check_limits(&self, plan: &Plan, limits: &ApplyLimits) -> Result<()> {
        limits::check(plan, limits)?;
        self.config.as_ref().map_or(Ok(()), |loaded| limits::check(plan, &loaded.config.apply.limits))
    }

    /// Returns the surroundings that the run started with.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Reports what happens from now on to `reporter`.
    pub fn report_to(&self, reporter: Arc<dyn Reporter>) {
        *self.reporter.0.write().unwrap_or_else(PoisonError::into_inner) = reporter;
    }

    /// Notes that time has passed, so that the tags are read again before anything is sent. Waiting for a person takes time.
    pub fn doubt_tags(&mut self) {
        self.tags_are_old = true;
    }

    /// Notes the digest of the file that the plan was loaded from.
    pub fn loaded_from(&mut self, digest: Digest) {
        self.plan_digest = Some(digest);
    }

    fn config(&self) -> Result<&Config> {
        self.loaded().map(|loaded| &loaded.config)
    }

    fn loaded(&self) -> Result<&LoadedConfig> {
        self.config.as_ref().ok_or_else(|| {
            let message = "a saved plan is applied without a configuration";
            vec![Diagnostic::error(Code::CommandUsage, message)]
        })
    }

    /// Makes the plan: resolves what is desired, observes the registries, and compares the two.
    ///
    /// # Errors
    ///
    /// Everything that prevents it.
    pub async fn plan(&mut self, targets: &[String]) -> Result<Plan> {
        let loaded = self.loaded()?;
        let config = &loaded.config;
        let context = self.session.context(config, CommitUse::Published)?;
        let declared = config.registries.iter().map(|(name, it)| (name.clone(), it.endpoint.clone()));
        let surroundings = self.surroundings(declared.collect());
        // Sources are read on this thread, and sources in registries wait for the network.
        let (mut desired, warnings) = tokio::task::block_in_place(|| {
            self.checked(loaded, &context, &Selection::new(targets), &surroundings)
        })?;
        signers::add_statements(config, &mut desired, &surroundings)?;
        let approval = required_approval::required(config, &surroundings)?;
        let gates = signers::gates(config, &desired, &surroundings)?;
        let signers = signers::signers(config, &desired, &surroundings)?;
        let keys = signers.iter().map(|(name, (_, key))| (name.clone(), key.clone())).collect();
        if let Some(partition) = self.session.flags.partition {
            desired.keep_partition(partition);
        }
        let unconnected = self.leave_out_unconnected(&mut desired);
        let places = desired.repositories.iter().map(|it| (&it.endpoint, &it.name));
        let connections = self.connections.connections(places)?;
        let addresses: Vec<String> = desired.repositories.iter().map(DesiredRepository::address).collect();
        let doubts: Vec<Diagnostic> = context.doubts.iter().map(ContextDoubt::to_diagnostic).collect();
        let fired = desired.repositories.iter().flat_map(|it| &it.tags).map(|tag| tag.rule.as_str());
        let fork = desired::fork_unknown(config, &context, fired);
        let problems = doubts.iter().chain(&loaded.notes).chain(&fork).chain(&warnings);
        let problems = problems.chain(&desired.unversioned).chain(&desired.nothing);
        let problems: Vec<PlannedProblem> = problems.map(PlannedProblem::from).collect();
        let mut observed = observed::observe(desired, &connections, &keys, &self.folder).await?;
        observed.left_out.splice(0..0, unconnected);
        let connections: Vec<Connection> = connections
            .into_iter()
            .zip(addresses)
            .filter_map(|(it, address)| observed.repositories.contains_key(&address).then_some(it))
            .collect();
        self.follow_first_published(&mut observed, &connections, &keys, &surroundings).await?;
        let origin = || self.origin(loaded, &context, signers.clone(), approval.clone(), gates.clone());
        let mut plan = plan::diff(&observed, origin());
        let renamed = tokio::task::block_in_place(|| chart_images::renamed(&observed, &plan, &surroundings))?;
        if !renamed.repositories.is_empty() {
            let places = renamed.repositories.iter().map(|it| (&it.endpoint, &it.name));
            let connections = self.connections.connections(places)?;
            let names: Vec<String> = renamed.repositories.iter().map(DesiredRepository::address).collect();
            let again = observed::observe(renamed, &connections, &keys, &self.folder).await?;
            // One that is left out now must not keep its former content.
            let is_left_out = |name: &String| names.contains(name) && !again.repositories.contains_key(name);
            observed.repositories.retain(|name, _| !is_left_out(name));
            observed.repositories.extend(again.repositories);
            observed.left_out.extend(again.left_out);
            plan = plan::diff(&observed, origin());
        }
        plan.problems.splice(0..0, problems);
        plan.problems.extend(plan.optional.left_out.iter().map(|it| it.problem.clone()));
        let missing = chart_images::missing(&plan, config, &self.connections).await;
        plan.problems.extend(missing.iter().map(PlannedProblem::from));
        let closed = self.judge_gates(&mut plan, &surroundings).await;
        plan.problems.extend(closed.iter().map(PlannedProblem::from));
        self.content.spool_up_to(SPOOL);
        let screening =
            self.screening.plan(&plan, &config.secrets, &observed, &self.connections, targets.is_empty());
        (plan.secrets, plan.not_searched) = screening.await?;
        self.content.spool_up_to(0);
        self.note_credentials(&mut plan);
        (self.observed, self.made_plan) = (Some(observed), true);
        Ok(plan)
    }

    /// Applies `plan`, which was made in this run or saved before. Nothing else is needed except credentials.
    pub async fn apply(&self, plan: &Plan, cancel: watch::Receiver<bool>) -> (Outcome, Vec<Diagnostic>) {
        let options = apply::ApplyOptions {
            surroundings: self.surroundings(plan.registries.clone()),
            connections: &self.connections,
            lineage: Lineage::new(plan, &self.folder),
            screening: &self.screening,
            own_search: &self.own_search,
            saved: !self.made_plan,
            observed: self.observed.as_ref(),
            tags_are_old: self.tags_are_old,
            on_tag_failure: plan.on_tag_failure,
            plan_digest: self.plan_digest.clone().unwrap_or_else(|| saved::digest(plan)),
            reporter: self.reporter(),
            parallelism: self.parallelism,
            cancel,
        };
        apply::apply(plan, &options).await
    }

    fn reporter(&self) -> Arc<dyn Reporter> {
        self.reporter.clone()
    }

    /// Returns the surroundings that sources are opened with. Sources in registries are reached as `registries` declares them.
    fn surroundings(&self, registries: BTreeMap<String, RegistryEndpoint>) -> Surroundings {
        let environment = self.session.environment.clone();
        Surroundings {
            folder: self.folder.clone(),
            // The folder of a saved plan is as its file says, so that only the command line and its place are believed.
            confines: self.session.confines(if self.config.is_some() { &self.folder } else { Path::new("") }),
            environment: Arc::new(move |name| environment.get(name).cloned()),
            registries: Some(source_registries(registries, self.connections.clone(), self.reporter())),
            content: self.content.clone(),
        }
    }

    /// Resolves what is desired, and the warnings about it, if the lockstep checks and the work tree allow it. Problems that the
    /// checks find are returned together with the problems of resolving.
    fn checked(
        &self,
        loaded: &LoadedConfig,
        context: &Context,
        selection: &Selection,
        surroundings: &Surroundings,
    ) -> Result<(Desired, Vec<Diagnostic>)> {
        let config = &loaded.config;
        let (checks, mut found) = desired::checks(config, context, selection);
        let report = checks::run_checks(&checks, &config.folder, &self.session.shown(&config.folder));
        found.extend(report.diagnostics);
        let others = loaded.other_profiles();
        found.extend(others.flat_map(|it| desired::against_profile(config, &it, context, surroundings)));
        match desired::resolve(config, context, selection, surroundings) {
            Ok(desired) => {
                let is_allowed = self.session.flags.allow_dirty || config.project.allow_dirty;
                let differences =
                    check_work_tree(&self.folder, config, context, &desired, &checks, is_allowed);
                let (errors, mut warnings): (Vec<_>, Vec<_>) =
                    differences.into_iter().partition(Diagnostic::is_error);
                let shown = self.session.shown(&config.folder);
                warnings.extend(desired::named_images(config, &shown, &surroundings.confines, context));
                found.extend(errors);
                if found.is_empty() { Ok((desired, warnings)) } else { Err(found) }
            }
            Err(mut diagnostics) => {
                // A missing version is one mistake, and the tags already report it.
                let reported = diagnostics.iter().any(|it| it.code == Code::ContextVersion);
                diagnostics
                    .extend(found.into_iter().filter(|it| !reported || it.code != Code::ContextVersion));
                Err(diagnostics)
            }
        }
    }

    /// Returns what a plan says about its origin.
    fn origin(
        &self,
        loaded: &LoadedConfig,
        context: &Context,
        signers: Signers,
        approval: Option<RequiredApproval>,
        gates: BTreeMap<String, PlannedGate>,
    ) -> PlanOrigin {
        let config = &loaded.config;
        let fields = match serde_json::to_value(context) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        PlanOrigin {
            config: PlannedConfig {
                path: self.session.shown(&config.path).display().to_string(),
                digest: config.digest.clone(),
                file_digest: loaded.file_digest(),
                profile: config.profile.clone(),
            },
            folder: self.session.shown(&config.folder).display().to_string(),
            context: fields,
            title: context.describe(),
            on_tag_failure: config.apply.on_tag_failure,
            signers,
            approval,
            gates,
        }
    }
}
