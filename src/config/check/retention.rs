//! `[retention.*]`: which keys go together, ages, and the names of rules, images and registries. Whether the tags of a rule can
//! be distinguished from other tags is checked when templates are rendered.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::declared::DeclaredNames;
use crate::config::{
    KeptBesides, Resource, Retention, RetentionCondition, RetentionSubject, raw, registry_of_place, suggest,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::retention::Age;
use crate::model::{ResourceId, ResourceKind};

/// The name of the retention of manifests without a tag.
const UNTAGGED: &str = "untagged";

pub(super) fn check_retentions(
    raw: IndexMap<String, raw::RawRetention>,
    declared: &DeclaredNames,
    resources: &IndexMap<ResourceId, Resource>,
    problems: &mut Problems<'_>,
) -> IndexMap<String, Retention> {
    raw.into_iter()
        .filter_map(|(name, raw)| Some((name.clone(), retention(&name, raw, declared, resources, problems)?)))
        .collect()
}

fn retention(
    name: &str,
    raw: raw::RawRetention,
    declared: &DeclaredNames,
    known: &IndexMap<ResourceId, Resource>,
    problems: &mut Problems<'_>,
) -> Option<Retention> {
    let path = ["retention", name];
    let at = |key: &'static str| [path[0], path[1], key];
    for (kind, names, known) in [
        (ResourceKind::Image, &raw.images, &declared.images),
        (ResourceKind::Chart, &raw.charts, &declared.charts),
        (ResourceKind::Artifact, &raw.artifacts, &declared.artifacts),
    ] {
        if let (Some(names), Some(known)) = (names, known) {
            problems.known_names(names, known, &at(kind.table()), Code::ConfigUnknownImage);
        }
    }
    let named = named(&raw);
    if let (Some(names), Some(known)) = (&raw.registries, &declared.registries) {
        problems.known_names(names, known, &at("registries"), Code::ConfigUnknownRegistry);
    }
    if let (Some(rule), Some(tags)) = (&raw.rule, &declared.tags)
        && chart_of(rule, known).is_none()
    {
        problems.known_name(rule, tags, &at("rule"), Code::ConfigUnknownTagRule);
    }
    // Keys with wrong values are missing here and have already been reported. The places still know that they were written.
    let meant = |key: &'static str| declared.meant.contains(&(name.to_owned(), key));
    let written =
        |problems: &Problems<'_>, key: &'static str| problems.places.key(&at(key)).is_some() || meant(key);
    let by_event = written(problems, "on");
    let one = matches!(raw.r#match, Some(raw::OneOrMany::One(_)));
    let globs = raw.r#match.map(raw::OneOrMany::into_vec);
    let globs: Option<Vec<String>> = globs.map(|globs| globs.into_iter().map(|glob| glob.0).collect());
    problems.globs(globs.as_deref().unwrap_or_default(), one, &at("match"));
    let is_untagged = name == UNTAGGED && !written(problems, "rule") && !written(problems, "match");
    match (written(problems, "rule"), written(problems, "match")) {
        (false, false) if is_untagged && by_event => {
            let table = suggest::table(&path);
            let message = format!("`{table}` has `on`, but a manifest without a tag belongs to no event");
            let help = "say which stay: `keep_last = 20`, `older_than = \"7d\"`, or both";
            problems.wrong(Code::ConfigValue, message, &at("on"), "not here", help);
        }
        (false, false) if is_untagged => {}
        (true, true) => together(name, "rule", "match", "both select the tags: keep one", problems),
        (false, false) => missing(
            name,
            "neither `rule` nor `match`: it does not say which tags it applies to",
            "name a tag rule, `rule = \"pr\"`, or match tags, `match = \"sha-*\"`",
            problems,
        ),
        (false, true) if by_event => together(
            name,
            "on",
            "match",
            "a glob does not say which tags belong to the closed pull request: name the tag rule that renders them, `rule = \"pr\"`, or the version of a chart, `rule = \"charts.NAME version\"`",
            problems,
        ),
        _ => {}
    }
    let limits: Vec<&str> = ["keep_last", "older_than", "keep_per_minor"]
        .into_iter()
        .filter(|key| written(problems, key))
        .collect();
    let idle: Vec<&str> =
        ["keep", "keep_per_minor", "age_from"].into_iter().filter(|key| written(problems, key)).collect();
    if is_untagged {
        only_for_tags(name, &idle, problems);
    }
    for limit in limits.iter().filter(|_| by_event) {
        let help = "the tags of a closed pull request are removed whatever their age: write two retentions";
        together(name, "on", limit, help, problems);
    }
    if limits.is_empty() && !by_event && (is_untagged || !written(problems, "keep")) {
        missing(
            name,
            "none of `on`, `keep_last`, `older_than`, `keep_per_minor`: it does not say when to remove a tag",
            "add `on = \"pull_request_closed\"`, `keep_last = 50` or `older_than = \"30d\"`",
            problems,
        );
    }
    let older_than = raw.older_than.and_then(|text| age(&text, &at("older_than"), problems));
    let keep_last = raw.keep_last.as_ref().and_then(whole);
    let keep_per_minor = raw.keep_per_minor.as_ref().and_then(whole);
    let subject = match (raw.rule, globs) {
        (Some(rule), _) => RetentionSubject::Rule(rule),
        (None, None) if is_untagged => RetentionSubject::Untagged,
        (None, globs) => RetentionSubject::Globs(globs?),
    };
    let condition = match raw.on {
        Some(raw::RetentionEvent::PullRequestClosed) => RetentionCondition::PullRequestClosed,
        None => RetentionCondition::Limits { keep_last, older_than, keep_per_minor },
    };
    let keep = kept_besides(name, raw.keep, raw.in_use, problems);
    let every_registry = declared.registries.clone().unwrap_or_default();
    let retention = Retention {
        resources: named.unwrap_or_else(|| default_resources(&subject, known)),
        registries: raw.registries.unwrap_or(every_registry),
        subject,
        condition,
        age_from: raw.age_from.unwrap_or_default(),
        keep,
    };
    idle_names(name, &retention, known, problems);
    Some(retention)
}

/// Reports keys of the retention of manifests without a tag that are about tags.
fn only_for_tags(name: &str, keys: &[&str], problems: &mut Problems<'_>) {
    for key in keys {
        let path = ["retention", name, key];
        let message = format!("`{}` has `{key}`, which is for tags", suggest::table(&["retention", name]));
        let help = "manifests without a tag are kept by `keep_last`, `older_than` and `in_use`";
        problems.wrong(Code::ConfigValue, message, &path, "not here", help);
    }
}

/// The tags that a retention keeps besides. Reports entries of `in_use` that name no file.
fn kept_besides(
    name: &str,
    keep: Option<raw::OneOrMany<raw::RetentionKeep>>,
    in_use: Option<Vec<String>>,
    problems: &mut Problems<'_>,
) -> KeptBesides {
    let keep = keep.map(raw::OneOrMany::into_vec).unwrap_or_default();
    let mut files = Vec::new();
    for (index, text) in in_use.unwrap_or_default().into_iter().enumerate() {
        match text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            Some(path) => files.push(path.to_owned()),
            None => problems.wrong(
                Code::ConfigValue,
                format!("`{}` does not say where to look", text.escape_debug()),
                &["retention", name, "in_use", &index.to_string()],
                "not `file:PATH`",
                "name a file: `\"file:deployed.txt\"`; `kubectl get pods -A -o json > pods.json` makes one from a cluster",
            ),
        }
    }
    KeptBesides {
        git_tags: keep.contains(&raw::RetentionKeep::GitTags),
        branches: keep.contains(&raw::RetentionKeep::Branches),
        in_use: files,
    }
}

/// The resources that a retention names, or `None` if it names none.
fn named(raw: &raw::RawRetention) -> Option<Vec<ResourceId>> {
    let lists = [
        (ResourceKind::Image, &raw.images),
        (ResourceKind::Chart, &raw.charts),
        (ResourceKind::Artifact, &raw.artifacts),
    ];
    let any = lists.iter().any(|(_, names)| names.is_some());
    let of_kind = |(kind, names): (ResourceKind, &Option<Vec<String>>)| {
        let names = names.clone().unwrap_or_default().into_iter();
        names.map(move |name| ResourceId::new(kind, name)).collect::<Vec<_>>()
    };
    any.then(|| lists.into_iter().flat_map(of_kind).collect())
}

/// The chart whose version `rule` names as plans do: `charts.NAME version`.
fn chart_of<'k>(rule: &str, known: &'k IndexMap<ResourceId, Resource>) -> Option<&'k ResourceId> {
    let name = rule.strip_prefix("charts.")?.strip_suffix(" version")?;
    known.keys().find(|id| id.kind == ResourceKind::Chart && id.name == name)
}

/// Whether `rule` renders tags of a resource: a tag rule that it uses, or its own version.
fn has_tags_of(id: &ResourceId, resource: &Resource, rule: &str) -> bool {
    resource.tags.iter().any(|name| name == rule)
        || (id.kind == ResourceKind::Chart && rule == format!("{id} version"))
}

/// The resources of a retention that names none.
fn default_resources(subject: &RetentionSubject, known: &IndexMap<ResourceId, Resource>) -> Vec<ResourceId> {
    let uses = |id: &ResourceId, resource: &Resource| match subject {
        RetentionSubject::Rule(rule) => has_tags_of(id, resource, rule),
        RetentionSubject::Globs(_) | RetentionSubject::Untagged => true,
    };
    known.iter().filter(|(id, resource)| uses(id, resource)).map(|(id, _)| id.clone()).collect()
}

/// Reports resources that never have a tag of the rule, and registries that none of the resources is published to.
fn idle_names(
    name: &str,
    retention: &Retention,
    known: &IndexMap<ResourceId, Resource>,
    problems: &mut Problems<'_>,
) {
    let table = suggest::table(&["retention", name]);
    if let RetentionSubject::Rule(rule) = &retention.subject {
        for kind in ResourceKind::ALL {
            for (index, id) in retention.resources.iter().filter(|id| id.kind == kind).enumerate() {
                if known.get(id).is_some_and(|it| !has_tags_of(id, it, rule)) {
                    problems.wrong(
                        Code::ConfigValue,
                        format!("{} of `{table}` does not use the tag rule `{rule}`", id.title()),
                        &["retention", name, kind.table(), &index.to_string()],
                        "has no such tags",
                        format!("remove it, or add the rule to `tags` of the {}", kind.noun()),
                    );
                }
            }
        }
    }
    let resources: Vec<&Resource> = retention.resources.iter().filter_map(|id| known.get(id)).collect();
    if resources.len() < retention.resources.len() {
        return;
    }
    for (index, registry) in retention.registries.iter().enumerate() {
        let path = ["retention", name, "registries", &index.to_string()];
        // A registry without a place was not written here, but is a default.
        if problems.places.value(&path).is_some()
            && !resources.iter().flat_map(|it| &it.registries).any(|it| registry_of_place(it) == registry)
        {
            problems.wrong(
                Code::ConfigValue,
                format!("nothing in `{table}` is published to the registry `{registry}`"),
                &path,
                "nothing to remove there",
                "remove it, or add the registry to `registries` of what is published",
            );
        }
    }
}

/// The number as an integer, if it has no fraction: JSON Schema accepts `3.0` as an integer.
fn whole(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| number.as_f64()?.to_string().parse().ok())
}

fn age(text: &str, path: &[&str], problems: &mut Problems<'_>) -> Option<Age> {
    let error = match text.parse::<Age>() {
        Ok(age) => return Some(age),
        Err(error) => error,
    };
    let help = "write a whole number of hours, days or weeks: `\"12h\"`, `\"30d\"`, `\"6w\"`";
    problems.wrong(Code::ConfigValue, error.to_string(), path, "not an age", help);
    None
}

/// Reports two keys that exclude each other.
fn together(name: &str, key: &str, other: &str, help: &str, problems: &mut Problems<'_>) {
    let table = suggest::table(&["retention", name]);
    let message = format!("`{table}` has both `{key}` and `{other}`");
    let diagnostic = Diagnostic::error(Code::ConfigValue, message)
        .at_maybe(problems.places.key(&["retention", name, other]), "not together")
        .at_maybe(problems.places.key(&["retention", name, key]), "with this")
        .help(help);
    problems.report(diagnostic);
}

/// Reports that the table needs one of several keys and has none of them.
fn missing(name: &str, what: &str, help: &str, problems: &mut Problems<'_>) {
    let path = ["retention", name];
    let message = format!("`{}` has {what}", suggest::table(&path));
    let place = problems.places.value(&path).or_else(|| problems.places.key(&path));
    problems.report(
        Diagnostic::error(Code::ConfigMissingKey, message).at_maybe(place, "needs one of them").help(help),
    );
}
