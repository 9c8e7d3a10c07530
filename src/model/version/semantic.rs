//! Semantic versions, and the pseudo-versions of Go among them.

use semver::Version;

use super::order::{Identifier, Phase, VersionKey};
use super::parts::{ParsedVersion, VersionError, VersionParts};

/// Reads a semantic version. Identifiers with letters compare naturally, where semantic versioning has ASCII's order: `-r9` comes
/// before `-r10`.
pub(super) fn parse(text: &str) -> Result<ParsedVersion, VersionError> {
    let version = Version::parse(text).map_err(|error| VersionError(error.to_string()))?;
    let numbers = [version.major, version.minor, version.patch].map(|number| number.to_string());
    let mut key = VersionKey::release(numbers.iter().map(String::as_str));
    if !version.pre.is_empty() {
        key.phase = Phase::Pre(Identifier::list(&version.pre, &['.']));
    }
    key.build = Identifier::list(&version.build, &['.']);
    let parts = VersionParts {
        numbers: numbers.to_vec(),
        pre: version.pre.to_string(),
        build: version.build.to_string(),
        ..VersionParts::default()
    };
    // The order of semantic versioning already puts a pseudo-version after the release it counts from.
    let development = is_pseudo_version(&version.pre);
    Ok(ParsedVersion { development, ..ParsedVersion::new(parts, key) })
}

/// Whether `pre` is that of a pseudo-version of Go: `20191109021931-daa7c04131f5`, `0.20191109021931-daa7c04131f5` or
/// `rc.1.0.20191109021931-daa7c04131f5` (<https://go.dev/ref/mod#pseudo-versions>).
fn is_pseudo_version(pre: &str) -> bool {
    let (base, last) = pre.rsplit_once('.').map_or((None, pre), |(base, last)| (Some(base), last));
    let Some((time, commit)) = last.split_once('-') else { return false };
    let is_time = time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit());
    let is_commit =
        commit.len() == 12 && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_time && is_commit && base.is_none_or(|base| base == "0" || base.ends_with(".0"))
}
