//! `package`.

use std::path::PathBuf;

use clap::Args;

use super::exit::{DONE, Exit, FAILED, block_on};
use super::options::{Global, Network, Simulation};
use crate::diagnostic::Diagnostic;
use crate::report::output::OutputStream;
use crate::report::{diagnostics, packaged};
use crate::run::Run;

/// Write the files that apply would publish: charts as .tgz, images and artifacts as OCI archives
///
/// For the files of a release page, or to look at them first. Publishes nothing.
#[derive(Debug, Args)]
pub struct PackageArguments {
    /// The folder to write to; it is made if it does not exist.
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    destination: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Package what is in the work tree, even if it is not the commit that is published.
    #[arg(long)]
    allow_dirty: bool,
    /// Only these addresses: `charts.NAME`, `images.NAME`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    simulation: Simulation,
}

pub(super) fn run(global: &Global, arguments: &PackageArguments) -> Exit {
    let mut session = global.session_in(Some(&arguments.simulation))?;
    session.flags.allow_dirty = arguments.allow_dirty;
    let folder = session.working_folder.join(&arguments.destination);
    let mut run = Run::new(&session, arguments.network.parallelism, global.reporter(false))?;
    let package = block_on(async { run.package(&arguments.target, &folder, &arguments.destination) })??;
    global.output().err(&diagnostics::human(&package.diagnostics, global.style(OutputStream::Err)));
    if arguments.json {
        global.output().out(&packaged::json(&package.files));
    } else if !global.is_quiet() {
        global.output().out(&packaged::human(&package.files, global.style(OutputStream::Out)));
    }
    Ok(if package.diagnostics.iter().any(Diagnostic::is_error) { FAILED } else { DONE })
}
