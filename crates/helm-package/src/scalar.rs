//! The type of a scalar, as Go's YAML library reads it for Helm (YAML 1.1), and its text in a string field.
//!
//! `version: 1.10` is a number there, and as a string it is `1.1`. Helm publishes that, so it counts here too.

use crate::yaml::YamlScalar;

/// A scalar, with its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GoScalar {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that is too large for [`GoScalar::Int`].
    Unsigned(u64),
    Float(f64),
    Text(String),
}

impl GoScalar {
    /// Returns the value of a scalar of a document. The only tags that count are those that make it a string.
    pub(crate) fn of(scalar: &YamlScalar) -> Self {
        if scalar.is_plain && !scalar.is_tagged_string {
            plain(&scalar.text)
        } else {
            Self::Text(scalar.text.clone())
        }
    }

    /// Whether `text` is a string if it is written without quotes.
    pub(crate) fn is_plain_string(text: &str) -> bool {
        plain(text) == Self::Text(text.to_owned())
    }

    /// Returns the text that a string field gets (`sigs.k8s.io/yaml`, `convertToJSONableObject`).
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) => float(*value),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Returns `value` as a scalar: plain if it stays a string, otherwise in quotes.
pub(crate) fn plain_or_quoted(value: &str) -> String {
    let simple =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '+' | '_' | '/' | '@' | ':');
    let plain = value.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !value.ends_with(':')
        && value.chars().all(simple)
        && GoScalar::is_plain_string(value);
    if plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}

/// Returns the value of the plain text `text`.
fn plain(text: &str) -> GoScalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return GoScalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return GoScalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return GoScalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return GoScalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return GoScalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return GoScalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    number(text).unwrap_or_else(|| GoScalar::Text(text.to_owned()))
}

fn number(text: &str) -> Option<GoScalar> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let plain: String = text.chars().filter(|character| *character != '_').collect();
    integer(&plain).or_else(|| {
        let value: f64 = is_float(&plain).then(|| plain.parse().ok()).flatten()?;
        // Go does not treat a value that is out of range as a number.
        value.is_finite().then_some(GoScalar::Float(value))
    })
}

/// Parses an integer as Go's `ParseInt` does with base 0.
fn integer(text: &str) -> Option<GoScalar> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -value } else { value };
    let small = i64::try_from(value).map(GoScalar::Int);
    small.or_else(|_| u64::try_from(value).map(GoScalar::Unsigned)).ok()
}

/// Whether it has the form `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.chars().all(|it| it.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    mantissa && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// Returns a float as Go's `FormatFloat(value, 'g', -1, 32)` writes it: the shortest digits that make the same 32-bit float.
#[allow(clippy::cast_possible_truncation)] // Go also converts it to a 32-bit float
fn float(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_what_helm_makes_of_them() {
        for (written, text) in [
            ("1.2.3", "1.2.3"),
            ("1.16", "1.16"),
            ("1.10", "1.1"),
            ("1", "1"),
            ("1_000", "1000"),
            ("010", "8"),
            ("08", "8"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("-5", "-5"),
            ("1.0", "1"),
            ("yes", "true"),
            ("off", "false"),
            ("n", "false"),
            ("~", ""),
            ("null", ""),
            ("1e3", "1000"),
            ("1e6", "1e+06"),
            ("1234567.5", "1.2345675e+06"),
            ("1.5e-7", "1.5e-07"),
            ("1234e56", "+Inf"),
            ("12e5678", "12e5678"),
            ("2021-01-01", "2021-01-01"),
            (".", "."),
            ("+", "+"),
            ("1.2.3-4", "1.2.3-4"),
            ("v1", "v1"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(plain(written).to_text(), text, "`{written}`");
        }
    }
}
