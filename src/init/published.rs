//! A proposal from the files of a repository that publish: workflows first, then goreleaser, then scripts and the rest.

use super::assemble::{AssembledImage, Assembly, assemble};
use super::assembled_text::{AssembledParts, PlacedChart, write_assembled};
use super::bake::publish as publish_bake;
use super::commands::{run_commands, run_makefile, run_text};
use super::compose::services;
use super::condition::Condition;
use super::gitlab::read_gitlab;
use super::goreleaser::read_goreleaser;
use super::makefile::{MakeCall, pushing_targets};
use super::names::charts as declared_charts;
use super::npm::pushing as pushing_scripts;
use super::project::{InitAnswers, LeftOutFile, ProjectSurvey};
use super::proposal::Proposal;
use super::publication::{Address, Findings, Origin, parse_address};
use super::publishing_files::{is_compose, is_gitlab, is_goreleaser, is_makefile, is_regsync, is_script};
use super::regsync::read_regsync;
use super::remote::{Destination, place as place_of};
use super::rule::ProposedRule;
use super::scope::ProjectFacts;
use super::shell::run_script;
use super::step_context::{StepContext, WorkflowFindings};
use super::tags::TagFacts;
use super::workflows::read_workflows;
use super::yaml_file::YamlFile;
use crate::model::{ResourceId, ResourceKind};

/// The registry of the project: the one that was asked for, or the one that belongs to the remote.
pub(super) fn destination(found: &ProjectSurvey, answers: &InitAnswers) -> Destination {
    let mut place = place_of(found.remote.as_deref());
    place.visibility.clone_from(&answers.visibility);
    if let Some(registry) = &answers.registry {
        place.url.clone_from(registry);
        place.name = if place.known && registry.starts_with("ghcr.io") { "ghcr" } else { "registry" };
        place.shared = registry.contains('/');
        place.known = true;
    }
    place
}

/// The prefix of git tags.
pub(super) fn tag_facts(found: &ProjectSurvey, answers: &InitAnswers) -> TagFacts {
    let all = || found.git_tags.iter().map(String::as_str);
    let Some(prefix) = &answers.tag_prefix else { return TagFacts::of(all()) };
    let mut tags = TagFacts::of(all().filter(|tag| tag.starts_with(prefix.as_str())));
    tags.prefix.clone_from(prefix);
    tags
}

/// The facts that workflows refer to.
fn facts(found: &ProjectSurvey, answers: &InitAnswers) -> ProjectFacts {
    let tags = tag_facts(found, answers);
    let remote = found.remote.as_deref().unwrap_or_default();
    let (scheme, rest) = remote.split_once("://").unwrap_or(("https", ""));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    ProjectFacts {
        tags,
        repository: path.trim_matches('/').to_owned(),
        name: answers.name.clone().unwrap_or_else(|| found.project.clone()),
        server: format!("{scheme}://{host}"),
        default_branch: found.default_branch.clone(),
        texts: found.texts.clone(),
    }
}

/// A proposal from what the files publish. `None` if they publish nothing.
pub(super) fn propose(
    found: &ProjectSurvey,
    answers: &InitAnswers,
    without: &[LeftOutFile],
) -> Option<Proposal> {
    let project = facts(found, answers);
    let is_yaml = |file: &str| [".yml", ".yaml", ".json"].iter().any(|end| file.ends_with(end));
    let files: Vec<YamlFile> = found
        .texts
        .iter()
        .filter(|(file, _)| is_yaml(file))
        .filter_map(|(file, text)| YamlFile::read(file, text.clone()))
        .collect();
    let WorkflowFindings { found: mut all, goreleaser } =
        read_workflows(&files, answers.from.as_deref(), &project);
    if answers.from.is_none() {
        for file in files.iter().filter(|file| is_gitlab(&file.file)) {
            all.extend(read_gitlab(file, &files, &project));
        }
        for file in files.iter().filter(|file| is_goreleaser(&file.file)) {
            all.extend(read_goreleaser(file, &goreleaser, &project));
        }
        if all.publications.is_empty() {
            all.extend(others(&files, &project));
        }
    }
    let assembly = assemble(&mut all, &project.tags);
    let mut made = assembly;
    made.remove_rules(without);
    for (origin, text) in slugs(&made.rules) {
        all.assume(&origin, text);
    }
    if answers.from.is_none() {
        for file in files.iter().filter(|file| is_regsync(&file.file)) {
            read_regsync(file, &project, &mut made, &mut all);
        }
    }
    if made.images.is_empty() && all.charts.is_empty() {
        return None;
    }
    if let (Some(registry), [(_, url)]) = (&answers.registry, made.destinations.registries.as_mut_slice()) {
        url.clone_from(registry);
    }
    let mut left_out = found.left_out.clone();
    left_out.extend(without.iter().cloned());
    let charts = charts(found, &all, &mut made, &mut left_out);
    let place = place_of(found.remote.as_deref());
    let parts = AssembledParts {
        survey: found,
        place: &place,
        tags: &project.tags,
        assembly: &made,
        charts: &charts,
        found: &all,
        visibility: answers.visibility.as_deref(),
    };
    let text = write_assembled(&parts);
    unpublished(found, &made, &mut left_out);
    for remark in &all.left_out {
        left_out.push(LeftOutFile { file: remark.origin.shown(), why: remark.text.clone() });
    }
    let image = |it: &AssembledImage| (ResourceId::image(&it.name), it.origin.shown());
    let chart = |it: &PlacedChart| (ResourceId::new(ResourceKind::Chart, &it.chart.name), it.from.clone());
    let rules = made.rules.iter().map(|rule| {
        let (origin, source) = rule.origins.first().cloned().unwrap_or_default();
        (rule.name.clone(), format!("{}: {source}", origin.shown()))
    });
    let assumed = all.assumed.iter().map(|it| (it.origin.shown(), it.text.clone())).collect();
    let version =
        project.tags.newest.as_deref().and_then(|tag| tag.strip_prefix(project.tags.prefix.as_str()));
    let registries: Vec<&str> = made.destinations.registries.iter().map(|(_, url)| url.as_str()).collect();
    Some(Proposal {
        text,
        resources: made.images.iter().map(image).chain(charts.iter().map(chart)).collect(),
        rules: rules.collect(),
        assumed,
        left_out,
        registry: registries.join(", "),
        version: version.map(str::to_owned),
        tag_prefix: project.tags.prefix.clone(),
        has_tag: project.tags.newest.is_some(),
    })
}

/// The rules that print any branch: tools write it as it is, with a `-` for other characters.
fn slugs(rules: &[ProposedRule]) -> Vec<(Origin, String)> {
    const TEXT: &str = "branches are slugs: `Feature/X` becomes `feature-x`, unless the template says `slug(keep_case=true)`";
    let changes = |name: &String| {
        name.chars().any(|c| c.is_ascii_uppercase() || "*?[{".contains(c)) || name.contains("--")
    };
    let prints_any = |rule: &&ProposedRule| {
        rule.template.contains("git.branch | slug")
            && (rule.matches.is_empty() || rule.matches.iter().any(changes))
    };
    let origins = rules.iter().filter(prints_any).filter_map(|rule| rule.origins.first());
    origins.map(|(origin, _)| (origin.clone(), TEXT.to_owned())).collect()
}

/// The charts that are pushed: each to a repository of its own below the one that `helm push` names.
fn charts(
    found: &ProjectSurvey,
    all: &Findings,
    made: &mut Assembly,
    left_out: &mut Vec<LeftOutFile>,
) -> Vec<PlacedChart> {
    let declared = declared_charts(found, left_out);
    let Some(first) = all.charts.first() else {
        for chart in declared {
            left_out.push(LeftOutFile {
                file: chart.file,
                why: "no workflow pushes this chart to a registry".to_owned(),
            });
        }
        return Vec::new();
    };
    declared
        .into_iter()
        .map(|chart| {
            let path = format!("{}/{}", first.address.path, chart.name);
            let (registry, repository) =
                made.destinations.place(&Address { host: first.address.host.clone(), path });
            PlacedChart { chart, registry, repository, from: first.origin.shown() }
        })
        .collect()
}

/// The Dockerfiles that nothing publishes.
fn unpublished(found: &ProjectSurvey, made: &Assembly, left_out: &mut Vec<LeftOutFile>) {
    let used: Vec<&str> = made.images.iter().filter_map(|it| it.build.dockerfile.as_deref()).collect();
    if made.images.iter().any(|it| it.build.dockerfile.is_none()) {
        return;
    }
    for file in found.dockerfiles.iter().filter(|file| !used.contains(&file.as_str())) {
        left_out.push(LeftOutFile { file: file.clone(), why: "no workflow publishes it".to_owned() });
    }
}

/// Finds the tags that scripts, Makefiles, bake files and compose files push, if no workflow does.
fn others(files: &[YamlFile], project: &ProjectFacts) -> Findings {
    let mut all = WorkflowFindings::default();
    let mut metadata = Vec::new();
    for (file, text) in &project.texts {
        let mut context = StepContext::outside_of_workflows(file, files, project, &mut metadata, &mut all);
        if is_script(file) && text.contains("push") {
            let commands = run_script(text, 1, "-", &mut context.scope);
            run_commands(&commands, &mut context);
        } else if is_makefile(file) {
            let targets = pushing_targets(text);
            let call = MakeCall { path: file.clone(), targets, given: Vec::new() };
            run_makefile(&call, &mut context);
        }
    }
    for text in pushing_scripts(&project.texts) {
        let mut context =
            StepContext::outside_of_workflows("package.json", files, project, &mut metadata, &mut all);
        run_text("package.json", &text, &[], &mut context);
    }
    if all.found.publications.is_empty() {
        let mut context = StepContext::outside_of_workflows("", files, project, &mut metadata, &mut all);
        publish_bake(&[], &[], &Condition::Always, &Origin::default(), &[], &mut context);
    }
    if all.found.publications.is_empty() {
        for file in files.iter().filter(|file| is_compose(&file.file)) {
            let mut context =
                StepContext::outside_of_workflows(&file.file, files, project, &mut metadata, &mut all);
            services(file, &mut context);
        }
    }
    all.found
}

/// Whether `text` can be the `url` of a registry.
pub fn is_registry(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text == lower && (text.starts_with("oci:") || parse_address(&format!("{text}/x")).is_some())
}
