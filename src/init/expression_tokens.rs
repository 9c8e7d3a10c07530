//! The tokens of expressions of GitHub Actions (docs.github.com, "Literals" and "Operators").

/// The longest expression that is read.
const MAX_LENGTH: usize = 4_000;

/// A token of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A text in quotes.
    Text(String),
    /// A name or a number.
    Name(String),
    /// A sign.
    Sign(&'static str),
}

const SIGNS: [&str; 15] = ["&&", "||", "==", "!=", "<=", ">=", "!", "(", ")", ",", ".", "[", "]", "<", ">"];

/// The tokens of an expression. `None` if it is too long or not one.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    if rest.len() > MAX_LENGTH {
        return None;
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('\'') {
            let mut value = String::new();
            let mut characters = after.char_indices().peekable();
            let end = loop {
                match characters.next()? {
                    (_, '\'') if characters.peek().is_some_and(|(_, c)| *c == '\'') => {
                        characters.next();
                        value.push('\'');
                    }
                    (at, '\'') => break at,
                    (_, character) => value.push(character),
                }
            };
            found.push(Token::Text(value));
            rest = after.get(end + 1..)?;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = rest.get(sign.len()..)?;
        } else {
            let length =
                rest.find(|c: char| !c.is_alphanumeric() && !"_-*".contains(c)).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(length.max(1))?;
            if length == 0 {
                return None;
            }
            found.push(Token::Name(name.to_owned()));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Some(found)
}
