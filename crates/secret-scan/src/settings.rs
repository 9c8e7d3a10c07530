//! The names and values on the lines of files of settings and of programs, whatever their syntax is: `name: value`,
//! `"name": "value"`, `name = value`, `'name' => 'value'`, `<name>value</name>`, `name="Name" value="value"`,
//! `define('NAME', 'value')`.

use std::ops::Range;

/// The longest name.
const NAME: usize = 128;
/// The most white space between a name and its value.
const GAP: usize = 64;

/// The syntax of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingsSyntax {
    /// Values may stand without quotes.
    Settings,
    /// Only texts in quotes are values; anything else is an expression.
    Program,
}

/// Reads the lines of one file.
pub(crate) struct SettingsReader {
    pub(crate) syntax: SettingsSyntax,
    /// The last value of a `name` or `key`, for the `value` that follows it on this line or on the next.
    named: Option<Vec<u8>>,
    /// How many more lines `named` is valid for.
    lines: u8,
}

impl SettingsReader {
    pub(crate) fn new(syntax: SettingsSyntax) -> Self {
        Self { syntax, named: None, lines: 0 }
    }

    /// Calls `each` with every name on `line` and the range of its value.
    pub(crate) fn read(&mut self, line: &[u8], each: &mut dyn FnMut(&[u8], Range<usize>)) {
        let start = line.iter().position(|it| !it.is_ascii_whitespace()).unwrap_or(line.len());
        if line.get(start).is_none_or(|it| matches!(it, b'#' | b';')) {
            return;
        }
        self.lines = self.lines.saturating_sub(1);
        if self.lines == 0 {
            self.named = None;
        }
        let mut from = start;
        let mut any = false;
        while let Some(sign) = next_sign(line, from) {
            from = sign + 1;
            let Some((name, value)) = self.assigned(line, sign) else { continue };
            any = true;
            let name = line.get(name).unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            match lower.as_slice() {
                b"name" | b"key" | b"variable" | b"parameterkey" => {
                    self.named = line.get(value.clone()).map(<[u8]>::to_vec);
                    self.lines = 2;
                    each(name, value);
                }
                b"value" | b"parametervalue" => match self.named.take() {
                    Some(named) => each(&named, value),
                    None => each(name, value),
                },
                _ => each(name, value),
            }
        }
        if !any && self.syntax == SettingsSyntax::Settings {
            words(line, start, each);
        }
    }

    /// Returns the name before `sign` and the value after it.
    fn assigned(&self, line: &[u8], sign: usize) -> Option<(Range<usize>, Range<usize>)> {
        let name = name_before(line, sign)?;
        let before = name.start.checked_sub(1).and_then(|it| line.get(it)).copied();
        let after_name = line.get(name.end).copied();
        let of_sign = *line.get(sign)?;
        if of_sign == b'=' && self.syntax == SettingsSyntax::Program && before == Some(b' ') {
            // `password: string = "value"`
            let typed = line.get(..name.start).unwrap_or_default().trim_ascii_end();
            if let Some(declared) = typed.strip_suffix(b":").and_then(|it| name_before(line, it.len())) {
                let (value, quoted) = value_after(line, sign, of_sign)?;
                return quoted.then_some((declared, value));
            }
        }
        if of_sign == b'>' {
            // `<property name="password">value</property>`
            if let Some(named) =
                self.named.as_ref().filter(|_| after_name == Some(b'"') && name.end + 1 == sign)
            {
                let start = sign + 1;
                let end = line.get(start..)?.iter().position(|it| *it == b'<')?;
                let text = line.get(name.clone()).unwrap_or_default();
                return (end > 0 && text == named.as_slice()).then_some((name, start..start + end));
            }
            // `<password>value</password>`
            let start = sign + 1;
            let rest = line.get(start..)?;
            let is_element = before == Some(b'<') && name.end == sign;
            let end = rest.iter().position(|it| *it == b'<')?;
            return is_element.then_some((name, start..start + end));
        }
        let in_text = matches!(before, Some(b';' | b'"' | b'\'' | b'&' | b'?' | b'`')) && name.end == sign;
        let (value, quoted) = value_after(line, sign, of_sign)?;
        let accepted = match of_sign {
            b',' => quoted && matches!(after_name, Some(b'"' | b'\'')),
            _ => quoted || self.syntax == SettingsSyntax::Settings || in_text && of_sign == b'=',
        };
        accepted.then_some((name, value))
    }
}

fn next_sign(line: &[u8], from: usize) -> Option<usize> {
    let at = line.get(from..)?.iter().position(|it| matches!(it, b'=' | b':' | b'>' | b','))?;
    Some(from + at)
}

/// Returns the range of the name that ends before `sign`, without quotes and brackets around it.
fn name_before(line: &[u8], sign: usize) -> Option<Range<usize>> {
    let back = |end: usize, most: usize, is: fn(u8) -> bool| {
        let before = line.get(..end).unwrap_or_default();
        end - before.iter().rev().take(most).take_while(|it| is(**it)).count()
    };
    let end = back(sign, GAP, |it| it == b' ' || it == b'\t' || it == b'?' || it == b'+');
    let end = back(end, 4, |it| matches!(it, b'"' | b'\'' | b'\\' | b']' | b'`'));
    let start = back(end, NAME, |it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b'-' | b'$'));
    let name = line.get(start..end)?;
    let lead = name.iter().take_while(|it| !it.is_ascii_alphabetic() && **it != b'_').count();
    (lead < name.len()).then_some(start + lead..end)
}

/// Returns the range of the value after `sign`, and whether it was in quotes.
fn value_after(line: &[u8], sign: usize, of_sign: u8) -> Option<(Range<usize>, bool)> {
    let byte = |at: usize| line.get(at).copied();
    let before = sign.checked_sub(1).and_then(byte);
    let mut at = sign + 1;
    match (of_sign, byte(at)) {
        (b'=', Some(b'=')) | (b':', Some(b':' | b'/')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => at += 1,
        _ => {}
    }
    if of_sign == b'=' && matches!(before, Some(b'=' | b'!' | b'<' | b'>' | b':' | b'~')) {
        return None;
    }
    let gap = line.get(at..)?.iter().take(GAP).take_while(|it| **it == b' ' || **it == b'\t').count();
    at += gap;
    // `b"value"`, `@"value"`, `\"value\"`
    if matches!(byte(at), Some(b'b' | b'r' | b'u' | b'@' | b'L' | b'\\'))
        && matches!(byte(at + 1), Some(b'"' | b'\''))
    {
        at += 1;
    }
    let quote = byte(at).filter(|it| matches!(it, b'"' | b'\'' | b'`'));
    at += usize::from(quote.is_some());
    let rest = line.get(at..)?;
    let end = match quote {
        Some(quote) => rest.iter().position(|it| *it == quote || *it == b'\\')?,
        None => rest
            .iter()
            .position(|it| it.is_ascii_whitespace() || b",;\"'<>)}]&|`".contains(it))
            .unwrap_or(rest.len()),
    };
    (end > 0).then_some((at..at + end, quote.is_some()))
}

/// Calls `each` with the name and the value of a line of two or more words, as in `redis.conf` and `haproxy.cfg`:
/// `requirepass VALUE`, `user NAME password VALUE`, `SetEnv NAME VALUE`.
fn words(line: &[u8], start: usize, each: &mut dyn FnMut(&[u8], Range<usize>)) {
    const MOST: usize = 8;
    let text = line.get(start..).unwrap_or_default();
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    for word in text.split(u8::is_ascii_whitespace) {
        if !word.is_empty() {
            words.push(start + from..start + from + word.len());
        }
        from += word.len() + 1;
        if words.len() > MOST {
            return;
        }
    }
    for pair in words.windows(2) {
        let [name, value] = pair else { continue };
        let (name, text) =
            (line.get(name.clone()).unwrap_or_default(), line.get(value.clone()).unwrap_or_default());
        let is_name = name.iter().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.'));
        let trimmed = text.strip_suffix(b";").unwrap_or(text);
        let quoted = trimmed.len() > 2 && matches!(trimmed, [b'"', .., b'"'] | [b'\'', .., b'\'']);
        let inner = usize::from(quoted);
        if is_name {
            each(name, value.start + inner..value.start + trimmed.len() - inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(syntax: SettingsSyntax, lines: &str) -> Vec<(String, String)> {
        let mut reader = SettingsReader::new(syntax);
        let mut pairs = Vec::new();
        for line in lines.lines() {
            let text = |range: &[u8]| String::from_utf8_lossy(range).into_owned();
            reader.read(line.as_bytes(), &mut |name, value| {
                pairs.push((text(name), text(&line.as_bytes()[value])));
            });
        }
        pairs
    }

    #[test]
    fn every_syntax_of_a_setting_is_read() {
        for (line, name, value) in [
            ("password: abc", "password", "abc"),
            ("  - password: 'a b'", "password", "a b"),
            (r#"{"user": "x", "password": "abc"}"#, "password", "abc"),
            (r#"{"a":"{\"password\":\"abc\"}"}"#, "password", "abc"),
            ("db.password = abc", "db.password", "abc"),
            ("define( 'DB_PASSWORD', 'abc' );", "DB_PASSWORD", "abc"),
            ("'password' => 'abc',", "password", "abc"),
            ("$config['db_password'] = \"abc\";", "db_password", "abc"),
            ("<password>abc</password>", "password", "abc"),
            ("<user username=\"a\" password=\"abc\" roles=\"b\"/>", "password", "abc"),
            ("<add key=\"Password\" value=\"abc\" />", "Password", "abc"),
            ("- name: PASSWORD\n  value: abc", "PASSWORD", "abc"),
            ("{\"name\": \"PASSWORD\", \"value\": \"abc\"}", "PASSWORD", "abc"),
            ("connectionString=\"Server=db;Password=abc;\"", "Password", "abc"),
            ("requirepass abc", "requirepass", "abc"),
            ("Environment=\"PASSWORD=abc\"", "PASSWORD", "abc"),
            ("password := \"abc\"", "password", "abc"),
            ("PASSWORD ?= abc", "PASSWORD", "abc"),
        ] {
            let pairs = pairs(SettingsSyntax::Settings, line);
            assert!(pairs.contains(&(name.to_owned(), value.to_owned())), "{line}: {pairs:?}");
        }
    }

    #[test]
    fn an_expression_in_a_program_is_no_value() {
        let program = |line| pairs(SettingsSyntax::Program, line);
        assert!(program("password = settings.password").is_empty());
        assert!(program("if (password == \"abc\") {").is_empty());
        assert_eq!(program("password = \"abc\"").len(), 1);
        assert_eq!(
            program("x = \"Server=a;Password=abc;\"").last().map(|it| it.1.clone()),
            Some("abc".to_owned())
        );
        assert!(pairs(SettingsSyntax::Settings, "# password: abc").is_empty());
    }
}
