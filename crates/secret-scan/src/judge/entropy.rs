//! The entropy of a value, and whether a machine generated it.

/// Returns the Shannon entropy of `value`, in bits per byte.
#[allow(clippy::cast_precision_loss)] // values are short
pub(super) fn bits(value: &[u8]) -> f64 {
    let length = value.len() as f64;
    counts(value)
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

/// Returns how often each byte occurs in `value`.
pub(super) fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts
}

/// Whether a machine generated it: it is long, hardly any character repeats, and it consists of letters and digits, or of letters
/// alone that are too mixed to be words.
pub(super) fn looks_random(value: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|it| is(it)).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    // A word begins with at most one capital, which is less than a third of five letters. Long words have a single case.
    let switches = value.windows(2).filter(|pair| {
        pair.iter().all(u8::is_ascii_alphabetic)
            && pair.iter().any(u8::is_ascii_uppercase)
            && pair.iter().any(u8::is_ascii_lowercase)
    });
    let mixed = upper.min(lower) * 10 >= (upper + lower) * 3
        && switches.count() * 5 >= upper + lower
        && bits(value) >= 3.5;
    value.len() >= 16
        && bits(value) >= 3.3
        && upper + lower > 0
        && (count(u8::is_ascii_digit) > 0 || mixed)
        && count(u8::is_ascii_whitespace) == 0
}
