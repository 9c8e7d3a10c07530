//! `approve`.

use std::path::PathBuf;

use clap::Args;

use super::exit::{DONE, Exit, block_on};
use super::options::Global;
use crate::report::output::OutputStream;
use crate::report::{self, diagnostics};
use crate::run::{self, NamedApprover};

/// Approve a saved plan: sign its digest
///
/// Prints the plan, and writes the approval beside it. `apply` requires approvals if `[apply] require_approval` says so.
#[derive(Debug, Args)]
pub struct ApproveArguments {
    /// The file that `plan --out` or `plan --bundle` wrote.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The file of your private key.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["key_env", "keyless"])]
    key: Option<PathBuf>,
    /// The environment variable that holds your private key.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "key")]
    key_env: Option<String>,
    /// The environment variable that holds the password of an encrypted key.
    #[arg(long, value_name = "VARIABLE", default_value = "COSIGN_PASSWORD")]
    password_env: String,
    /// Approve without a key, as the identity that an OIDC token shows.
    #[arg(long, conflicts_with_all = ["key", "key_env"])]
    keyless: bool,
    /// The environment variable that holds the token. Without it, GitHub Actions or the variable `SIGSTORE_ID_TOKEN` gives it.
    #[arg(long, value_name = "VARIABLE", requires = "keyless")]
    token_env: Option<String>,
    /// The address of Fulcio, unless it is that of Sigstore's public instance.
    #[arg(long, value_name = "URL", requires = "keyless")]
    fulcio: Option<String>,
    /// The address of Rekor, unless it is that of Sigstore's public instance.
    #[arg(long, value_name = "URL", requires = "keyless")]
    rekor: Option<String>,
    /// Write the approval to this file, instead of one beside the plan.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(global: &Global, arguments: &ApproveArguments) -> Exit {
    let approver = if arguments.keyless {
        NamedApprover::Keyless {
            token_env: arguments.token_env.clone(),
            fulcio: arguments.fulcio.clone(),
            rekor: arguments.rekor.clone(),
        }
    } else {
        NamedApprover::Key {
            file: arguments.key.clone(),
            env: arguments.key_env.clone(),
            password_env: arguments.password_env.clone(),
        }
    };
    let session = global.session()?;
    let (plan, digest, path) =
        block_on(run::approve(&session, &arguments.plan, &approver, arguments.out.as_deref()))??;
    if !global.is_quiet() {
        let style = global.style(OutputStream::Out);
        global.output().out(&report::plan::human(&plan, global.is_verbose(), style));
        let path = report::one_line(&path.display().to_string());
        global.output().out(&format!("\nApproved: {digest}, in {path}\n"));
    }
    global.output().err(&diagnostics::planned_warnings(&plan, global.style(OutputStream::Err)));
    Ok(DONE)
}
