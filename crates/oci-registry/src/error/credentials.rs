//! Problems with credentials.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The reason why credentials cannot be found or used. No text in it contains a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// An environment variable that the endpoint names has no value.
    #[error("environment variable `{name}` is {}", if *.is_set { "empty" } else { "not set" })]
    Variable {
        /// The name of the variable.
        name: String,
        /// Whether it is set, to an empty value.
        is_set: bool,
    },
    /// A credential file, or a variable with the content of one, is malformed.
    #[error("cannot read credentials from {file}: {reason}")]
    Malformed {
        /// The file or variable, in words for people.
        file: String,
        /// The problem with it.
        reason: String,
    },
    /// A credential file cannot be read.
    #[error("cannot read credentials from {file}: {cause}")]
    Unreadable {
        /// The file, in words for people.
        file: String,
        /// The message of the operating system.
        #[source]
        cause: Arc<io::Error>,
    },
    /// A credential file cannot be written.
    #[error("cannot keep credentials in {file}: {cause}")]
    Unwritable {
        /// The file, in words for people.
        file: String,
        /// The message of the operating system.
        #[source]
        cause: Arc<io::Error>,
    },
    /// A credential program gives no usable answer.
    #[error("{program}, which `{key}` of {file} names for `{server}`, {problem}")]
    Program {
        /// The program, in words for people.
        program: String,
        /// The key of the file that names the program: `credHelpers` or `credsStore`.
        key: &'static str,
        /// The file, in words for people.
        file: String,
        /// The server that the program was asked about.
        server: String,
        /// The problem with the program.
        problem: ProgramProblem,
    },
    /// The credentials are an identity token, which the token server does not exchange.
    #[error("{request}: {status}: the token server does not exchange identity tokens, and {origin} has one")]
    NotExchanged {
        /// `METHOD url`.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The origin of the token, in words for people.
        origin: String,
    },
    /// The credentials are an identity token, and the registry has no token server.
    #[error(
        "{origin} has an identity token, which a token server exchanges; this registry has no token server, and requires a user name and a password"
    )]
    NoTokenServer {
        /// The origin of the token, in words for people.
        origin: String,
    },
    /// The registry names a token server that must not see credentials.
    #[error("{request}: {reason}{}", unsent(.origin.as_deref()))]
    TokenServer {
        /// `METHOD url`.
        request: String,
        /// Why it must not see them.
        reason: &'static str,
        /// The origin of the credentials, in words for people; `None` if there are none.
        origin: Option<String>,
    },
    /// The credentials contain characters that no header can carry.
    #[error("the credentials from {origin} cannot be sent")]
    Unsendable {
        /// The origin of the credentials, in words for people.
        origin: String,
    },
    /// The traffic to an API could be read on the way.
    #[error("the API at `{url}` does not speak https, so no credentials are sent there")]
    InsecureApi {
        /// The address of the API.
        url: String,
    },
    /// The declared API is not that of the registry.
    #[error("the API at `{url}` is not that of the registry, so no credentials are sent there")]
    ForeignApi {
        /// The address of the API.
        url: String,
    },
    /// An environment variable does not name the address of an API.
    #[error("`{variable}` {problem}, so no credentials are sent there")]
    ApiVariable {
        /// The name of the variable.
        variable: &'static str,
        /// The problem with its value.
        problem: String,
        /// An address that would be valid.
        example: &'static str,
    },
    /// The search for credentials ended early.
    #[error("credentials cannot be looked for: {reason}")]
    Interrupted {
        /// The reason.
        reason: String,
    },
}

/// Returns the end of a sentence about credentials that were not sent.
fn unsent(origin: Option<&str>) -> String {
    origin
        .map_or_else(String::new, |origin| format!(", so the credentials from {origin} were not sent there"))
}

/// The reason why a credential program gives no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramProblem {
    /// The name contains characters that are not allowed.
    InvalidName,
    /// No folder of `PATH` contains the program.
    NotFound,
    /// The operating system cannot run it. The text is its message.
    CannotRun(String),
    /// It gave no answer in time, and was stopped.
    TimedOut(Duration),
    /// Its answer is longer than this number of bytes.
    LongAnswer(u64),
    /// It failed. The text is its status and its message.
    Failed(String),
    /// Its answer is not the specified JSON.
    InvalidAnswer,
}

impl fmt::Display for ProgramProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName => f.write_str("is not a valid program name"),
            Self::NotFound => f.write_str("is not in any folder of `PATH`"),
            Self::CannotRun(cause) => write!(f, "cannot be run: {cause}"),
            Self::TimedOut(limit) => write!(f, "gave no answer within {limit:?}, and was stopped"),
            Self::LongAnswer(limit) => write!(f, "answered with more than {limit} bytes"),
            Self::Failed(text) => write!(f, "failed {text}"),
            Self::InvalidAnswer => f.write_str("did not answer with JSON that has `Username` and `Secret`"),
        }
    }
}
