//! The names that git accepts for refs: the rules of git-check-ref-format(1), in its order.

/// Checks the full name of a ref.
///
/// # Errors
///
/// The reason why git refuses the name, for people.
pub(super) fn check_reference_name(reference: &str) -> Result<(), &'static str> {
    let parts = || reference.split('/');
    if parts().any(|part| part.starts_with('.')) {
        return Err("no part of a ref starts with `.`");
    }
    // Refs are files. On a disk that ignores case, `.LOCK` is the lock of another ref too, but git accepts it.
    #[allow(clippy::case_sensitive_file_extension_comparisons)]
    if parts().any(|part| part.ends_with(".lock")) {
        return Err("no part of a ref ends with `.lock`");
    }
    if reference.contains("..") {
        return Err("a ref cannot contain `..`");
    }
    if reference.contains(|c: char| {
        c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    }) {
        return Err("a ref cannot contain a blank, a control character, or any of `~^:?*[\\`");
    }
    if parts().any(str::is_empty) {
        return Err("no part of a ref is empty");
    }
    if reference.ends_with('.') {
        return Err("a ref cannot end with `.`");
    }
    if reference.contains("@{") {
        return Err("a ref cannot contain `@{`");
    }
    Ok(())
}

/// Returns the options that a name that is not a full ref most likely means, for people. A bare name can be a branch or a git tag, so
/// both are named unless it looks like a version.
pub(super) fn likely_meaning(given: &str) -> Option<String> {
    let number = given.trim_start_matches(['#', '!']);
    let is_hex = |it: &str| it.len() >= 7 && it.len() <= 40 && it.chars().all(|c| c.is_ascii_hexdigit());
    let last = given.rsplit('/').next().unwrap_or(given);
    let release = is_release(last) || last.rsplit(['-', '@']).any(is_release);
    let reference = if !number.is_empty() && number.chars().all(|it| it.is_ascii_digit()) && number.len() < 7
    {
        return Some(format!("`--pr {number}`"));
    } else if is_hex(given) && given.contains(|it: char| it.is_ascii_digit()) {
        return Some(format!("`--sha {given}`"));
    } else if let Some(branch) =
        given.strip_prefix("refs/remotes/origin/").or_else(|| given.strip_prefix("origin/"))
    {
        format!("refs/heads/{branch}")
    } else if given.starts_with("refs/") {
        return None;
    } else if ["heads/", "tags/", "pull/"].iter().any(|it| given.starts_with(it)) {
        format!("refs/{given}")
    } else if release {
        format!("refs/tags/{given}")
    } else {
        format!("refs/heads/{given}")
    };
    check_reference_name(&reference).ok()?;
    // Only a bare version is certainly a git tag: `release-1.2` and `main` may be both.
    let other = match reference.strip_prefix("refs/") {
        Some(rest) if rest == format!("heads/{given}") => {
            format!(", or `--ref refs/tags/{given}` for a git tag")
        }
        Some(rest) if rest == format!("tags/{given}") && !is_release(given) => {
            format!(", or `--ref refs/heads/{given}` for a branch")
        }
        _ => String::new(),
    };
    Some(format!("`--ref {reference}`{other}"))
}

/// Whether `text` begins like a version: `1.2` or `v1`.
fn is_release(text: &str) -> bool {
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    bare.starts_with(|it: char| it.is_ascii_digit()) && (bare.contains('.') || bare.len() < text.len())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_in_short_is_completed() {
        for (given, meant) in [
            ("v1.2.3", Some("`--ref refs/tags/v1.2.3`")),
            ("1.2.3-rc.1", Some("`--ref refs/tags/1.2.3-rc.1`")),
            (
                "broker/v1.2.3",
                Some("`--ref refs/tags/broker/v1.2.3`, or `--ref refs/heads/broker/v1.2.3` for a branch"),
            ),
            (
                "broker-v1.2.3",
                Some("`--ref refs/tags/broker-v1.2.3`, or `--ref refs/heads/broker-v1.2.3` for a branch"),
            ),
            ("main", Some("`--ref refs/heads/main`, or `--ref refs/tags/main` for a git tag")),
            ("feature/x", Some("`--ref refs/heads/feature/x`, or `--ref refs/tags/feature/x` for a git tag")),
            ("origin/main", Some("`--ref refs/heads/main`")),
            ("refs/remotes/origin/main", Some("`--ref refs/heads/main`")),
            ("heads/main", Some("`--ref refs/heads/main`")),
            ("tags/v1.2.3", Some("`--ref refs/tags/v1.2.3`")),
            ("#12", Some("`--pr 12`")),
            ("12", Some("`--pr 12`")),
            (
                "0123456789abcdef0123456789abcdef01234567",
                Some("`--sha 0123456789abcdef0123456789abcdef01234567`"),
            ),
            ("refs/head/main", None),
            ("", None),
            ("a b", None),
        ] {
            assert_eq!(super::likely_meaning(given).as_deref(), meant, "{given}");
        }
    }

    use super::*;

    #[test]
    fn names_that_git_accepts_and_refuses() {
        for fine in [
            "refs/heads/main",
            "refs/heads/feature/x#1",
            "refs/tags/v1.2.3+b@x",
            "refs/heads/日本",
            "refs/heads/-x",
        ] {
            assert_eq!(check_reference_name(fine), Ok(()), "{fine}");
        }
        for refused in [
            "refs/heads/main~0",
            "refs/heads/a b",
            "refs/heads/../x",
            "refs/heads/a..b",
            "refs/heads/.a",
            "refs/heads/a/.b",
            "refs/heads/a.lock",
            "refs/heads/a.lock/b",
            "refs/heads/a@{1}",
            "refs/heads/a/",
            "refs/heads/a.",
            "refs/heads/a//b",
            "refs/heads/",
            "refs/heads/a\u{7f}",
            "refs/heads/a\tb",
            "refs/heads/a:b",
            "refs/heads/a?",
            "refs/heads/a*",
            "refs/heads/a[b",
            "refs/heads/a^",
            "refs/heads/a\\b",
        ] {
            assert!(check_reference_name(refused).is_err(), "{refused:?}");
        }
    }
}
