//! GitHub workflows: runs each job of each workflow in every kind of run, with symbols for what only a run knows, and collects
//! what it publishes.

use std::collections::BTreeMap;

use super::condition::Condition;
use super::expression::{self, interpolate};
use super::matrix::{Combination, combinations};
use super::publication::{Findings, Origin, Publication};
use super::publishing_files::is_workflow;
use super::scope::{ProjectFacts, RunKind, Scope};
use super::step_context::{MetadataStep, StepContext, WorkflowFindings, set_env};
use super::steps::{called_builder, run_steps};
use super::symbolic::{Symbol, SymbolicText};
use super::triggers::{add_inputs, every_run, runs};
use super::yaml_file::{FileNode, YamlFile};

/// Reads the workflows among `files`, or `only` one file. The others are the actions and workflows that they may use.
pub(super) fn read_workflows(
    files: &[YamlFile],
    only: Option<&str>,
    project: &ProjectFacts,
) -> WorkflowFindings {
    let mut all = WorkflowFindings::default();
    let is_wanted = |file: &str| only.map_or_else(|| is_workflow(file), |only| only == file);
    for file in files.iter().filter(|file| is_wanted(&file.file)) {
        let mut kinds = runs(file, files, project);
        if kinds.is_empty() && only.is_some() {
            kinds = every_run();
        }
        for run in kinds {
            let mut one = WorkflowFindings::default();
            let mut scope = Scope::new(project, run.kind);
            add_inputs(&mut scope, &run.inputs);
            let Some(root) = file.root() else { continue };
            set_env(root, &mut scope);
            jobs(file, files, root, &scope, &run.condition, &mut one);
            if run.kind == RunKind::Dispatched {
                keep_versions(&mut one.found);
            }
            all.found.extend(one.found);
            all.goreleaser.extend(one.goreleaser);
        }
    }
    // A release that was started by hand is published once: not also under the event `manual`.
    let dispatched: Vec<Origin> = all
        .found
        .publications
        .iter()
        .filter(|it| it.kind == RunKind::Dispatched)
        .map(|it| Origin::new(&it.origin.file, it.origin.line))
        .collect();
    all.found.publications.retain(|it| {
        !matches!(it.kind, RunKind::Manual | RunKind::Branch) || !dispatched.contains(&it.origin)
    });
    all
}

/// Keeps what is published for a version that the run was given.
fn keep_versions(found: &mut Findings) {
    let is_version = |it: &Publication| it.tag.has(|symbol| matches!(symbol, Symbol::Version | Symbol::Tag));
    let fits = |it: &Publication| !it.tag.has(|symbol| *symbol == Symbol::Branch);
    let versions: Vec<_> = found
        .publications
        .iter()
        .filter(|it| is_version(it))
        .map(|it| (it.address.clone(), it.build.clone()))
        .collect();
    found.publications.retain(|it| fits(it) && versions.contains(&(it.address.clone(), it.build.clone())));
    for it in &mut found.publications {
        if matches!(it.condition, Condition::Branch(_)) {
            it.condition = Condition::Always;
        }
    }
    found.left_out.clear();
    if found.publications.is_empty() {
        found.assumed.clear();
        found.charts.clear();
        found.labels.clear();
    }
}

fn jobs(
    file: &YamlFile,
    files: &[YamlFile],
    root: FileNode<'_>,
    scope: &Scope<'_>,
    condition: &Condition,
    all: &mut WorkflowFindings,
) {
    let mut outputs: BTreeMap<String, SymbolicText> = BTreeMap::new();
    let mut metadata: Vec<MetadataStep> = Vec::new();
    for (name, job) in root.get("jobs").map(FileNode::entries).unwrap_or_default() {
        let mut scope = scope.clone();
        for (name, value) in &outputs {
            scope.set(name, value.clone());
        }
        let wanted = job.get("if").and_then(FileNode::text);
        let mut wanted = wanted.map_or(Condition::Always, |it| expression::condition(it, &scope));
        if let Some(unknown) = wanted.first_unknown() {
            let origin = Origin::new(&file.file, job.get("if").map_or(0, FileNode::line));
            all.found.assume(
                &origin,
                format!("the condition `{unknown}` is not known here, and is taken as true"),
            );
            wanted = wanted.assuming();
        }
        let condition = condition.clone().and(wanted);
        if condition == Condition::Never {
            continue;
        }
        let known = combinations(job, &scope);
        let is_known = known.is_some();
        for combination in known.unwrap_or_else(|| vec![Combination::new()]) {
            let mut scope = scope.clone();
            if !is_known {
                scope.set("matrix.*", SymbolicText::unknown("matrix"));
            }
            for (name, value) in combination {
                scope.set(&format!("matrix.{name}"), value);
            }
            set_env(job, &mut scope);
            let mut context = StepContext {
                file: &file.file,
                files,
                scope,
                condition: condition.clone(),
                metadata: &mut metadata,
                all,
                depth: 0,
            };
            called_builder(job, &mut context);
            run_steps(job.get("steps"), &mut context);
            for (output, value) in job.get("outputs").map(FileNode::entries).unwrap_or_default() {
                let value = interpolate(value.text().unwrap_or_default(), &context.scope);
                outputs.insert(format!("needs.{name}.outputs.{output}"), value);
            }
        }
    }
    let unused: Vec<usize> =
        (0..metadata.len()).filter(|at| metadata.get(*at).is_some_and(|it| !it.is_used)).collect();
    let mut context = StepContext {
        file: &file.file,
        files,
        scope: scope.clone(),
        condition: Condition::Always,
        metadata: &mut metadata,
        all,
        depth: 0,
    };
    for number in unused {
        context.push_unused(number);
    }
}
