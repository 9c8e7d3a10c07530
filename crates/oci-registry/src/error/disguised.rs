//! Texts that reveal a credential in a form that nobody can list: encoded twice, with other characters between its own, in other
//! case, or backwards.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The shortest credential that is looked for, in letters and digits. Shorter ones occur by chance.
const SHORTEST: usize = 6;
/// How often a text is decoded.
const DEPTH: usize = 4;
/// The most forms of one text that are looked at.
const MOST: usize = 64;
/// The longest text that is looked at, in bytes. More is not shown.
const LONGEST: usize = 64 * 1024;

/// Whether `text` reveals one of the `secrets`.
pub(super) fn reveals(text: &str, secrets: &[&str]) -> bool {
    let wanted: Vec<String> = secrets
        .iter()
        .map(|it| squeezed(it))
        .filter(|it| it.len() >= SHORTEST)
        .flat_map(|it| [it.chars().rev().collect(), it])
        .collect();
    if wanted.is_empty() || text.is_empty() {
        return false;
    }
    let end = (0..=text.len().min(LONGEST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let mut forms = vec![text.get(..end).unwrap_or_default().to_owned()];
    let mut from = 0;
    for _ in 0..DEPTH {
        let until = forms.len();
        let mut more = Vec::new();
        for form in forms.get(from..until).unwrap_or_default() {
            let plain = squeezed(form);
            if wanted.iter().any(|secret| plain.contains(secret)) {
                return true;
            }
            more.extend(decoded(form));
        }
        more.retain(|form| !forms.contains(form));
        more.truncate(MOST.saturating_sub(forms.len()));
        if more.is_empty() {
            return false;
        }
        from = until;
        forms.extend(more);
    }
    false
}

/// Returns the letters and digits of `text`, in small letters.
fn squeezed(text: &str) -> String {
    text.chars().filter(|it| it.is_alphanumeric()).map(narrow).flat_map(char::to_lowercase).collect()
}

/// Returns a full-width letter or digit as the usual one (Unicode, "Halfwidth and Fullwidth Forms").
fn narrow(character: char) -> char {
    let code = u32::from(character);
    let usual = if (0xff01..=0xff5e).contains(&code) { char::from_u32(code - 0xfee0) } else { None };
    usual.unwrap_or(character)
}

/// Returns `text` with each kind of encoding removed once.
fn decoded(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    if text.contains('%') {
        forms.push(escapes(text, "%", 2, 16));
        forms.push(quoted_bytes(text, "%"));
    }
    if text.contains('\\') {
        forms.push(escapes(text, "\\u", 4, 16));
        forms.push(quoted_bytes(text, "\\x"));
        forms.push(text.replace('\\', ""));
    }
    if text.contains('=') {
        forms.push(quoted_bytes(text, "="));
    }
    if text.contains('&') {
        forms.push(entities(text));
    }
    forms.extend(runs(text, |it| it.is_ascii_hexdigit()).into_iter().filter_map(of_hex));
    forms.extend(
        runs(text, |it| it.is_ascii_alphanumeric() || "+/-_".contains(it)).into_iter().filter_map(of_base64),
    );
    let unbroken: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    if unbroken != text {
        forms.push(unbroken);
    }
    forms
}

/// Returns the runs of characters that `is` accepts and that are long enough to hold a credential.
fn runs(text: &str, is: impl Fn(char) -> bool) -> Vec<&str> {
    let runs = text.split(|character| !is(character)).filter(|run| run.len() >= SHORTEST);
    runs.take(MOST).collect()
}

fn of_hex(run: &str) -> Option<String> {
    let digits = run.get(..run.len() / 2 * 2)?;
    let bytes: Vec<u8> = (0..digits.len() / 2)
        .filter_map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes).ok()
}

fn of_base64(run: &str) -> Option<String> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let usual = run.replace('-', "+").replace('_', "/");
    let whole = usual.get(..usual.len() - usize::from(usual.len() % 4 == 1))?;
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(whole).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns `text` with each escape decoded as one character: `mark`, and `digits` digits.
fn escapes(text: &str, mark: &str, digits: usize, radix: u32) -> String {
    let mut parts = text.split(mark);
    let mut output = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..digits).and_then(|it| u32::from_str_radix(it, radix).ok());
        match (code.and_then(char::from_u32), part.get(digits..)) {
            (Some(character), Some(rest)) => {
                output.push(character);
                output.push_str(rest);
            }
            _ => output.push_str(part),
        }
    }
    output
}

/// Returns `text` with each escape decoded as one byte of UTF-8: `mark`, and two hexadecimal digits.
fn quoted_bytes(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let mut output = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match (part.get(..2).and_then(|it| u8::from_str_radix(it, 16).ok()), part.get(2..)) {
            (Some(byte), Some(rest)) => {
                output.push(byte);
                output.extend(rest.as_bytes());
            }
            _ => output.extend(part.as_bytes()),
        }
    }
    String::from_utf8_lossy(&output).into_owned()
}

/// Returns `text` with the entities of HTML decoded: numbers, and the five names of XML.
fn entities(text: &str) -> String {
    let mut parts = text.split('&');
    let mut output = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once(';') else {
            output.push_str(part);
            continue;
        };
        let lower = name.to_ascii_lowercase();
        let number = match lower.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            },
            None => None,
        };
        let named = match lower.as_str() {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => number.and_then(char::from_u32),
        };
        output.extend(named);
        output.push_str(rest);
    }
    output
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    const SECRET: &str = "R7dQ2m/Vx9KcT+4nLw";

    #[test]
    fn a_disguised_credential_is_recognized() {
        let each = |write: fn(u8) -> String| SECRET.bytes().map(write).collect::<String>();
        let hex = each(|byte| format!("{byte:02x}"));
        let percent = each(|byte| format!("%{byte:02X}"));
        for text in [
            SECRET.to_owned(),
            SECRET.to_uppercase(),
            SECRET.chars().rev().collect(),
            SECRET.chars().flat_map(|it| [it, '-']).collect(),
            SECRET.chars().flat_map(|it| [it, '\u{ad}']).collect(),
            SECRET.chars().flat_map(|it| [it, '\n']).collect(),
            SECRET.replace("R7", "\u{ff32}\u{ff17}"),
            STANDARD.encode(STANDARD.encode(SECRET)),
            URL_SAFE_NO_PAD.encode(format!("x{SECRET}y")),
            STANDARD.encode(&hex),
            hex.clone(),
            percent.replace('%', "%25"),
            each(|byte| format!("&#{byte};")),
            each(|byte| format!("&#x{byte:x};")),
            each(|byte| format!("\\u{byte:04x}")),
            each(|byte| format!("\\\\u{byte:04x}")),
            each(|byte| format!("\\x{byte:02x}")),
            each(|byte| format!("={byte:02X}")),
            STANDARD.encode(SECRET).replace("QzJt", "Qz\nJt"),
            format!("prefix {} suffix", STANDARD.encode(percent)),
        ] {
            assert!(reveals(&text, &["acme", SECRET]), "{text}");
        }
    }

    #[test]
    fn other_texts_reveal_nothing() {
        for text in
            ["", "acme may not push", "sha256:0123456789abcdef0123456789abcdef", "R7dQ2m", "100% &amp; \\u"]
        {
            assert!(!reveals(text, &["acme", SECRET]), "{text}");
        }
    }
}
