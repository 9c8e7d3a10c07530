//! The runs of a GitHub workflow: which events start it, with which filters, and from which other workflow it is called
//! (docs.github.com, "Events that trigger workflows").

use std::collections::BTreeMap;

use super::condition::{Condition, quoted};
use super::expression;
use super::glob;
use super::scope::{ProjectFacts, RunKind, Scope, ScopeValue};
use super::symbolic::SymbolicText;
use super::tags::TagFacts;
use super::yaml_file::{FileNode, YamlFile};

/// A kind of run of a workflow.
#[derive(Debug, Clone)]
pub(super) struct WorkflowRun {
    /// The kind.
    pub kind: RunKind,
    /// The condition that the filters make.
    pub condition: Condition,
    /// The inputs.
    pub inputs: BTreeMap<String, ScopeValue>,
}

/// How deep a workflow calls another.
const MAX_CALLS: usize = 3;

/// The runs of `file` among `files`.
pub(super) fn runs(file: &YamlFile, files: &[YamlFile], project: &ProjectFacts) -> Vec<WorkflowRun> {
    let mut found = runs_at(file, files, project, 0);
    let releases = found.iter().any(|run| run.kind.is_tag());
    // A release that somebody starts, or that a merge starts, has a git tag too.
    if let Some(run) =
        found.iter().find(|run| matches!(run.kind, RunKind::Manual | RunKind::Branch)).filter(|_| !releases)
    {
        let inputs = if run.kind == RunKind::Manual { run.inputs.clone() } else { BTreeMap::new() };
        let inputs = inputs
            .into_iter()
            .filter(|(_, value)| !matches!(value, ScopeValue::Text(it) if it.known().is_some()));
        found.push(WorkflowRun {
            kind: RunKind::Dispatched,
            condition: Condition::Always,
            inputs: inputs.collect(),
        });
    }
    found
}

/// A run of every kind, for a workflow that nothing starts.
pub(super) fn every_run() -> Vec<WorkflowRun> {
    let kinds = [RunKind::TagPush, RunKind::Branch, RunKind::PullRequest, RunKind::Schedule, RunKind::Manual];
    kinds.map(|kind| WorkflowRun { kind, condition: Condition::Always, inputs: BTreeMap::new() }).into()
}

fn runs_at(file: &YamlFile, files: &[YamlFile], project: &ProjectFacts, depth: usize) -> Vec<WorkflowRun> {
    let Some(on) = file.root().and_then(|root| root.get("on").or_else(|| root.get("true"))) else {
        return Vec::new();
    };
    let mut events: Vec<(&str, Option<FileNode<'_>>)> =
        on.strings().into_iter().map(|event| (event, None)).collect();
    events.extend(on.entries().into_iter().map(|(event, node)| (event, Some(node))));
    let mut found = Vec::new();
    let mut add = |kind, condition: Condition, inputs| {
        if condition != Condition::Never {
            found.push(WorkflowRun { kind, condition, inputs });
        }
    };
    for (event, node) in events {
        let filter = |key: &str| node.and_then(|it| it.get(key)).map(FileNode::strings);
        match event {
            "push" => {
                let tags =
                    tag_filter(filter("tags").as_deref(), filter("tags-ignore").as_deref(), &project.tags);
                let branches = branch_filter(filter("branches"), filter("branches-ignore"));
                let (has_tags, has_branches) = (tags.is_some(), branches.is_some());
                if has_tags || !has_branches {
                    add(RunKind::TagPush, tags.unwrap_or(Condition::Always), BTreeMap::new());
                }
                if has_branches || !has_tags {
                    add(RunKind::Branch, branches.unwrap_or(Condition::Always), BTreeMap::new());
                }
            }
            "pull_request" | "pull_request_target" => {
                add(RunKind::PullRequest, Condition::Always, BTreeMap::new());
            }
            "schedule" => add(RunKind::Schedule, Condition::Always, BTreeMap::new()),
            "workflow_dispatch" => add(RunKind::Manual, Condition::Always, declared_inputs(node)),
            "release" => add(RunKind::Release, release_types(filter("types")), BTreeMap::new()),
            "workflow_run" => {
                let branches = branch_filter(filter("branches"), filter("branches-ignore"));
                let default = project.default_branch.clone().map(|branch| Condition::Branch(vec![branch]));
                add(RunKind::Branch, branches.or(default).unwrap_or(Condition::Always), BTreeMap::new());
            }
            "workflow_call" if depth < MAX_CALLS => {
                for run in called(file, node, files, project, depth) {
                    add(run.kind, run.condition, run.inputs);
                }
            }
            _ => {}
        }
    }
    found
}

/// The runs in which other workflows call this one.
fn called(
    file: &YamlFile,
    node: Option<FileNode<'_>>,
    files: &[YamlFile],
    project: &ProjectFacts,
    depth: usize,
) -> Vec<WorkflowRun> {
    let mut found = Vec::new();
    for caller in files.iter().filter(|caller| caller.file != file.file) {
        let jobs = caller.root().and_then(|root| root.get("jobs")).map(FileNode::entries).unwrap_or_default();
        let calls: Vec<FileNode<'_>> = jobs
            .into_iter()
            .map(|(_, job)| job)
            .filter(|job| {
                job.get("uses")
                    .and_then(FileNode::text)
                    .is_some_and(|uses| uses == format!("./{}", file.file))
            })
            .collect();
        if calls.is_empty() {
            continue;
        }
        for run in runs_at(caller, files, project, depth + 1) {
            for call in &calls {
                let mut scope = Scope::new(project, run.kind);
                add_inputs(&mut scope, &run.inputs);
                let condition = call.get("if").and_then(FileNode::text);
                let condition =
                    condition.map_or(Condition::Always, |it| expression::condition(it, &scope)).assuming();
                let mut inputs = declared_inputs(node);
                // An input of a called workflow without default is an empty text.
                inputs.retain(
                    |_, value| !matches!(value, ScopeValue::Text(it) if it.first_unknown().is_some()),
                );
                for (name, value) in call.get("with").map(FileNode::entries).unwrap_or_default() {
                    let Some(text) = value.text() else { continue };
                    let whole = text.trim().strip_prefix("${{").and_then(|it| it.strip_suffix("}}"));
                    let value = match whole.filter(|it| !it.contains("${{")) {
                        Some(whole) => expression::evaluate(whole, &scope),
                        None if matches!(text, "true" | "false") => {
                            ScopeValue::Condition(Condition::known(text == "true"))
                        }
                        None => ScopeValue::Text(expression::interpolate(text, &scope)),
                    };
                    inputs.insert(name.to_owned(), value);
                }
                found.push(WorkflowRun {
                    kind: run.kind,
                    condition: run.condition.clone().and(condition),
                    inputs,
                });
            }
        }
    }
    found
}

/// Sets the inputs of a run.
pub(super) fn add_inputs(scope: &mut Scope<'_>, inputs: &BTreeMap<String, ScopeValue>) {
    for (name, value) in inputs {
        scope.values.insert(format!("inputs.{}", name.to_ascii_lowercase()), value.clone());
    }
}

/// The inputs that a trigger declares, with their defaults.
fn declared_inputs(node: Option<FileNode<'_>>) -> BTreeMap<String, ScopeValue> {
    let declared = node.and_then(|it| it.get("inputs")).map(FileNode::entries).unwrap_or_default();
    declared
        .into_iter()
        .map(|(name, input)| {
            let default = input.get("default").and_then(FileNode::text).filter(|it| !it.is_empty());
            let value = match default {
                Some("true") => ScopeValue::Condition(Condition::Always),
                Some("false") => ScopeValue::Condition(Condition::Never),
                Some(text) => ScopeValue::Text(SymbolicText::literal(text)),
                None => ScopeValue::Text(SymbolicText::unknown(&format!("inputs.{name}"))),
            };
            (name.to_owned(), value)
        })
        .collect()
}

/// The condition of filters of tags: a rule needs none if the filters accept every release.
fn tag_filter(tags: Option<&[&str]>, ignored: Option<&[&str]>, facts: &TagFacts) -> Option<Condition> {
    let accepts = |name: &str| match (tags, ignored) {
        (Some(patterns), _) => glob::accept(patterns, name),
        (None, Some(patterns)) => !glob::accept(patterns, name),
        (None, None) => true,
    };
    if tags.is_none() && ignored.is_none() {
        return None;
    }
    let own = match (&facts.newest, facts.are_versions) {
        (Some(newest), false) => [accepts(newest), accepts(newest)],
        _ => facts.samples().map(|sample| accepts(&sample)),
    };
    Some(match own {
        [true, true] => Condition::Always,
        [true, false] => Condition::Test("version.pre == ''".to_owned()),
        [false, true] => Condition::Test("version.pre != ''".to_owned()),
        [false, false] => {
            let patterns =
                tags.unwrap_or_default().iter().copied().filter(|it| !it.starts_with('!')).map(glob::regex);
            let all: Vec<String> = patterns.collect();
            if all.is_empty() {
                return Some(Condition::Never);
            }
            Condition::Test(format!("git.tag is matching({})", quoted(&format!("^(?:{})$", all.join("|")))))
        }
    })
}

fn branch_filter(branches: Option<Vec<&str>>, ignored: Option<Vec<&str>>) -> Option<Condition> {
    let condition = |patterns: &[&str]| {
        let positive: Vec<&str> = patterns.iter().copied().filter(|it| !it.starts_with('!')).collect();
        let negative = patterns.iter().filter_map(|it| it.strip_prefix('!')).collect::<Vec<_>>();
        let all = |patterns: &[&str]| {
            if patterns.contains(&"**") {
                return Condition::Always;
            }
            if patterns.iter().all(|it| glob::is_plain(it)) {
                return Condition::Branch(patterns.iter().map(|it| (*it).to_owned()).collect());
            }
            let all: Vec<String> = patterns.iter().map(|it| glob::regex(it)).collect();
            Condition::Test(format!(
                "git.branch is matching({})",
                quoted(&format!("^(?:{})$", all.join("|")))
            ))
        };
        let excluded = if negative.is_empty() { Condition::Always } else { all(&negative).negated() };
        if positive.is_empty() { Condition::Never } else { all(&positive).and(excluded) }
    };
    match (branches, ignored) {
        (Some(patterns), _) if patterns.is_empty() => None,
        (Some(patterns), _) => Some(condition(&patterns)),
        (None, Some(patterns)) => Some(condition(&patterns).negated()),
        (None, None) => None,
    }
}

/// `released` excludes pre-releases, `prereleased` is only them.
fn release_types(types: Option<Vec<&str>>) -> Condition {
    let Some(types) = types.filter(|it| !it.is_empty()) else { return Condition::Always };
    let has = |name: &str| types.contains(&name);
    match (has("published") || has("created"), has("released"), has("prereleased")) {
        (true, _, _) | (_, true, true) => Condition::Always,
        (_, true, _) => Condition::Test("version.pre == ''".to_owned()),
        (_, _, true) => Condition::Test("version.pre != ''".to_owned()),
        _ => Condition::Never,
    }
}
