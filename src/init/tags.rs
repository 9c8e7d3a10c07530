//! The git tags of a repository: the prefix of its releases, and whether they are semantic versions. The newest tags count, because
//! projects change their minds.

use semver::Version;

/// The number of tags that count.
const NEWEST: usize = 20;

/// The facts about the git tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TagFacts {
    /// The prefix of the newest release: `v`, an empty text, or `broker/v`.
    pub prefix: String,
    /// The newest tag of a release.
    pub newest: Option<String>,
    /// Whether what follows the prefix is a semantic version, for the newest tags.
    pub are_versions: bool,
    /// An example of a tag that is not a semantic version.
    pub other: Option<String>,
}

impl TagFacts {
    /// The facts about tags, the newest first.
    pub fn of<'t>(tags: impl IntoIterator<Item = &'t str>) -> Self {
        let tags: Vec<&str> = tags.into_iter().take(NEWEST).filter(|tag| is_harmless(tag)).collect();
        let releases: Vec<(&str, &str)> = tags.iter().filter_map(|tag| split(tag)).collect();
        let newest = releases.iter().find(|(_, version)| is_semver(version));
        // A release of the same prefix counts before its pre-releases.
        let same = |it: &&(&str, &str)| newest.is_some_and(|(prefix, _)| it.0 == *prefix);
        let highest = releases
            .iter()
            .filter(same)
            .filter_map(|it| Some((it.1.parse::<Version>().ok()?, it)))
            .filter(|(version, _)| version.pre.is_empty())
            .max_by(|(one, _), (other, _)| one.cmp(other))
            .map(|(_, it)| it);
        let Some((prefix, version)) = highest.or(newest).or(releases.first()) else {
            return Self { prefix: "v".to_owned(), newest: None, are_versions: true, other: None };
        };
        let of_prefix: Vec<&str> =
            releases.iter().filter(|(it, _)| it == prefix).map(|(_, it)| *it).collect();
        let others = of_prefix.iter().filter(|it| !is_semver(it));
        // A moving tag `v1` beside `v1.2.3` is not a release.
        let others: Vec<&&str> = others.filter(|it| it.contains('.')).collect();
        let fitting = of_prefix.iter().filter(|it| is_semver(it)).count();
        Self {
            prefix: (*prefix).to_owned(),
            newest: Some(format!("{prefix}{version}")),
            are_versions: fitting > others.len(),
            other: others.first().map(|it| format!("{prefix}{it}")),
        }
    }

    /// Whether `tag` is not a release.
    pub fn excludes(&self, tag: &str) -> bool {
        self.are_versions && !tag.strip_prefix(self.prefix.as_str()).is_some_and(is_semver)
    }

    /// Whether the prefix can be part of a tag of an image.
    pub fn prefix_is_tag(&self) -> bool {
        self.prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            && !self.prefix.starts_with(['.', '-'])
    }

    /// A git tag as the next release and the next pre-release have it.
    pub fn samples(&self) -> [String; 2] {
        let version =
            self.newest.as_deref().and_then(|tag| tag.strip_prefix(&self.prefix)?.parse::<Version>().ok());
        let (major, minor, patch) = version.map_or((1, 2, 3), |it| (it.major, it.minor, it.patch));
        let release = format!("{}{major}.{minor}.{patch}", self.prefix);
        [release.clone(), format!("{release}-rc.1")]
    }
}

fn is_semver(text: &str) -> bool {
    text.parse::<Version>().is_ok()
}

/// Whether a tag has only characters of versions and prefixes.
fn is_harmless(tag: &str) -> bool {
    tag.len() <= 100 && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-+/@".contains(c))
}

/// The prefix of a tag and the rest of it, which begins with a digit. `None` if there is no digit, or the tag is the name of
/// something else, such as `nightly-20260102`.
fn split(tag: &str) -> Option<(&str, &str)> {
    let last = tag.rfind('/').map_or(0, |at| at + 1);
    let (folder, name) = tag.split_at_checked(last)?;
    let start = name.char_indices().find_map(|(at, _)| {
        let rest = name.get(at..)?;
        let before = name.get(..at)?.chars().next_back();
        let begins = before.is_none_or(|c| !c.is_ascii_digit() && c != '.');
        (begins && rest.starts_with(|c: char| c.is_ascii_digit())).then_some(at)
    })?;
    // `app2-v1.0.0`: the version is what comes last.
    let last = name.rfind("-v").map(|at| at + 2);
    let start = last.filter(|at| *at > start && name.get(*at..).is_some_and(is_semver)).unwrap_or(start);
    let at = folder.len() + start;
    let (prefix, version) = tag.split_at_checked(at)?;
    (version.contains('.') || is_semver(version)).then_some((prefix, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_gives_the_prefix() {
        for (tags, prefix, versions) in [
            (vec!["v1.2.3", "v1.2.2", "v1"], "v", true),
            (vec!["1.10.0", "1.9.0", "v1.0.0"], "", true),
            (vec!["broker/v1.0.0", "broker/v0.9.0"], "broker/v", true),
            (vec!["release-2.0.0"], "release-", true),
            (vec!["nightly", "v2.0.0"], "v", true),
            (vec!["app2-v1.0.0"], "app2-v", true),
            (vec!["24.04.1", "24.02.1"], "", false),
            (vec!["v1.2", "v1.1"], "v", false),
            (vec![], "v", true),
            (vec!["v1.28.5+k3s1", "v1.28.4+k3s2"], "v", true),
        ] {
            let facts = TagFacts::of(tags.iter().copied());
            assert_eq!((facts.prefix.as_str(), facts.are_versions), (prefix, versions), "{tags:?}");
        }
    }
}
