//! `completions`: a script that asks the program itself at each TAB, so that it completes the names of this `publish.toml`.

use clap::{Args, ValueEnum};
use clap_complete::env::{CompleteEnv, Shells};

use super::exit::{DONE, Exit, FAILED};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::Output;

/// The variable that makes the program print completions instead of running.
const VARIABLE: &str = "_BROKKR_PUBLISH_COMPLETE";

/// Print a shell's completions
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    shell: CompletedShell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompletedShell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub(super) fn run(output: &Output, arguments: &CompletionsArguments) -> Exit {
    let shell = arguments.shell.to_possible_value();
    let shell = shell.as_ref().map_or("bash", |value| value.get_name());
    let mut script = Vec::new();
    let failed = |error: String| vec![Diagnostic::error(Code::CommandUsage, error)];
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or_else(|| failed(format!("no completions for `{shell}`")))?;
    completer
        .write_registration(VARIABLE, "brokkr_publish", "brokkr-publish", "brokkr-publish", &mut script)
        .map_err(|error| failed(error.to_string()))?;
    let script = String::from_utf8_lossy(&script);
    let script = if shell == "bash" { with_whole_words(&script) } else { script.into_owned() };
    output.out(&script);
    Ok(DONE)
}

/// Returns a script for bash that completes words with `:` and `@` in them, such as codes and addresses. Bash cuts words there, so the
/// script takes them from the line, and removes from each completion the part that bash keeps. In a line with quotes it does not.
fn with_whole_words(script: &str) -> String {
    const CALL: &str = "    COMPREPLY=( $( ";
    const END: &str = "    if [[ $? != 0 ]]; then";
    const WORDS: &str = "    local kept=
    if [[ $COMP_LINE != *[\\\"\\'\\\\]* ]]; then
        IFS=$' \\t' read -ra words <<< \"${COMP_LINE:0:COMP_POINT}\"
        if [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]]; then words+=(\"\"); fi
        _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1))
        kept=${words[_CLAP_COMPLETE_INDEX]%\"$2\"}
    fi
";
    const TRIM: &str = "    local status=$?
    COMPREPLY=(\"${COMPREPLY[@]#\"$kept\"}\")
    if [[ $status != 0 ]]; then";
    script.replacen(CALL, &format!("{WORDS}{CALL}"), 1).replacen(END, TRIM, 1)
}

/// Prints completions of the command that `tree` returns, if a script of `completions` asks for them. Returns the exit code then.
pub(super) fn answer(tree: fn() -> clap::Command) -> Option<u8> {
    let here = std::env::current_dir().ok();
    let completed =
        CompleteEnv::with_factory(tree).var(VARIABLE).try_complete(std::env::args_os(), here.as_deref());
    match completed {
        Ok(false) => None,
        Ok(true) => Some(DONE),
        Err(_) => Some(FAILED),
    }
}
