//! Messages and helps about credentials.

use oci_registry::{CredentialError, ProgramProblem};

/// Returns the message of `error`, which names the key of the configuration if one led to it.
pub(super) fn message(error: &CredentialError) -> String {
    match error {
        CredentialError::Variable { name, is_set } => {
            let problem = if *is_set { "empty" } else { "not set" };
            format!("environment variable `{name}`, named by `auth`, is {problem}")
        }
        _ => error.to_string(),
    }
}

/// Returns what to do about `error`.
pub(super) fn help(error: &CredentialError) -> String {
    match error {
        CredentialError::Variable { name, .. } => format!(
            "set `{name}`; in GitHub Actions, pass it to the step with `env:`; or remove `auth` to use the credential files of Docker and podman"
        ),
        CredentialError::Malformed { .. } => "log in again, which rewrites it, or fix it by hand".to_owned(),
        CredentialError::Unreadable { .. } => "make it readable, or move it away and log in again".to_owned(),
        CredentialError::Unwritable { .. } => {
            "make it and its folder writable, or name another file with `--authfile FILE`".to_owned()
        }
        CredentialError::Program { file, problem, .. } => format!(
            "{}; or remove it from {file} and log in again; or name environment variables with `auth`, which take precedence",
            remedy(problem)
        ),
        CredentialError::NotExchanged { .. } => "log in with a user name and a password or an access token, or name environment variables that hold them with `auth`".to_owned(),
        CredentialError::NoTokenServer { .. } => {
            "log in with a user name and a password, or name environment variables with `auth`".to_owned()
        }
        CredentialError::TokenServer { .. } => {
            "the registry names this address as its token server (`realm` in its `WWW-Authenticate`): correct it there, for example to `https://`; `insecure = true` allows plain http for a registry that speaks it".to_owned()
        }
        CredentialError::Unsendable { .. } => "log in again".to_owned(),
        CredentialError::InsecureApi { .. } => "give its address with `https://`".to_owned(),
        CredentialError::ForeignApi { .. } => {
            "remove `api_url`, or name a token for that host with `api_token_env`".to_owned()
        }
        CredentialError::ApiVariable { example, .. } => {
            format!("set it to the address of GitHub's REST API, such as `{example}`, or unset it")
        }
        _ => "run the same command again".to_owned(),
    }
}

/// Returns what to do about a credential program.
fn remedy(problem: &ProgramProblem) -> &'static str {
    match problem {
        ProgramProblem::InvalidName => "correct it: letters, digits, `-`, `_` and `.` are allowed",
        ProgramProblem::NotFound => "install it",
        ProgramProblem::CannotRun(_) => "reinstall it",
        ProgramProblem::TimedOut(_) => {
            "run it by hand to see why: it may be waiting for a password or a window"
        }
        ProgramProblem::Failed(_) => "run it by hand to see why, and log in again",
        ProgramProblem::InvalidAnswer => "install a newer version of it",
        _ => "run it by hand to see why",
    }
}
