//! `fmt`.

use std::path::PathBuf;

use clap::Args;

use super::exit::{DONE, Exit, FAILED};
use super::options::Global;
use crate::report::output::OutputStream;
use crate::report::text_difference;
use crate::run;

/// Format publish.toml
///
/// Sets spaces, blank lines and the commas of lists, and changes nothing else: keys, values, comments and their order stay. Prints the
/// names of the files that it changed.
#[derive(Debug, Args)]
pub struct FmtArguments {
    /// The files [default: the configuration file]. `-` formats standard input to standard output.
    files: Vec<PathBuf>,
    /// Write nothing: print the difference, and exit with 1 if there is one.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(global: &Global, arguments: &FmtArguments) -> Exit {
    let files = run::format_files(&global.session()?, &arguments.files)?;
    let output = global.output();
    let changed = files.iter().any(run::FormattedFile::is_changed);
    for file in &files {
        if arguments.check {
            output.out(&text_difference(
                &file.name,
                &file.before,
                &file.after,
                global.style(OutputStream::Out),
            ));
        } else if file.is_input() {
            output.document(&file.after);
        } else if file.is_changed() {
            run::write_formatted(file)?;
            if !global.is_quiet() {
                output.out(&format!("{}\n", crate::report::one_line(&file.name)));
            }
        }
    }
    Ok(if arguments.check && changed { FAILED } else { DONE })
}
