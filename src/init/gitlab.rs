//! `.gitlab-ci.yml`: the scripts of jobs, with the variables that GitLab sets (docs.gitlab.com, "Predefined CI/CD variables").

use super::commands::run_commands;
use super::condition::Condition;
use super::publication::Findings;
use super::scope::{ProjectFacts, RunKind, Scope};
use super::shell::run_script;
use super::shell_text::ShellValues;
use super::step_context::{StepContext, WorkflowFindings};
use super::symbolic::{Symbol, SymbolicText};
use super::yaml_file::{FileNode, YamlFile};

/// Keys that are no jobs.
const NO_JOBS: [&str; 8] =
    ["variables", "stages", "default", "include", "workflow", "image", "services", "cache"];
/// The kinds of runs of pipelines.
const KINDS: [RunKind; 4] = [RunKind::TagPush, RunKind::Branch, RunKind::PullRequest, RunKind::Schedule];

/// Reads a file.
pub(super) fn read_gitlab(file: &YamlFile, files: &[YamlFile], project: &ProjectFacts) -> Findings {
    let mut all = WorkflowFindings::default();
    let mut metadata = Vec::new();
    let Some(root) = file.root() else { return all.found };
    for kind in KINDS {
        let mut scope = Scope::new(project, kind);
        predefined(&mut scope);
        set_variables(root, &mut scope);
        for (name, job) in root.entries() {
            if NO_JOBS.contains(&name) || name.starts_with('.') || !job.is_mapping() {
                continue;
            }
            let condition = runs(job, &scope);
            if condition == Condition::Never {
                continue;
            }
            let mut scope = scope.clone();
            set_variables(job, &mut scope);
            let mut context = StepContext {
                file: &file.file,
                files,
                scope,
                condition: condition.assuming(),
                metadata: &mut metadata,
                all: &mut all,
                depth: 0,
            };
            for key in ["before_script", "script"] {
                let parent = job.get(key).or_else(|| extended(root, job).and_then(|it| it.get(key)));
                let Some(script) = parent.or_else(|| root.get(key).filter(|_| key == "before_script")) else {
                    continue;
                };
                let lines = script.lines();
                let Some(first) = lines.first().map(|it| it.line) else { continue };
                // The lines keep their numbers.
                let mut text = String::new();
                let mut at = first;
                for line in &lines {
                    while at < line.line {
                        text.push('\n');
                        at += 1;
                    }
                    text.push_str(&line.text);
                }
                let commands = run_script(&text, first, "-", &mut context.scope);
                run_commands(&commands, &mut context);
            }
        }
    }
    all.found
}

/// The job that `extends` names.
fn extended<'d>(root: FileNode<'d>, job: FileNode<'d>) -> Option<FileNode<'d>> {
    let name = job.get("extends")?.strings().first().copied()?;
    root.get(name)
}

fn set_variables(node: FileNode<'_>, scope: &mut Scope<'_>) {
    for (name, value) in node.get("variables").map(FileNode::entries).unwrap_or_default() {
        let text = value.text().or_else(|| value.get("value").and_then(FileNode::text)).unwrap_or_default();
        let value = ShellValues { scope, inserted: &[] }.word(text);
        scope.set(&format!("env.{name}"), value);
    }
}

fn predefined(scope: &mut Scope<'_>) {
    let project = scope.project;
    let path = project.repository.to_ascii_lowercase();
    let host = project.server.rsplit('/').next().unwrap_or_default().to_owned();
    let registry =
        if host == "gitlab.com" { "registry.gitlab.com".to_owned() } else { format!("registry.{host}") };
    let kind = scope.kind;
    let literal = SymbolicText::literal;
    let mut set = |name: &str, value: SymbolicText| scope.set(&format!("env.{name}"), value);
    set("CI_REGISTRY", literal(&registry));
    set("CI_REGISTRY_IMAGE", literal(&format!("{registry}/{path}")));
    set("CI_PROJECT_PATH", literal(&project.repository));
    set("CI_PROJECT_NAME", literal(project.repository.rsplit('/').next().unwrap_or_default()));
    set(
        "CI_PROJECT_NAMESPACE",
        literal(project.repository.rsplit_once('/').map_or("", |(namespace, _)| namespace)),
    );
    set("CI_COMMIT_SHA", SymbolicText::symbol(Symbol::Sha));
    set("CI_COMMIT_SHORT_SHA", SymbolicText::symbol(Symbol::ShortSha(8)));
    set(
        "CI_DEFAULT_BRANCH",
        project
            .default_branch
            .as_deref()
            .map_or_else(|| SymbolicText::unknown("$CI_DEFAULT_BRANCH"), literal),
    );
    let name = SymbolicText::symbol(if kind.is_tag() { Symbol::Tag } else { Symbol::Branch });
    set("CI_COMMIT_REF_NAME", name.clone());
    let slug = if kind.is_tag() {
        SymbolicText::symbol(Symbol::Expression("git.tag | replace('.', '-') | slug".to_owned()))
    } else {
        SymbolicText::symbol(Symbol::Expression("git.branch | replace('.', '-') | slug".to_owned()))
    };
    set("CI_COMMIT_REF_SLUG", slug);
    set("CI_COMMIT_TAG", if kind.is_tag() { name.clone() } else { SymbolicText::default() });
    set(
        "CI_COMMIT_BRANCH",
        if kind == RunKind::Branch || kind == RunKind::Schedule { name } else { SymbolicText::default() },
    );
    let source = match kind {
        RunKind::PullRequest => "merge_request_event",
        RunKind::Schedule => "schedule",
        _ => "push",
    };
    set("CI_PIPELINE_SOURCE", literal(source));
    let number = if kind == RunKind::PullRequest {
        SymbolicText::symbol(Symbol::PullRequest)
    } else {
        SymbolicText::default()
    };
    set("CI_MERGE_REQUEST_IID", number);
}

/// The condition under which a job runs: `rules`, or `only` and `except`.
fn runs(job: FileNode<'_>, scope: &Scope<'_>) -> Condition {
    if let Some(rules) = job.get("rules") {
        let mut open = Condition::Always;
        let mut wanted = Condition::Never;
        for rule in rules.items() {
            let holds =
                rule.get("if").and_then(FileNode::text).map_or(Condition::Always, |it| test(it, scope));
            if rule.get("when").and_then(FileNode::text) != Some("never") {
                wanted = wanted.or(open.clone().and(holds.clone()));
            }
            open = open.and(holds.negated());
        }
        return wanted;
    }
    let listed = |key: &str| {
        let node = job.get(key)?;
        Some(node.get("refs").unwrap_or(node).strings())
    };
    let fits = |words: &[&str]| {
        words.iter().map(|word| word_holds(word, scope)).fold(Condition::Never, Condition::or)
    };
    match (listed("only"), listed("except")) {
        (Some(only), except) => {
            let excluded = except.map_or(Condition::Never, |it| fits(&it));
            fits(&only).and(excluded.negated())
        }
        // Without rules a job runs for branches and tags (docs.gitlab.com, "only / except").
        (None, except) if scope.kind != RunKind::PullRequest => {
            except.map_or(Condition::Always, |it| fits(&it).negated())
        }
        _ => Condition::Never,
    }
}

fn word_holds(word: &str, scope: &Scope<'_>) -> Condition {
    match word {
        "tags" => Condition::known(scope.kind.is_tag()),
        "branches" => Condition::known(matches!(scope.kind, RunKind::Branch | RunKind::Schedule)),
        "merge_requests" => Condition::known(scope.kind == RunKind::PullRequest),
        "schedules" => Condition::known(scope.kind == RunKind::Schedule),
        "pushes" => Condition::known(matches!(scope.kind, RunKind::Branch | RunKind::TagPush)),
        name if name.starts_with('/') => pattern(name, scope),
        name if scope.kind == RunKind::Branch || scope.kind == RunKind::Schedule => {
            scope.equal(&SymbolicText::symbol(Symbol::Branch), &SymbolicText::literal(name))
        }
        _ => Condition::Never,
    }
}

/// `/^v\d+/`: a regular expression for the name of the ref.
fn pattern(text: &str, scope: &Scope<'_>) -> Condition {
    let regex = text.trim_start_matches('/').trim_end_matches('/').replace("\\/", "/");
    let Ok(compiled) = regex::Regex::new(&regex) else { return Condition::Unknown(text.to_owned()) };
    if scope.kind.is_tag() {
        let [release, pre] = scope.project.tags.samples();
        return match (compiled.is_match(&release), compiled.is_match(&pre)) {
            (true, true) => Condition::Always,
            (true, false) => Condition::Test("version.pre == ''".to_owned()),
            (false, true) => Condition::Test("version.pre != ''".to_owned()),
            (false, false) => Condition::Never,
        };
    }
    match scope.kind {
        RunKind::PullRequest => Condition::Never,
        _ => Condition::Test(format!("git.branch is matching({})", super::condition::quoted(&regex))),
    }
}

/// An expression of `rules: if` (docs.gitlab.com, "CI/CD job rules").
fn test(text: &str, scope: &Scope<'_>) -> Condition {
    for (sign, all) in [("||", false), ("&&", true)] {
        if let Some((one, other)) = text.split_once(sign) {
            let (one, other) = (test(one, scope), test(other, scope));
            return if all { one.and(other) } else { one.or(other) };
        }
    }
    let text = text.trim().trim_matches(['(', ')']).trim();
    let value = |text: &str| {
        let text = text.trim();
        if text == "null" { SymbolicText::default() } else { ShellValues { scope, inserted: &[] }.word(text) }
    };
    for (sign, equal) in [("==", true), ("!=", false)] {
        if let Some((one, other)) = text.split_once(sign) {
            let holds = scope.equal(&value(one), &value(other));
            let holds = match (value(one).known(), value(other).known()) {
                (None, Some("")) | (Some(""), None) => Condition::Never,
                _ => holds,
            };
            return if equal { holds } else { holds.negated() };
        }
    }
    if let Some((one, other)) = text.split_once("=~") {
        let is_ref =
            ["CI_COMMIT_TAG", "CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME"].iter().any(|it| one.contains(it));
        return match value(one).known() {
            Some("") => Condition::Never,
            _ if is_ref => pattern(other.trim(), scope),
            _ => Condition::Unknown(text.to_owned()),
        };
    }
    let value = value(text);
    match value.known() {
        Some(known) => Condition::known(!known.is_empty()),
        None if value.first_unknown().is_some() => Condition::Unknown(text.to_owned()),
        None => Condition::Always,
    }
}
