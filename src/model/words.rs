//! Texts that several rooms write: lists of words for people, and strings of TOML.

/// Joins words for people: `read, push or delete`.
pub fn alternatives<W: AsRef<str>>(words: &[W]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Lists the first `most` words for people, then the number of the others: `v1, v2 and 3 more`.
pub fn first_of<W: AsRef<str>>(words: &[W], most: usize) -> String {
    let named: Vec<&str> = words.iter().take(most).map(AsRef::as_ref).collect();
    match words.len().saturating_sub(named.len()) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Returns `text` as one word of a shell, in quotes if it needs them (POSIX, "Quoting"). A word that begins with `-` is quoted too, so
/// that a reader sees where it begins.
pub fn shell_word(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:=,+@%".contains(it);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns `text` as a basic string of TOML (TOML 1.0, "String"), in quotes.
pub fn toml_string(text: &str) -> String {
    let mut written = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            _ if character.is_control() => written.push_str(&format!("\\U{:08X}", u32::from(character))),
            _ => written.push(character),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell_that_reads_them() {
        for (text, expected) in [
            ("plain-1.2_x/y:z", "plain-1.2_x/y:z"),
            ("", "''"),
            ("-x", "'-x'"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)`y`", "'$(x)`y`'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(shell_word(text), expected, "{text:?}");
        }
    }

    #[test]
    fn words_are_listed_for_people() {
        assert_eq!(alternatives::<&str>(&[]), "");
        assert_eq!(alternatives(&["read"]), "read");
        assert_eq!(alternatives(&["read", "push", "delete"]), "read, push or delete");
        assert_eq!(first_of(&["a", "b"], 2), "a, b");
        assert_eq!(first_of(&["a", "b", "c", "d"], 2), "a, b and 2 more");
    }

    #[test]
    fn any_text_is_a_toml_string() {
        for text in ["", "a \"quoted\" \\ name", "\u{1b}[31m\n", "\u{7f}\u{85}é"] {
            let parsed: toml::Table = toml::from_str(&format!("a = {}", toml_string(text))).expect("TOML");
            assert_eq!(parsed["a"].as_str(), Some(text));
        }
    }
}
