//! The surroundings of a command, and loading the configuration that it names.

use std::path::{Path, PathBuf};

use super::path;
use crate::config::{self, Config, LoadOptions};
use crate::context::{Context, Environment, Flags, Needs};
use crate::desired;
use crate::diagnostic::{Code, Diagnostic};
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
    /// `--event`, `--ref`, `--sha`, `--pr`.
    pub flags: Flags,
    /// The environment of the process.
    pub environment: Environment,
    /// The working directory.
    pub working_folder: PathBuf,
}

impl Session {
    /// Returns the options to load `path`, which is relative to the working directory and shown as it is.
    pub(super) fn load_options(&self, path: &Path) -> LoadOptions {
        LoadOptions {
            path: self.working_folder.join(path),
            display_name: path.display().to_string(),
            profile: self.profile.clone(),
            environment: self.environment.clone().into_iter().collect(),
            set: self.set.clone(),
        }
    }

    /// Returns the file that `--config` names, or the one found in the working directory or above it.
    pub(super) fn config_path(&self) -> Result<PathBuf> {
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

    pub(super) fn load(&self) -> Result<Config> {
        let loaded = config::load(&self.load_options(&self.config_path()?));
        loaded.config.ok_or(loaded.diagnostics)
    }

    /// Loads the file of `config` under each other profile, and under none. Leaves out those that have errors.
    pub(super) fn other_profiles(&self, config: &Config) -> impl Iterator<Item = Config> {
        let options = self.load_options(&path::relative(&self.working_folder, &config.path));
        let declared = config::profiles(&options).into_iter().map(Some);
        let others = declared.chain([None]).filter(|profile| *profile != config.profile).collect::<Vec<_>>();
        others
            .into_iter()
            .filter_map(move |profile| config::load(&LoadOptions { profile, ..options.clone() }).config)
    }

    /// Returns the digest of the file of `config` with its profile, without the environment and the command line.
    pub(super) fn file_digest(&self, config: &Config) -> Digest {
        let options = LoadOptions { profile: config.profile.clone(), ..self.load_options(&config.path) };
        // The file was readable a moment ago.
        config::file_digest(&options).unwrap_or_else(|| config.digest.clone())
    }

    pub(super) fn context(&self, config: &Config) -> Result<Context> {
        // Collecting the components drops the `.` that the folder is if the file is in the working directory.
        let folder: PathBuf = self.working_folder.join(&config.folder).components().collect();
        let needs = Needs { dirty: desired::uses_dirty(config) };
        Context::discover(&folder, &self.environment, &self.flags, needs)
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
