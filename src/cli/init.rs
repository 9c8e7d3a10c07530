//! `init`.

use clap::Args;

use super::exit::{DONE, Exit};
use super::options::Global;
use crate::init::InitAnswers;
use crate::report::output::OutputStream;
use crate::report::proposal;
use crate::run;

/// Write a first publish.toml from the repository: Dockerfiles, charts, the git remote
///
/// Writes it to the working directory, or to the file that `--config` names, and never overwrites a file. Asks no questions and
/// uses no network.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Print it to standard output instead of writing a file.
    #[arg(long)]
    stdout: bool,
}

pub(super) fn run(global: &Global, arguments: &InitArguments) -> Exit {
    let session = global.session()?;
    let first = run::first_configuration(&session, &InitAnswers::default())?;
    let written = if arguments.stdout {
        global.output().out(&first.text);
        None
    } else {
        Some(run::write_first(&session, &first)?)
    };
    if !global.is_quiet() {
        let resources: Vec<(String, &str)> =
            first.resources.iter().map(|(id, file)| (id.to_string(), file.as_str())).collect();
        let rules: Vec<(String, &str)> =
            first.rules.iter().map(|(name, from)| (format!("tags.{name}"), from.as_str())).collect();
        let resources: Vec<(String, &str)> = resources.into_iter().chain(rules).collect();
        let left_out: Vec<(&str, &str)> =
            first.left_out.iter().map(|it| (it.file.as_str(), it.why.as_str())).collect();
        let next = written.as_deref().map(|file| first.next(file));
        let written = written.as_deref().zip(next.as_ref());
        let text = proposal::human(
            &resources,
            &left_out,
            &first.registry,
            written.map(|(file, next)| (file.display(), next.as_slice())),
            global.style(OutputStream::Err),
        );
        global.output().err(&text);
    }
    Ok(DONE)
}
