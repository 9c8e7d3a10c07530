//! The values that completions offer: names of this `publish.toml`, and codes.

use clap_complete::engine::CompletionCandidate;

use crate::diagnostic::Code;
use crate::run;

/// The codes of diagnostics.
pub(super) fn codes() -> Vec<CompletionCandidate> {
    let short = |code: &Code| code.as_str().trim_start_matches("publish::").to_owned();
    Code::ALL.iter().map(|code| CompletionCandidate::new(short(code))).collect()
}

/// The addresses of the configuration in the working directory.
pub(super) fn addresses() -> Vec<CompletionCandidate> {
    names(|names| names.addresses)
}

/// The profiles of the configuration in the working directory.
pub(super) fn profiles() -> Vec<CompletionCandidate> {
    names(|names| names.profiles)
}

fn names(of: fn(run::DeclaredNames) -> Vec<String>) -> Vec<CompletionCandidate> {
    let folder = std::env::current_dir().unwrap_or_default();
    of(run::declared_names(&folder)).into_iter().map(CompletionCandidate::new).collect()
}
