//! The configuration of an apply of a saved plan. The plan is enough to apply, but it does not decide what is searched for secrets and
//! where it may send: that is up to the `publish.toml` beside the apply, its environment and its command line.

use super::session::{Result, Session};
use crate::config::{Config, ConfigFile, Overrides};
use crate::model::plan::Plan;
use crate::screening::OwnSearch;

/// The tables that count without a `publish.toml`.
const TABLES: [&str; 2] = ["SECRETS", "APPLY"];

/// The configuration of an apply of a saved plan.
#[derive(Debug, Clone)]
pub(super) struct OwnConfig {
    /// The configuration. Only its `[secrets]` and `[apply]` are set if there is no file.
    pub config: Config,
    /// Whether it comes from a file.
    pub has_file: bool,
}

impl OwnConfig {
    /// Returns the configuration that `session` finds. `profile` is that of an approved plan.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn find(session: &Session, profile: Option<&str>) -> Result<Self> {
        let profile = session.profile.as_deref().or(profile);
        let overrides = session.overrides();
        let (file, has_file, profile, overrides) = match session.own_config_path() {
            Some(path) => (session.read_config(&path), true, profile, overrides),
            None => (
                ConfigFile::parse("version = 1\n", "publish.toml".as_ref(), "publish.toml"),
                false,
                None,
                of_tables(overrides),
            ),
        };
        let loaded = file.select(profile, &overrides);
        // Without a file nothing is declared, which is wrong only for other commands.
        let is_wrong = |it: &crate::diagnostic::Diagnostic| {
            it.is_error() && (has_file || it.labels.iter().any(|label| label.place.source.file.is_none()))
        };
        if loaded.diagnostics.iter().any(is_wrong) {
            return Err(loaded.diagnostics);
        }
        let config = loaded.config.or(loaded.part).ok_or(loaded.diagnostics)?;
        Ok(Self { config, has_file })
    }

    /// Returns the rules of the search for secrets. `is_bound` says whether the digest of `plan` was given.
    pub fn search(&self, plan: &Plan, is_bound: bool) -> OwnSearch {
        if self.has_file {
            OwnSearch::of_config(&self.config)
        } else {
            OwnSearch::without_config(self.config.secrets.clone(), plan, is_bound)
        }
    }
}

/// Returns the part of `overrides` that is about [`TABLES`].
fn of_tables(overrides: Overrides) -> Overrides {
    let is_of = |key: &str, end: &str| {
        let mut tables = TABLES.iter();
        tables.any(|table| {
            key.get(..table.len()).is_some_and(|it| it.eq_ignore_ascii_case(table))
                && key.get(table.len()..).is_some_and(|rest| rest.starts_with(end))
        })
    };
    let is_set = |name: &str| name.strip_prefix("BROKKR_PUBLISH_").is_some_and(|key| is_of(key, "__"));
    Overrides {
        environment: overrides.environment.into_iter().filter(|(name, _)| is_set(name)).collect(),
        set: overrides.set.into_iter().filter(|argument| is_of(argument.trim_start(), ".")).collect(),
    }
}

/// Whether `argument` of `--set` sets a key that an apply of a saved plan decides about.
pub fn is_of_apply(argument: &str) -> bool {
    !of_tables(Overrides { environment: Vec::new(), set: vec![argument.to_owned()] }).set.is_empty()
}
