//! Edits of texts in scripts: parameter expansion, `sed` and `cut`, on symbols whose form is known.

use super::symbolic::{Part, Symbol, SymbolicText};
use super::tags::TagFacts;

/// `${V#pattern}`.
pub(super) fn without_start(value: &SymbolicText, pattern: &str, tags: &TagFacts) -> SymbolicText {
    if pattern == "refs/*/" {
        let stripped = ["refs/tags/", "refs/heads/", "refs/pull/"].into_iter();
        return stripped
            .into_iter()
            .find_map(|start| value.strip_prefix(start, tags))
            .unwrap_or_else(|| value.clone());
    }
    if let Some(end) = pattern.strip_prefix('*') {
        // Everything up to the last `end` in known text.
        let mut made = SymbolicText::default();
        let last =
            value.parts().iter().rposition(|part| matches!(part, Part::Literal(text) if text.contains(end)));
        for part in value.parts().iter().skip(last.unwrap_or(0)) {
            made.push(match part {
                Part::Literal(text) if !end.is_empty() => {
                    Part::Literal(text.rsplit(end).next().unwrap_or_default().to_owned())
                }
                other => other.clone(),
            });
        }
        return made;
    }
    value.strip_prefix(pattern, tags).unwrap_or_else(|| value.clone())
}

/// `${V%pattern}`; `.*` at the end of a version leaves its first numbers.
pub(super) fn without_end(
    value: &SymbolicText,
    pattern: &str,
    longest: bool,
    tags: &TagFacts,
) -> SymbolicText {
    let (prefix, value) = versioned(value, tags);
    prefix.then(&end_cut(&value, pattern, longest))
}

/// The prefix of a git tag, and the version; a text that is no git tag has no prefix.
fn versioned(value: &SymbolicText, tags: &TagFacts) -> (SymbolicText, SymbolicText) {
    if tags.are_versions && matches!(value.parts(), [Part::Symbol(Symbol::Tag)]) {
        return (SymbolicText::literal(&tags.prefix), SymbolicText::symbol(Symbol::Version));
    }
    (SymbolicText::default(), value.clone())
}

fn end_cut(value: &SymbolicText, pattern: &str, longest: bool) -> SymbolicText {
    let dot = || Part::Literal(".".to_owned());
    match (value.parts(), pattern) {
        ([Part::Symbol(Symbol::Version)], ".*") => {
            let mut made = SymbolicText::symbol(Symbol::Major);
            if !longest {
                made.push(dot());
                made.push(Part::Symbol(Symbol::Minor));
            }
            made
        }
        ([Part::Symbol(Symbol::Major), Part::Literal(one), ..], ".*") if one == "." => {
            SymbolicText::symbol(Symbol::Major)
        }
        _ => {
            let mut parts: Vec<Part> = value.parts().to_vec();
            if let Some(Part::Literal(last)) = parts.last_mut()
                && let Some(kept) = last.strip_suffix(pattern)
            {
                *last = kept.to_owned();
            }
            parts.into_iter().fold(SymbolicText::default(), |mut all, part| {
                all.push(part);
                all
            })
        }
    }
}

/// `${V/from/to}`.
pub(super) fn replaced(
    value: &SymbolicText,
    from: &SymbolicText,
    to: &SymbolicText,
    all: bool,
    tags: &TagFacts,
) -> SymbolicText {
    let (Some(from), Some(to)) = (from.known(), to.known()) else { return value.clone() };
    let from = from.trim_start_matches('#');
    if to.is_empty()
        && let Some(rest) = value.strip_prefix(from, tags)
    {
        return rest;
    }
    value.map_known(|known| if all { known.replace(from, to) } else { known.replacen(from, to, 1) })
}

/// `${V:start:length}`.
pub(super) fn cut(value: &SymbolicText, start: usize, length: Option<usize>) -> SymbolicText {
    match (value.parts(), value.known()) {
        (_, Some(known)) => {
            let kept: String = known.chars().skip(start).take(length.unwrap_or(usize::MAX)).collect();
            SymbolicText::literal(&kept)
        }
        ([Part::Symbol(Symbol::Sha)], None) if start == 0 => {
            SymbolicText::symbol(length.map_or(Symbol::Sha, Symbol::ShortSha))
        }
        ([Part::Symbol(Symbol::Tag)], None) if start == 1 && length.is_none() => {
            SymbolicText::symbol(Symbol::Version)
        }
        _ => SymbolicText::unknown(&value.shown()),
    }
}

/// `sed s/from/to/`, for patterns without a special meaning.
pub(super) fn substituted(value: &SymbolicText, script: &str, tags: &TagFacts) -> SymbolicText {
    let mut value = value.clone();
    for script in script.split(';') {
        let mut characters = script.trim().chars();
        if characters.next() != Some('s') {
            continue;
        }
        let Some(mark) = characters.next() else { continue };
        let body: String = characters.collect();
        let body = body.replace(&format!("\\{mark}"), "\u{4}");
        let mut pieces = body.split(mark);
        let (Some(from), Some(to)) = (pieces.next(), pieces.next()) else { continue };
        let unescape = |text: &str| text.replace('\u{4}', &mark.to_string()).replace('\\', "");
        let (from, to) = (unescape(from), unescape(to));
        let is_all = pieces.next().is_some_and(|flags| flags.contains('g'));
        let from = from.trim_start_matches('^');
        let (from, to) = match from {
            "refs/heads/(.*)" | "refs/tags/(.*)" => (from.trim_end_matches("(.*)"), String::new()),
            ".*/" => {
                value = without_start(&value, "*/", tags);
                continue;
            }
            from => (from, to),
        };
        value = replaced(&value, &SymbolicText::literal(from), &SymbolicText::literal(&to), is_all, tags);
    }
    value
}

/// `cut -d . -f 1-2`, and `cut -c 1-7`.
pub(super) fn cut_fields(value: &SymbolicText, arguments: &[&str], tags: &TagFacts) -> SymbolicText {
    if arguments.contains(&".") || arguments.contains(&"-d.") {
        let (prefix, version) = versioned(value, tags);
        let is_first = !arguments.iter().any(|it| matches!(it.trim_start_matches("-f"), "2" | "3" | "2-"));
        let rest = fields_of(&version, arguments);
        return if is_first { prefix.then(&rest) } else { rest };
    }
    fields_of(value, arguments)
}

fn fields_of(value: &SymbolicText, arguments: &[&str]) -> SymbolicText {
    let option = |name: &str| {
        let at = arguments.iter().position(|it| it.starts_with(name))?;
        let text = arguments.get(at)?.strip_prefix(name)?;
        if text.is_empty() { arguments.get(at + 1).copied() } else { Some(text) }
    };
    if let Some(range) = option("-c").or_else(|| option("-b")) {
        let end = range.strip_prefix("1-").or_else(|| range.strip_prefix('-')).and_then(|it| it.parse().ok());
        return cut(value, 0, end);
    }
    let (mark, fields) = (option("-d").unwrap_or("\t"), option("-f").unwrap_or("1"));
    let dot = || Part::Literal(".".to_owned());
    let [major, minor, patch] = [Symbol::Major, Symbol::Minor, Symbol::Patch].map(Part::Symbol);
    let is_version = matches!(value.parts(), [Part::Symbol(Symbol::Version)]);
    let parts = match (mark, fields) {
        (".", "1") if is_version => vec![major],
        (".", "2") if is_version => vec![minor],
        (".", "3") if is_version => vec![patch],
        (".", "1-2" | "1,2" | "-2") if is_version => vec![major, dot(), minor],
        _ => {
            let Some(mark) = mark.chars().next() else { return SymbolicText::unknown(&value.shown()) };
            let pieces = value.split(|c| c == mark);
            let (first, rest) = fields.strip_suffix('-').map_or((fields, false), |first| (first, true));
            let Some(at) = first.parse::<usize>().ok().and_then(|it| it.checked_sub(1)) else {
                return SymbolicText::unknown(&value.shown());
            };
            let kept: Vec<SymbolicText> =
                pieces.into_iter().skip(at).take(if rest { usize::MAX } else { 1 }).collect();
            let joiner = SymbolicText::literal(&mark.to_string());
            return kept.into_iter().reduce(|one, other| one.then(&joiner).then(&other)).unwrap_or_default();
        }
    };
    parts.into_iter().fold(SymbolicText::default(), |mut all, part| {
        all.push(part);
        all
    })
}
