//! The surroundings of a command, and loading the configuration that it names.

use std::path::{Path, PathBuf};

use super::confined;
use super::path;
use crate::config::{self, Config, ConfigFile, Overrides};
use crate::context::{CommitUse, Context, Environment, Flags, Needs};
use crate::desired;
use crate::diagnostic::{Code, Diagnostic};
use oci_content::Confines;
use oci_registry::Digest;

/// A result, or everything that is wrong.
pub type Result<T> = std::result::Result<T, Vec<Diagnostic>>;

/// The surroundings of a command: the options given on the command line, and the environment of the process.
#[derive(Debug, Clone)]
pub struct Session {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--allow-outside`: folders outside of the project that files may be read from.
    pub allow_outside: Vec<PathBuf>,
    /// `--event`, `--ref`, `--sha`, `--pr`, `--allow-dirty`.
    pub flags: Flags,
    /// The environment of the process.
    pub environment: Environment,
    /// The working directory.
    pub working_folder: PathBuf,
}

/// A configuration, and the file that it was selected from. The file is read and parsed once in a run.
pub(super) struct LoadedConfig {
    /// The configuration, with the repositories of this run.
    pub config: Config,
    /// Notes about its repositories.
    pub notes: Vec<Diagnostic>,
    file: ConfigFile,
    overrides: Overrides,
    /// The context that repositories were rendered in, if any is a template.
    context: Option<Context>,
}

impl LoadedConfig {
    /// Selects each other profile of the file, and none. Leaves out those that have errors.
    pub fn other_profiles(&self) -> impl Iterator<Item = Config> {
        let profiles = self.file.profiles().map(Some).chain([None]);
        let others = profiles.filter(|profile| *profile != self.config.profile.as_deref());
        others.filter_map(|profile| {
            let mut config = self.file.select(profile, &self.overrides).config?;
            match &self.context {
                Some(context) => desired::place_repositories(&mut config, context).ok()?,
                None if !config.templated_repositories().is_empty() => return None,
                None => Vec::new(),
            };
            Some(config)
        })
    }

    /// Returns the digest of the file with its profile, without the environment and the command line.
    pub fn file_digest(&self) -> Digest {
        // The layers could be merged with more above them.
        self.file.digest(self.config.profile.as_deref()).unwrap_or_else(|| self.config.digest.clone())
    }
}

impl Session {
    /// Reads the file at `path`, which is relative to the working directory and shown as it is.
    pub(super) fn read_config(&self, path: &Path) -> ConfigFile {
        ConfigFile::read(&self.working_folder.join(path), &path.display().to_string())
    }

    /// Returns the folders that the files of the project around `folder` may be read from.
    pub(super) fn confines(&self, folder: &Path) -> Confines {
        confined::confines(&self.working_folder, folder, &self.allow_outside)
    }

    /// Returns what is set above the file.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { environment: self.environment.clone().into_iter().collect(), set: self.set.clone() }
    }

    /// Returns the file that `--config` names, or the one found in the working directory or above it.
    pub(super) fn config_path(&self) -> Result<PathBuf> {
        if let Some(path) = &self.config {
            return Ok(path.clone());
        }
        let found = config::find_config_file(&self.working_folder).ok_or_else(|| {
            let message =
                format!("there is no `publish.toml` in `{}` or above it", self.working_folder.display());
            vec![Diagnostic::error(Code::ConfigFile, message).help("name the file with `--config FILE`")]
        })?;
        Ok(path::relative(&self.working_folder, &found))
    }

    /// Returns the file that `--config` names, or the one found in the working directory or above it, if there is one.
    pub(super) fn own_config_path(&self) -> Option<PathBuf> {
        self.config_path().ok()
    }

    /// Loads the configuration that the command uses.
    pub(super) fn load(&self) -> Result<LoadedConfig> {
        let (file, overrides) = (self.read_config(&self.config_path()?), self.overrides());
        let loaded = file.select(self.profile.as_deref(), &overrides);
        let mut config = loaded.config.ok_or(loaded.diagnostics)?;
        let folder = self.working_folder.join(&config.folder);
        confined::check_config(&self.confines(&folder), &folder, &config)?;
        let (mut context, mut notes) = (None, Vec::new());
        if !config.templated_repositories().is_empty() {
            let known = self.context(&config, CommitUse::Unused)?;
            notes = desired::place_repositories(&mut config, &known)?;
            context = Some(known);
        }
        Ok(LoadedConfig { config, notes, file, overrides, context })
    }

    /// Gathers the context of a command that makes this use of the commit.
    pub(super) fn context(&self, config: &Config, commit: CommitUse) -> Result<Context> {
        // Collecting the components drops the `.` that the folder is if the file is in the working directory.
        let folder: PathBuf = self.working_folder.join(&config.folder).components().collect();
        let needs = Needs {
            dirty: desired::uses_dirty(config),
            commit,
            releases: desired::release_tags(config),
            default_branch: config.project.default_branch.as_deref(),
            history: desired::uses_history(config).then_some(config.project.releases.prefix()),
            env: &config.project.env,
            wall_clock: config.project.wall_clock,
        };
        Context::discover(&folder, &self.environment, &self.flags, &needs)
            .map_err(|error| vec![error.to_diagnostic()])
    }

    /// Returns a path as people in the working directory would write it.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        path::relative(&self.working_folder, path)
    }

    /// Returns the configuration in one line: its file, and its profile if it has one.
    pub(super) fn title(&self, config: &Config) -> String {
        let file = self.shown(&config.path).display().to_string();
        match &config.profile {
            Some(profile) => format!("{file}, profile {profile}"),
            None => file,
        }
    }
}
