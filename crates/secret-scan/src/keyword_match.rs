//! The match at a keyword: the place at which the pattern of its rule is tried, and whether the match stands alone.

use std::ops::Range;

use crate::compiled::Rules;
use crate::judge::{self, Judgement};
use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

/// How many bytes back the start of a run of word characters is looked for.
const RUN: usize = 250;
/// How many bytes back a text is looked for.
const TEXT: usize = 64;
/// How many bytes around a secret a name is looked for. The search keeps at least as many bytes.
const NEAR: usize = 256;

/// A keyword in some bytes, and the rule that it belongs to.
pub(crate) struct KeywordSpot<'b> {
    /// The bytes up to the end of what the rule may see.
    pub bytes: &'b [u8],
    /// The offset at which the keyword begins.
    pub at: usize,
    /// Whether the bytes are binary data, in which a text may follow its length.
    pub binary: bool,
    /// The position of the rule.
    pub position: usize,
}

/// Whether a pattern may begin at the keyword: a quick look, so that a text that consists of keywords, such as zeros in base64, costs no
/// work.
pub(crate) fn may_begin(near: &NearKeyword, spot: &KeywordSpot<'_>) -> bool {
    if near.check.proves() {
        return true;
    }
    let Some(start) = start(near.start, spot.bytes, spot.at) else { return false };
    let same = |one: Option<usize>| one.and_then(|it| spot.bytes.get(it)) == spot.bytes.get(start);
    let in_run = same(start.checked_sub(1)) && same(start.checked_add(1));
    begins(near.start, spot.bytes, start) || spot.binary && !in_run
}

/// Returns the value that counts as a secret for `rule` at a keyword, with its range.
pub(crate) fn secret_at<'b>(
    rules: &Rules,
    rule: &Rule,
    near: &NearKeyword,
    spot: &KeywordSpot<'b>,
) -> Option<(Range<usize>, Judgement<'b>)> {
    let start = start(near.start, spot.bytes, spot.at)?;
    let text = |range: &Range<usize>| spot.bytes.get(range.clone()).unwrap_or_default();
    let judged = |(whole, value): (Range<usize>, Range<usize>)| {
        let is_alone = match near.check {
            ValueCheck::NearAws => !is_near_aws(spot, whole.end),
            ValueCheck::NearJwk => !is_near_jwk(spot, whole.end),
            _ => false,
        };
        if is_alone {
            return None;
        }
        let judgement = judge::value(rule, near.entropy, near.check, text(&whole), text(&value))?;
        Some((whole, value, judgement))
    };
    // In the middle of a word, only rules that prove a value are tried, because a file full of keywords has nearly all of them there.
    let begins = begins(near.start, spot.bytes, start);
    if (begins || near.check.proves())
        && let Some((whole, value, judgement)) =
            matched(rules, spot.position, spot.bytes, start, spot.bytes.len()).and_then(judged)
        && (judgement.proven || begins && ends(spot.bytes, whole.end))
    {
        return Some((value, judgement));
    }
    // A text in a compiled program of Python or Java, or in a Protobuf message: its length precedes it.
    let length = usize::from(*spot.bytes.get(start.checked_sub(1)?).filter(|_| spot.binary)?);
    let (whole, value, judgement) =
        matched(rules, spot.position, spot.bytes, start, start + length).and_then(judged)?;
    (whole.len() == length).then_some((value, judgement))
}

/// Whether AWS or one of its access keys is named near a keyword whose pattern ends at `end`.
fn is_near_aws(spot: &KeywordSpot<'_>, end: usize) -> bool {
    let until = spot.bytes.len().min(end + NEAR);
    let around = spot.bytes.get(spot.at.saturating_sub(NEAR)..until).unwrap_or_default();
    around.windows(4).any(|it| matches!(it, b"AKIA" | b"ASIA"))
        || around.windows(3).any(|it| it.eq_ignore_ascii_case(b"aws"))
}

/// Whether another member of a JSON Web Key is near a keyword whose pattern ends at `end`.
fn is_near_jwk(spot: &KeywordSpot<'_>, end: usize) -> bool {
    const MEMBERS: [&[u8]; 5] = [b"\"kty\"", b"\"crv\"", b"\"AQAB\"", b"\"dp\"", b"\"kid\""];
    let until = spot.bytes.len().min(end + NEAR);
    let around = spot.bytes.get(spot.at.saturating_sub(NEAR)..until).unwrap_or_default();
    MEMBERS.iter().any(|member| around.windows(member.len()).any(|it| it == *member))
}

/// Returns the offset at which the pattern is tried.
fn start(start: PatternStart, bytes: &[u8], at: usize) -> Option<usize> {
    match start {
        PatternStart::Here | PatternStart::Within => Some(at),
        PatternStart::HereIf(offset, byte) => (bytes.get(at + offset) == Some(&byte)).then_some(at),
        PatternStart::Back(count) => at.checked_sub(count),
        PatternStart::Text(text) => {
            let from = at.saturating_sub(TEXT);
            let before = bytes.get(from..at)?;
            before.windows(text.len()).rposition(|it| it == text.as_bytes()).map(|found| from + found)
        }
        PatternStart::Run => {
            let before = bytes.get(..at)?;
            let run = before.iter().rev().take(RUN).take_while(|it| is_word(**it) || **it == b'-').count();
            let first = at - run;
            (run < RUN).then(|| first + usize::from(is_escaped(bytes, first + 1)))
        }
    }
}

/// Returns the range in which the pattern of a rule matches between `start` and `end`, and the range of the value in it.
fn matched(
    rules: &Rules,
    position: usize,
    bytes: &[u8],
    start: usize,
    end: usize,
) -> Option<(Range<usize>, Range<usize>)> {
    let (pattern, bytes) = (rules.pattern(position)?, bytes.get(start..end.min(bytes.len()))?);
    // Most keywords are followed by something else, and to find only that there is no match is much faster.
    let captures = pattern.is_match(bytes).then(|| pattern.captures(bytes))??;
    let whole = captures.get(0)?;
    let value = captures.name("value").unwrap_or(whole);
    let moved = |it: regex::bytes::Match<'_>| start + it.start()..start + it.end();
    Some((moved(whole), moved(value)))
}

/// Whether no word character precedes `at`, at which a pattern begins, or the pattern may begin inside a word.
fn begins(start: PatternStart, bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    matches!(start, PatternStart::Within | PatternStart::Text(_))
        || before.is_none_or(|it| !is_word(*it) && *it != b'-')
        || is_escaped(bytes, at)
}

/// Whether no word character follows the end of a pattern at `end`.
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
