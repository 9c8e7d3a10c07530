//! docker/metadata-action: the tags of a step in one kind of run. Facts are from its README and its file `meta.ts`: rules by priority,
//! the first that yields a value decides about `latest`, a pre-release yields its full version, and other characters become `-`.

use regex::Regex;

use super::action_rule::{ActionRule, DEFAULT_RULES, Flavor, action_rule, fields, flavor, text};
use super::condition::{Condition, quoted};
use super::expression::{boolean, condition, interpolate};
use super::handlebars::{is_default_branch, version_pattern};
use super::scope::{RunKind, Scope};
use super::symbolic::{Part, Symbol, SymbolicText};
use super::yaml_file::ValueLine;

/// A tag that a step makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActionTag {
    /// The tag.
    pub tag: SymbolicText,
    /// The condition.
    pub condition: Condition,
    /// The rule as it is written.
    pub source: String,
    /// Its line; 0 for a rule that is not written.
    pub line: usize,
}

/// The tags and the images of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ActionTags {
    /// The images, each with its condition.
    pub images: Vec<(SymbolicText, Condition, usize)>,
    /// The tags.
    pub tags: Vec<ActionTag>,
    /// Rules that are not carried over: line and reason.
    pub left_out: Vec<(usize, String)>,
    /// Assumptions: line and text.
    pub assumed: Vec<(usize, String)>,
}

/// The inputs of a step that decide about tags.
#[derive(Debug, Clone, Default)]
pub(super) struct ActionInputs {
    /// `images`.
    pub images: Vec<ValueLine>,
    /// `tags`.
    pub tags: Vec<ValueLine>,
    /// `flavor`.
    pub flavor: Vec<ValueLine>,
}

/// Evaluates a step.
pub(super) fn evaluate_step(inputs: &ActionInputs, scope: &Scope<'_>) -> ActionTags {
    let mut made = ActionTags { images: images(&inputs.images, scope), ..ActionTags::default() };
    let flavor = flavor(&inputs.flavor, scope);
    let written: Vec<&ValueLine> = inputs.tags.iter().filter(|line| !line.text.starts_with('#')).collect();
    let mut rules: Vec<ActionRule> = if written.is_empty() {
        let default = |text: &&str| action_rule(&ValueLine { text: (*text).to_owned(), line: 0 });
        DEFAULT_RULES.iter().map(default).collect()
    } else {
        written.into_iter().map(action_rule).collect()
    };
    rules.sort_by_key(|rule| -rule.priority);
    // Whether no rule has yielded a value yet, and whether `latest` follows from the one that did.
    let (mut open, mut latest) = (Condition::Always, Condition::Never);
    let mut latest_line = 0;
    for rule in &rules {
        let enabled = enabled(rule, scope);
        if enabled == Condition::Never {
            continue;
        }
        if let Some(unknown) = enabled.first_unknown() {
            made.left_out
                .push((rule.line, format!("`{}`: the condition `{unknown}` is not understood", rule.source)));
            continue;
        }
        for (value, condition, takes_latest) in values(rule, scope, &mut made) {
            let condition = enabled.clone().and(condition);
            if condition == Condition::Never || value.known() == Some("") {
                continue;
            }
            if takes_latest && open != Condition::Never {
                latest = latest.or(open.clone().and(condition.clone()));
                latest_line = rule.line;
            }
            open = open.and(condition.clone().negated());
            let value = sanitized(&affixed(rule, &flavor, &value, scope));
            made.tags.push(ActionTag { tag: value, condition, source: rule.source.clone(), line: rule.line });
        }
    }
    let source = if flavor.latest.is_some() { "flavor: latest=true" } else { "flavor: latest=auto" };
    let latest = match flavor.latest {
        // Without any tag there is no `latest` either.
        Some(wanted) => wanted.and(open.negated()),
        None => latest,
    };
    if let Some(unknown) = latest.first_unknown() {
        made.left_out.push((0, format!("`latest`: the condition `{unknown}` is not understood")));
    } else if latest != Condition::Never && !made.tags.is_empty() {
        let part = |at: usize, text: &SymbolicText| match flavor.on_latest.get(at) {
            Some(true) => text.clone(),
            _ => SymbolicText::default(),
        };
        let tag =
            part(0, &flavor.prefix).then(&SymbolicText::literal("latest")).then(&part(1, &flavor.suffix));
        made.tags.push(ActionTag {
            tag: sanitized(&tag),
            condition: latest,
            source: source.to_owned(),
            line: latest_line,
        });
    }
    made
}

fn images(lines: &[ValueLine], scope: &Scope<'_>) -> Vec<(SymbolicText, Condition, usize)> {
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| !line.text.starts_with('#')) {
        let fields = fields(&line.text);
        let attribute =
            |key: &str| fields.iter().find_map(|it| it.strip_prefix(key)?.trim_start().strip_prefix('='));
        if let Some(name) = attribute("name") {
            let enabled = attribute("enable").map_or(Condition::Always, |it| boolean(it.trim(), scope));
            found.push((interpolate(name.trim(), scope), enabled, line.line));
            continue;
        }
        for name in fields {
            let name = interpolate(&name, scope);
            let pieces = name.split(|c| matches!(c, ',' | '\n' | ' '));
            found.extend(pieces.into_iter().map(|it| (it, Condition::Always, line.line)));
        }
    }
    found.retain(|(_, enabled, _)| *enabled != Condition::Never);
    found
}

fn enabled(rule: &ActionRule, scope: &Scope<'_>) -> Condition {
    match rule.get("enable") {
        None => Condition::Always,
        Some(value) => match is_default_branch(value) {
            Some(wanted) => {
                let on = scope.on_default_branch();
                if wanted { on } else { on.negated() }
            }
            None if value.starts_with("${{") => {
                let found = condition(value, scope);
                // An output of a step is a text that says `true`.
                if matches!(found, Condition::Always) { boolean(value, scope) } else { found }
            }
            None => boolean(value, scope),
        },
    }
}

fn affixed(rule: &ActionRule, flavor: &Flavor, value: &SymbolicText, scope: &Scope<'_>) -> SymbolicText {
    let default = match (rule.kind.as_str(), rule.get("event")) {
        ("sha", _) => Some("sha-"),
        ("ref", Some("pr")) => Some("pr-"),
        _ => None,
    };
    let prefix = rule.get("prefix").or(default).map_or(flavor.prefix.clone(), |it| text(it, scope));
    let suffix = rule.get("suffix").map_or(flavor.suffix.clone(), |it| text(it, scope));
    prefix.then(value).then(&suffix)
}

/// `[^a-zA-Z0-9._-]+` becomes `-`.
fn sanitized(text: &SymbolicText) -> SymbolicText {
    text.map_known(|known| {
        let mut made = String::new();
        for character in known.chars() {
            if character.is_ascii_alphanumeric() || "._-".contains(character) {
                made.push(character);
            } else if !made.ends_with('-') {
                made.push('-');
            }
        }
        made
    })
}

/// A value of a rule, its condition, and whether `latest` follows it.
type RuleValue = (SymbolicText, Condition, bool);

fn values(rule: &ActionRule, scope: &Scope<'_>, made: &mut ActionTags) -> Vec<RuleValue> {
    let one = |text: SymbolicText, latest: bool| vec![(text, Condition::Always, latest)];
    let on_branch = matches!(scope.kind, RunKind::Branch | RunKind::Schedule | RunKind::Manual);
    match rule.kind.as_str() {
        "schedule" if scope.kind == RunKind::Schedule => {
            one(text(rule.get("pattern").unwrap_or("nightly"), scope), false)
        }
        "semver" | "pep440" => versions(rule, scope, made),
        "match" => matched(rule, scope, made),
        "edge" if on_branch => {
            let branch = rule.get("branch").filter(|it| !it.is_empty()).map(|it| interpolate(it, scope));
            let holds = match branch {
                Some(branch) => scope.equal(&SymbolicText::symbol(Symbol::Branch), &branch),
                None => scope.on_default_branch(),
            };
            vec![(SymbolicText::literal("edge"), holds, false)]
        }
        "ref" => match (rule.get("event"), scope.kind) {
            (Some("branch"), _) if on_branch => one(SymbolicText::symbol(Symbol::Branch), false),
            (Some("tag"), kind) if kind.is_tag() => {
                let tags = &scope.project.tags;
                if tags.are_versions {
                    let form = format!(
                        "every git tag that is published is a version, such as `{}1.2.3`",
                        tags.prefix
                    );
                    made.assumed.push((rule.line, form));
                }
                one(whole_tag(scope), true)
            }
            (Some("pr"), RunKind::PullRequest) => one(SymbolicText::symbol(Symbol::PullRequest), false),
            _ => Vec::new(),
        },
        "sha" => {
            let is_long = rule.get("format") == Some("long");
            one(SymbolicText::symbol(if is_long { Symbol::Sha } else { Symbol::ShortSha(7) }), false)
        }
        "raw" => {
            let value = text(rule.get("value").unwrap_or_default(), scope);
            match versioned(&value, scope) {
                Some(version) if value.first_unknown().is_some() => {
                    let unknown = value.first_unknown().unwrap_or_default();
                    made.assumed
                        .push((rule.line, format!("`{unknown}` is taken for the version of the git tag")));
                    one(version, false)
                }
                _ if value.first_unknown().is_some() => {
                    let unknown = value.first_unknown().unwrap_or_default();
                    made.left_out.push((
                        rule.line,
                        format!("`{}`: the value `{unknown}` is not known here", rule.source),
                    ));
                    Vec::new()
                }
                _ => one(value, false),
            }
        }
        _ => Vec::new(),
    }
}

/// The git tag, with `-` for the `/` in its prefix.
fn whole_tag(scope: &Scope<'_>) -> SymbolicText {
    let tags = &scope.project.tags;
    if tags.are_versions && tags.prefix.contains('/') {
        return SymbolicText::literal(&tags.prefix.replace('/', "-"))
            .then(&SymbolicText::symbol(Symbol::Version));
    }
    SymbolicText::symbol(Symbol::Tag)
}

/// The text with what seems to be a version in place of what is not known; only on a git tag. `None` if it does not seem to be one.
pub(super) fn versioned(text: &SymbolicText, scope: &Scope<'_>) -> Option<SymbolicText> {
    if !scope.kind.is_tag() {
        return None;
    }
    let seems = |expression: &str| {
        let last = expression.rsplit('.').next().unwrap_or(expression).to_ascii_lowercase();
        let tag = ["tag", "ref_name", "release"].iter().any(|word| last.contains(word));
        if last.contains("version") || last.contains("semver") {
            Some(Symbol::Version)
        } else {
            tag.then_some(Symbol::Tag)
        }
    };
    let unknown = text.parts().iter().filter_map(|part| match part {
        Part::Unknown(expression) => Some(seems(expression)),
        _ => None,
    });
    unknown.collect::<Option<Vec<_>>>()?;
    Some(text.map_parts(|part| match part {
        Part::Unknown(expression) => seems(expression).map_or_else(|| part.clone(), Part::Symbol),
        other => other.clone(),
    }))
}

/// `type=semver` and `type=pep440`.
fn versions(rule: &ActionRule, scope: &Scope<'_>, made: &mut ActionTags) -> Vec<RuleValue> {
    let tags = &scope.project.tags;
    let value = rule.get("value").map(|it| text(it, scope)).filter(|it| it.known() != Some(""));
    if !scope.kind.is_tag() {
        let Some(value) = value else { return Vec::new() };
        return fixed_version(rule, &value, made);
    }
    match &value {
        Some(value) if value.first_unknown().is_some() => {
            let unknown = value.first_unknown().unwrap_or_default();
            made.assumed.push((rule.line, format!("`{unknown}` is taken for the version of the git tag")));
        }
        Some(value) if value.known().is_some() => return fixed_version(rule, value, made),
        Some(_) => {}
        None if !tags.are_versions => {
            let example = tags.other.as_deref().or(tags.newest.as_deref()).unwrap_or_default();
            let why = format!("`{}`: git tags such as `{example}` are not semantic versions", rule.source);
            made.left_out.push((rule.line, why));
            return Vec::new();
        }
        None if !matches!(tags.prefix.as_str(), "" | "v") => {
            let why = format!(
                "`{}`: metadata-action does not read git tags with the prefix `{}` as versions",
                rule.source, tags.prefix
            );
            made.left_out.push((rule.line, why));
            return Vec::new();
        }
        None => {}
    }
    if rule.kind == "pep440" {
        let text = "versions are written as their git tags have them: `1.2.3-rc.1`, and not `1.2.3rc1` as PEP 440 normalizes it";
        made.assumed.push((rule.line, text.to_owned()));
    }
    let pattern = rule.get("pattern").unwrap_or("{{version}}");
    let Some(template) = version_pattern(pattern) else {
        made.left_out.push((rule.line, format!("`{}`: the pattern is not understood", rule.source)));
        return Vec::new();
    };
    let is_whole = matches!(template.parts(), [Part::Symbol(Symbol::Version | Symbol::Tag)]);
    if is_whole || pattern.contains("prerelease") {
        return vec![(template, Condition::Always, true)];
    }
    let is_release = Condition::Test("version.pre == ''".to_owned());
    let prints = template.has(|symbol| matches!(symbol, Symbol::Version | Symbol::Tag));
    // A forward tag skips pre-releases by itself.
    let own = if prints { is_release } else { Condition::Always };
    let whole = SymbolicText::symbol(Symbol::Version);
    vec![(template, own, true), (whole, Condition::Test("version.pre != ''".to_owned()), false)]
}

fn fixed_version(rule: &ActionRule, value: &SymbolicText, made: &mut ActionTags) -> Vec<RuleValue> {
    if let Some(known) = value.known() {
        made.left_out
            .push((rule.line, format!("`{}`: the version `{known}` is written in the rule", rule.source)));
    }
    Vec::new()
}

/// `type=match`: the regular expression is tried on the git tag of a release and of a pre-release.
fn matched(rule: &ActionRule, scope: &Scope<'_>, made: &mut ActionTags) -> Vec<RuleValue> {
    if !scope.kind.is_tag() {
        return Vec::new();
    }
    let pattern = rule.get("pattern").unwrap_or_default();
    let pattern = pattern.strip_prefix('/').and_then(|it| it.strip_suffix('/')).unwrap_or(pattern);
    let group: usize = rule.get("group").and_then(|it| it.parse().ok()).unwrap_or(0);
    let Ok(regex) = Regex::new(pattern) else {
        made.left_out
            .push((rule.line, format!("`{}`: the regular expression is not understood", rule.source)));
        return Vec::new();
    };
    let tags = &scope.project.tags;
    let captured = |version: &str| {
        let tag = format!("{}{version}", tags.prefix.replace('/', "-"));
        regex.captures(&tag).and_then(|found| found.get(group)).map(|found| found.as_str().to_owned())
    };
    let (release, pre) = (captured("11.22.33"), captured("11.22.33-rc.44"));
    let symbols = |text: &[Part]| {
        text.iter().fold(SymbolicText::default(), |mut all, part| {
            all.push(part.clone());
            all
        })
    };
    let dot = || Part::Literal(".".to_owned());
    let [major, minor, patch] = [Symbol::Major, Symbol::Minor, Symbol::Patch].map(Part::Symbol);
    let known = match (release.as_deref(), pre.as_deref()) {
        (Some("11.22.33"), Some("11.22.33-rc.44")) => Some(SymbolicText::symbol(Symbol::Version)),
        (Some("11.22.33"), None) => Some(SymbolicText::symbol(Symbol::Version)),
        (Some("11.22.33"), Some("11.22.33")) => Some(symbols(&[major, dot(), minor, dot(), patch])),
        (Some("11.22"), _) => Some(symbols(&[major, dot(), minor])),
        (Some("11"), _) => Some(symbols(&[major])),
        (Some(text), _) if text == format!("{}11.22.33", tags.prefix) => {
            Some(SymbolicText::symbol(Symbol::Tag))
        }
        _ => None,
    };
    let only_releases = Condition::Test("version.pre == ''".to_owned());
    match known {
        Some(text) if tags.are_versions => {
            let is_whole = text.has(|symbol| matches!(symbol, Symbol::Version | Symbol::Tag));
            let condition = match pre {
                None => only_releases,
                Some(_) if is_whole => Condition::Always,
                // No other git tag takes `latest`.
                Some(_) => Condition::Test(format!("git.tag is matching({})", quoted(pattern))),
            };
            vec![(text, condition, true)]
        }
        _ => {
            let escaped = pattern.replace('\\', r"\\").replace('"', "\\\"");
            let capture = SymbolicText::symbol(Symbol::Expression(format!(
                "git.tag | capture(\"{escaped}\", {group})"
            )));
            vec![(capture, Condition::Test(format!("git.tag is matching({})", quoted(pattern))), true)]
        }
    }
}
