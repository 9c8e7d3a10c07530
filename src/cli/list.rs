//! `list`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit, block_on};
use super::options::{Global, Network};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::OutputStream;
use crate::report::{catalogue, page};
use crate::run::{self, Run};

/// List what is published
///
/// Shows the tags, digests, platforms, sizes, dates, signatures and visibility of every declared image, chart and artifact in every
/// registry. Changes nothing.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// List every image of a repository, not only the ten newest.
    #[arg(long)]
    all: bool,
    /// Print the result as JSON.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: ListFormat,
    /// The folder that the pages are written to. Pages of an earlier list are replaced.
    #[arg(long, value_name = "FOLDER", required_if_eq("format", "html"))]
    out: Option<PathBuf>,
    /// Verify the signatures and attestations of each image, and list them.
    #[arg(long)]
    signatures: bool,
    /// Only these addresses: `images.NAME` or `images.NAME@REGISTRY`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
    #[command(flatten)]
    network: Network,
}

/// The forms of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// A table for people.
    #[default]
    Text,
    /// A JSON document.
    Json,
    /// Markdown, for a comment or a summary.
    Markdown,
    /// A site of static pages, in the folder of `--out`.
    Html,
}

/// The number of images of a repository that are listed without `--all`.
const NEWEST: usize = 10;

pub(super) fn run(global: &Global, arguments: &ListArguments) -> Exit {
    if arguments.format == ListFormat::Html && arguments.out.is_none() {
        let error = Diagnostic::error(Code::CommandUsage, "`--format html` needs `--out FOLDER`");
        return Err(vec![
            error.help("name the folder of the pages: `--out site`; it is made if it is not there"),
        ]);
    }
    let session = global.session()?;
    let run = Run::new(&session, arguments.network.parallelism, global.reporter(false))?;
    let most = (!arguments.all).then_some(NEWEST);
    let found = block_on(run.list(&arguments.target, most, arguments.signatures))??;
    match arguments.format {
        ListFormat::Html => {
            if let Some(folder) = &arguments.out {
                run::write_pages(&session, folder, &catalogue::site(&found))?;
            }
        }
        ListFormat::Markdown => {
            global.output().out(&page::markdown(&catalogue::page(&found, global.is_verbose())));
        }
        ListFormat::Json => global.output().out(&catalogue::json(&found)),
        ListFormat::Text if arguments.json => global.output().out(&catalogue::json(&found)),
        ListFormat::Text => {
            let style = global.style(OutputStream::Out);
            global.output().out(&catalogue::human(&found, global.is_verbose(), style));
        }
    }
    Ok(DONE)
}
