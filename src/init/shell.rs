//! Runs a shell script with symbols for what only a run knows: sets variables and outputs, and collects the commands.

use super::condition::Condition;
use super::expression;
use super::scope::{RunKind, Scope};
use super::shell_syntax::{ShellStatement, ShellWord, statements};
use super::shell_text::ShellValues;
use super::symbolic::SymbolicText;

/// A command that a script runs.
#[derive(Debug, Clone)]
pub(super) struct RunCommand {
    /// Its words.
    pub words: Vec<SymbolicText>,
    /// Its line.
    pub line: usize,
    /// The condition.
    pub condition: Condition,
}

/// The most commands of a script.
const MAX_COMMANDS: usize = 500;

/// Runs `script`, whose first line is `line`. Outputs of the step `id` and variables go to `scope`.
pub(super) fn run_script(script: &str, line: usize, id: &str, scope: &mut Scope<'_>) -> Vec<RunCommand> {
    let mut inserted = Vec::new();
    let mut text = String::new();
    let mut rest = script;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some((inside, after)) = after.split_once("}}") else { break };
        text.push_str(before);
        text.push_str(&format!("\u{2}{}\u{2}", inserted.len()));
        inserted.push(expression::evaluate(inside, scope).text(inside.trim()));
        rest = after;
    }
    text.push_str(rest);
    scope.values.retain(|name, _| !name.starts_with("shell."));
    let mut run = ScriptRun { inserted, id, scope, commands: Vec::new() };
    run.all(&statements(&text, line), &Condition::Always, 0);
    run.commands
}

struct ScriptRun<'s, 'p> {
    inserted: Vec<SymbolicText>,
    id: &'s str,
    scope: &'s mut Scope<'p>,
    commands: Vec<RunCommand>,
}

impl ScriptRun<'_, '_> {
    fn text(&self, raw: &str) -> SymbolicText {
        ShellValues { scope: self.scope, inserted: &self.inserted }.word(raw)
    }

    fn all(&mut self, statements: &[ShellStatement], condition: &Condition, depth: usize) {
        if *condition == Condition::Never || depth > 20 {
            return;
        }
        for statement in statements {
            self.one(statement, condition, depth);
        }
    }

    fn one(&mut self, statement: &ShellStatement, condition: &Condition, depth: usize) {
        match statement {
            ShellStatement::Command(words) => self.command(words, condition),
            ShellStatement::Pipe(parts) => self.pipe(parts, condition, depth),
            ShellStatement::Joined { first, all, second } => {
                let holds = self.test(std::slice::from_ref(first));
                if holds.is_none() {
                    self.one(first, condition, depth + 1);
                }
                // A command that is no test succeeds.
                let holds = holds.unwrap_or(Condition::Always);
                let wanted = if *all { holds } else { holds.negated() };
                self.all(std::slice::from_ref(second), &condition.clone().and(wanted), depth + 1);
            }
            ShellStatement::If(branches) => {
                let mut open = condition.clone();
                for (tests, body) in branches {
                    let holds = match tests.as_slice() {
                        [] => Condition::Always,
                        tests => self
                            .test(tests)
                            .unwrap_or_else(|| Condition::Unknown("a test of a script".to_owned())),
                    };
                    self.all(body, &open.clone().and(holds.clone()), depth + 1);
                    open = open.and(holds.negated());
                }
            }
            ShellStatement::For(name, words, body) => {
                let mut values = Vec::new();
                for word in words {
                    let value = self.text(&word.raw);
                    let is_quoted = word.raw.starts_with('"');
                    values.extend(if is_quoted { vec![value] } else { value.split(char::is_whitespace) });
                }
                for value in values.into_iter().take(20) {
                    self.scope.set(&format!("shell.{name}"), value);
                    self.all(body, condition, depth + 1);
                }
            }
            ShellStatement::Case(word, arms) => {
                let value = self.text(&word.raw);
                let mut open = condition.clone();
                for (patterns, body) in arms {
                    let each = patterns.iter().map(|pattern| self.fits(&value, pattern));
                    let holds = each.fold(Condition::Never, Condition::or);
                    self.all(body, &open.clone().and(holds.clone()), depth + 1);
                    open = open.and(holds.negated());
                }
            }
        }
    }

    /// `echo "name=value" | tee -a $GITHUB_OUTPUT`, and commands whose input does not matter.
    fn pipe(&mut self, parts: &[ShellStatement], condition: &Condition, depth: usize) {
        if let [ShellStatement::Command(first), ShellStatement::Command(last)] = parts
            && last.first().is_some_and(|word| word.raw == "tee")
        {
            let mut words = first.clone();
            words.push(ShellWord { raw: ">>".to_owned(), line: 0 });
            words.extend(last.last().cloned());
            return self.command(&words, condition);
        }
        self.all(parts, condition, depth + 1);
    }

    /// Whether `value` fits a pattern of `case`, or of `==` in `[[ … ]]`.
    fn fits(&self, value: &SymbolicText, pattern: &str) -> Condition {
        let pattern = self.text(pattern);
        match pattern.known() {
            Some("*") => Condition::Always,
            Some(known) if known.len() > 1 && known.starts_with('*') && known.ends_with('*') => {
                let inside = known.trim_matches('*').replace(['[', ']'], "");
                self.scope.contains(value, &SymbolicText::literal(&inside), false)
            }
            Some(known) if known.ends_with('*') => {
                self.scope.begins(value, &SymbolicText::literal(known.trim_end_matches('*')))
            }
            Some(known) if known.starts_with('*') => {
                self.scope.contains(value, &SymbolicText::literal(known.trim_start_matches('*')), true)
            }
            _ => self.scope.equal(value, &pattern),
        }
    }

    /// The condition of commands that are tests. `None` if they are not.
    fn test(&self, statements: &[ShellStatement]) -> Option<Condition> {
        match statements {
            [ShellStatement::Command(words)] => {
                let raw: Vec<&str> = words.iter().map(|word| word.raw.as_str()).collect();
                match raw.as_slice() {
                    ["!", rest @ ..] => self.words_test(rest).map(Condition::negated),
                    rest => self.words_test(rest),
                }
            }
            [ShellStatement::Joined { first, all, second }] => {
                let one = self.test(std::slice::from_ref(first))?;
                let two = self.test(std::slice::from_ref(second))?;
                Some(if *all { one.and(two) } else { one.or(two) })
            }
            [ShellStatement::If(branches)] => match branches.as_slice() {
                [(tests, body)] if tests.is_empty() => self.test(body),
                _ => None,
            },
            _ => None,
        }
    }

    fn words_test(&self, words: &[&str]) -> Option<Condition> {
        match words {
            ["true"] => Some(Condition::Always),
            ["false"] => Some(Condition::Never),
            ["[", inside @ .., "]"] | ["[[", inside @ .., "]]"] | ["test", inside @ ..] => {
                Some(self.inside_test(inside))
            }
            _ => None,
        }
    }

    fn inside_test(&self, words: &[&str]) -> Condition {
        for (sign, all) in [("||", false), ("-o", false), ("&&", true), ("-a", true)] {
            if let Some(at) = words.iter().position(|word| *word == sign) {
                let (one, other) =
                    (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
                let (one, other) = (self.inside_test(one), self.inside_test(other));
                return if all { one.and(other) } else { one.or(other) };
            }
        }
        let unknown = || Condition::Unknown(words.join(" ").replace('\u{2}', ""));
        let is_empty = |raw: &str| {
            let value = self.text(raw);
            match value.known() {
                Some(known) => Condition::known(known.is_empty()),
                None if value.first_unknown().is_some() => unknown(),
                None => Condition::Never,
            }
        };
        match words {
            ["!", rest @ ..] => self.inside_test(rest).negated(),
            ["-z", word] => is_empty(word),
            ["-n", word] | [word] => is_empty(word).negated(),
            [one, "=" | "==", other] => self.fits(&self.text(one), other),
            [one, "!=", other] => self.fits(&self.text(one), other).negated(),
            [one, "=~", pattern] => {
                let value = self.text(one);
                let start = pattern.trim_start_matches('^').trim_matches(['"', '\'']).replace('\\', "");
                let known = start.split(['(', '[', '.', '*', '+', '$']).next().unwrap_or_default();
                if pattern.starts_with('^') && known.len() > 1 {
                    self.scope.begins(&value, &SymbolicText::literal(known))
                } else if self.scope.kind.is_tag() && pattern.contains("[0-9]") {
                    // A test for the form of a release.
                    Condition::Always
                } else {
                    unknown()
                }
            }
            _ => unknown(),
        }
    }

    fn command(&mut self, words: &[ShellWord], condition: &Condition) {
        let mut words: &[ShellWord] = words;
        while let Some(word) = words.first() {
            let name = word.raw.split('=').next().unwrap_or_default().trim_end_matches('+');
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if matches!(word.raw.as_str(), "export" | "local" | "readonly" | "declare") {
                words = words.get(1..).unwrap_or_default();
            } else if is_name && word.raw.contains('=') {
                self.assign(name, &word.raw, condition);
                words = words.get(1..).unwrap_or_default();
            } else {
                break;
            }
        }
        let Some(first) = words.first() else { return };
        let line = first.line;
        let target = words.iter().position(|word| word.raw.starts_with('>')).map(|at| {
            let rest: String = words.iter().skip(at).map(|word| word.raw.as_str()).collect();
            (at, rest)
        });
        if first.raw == "echo" || first.raw == "printf" {
            let to = target.as_ref().map(|(_, to)| to.as_str()).unwrap_or_default();
            let end = target.as_ref().map_or(words.len(), |(at, _)| *at);
            let texts = words
                .get(1..end)
                .unwrap_or_default()
                .iter()
                .filter(|word| word.raw != "-n" && word.raw != "-e");
            let text = texts
                .map(|word| self.text(&word.raw))
                .reduce(|one, other| one.then(&SymbolicText::literal(" ")).then(&other));
            self.echoed(&text.unwrap_or_default(), to, condition);
            return;
        }
        let mut expanded = Vec::new();
        for word in words.iter().take(target.as_ref().map_or(words.len(), |(at, _)| *at)) {
            let text = self.text(&word.raw);
            let is_split = !word.raw.contains('"') && !word.raw.contains('\'') && !text.parts().is_empty();
            expanded.extend(if is_split { text.split(char::is_whitespace) } else { vec![text] });
        }
        if self.commands.len() < MAX_COMMANDS {
            self.commands.push(RunCommand { words: expanded, line, condition: condition.clone() });
        }
    }

    fn assign(&mut self, name: &str, raw: &str, condition: &Condition) {
        let Some((before, value)) = raw.split_once('=') else { return };
        let mut value = match value.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
            // A list of bash: words with blanks between them.
            Some(list) => {
                let pieces: Vec<SymbolicText> = list.split_whitespace().map(|it| self.text(it)).collect();
                let blank = SymbolicText::literal(" ");
                pieces.into_iter().reduce(|one, other| one.then(&blank).then(&other)).unwrap_or_default()
            }
            None => self.text(value),
        };
        if before.ends_with('+') {
            value = self.text(&format!("${name}")).then(&value);
        }
        self.set(&format!("shell.{name}"), value, condition);
    }

    /// Sets a value that holds under a condition. If the condition is not known, a value that was there before stays.
    fn set(&mut self, name: &str, value: SymbolicText, condition: &Condition) {
        let is_there = self.scope.values.contains_key(&name.to_ascii_lowercase());
        if *condition == Condition::Always || !is_there || self.scope.kind == RunKind::Dispatched {
            self.scope.set(name, value);
        }
    }

    /// `echo name=value >> $GITHUB_OUTPUT`, `>> $GITHUB_ENV` and `::set-output name=x::value`.
    fn echoed(&mut self, text: &SymbolicText, to: &str, condition: &Condition) {
        let id = self.id.to_owned();
        let shown = text.shown();
        if let Some(rest) = shown.strip_prefix("::set-output name=") {
            let name = rest.split("::").next().unwrap_or_default().to_owned();
            let tags = self.scope.project.tags.clone();
            if let Some(value) = text.strip_prefix(&format!("::set-output name={name}::"), &tags) {
                self.set(&format!("steps.{id}.outputs.{name}"), value, condition);
            }
            return;
        }
        let place = if to.contains("GITHUB_OUTPUT") {
            format!("steps.{id}.outputs.")
        } else if to.contains("GITHUB_ENV") {
            "env.".to_owned()
        } else {
            return;
        };
        let name: String =
            shown.chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
        let tags = self.scope.project.tags.clone();
        if let Some(value) = text.strip_prefix(&format!("{name}="), &tags).filter(|_| !name.is_empty()) {
            self.set(&format!("{place}{name}"), value, condition);
        }
    }
}
