//! The global expressions of docker/metadata-action: `{{branch}}`, `{{date 'YYYYMMDD'}}`, … (README, "Global expressions").

use super::scope::{RunKind, Scope};
use super::symbolic::{Part, Symbol, SymbolicText};

/// Replaces the expressions in the known parts of a text.
pub(super) fn expand(text: &SymbolicText, scope: &Scope<'_>) -> SymbolicText {
    let mut made = SymbolicText::default();
    for part in text.parts() {
        let Part::Literal(known) = part else {
            made.push(part.clone());
            continue;
        };
        let mut rest = known.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            made.push(Part::Literal(before.to_owned()));
            let Some((expression, after)) = after.split_once("}}") else { break };
            made.append(&value(expression.trim(), scope));
            rest = after;
        }
        made.push(Part::Literal(rest.to_owned()));
    }
    made
}

fn value(expression: &str, scope: &Scope<'_>) -> SymbolicText {
    let on_branch = matches!(scope.kind, RunKind::Branch | RunKind::Schedule | RunKind::Manual);
    match expression {
        "branch" if on_branch => SymbolicText::symbol(Symbol::Branch),
        "tag" if scope.kind.is_tag() => SymbolicText::symbol(Symbol::Tag),
        "branch" | "tag" => SymbolicText::default(),
        "sha" => SymbolicText::symbol(Symbol::ShortSha(7)),
        _ => match date_format(expression) {
            Some(symbol) => SymbolicText::symbol(symbol),
            None => SymbolicText::unknown(expression),
        },
    }
}

/// Whether the text of `enable` is `{{is_default_branch}}`, or its opposite.
pub(super) fn is_default_branch(text: &str) -> Option<bool> {
    match text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim() {
        "is_default_branch" => Some(true),
        "is_not_default_branch" => Some(false),
        _ => None,
    }
}

/// A pattern of handlebars over a version.
pub(super) fn version_pattern(pattern: &str) -> Option<SymbolicText> {
    let mut made = SymbolicText::default();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        made.push(Part::Literal(before.to_owned()));
        let (name, after) = after.split_once("}}")?;
        made.push(Part::Symbol(match name.trim().trim_matches('~').trim() {
            "version" => Symbol::Version,
            "raw" => Symbol::Tag,
            "major" => Symbol::Major,
            "minor" => Symbol::Minor,
            "patch" | "micro" => Symbol::Patch,
            other => date_format(other)?,
        }));
        rest = after;
    }
    made.push(Part::Literal(rest.to_owned()));
    Some(made)
}

/// The time of `date 'FORMAT' tz='ZONE'` and of `commit_date`: formats of moment.js in those of strftime(3). `None` for a format or a
/// time zone that is not known here.
fn date_format(expression: &str) -> Option<Symbol> {
    let rest = expression.strip_prefix("commit_date").or_else(|| expression.strip_prefix("date"))?;
    let rest = rest.trim();
    let (format, rest) = if rest.is_empty() || zone_of(rest).is_some() {
        ("YYYY-MM-DDTHH-mm-ss", rest)
    } else {
        quoted(rest)?
    };
    let format = moment(format)?;
    match rest.trim() {
        "" => Some(Symbol::Date(format)),
        rest => {
            let (zone, after) = quoted(zone_of(rest)?.trim_start())?;
            let is_known = jiff::tz::TimeZone::get(zone).is_ok() && after.trim().is_empty();
            is_known.then(|| Symbol::ZonedDate(format, zone.to_owned()))
        }
    }
}

/// The text in quotes that `text` begins with, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}

/// The text behind `tz=`.
fn zone_of(rest: &str) -> Option<&str> {
    rest.strip_prefix("tz")?.trim_start().strip_prefix('=')
}

/// A format of moment.js (momentjs.com, "Format") in the form of strftime(3).
pub(super) fn moment(format: &str) -> Option<String> {
    const TOKENS: [(&str, &str); 14] = [
        ("YYYY", "%Y"),
        ("DDDD", "%j"),
        ("MMM", "%b"),
        ("YY", "%y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("HH", "%H"),
        ("hh", "%I"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("WW", "%V"),
        ("M", "%-m"),
        ("D", "%-d"),
        ("X", "%s"),
    ];
    let mut made = String::new();
    let mut rest = format;
    while let Some(character) = rest.chars().next() {
        if let Some((token, conversion)) = TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
            made.push_str(conversion);
            rest = rest.get(token.len()..)?;
        } else if let Some((inside, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
            made.push_str(&inside.replace('%', "%%"));
            rest = after;
        } else if character.is_ascii_alphabetic() && character != 'T' {
            return None;
        } else {
            made.push(character);
            rest = rest.get(character.len_utf8()..)?;
        }
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_moment_are_those_of_strftime() {
        for (format, expected) in [
            ("YYYYMMDD", Some("%Y%m%d")),
            ("YYYYMMDD-HHmmss", Some("%Y%m%d-%H%M%S")),
            ("YYYY.MM.D", Some("%Y.%m.%-d")),
            ("X", Some("%s")),
            ("dddd", None),
        ] {
            assert_eq!(moment(format).as_deref(), expected, "{format}");
        }
        let zoned = |format: &str, zone: &str| Some(Symbol::ZonedDate(format.to_owned(), zone.to_owned()));
        for (expression, expected) in [
            ("date 'YYYYMMDD' tz='Asia/Tokyo'", zoned("%Y%m%d", "Asia/Tokyo")),
            ("commit_date \"YYYY\"  tz = \"UTC\"", zoned("%Y", "UTC")),
            ("date tz='Europe/Berlin'", zoned("%Y-%m-%dT%H-%M-%S", "Europe/Berlin")),
            ("date 'YYYYMMDD'", Some(Symbol::Date("%Y%m%d".to_owned()))),
            ("date 'YYYYMMDD' tz='Mars/Base'", None),
            ("date 'YYYYMMDD' locale='de'", None),
        ] {
            assert_eq!(date_format(expression), expected, "{expression}");
        }
        assert_eq!(date_format("version"), None);
    }
}
