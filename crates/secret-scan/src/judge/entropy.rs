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

/// Whether the value of a token looks random: it has digits and letters that alternate more often than in words with a number.
pub(super) fn is_mixed(value: &[u8]) -> bool {
    let digits = value.iter().filter(|it| it.is_ascii_digit()).count();
    value.len() >= 16 && digits > 0 && bits(value) >= 3.0 && changes(value) * 5 >= value.len()
}

/// Whether nobody could have chosen it, so that it counts whatever its name is: at least 20 characters of base64, small letters,
/// capital letters and digits, whose kind changes nearly as often as by chance; or at least 32 small letters and digits.
pub(super) fn is_certain(value: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|it| is(it)).count();
    let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let digits = count(u8::is_ascii_digit);
    let other = value.len() - upper - lower - digits;
    let is_text = value.iter().all(|it| it.is_ascii_alphanumeric() || b"+/=_-%.~".contains(it));
    let few = digits == 0 && (value.len() < 32 || changes(value) * 100 < value.len() * 40);
    if !is_text || other * 8 > value.len() || few || bits(value) < 3.5 {
        return false;
    }
    let alternates = |share: usize| changes(value) * 100 >= value.len() * share;
    if upper > 0 && lower > 0 {
        return value.len() >= 20 && upper.min(lower) * 6 >= upper + lower && alternates(34);
    }
    let one_case = upper.max(lower);
    value.len() >= 32 && digits * 9 >= value.len() && one_case > 0 && alternates(22)
}

/// Whether a machine generated it from letters, digits and signs other than those of base64 and tokens: their kind changes nearly as often
/// as by chance, which it does in no template, expression or text.
pub(super) fn is_jumble(value: &[u8]) -> bool {
    let some = |is: fn(&u8) -> bool| value.iter().filter(|it| is(it)).count() * 16 >= value.len();
    value.len() >= 20
        && value.iter().all(u8::is_ascii_graphic)
        && some(u8::is_ascii_uppercase)
        && some(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_digit)
        && value.iter().any(|it| it.is_ascii_punctuation() && !b"+/=_-.~".contains(it))
        && changes(value) * 100 >= value.len() * 45
        && bits(value) >= 3.8
}

/// Whether nobody can find the value by trying: it has about 64 bits at least, and looks generated. A private key and the like is long.
#[allow(clippy::cast_precision_loss)] // values are short
pub(super) fn resists_guessing(value: &[u8]) -> bool {
    let varied = bits(value) * value.len() as f64 >= 64.0;
    let looks = looks_random(value) || is_mixed(value) || is_certain(value) || value.len() >= 64;
    value.len() >= 16 && varied && looks
}

/// Whether it consists of hexadecimal digits, as digests do.
pub(super) fn is_hex(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit)
}

/// Returns how often the kind of neighbouring characters differs: small letter, capital letter, digit.
fn changes(value: &[u8]) -> usize {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 3,
        _ => 0,
    };
    value.windows(2).filter(|pair| matches!(pair, [one, two] if kind(*one) != kind(*two))).count()
}
