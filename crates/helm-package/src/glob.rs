//! Patterns for one path, as Go's `path/filepath.Match` reads them on Unix: `*` and `?` do not match slashes, `[a-z]` and `[^a]`
//! are classes, and a backslash escapes the next character.

/// A pattern that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadGlob;

/// One step of a pattern.
enum GlobStep {
    /// `*`: any number of characters except slashes.
    Many,
    /// `?`: one character except a slash.
    One,
    /// This character.
    Exactly(char),
    /// A character in one of the ranges, or with `true`, in none of them. Go lets a class match a slash.
    Class(bool, Vec<(char, char)>),
}

/// A pattern, ready to match.
pub(crate) struct Glob {
    steps: Vec<GlobStep>,
}

impl Glob {
    /// Parses a pattern.
    pub(crate) fn parse(pattern: &str) -> Result<Self, BadGlob> {
        let mut steps = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(character) = rest.next() {
            steps.push(match character {
                '*' => GlobStep::Many,
                '?' => GlobStep::One,
                '\\' => GlobStep::Exactly(rest.next().ok_or(BadGlob)?),
                '[' => class(&mut rest)?,
                other => GlobStep::Exactly(other),
            });
        }
        // Several stars match the same as one; merging them keeps matching fast.
        steps.dedup_by(|second, first| matches!((second, first), (GlobStep::Many, GlobStep::Many)));
        Ok(Self { steps })
    }

    /// Whether the whole of `name` matches. The time is at most the product of both lengths.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut step, mut at) = (0, 0);
        // The position of the last star, and how far it has matched. Once a later star is reached, no earlier one is needed again,
        // except at slashes, which no star may match.
        let mut star: Option<(usize, usize)> = None;
        loop {
            let matched = match (self.steps.get(step), name.get(at)) {
                (Some(GlobStep::Many), _) => {
                    star = Some((step, at));
                    step += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(GlobStep::One), Some(character)) => *character != '/',
                (Some(GlobStep::Exactly(wanted)), Some(character)) => wanted == character,
                (Some(GlobStep::Class(negated, ranges)), Some(character)) => {
                    ranges.iter().any(|(low, high)| (low..=high).contains(&character)) != *negated
                }
                _ => false,
            };
            if matched {
                step += 1;
                at += 1;
                continue;
            }
            match star {
                Some((from, swallowed)) if name.get(swallowed).is_some_and(|character| *character != '/') => {
                    star = Some((from, swallowed + 1));
                    step = from + 1;
                    at = swallowed + 1;
                }
                _ => return false,
            }
        }
    }
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<GlobStep, BadGlob> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && rest.next_if_eq(&']').is_some() {
            return Ok(GlobStep::Class(negated, ranges));
        }
        let low = of_class(rest)?;
        let high = if rest.next_if_eq(&'-').is_some() { of_class(rest)? } else { low };
        ranges.push((low, high));
    }
}

/// Reads a character of a class: `-` and `]` must be escaped.
fn of_class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, BadGlob> {
    match rest.next().ok_or(BadGlob)? {
        '-' | ']' => Err(BadGlob),
        '\\' => rest.next().ok_or(BadGlob),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_as_go_does() {
        for (pattern, name, expected) in [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*", "a", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a*/b", "abc/b", Some(true)),
            ("a*/b", "a/c/b", Some(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Some(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Some(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Some(false)),
            ("ab[c]", "abc", Some(true)),
            ("ab[b-d]", "abc", Some(true)),
            ("ab[e-g]", "abc", Some(false)),
            ("ab[^c]", "abc", Some(false)),
            ("ab[^e-g]", "abc", Some(true)),
            ("a\\*b", "a*b", Some(true)),
            ("a\\*b", "ab", Some(false)),
            ("a?b", "a\u{263a}b", Some(true)),
            ("a???b", "a\u{263a}b", Some(false)),
            ("a?b", "a/b", Some(false)),
            ("a*b", "a/b", Some(false)),
            ("[\\]a]", "]", Some(true)),
            ("[\\-x]", "-", Some(true)),
            ("*x", "xxx", Some(true)),
            ("[]a]", "]", None),
            ("[-]", "-", None),
            ("[x-]", "x", None),
            ("[a-b-c]", "a", None),
            ("[", "a", None),
            ("[^", "a", None),
            ("[^bc", "a", None),
            ("a[", "a", None),
            ("\\", "a", None),
        ] {
            let found = Glob::parse(pattern).ok().map(|glob| glob.matches(name));
            assert_eq!(found, expected, "`{pattern}` on `{name}`");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let glob = Glob::parse(&"a*".repeat(2000)).expect("a pattern");
        assert!(!glob.matches(&"a".repeat(1999)));
    }

    proptest! {
        #[test]
        fn reads_anything(pattern in ".{0,20}", name in ".{0,20}") {
            if let Ok(glob) = Glob::parse(&pattern) {
                glob.matches(&name);
            }
        }

        #[test]
        fn an_escaped_text_matches_itself(name in "[a-z*?\\[\\]\\\\/-]{0,12}") {
            let pattern: String = name.chars().flat_map(|character| ['\\', character]).collect();
            prop_assert!(Glob::parse(&pattern).expect("a pattern").matches(&name));
        }
    }
}
