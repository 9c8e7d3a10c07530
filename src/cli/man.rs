//! `man`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{DONE, Exit};
use super::teaching;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::output::Output;

/// Print the manual page
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The subcommand, such as `plan` or `auth check`; without one, the page of the whole program.
    command: Vec<String>,

    /// Write the page of the program and of every subcommand to this folder instead, for packages.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(super) fn run(output: &Output, arguments: &ManArguments, mut whole: clap::Command) -> Exit {
    whole.build();
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
        for (title, command) in pages("brokkr-publish", &whole) {
            let path = folder.join(format!("{title}.1"));
            fs::write(&path, page(title, command)?).map_err(|error| not_written(&path, &error))?;
        }
        return Ok(DONE);
    }
    let title = ["brokkr-publish"].into_iter().chain(arguments.command.iter().map(String::as_str));
    let title = title.collect::<Vec<_>>().join("-");
    let mut command = &whole;
    for name in &arguments.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            vec![Diagnostic::error(Code::CommandUsage, format!("`{name}` is not a command"))]
        })?;
    }
    output.out(&String::from_utf8_lossy(&page(title, command)?));
    Ok(DONE)
}

/// The title and the command of each page: the program, and its subcommands at all levels.
fn pages<'a>(title: &str, command: &'a clap::Command) -> Vec<(String, &'a clap::Command)> {
    let shown = command.get_subcommands().filter(|it| it.get_name() != "help" && !it.is_hide_set());
    let below = shown.flat_map(|it| pages(&format!("{title}-{}", it.get_name()), it));
    [(title.to_owned(), command)].into_iter().chain(below).collect()
}

fn page(title: String, command: &clap::Command) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let mut page = Vec::new();
    let lesson = teaching::sections(
        title.trim_start_matches("brokkr-publish").trim_start_matches('-').replace('-', " ").as_str(),
    );
    // The help that teaches has sections of its own here.
    let command = command.clone().after_long_help("");
    let has_subcommands = command.get_subcommands().next().is_some();
    let manual = clap_mangen::Man::new(command).title(title);
    let mut render = || {
        manual.render_title(&mut page)?;
        manual.render_name_section(&mut page)?;
        manual.render_synopsis_section(&mut page)?;
        manual.render_description_section(&mut page)?;
        manual.render_options_section(&mut page)?;
        if has_subcommands {
            manual.render_subcommands_section(&mut page)?;
        }
        page.write_all(lesson.as_bytes())?;
        manual.render_version_section(&mut page)
    };
    render().map_err(|error: std::io::Error| {
        vec![Diagnostic::error(Code::CommandUsage, format!("the manual page cannot be rendered: {error}"))]
    })?;
    Ok(page)
}

fn not_written(path: &Path, error: &std::io::Error) -> Vec<Diagnostic> {
    vec![Diagnostic::error(Code::CommandUsage, format!("cannot write `{}`: {error}", path.display()))]
}
