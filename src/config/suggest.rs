//! Suggestions for misspelled names, and names as people write them.

/// The section that is a list of tables.
const LIST: &str = "checks";

/// The one of `known` that is nearest to `text`, if one is near enough.
pub(super) fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = folded(text);
    // Up to a third of the characters may be wrong, and always at least one.
    let limit = (text.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&text, &folded(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `text` in lower case with `_` for `-`, so that only the letters count.
pub(super) fn folded(text: &str) -> String {
    text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// The names in backticks: `` `a`, `b` ``. At most 12 are listed.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.escape_debug())).collect();
    crate::model::words::first_of(&names, 12)
}

/// A key as TOML writes it: bare or in quotes.
pub(super) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.escape_debug())
    }
}

/// The header of the table at `path`: `[images.broker]`, `[[checks]]`.
pub(super) fn table<T: AsRef<str>>(path: &[T]) -> String {
    if let [list, _, ..] = path
        && list.as_ref() == LIST
    {
        return format!("[[{LIST}]]");
    }
    if let [section, list, _] = path
        && (section.as_ref(), list.as_ref()) == ("secrets", "allow")
    {
        return "[[secrets.allow]]".to_owned();
    }
    let keys: Vec<String> = path.iter().map(|part| key(part.as_ref())).collect();
    format!("[{}]", keys.join("."))
}

/// The value at `path`, for people: `` `template` of `[tags.version]` ``.
pub(super) fn value<T: AsRef<str>>(path: &[T]) -> String {
    let Some((last, before)) = path.split_last() else { return "the file".to_owned() };
    let in_list = before.len() >= 3 || matches!(before, [list] if list.as_ref() == LIST);
    let index = last.as_ref().parse::<usize>().ok().filter(|_| in_list);
    match (index, before) {
        (_, []) => format!("`{}`", key(last.as_ref())),
        (Some(index), before) => format!("item {} of {}", index + 1, value(before)),
        (None, before) => format!("`{}` of `{}`", key(last.as_ref()), table(before)),
    }
}
