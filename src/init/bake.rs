//! Bake files in HCL and JSON (docs.docker.com, "Bake file reference"): the tags of the targets that are pushed, with the variables of
//! the step.

use std::collections::BTreeMap;

use super::bake_json::json_blocks;
use super::condition::Condition;
use super::hcl::{HclBlock, HclExpression, HclTemplatePart, read_hcl};
use super::publication::{BuildFacts, Origin};
use super::publishing_files::is_bake;
use super::scope::Scope;
use super::step_context::StepContext;
use super::symbolic::{Part, SymbolicText};

/// The deepest evaluation, and the longest list.
const MAX_DEPTH: usize = 25;
const MAX_ITEMS: usize = 200;

/// Publishes the targets of bake files, or the tags of metadata steps that are among the files.
pub(super) fn publish(
    files: &[String],
    targets: &[String],
    pushed: &Condition,
    origin: &Origin,
    metadata: &[usize],
    context: &mut StepContext<'_, '_>,
) {
    let texts = &context.scope.project.texts;
    let named: Vec<String> = if files.iter().any(|it| is_bake(it)) {
        files.to_vec()
    } else {
        texts.keys().filter(|it| is_bake(it) && !it.contains('/')).cloned().collect()
    };
    let mut blocks = Vec::new();
    for file in &named {
        let Some(text) = texts.get(file) else { continue };
        let read = if file.strip_suffix(".json").is_some() { json_blocks(text) } else { read_hcl(text) };
        match read {
            Some(block) => blocks.push((file.clone(), block)),
            None => context.all.found.leave(&Origin::new(file, 0), "the bake file is not understood"),
        }
    }
    let bake = BakeFiles { blocks: &blocks, scope: &context.scope.clone() };
    let wanted = bake.targets(if targets.is_empty() { &[] } else { targets });
    if !metadata.is_empty() {
        let target = wanted.first().and_then(|name| bake.target(name));
        let build = target.map(|_| bake.build(wanted.first().map_or("", String::as_str))).unwrap_or_default();
        for number in metadata {
            context.push_metadata(*number, &build, pushed);
        }
        return;
    }
    for name in &wanted {
        let build = bake.build(name);
        let is_pushed = match pushed {
            Condition::Never if bake.is_output(name) => Condition::Always,
            other => other.clone(),
        };
        for (tag, at) in bake.tags(name) {
            let at = if at.line == 0 { origin.clone() } else { at };
            context.push_references(&tag, &build, &is_pushed, &at);
        }
    }
}

/// A value of an expression.
#[derive(Debug, Clone, PartialEq)]
enum BakeValue {
    Null,
    Text(SymbolicText),
    List(Vec<BakeValue>),
    Truth(Condition),
    Unknown,
}

/// Values of parameters.
type Locals = BTreeMap<String, BakeValue>;

struct BakeFiles<'b, 'p> {
    blocks: &'b [(String, HclBlock)],
    scope: &'b Scope<'p>,
}

impl BakeFiles<'_, '_> {
    fn block(&self, kind: &str, label: &str) -> Option<&HclBlock> {
        let all = self.blocks.iter().flat_map(|(_, whole)| &whole.blocks);
        all.rev().find(|it| it.kind == kind && it.label == label)
    }

    fn target(&self, name: &str) -> Option<&HclBlock> {
        self.block("target", name)
    }

    /// The targets that names stand for: groups are resolved, and `default` is meant without names.
    fn targets(&self, names: &[String]) -> Vec<String> {
        let mut waiting: Vec<(String, usize)> = names.iter().rev().map(|name| (name.clone(), 0)).collect();
        if names.is_empty() {
            waiting.push(("default".to_owned(), 0));
        }
        let mut found: Vec<String> = Vec::new();
        while let Some((name, depth)) = waiting.pop() {
            if let Some(group) = self.block("group", &name).filter(|_| depth < 10) {
                let inside = attribute(group, "targets").map(|(it, _)| self.strings(it)).unwrap_or_default();
                waiting.extend(inside.into_iter().rev().map(|it| (it, depth + 1)));
            } else if self.target(&name).is_some() && !found.contains(&name) && found.len() < MAX_ITEMS {
                found.push(name);
            }
        }
        found
    }

    fn strings(&self, expression: &HclExpression) -> Vec<String> {
        let value = self.value(expression, &Locals::new(), 0);
        texts(&value).iter().map(SymbolicText::shown).collect()
    }

    /// An attribute of a target or of one that it inherits from, the last first.
    fn inherited(&self, name: &str, key: &str, depth: usize) -> Option<(HclExpression, Origin)> {
        let target = self.target(name)?;
        if let Some((expression, line)) = attribute(target, key) {
            let file = self.blocks.iter().find(|(_, whole)| whole.blocks.contains(target));
            let file = file.map(|(file, _)| file.as_str()).unwrap_or_default();
            return Some((expression.clone(), Origin::new(file, line)));
        }
        let parents = attribute(target, "inherits").map(|(it, _)| self.strings(it)).unwrap_or_default();
        parents.iter().rev().filter(|_| depth < 10).find_map(|parent| self.inherited(parent, key, depth + 1))
    }

    fn tags(&self, name: &str) -> Vec<(SymbolicText, Origin)> {
        let Some((expression, origin)) = self.inherited(name, "tags", 0) else { return Vec::new() };
        let value = self.value(&expression, &Locals::new(), 0);
        texts(&value).into_iter().filter(|it| it.known() != Some("")).map(|it| (it, origin.clone())).collect()
    }

    /// Whether `output` pushes.
    fn is_output(&self, name: &str) -> bool {
        let output =
            self.inherited(name, "output", 0).map(|(it, _)| texts(&self.value(&it, &Locals::new(), 0)));
        output
            .unwrap_or_default()
            .iter()
            .map(SymbolicText::shown)
            .any(|it| it.contains("type=registry") || it.contains("push=true"))
    }

    fn build(&self, name: &str) -> BuildFacts {
        let text = |key: &str| {
            let (expression, _) = self.inherited(name, key, 0)?;
            texts(&self.value(&expression, &Locals::new(), 0))
                .first()
                .and_then(|it| it.known().map(str::to_owned))
        };
        let folder = text("context").unwrap_or_default();
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        let file = text("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned());
        let file = file.trim_start_matches("./");
        let dockerfile = if matches!(folder, "" | ".") || folder.contains(':') {
            file.to_owned()
        } else {
            format!("{folder}/{file}")
        };
        let platforms =
            self.inherited(name, "platforms", 0).map(|(it, _)| self.strings(&it)).unwrap_or_default();
        BuildFacts { dockerfile: Some(dockerfile), variant: format!("bake target {name}"), platforms }
    }

    fn value(&self, expression: &HclExpression, locals: &Locals, depth: usize) -> BakeValue {
        if depth > MAX_DEPTH {
            return BakeValue::Unknown;
        }
        let inside = |it: &HclExpression| self.value(it, locals, depth + 1);
        match expression {
            HclExpression::Word(word) => match word.as_str() {
                "null" => BakeValue::Null,
                "true" | "false" => BakeValue::Truth(Condition::known(word == "true")),
                other => BakeValue::Text(SymbolicText::literal(other)),
            },
            HclExpression::Template(parts) => {
                let mut text = SymbolicText::default();
                for part in parts {
                    match part {
                        HclTemplatePart::Text(known) => text.push(Part::Literal(known.clone())),
                        HclTemplatePart::Value(value) => match inside(value) {
                            BakeValue::Text(value) => text.append(&value),
                            BakeValue::Null => {}
                            _ => text.push(Part::Unknown("an expression of the bake file".to_owned())),
                        },
                    }
                }
                BakeValue::Text(text)
            }
            HclExpression::Name(name) => self.variable(name, locals, depth),
            HclExpression::List(items) => BakeValue::List(items.iter().take(MAX_ITEMS).map(inside).collect()),
            HclExpression::Choice(test, yes, no) => match truth(&inside(test)) {
                Condition::Always => inside(yes),
                Condition::Never => inside(no),
                // A test of the version that a run is given: it is given one.
                _ => inside(yes),
            },
            HclExpression::Not(it) => BakeValue::Truth(truth(&inside(it)).negated()),
            HclExpression::Binary(sign, one, other) => self.binary(sign, &inside(one), &inside(other)),
            HclExpression::For(name, over, value) => {
                let BakeValue::List(items) = inside(over) else { return BakeValue::Unknown };
                let each = items.into_iter().take(MAX_ITEMS).map(|item| {
                    let mut own = locals.clone();
                    own.insert(name.clone(), item);
                    self.value(value, &own, depth + 1)
                });
                BakeValue::List(each.collect())
            }
            HclExpression::Call(name, arguments) => {
                let arguments: Vec<BakeValue> = arguments.iter().map(inside).collect();
                self.call(name, &arguments, depth)
            }
            HclExpression::Object(_) => BakeValue::Unknown,
        }
    }

    fn variable(&self, name: &str, locals: &Locals, depth: usize) -> BakeValue {
        if let Some(value) = locals.get(name) {
            return value.clone();
        }
        if let Some(value) = self.scope.values.get(&format!("env.{}", name.to_ascii_lowercase())) {
            return BakeValue::Text(value.text(name));
        }
        if name.starts_with("GITHUB_") {
            let value = self
                .scope
                .value(&format!("github.{}", name.trim_start_matches("GITHUB_").to_ascii_lowercase()));
            return BakeValue::Text(value.text(name));
        }
        if let Some(variable) = self.block("variable", name) {
            return match attribute(variable, "default") {
                Some((default, _)) => self.value(default, &Locals::new(), depth + 1),
                None => BakeValue::Text(SymbolicText::unknown(name)),
            };
        }
        let whole = self.blocks.iter().find_map(|(_, whole)| attribute(whole, name));
        whole.map_or(BakeValue::Unknown, |(it, _)| self.value(it, &Locals::new(), depth + 1))
    }

    fn binary(&self, sign: &str, one: &BakeValue, other: &BakeValue) -> BakeValue {
        match sign {
            "&&" => BakeValue::Truth(truth(one).and(truth(other))),
            "||" => BakeValue::Truth(truth(one).or(truth(other))),
            "==" | "!=" => {
                let equal = match (one, other) {
                    (BakeValue::Text(one), BakeValue::Text(other)) => match (one.known(), other.known()) {
                        (None, Some("")) | (Some(""), None) => Condition::Never,
                        _ => self.scope.equal(one, other),
                    },
                    (BakeValue::Null, BakeValue::Null) => Condition::Always,
                    (BakeValue::Null, _) | (_, BakeValue::Null) => Condition::Never,
                    (BakeValue::Truth(one), BakeValue::Truth(other)) if one == other => Condition::Always,
                    _ => Condition::Unknown("a comparison in the bake file".to_owned()),
                };
                BakeValue::Truth(if sign == "==" { equal } else { equal.negated() })
            }
            _ => BakeValue::Unknown,
        }
    }

    fn call(&self, name: &str, arguments: &[BakeValue], depth: usize) -> BakeValue {
        let text = |at: usize| match arguments.get(at) {
            Some(BakeValue::Text(text)) => Some(text.clone()),
            Some(BakeValue::Null) => Some(SymbolicText::default()),
            _ => None,
        };
        match (name, arguments) {
            ("equal", [one, other]) => self.binary("==", one, other),
            ("notequal", [one, other]) => self.binary("!=", one, other),
            ("and", [one, other]) => self.binary("&&", one, other),
            ("or", [one, other]) => self.binary("||", one, other),
            ("not", [one]) => BakeValue::Truth(truth(one).negated()),
            ("flatten" | "compact" | "distinct" | "concat", lists) => BakeValue::List(
                lists.iter().flat_map(flat).filter(|it| *it != BakeValue::Null).take(MAX_ITEMS).collect(),
            ),
            ("split", [_, _]) => match (text(0), text(1)) {
                (Some(mark), Some(text)) => {
                    let mark = mark.known().and_then(|it| it.chars().next()).unwrap_or(',');
                    BakeValue::List(text.split(|c| c == mark).into_iter().map(BakeValue::Text).collect())
                }
                _ => BakeValue::Unknown,
            },
            ("join", [_, list]) => {
                let mark = text(0).unwrap_or_default();
                let joined = texts(list).into_iter().reduce(|one, other| one.then(&mark).then(&other));
                BakeValue::Text(joined.unwrap_or_default())
            }
            ("replace", [_, _, _]) => match (text(0), text(1), text(2)) {
                (Some(value), Some(from), Some(to)) => match (from.known(), to.known()) {
                    (Some(from), Some(to)) => {
                        BakeValue::Text(value.map_known(|known| known.replace(from, to)))
                    }
                    _ => BakeValue::Unknown,
                },
                _ => BakeValue::Unknown,
            },
            ("lower", [_]) => {
                text(0).map_or(BakeValue::Unknown, |it| BakeValue::Text(it.map_known(str::to_lowercase)))
            }
            ("trimprefix", [_, _]) => match (text(0), text(1)) {
                (Some(value), Some(prefix)) => {
                    let rest = prefix.known().and_then(|it| value.strip_prefix(it, &self.scope.project.tags));
                    BakeValue::Text(rest.unwrap_or(value))
                }
                _ => BakeValue::Unknown,
            },
            ("coalesce", all) => {
                all.iter().find(|it| !matches!(it, BakeValue::Null)).cloned().unwrap_or(BakeValue::Null)
            }
            _ => self.own_function(name, arguments, depth),
        }
    }

    /// A function of the file: `function "name" { params, result }`.
    fn own_function(&self, name: &str, arguments: &[BakeValue], depth: usize) -> BakeValue {
        let Some(function) = self.block("function", name) else { return BakeValue::Unknown };
        let names = match attribute(function, "params") {
            Some((HclExpression::List(names), _)) => names.clone(),
            _ => Vec::new(),
        };
        let mut locals = Locals::new();
        for (name, value) in names.iter().zip(arguments) {
            if let HclExpression::Name(name) = name {
                locals.insert(name.clone(), value.clone());
            }
        }
        let result = attribute(function, "result");
        result.map_or(BakeValue::Unknown, |(it, _)| self.value(it, &locals, depth + 1))
    }
}

fn attribute<'b>(block: &'b HclBlock, key: &str) -> Option<(&'b HclExpression, usize)> {
    block.attributes.iter().rev().find(|(name, _, _)| name == key).map(|(_, value, line)| (value, *line))
}

fn flat(value: &BakeValue) -> Vec<BakeValue> {
    match value {
        BakeValue::List(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.clone()],
    }
}

fn texts(value: &BakeValue) -> Vec<SymbolicText> {
    let text = |it: BakeValue| match it {
        BakeValue::Text(text) => Some(text),
        BakeValue::Unknown => Some(SymbolicText::unknown("an expression of the bake file")),
        _ => None,
    };
    flat(value).into_iter().filter_map(text).collect()
}

fn truth(value: &BakeValue) -> Condition {
    match value {
        BakeValue::Truth(condition) => condition.clone(),
        BakeValue::Text(text) => match text.known() {
            Some(known) => Condition::known(!matches!(known, "" | "false" | "0")),
            None => Condition::Always,
        },
        BakeValue::Null => Condition::Never,
        _ => Condition::Unknown("an expression of the bake file".to_owned()),
    }
}
