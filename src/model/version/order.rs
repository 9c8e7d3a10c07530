//! The order of versions: one key for all schemes, and the natural order of text that a scheme leaves open.

use std::cmp::Ordering;

/// A part of a version that is a number or text. Numbers come before text; runs of digits inside text compare as numbers.
#[derive(Debug, Clone)]
pub(super) struct Identifier {
    text: String,
    /// The rank of its kind, which decides first.
    rank: u8,
}

impl Identifier {
    /// An identifier of semantic versioning: numbers come before text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), rank: u8::from(!is_number(text)) }
    }

    /// An identifier of a local version of PEP 440: text comes before numbers.
    pub fn local(text: &str) -> Self {
        Self { text: text.to_owned(), rank: u8::from(is_number(text)) }
    }

    /// The identifiers of `text`, which `separators` separate.
    pub fn list(text: &str, separators: &[char]) -> Vec<Self> {
        if text.is_empty() { Vec::new() } else { text.split(separators).map(Self::new).collect() }
    }
}

impl Ord for Identifier {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| natural(&self.text, &other.text))
    }
}

impl PartialOrd for Identifier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Identifier {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Identifier {}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Compares two texts byte by byte, but runs of digits as numbers: `k3s9` comes before `k3s10`.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some(a), Some(b)) = (one.first(), other.first()) else { return one.len().cmp(&other.len()) };
        if a.is_ascii_digit() && b.is_ascii_digit() {
            let ((number, rest), (other_number, other_rest)) = (digits(one), digits(other));
            let order = number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number));
            if order.is_ne() {
                return order;
            }
            (one, other) = (rest, other_rest);
        } else if a == b {
            (one, other) = (one.get(1..).unwrap_or_default(), other.get(1..).unwrap_or_default());
        } else {
            return a.cmp(b);
        }
    }
}

/// The digits at the start of `text` without leading zeros, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let zeros = number.iter().position(|byte| *byte != b'0').unwrap_or(number.len());
    (number.get(zeros..).unwrap_or_default(), rest)
}

/// The place of a version before, in or after its release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Work on the release, before any pre-release of it.
    Development(Vec<Identifier>),
    /// A pre-release.
    Pre(Vec<Identifier>),
    /// The release.
    Release,
}

/// The work on something, which comes before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// This work.
    On(Vec<Identifier>),
    /// The thing itself.
    Done,
}

/// The key by which versions compare. The fields decide in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VersionKey {
    pub epoch: Identifier,
    /// Without zeros at the end: 1.2 and 1.2.0 are equal.
    pub numbers: Vec<Identifier>,
    pub phase: Phase,
    /// The revision after it, empty if there is none.
    pub post: Vec<Identifier>,
    pub work: Work,
    /// The number of commits after it, if it is the output of git-describe(1).
    pub distance: Option<u64>,
    pub build: Vec<Identifier>,
}

impl VersionKey {
    /// The key of a release with these numbers.
    pub fn release<'t>(numbers: impl IntoIterator<Item = &'t str>) -> Self {
        let mut numbers: Vec<Identifier> = numbers.into_iter().map(Identifier::new).collect();
        while numbers.last().is_some_and(|last| last.text.bytes().all(|byte| byte == b'0')) {
            numbers.pop();
        }
        Self {
            epoch: Identifier::new("0"),
            numbers,
            phase: Phase::Release,
            post: Vec::new(),
            work: Work::Done,
            distance: None,
            build: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_in_text_are_numbers() {
        for (lower, higher) in [
            ("k3s9", "k3s10"),
            ("r9", "r10"),
            ("a", "a1"),
            ("a1", "ab"),
            ("a-1", "a1"),
            ("rc09b", "rc9c"),
            ("x99999999999999999999998", "x99999999999999999999999"),
        ] {
            assert_eq!(natural(lower, higher), Ordering::Less, "{lower} {higher}");
            assert_eq!(natural(higher, lower), Ordering::Greater, "{lower} {higher}");
        }
        assert_eq!(natural("k007", "k7"), Ordering::Equal);
        assert!(
            Identifier::new("999") < Identifier::new("a") && Identifier::local("a") < Identifier::local("1")
        );
    }
}
