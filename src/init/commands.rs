//! Commands of scripts that build, tag and push: docker, podman, buildah, skopeo, crane, regctl, ko, helm and cosign.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::makefile::{self, MakeCall, called as called_make};
use super::npm;
use super::publication::{BuildFacts, Origin, platforms};
use super::shell::{RunCommand, run_script};
use super::step_context::{GoreleaserRun, StepContext};
use super::symbolic::SymbolicText;

/// The builds of local names: their texts and facts.
type LocalBuilds = BTreeMap<String, (SymbolicText, BuildFacts)>;

/// How deep a script calls another.
const MAX_DEPTH: usize = 3;

/// Takes what `commands` publish.
pub(super) fn run_commands(commands: &[RunCommand], context: &mut StepContext<'_, '_>) {
    // The builds of local names, for a push that follows.
    let mut built: LocalBuilds = BTreeMap::new();
    for command in commands {
        let mut command = command.clone();
        let before = context.condition.clone();
        context.condition = before.clone().and(command.condition.clone().assuming());
        while command
            .words
            .first()
            .is_some_and(|it| matches!(it.known(), Some("sudo" | "time" | "exec" | "retry" | "env")))
        {
            command.words.remove(0);
        }
        one(&command, &mut built, context);
        context.condition = before;
    }
}

#[allow(clippy::too_many_lines, reason = "one arm for each program")]
fn one(command: &RunCommand, built: &mut LocalBuilds, context: &mut StepContext<'_, '_>) {
    let words = &command.words;
    let origin = Origin::new(context.file, command.line);
    let names: Vec<&str> = words.iter().map(|word| word.known().unwrap_or("\u{3}")).collect();
    let push = |text: &SymbolicText, context: &mut StepContext<'_, '_>, built: &LocalBuilds| {
        let build = built.get(&text.shown()).map(|(_, facts)| facts.clone()).unwrap_or_default();
        // `-t "a:1 b:2"` names one reference by mistake; docker reads the first.
        let first = text.split(char::is_whitespace).into_iter().next().unwrap_or_default();
        context.push_references(&first, &build, &Condition::Always, &origin);
    };
    match names.as_slice() {
        ["docker", "buildx", "bake", ..] | ["docker", "bake", ..] => bake(words, &origin, context),
        ["docker", "buildx", "imagetools", "create", ..] => {
            for tag in options(words, &["-t", "--tag"]) {
                push(&tag, context, built);
            }
        }
        ["docker" | "podman" | "nerdctl" | "buildah", rest @ ..] if is_build(rest) => {
            build(words, &origin, built, context);
        }
        ["docker" | "podman" | "nerdctl" | "buildah", "tag", ..] | ["docker", "image", "tag", ..] => {
            let named = arguments(words, if names.get(1) == Some(&"image") { 3 } else { 2 });
            if let [from, to, ..] = named.as_slice() {
                let facts = built.get(&from.shown()).map(|(_, facts)| facts.clone()).unwrap_or_default();
                built.insert(to.shown(), (to.clone(), facts));
            }
        }
        ["docker" | "podman" | "nerdctl" | "buildah", "push", ..] | ["docker", "image", "push", ..] => {
            let named = arguments(words, if names.get(1) == Some(&"image") { 3 } else { 2 });
            let all = names.iter().any(|it| matches!(*it, "-a" | "--all-tags"));
            match (named.as_slice(), all) {
                ([repository, ..], true) => {
                    let start = format!("{}:", repository.shown());
                    for (name, (text, facts)) in built.iter() {
                        if name.starts_with(&start) {
                            context.push_references(text, facts, &Condition::Always, &origin);
                        }
                    }
                }
                ([first, second, ..], false) if names.first() != Some(&"docker") => {
                    // podman push LOCAL docker://REFERENCE
                    let to = second
                        .strip_prefix("docker://", &context.scope.project.tags)
                        .unwrap_or_else(|| second.clone());
                    let facts = built.get(&first.shown()).map(|(_, facts)| facts.clone()).unwrap_or_default();
                    context.push_references(&to, &facts, &Condition::Always, &origin);
                }
                ([reference, ..], false) => push(reference, context, built),
                _ => {}
            }
        }
        ["docker" | "podman" | "buildah", "manifest", "push", ..] => {
            if let Some(reference) = arguments(words, 3).last() {
                push(reference, context, built);
            }
        }
        ["skopeo", "copy", ..]
        | ["regctl", "image", "copy" | "cp", ..]
        | ["crane", "copy" | "cp" | "push", ..]
        | ["gcrane", "cp", ..]
        | ["oras", "cp" | "copy", ..] => {
            let skip = if names.first() == Some(&"regctl") { 3 } else { 2 };
            if let Some(to) = arguments(words, skip).get(1) {
                let tags = context.scope.project.tags.clone();
                if names.first() != Some(&"skopeo") {
                    push(to, context, built);
                } else if let Some(reference) = to.strip_prefix("docker://", &tags) {
                    push(&reference, context, built);
                }
            }
        }
        ["crane", "tag", ..] => {
            if let [from, tag, ..] = arguments(words, 2).as_slice() {
                let (repository, _) = super::publication::split_reference(from);
                push(&repository.then(&SymbolicText::literal(":")).then(tag), context, built);
            }
        }
        ["ko", "build" | "publish", ..] => ko(words, &origin, context),
        ["helm", "push", ..] | ["helm", "chart", "push", ..] => {
            if let Some(to) = arguments(words, 2).last() {
                let tags = context.scope.project.tags.clone();
                match to.strip_prefix("oci://", &tags) {
                    Some(repository) => context.push_chart(&repository, &origin),
                    None => context
                        .all
                        .found
                        .leave(&origin, format!("`helm push` to `{}`, which is no registry", to.shown())),
                }
            }
        }
        ["cosign", "sign" | "attest", ..] | ["notation", "sign", ..] => {
            let text = format!(
                "`{}` is not carried over: sign the digests that `apply --record` writes, or sign in the registry that is the source and publish with `referrers = true`",
                names.iter().take(2).copied().collect::<Vec<_>>().join(" ")
            );
            context.all.found.leave(&origin, text);
        }
        ["goreleaser", "release", ..] if !names.iter().any(|it| it.contains("snapshot")) => {
            let run = GoreleaserRun { kind: context.scope.kind, condition: context.condition.clone() };
            context.all.goreleaser.push(run);
        }
        ["docker-compose" | "docker", ..]
            if names.contains(&"push")
                && (names.contains(&"compose") || names.first() == Some(&"docker-compose")) =>
        {
            super::compose::push(&origin, context);
        }
        ["make", ..] => {
            if let Some(call) = called_make(&names, &context.scope.project.texts) {
                run_makefile(&call, context);
            }
        }
        ["npm" | "pnpm" | "yarn" | "bun", ..] => {
            if let Some(text) = npm::called(&names, &context.scope.project.texts) {
                run_text("package.json", &text, &[], context);
            }
        }
        ["bash" | "sh", script, ..] => called(script, words.get(2..).unwrap_or_default(), context),
        [script, ..] if script.starts_with("./") || has_ending(script, "sh") => {
            called(script, words.get(1..).unwrap_or_default(), context);
        }
        _ => {}
    }
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, it)| it == ending)
}

fn is_build(words: &[&str]) -> bool {
    matches!(words, ["build" | "bud", ..] | ["buildx", "build" | "b", ..] | ["image", "build", ..])
}

/// The values of options: `-t X`, `--tag=X`.
fn options(words: &[SymbolicText], names: &[&str]) -> Vec<SymbolicText> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.known().is_some_and(|it| names.contains(&it)) {
            found.extend(words.next().cloned());
            continue;
        }
        for name in names.iter().filter(|it| it.starts_with("--")) {
            let start = format!("{name}=");
            if word.shown().starts_with(&start) {
                let mut made = SymbolicText::default();
                for (at, part) in word.parts().iter().enumerate() {
                    made.push(match part {
                        super::symbolic::Part::Literal(text) if at == 0 => super::symbolic::Part::Literal(
                            text.strip_prefix(&start).unwrap_or(text).to_owned(),
                        ),
                        other => other.clone(),
                    });
                }
                found.push(made);
            }
        }
    }
    found
}

/// The arguments that are no options, after the first `skip` words. Options with values are those of `docker`, `skopeo` and `crane`.
fn arguments(words: &[SymbolicText], skip: usize) -> Vec<SymbolicText> {
    const WITH_VALUES: [&str; 14] = [
        "-n",
        "--format",
        "--authfile",
        "--creds",
        "--dest-creds",
        "--src-creds",
        "--platform",
        "--username",
        "--password",
        "-u",
        "-p",
        "--ca-file",
        "--src-authfile",
        "--dest-authfile",
    ];
    let mut found = Vec::new();
    let mut words = words.iter().skip(skip);
    while let Some(word) = words.next() {
        match word.known() {
            Some(known) if WITH_VALUES.contains(&known) => drop(words.next()),
            Some(known) if known.starts_with('-') || matches!(known, "2>&1" | "&") => {}
            _ if word.shown().starts_with("--") => {}
            _ => found.push(word.clone()),
        }
    }
    found
}

fn build(
    words: &[SymbolicText],
    origin: &Origin,
    built: &mut LocalBuilds,
    context: &mut StepContext<'_, '_>,
) {
    let known = |names: &[&str]| {
        options(words, names).into_iter().next_back().and_then(|it| it.known().map(str::to_owned))
    };
    let shown: Vec<String> = words.iter().map(SymbolicText::shown).collect();
    let folder = shown
        .last()
        .filter(|it| !it.starts_with('-'))
        .map(|it| it.trim_start_matches("./").trim_end_matches('/').to_owned());
    let dockerfile = known(&["-f", "--file"]).map_or_else(
        || match folder.as_deref() {
            None | Some("" | ".") => "Dockerfile".to_owned(),
            Some(folder) => format!("{folder}/Dockerfile"),
        },
        |it| it.trim_start_matches("./").to_owned(),
    );
    let facts = BuildFacts {
        dockerfile: Some(dockerfile),
        variant: known(&["--target"]).unwrap_or_default(),
        platforms: options(words, &["--platform"]).iter().flat_map(platforms).collect(),
    };
    let tags = options(words, &["-t", "--tag"]);
    let pushed = shown.iter().any(|it| {
        it == "--push" || it == "--push=true" || it.contains("type=registry") || it.contains("push=true")
    });
    for tag in tags {
        built.insert(tag.shown(), (tag.clone(), facts.clone()));
        if pushed {
            context.push_references(&tag, &facts, &Condition::Always, origin);
        }
    }
}

fn bake(words: &[SymbolicText], origin: &Origin, context: &mut StepContext<'_, '_>) {
    let shown: Vec<String> = words.iter().map(SymbolicText::shown).collect();
    let pushed =
        shown.iter().any(|it| it == "--push" || it.contains("type=registry") || it.contains("push=true"));
    let files = options(words, &["-f", "--file"]);
    let metadata: Vec<usize> = files.iter().filter_map(|it| context.metadata_of(it)).collect();
    let files: Vec<String> =
        files.iter().filter_map(|it| it.known()).map(|it| it.trim_start_matches("./").to_owned()).collect();
    let targets: Vec<String> = arguments(words, 2)
        .iter()
        .map(SymbolicText::shown)
        .filter(|it| it != "bake" && !files.contains(it))
        .collect();
    super::bake::publish(&files, &targets, &Condition::known(pushed), origin, &metadata, context);
}

/// `ko build ./cmd/app --bare --tags a,b` (ko.build, "Naming Images").
fn ko(words: &[SymbolicText], origin: &Origin, context: &mut StepContext<'_, '_>) {
    let repository = match context.scope.value("env.KO_DOCKER_REPO") {
        super::scope::ScopeValue::Null => {
            super::shell_text::ShellValues { scope: &context.scope, inserted: &[] }.variable("KO_DOCKER_REPO")
        }
        value => value.text("KO_DOCKER_REPO"),
    };
    let has = |names: &[&str]| words.iter().any(|word| word.known().is_some_and(|it| names.contains(&it)));
    let tags = options(words, &["-t", "--tags"]);
    let tags: Vec<SymbolicText> = tags.iter().flat_map(|it| it.split(|c| c == ',')).collect();
    let tags = if tags.is_empty() { vec![SymbolicText::literal("latest")] } else { tags };
    let platforms: Vec<String> = options(words, &["--platform"]).iter().flat_map(platforms).collect();
    let path = arguments(words, 2).into_iter().next_back().map(|it| it.shown()).unwrap_or_default();
    let last = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|it| !matches!(*it, "." | ""))
        .unwrap_or(&context.scope.project.name)
        .to_owned();
    let repository = if has(&["--bare"]) {
        repository
    } else if has(&["-B", "--base-import-paths"]) {
        repository.then(&SymbolicText::literal(&format!("/{last}")))
    } else {
        let why = format!(
            "`ko build {path}` without `--bare` or `-B` names the repository after a digest of the path"
        );
        return context.all.found.leave(origin, why);
    };
    let build = BuildFacts { dockerfile: None, variant: format!("ko {path}"), platforms };
    for tag in tags {
        let whole = repository.then(&SymbolicText::literal(":")).then(&tag);
        context.push_references(&whole, &build, &Condition::Always, origin);
    }
}

/// Runs the recipes of a Makefile.
pub(super) fn run_makefile(call: &MakeCall, context: &mut StepContext<'_, '_>) {
    let Some(text) = context.scope.project.texts.get(&call.path).cloned() else { return };
    if context.depth >= MAX_DEPTH {
        return;
    }
    for mut script in makefile::scripts(&text, &call.targets, &call.given, &context.scope) {
        let commands = run_script(&script.text, script.line, "-", &mut script.scope);
        let mut inside = StepContext {
            file: &call.path,
            files: context.files,
            scope: script.scope,
            condition: context.condition.clone(),
            metadata: context.metadata,
            all: context.all,
            depth: context.depth + 1,
        };
        run_commands(&commands, &mut inside);
    }
}

/// Runs a script of the repository.
fn called(script: &str, arguments: &[SymbolicText], context: &mut StepContext<'_, '_>) {
    let name = script.trim_start_matches("./");
    let Some(text) = context.scope.project.texts.get(name).cloned() else { return };
    run_text(name, &text, arguments, context);
}

/// Runs a script with arguments.
pub(super) fn run_text(
    name: &str,
    text: &str,
    arguments: &[SymbolicText],
    context: &mut StepContext<'_, '_>,
) {
    if context.depth >= MAX_DEPTH
        || !text.contains("docker") && !text.contains("podman") && !text.contains("helm")
    {
        return;
    }
    let mut scope = context.scope.clone();
    for (number, argument) in arguments.iter().take(9).enumerate() {
        scope.set(&format!("env.{}", number + 1), argument.clone());
    }
    let commands = run_script(text, 1, "-", &mut scope);
    let mut inside = StepContext {
        file: name,
        files: context.files,
        scope,
        condition: context.condition.clone(),
        metadata: context.metadata,
        all: context.all,
        depth: context.depth + 1,
    };
    run_commands(&commands, &mut inside);
}
