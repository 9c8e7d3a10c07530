//! The filters of `on.push` in GitHub workflows (docs.github.com, "Filter pattern cheat sheet"), and where they differ from globs.

use regex::Regex;

/// The regular expression of a filter, without anchors. `*` stays within a part of the name, `**` does not; `+` and `?` repeat the
/// character before them, as in no other glob.
pub(super) fn regex(pattern: &str) -> String {
    let mut made = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.peek() == Some(&'*') => {
                characters.next();
                // `**/` also stands for no folder at all.
                if characters.peek() == Some(&'/') && (made.is_empty() || made.ends_with('/')) {
                    characters.next();
                    made.push_str("(?:.*/)?");
                } else {
                    made.push_str(".*");
                }
            }
            '*' => made.push_str("[^/]*"),
            '+' | '?' if !made.is_empty() => made.push(character),
            '[' | ']' | '-' => made.push(character),
            '\\' => {
                made.push_str(&characters.next().map(|c| regex::escape(&c.to_string())).unwrap_or_default());
            }
            other => made.push_str(&regex::escape(&other.to_string())),
        }
    }
    made
}

/// Whether the filters accept `name`: the last one that matches decides, and one that begins with `!` excludes.
pub(super) fn accept(patterns: &[&str], name: &str) -> bool {
    let mut accepted = false;
    for pattern in patterns {
        let (pattern, includes) = pattern.strip_prefix('!').map_or((*pattern, true), |rest| (rest, false));
        if Regex::new(&format!("^(?:{})$", regex(pattern))).is_ok_and(|it| it.is_match(name)) {
            accepted = includes;
        }
    }
    accepted
}

/// Whether a filter means the same as a glob of `match`.
pub(super) fn is_plain(pattern: &str) -> bool {
    !pattern.starts_with('!') && !pattern.contains(['+', '?', '[', ']', '\\', '{', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_accept_as_github_does() {
        for (patterns, accepted, refused) in [
            (vec!["v*"], vec!["v1.2.3", "v2-rc"], vec!["x/v1", "1.2.3"]),
            (vec!["v1.*", "!v1*-rc*"], vec!["v1.2.3"], vec!["v1.2.3-rc1", "v2.0.0"]),
            (vec!["[0-9]+.[0-9]+.[0-9]+"], vec!["1.2.3", "10.0.12"], vec!["v1.2.3", "1.2", "1.2.3-rc"]),
            (vec!["**"], vec!["a/b", "main"], vec![]),
            (vec!["feature/**"], vec!["feature/x/y"], vec!["main"]),
        ] {
            for name in accepted {
                assert!(accept(&patterns, name), "{patterns:?} {name}");
            }
            for name in refused {
                assert!(!accept(&patterns, name), "{patterns:?} {name}");
            }
        }
    }
}
