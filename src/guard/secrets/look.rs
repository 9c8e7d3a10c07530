//! What stands at a keyword: where the pattern of its rule is tried, and whether what it finds stands alone.

use std::ops::Range;

use super::compiled::Rules;
use super::judge::{self, Judged};
use super::rule::{Check, Near, Rule, Start};

/// How far back the start of a run of word characters is looked for, in bytes.
const RUN: usize = 250;
/// How far back a text is looked for, in bytes.
const TEXT: usize = 64;
/// How far around a secret a name is looked for, in bytes: no farther than is kept of what was searched.
const NEAR: usize = 256;

/// A keyword in some bytes, and the rule that is to look at it.
pub(super) struct Spot<'b> {
    /// The bytes up to the end of what the rule may see.
    pub bytes: &'b [u8],
    /// Where the keyword begins.
    pub at: usize,
    /// Whether the bytes are of binary data, where texts stand behind their lengths.
    pub binary: bool,
    /// The position of the rule.
    pub position: usize,
}

/// The value that `rule` takes for a secret at a keyword, and where it is.
pub(super) fn look<'b>(
    rules: &Rules,
    rule: &Rule,
    near: &Near,
    spot: &Spot<'b>,
) -> Option<(Range<usize>, Judged<'b>)> {
    let start = start(near.start, spot.bytes, spot.at)?;
    let text = |range: &Range<usize>| spot.bytes.get(range.clone()).unwrap_or_default();
    let judged = |(whole, value): (Range<usize>, Range<usize>)| {
        if near.check == Check::NearAws && !is_near_aws(spot, whole.end) {
            return None;
        }
        let judged = judge::judge(rule, near.entropy, near.check, text(&whole), text(&value))?;
        Some((whole, value, judged))
    };
    // In the middle of a word only what proves itself is looked at: nearly all keywords of a file full of them are there.
    let begins = begins(near.start, spot.bytes, start);
    if (begins || near.check.proves())
        && let Some((whole, value, judged)) =
            matched(rules, spot.position, spot.bytes, start, spot.bytes.len()).and_then(judged)
        && (judged.proven || begins && ends(spot.bytes, whole.end))
    {
        return Some((value, judged));
    }
    // A text of a compiled program of Python or of Java, or of a message of Protobuf: its length stands before it.
    let length = usize::from(*spot.bytes.get(start.checked_sub(1)?).filter(|_| spot.binary)?);
    let (whole, value, judged) =
        matched(rules, spot.position, spot.bytes, start, start + length).and_then(judged)?;
    (whole.len() == length).then_some((value, judged))
}

/// Whether AWS or an access key of it is named near a keyword whose pattern ends at `end`.
fn is_near_aws(spot: &Spot<'_>, end: usize) -> bool {
    let until = spot.bytes.len().min(end + NEAR);
    let around = spot.bytes.get(spot.at.saturating_sub(NEAR)..until).unwrap_or_default();
    around.windows(4).any(|it| matches!(it, b"AKIA" | b"ASIA"))
        || around.windows(3).any(|it| it.eq_ignore_ascii_case(b"aws"))
}

/// Where the pattern is tried.
fn start(start: Start, bytes: &[u8], at: usize) -> Option<usize> {
    match start {
        Start::Here | Start::Within => Some(at),
        Start::Back(count) => at.checked_sub(count),
        Start::Text(text) => {
            let from = at.saturating_sub(TEXT);
            let before = bytes.get(from..at)?;
            before.windows(text.len()).rposition(|it| it == text.as_bytes()).map(|found| from + found)
        }
        Start::Run => {
            let before = bytes.get(..at)?;
            let run = before.iter().rev().take(RUN).take_while(|it| is_word(**it) || **it == b'-').count();
            let first = at - run;
            (run < RUN).then(|| first + usize::from(is_escaped(bytes, first + 1)))
        }
    }
}

/// Where the pattern of a rule matches between `start` and `end`, and the value in it.
fn matched(
    rules: &Rules,
    position: usize,
    bytes: &[u8],
    start: usize,
    end: usize,
) -> Option<(Range<usize>, Range<usize>)> {
    let captures = rules.pattern(position)?.captures(bytes.get(start..end.min(bytes.len()))?)?;
    let whole = captures.get(0)?;
    let value = captures.name("value").unwrap_or(whole);
    let moved = |it: regex::bytes::Match<'_>| start + it.start()..start + it.end();
    Some((moved(whole), moved(value)))
}

/// Whether nothing of a word stands before `at`, where a pattern begins, or need not.
fn begins(start: Start, bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    matches!(start, Start::Within | Start::Text(_))
        || before.is_none_or(|it| !is_word(*it) && *it != b'-')
        || is_escaped(bytes, at)
}

/// Whether nothing of a word stands at `end`, where a pattern ends.
fn ends(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_none_or(|it| !is_word(*it) && *it != b'-')
}

/// Whether the byte before `at` is the letter of an escape such as `\n`.
fn is_escaped(bytes: &[u8], at: usize) -> bool {
    let before = |count: usize| at.checked_sub(count).and_then(|at| bytes.get(at));
    matches!(before(1), Some(b'n' | b'r' | b't')) && before(2) == Some(&b'\\')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
