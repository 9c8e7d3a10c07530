//! Templates: compiled, checked for unknown names, and rendered. Errors point at the place in the template, name the
//! variable that is absent in this context, and say why.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use regex::Regex;

use super::comparisons::{ComparedLiteral, ComparisonProblem, Comparisons};
use super::filters;
use super::template_syntax;
pub(super) use super::template_syntax::TemplateSyntax;
use super::values::{OF_EVENTS, VARIABLES, Values};
use super::version_value;
use crate::diagnostic::Code;
use crate::model::version::VersionScheme;

/// The amount of work that one rendering may do. The longest sensible template needs a few hundred.
const FUEL: u64 = 50_000;

/// An error in a template, and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The kind of mistake.
    pub code: Code,
    /// The message.
    pub message: String,
    /// The wrong bytes of the template.
    pub range: Range<usize>,
    /// The way to fix it.
    pub help: Option<String>,
}

/// Compiles and renders templates.
pub(super) struct Templates {
    environment: Environment<'static>,
    /// The names below `vars`.
    vars: Vec<String>,
    /// The names below `env`.
    env: Vec<String>,
    /// Whether other names below `vars` are errors.
    knows_all_vars: bool,
    /// The schemes of the versions that `version` may be.
    schemes: Vec<VersionScheme>,
}

impl Templates {
    /// Makes templates that may use the variables `vars.NAME` of these names.
    pub fn new<'a>(vars: impl IntoIterator<Item = &'a String>) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(true);
        environment.set_fuel(Some(FUEL));
        // Tags and paths are not HTML.
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        filters::add_filters(&mut environment);
        version_value::add_functions(&mut environment);
        Self {
            environment,
            vars: vars.into_iter().cloned().collect(),
            env: Vec::new(),
            knows_all_vars: true,
            schemes: vec![VersionScheme::default()],
        }
    }

    /// Accepts any name below `vars`, because the configuration has errors and a name may be declared in a part that cannot be
    /// read.
    #[must_use]
    pub fn with_any_vars(self) -> Self {
        Self { knows_all_vars: false, ..self }
    }

    /// Lets templates use the variables `env.NAME` of these names.
    #[must_use]
    pub fn with_env(self, names: &[String]) -> Self {
        Self { env: names.to_vec(), ..self }
    }

    /// Reads the versions of expressions by these schemes.
    #[must_use]
    pub fn with_schemes<'s>(self, schemes: impl IntoIterator<Item = &'s VersionScheme>) -> Self {
        Self { schemes: schemes.into_iter().cloned().collect(), ..self }
    }

    /// The names that `source` looks up, such as `git.sha`.
    pub fn variables(&self, source: &str, syntax: TemplateSyntax) -> BTreeSet<String> {
        let names = match syntax {
            TemplateSyntax::Text => {
                self.environment.template_from_str(source).map(|it| it.undeclared_variables(true))
            }
            TemplateSyntax::Expression => {
                self.environment.compile_expression(source).map(|it| it.undeclared_variables(true))
            }
        };
        names.unwrap_or_default().into_iter().collect()
    }

    /// Whether `source` uses `name` or a part of it.
    pub fn uses(&self, source: &str, syntax: TemplateSyntax, name: &str) -> bool {
        self.variables(source, syntax)
            .iter()
            .any(|it| it == name || it.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Whether `source` uses a variable that other events have and `values` does not.
    pub fn lacks_what_events_have(&self, source: &str, values: &Values) -> bool {
        OF_EVENTS
            .iter()
            .any(|name| values.absent.contains_key(name) && self.uses(source, TemplateSyntax::Text, name))
    }

    /// Finds all errors in `source` that do not depend on the context: syntax errors, or else unknown names.
    pub fn check(&self, source: &str, syntax: TemplateSyntax) -> Vec<TemplateError> {
        let compiled = match syntax {
            TemplateSyntax::Text => self.environment.template_from_str(source).map(|_| ()),
            TemplateSyntax::Expression => self.environment.compile_expression(source).map(|_| ()),
        };
        if let Err(error) = compiled {
            return vec![self.explain(&error, source, None, &Comparisons::default())];
        }
        let mut errors = Vec::new();
        for name in self.variables(source, syntax) {
            if let Some(error) = self.unknown_variable(&name, source) {
                errors.push(error);
            }
        }
        let compared = Comparisons::of(source, syntax == TemplateSyntax::Expression);
        errors.extend(compared.literals.into_iter().filter_map(|literal| self.not_a_version(literal)));
        let code = template_syntax::without_strings(source);
        let filters = template_syntax::filters(&code, syntax).into_iter().map(|name| ("filter", name));
        let tests = template_syntax::tests(&code, syntax).into_iter().map(|name| ("test", name));
        for (word, name) in filters.chain(tests) {
            if !self.knows(word, name.as_str()) {
                errors.push(unknown_filter(word, name.as_str(), name.range()));
            }
        }
        errors.sort_by_key(|error| error.range.start);
        errors
    }

    fn not_a_version(&self, literal: ComparedLiteral) -> Option<TemplateError> {
        let ComparisonProblem { message, help } = literal.problem(&self.schemes)?;
        let code = Code::TemplateComparison;
        Some(TemplateError { code, message, range: literal.range, help: Some(help) })
    }

    fn knows(&self, word: &str, name: &str) -> bool {
        let (probe, unknown) = match word {
            "filter" => (format!("''|{name}"), ErrorKind::UnknownFilter),
            _ => (format!("'' is {name}"), ErrorKind::UnknownTest),
        };
        match self.environment.compile_expression_owned(probe) {
            Ok(expression) => expression.eval(()).err().is_none_or(|error| error.kind() != unknown),
            Err(error) => error.kind() != unknown,
        }
    }

    fn unknown_variable(&self, name: &str, source: &str) -> Option<TemplateError> {
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        let known: Vec<String> = VARIABLES
            .iter()
            .map(|name| (*name).to_owned())
            .chain(self.vars.iter().map(|name| format!("vars.{name}")))
            .chain(self.env.iter().map(|name| format!("env.{name}")))
            .collect();
        let is_group = known.iter().any(|it| it.strip_prefix(first).is_some_and(|it| it.starts_with('.')));
        let whole = match rest {
            // The renderer judges a part of a part, such as `version.pre.foo`.
            Some(rest) => format!("{first}.{}", rest.split('.').next().unwrap_or_default()),
            None => first.to_owned(),
        };
        let is_function = rest.is_none() && self.environment.globals().any(|(global, _)| global == first);
        let may_be_declared = !self.knows_all_vars && whole.starts_with("vars.");
        if may_be_declared || known.contains(&whole) || (rest.is_none() && is_group) || is_function {
            return None;
        }
        if let (Some(unlisted), Some(range)) = (whole.strip_prefix("env."), find_word(source, name)) {
            return Some(TemplateError {
                code: Code::TemplateUnknownVariable,
                message: format!("`{whole}` is not listed in `env` of `[project]`"),
                range,
                help: Some(format!(
                    "list the environment variables that templates read: `env = [\"{unlisted}\"]`"
                )),
            });
        }
        let nearest = known
            .iter()
            .map(|candidate| (strsim::damerau_levenshtein(candidate, &whole), candidate))
            .filter(|(distance, _)| *distance <= 3.max(whole.len() / 3))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, candidate)| candidate.clone())
            .or_else(|| known.iter().find(|it| it.ends_with(&format!(".{whole}"))).cloned());
        Some(TemplateError {
            code: Code::TemplateUnknownVariable,
            message: format!("`{whole}` is not a template variable"),
            range: find_word(source, name).or_else(|| find_word(source, first)).unwrap_or(0..source.len()),
            help: Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("the variables are {}", known.join(", ")),
            }),
        })
    }

    /// Renders text with `{{ expressions }}`.
    pub fn render(&self, source: &str, values: &Values) -> Result<String, TemplateError> {
        if !is_template(source) {
            return Ok(source.to_owned());
        }
        let compared = Comparisons::of(source, false);
        let text = compared.rewritten(source);
        self.environment
            .template_from_str(text.as_deref().unwrap_or(source))
            .and_then(|template| template.render(values.to_value()))
            .map_err(|error| self.explain(&error, source, Some(values), &compared))
    }

    /// Whether the bare expression `source` is true.
    pub fn test(&self, source: &str, values: &Values) -> Result<bool, TemplateError> {
        let compared = Comparisons::of(source, true);
        let text = compared.rewritten(source);
        self.environment
            .compile_expression(text.as_deref().unwrap_or(source))
            .and_then(|expression| expression.eval(values.to_value()))
            .map(|value| value.is_true())
            .map_err(|error| self.explain(&error, source, Some(values), &compared))
    }

    fn explain(
        &self,
        error: &minijinja::Error,
        source: &str,
        values: Option<&Values>,
        compared: &Comparisons,
    ) -> TemplateError {
        let range = error
            .range()
            .map(|range| compared.original(range.start)..compared.original(range.end))
            .filter(|range| {
                range.end <= source.len()
                    && source.is_char_boundary(range.start)
                    && source.is_char_boundary(range.end)
            })
            .unwrap_or(0..source.len());
        let detail = error.detail().unwrap_or_default().to_owned();
        let plain = |code, message: String, help: Option<String>| TemplateError {
            code,
            message,
            range: range.clone(),
            help,
        };
        match error.kind() {
            ErrorKind::SyntaxError | ErrorKind::BadEscape | ErrorKind::InvalidDelimiter => plain(
                Code::TemplateSyntax,
                format!("the template has a syntax error: {detail}"),
                Some("write expressions in `{{ … }}`, as in `v{{ version.major }}`".to_owned()),
            ),
            ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod => plain(
                Code::TemplateUnknownFilter,
                detail,
                Some(
                    "`brokkr-publish explain publish::template::unknown_filter` lists the filters and tests"
                        .to_owned(),
                ),
            ),
            ErrorKind::UndefinedError => {
                if let Some(absent) = values.and_then(|values| self.absent(source, values)) {
                    return absent;
                }
                plain(
                    Code::TemplateUnknownVariable,
                    format!("the template uses a value that is not defined: {error}"),
                    None,
                )
            }
            ErrorKind::OutOfFuel => {
                plain(Code::TemplateFailed, "the template takes too many steps".to_owned(), None)
            }
            kind => {
                let message = if detail.is_empty() { kind.to_string() } else { detail };
                plain(Code::TemplateFailed, format!("the template cannot be rendered: {message}"), None)
            }
        }
    }

    /// The first variable of `source` that has no value in this context, and the reason.
    fn absent(&self, source: &str, values: &Values) -> Option<TemplateError> {
        let names = self
            .variables(source, TemplateSyntax::Text)
            .into_iter()
            .chain(self.variables(source, TemplateSyntax::Expression));
        for name in names {
            let group = name.split('.').next().unwrap_or_default();
            let Some(reason) = values.absent.get(name.as_str()).or_else(|| values.absent.get(group)) else {
                continue;
            };
            return Some(TemplateError {
                code: Code::ContextMissing,
                message: format!("`{name}` has no value here: {reason}"),
                range: find_word(source, &name).unwrap_or(0..source.len()),
                help: None,
            });
        }
        None
    }
}

/// Whether `text` contains anything to render.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

fn unknown_filter(word: &str, name: &str, range: Range<usize>) -> TemplateError {
    const OURS: [&str; 18] = [
        "identifier",
        "slug",
        "slug_keep_case",
        "ref_slug",
        "regex_replace",
        "trim_prefix",
        "trim_suffix",
        "short",
        "date",
        "capture",
        "matching",
        "lower",
        "upper",
        "replace",
        "trim",
        "default",
        "defined",
        "startingwith",
    ];
    let nearest = OURS.into_iter().find(|ours| strsim::damerau_levenshtein(ours, name) <= 2);
    TemplateError {
        code: Code::TemplateUnknownFilter,
        message: format!("`{name}` is not a template {word}"),
        range,
        help: Some(match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`brokkr-publish explain publish::template::unknown_filter` lists the filters and tests"
                .to_owned(),
        }),
    }
}

/// The range of `name` in `source` as a separate word. Blanks around its dots do not matter.
fn find_word(source: &str, name: &str) -> Option<Range<usize>> {
    let pattern = name.split('.').map(regex::escape).collect::<Vec<_>>().join(r"\s*\.\s*");
    let found = Regex::new(&format!(r"\b{pattern}\b")).ok()?.find(source)?;
    Some(found.range())
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
