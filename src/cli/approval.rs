//! `approve`.

use std::path::PathBuf;

use clap::Args;

use super::exit::{DONE, Exit};
use super::options::Global;
use crate::report::output::OutputStream;
use crate::report::{self, diagnostics};
use crate::run::{self, ApprovalKey};

/// Approve a saved plan: sign its digest
///
/// Prints the plan, and writes the approval beside it. `apply` requires approvals if `[apply] require_approval` says so.
#[derive(Debug, Args)]
pub struct ApproveArguments {
    /// The file that `plan --out` wrote.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The file of your private key.
    #[arg(long, value_name = "FILE", required_unless_present = "key_env")]
    key: Option<PathBuf>,
    /// The environment variable that holds your private key.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "key")]
    key_env: Option<String>,
    /// The environment variable that holds the password of an encrypted key.
    #[arg(long, value_name = "VARIABLE", default_value = "COSIGN_PASSWORD")]
    password_env: String,
    /// Write the approval to this file, instead of one beside the plan.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(global: &Global, arguments: &ApproveArguments) -> Exit {
    let key = ApprovalKey {
        file: arguments.key.clone(),
        env: arguments.key_env.clone(),
        password_env: arguments.password_env.clone(),
    };
    let (plan, digest, path) =
        run::approve(&global.session()?, &arguments.plan, &key, arguments.out.as_deref())?;
    if !global.is_quiet() {
        let style = global.style(OutputStream::Out);
        global.output().out(&report::plan::human(&plan, global.is_verbose(), style));
        let path = report::one_line(&path.display().to_string());
        global.output().out(&format!("\nApproved: {digest}, in {path}\n"));
    }
    global.output().err(&diagnostics::planned_warnings(&plan, global.style(OutputStream::Err)));
    Ok(DONE)
}
