//! The output of git-describe(1): a tag, the number of commits after it, and the commit.

/// A text without the suffix of git-describe(1), and the number of commits in that suffix.
pub(super) struct Described<'t> {
    pub base: &'t str,
    pub distance: u64,
}

/// Splits `1.2.3-4-g9f3c2ab` and `1.2.3-dirty`. Returns `None` if `text` has no such suffix.
pub(super) fn described(text: &str) -> Option<Described<'_>> {
    let (clean, is_dirty) = match text.strip_suffix("-dirty").or_else(|| text.strip_suffix("-broken")) {
        Some(clean) => (clean, true),
        None => (text, false),
    };
    let commits = || {
        let (before, commit) = clean.rsplit_once("-g")?;
        let is_commit = (4..=64).contains(&commit.len())
            && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let (base, distance) = before.rsplit_once('-').filter(|_| is_commit)?;
        let is_number = distance.bytes().all(|byte| byte.is_ascii_digit());
        Some(Described { base, distance: distance.parse().ok().filter(|_| is_number)? })
    };
    commits().or(is_dirty.then_some(Described { base: clean, distance: 0 }))
}
