//! Makefiles: the recipes of a target as shell scripts, with `$(NAME)` for variables (GNU make, "Using Variables").

use std::collections::BTreeMap;

use super::scope::Scope;
use super::shell_text::ShellValues;

/// How deep targets need others.
const MAX_DEPTH: usize = 5;

/// A rule of a Makefile.
struct MakeRule {
    name: String,
    needs: Vec<String>,
    recipe: Vec<(usize, String)>,
}

/// A recipe as a shell script.
pub(super) struct MakeScript<'p> {
    /// The line of its first command.
    pub line: usize,
    /// The text.
    pub text: String,
    /// The values of variables.
    pub scope: Scope<'p>,
}

/// A Makefile, the targets that `make TARGET NAME=value` runs, and the values that it gives.
pub(super) struct MakeCall {
    /// The file.
    pub path: String,
    /// The targets.
    pub targets: Vec<String>,
    /// Names and values.
    pub given: Vec<(String, String)>,
}

/// The Makefile and the targets that a command runs.
pub(super) fn called(words: &[&str], texts: &BTreeMap<String, String>) -> Option<MakeCall> {
    let mut folder = "";
    let mut call = MakeCall { path: String::new(), targets: Vec::new(), given: Vec::new() };
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.split_once('=') {
            _ if *word == "-C" => folder = words.next().copied().unwrap_or_default(),
            Some((name, value)) => call.given.push((name.to_owned(), value.to_owned())),
            None if !word.starts_with('-') => call.targets.push((*word).to_owned()),
            None => {}
        }
    }
    call.path = ["Makefile", "makefile", "GNUmakefile"].into_iter().find_map(|name| {
        let path = if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", folder.trim_start_matches("./"))
        };
        texts.contains_key(&path).then_some(path)
    })?;
    Some(call)
}

/// The recipes of targets and of what they need, in order.
pub(super) fn scripts<'p>(
    text: &str,
    targets: &[String],
    given: &[(String, String)],
    scope: &Scope<'p>,
) -> Vec<MakeScript<'p>> {
    let mut scope = scope.clone();
    let rules = read(text, |name, value, replaces| {
        let path = format!("env.{}", name.to_ascii_lowercase());
        if replaces || !scope.values.contains_key(&path) {
            let value = ShellValues { scope: &scope, inserted: &[] }.word(&shell_form(value));
            scope.set(&path, value);
        }
    });
    for (name, value) in given {
        let value = ShellValues { scope: &scope, inserted: &[] }.word(value);
        scope.set(&format!("env.{name}"), value);
    }
    let mut order = Vec::new();
    for target in targets {
        collect(target, &rules, &mut order, 0);
    }
    let script = |rule: &MakeRule| {
        let (line, _) = rule.recipe.first()?;
        let lines = rule.recipe.iter().map(|(_, line)| shell_form(line.trim_start_matches(['@', '-', '+'])));
        let text = lines.collect::<Vec<_>>().join("\n");
        Some(MakeScript { line: *line, text, scope: scope.clone() })
    };
    order.into_iter().filter_map(script).collect()
}

/// The targets of a Makefile whose recipes push images.
pub(super) fn pushing_targets(text: &str) -> Vec<String> {
    let pushes = |rule: &MakeRule| {
        rule.recipe.iter().any(|(_, line)| line.contains("push") && !line.contains("git push"))
    };
    read(text, |_, _, _| {}).iter().filter(|rule| pushes(rule)).map(|rule| rule.name.clone()).collect()
}

fn collect<'r>(target: &str, rules: &'r [MakeRule], order: &mut Vec<&'r MakeRule>, depth: usize) {
    let Some(rule) = rules.iter().find(|it| it.name == target) else { return };
    if depth > MAX_DEPTH || order.iter().any(|it| it.name == rule.name) {
        return;
    }
    for need in &rule.needs {
        collect(need, rules, order, depth + 1);
    }
    order.push(rule);
}

/// The rules of a Makefile. Its variables go to `set`: name, value, and whether it replaces a value of the environment.
fn read(text: &str, mut set: impl FnMut(&str, &str, bool)) -> Vec<MakeRule> {
    let mut rules: Vec<MakeRule> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let mut line = line.to_owned();
        while line.ends_with('\\') {
            line.pop();
            let Some((_, next)) = lines.next() else { break };
            line.push_str(next.trim_start());
        }
        if let Some(recipe) = line.strip_prefix('\t') {
            if let Some(rule) = rules.last_mut() {
                rule.recipe.push((number + 1, recipe.to_owned()));
            }
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let assignment = ["?=", ":=", "::=", "="].iter().find_map(|sign| {
            let (name, value) = line.split_once(sign)?;
            let name = name.trim().trim_start_matches("export ").trim_end_matches(':').trim();
            let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            plain.then(|| (name.to_owned(), value.trim().to_owned(), *sign != "?="))
        });
        if let Some((name, value, replaces)) = assignment {
            set(&name, &value, replaces);
        } else if let Some((names, needs)) = line.split_once(':') {
            for name in names.split_whitespace() {
                let needs = needs.split_whitespace().map(str::to_owned).collect();
                rules.push(MakeRule { name: name.to_owned(), needs, recipe: Vec::new() });
            }
        }
    }
    rules
}

/// `$(NAME)` and `$$` of make in the form of the shell; `$(shell command)` is the output of a command.
fn shell_form(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        made.push_str(before);
        if let Some(more) = after.strip_prefix('$') {
            made.push('$');
            rest = more;
        } else if let Some(more) = after.strip_prefix("(shell ") {
            made.push_str("$(");
            rest = more;
        } else if let Some((name, more)) = after.strip_prefix('(').and_then(|it| it.split_once(')')) {
            made.push_str(&format!("${{{name}}}"));
            rest = more;
        } else {
            made.push('$');
            rest = after;
        }
    }
    made.push_str(rest);
    made
}
