//! `show`.

use std::path::PathBuf;

use clap::Args;

use super::{DONE, Exit, Global, plan};
use crate::engine;
use crate::report::output::Stream;

/// Show a saved plan
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file that `plan --out` wrote.
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Exit {
    let saved = engine::load_plan(&arguments.file)?;
    Stream::Out.write(&plan::text(global, &saved, arguments.json));
    Ok(DONE)
}
