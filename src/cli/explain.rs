//! `explain`.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::candidates;
use super::exit::{DONE, Exit};
use super::options::Global;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::OutputStream;

/// Print the full explanation of a diagnostic
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The code, as an error shows it: `publish::tag::collision`. Without one, lists all codes.
    #[arg(add = ArgValueCandidates::new(candidates::codes))]
    code: Option<String>,
}

pub(super) fn run(global: &Global, arguments: &ExplainArguments) -> Exit {
    let Some(text) = &arguments.code else {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        global.output().out(&format!("{}\n", codes.join("\n")));
        return Ok(DONE);
    };
    let code = text.parse::<Code>().map_err(|error| {
        let near = |code: &&Code| strsim::damerau_levenshtein(short(code.as_str()), short(text)) <= 3;
        let meant = Code::ALL
            .iter()
            .filter(near)
            .min_by_key(|code| strsim::damerau_levenshtein(short(code.as_str()), short(text)));
        let meant = meant.map(|code| format!("did you mean `{}`? ", code.as_str())).unwrap_or_default();
        vec![
            Diagnostic::error(Code::CommandUsage, error)
                .help(format!("{meant}`brokkr-publish explain` lists the codes")),
        ]
    })?;
    global.output().out(&global.style(OutputStream::Out).plain(code.page()));
    Ok(DONE)
}

/// Returns a code without the part that all have.
fn short(code: &str) -> &str {
    code.strip_prefix("publish::").unwrap_or(code)
}
