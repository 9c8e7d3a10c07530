//! Expressions of GitHub Actions, `${{ … }}` (docs.github.com, "Evaluate expressions in workflows and actions").

use super::condition::Condition;
use super::expression_tokens::{Token, tokens};
use super::scope::{Scope, ScopeValue};
use super::symbolic::{Part, SymbolicText};

/// The deepest expression that is read.
const MAX_DEPTH: usize = 40;

/// A text with `${{ … }}` in it.
pub(super) fn interpolate(text: &str, scope: &Scope<'_>) -> SymbolicText {
    let mut made = SymbolicText::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        made.push(Part::Literal(before.to_owned()));
        let Some((expression, after)) = after.split_once("}}") else {
            made.push(Part::Unknown(rest.to_owned()));
            return made;
        };
        made.append(&evaluate(expression, scope).text(expression.trim()));
        rest = after;
    }
    made.push(Part::Literal(rest.to_owned()));
    made
}

/// A text that is true or false: an expression with or without `${{ … }}`, as `if` has it.
pub(super) fn condition(text: &str, scope: &Scope<'_>) -> Condition {
    let text = text.trim();
    let whole =
        text.strip_prefix("${{").and_then(|it| it.strip_suffix("}}")).filter(|it| !it.contains("${{"));
    match whole {
        Some(expression) => evaluate(expression, scope).condition(),
        None if text.contains("${{") => truth(&interpolate(text, scope)),
        None => evaluate(text, scope).condition(),
    }
}

/// A text of an input that takes `true` or `false`.
pub(super) fn boolean(text: &str, scope: &Scope<'_>) -> Condition {
    match text.trim() {
        "true" => Condition::Always,
        "false" | "" => Condition::Never,
        text if text.starts_with("${{") => match condition(text, scope) {
            // `${{ 'false' }}` is a text that is not empty.
            Condition::Always => truth(&interpolate(text, scope)),
            other => other,
        },
        text => truth(&interpolate(text, scope)),
    }
}

fn truth(text: &SymbolicText) -> Condition {
    match text.known().map(str::trim) {
        Some("true") => Condition::Always,
        Some("false" | "") => Condition::Never,
        _ => Condition::Unknown(text.shown()),
    }
}

/// The value of an expression.
pub(super) fn evaluate(expression: &str, scope: &Scope<'_>) -> ScopeValue {
    let unknown = || ScopeValue::Text(SymbolicText::unknown(expression.trim()));
    let Some(tokens) = tokens(expression) else { return unknown() };
    let mut reader = ExpressionReader { tokens: &tokens, at: 0, scope, source: expression.trim() };
    match reader.or(0) {
        Some(value) if reader.at == tokens.len() => value,
        _ => unknown(),
    }
}

struct ExpressionReader<'r, 'p> {
    tokens: &'r [Token],
    at: usize,
    scope: &'r Scope<'p>,
    source: &'r str,
}

impl ExpressionReader<'_, '_> {
    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(it)) if *it == sign);
        self.at += usize::from(found);
        found
    }

    fn unknown(&self) -> ScopeValue {
        ScopeValue::Text(SymbolicText::unknown(self.source))
    }

    fn or(&mut self, depth: usize) -> Option<ScopeValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.and(depth)?;
        while self.take("||") {
            let other = self.and(depth)?;
            value = match (value.condition(), &value, &other) {
                (Condition::Never, _, _) => other,
                (Condition::Always, _, _) => value,
                (one, ScopeValue::Condition(_), ScopeValue::Condition(two)) => {
                    ScopeValue::Condition(one.or(two.clone()))
                }
                // `inputs.tag || github.ref_name` in a run without inputs.
                (_, ScopeValue::Text(text), _) if is_input(text) => other,
                (one, _, ScopeValue::Text(_) | ScopeValue::Null | ScopeValue::List(_))
                    if one.first_unknown().is_none() =>
                {
                    self.unknown()
                }
                (one, _, two) => ScopeValue::Condition(one.or(two.condition())),
            };
        }
        Some(value)
    }

    fn and(&mut self, depth: usize) -> Option<ScopeValue> {
        let mut value = self.comparison(depth)?;
        while self.take("&&") {
            let other = self.comparison(depth)?;
            value = match (value.condition(), &other) {
                (Condition::Never, _) => value,
                (Condition::Always, _) => other,
                (one, ScopeValue::Condition(two)) => ScopeValue::Condition(one.and(two.clone())),
                _ => self.unknown(),
            };
        }
        Some(value)
    }

    fn comparison(&mut self, depth: usize) -> Option<ScopeValue> {
        let value = self.unary(depth)?;
        let is_equal = self.take("==");
        if is_equal || self.take("!=") {
            let other = self.unary(depth)?;
            let equal = match (&value, &other) {
                (ScopeValue::Condition(one), ScopeValue::Condition(two)) => match (one, two) {
                    (Condition::Always, it) | (it, Condition::Always) => it.clone(),
                    (Condition::Never, it) | (it, Condition::Never) => it.clone().negated(),
                    (one, two) if one == two => Condition::Always,
                    _ => Condition::Unknown(self.source.to_owned()),
                },
                // `x == 'true'`, as outputs of steps are compared.
                (ScopeValue::Condition(one), ScopeValue::Text(text))
                | (ScopeValue::Text(text), ScopeValue::Condition(one)) => match text.known() {
                    Some("true") => one.clone(),
                    Some("false") => one.clone().negated(),
                    Some(_) => Condition::Never,
                    None => Condition::Unknown(self.source.to_owned()),
                },
                // `null` is 0 as a number.
                (ScopeValue::Null, ScopeValue::Text(text)) | (ScopeValue::Text(text), ScopeValue::Null)
                    if text.known() == Some("0") =>
                {
                    Condition::Always
                }
                (one, two) => self.scope.equal(&one.text(self.source), &two.text(self.source)),
            };
            return Some(ScopeValue::Condition(if is_equal { equal } else { equal.negated() }));
        }
        for sign in ["<=", ">=", "<", ">"] {
            if self.take(sign) {
                self.unary(depth)?;
                return Some(ScopeValue::Condition(Condition::Unknown(self.source.to_owned())));
            }
        }
        Some(value)
    }

    fn unary(&mut self, depth: usize) -> Option<ScopeValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take("!") {
            return Some(ScopeValue::Condition(self.unary(depth + 1)?.condition().negated()));
        }
        if self.take("(") {
            let value = self.or(depth + 1)?;
            return self.take(")").then_some(value);
        }
        match self.tokens.get(self.at)?.clone() {
            Token::Text(text) => {
                self.at += 1;
                Some(ScopeValue::Text(SymbolicText::literal(&text)))
            }
            Token::Name(name) => {
                self.at += 1;
                if self.take("(") { self.call(&name, depth) } else { self.path(name) }
            }
            Token::Sign(_) => None,
        }
    }

    fn path(&mut self, name: String) -> Option<ScopeValue> {
        match name.as_str() {
            "true" | "false" => return Some(ScopeValue::Condition(Condition::known(name == "true"))),
            "null" => return Some(ScopeValue::Null),
            _ if name.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                return Some(ScopeValue::Text(SymbolicText::literal(&name)));
            }
            _ => {}
        }
        let mut path = name;
        loop {
            if self.take(".") {
                let Token::Name(part) = self.tokens.get(self.at)? else { return None };
                path = format!("{path}.{part}");
                self.at += 1;
            } else if self.take("[") {
                let (Token::Text(part) | Token::Name(part)) = self.tokens.get(self.at)? else { return None };
                path = format!("{path}.{part}");
                self.at += 1;
                if !self.take("]") {
                    return None;
                }
            } else {
                return Some(self.scope.value(&path));
            }
        }
    }

    fn call(&mut self, name: &str, depth: usize) -> Option<ScopeValue> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            arguments.push(self.or(depth + 1)?);
            if !self.take(",") && !matches!(self.tokens.get(self.at), Some(Token::Sign(")"))) {
                return None;
            }
        }
        let text = |at: usize| arguments.get(at).map(|it| it.text(self.source));
        Some(match name.to_ascii_lowercase().as_str() {
            "always" | "success" => ScopeValue::Condition(Condition::Always),
            "failure" | "cancelled" => ScopeValue::Condition(Condition::Never),
            "startswith" => ScopeValue::Condition(self.scope.begins(&text(0)?, &text(1)?)),
            "endswith" => ScopeValue::Condition(self.scope.contains(&text(0)?, &text(1)?, true)),
            "contains" => ScopeValue::Condition(match arguments.first()? {
                ScopeValue::List(items) => {
                    let wanted = text(1)?;
                    items.iter().map(|it| self.scope.equal(it, &wanted)).fold(Condition::Never, Condition::or)
                }
                _ => self.scope.contains(&text(0)?, &text(1)?, false),
            }),
            "format" => ScopeValue::Text(formatted(&text(0)?, &arguments, self.source)),
            "fromjson" => from_json(&text(0)?).unwrap_or_else(|| self.unknown()),
            "join" => arguments.first()?.clone(),
            _ => self.unknown(),
        })
    }
}

/// Whether a text is an input that a run without inputs does not have.
fn is_input(text: &SymbolicText) -> bool {
    matches!(text.parts(), [Part::Unknown(expression)] if expression.starts_with("inputs.") || expression.starts_with("github.event."))
}

fn from_json(text: &SymbolicText) -> Option<ScopeValue> {
    match serde_json::from_str(text.known()?).ok()? {
        serde_json::Value::Bool(it) => Some(ScopeValue::Condition(Condition::known(it))),
        serde_json::Value::String(it) => Some(ScopeValue::Text(SymbolicText::literal(&it))),
        serde_json::Value::Array(items) => {
            let items = items.iter().map(|it| it.as_str().map(SymbolicText::literal));
            items.collect::<Option<Vec<_>>>().map(ScopeValue::List)
        }
        _ => None,
    }
}

/// `format('refs/heads/{0}', 'main')`.
fn formatted(format: &SymbolicText, arguments: &[ScopeValue], source: &str) -> SymbolicText {
    let Some(format) = format.known() else { return SymbolicText::unknown(source) };
    let mut made = SymbolicText::default();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        made.push(Part::Literal(before.to_owned()));
        let Some((number, after)) = after.split_once('}') else { break };
        match number.trim().parse::<usize>().ok().and_then(|at| arguments.get(at + 1)) {
            Some(value) => made.append(&value.text(source)),
            None => made.push(Part::Unknown(source.to_owned())),
        }
        rest = after;
    }
    made.push(Part::Literal(rest.to_owned()));
    made
}

#[cfg(test)]
mod tests {
    use super::super::scope::{ProjectFacts, RunKind};
    use super::super::tags::TagFacts;
    use super::*;

    fn facts() -> ProjectFacts {
        ProjectFacts {
            tags: TagFacts::of(["v1.2.3"]),
            repository: "acme/app".to_owned(),
            name: "app".to_owned(),
            server: "https://github.com".to_owned(),
            default_branch: Some("main".to_owned()),
            texts: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn conditions_hold_in_the_runs_that_they_name() {
        let facts = facts();
        for (expression, expected) in [
            ("github.ref == format('refs/heads/{0}', 'main')", "N N match main N Y match main"),
            ("${{ startsWith(github.ref, 'refs/tags/') }}", "Y Y N N N N"),
            ("github.event_name != 'pull_request'", "Y Y Y N Y Y"),
            ("github.event_name == 'push' && github.ref == 'refs/heads/main'", "N N match main N N N"),
            (
                "!contains(github.ref, '-')",
                "version.pre == '' version.pre == '' not ('-' in git.branch) Y not ('-' in git.branch) not ('-' in git.branch)",
            ),
            ("github.repository == 'Acme/app'", "Y Y Y Y Y Y"),
            (
                "github.ref_type == 'tag' || github.ref_name == github.event.repository.default_branch",
                "Y Y match main N Y match main",
            ),
            (
                "!startsWith(github.ref, 'refs/tags/v0.')",
                "not (git.tag is startingwith('v0.')) not (git.tag is startingwith('v0.')) Y Y Y Y",
            ),
            ("secrets.X == 'y'", "? ? ? ? ? ?"),
            (
                "github.event_name == 'release' && !github.event.release.prerelease",
                "N version.pre == '' N N N N",
            ),
            ("(", "? ? ? ? ? ?"),
        ] {
            let shown: Vec<String> = RunKind::ALL
                .into_iter()
                .map(|kind| match condition(expression, &Scope::new(&facts, kind)) {
                    Condition::Always => "Y".to_owned(),
                    Condition::Never => "N".to_owned(),
                    it if it.first_unknown().is_some() => "?".to_owned(),
                    it => match it.keys(!kind.is_tag()) {
                        (globs, None) => format!("match {}", globs.join(",")),
                        (_, Some(when)) => when,
                    },
                })
                .collect();
            assert_eq!(shown.join(" "), expected, "{expression}");
        }
    }

    #[test]
    fn texts_are_put_together() {
        let facts = facts();
        let mut scope = Scope::new(&facts, RunKind::TagPush);
        scope.set("env.REGISTRY", SymbolicText::literal("ghcr.io"));
        for (text, expected) in [
            (
                "${{ env.REGISTRY }}/${{ github.repository }}:${{ github.ref_name }}",
                "ghcr.io/acme/app:{{ git.tag }}",
            ),
            ("${{ github.event_name == 'push' && 'a' || 'b' }}", "a"),
            (
                "${{ github.event_name == 'x' && 'a' || format('{0}-{1}', 'b', github.sha) }}",
                "b-{{ git.sha }}",
            ),
            ("${{ matrix.none }}x", "x"),
            ("${{ inputs.tag || github.ref_name }}", "{{ git.tag }}"),
            ("${{ unclosed", "${{ unclosed"),
        ] {
            assert_eq!(interpolate(text, &scope).shown(), expected, "{text}");
        }
    }
}
