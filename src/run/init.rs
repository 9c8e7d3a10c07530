//! Writing a first `publish.toml`: git lists the files, `init` makes the text, and the file is written if it does not exist.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::session::{Result, Session};
use crate::context::{self, Context, Needs};
use crate::diagnostic::{Code, Diagnostic};
use crate::init::{self, GitFacts, InitAnswers, LeftOutFile, ProjectSurvey, Proposal};

/// The name of the file, unless `--config` names another.
const FILE_NAME: &str = "publish.toml";

/// The files that git lists (gitglossary(7), "pathspec"). `init::is_candidate` selects from them.
const PATTERNS: [&str; 18] = [
    "*Dockerfile*",
    "*dockerfile*",
    "*Containerfile*",
    "*containerfile*",
    "*Chart.yaml",
    ".github/*.yml",
    ".github/*.yaml",
    ".gitea/*.y*ml",
    ".forgejo/*.y*ml",
    "*.gitlab-ci.y*ml",
    "*goreleaser.y*ml",
    "*regsync*.y*ml",
    "*docker-bake*",
    "*compose*.y*ml",
    "*.sh",
    "*Makefile",
    "*action.y*ml",
    "package.json",
];

/// The most git tags that are looked at.
const MAX_TAGS: usize = 200;
/// The most rules that are left out because they are wrong.
const MAX_REMOVED: usize = 20;

/// The branches that are taken for the default branch if nothing says which one it is.
const USUAL_BRANCHES: [&str; 4] = ["main", "master", "trunk", "develop"];

/// Returns the file that [`write_first`] writes, as it is called from the working directory.
fn place(session: &Session) -> PathBuf {
    session.config.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME))
}

/// Returns a first configuration for what is in the folder of the file. Writes nothing and does not use the network.
///
/// # Errors
///
/// If the folder does not exist, or the file of `--from` cannot be read or makes no tags.
pub fn first_configuration(session: &Session, answers: &InitAnswers) -> Result<Proposal> {
    let file = session.working_folder.join(place(session));
    let folder: PathBuf = file.parent().unwrap_or(&session.working_folder).components().collect();
    if !folder.is_dir() {
        let message = format!("there is no folder `{}`", folder.display());
        return Err(vec![
            Diagnostic::error(Code::ConfigFile, message)
                .help("create it, or name another file with `--config FILE`"),
        ]);
    }
    let mut survey = init::survey(&folder, surroundings(session, &folder));
    let mut answers = answers.clone();
    if let Some(from) = &mut answers.from {
        let text = std::fs::read_to_string(session.working_folder.join(&from)).map_err(|error| {
            vec![
                Diagnostic::error(Code::ConfigFile, format!("`{from}` cannot be read: {error}"))
                    .help("name a workflow with steps of docker/metadata-action"),
            ]
        })?;
        *from = from.trim_start_matches("./").to_owned();
        survey.texts.insert(from.clone(), text);
    }
    let proposal = checked(&folder, &survey, &answers);
    match answers.from {
        Some(from) if proposal.rules.is_empty() => Err(vec![
            Diagnostic::error(
                Code::ConfigFile,
                format!("`{from}` has no step of docker/metadata-action whose tags are understood"),
            )
            .help("`brokkr-publish init` without `--from` reads everything else that publishes"),
        ]),
        _ => Ok(proposal),
    }
}

/// The proposal. A rule that `lint` would refuse is left out and reported: a workflow that was misunderstood must not give a file
/// that is wrong.
fn checked(folder: &Path, survey: &ProjectSurvey, answers: &InitAnswers) -> Proposal {
    let mut without: Vec<LeftOutFile> = Vec::new();
    for _ in 0..MAX_REMOVED {
        let proposal = init::propose_without(survey, answers, &without);
        if proposal.rules.is_empty() {
            return proposal;
        }
        let wrong = super::lint::lint_text(&folder.join(FILE_NAME), &proposal.text);
        // Problems of a chart are not problems of a rule.
        let of_chart = [Code::SourceChart, Code::SourceChartDependencies, Code::SourceChartImage];
        let Some(first) = wrong.into_iter().find(|it| !of_chart.contains(&it.code)) else { return proposal };
        let is_named = |name: &str| {
            first.message.contains(&format!("`{name}`")) || first.message.contains(&format!("tags.{name}"))
        };
        let named = proposal.rules.iter().rev().map(|(name, _)| name).find(|name| is_named(name));
        // A message that names no rule is about the part that its place shows.
        let Some(name) = named.or_else(|| proposal.rules.last().map(|(name, _)| name)) else { break };
        without.push(LeftOutFile { file: format!("tags.{name}"), why: first.message.clone() });
    }
    let mut plain = init::propose_plain(survey, answers);
    plain.left_out.extend(without);
    plain
}

fn surroundings(session: &Session, folder: &Path) -> GitFacts {
    let files = context::files(folder, &PATTERNS);
    let files = files.map(|files| files.into_iter().filter(|file| init::is_candidate(file)).collect());
    // CI variables that make no sense are no reason to write nothing.
    let context = Context::discover(folder, &session.environment, &session.flags, &Needs::default()).ok();
    let branch = context.as_ref().and_then(|context| {
        let usual = context.branch.clone().filter(|branch| USUAL_BRANCHES.contains(&branch.as_str()));
        context.default_branch.clone().or(usual)
    });
    let tags = context::newest_tags(folder, MAX_TAGS);
    GitFacts { files, remote: context.and_then(|context| context.remote), branch, tags }
}

/// Writes `proposal` to the configuration file, which must not exist yet. Returns the file, as it is called from the working
/// directory.
///
/// # Errors
///
/// If the file already exists or cannot be written.
pub fn write_first(session: &Session, proposal: &Proposal) -> Result<PathBuf> {
    let shown = place(session);
    let path = session.working_folder.join(&shown);
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = written.and_then(|mut file| {
        file.write_all(proposal.text.as_bytes())?;
        file.sync_all()
    });
    let name = shown.display();
    written.map_err(|error| {
        vec![match error.kind() {
            ErrorKind::AlreadyExists => {
                Diagnostic::error(Code::ConfigFile, format!("`{name}` already exists and is not overwritten"))
                    .help("`init --stdout` prints what would be written; `--config FILE` names another file")
            }
            _ => Diagnostic::error(Code::ConfigFile, format!("`{name}` cannot be written: {error}"))
                .help("`init --stdout` prints what would be written; `--config FILE` names another file"),
        }]
    })?;
    Ok(shown)
}
