//! The reasons why a signer cannot sign.

use std::io;

use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use oci_content::OutsideFile;
use oci_registry::Digest;
use oci_signing::{KeyError, KeylessError};

/// The key of a signer cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`[{table}]`: {problem}")]
pub struct SignerError {
    /// The table that names the key: `signing.NAME`, `gates.NAME` or `apply`.
    pub table: String,
    /// The cause.
    #[source]
    pub(super) problem: KeyProblem,
}

/// The problem with a key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyProblem {
    /// The file is outside of the project.
    #[error("{0}")]
    Outside(OutsideFile),
    /// The file cannot be read.
    #[error("the file `{}` cannot be read: {error}", path.escape_debug())]
    File {
        /// The path, as it was written.
        path: String,
        /// The cause.
        error: io::Error,
    },
    /// The variable is not set.
    #[error("the variable `{}` is not set", .0.escape_debug())]
    Variable(String),
    /// The plan does not say where the key is, which only an edited plan does.
    #[error("the plan does not say where the key is")]
    NoPlace,
    /// The key cannot be used.
    #[error("the key in {place} cannot be used: {error}")]
    Key {
        /// The place of the key.
        place: String,
        /// The variable of the password, if the password is the problem.
        password: Option<String>,
        /// The cause.
        error: KeyError,
    },
    /// There is no such program.
    #[error("there is no program `{}`", .0.escape_debug())]
    Program(String),
    /// There is no OIDC token.
    #[error("there is no OIDC token: the variable `{}` is not set", .0.escape_debug())]
    Token(String),
    /// The services cannot be used.
    #[error("{0}")]
    Keyless(KeylessError),
    /// The trusted root is malformed.
    #[error("the trusted root cannot be read: {0}")]
    TrustedRoot(serde_json::Error),
    /// The key is another one than the planned one.
    #[error(
        "the key in {place} is {found}, but the plan or `public_key` says {wanted}",
        found = found.short(12),
        wanted = wanted.short(12)
    )]
    OtherKey {
        /// The place of the key.
        place: String,
        /// The digest of the planned public key.
        wanted: Digest,
        /// The digest of the key's public key.
        found: Digest,
    },
}

/// The file of a predicate cannot be attested.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be attested: {problem}", path.escape_debug())]
pub struct PredicateError {
    /// The path, as it was written.
    pub path: String,
    /// The cause.
    #[source]
    pub(super) problem: PredicateProblem,
}

/// The problem with the file of a predicate.
#[derive(Debug, thiserror::Error)]
pub(super) enum PredicateProblem {
    /// The file is outside of the project.
    #[error("{0}")]
    Outside(OutsideFile),
    /// The file cannot be read.
    #[error("{0}")]
    File(io::Error),
    /// The file is not JSON.
    #[error("it is not JSON: {0}")]
    Json(serde_json::Error),
    /// The file is no SBOM.
    #[error("it is neither SPDX nor CycloneDX")]
    Sbom,
    /// The file is not the planned one.
    #[error("it changed since the plan was made")]
    Changed,
}

impl ToDiagnostic for PredicateError {
    fn to_diagnostic(&self) -> Diagnostic {
        let diagnostic = |code: Code, help: &str| Diagnostic::error(code, self.to_string()).help(help);
        match &self.problem {
            PredicateProblem::Outside(outside) => outside.to_diagnostic(),
            PredicateProblem::File(_) => diagnostic(
                Code::SigningPredicate,
                "check the path, which starts at the folder of `publish.toml`, and that an earlier step wrote the file",
            ),
            PredicateProblem::Json(_) => diagnostic(
                Code::SigningPredicate,
                "write it as JSON: `syft -o spdx-json=FILE` or `-o cyclonedx-json=FILE`",
            ),
            PredicateProblem::Sbom => diagnostic(
                Code::SigningPredicate,
                "give an SBOM; or declare another file with its type: `predicates = [{ file = \"FILE\", type = \"https://…\" }]`",
            ),
            PredicateProblem::Changed => {
                diagnostic(Code::PlanStale, "make the plan again and approve the new one")
            }
        }
    }
}

impl ToDiagnostic for SignerError {
    fn to_diagnostic(&self) -> Diagnostic {
        let diagnostic = |help: String| Diagnostic::error(Code::SigningKey, self.to_string()).help(help);
        match &self.problem {
            KeyProblem::Outside(outside) => {
                outside.to_diagnostic().about(format_args!("`[{}]`", self.table))
            }
            KeyProblem::File { .. } | KeyProblem::NoPlace => diagnostic(
                "check the path, which starts at the folder of `publish.toml`; to plan without the private key, set `public_key`"
                    .to_owned(),
            ),
            KeyProblem::Variable(variable) => diagnostic(format!(
                "set `{}` to the text of the key; to plan without the private key, set `public_key`",
                variable.escape_debug()
            )),
            KeyProblem::Key { password: Some(variable), .. } => {
                diagnostic(format!("set `{}` to the password of the key", variable.escape_debug()))
            }
            KeyProblem::Key { .. } => diagnostic(
                "make one with `cosign generate-key-pair`, or with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`"
                    .to_owned(),
            ),
            KeyProblem::Token(variable) => diagnostic(format!(
                "in GitHub Actions, give the job `permissions: id-token: write`; in GitLab, declare `id_tokens` with `{}`",
                variable.escape_debug()
            )),
            KeyProblem::Program(_) => diagnostic(
                "name a file of the project with a `/`, as in `run = [\"./sign\"]`, or a program in `PATH`".to_owned(),
            ),
            KeyProblem::Keyless(_) => diagnostic("run the same command again".to_owned()),
            KeyProblem::TrustedRoot(_) => {
                diagnostic("use the `trusted_root.json` of the Sigstore instance".to_owned())
            }
            KeyProblem::OtherKey { .. } => {
                diagnostic("use the key that the plan was made with, or make the plan again".to_owned())
            }
        }
    }
}
