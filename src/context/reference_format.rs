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

#[cfg(test)]
mod tests {
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
