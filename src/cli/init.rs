//! `init`.

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit};
use super::options::Global;
use crate::init::{InitAnswers, Proposal, is_registry};
use crate::report::output::{self, OutputStream};
use crate::report::proposal;
use crate::run;

/// Write a first publish.toml from the repository: its git tags, workflows, Dockerfiles, charts and remote
///
/// Reads what the repository publishes today: workflows of GitHub and GitLab with docker/metadata-action, docker/build-push-action and
/// scripts, .goreleaser.yml, regsync.yml, bake and compose files, Makefiles and shell scripts. Reports the line that each part comes
/// from, and everything that it cannot carry over.
///
/// Writes to the working directory, or to the file that `--config` names, and never overwrites a file. Uses no network. On a terminal it
/// asks; otherwise, or with an option for each answer, it asks nothing.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Print it to standard output instead of writing a file.
    #[arg(long)]
    stdout: bool,
    /// Read only this kind of file, which FILE names: `--from metadata-action .github/workflows/release.yml`.
    #[arg(long, value_enum, value_name = "KIND", requires = "file")]
    from: Option<InitSource>,
    /// The file for `--from`.
    #[arg(value_name = "FILE", requires = "from")]
    file: Option<String>,
    /// The registry, if the repository does not name one: `ghcr.io/acme`.
    #[arg(long, value_name = "URL", value_parser = registry)]
    registry: Option<String>,
    /// The prefix of git tags that mark a release: `v`, or an empty text.
    #[arg(long, value_name = "PREFIX")]
    tag_prefix: Option<String>,
    /// The users that may pull: public, private or internal.
    #[arg(long, value_name = "WHO", value_parser = ["public", "private", "internal"])]
    visibility: Option<String>,
    /// The name of the project, if it is not that of the remote.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ask nothing, even on a terminal.
    #[arg(long)]
    yes: bool,
}

/// The kinds of files that `--from` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InitSource {
    /// A workflow with steps of docker/metadata-action.
    MetadataAction,
}

fn registry(text: &str) -> Result<String, String> {
    let why = "it is not `HOST/NAMESPACE` in lower case, nor `oci:DIR`";
    if is_registry(text) { Ok(text.to_owned()) } else { Err(why.to_owned()) }
}

/// Asks one question on the terminal. An empty answer keeps `default`.
fn ask(global: &Global, question: &str, default: &str) -> String {
    let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    let answer = global.output().ask(&format!("{question}{shown}: ")).unwrap_or_default();
    let answer = answer.trim();
    if answer.is_empty() { default.to_owned() } else { answer.to_owned() }
}

/// Asks for what no option says, with what was found as the default.
fn questions(global: &Global, first: &Proposal, answers: &mut InitAnswers) {
    if answers.registry.is_none() && !first.registry.contains(", ") {
        let registry = ask(global, "Registry", &first.registry);
        if registry != first.registry && !is_registry(&registry) {
            global.output().err(&format!("`{registry}` is no registry; `{}` is used\n", first.registry));
        }
        answers.registry = Some(registry).filter(|it| *it != first.registry && is_registry(it));
    }
    if answers.tag_prefix.is_none() {
        let prefix = ask(global, "Prefix of git tags that mark a release", &first.tag_prefix);
        answers.tag_prefix = Some(prefix).filter(|it| *it != first.tag_prefix);
    }
    if answers.visibility.is_none() {
        let visibility =
            ask(global, "Visibility: public, private, internal, or nothing to leave it open", "");
        answers.visibility =
            Some(visibility).filter(|it| matches!(it.as_str(), "public" | "private" | "internal"));
    }
}

pub(super) fn run(global: &Global, arguments: &InitArguments) -> Exit {
    let session = global.session()?;
    let mut answers = InitAnswers {
        registry: arguments.registry.clone(),
        tag_prefix: arguments.tag_prefix.clone(),
        visibility: arguments.visibility.clone(),
        name: arguments.name.clone(),
        from: arguments.file.clone().filter(|_| arguments.from.is_some()),
    };
    let mut first = run::first_configuration(&session, &answers)?;
    let is_terminal = output::can_ask() && OutputStream::Err.is_terminal();
    if is_terminal && !arguments.yes && !arguments.stdout && !global.is_quiet() {
        questions(global, &first, &mut answers);
        first = run::first_configuration(&session, &answers)?;
    }
    let written = if arguments.stdout {
        global.output().out(&first.text);
        None
    } else {
        Some(run::write_first(&session, &first)?)
    };
    if !global.is_quiet() {
        let rules = first.rules.iter().map(|(name, from)| (format!("tags.{name}"), from.as_str()));
        let resources: Vec<(String, &str)> =
            first.resources.iter().map(|(id, file)| (id.to_string(), file.as_str())).chain(rules).collect();
        let left_out: Vec<(&str, &str)> =
            first.left_out.iter().map(|it| (it.file.as_str(), it.why.as_str())).collect();
        let next = written.as_deref().map(|file| first.next(file));
        let written = written.as_deref().zip(next.as_ref());
        let text = proposal::human(
            &resources,
            &first.assumed,
            &left_out,
            &first.registry,
            written.map(|(file, next)| (file.display(), next.as_slice())),
            global.style(OutputStream::Err),
        );
        global.output().err(&text);
    }
    Ok(DONE)
}
