//! The checks of `lint` beyond the schema: every template rendered against every sample event, collisions, rules that
//! can never fire, and forward tags that could never be decided.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::forward;
use super::lint_content::ResourceTemplates;
use super::lint_reuse;
use super::rendered::RenderedTag;
use super::retention;
use super::rules::Firing;
use super::samples::{self, Sample};
use super::tag_template::{TagTemplate, TagTemplateKey};
use super::tags::{Renderer, template_diagnostic};
use super::template::{TemplateError, TemplateSyntax, is_template};
use super::{checks, collisions, repositories};
use crate::config::{Config, DeclaredTemplate, NamedResource, TagRule};
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic, Label};
use crate::model::version::ReleaseForm;
use crate::model::{EventName, Mutability, ResourceId};
use oci_registry::RepositoryName;

/// Finds the errors in the templates of a configuration that has other errors: syntax and unknown names. The rendered
/// results can only be checked in a complete configuration.
pub fn lint_part(config: &Config) -> Vec<Diagnostic> {
    let renderer = Renderer::with_file_version(config, None).with_any_vars();
    let tags = TagTemplate::all(config).flat_map(|template| tag_template_errors(&renderer, template));
    let project = template_errors(&renderer, "the project", &["project"], config.project.templates());
    let resources = config.named_resources().flat_map(|named| resource_errors(&renderer, named));
    let checks = config.checks.iter().flat_map(|check| checks::template(&renderer, check));
    tags.chain(project).chain(resources).chain(checks).collect()
}

/// Finds all errors in the templates and rules of `config`. Asks neither git nor the network.
pub fn lint(config: &Config) -> Vec<Diagnostic> {
    if config.templated_repositories().is_empty() {
        return lint_placed(config);
    }
    let (placed, mut found) = repositories::with_samples(config);
    found.extend(lint_placed(&placed));
    found
}

/// Finds all errors of a configuration whose repositories are known.
fn lint_placed(config: &Config) -> Vec<Diagnostic> {
    let renderer = Renderer::with_file_version(config, samples::version(config)).with_sample_versions();
    let mut diagnostics = Vec::new();
    let mut broken: BTreeSet<TagTemplateKey<'_>> = BTreeSet::new();
    for template in TagTemplate::all(config) {
        let found = tag_template_errors(&renderer, template);
        if !found.is_empty() {
            broken.insert(template.key());
        }
        diagnostics.extend(found);
    }
    diagnostics.extend(template_errors(&renderer, "the project", &["project"], config.project.templates()));
    for named in config.named_resources() {
        diagnostics.extend(resource_errors(&renderer, named));
    }
    let samples = samples::all(config, &renderer.forms);
    for check in &config.checks {
        let found = checks::template(&renderer, check);
        let right = found.is_empty();
        diagnostics.extend(found);
        if right {
            diagnostics.extend(samples.iter().find_map(|sample| checks::sample(&renderer, check, sample)));
        }
    }
    let groups = groups(&renderer);
    let mut of_form: HashMap<&ReleaseForm, Vec<NamedResource<'_>>> = HashMap::new();
    for named in &groups {
        of_form.entry(&named.resource.releases).or_default().push(*named);
    }
    let mut fired: BTreeSet<TagTemplateKey<'_>> = BTreeSet::new();
    // Errors at one place are reported once, on the first event that shows them.
    let mut seen: HashSet<DiagnosticKey> = diagnostics.iter().map(DiagnosticKey::of).collect();
    let contents = ResourceTemplates::new(&renderer);
    for sample in &samples {
        for diagnostic in contents.lint(&renderer, sample, &broken) {
            if seen.insert(DiagnosticKey::of(&diagnostic)) {
                diagnostics.push(diagnostic);
            }
        }
        let resources = match sample.form {
            // On the release of another resource, every rule is silent.
            Some(form) => of_form.get(form).map(Vec::as_slice).unwrap_or_default(),
            None => groups.as_slice(),
        };
        for diagnostic in render(&renderer, resources, sample, &broken, &mut fired) {
            if seen.insert(DiagnosticKey::of(&diagnostic)) || diagnostic.labels.is_empty() {
                diagnostics.push(diagnostic);
            }
        }
    }
    let used: HashSet<&str> =
        groups.iter().flat_map(|named| named.resource.tags.iter().map(String::as_str)).collect();
    let mut readable = Readable { renderer: &renderer, groups: &groups, known: HashMap::new() };
    for (name, rule) in &config.tags {
        let key = TagTemplateKey::Rule(name);
        if broken.contains(&key) {
            continue;
        }
        if !fired.contains(&key) {
            diagnostics.extend(never_fires(&renderer, name, rule, used.contains(name.as_str())));
        }
        if broken.is_empty() {
            diagnostics.extend(undecidable(&mut readable, name, rule));
        }
        // A rule that renders no valid tag has to be changed anyway.
        let title = format!("tag rule `{name}`");
        if !diagnostics.iter().any(|it| it.message.starts_with(&title)) {
            diagnostics.extend(lint_reuse::reused(&renderer, name, rule, &groups));
        }
    }
    diagnostics.extend(collisions::kinds(config));
    if broken.is_empty() {
        diagnostics.extend(retention::lint(&renderer));
    }
    diagnostics
}

/// The properties by which two diagnostics count as the same mistake.
#[derive(PartialEq, Eq, Hash)]
struct DiagnosticKey {
    code: Code,
    /// The places of its labels, each by the name of its text.
    places: Vec<(String, Range<usize>)>,
}

impl DiagnosticKey {
    fn of(diagnostic: &Diagnostic) -> Self {
        let place = |label: &Label| (label.place.source.name.clone(), label.place.span.clone());
        Self { code: diagnostic.code, places: diagnostic.labels.iter().map(place).collect() }
    }
}

/// Returns one resource of each set that no rule can distinguish: the resources render the same tags, so they have the
/// same errors. A resource that shares its repository is always included, because it may collide.
fn groups<'a>(renderer: &Renderer<'a>) -> Vec<NamedResource<'a>> {
    let config = renderer.config;
    let mut repositories: HashMap<&str, usize> = HashMap::new();
    for resource in config.resources.values() {
        for repository in resource.repositories.values() {
            *repositories.entry(repository.as_str()).or_default() += 1;
        }
    }
    let mut seen: HashSet<(&ReleaseForm, &[String])> = HashSet::new();
    let resources = config.named_resources();
    resources
        .filter(|named| {
            let resource = named.resource;
            let is_shared = |repository: &RepositoryName| {
                repositories
                    .get(repository.as_str())
                    .is_some_and(|count| *count > resource.repositories.len())
            };
            resource.repositories.values().any(is_shared)
                || TagTemplate::of_resource(config, *named).any(|it| renderer.is_by_resource(it))
                || seen.insert((&resource.releases, &resource.tags))
        })
        .collect()
}

fn at(config: &Config, path: &[&str], prefix: &str, error: TemplateError) -> Diagnostic {
    let place = config.places.inside(path, error.range.clone()).or_else(|| config.places.value(path));
    Diagnostic::error(error.code, format!("{prefix}: {}", error.message))
        .at_maybe(place, "")
        .help_maybe(error.help)
}

fn tag_template_errors(renderer: &Renderer<'_>, template: TagTemplate<'_>) -> Vec<Diagnostic> {
    let (config, templates) = (renderer.config, &renderer.templates);
    let title = template.title();
    let mut found: Vec<Diagnostic> = templates
        .check(template.text(), TemplateSyntax::Text)
        .into_iter()
        .map(|error| at(config, &template.path(), &title, error))
        .collect();
    if let Some(when) = template.when() {
        let errors = templates.check(when, TemplateSyntax::Expression);
        found.extend(errors.into_iter().map(|error| at(config, &template.when_path(), &title, error)));
    }
    found
}

fn resource_errors(
    renderer: &Renderer<'_>,
    NamedResource { id, resource }: NamedResource<'_>,
) -> Vec<Diagnostic> {
    template_errors(renderer, &id.title(), &id.path(), resource.templates())
}

/// Finds the errors in the templates of the table at `table`, which is that of `title`.
fn template_errors<'t>(
    renderer: &Renderer<'_>,
    title: &str,
    table: &[&str],
    declared: impl IntoIterator<Item = DeclaredTemplate<'t>>,
) -> Vec<Diagnostic> {
    let (config, templates) = (renderer.config, &renderer.templates);
    let mut found = Vec::new();
    for DeclaredTemplate { keys, text } in declared {
        if is_template(text) {
            let path: Vec<&str> = table.iter().copied().chain(keys.iter().map(String::as_str)).collect();
            let errors = templates.check(text, TemplateSyntax::Text);
            found.extend(errors.into_iter().map(|error| at(config, &path, title, error)));
        }
    }
    found
}

/// Renders the tags of `resources` in one sample and returns the errors in them.
fn render<'a>(
    renderer: &'a Renderer<'a>,
    resources: &[NamedResource<'a>],
    sample: &Sample<'_>,
    broken: &BTreeSet<TagTemplateKey<'_>>,
    fired: &mut BTreeSet<TagTemplateKey<'a>>,
) -> Vec<Diagnostic> {
    let config = renderer.config;
    let mut firings = renderer.fire_all(&sample.context);
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut tags: Vec<(&ResourceId, Vec<RenderedTag>)> = Vec::with_capacity(resources.len());
    let mut failed: BTreeSet<TagTemplateKey<'_>> = BTreeSet::new();
    for named in resources.iter().copied() {
        let mut of_resource = Vec::new();
        for template in TagTemplate::of_resource(config, named) {
            let key = template.key();
            if broken.contains(&key) {
                continue;
            }
            match firings.of(template, named) {
                Ok(Firing::Silent(_)) => {}
                Ok(Firing::Tag(tag)) => {
                    fired.insert(key);
                    of_resource.push(RenderedTag::new(tag, template));
                }
                Err(mut error) => {
                    fired.insert(key);
                    if failed.insert(key) {
                        error.error.message = format!("{}, {}", sample.situation, error.error.message);
                        diagnostics.push(template_diagnostic(config, template, &error));
                    }
                }
            }
        }
        tags.push((named.id, of_resource));
    }
    let claims = tags.iter().map(|(name, tags)| (*name, tags.as_slice()));
    diagnostics.extend(collisions::find(config, claims, &sample.situation));
    diagnostics
}

/// The reason why no event can make the rule fire, if that can be proved. The rule fires in no sample.
fn never_fires(renderer: &Renderer<'_>, name: &str, rule: &TagRule, used: bool) -> Option<Diagnostic> {
    let config = renderer.config;
    let never = |reason: String, place, help: &str| {
        Some(
            Diagnostic::error(Code::TagNeverFires, format!("tag rule `{name}` can never fire: {reason}"))
                .at_maybe(place, "")
                .help(help),
        )
    };
    if !used {
        let place = config.places.key(&["tags", name]);
        return never(
            "nothing uses it".to_owned(),
            place,
            "name it in `tags` of an image, chart or artifact, or remove it",
        );
    }
    for (position, glob) in rule.matches.iter().enumerate() {
        if let Some(rest) =
            ["refs/heads/", "refs/tags/"].into_iter().find_map(|prefix| glob.strip_prefix(prefix))
        {
            let place = config.places.value(&["tags", name, "match", &position.to_string()]);
            let place = place.or_else(|| config.places.value(&["tags", name, "match"]));
            return never(
                format!("`match` is compared with the name alone, and no name starts with `{glob}`"),
                place,
                &format!("write `{rest}`"),
            );
        }
    }
    if let Some(when) = rule.when.as_deref().filter(|when| decided_by_event(renderer, when)) {
        let place = config.places.value(&["tags", name, "when"]);
        let on = rule.on.iter().map(|event| format!("`{event}`")).collect::<Vec<_>>().join(", ");
        return never(
            format!("`when = {when:?}` holds on no event of its `on` ({on})"),
            place,
            "change `when`, or name the event in `on`",
        );
    }
    let prefixes: Vec<&str> =
        renderer.forms.iter().flat_map(|form| form.prefixes.iter().map(String::as_str)).collect();
    let wants_version = renderer.templates.uses(&rule.template, TemplateSyntax::Text, "version");
    if rule.on == [EventName::Tag] && wants_version && !rule.matches.is_empty() {
        let fixed = |glob: &String| glob.split(['*', '?', '[', '{']).next().unwrap_or_default().to_owned();
        let reachable = rule.matches.iter().map(fixed).any(|start| {
            prefixes.iter().any(|prefix| start.starts_with(prefix) || prefix.starts_with(&start))
        });
        if !reachable {
            let prefixes = listed(&prefixes);
            return never(
                format!("it prints a version, but no git tag that it matches starts with {prefixes}"),
                config.places.value(&["tags", name, "match"]),
                "make `match` let release tags through, or set `tag_prefix`",
            );
        }
    }
    None
}

/// Whether the samples decide `when` conclusively, because it names nothing but values that they enumerate. They
/// contain one pre-release, and there are as many kinds of pre-releases as there are projects.
fn decided_by_event(renderer: &Renderer<'_>, when: &str) -> bool {
    renderer
        .templates
        .variables(when, TemplateSyntax::Expression)
        .iter()
        .all(|name| matches!(name.as_str(), "event" | "image.name" | "chart.name" | "artifact.name"))
}

/// Lists the first few prefixes for people.
fn listed(prefixes: &[&str]) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = prefixes.iter().take(NAMED).map(|prefix| format!("`{prefix}`")).collect();
    match prefixes.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} or {more} others", named.join(", ")),
    }
}

/// The templates that print the full version. Each is asked once for all resources that it cannot distinguish.
struct Readable<'a> {
    renderer: &'a Renderer<'a>,
    groups: &'a [NamedResource<'a>],
    known: HashMap<(TagTemplateKey<'a>, Option<&'a ResourceId>), bool>,
}

impl<'a> Readable<'a> {
    fn prints_version(&mut self, template: TagTemplate<'a>, named: NamedResource<'a>) -> bool {
        let renderer = self.renderer;
        let key = (template.key(), renderer.is_by_resource(template).then_some(named.id));
        *self.known.entry(key).or_insert_with(|| {
            let (_, values) = renderer.values(&Context::new(EventName::Tag), named.id, named.resource);
            template.events().contains(&EventName::Tag)
                && !forward::readers(&renderer.templates, template.text(), &values, &named.resource.releases)
                    .is_empty()
        })
    }
}

/// A forward tag of releases needs a rule that prints the full version. Without one, nothing can be read back.
fn undecidable(readable: &mut Readable<'_>, name: &str, rule: &TagRule) -> Option<Diagnostic> {
    if rule.mutability != Mutability::Forward || !rule.on.contains(&EventName::Tag) {
        return None;
    }
    let config = readable.renderer.config;
    let NamedResource { id: resource_id, .. } = readable.groups.iter().copied().find(|named| {
        named.resource.tags.iter().any(|it| it == name)
            && !TagTemplate::of_resource(config, *named).any(|it| readable.prints_version(it, *named))
    })?;
    Some(
        Diagnostic::error(
            Code::TagForward,
            format!("tag rule `{name}` moves forward by version, but no rule of {} prints the full version", resource_id.title()),
        )
        .at_maybe(config.places.value(&["tags", name, "mutability"]), "the versions in the registry cannot be read back")
        .help("add a rule such as `template = \"v{{ version }}\"` with `on = \"tag\"` to the image's tags, or make this one `mutability = \"mutable\"`"),
    )
}

/// Whether any template uses the dirtiness of the tree, which costs a run of git.
pub fn uses_dirty(config: &Config) -> bool {
    let asks = |text: &str| text.contains("dirty");
    any_template(config, asks)
}

/// Whether any template uses the git tags before the commit, which costs runs of git.
pub fn uses_history(config: &Config) -> bool {
    any_template(config, |text| {
        ["describe", "previous_tag", "commits_since_tag"].iter().any(|name| text.contains(name))
    })
}

/// Whether `asks` holds for any template.
fn any_template(config: &Config, asks: impl Fn(&str) -> bool) -> bool {
    config.checks.iter().any(|check| asks(&check.equals))
        || TagTemplate::all(config).any(|it| asks(it.text()) || it.when().is_some_and(&asks))
        || config.project.templates().any(|it| asks(it.text))
        || config.resources.values().any(|resource| resource.templates().iter().any(|it| asks(it.text)))
}
