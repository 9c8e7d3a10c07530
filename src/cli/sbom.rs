//! `sbom`.

use clap::Args;

use super::exit::{DONE, Exit, block_on};
use super::options::{Global, Network};
use crate::report;
use crate::run::Run;

/// Print the signed SBOM of a published image, chart or artifact
///
/// Verifies the attestation with the signers that `sign` declares, and prints the SBOM as it was attested.
#[derive(Debug, Args)]
pub struct SbomArguments {
    /// The tag: `images.NAME:TAG` or `images.NAME@REGISTRY:TAG`.
    #[arg(value_name = "ADDRESS")]
    address: String,
    #[command(flatten)]
    network: Network,
}

pub(super) fn run(global: &Global, arguments: &SbomArguments) -> Exit {
    let session = global.session()?;
    let run = Run::new(&session, arguments.network.parallelism, global.reporter(false))?;
    let sbom = block_on(run.sbom(&arguments.address))??;
    global.output().out(&report::json_text(&format!("{sbom:#}\n")));
    Ok(DONE)
}
