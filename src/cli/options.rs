//! Options that several commands share.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgAction, Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;

use super::candidates;
use crate::context::Flags;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::Reporter;
use crate::model::EventName;
use crate::report::output::{self, Log, Output, OutputStream};
use crate::report::{Bars, JsonLines, Style, TextLines};
use crate::run::{self, Session};

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The configuration file [default: publish.toml, searched upward to the root of the git repository] [env: `BROKKR_PUBLISH_CONFIG`].
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The profile to lay over the configuration: `[profile.NAME]` [env: `BROKKR_PUBLISH_PROFILE`].
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCandidates::new(candidates::profiles))]
    profile: Option<String>,
    /// Set a key of the configuration, above all other layers: `--set registries.ghcr.url=localhost:5000`.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Read files in this folder although they are outside of the project: the git work tree, or the folder of publish.toml.
    #[arg(long, global = true, value_name = "DIR")]
    allow_outside: Vec<PathBuf>,
    /// Send credentials to registries even if the run is that of a pull request from a fork.
    #[arg(long, global = true)]
    fork_credentials: bool,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t)]
    color: ColorChoice,
    /// Print more; give it twice to log the requests.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Print only problems.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    #[arg(skip)]
    output: Output,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<ColorChoice> for output::Color {
    fn from(choice: ColorChoice) -> Self {
        match choice {
            ColorChoice::Auto => Self::Auto,
            ColorChoice::Always => Self::Always,
            ColorChoice::Never => Self::Never,
        }
    }
}

/// The value of an environment variable. An empty variable counts as unset, because that is how CIs unset one.
pub(super) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The value of `--color` in arguments that clap did not parse into a command: a request for help or a usage error.
pub(super) fn color_asked_for(arguments: impl Iterator<Item = OsString>) -> output::Color {
    let mut asked = output::Color::Auto;
    let mut arguments = arguments.take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--color") => arguments.next().and_then(|value| value.into_string().ok()),
            Some(argument) => argument.strip_prefix("--color=").map(str::to_owned),
            None => None,
        };
        if let Some(choice) = value.and_then(|value| ColorChoice::from_str(&value, false).ok()) {
            asked = choice.into();
        }
    }
    asked
}

/// Options that simulate a context, inside a repository or out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Context")]
pub struct Simulation {
    /// The event: tag, branch, `pull_request`, `pull_request_closed`, schedule, manual, `merge_queue` or other [default: what `--ref`
    /// implies].
    #[arg(long, value_name = "EVENT", value_parser = event)]
    event: Option<EventName>,
    /// The git ref in full: `refs/tags/v1.2.3`, `refs/heads/main` or `refs/pull/12/head`.
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,
    /// The commit.
    #[arg(long, value_name = "SHA")]
    sha: Option<String>,
    /// The number of the pull request.
    #[arg(long = "pr", value_name = "NUMBER")]
    pull_request: Option<u64>,
}

fn event(text: &str) -> Result<EventName, String> {
    text.parse()
}

/// The default of `--parallelism`: how many blobs are under way at once.
const PARALLELISM: usize = 4;

/// Options of commands that talk to registries.
#[derive(Debug, Args)]
pub struct Network {
    /// How many blobs are under way at once.
    #[arg(long, value_name = "N", default_value_t = PARALLELISM, value_parser = parallelism)]
    pub parallelism: usize,
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err("expected a number from 1 to 64".to_owned()),
    }
}

impl Simulation {
    /// Whether any option was given.
    pub fn is_given(&self) -> bool {
        self.event.is_some() || self.reference.is_some() || self.sha.is_some() || self.pull_request.is_some()
    }
}

impl Global {
    /// The session of a command without a context.
    pub fn session(&self) -> Result<Session, Vec<Diagnostic>> {
        self.session_in(None)
    }

    /// The session of a command with a context.
    pub fn session_in(&self, simulation: Option<&Simulation>) -> Result<Session, Vec<Diagnostic>> {
        let working_folder = std::env::current_dir().map_err(|error| {
            vec![Diagnostic::error(
                Code::ConfigFile,
                format!("the working directory cannot be read: {error}"),
            )]
        })?;
        // A variable that is not Unicode is left out: it can be neither a value of the language nor a credential of a registry.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        // An empty flag asks for no profile, even if the variable names one.
        let profile = self.profile.clone().or_else(|| environment.get("BROKKR_PUBLISH_PROFILE").cloned());
        let flags = simulation.map(|it| Flags {
            event: it.event,
            reference: it.reference.clone(),
            sha: it.sha.clone(),
            pull_request: it.pull_request,
            ..Flags::default()
        });
        let flags = Flags { fork_credentials: self.fork_credentials, ..flags.unwrap_or_default() };
        Ok(Session {
            config: self.config.clone().or_else(|| variable("BROKKR_PUBLISH_CONFIG").map(PathBuf::from)),
            profile: profile.filter(|profile| !profile.is_empty()),
            set: self.set.clone(),
            allow_outside: self.allow_outside.clone(),
            flags,
            environment,
            working_folder,
        })
    }

    /// Makes `output` the output of the command.
    pub(super) fn write_to(&mut self, output: Output) {
        self.output = output;
    }

    /// The output of the command.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Returns the features that `stream` can show, such as colours.
    pub fn style(&self, stream: OutputStream) -> Style {
        Style { verbose: self.is_verbose(), ..stream.style(self.color.into()) }
    }

    /// Whether to print more.
    pub fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Whether to print only problems.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The first given option that shapes a plan, and that a saved plan therefore excludes. Environment variables do not count,
    /// because they are set for a whole job and may be meant for its other commands.
    pub fn planning_option(&self) -> Option<&'static str> {
        let given = [
            (self.config.is_some(), "--config"),
            (self.profile.is_some(), "--profile"),
            (!self.set.is_empty(), "--set"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }

    /// The first given option that an apply of a saved plan does not take. `--config`, `--profile`, and `--set` of `secrets` and `apply`
    /// decide what is searched for secrets and where the plan may send.
    pub fn other_than_search(&self) -> Option<&'static str> {
        self.set.iter().any(|it| !run::is_of_apply(it)).then_some("--set")
    }

    /// The reporter of events: JSON lines, bars on a terminal, or plain lines.
    pub fn reporter(&self, json: bool) -> Arc<dyn Reporter> {
        let style = self.style(OutputStream::Err);
        if json {
            Arc::new(JsonLines::new(self.output.clone()))
        } else if OutputStream::Err.is_terminal() && !self.quiet {
            Arc::new(Bars::new(self.output.clone(), style))
        } else {
            Arc::new(TextLines::new(self.output.clone(), style, self.quiet))
        }
    }
}

/// Starts the log. Without `-v` it is empty; `-v` logs the origin of credentials, `-vv` requests, and `-vvv` everything.
/// `BROKKR_PUBLISH_LOG` takes tracing's own filters.
pub fn log(global: &Global) {
    let level = match global.verbose {
        0 => "off",
        1 => "brokkr_publish=info",
        2 => "brokkr_publish=debug",
        _ => "brokkr_publish=trace",
    };
    let filter = std::env::var("BROKKR_PUBLISH_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = tracing_subscriber::EnvFilter::try_new(filter.as_deref().unwrap_or(level))
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let output = global.output.clone();
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || Log(output.clone()))
        .with_ansi(global.style(OutputStream::Err).color)
        .without_time()
        .try_init();
    // A log that something else has already started is just as good.
    drop(started);
}
