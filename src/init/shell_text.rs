//! Words of a shell script as symbolic texts: variables, parameter expansion, and the output of a few commands.

use super::scope::{Scope, ScopeValue};
use super::shell_edits::{cut, cut_fields, replaced, substituted, without_end, without_start};
use super::symbolic::{Part, Symbol, SymbolicText};
use super::tags::TagFacts;

/// The deepest nesting of expansions.
const MAX_DEPTH: usize = 12;

/// The values of a script.
pub(super) struct ShellValues<'s, 'p> {
    /// The scope of the run; variables of the script are in it as `shell.NAME`.
    pub scope: &'s Scope<'p>,
    /// Values of `${{ … }}`, which stand in the script as `\u{2}N\u{2}`.
    pub inserted: &'s [SymbolicText],
}

impl ShellValues<'_, '_> {
    fn tags(&self) -> &TagFacts {
        &self.scope.project.tags
    }

    /// The text of a word.
    pub fn word(&self, raw: &str) -> SymbolicText {
        self.expand(raw, 0)
    }

    fn expand(&self, raw: &str, depth: usize) -> SymbolicText {
        let mut made = SymbolicText::default();
        if depth > MAX_DEPTH {
            return SymbolicText::unknown(raw);
        }
        let mut rest = raw;
        let mut in_double = false;
        while let Some(character) = rest.chars().next() {
            let after = rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '\'' if !in_double => {
                    let (inside, more) = after.split_once('\'').unwrap_or((after, ""));
                    made.append(&self.plain(inside));
                    rest = more;
                    continue;
                }
                '"' => in_double = !in_double,
                '\\' => {
                    let escaped = after.chars().next().unwrap_or('\\');
                    if escaped != '\n' {
                        made.push(Part::Literal(escaped.to_string()));
                    }
                    rest = after.get(escaped.len_utf8()..).unwrap_or_default();
                    continue;
                }
                '\u{2}' => {
                    let (number, more) = after.split_once('\u{2}').unwrap_or((after, ""));
                    if let Some(value) = number.parse::<usize>().ok().and_then(|at| self.inserted.get(at)) {
                        made.append(value);
                    }
                    rest = more;
                    continue;
                }
                '$' | '`' => {
                    let (value, more) = self.dollar(rest, depth);
                    made.append(&value);
                    rest = more;
                    continue;
                }
                other => made.push(Part::Literal(other.to_string())),
            }
            rest = after;
        }
        made
    }

    /// Text in single quotes, in which GitHub still replaces its expressions.
    fn plain(&self, text: &str) -> SymbolicText {
        let mut made = SymbolicText::default();
        for (at, piece) in text.split('\u{2}').enumerate() {
            match piece.parse::<usize>().ok().and_then(|it| self.inserted.get(it)).filter(|_| at % 2 == 1) {
                Some(value) => made.append(value),
                None => made.push(Part::Literal(piece.to_owned())),
            }
        }
        made
    }

    /// The value at a `$`, and the rest of the text.
    fn dollar<'t>(&self, text: &'t str, depth: usize) -> (SymbolicText, &'t str) {
        if let Some(inside) = text.strip_prefix('`') {
            let (inside, rest) = inside.split_once('`').unwrap_or((inside, ""));
            return (self.command(inside, depth), rest);
        }
        let after = text.get(1..).unwrap_or_default();
        if after.starts_with("((") || after.starts_with('(') {
            let (inside, rest) = balanced(after, '(', ')');
            let value = if inside.starts_with('(') {
                SymbolicText::unknown(inside)
            } else {
                self.command(inside, depth)
            };
            return (value, rest);
        }
        if after.starts_with('{') {
            let (inside, rest) = balanced(after, '{', '}');
            return (self.parameter(inside, depth), rest);
        }
        let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let length = if after.starts_with(|c: char| c.is_ascii_digit()) { 1 } else { length };
        match after.split_at_checked(length) {
            Some((name, rest)) if !name.is_empty() => (self.variable(name), rest),
            // `$$`, `$?` and a `$` alone.
            _ => (SymbolicText::literal("$"), after),
        }
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> SymbolicText {
        let lower = name.to_ascii_lowercase();
        for path in [format!("shell.{lower}"), format!("env.{lower}")] {
            if let Some(value) = self.scope.values.get(&path) {
                return value.text(name);
            }
        }
        let github = match lower.strip_prefix("github_") {
            Some("env" | "output" | "workspace" | "token" | "path" | "actor") | None => None,
            Some(rest) => Some(self.scope.value(&format!("github.{rest}"))),
        };
        match github {
            Some(ScopeValue::Text(text)) => text,
            Some(ScopeValue::Null) => SymbolicText::default(),
            _ => SymbolicText::unknown(&format!("${name}")),
        }
    }

    /// `${…}` (POSIX.1-2024, "Parameter Expansion"; the rest is bash's).
    fn parameter(&self, inside: &str, depth: usize) -> SymbolicText {
        let length = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
        let Some((name, operation)) = inside.split_at_checked(length).filter(|(name, _)| !name.is_empty())
        else {
            return SymbolicText::unknown(&format!("${{{inside}}}"));
        };
        let value = self.variable(name);
        let is_unset = value.known() == Some("") || value.parts() == [Part::Unknown(format!("${name}"))];
        let argument = |skip: usize| self.expand(operation.get(skip..).unwrap_or_default(), depth + 1);
        match operation {
            // All items of a list of bash, which is one text here.
            "" | "[@]" | "[*]" => value,
            ",," => value.map_known(str::to_lowercase),
            "^^" => value.map_known(str::to_uppercase),
            _ if operation.starts_with(":-") || operation.starts_with(":=") => {
                if is_unset && !seems_version(&value) { argument(2) } else { value }
            }
            _ if operation.starts_with('-') || operation.starts_with('=') => {
                if is_unset && !seems_version(&value) { argument(1) } else { value }
            }
            _ if operation.starts_with(":?") || operation.starts_with('?') => value,
            _ if operation.starts_with(":+") => {
                if is_unset {
                    value
                } else {
                    argument(2)
                }
            }
            _ if operation.starts_with('#') => {
                let skip = if operation.starts_with("##") { 2 } else { 1 };
                without_start(&value, argument(skip).known().unwrap_or_default(), self.tags())
            }
            _ if operation.starts_with('%') => {
                let skip = if operation.starts_with("%%") { 2 } else { 1 };
                without_end(&value, argument(skip).known().unwrap_or_default(), skip == 2, self.tags())
            }
            _ if operation.starts_with('/') => {
                let is_all = operation.starts_with("//");
                let pattern = operation.get(if is_all { 2 } else { 1 }..).unwrap_or_default();
                let (from, to) = split_pattern(pattern);
                replaced(
                    &value,
                    &self.expand(&from, depth + 1),
                    &self.expand(&to, depth + 1),
                    is_all,
                    self.tags(),
                )
            }
            _ if operation.starts_with(':') => {
                let mut numbers = operation.get(1..).unwrap_or_default().split(':');
                let start = numbers.next().map(str::trim).filter(|it| !it.is_empty()).unwrap_or("0");
                cut(&value, start.parse().unwrap_or(0), numbers.next().and_then(|it| it.trim().parse().ok()))
            }
            _ => SymbolicText::unknown(&format!("${{{inside}}}")),
        }
    }

    /// The output of a command.
    fn command(&self, text: &str, depth: usize) -> SymbolicText {
        let unknown = || SymbolicText::unknown(text.trim());
        let mut pieces = split_pipes(text).into_iter();
        let Some(first) = pieces.next() else { return unknown() };
        let words: Vec<SymbolicText> = words(&first).iter().map(|raw| self.expand(raw, depth + 1)).collect();
        let known: Vec<&str> = words.iter().map(|word| word.known().unwrap_or("\u{3}")).collect();
        let mut value = match known.as_slice() {
            ["echo" | "printf", ..] => {
                let words = words
                    .iter()
                    .skip(1)
                    .filter(|it| !matches!(it.known(), Some("-n" | "-e" | "%s")))
                    .cloned();
                words
                    .reduce(|one, other| one.then(&SymbolicText::literal(" ")).then(&other))
                    .unwrap_or_default()
            }
            ["basename", _, ..] => {
                words.get(1).map(|it| without_start(it, "*/", self.tags())).unwrap_or_default()
            }
            ["git", "describe", ..] if self.scope.kind.is_tag() => SymbolicText::symbol(Symbol::Tag),
            ["git", "tag", "--points-at", ..] if self.scope.kind.is_tag() => {
                SymbolicText::symbol(Symbol::Tag)
            }
            ["git", "rev-parse", "--abbrev-ref", ..] | ["git", "branch", "--show-current"] => {
                SymbolicText::symbol(Symbol::Branch)
            }
            ["git", "rev-parse", option, ..] if option.starts_with("--short") => {
                let digits = option.strip_prefix("--short=").and_then(|it| it.parse().ok()).unwrap_or(7);
                SymbolicText::symbol(Symbol::ShortSha(digits))
            }
            ["git", "rev-parse", "HEAD"] => SymbolicText::symbol(Symbol::Sha),
            ["git", "log", ..] if text.contains("%h") => SymbolicText::symbol(Symbol::ShortSha(7)),
            ["git", "log", ..] if text.contains("%H") => SymbolicText::symbol(Symbol::Sha),
            ["date", ..] => match known.iter().find_map(|word| word.strip_prefix('+')) {
                Some(format) if !format.contains('"') => {
                    SymbolicText::symbol(Symbol::Date(format.to_owned()))
                }
                _ => unknown(),
            },
            _ => return unknown(),
        };
        for piece in pieces {
            let arguments: Vec<String> = shell_words_plain(&piece, self, depth);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            value = match arguments.as_slice() {
                ["sed", rest @ ..] => {
                    let scripts = rest.iter().filter(|it| !matches!(**it, "-e" | "-E" | "-r" | "-n"));
                    scripts.fold(value, |value, script| substituted(&value, script, self.tags()))
                }
                ["cut", rest @ ..] => cut_fields(&value, rest, self.tags()),
                ["tr", "-d", "v"] => without_start(&value, "v", self.tags()),
                ["tr", "/" | "\\/", to] => value.map_known(|known| known.replace('/', to)),
                ["tr", from, _] if from.contains("upper") || from.contains("A-Z") => {
                    value.map_known(str::to_lowercase)
                }
                ["xargs" | "head" | "tail" | "sort" | "tr", ..] => value,
                _ => return unknown(),
            };
        }
        value
    }
}

fn seems_version(value: &SymbolicText) -> bool {
    value.first_unknown().is_some_and(|it| it.to_ascii_lowercase().contains("version"))
}

fn shell_words_plain(text: &str, values: &ShellValues<'_, '_>, depth: usize) -> Vec<String> {
    words(text)
        .iter()
        .map(|raw| values.expand(raw, depth + 1).known().unwrap_or_default().to_owned())
        .collect()
}

/// The text in brackets at the start of `text`, and the rest.
fn balanced(text: &str, open: char, close: char) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth -= 1;
            if depth == 0 {
                return (text.get(1..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
            }
        }
    }
    (text.get(1..).unwrap_or_default(), "")
}

/// The commands of a pipe, outside of quotes.
fn split_pipes(text: &str) -> Vec<String> {
    let (mut found, mut piece, mut quote) = (Vec::new(), String::new(), None);
    for character in text.chars() {
        match (quote, character) {
            (None, '|') => found.push(std::mem::take(&mut piece)),
            (None, '\'' | '"') => {
                quote = Some(character);
                piece.push(character);
            }
            (Some(open), _) if open == character => {
                quote = None;
                piece.push(character);
            }
            _ => piece.push(character),
        }
    }
    found.push(piece);
    found
}

/// The words of a simple command.
fn words(text: &str) -> Vec<String> {
    super::shell_syntax::statements(text, 1)
        .into_iter()
        .find_map(|it| match it {
            super::shell_syntax::ShellStatement::Command(words) => Some(words),
            _ => None,
        })
        .unwrap_or_default()
        .into_iter()
        .map(|word| word.raw)
        .collect()
}

fn split_pattern(text: &str) -> (String, String) {
    let mut from = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => from.extend(characters.next().map(|(_, c)| c)),
            '/' => return (from, text.get(at + 1..).unwrap_or_default().to_owned()),
            other => from.push(other),
        }
    }
    (from, String::new())
}
