//! Sample versions of each scheme. Those of a pattern are texts that its regular expression matches.

use super::scheme::VersionScheme;

/// Versions such as a project may release.
#[derive(Debug, Clone, Default)]
pub struct SampleVersions {
    /// A release.
    pub release: Option<String>,
    /// A pre-release.
    pub prerelease: Option<String>,
    /// A backport, with as much as a version can have.
    pub backport: Option<String>,
}

impl VersionScheme {
    /// Versions such as a project of the scheme may release. A pattern may have fewer.
    pub fn samples(&self) -> SampleVersions {
        samples(self)
    }
}

fn samples(scheme: &VersionScheme) -> SampleVersions {
    let of = |[release, prerelease, backport]: [&str; 3]| SampleVersions {
        release: Some(release.to_owned()),
        prerelease: Some(prerelease.to_owned()),
        backport: Some(backport.to_owned()),
    };
    match scheme {
        VersionScheme::Semver => of(["1.4.2", "2.0.0-rc.1", "1.3.9+build.7"]),
        VersionScheme::Calver => of(["2024.04.2", "2024.10.0-rc.1", "2023.10.9"]),
        VersionScheme::Pep440 => of(["1.4.2", "2.0.0rc1", "1.3.9.post1"]),
        VersionScheme::Loose => of(["1.4.2", "2.0.0-rc.1", "1.3.9.7"]),
        VersionScheme::Pattern(pattern) => {
            let written = |digit: char, all: bool| {
                let text = PatternSample { digit, all, rest: pattern.as_str() }.alternatives(0)?;
                let parsed = scheme.read(&text).ok()?;
                Some((text, parsed.is_prerelease()))
            };
            let releases =
                |digit| [false, true].into_iter().find_map(|all| written(digit, all).filter(|(_, pre)| !pre));
            let text = |found: Option<(String, bool)>| found.map(|(text, _)| text);
            SampleVersions {
                release: text(releases('4')),
                prerelease: text(written('5', true).filter(|(_, pre)| *pre)),
                backport: text(releases('3')),
            }
        }
    }
}

/// A regular expression that is being written out as a text that it matches.
struct PatternSample<'p> {
    /// The digit for every place that takes one.
    digit: char,
    /// Whether optional parts are written.
    all: bool,
    rest: &'p str,
}

/// The depth at which groups are no longer followed.
const DEEPEST: usize = 16;

impl PatternSample<'_> {
    /// Writes the first of the alternatives up to the end of the group.
    fn alternatives(&mut self, depth: usize) -> Option<String> {
        let mut chosen: Option<String> = None;
        let mut text = String::new();
        while let Some(next) = self.rest.chars().next() {
            match next {
                ')' => break,
                '|' => {
                    self.skip(1);
                    chosen = chosen.or(Some(std::mem::take(&mut text)));
                    text.clear();
                }
                '^' | '$' => self.skip(1),
                _ => {
                    let atom = self.atom(depth)?;
                    let times = self.times()?;
                    text.push_str(&atom.repeat(times));
                }
            }
        }
        Some(chosen.unwrap_or(text))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn atom(&mut self, depth: usize) -> Option<String> {
        let next = self.rest.chars().next()?;
        self.skip(next.len_utf8());
        Some(match next {
            '(' if depth < DEEPEST => {
                if self.rest.starts_with('?') {
                    let end = self.rest.find(['>', ':', ')'])?;
                    self.skip(end + usize::from(!self.rest[end..].starts_with(')')));
                }
                let text = self.alternatives(depth + 1)?;
                self.skip(1);
                text
            }
            '(' => return None,
            '[' => self.class()?.to_string(),
            '\\' => {
                let escaped = self.rest.chars().next()?;
                self.skip(escaped.len_utf8());
                match escaped {
                    'd' => self.digit.to_string(),
                    'w' => "x".to_owned(),
                    's' => " ".to_owned(),
                    'b' | 'A' | 'z' => String::new(),
                    other if other.is_ascii_alphanumeric() => return None,
                    other => other.to_string(),
                }
            }
            '.' => "x".to_owned(),
            other => other.to_string(),
        })
    }

    /// A character of a class such as `[a-z]`.
    fn class(&mut self) -> Option<char> {
        let end = self.rest.get(1..)?.find(']')? + 1;
        let class = self.rest.get(..end)?;
        self.skip(end + 1);
        let holds_digits = class.contains("0-9") || class.contains("\\d");
        let first = class.trim_start_matches('\\').chars().next()?;
        match first {
            '^' => None,
            _ if holds_digits => Some(self.digit),
            first => Some(first),
        }
    }

    /// The number of times that the atom before is written.
    fn times(&mut self) -> Option<usize> {
        let times = match self.rest.chars().next() {
            Some('?' | '*') => usize::from(self.all),
            Some('+') => 1,
            Some('{') => {
                let end = self.rest.find('}')?;
                let least = self.rest.get(1..end)?.split(',').next()?.trim().parse().ok()?;
                self.skip(end);
                least
            }
            _ => return Some(1),
        };
        self.skip(1);
        if self.rest.starts_with('?') {
            self.skip(1);
        }
        Some(times)
    }
}
