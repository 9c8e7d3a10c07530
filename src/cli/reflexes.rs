//! Names of other programs that people type: single-dash options of Terraform are understood, and other names get the right one. A
//! tip is never a guess: a similar name is only suggested if it differs in a letter or two.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Subcommands of other programs, and what does the same here.
pub(super) const SUBCOMMANDS: [(&[&str], &str); 23] = [
    (&["validate", "config", "vet"], "`brokkr-publish lint` checks publish.toml"),
    (
        &["push", "publish", "release", "deploy", "run", "up"],
        "`brokkr-publish apply` publishes, after it shows the plan",
    ),
    (&["version"], "`brokkr-publish --version` prints the version"),
    (&["format"], "`brokkr-publish fmt` formats publish.toml"),
    (&["diff", "preview", "dry-run"], "`brokkr-publish plan` shows what apply would change"),
    (
        &["destroy", "delete", "rm", "remove", "untag"],
        "`brokkr-publish prune` removes the tags that `[retention]` selects; nothing else is ever removed",
    ),
    (&["gc", "cleanup", "clean"], "`brokkr-publish prune` removes the tags that `[retention]` selects"),
    (&["log-in", "signin"], "`brokkr-publish login REGISTRY` logs in"),
    (&["log-out", "signout"], "`brokkr-publish logout REGISTRY` logs out"),
    (
        &["whoami", "auth-check", "permissions"],
        "`brokkr-publish auth check` shows what the credentials may do",
    ),
    (&["refresh", "drift", "status"], "`brokkr-publish verify` compares what is published with the rules"),
    (
        &["state", "import", "taint", "untaint", "force-unlock"],
        "there is no state: the registry is the state; `brokkr-publish plan` reads it",
    ),
    (
        &["output"],
        "`brokkr-publish tags` prints the tags, and `brokkr-publish show RECORD --format digests` what to deploy",
    ),
    (&["workspace", "env"], "`--profile NAME` selects a profile: `[profile.NAME]`"),
    (
        &["ls", "versions", "catalog"],
        "`brokkr-publish list` lists what is published, and `brokkr-publish tags` what this context publishes",
    ),
    (&["inspect", "get"], "`brokkr-publish show FILE` shows a saved plan or a record"),
    (&["undo", "revert"], "`brokkr-publish rollback RECORD` puts the tags back"),
    (
        &["copy", "cp", "sync", "mirror", "promote"],
        "declare the image with `source = \"docker://…\"`; `brokkr-publish apply` copies it",
    ),
    (&["tag", "retag"], "`[tags.NAME]` in publish.toml declares tags; `brokkr-publish tags` prints them"),
    (
        &["build", "bake"],
        "nothing is built here: name the result of your builder as `source`; `brokkr-publish apply` publishes it",
    ),
    (
        &["sign", "attest"],
        "`sign` and `attest` of an image in publish.toml name signers; `brokkr-publish apply` signs",
    ),
    (&["completion", "autocomplete"], "`brokkr-publish completions SHELL` prints the completions"),
    (&["graph", "console", "providers", "test", "get-url"], "`brokkr-publish --help` lists the commands"),
];

/// Options of other programs, and what does the same here.
pub(super) const OPTIONS: [(&[&str], &str); 21] = [
    (
        &["dry-run", "check", "simulate", "whatif"],
        "`brokkr-publish plan` shows what would change, and changes nothing",
    ),
    (&["yes", "y", "assume-yes", "non-interactive", "confirm"], "`--auto-approve` applies without asking"),
    (
        &["force", "overwrite"],
        "a tag moves if its rule says so: `mutability` in `[tags.NAME]`; `--auto-approve` only skips the question",
    ),
    (
        &["tag", "t", "git-tag"],
        "`--ref refs/tags/v1.2.3` names the git tag that is published; `--target images.NAME:TAG` limits the command to a tag",
    ),
    (
        &["reference", "git-ref"],
        "`--ref refs/tags/v1.2.3` or `--ref refs/heads/main` names what is published",
    ),
    (&["branch", "b"], "`--ref refs/heads/main` names the branch that is published"),
    (&["commit", "revision"], "`--sha SHA` names the commit"),
    (&["pull-request"], "`--pr NUMBER` names the pull request"),
    (&["image", "chart", "only", "name"], "`--target images.NAME` limits the command to an image"),
    (
        &["registry", "repository", "repo"],
        "`--target images.NAME@REGISTRY` limits the command to a registry; `--set registries.NAME.url=…` changes its address",
    ),
    (&["file"], "`--config FILE` names the configuration"),
    (&["chdir", "C"], "`--config DIR/publish.toml` names the configuration; its paths start at its folder"),
    (
        &["var", "var-file"],
        "`--set vars.NAME=VALUE` sets a variable; a profile sets several: `--profile NAME`",
    ),
    (&["no-color"], "`--color never` turns colours off"),
    (
        &[
            "input",
            "lock",
            "lock-timeout",
            "refresh",
            "refresh-only",
            "compact-warnings",
            "upgrade",
            "reconfigure",
        ],
        "leave it out: nothing here needs it; without a terminal nothing is asked",
    ),
    (&["destroy"], "`brokkr-publish prune` removes the tags that `[retention]` selects"),
    (&["output"], "`--out FILE` saves the plan, and `--format FORMAT` chooses the format of a report"),
    (&["concurrency", "jobs", "j"], "`--parallelism N` sets how many blobs are under way at once"),
    (&["debug", "trace", "log-level"], "`-vv` shows the requests"),
    (
        &["username", "password", "token", "u", "p"],
        "`brokkr-publish login REGISTRY` keeps credentials, and `auth` in `[registries.NAME]` names variables that hold them",
    ),
    (&["insecure", "tls-verify", "plain-http"], "`insecure = true` in `[registries.NAME]` allows plain HTTP"),
];

/// Returns the arguments with the options that have one dash too few: `-auto-approve`, `-out=FILE`. Only exact names of options of this
/// program count, so that a bundle of short options stays one.
pub(super) fn understood(
    arguments: impl Iterator<Item = OsString>,
    command: &clap::Command,
) -> Vec<OsString> {
    let mut known = BTreeSet::new();
    long_options(command, &mut known);
    let mut ended = false;
    let understood = |argument: OsString| {
        ended |= argument == "--";
        let Some(text) = argument.to_str().filter(|_| !ended) else { return argument };
        let name = text.strip_prefix('-').filter(|rest| !rest.starts_with('-')).unwrap_or_default();
        let name = name.split('=').next().unwrap_or_default();
        if name.len() > 1 && known.contains(name) { OsString::from(format!("-{text}")) } else { argument }
    };
    arguments.map(understood).collect()
}

/// Adds the long options of a command and of all below it.
pub(super) fn long_options(command: &clap::Command, known: &mut BTreeSet<String>) {
    known.extend(command.get_arguments().filter_map(|it| it.get_long()).map(str::to_owned));
    known.extend(["help".to_owned(), "version".to_owned()]);
    command.get_subcommands().for_each(|it| long_options(it, known));
}

/// Returns a usage error with the right tip, or without one.
pub(super) fn advised(
    mut error: clap::Error,
    arguments: &[OsString],
    command: &mut clap::Command,
) -> clap::Error {
    let kind = match error.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidValue => {
            let given = text_of(error.get(ContextKind::InvalidValue));
            keep_near(&mut error, ContextKind::SuggestedValue, &given);
            return error;
        }
        _ => return error,
    };
    let mut given = text_of(error.get(kind));
    // clap names only the first letter of `-dry-run`.
    if let Some(whole) = arguments.iter().filter_map(|it| it.to_str()).find(|it| is_bundle_of(&given, it)) {
        whole.split('=').next().unwrap_or_default().clone_into(&mut given);
        error.insert(kind, ContextValue::String(given.clone()));
    }
    if let Some(tip) = tip(kind, &given, arguments) {
        for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg] {
            error.remove(kind);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
        usage_of(&mut error, arguments, command);
        return error;
    }
    // `to pass '--x' as a value, use '-- --x'`: nobody means that.
    error.remove(ContextKind::Suggested);
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg] {
        if keep_near(&mut error, kind, &given) {
            usage_of(&mut error, arguments, command);
        }
    }
    error
}

fn text_of(value: Option<&ContextValue>) -> String {
    match value {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// Whether `argument` is one word with one dash, of which clap reports only one letter as `short`.
fn is_bundle_of(short: &str, argument: &str) -> bool {
    let letter = short.strip_prefix('-').filter(|letter| letter.chars().count() == 1);
    let word = argument.strip_prefix('-').filter(|word| !word.starts_with('-') && word.chars().count() > 1);
    letter.zip(word).is_some_and(|(letter, word)| word.contains(letter))
}

/// Removes suggestions that are no likely typo. Returns whether it removed one.
fn keep_near(error: &mut clap::Error, kind: ContextKind, given: &str) -> bool {
    let suggested = match error.remove(kind) {
        Some(ContextValue::String(one)) => vec![one],
        Some(ContextValue::Strings(several)) => several,
        _ => return false,
    };
    let is_near = |it: &String| {
        let (it, given) = (it.trim_start_matches('-'), given.trim_start_matches('-'));
        let distance = strsim::damerau_levenshtein(it, given);
        distance <= (given.chars().count() / 3).max(1) || (given.len() >= 4 && it.contains(given))
    };
    let near: Vec<String> = suggested.iter().filter(|it| is_near(it)).cloned().collect();
    let removed = near.len() < suggested.len();
    if !near.is_empty() {
        error.insert(kind, ContextValue::Strings(near));
    }
    removed
}

/// Replaces the usage, which otherwise shows a suggestion that was removed.
fn usage_of(error: &mut clap::Error, arguments: &[OsString], command: &mut clap::Command) {
    command.build();
    let mut at: &clap::Command = command;
    for name in arguments.iter().skip(1) {
        if let Some(next) = at.find_subcommand(name) {
            at = next;
        }
    }
    let usage = at.clone().render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
}

/// The tip for something that this program does not have.
fn tip(kind: ContextKind, given: &str, arguments: &[OsString]) -> Option<String> {
    let find = |table: &[(&[&str], &str)], name: &str| {
        table.iter().find(|(names, _)| names.contains(&name)).map(|(_, tip)| (*tip).to_owned())
    };
    if kind == ContextKind::InvalidSubcommand {
        return find(&SUBCOMMANDS, given);
    }
    if let Some(name) = given.strip_prefix("--").or_else(|| given.strip_prefix('-')) {
        let name = name.split('=').next().unwrap_or_default();
        // These have `--format json` instead.
        let has_format =
            ["tags", "lint", "check"].iter().any(|it| arguments.iter().any(|argument| argument == it));
        if name == "json" && has_format {
            return Some("`--format json` prints JSON".to_owned());
        }
        return find(&OPTIONS, name);
    }
    positional(given)
}

/// The tip for an argument that a command does not take.
fn positional(given: &str) -> Option<String> {
    let is_resource = ["images.", "charts.", "artifacts."].iter().any(|it| given.starts_with(it));
    if std::path::Path::new(given).extension().is_some_and(|it| it == "toml") {
        Some(format!("`--config {given}` names the configuration"))
    } else if is_resource {
        Some(format!("`--target {given}` limits the command to it"))
    } else if given.starts_with("refs/") {
        Some(format!("`--ref {given}` names what is published"))
    } else {
        None
    }
}
