//! The statements of a shell script (POSIX.1-2024, "Shell Grammar"; of bash, `[[ … ]]`). Functions and loops whose end nobody knows
//! are not followed.

/// A word as it is written, and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShellWord {
    /// The text, with quotes.
    pub raw: String,
    /// The line, from 1.
    pub line: usize,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShellStatement {
    /// A command with its words.
    Command(Vec<ShellWord>),
    /// Commands joined by `|`.
    Pipe(Vec<ShellStatement>),
    /// `a && b`, or `a || b` if not `all`.
    Joined {
        /// The first.
        first: Box<ShellStatement>,
        /// Whether the second follows success.
        all: bool,
        /// The second.
        second: Box<ShellStatement>,
    },
    /// The branches of an `if`: conditions and bodies. `else` has no condition.
    If(Vec<(Vec<ShellStatement>, Vec<ShellStatement>)>),
    /// A loop over words.
    For(String, Vec<ShellWord>, Vec<ShellStatement>),
    /// The arms of a `case`: patterns and bodies.
    Case(ShellWord, Vec<(Vec<String>, Vec<ShellStatement>)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(ShellWord),
    Operator(&'static str),
    End,
}

/// The deepest nesting.
const MAX_DEPTH: usize = 20;
/// The longest script that is read.
const MAX_LENGTH: usize = 200_000;

const OPERATORS: [&str; 9] = [";;", "&&", "||", ";", "|", "&", "(", ")", "\n"];

/// The statements of a script whose first line is `line`.
pub(super) fn statements(script: &str, line: usize) -> Vec<ShellStatement> {
    let script = script.get(..MAX_LENGTH).unwrap_or(script);
    let tokens = tokens(script, line);
    let mut reader = ShellReader { tokens, at: 0 };
    let mut found = Vec::new();
    while reader.at < reader.tokens.len() {
        found.extend(reader.list(&[], 0));
        // A word that ends nothing here, such as the `}` of a function.
        reader.at += 1;
    }
    found
}

fn tokens(script: &str, first: usize) -> Vec<Token> {
    let mut found = Vec::new();
    let mut line = first;
    let mut rest = script;
    let mut heredocs: Vec<String> = Vec::new();
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\\n") {
            line += 1;
            rest = after;
        } else if matches!(character, ' ' | '\t' | '\r') {
            rest = rest.get(1..).unwrap_or_default();
        } else if character == '#' {
            rest = rest.get(rest.find('\n').unwrap_or(rest.len())..).unwrap_or_default();
        } else if let Some(operator) = OPERATORS.iter().find(|it| rest.starts_with(**it)) {
            rest = rest.get(operator.len()..).unwrap_or_default();
            if *operator != "\n" {
                found.push(Token::Operator(operator));
                continue;
            }
            found.push(Token::End);
            line += 1;
            for end in heredocs.drain(..) {
                while !rest.is_empty() {
                    let (one, after) = rest.split_once('\n').unwrap_or((rest, ""));
                    (rest, line) = (after, line + 1);
                    if one.trim() == end {
                        break;
                    }
                }
            }
        } else {
            let length = word_length(rest);
            let (raw, after) = rest.split_at_checked(length.max(character.len_utf8())).unwrap_or((rest, ""));
            if let Some(end) = raw.strip_prefix("<<").filter(|it| !it.starts_with('<')) {
                let end = end.trim_start_matches('-').trim_matches(['"', '\'']);
                if !end.is_empty() {
                    heredocs.push(end.to_owned());
                }
            }
            found.push(Token::Word(ShellWord { raw: raw.to_owned(), line }));
            line += raw.matches('\n').count();
            rest = after;
        }
    }
    found
}

/// The length of the word at the start of `text`.
fn word_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut closers: Vec<u8> = Vec::new();
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match (closers.last().copied(), *byte) {
            (Some(b'\''), b'\'') => drop(closers.pop()),
            (Some(b'\''), _) => {}
            (_, b'\\') => at += 1,
            (Some(closer), byte) if byte == closer => drop(closers.pop()),
            (_, b'$') if matches!(next, Some(b'(' | b'{')) => {
                closers.push(if next == Some(b'(') { b')' } else { b'}' });
                at += 1;
            }
            (Some(b')'), b'(') => closers.push(b')'),
            (Some(b'"'), b'\'') => {}
            (_, b'"' | b'\'' | b'`') => closers.push(*byte),
            (None, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b')') => break,
            (None, b'(') if at > 0 && bytes.get(at - 1) != Some(&b'=') => break,
            (None, b'(') => closers.push(b')'),
            _ => {}
        }
        at += 1;
    }
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

struct ShellReader {
    tokens: Vec<Token>,
    at: usize,
}

impl ShellReader {
    fn peek_word(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(&word.raw),
            _ => None,
        }
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.peek_word() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_ends(&mut self) {
        while matches!(self.tokens.get(self.at), Some(Token::End | Token::Operator(";" | "&"))) {
            self.at += 1;
        }
    }

    /// The statements up to a word of `until`, which is not taken.
    fn list(&mut self, until: &[&str], depth: usize) -> Vec<ShellStatement> {
        let mut found = Vec::new();
        loop {
            self.skip_ends();
            let Some(token) = self.tokens.get(self.at) else { return found };
            let ends = match token {
                Token::Word(word) => until.contains(&word.raw.as_str()) || word.raw == "}",
                Token::Operator(";;" | ")") => true,
                _ => false,
            };
            if ends || depth > MAX_DEPTH {
                return found;
            }
            let before = self.at;
            found.extend(self.joined(depth));
            if self.at == before {
                self.at += 1;
            }
        }
    }

    fn joined(&mut self, depth: usize) -> Option<ShellStatement> {
        let mut first = self.piped(depth)?;
        loop {
            let all = match self.tokens.get(self.at) {
                Some(Token::Operator("&&")) => true,
                Some(Token::Operator("||")) => false,
                _ => return Some(first),
            };
            self.at += 1;
            while matches!(self.tokens.get(self.at), Some(Token::End)) {
                self.at += 1;
            }
            let Some(second) = self.piped(depth) else { return Some(first) };
            first = ShellStatement::Joined { first: Box::new(first), all, second: Box::new(second) };
        }
    }

    fn piped(&mut self, depth: usize) -> Option<ShellStatement> {
        let mut all = vec![self.statement(depth)?];
        while matches!(self.tokens.get(self.at), Some(Token::Operator("|"))) {
            self.at += 1;
            while matches!(self.tokens.get(self.at), Some(Token::End)) {
                self.at += 1;
            }
            all.extend(self.statement(depth));
        }
        if all.len() == 1 { all.pop() } else { Some(ShellStatement::Pipe(all)) }
    }

    fn statement(&mut self, depth: usize) -> Option<ShellStatement> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek_word() {
            Some("if") => self.if_statement(depth),
            Some("for") => self.for_statement(depth),
            Some("case") => self.case_statement(depth),
            // A body that may run any number of times, or a group.
            Some("while" | "until") => {
                self.at += 1;
                let _condition = self.list(&["do"], depth + 1);
                self.take_word("do");
                let _body = self.list(&["done"], depth + 1);
                self.take_word("done");
                None
            }
            Some("{") => {
                self.at += 1;
                let body = self.list(&[], depth + 1);
                self.take_word("}");
                Some(ShellStatement::If(vec![(Vec::new(), body)]))
            }
            Some(_) => self.command(),
            None if matches!(self.tokens.get(self.at), Some(Token::Operator("("))) => {
                self.at += 1;
                let body = self.list(&[], depth + 1);
                self.at += usize::from(matches!(self.tokens.get(self.at), Some(Token::Operator(")"))));
                Some(ShellStatement::If(vec![(Vec::new(), body)]))
            }
            None => None,
        }
    }

    fn command(&mut self) -> Option<ShellStatement> {
        let mut words = Vec::new();
        let in_test = self.peek_word() == Some("[[");
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) => {
                    let ends = in_test && word.raw == "]]";
                    words.push(word.clone());
                    self.at += 1;
                    if ends {
                        break;
                    }
                }
                // `[[ a && b ]]`
                Some(Token::Operator(operator)) if in_test => {
                    let line = words.last().map_or(0, |word| word.line);
                    words.push(ShellWord { raw: (*operator).to_owned(), line });
                    self.at += 1;
                }
                // `name() {`
                Some(Token::Operator("(")) if words.len() == 1 => {
                    self.at += 2;
                    self.skip_ends();
                    if self.take_word("{") {
                        let _body = self.list(&[], 1);
                        self.take_word("}");
                    }
                    return None;
                }
                _ => break,
            }
        }
        (!words.is_empty()).then_some(ShellStatement::Command(words))
    }

    fn if_statement(&mut self, depth: usize) -> Option<ShellStatement> {
        let mut branches = Vec::new();
        self.at += 1;
        loop {
            let condition = self.list(&["then"], depth + 1);
            self.take_word("then");
            let body = self.list(&["elif", "else", "fi"], depth + 1);
            branches.push((condition, body));
            if self.take_word("elif") {
                continue;
            }
            if self.take_word("else") {
                branches.push((Vec::new(), self.list(&["fi"], depth + 1)));
            }
            self.take_word("fi");
            return Some(ShellStatement::If(branches));
        }
    }

    fn for_statement(&mut self, depth: usize) -> Option<ShellStatement> {
        self.at += 1;
        let name = self.peek_word()?.to_owned();
        self.at += 1;
        let mut words = Vec::new();
        if self.take_word("in") {
            while let Some(Token::Word(word)) = self.tokens.get(self.at) {
                words.push(word.clone());
                self.at += 1;
            }
        }
        self.skip_ends();
        self.take_word("do");
        let body = self.list(&["done"], depth + 1);
        self.take_word("done");
        Some(ShellStatement::For(name, words, body))
    }

    fn case_statement(&mut self, depth: usize) -> Option<ShellStatement> {
        self.at += 1;
        let Some(Token::Word(word)) = self.tokens.get(self.at).cloned() else { return None };
        self.at += 1;
        self.skip_ends();
        self.take_word("in");
        let mut arms = Vec::new();
        loop {
            self.skip_ends();
            if self.take_word("esac") || self.at >= self.tokens.len() || arms.len() > 50 {
                return Some(ShellStatement::Case(word, arms));
            }
            let mut patterns = Vec::new();
            loop {
                match self.tokens.get(self.at) {
                    Some(Token::Word(pattern)) => patterns.push(pattern.raw.clone()),
                    Some(Token::Operator("|" | "(")) => {}
                    _ => break,
                }
                self.at += 1;
            }
            self.at += 1;
            let body = self.list(&["esac"], depth + 1);
            self.at += usize::from(matches!(self.tokens.get(self.at), Some(Token::Operator(";;"))));
            arms.push((patterns, body));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_read_with_their_lines() {
        let script = "set -e\nif [[ $A == refs/tags/* ]]; then\n  X=1\nelse\n  docker push \\\n    \"a b:$(echo 1; echo 2)\"\nfi\nf() {\n echo no\n}\nfor t in a b; do echo $t; done\ncat <<EOF\ndocker push no\nEOF\ncase $X in\n a|b) echo y ;;\n *) echo n ;;\nesac\n";
        let found = statements(script, 10);
        let shapes: Vec<&str> = found
            .iter()
            .map(|it| match it {
                ShellStatement::Command(_) => "command",
                ShellStatement::Pipe(_) => "pipe",
                ShellStatement::Joined { .. } => "joined",
                ShellStatement::If(_) => "if",
                ShellStatement::For(..) => "for",
                ShellStatement::Case(..) => "case",
            })
            .collect();
        assert_eq!(shapes, ["command", "if", "for", "command", "case"], "{found:#?}");
        let ShellStatement::If(branches) = &found[1] else { panic!() };
        let ShellStatement::Command(words) = &branches[1].1[0] else { panic!() };
        let words: Vec<(&str, usize)> = words.iter().map(|it| (it.raw.as_str(), it.line)).collect();
        assert_eq!(words, [("docker", 14), ("push", 14), ("\"a b:$(echo 1; echo 2)\"", 15)]);
    }
}
