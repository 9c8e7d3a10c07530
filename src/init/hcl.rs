//! A reader of the part of HCL that bake files use: attributes, blocks and expressions (github.com/hashicorp/hcl, `hclsyntax/spec.md`).
//! It is bounded in length and depth, and gives up on everything else.

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum HclExpression {
    /// A text with parts that are expressions.
    Template(Vec<HclTemplatePart>),
    /// A name, or a path of names.
    Name(String),
    /// `null`, a number, or a boolean, as it is written.
    Word(String),
    /// `[a, b]`.
    List(Vec<HclExpression>),
    /// `name(a, b)`.
    Call(String, Vec<HclExpression>),
    /// `test ? a : b`.
    Choice(Box<HclExpression>, Box<HclExpression>, Box<HclExpression>),
    /// `a == b`, or `a != b` if not `equal`; `a && b`; `a || b`.
    Binary(&'static str, Box<HclExpression>, Box<HclExpression>),
    /// `!a`.
    Not(Box<HclExpression>),
    /// `[for name in list : value]`.
    For(String, Box<HclExpression>, Box<HclExpression>),
    /// `{ a = b }`.
    Object(Vec<(String, HclExpression)>),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum HclTemplatePart {
    /// Known text.
    Text(String),
    /// `${…}`.
    Value(HclExpression),
}

/// A block: `target "name" { … }`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HclBlock {
    /// Its kind.
    pub kind: String,
    /// Its label.
    pub label: String,
    /// Its attributes, with their lines.
    pub attributes: Vec<(String, HclExpression, usize)>,
    /// The blocks in it.
    pub blocks: Vec<HclBlock>,
}

/// The longest file, and the deepest nesting.
const MAX_LENGTH: usize = 200_000;
const MAX_DEPTH: usize = 30;

/// Reads a file: its attributes and blocks. `None` if it is not of the part that is read.
pub(super) fn read_hcl(text: &str) -> Option<HclBlock> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut reader = HclReader { text, at: 0, depth: 0 };
    let block = reader.body(true)?;
    Some(block)
}

struct HclReader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> HclReader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn line(&self) -> usize {
        1 + self.text.bytes().take(self.at).filter(|byte| *byte == b'\n').count()
    }

    /// Skips white space and comments; line ends too, if `lines`.
    fn skip(&mut self, lines: bool) {
        loop {
            let rest = self.rest();
            let is_blank = |c: char| c == ' ' || c == '\t' || c == '\r' || lines && c == '\n';
            let blank = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
            self.at += blank;
            let rest = self.rest();
            if rest.starts_with('#') || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").map_or(rest.len(), |at| at + 2);
            } else if blank == 0 {
                return;
            }
        }
    }

    fn take(&mut self, sign: &str, lines: bool) -> bool {
        self.skip(lines);
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn name(&mut self) -> Option<String> {
        self.skip(true);
        let rest = self.rest();
        let length =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
        let name = rest.get(..length).filter(|it| !it.is_empty())?.to_owned();
        self.at += length;
        Some(name)
    }

    fn body(&mut self, is_whole: bool) -> Option<HclBlock> {
        let mut block = HclBlock::default();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        loop {
            self.skip(true);
            if self.rest().is_empty() {
                self.depth -= 1;
                return is_whole.then_some(block);
            }
            if !is_whole && self.take("}", true) {
                self.depth -= 1;
                return Some(block);
            }
            let line = self.line();
            let name = if self.rest().starts_with('"') { self.string()? } else { self.name()? };
            if self.take("=", false) {
                block.attributes.push((name, self.expression()?, line));
                continue;
            }
            self.skip(false);
            let label = if self.rest().starts_with('"') { self.string()? } else { String::new() };
            if !self.take("{", false) {
                return None;
            }
            let inside = self.body(false)?;
            block.blocks.push(HclBlock { kind: name, label, ..inside });
        }
    }

    /// A text without expressions.
    fn string(&mut self) -> Option<String> {
        match self.template()?.as_slice() {
            [] => Some(String::new()),
            [HclTemplatePart::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    fn template(&mut self) -> Option<Vec<HclTemplatePart>> {
        if !self.take("\"", true) {
            return None;
        }
        let (mut parts, mut text) = (Vec::new(), String::new());
        loop {
            let rest = self.rest();
            let character = rest.chars().next()?;
            if rest.starts_with("$${") {
                text.push_str("${");
                self.at += 3;
            } else if rest.starts_with("${") {
                self.at += 2;
                if !text.is_empty() {
                    parts.push(HclTemplatePart::Text(std::mem::take(&mut text)));
                }
                parts.push(HclTemplatePart::Value(self.expression()?));
                if !self.take("}", true) {
                    return None;
                }
            } else if character == '"' {
                self.at += 1;
                if !text.is_empty() {
                    parts.push(HclTemplatePart::Text(text));
                }
                return Some(parts);
            } else if character == '\\' {
                let escaped = rest.chars().nth(1)?;
                text.push(if escaped == 'n' { '\n' } else { escaped });
                self.at += 1 + escaped.len_utf8();
            } else {
                text.push(character);
                self.at += character.len_utf8();
            }
        }
    }

    fn expression(&mut self) -> Option<HclExpression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut value = self.binary()?;
        if self.take("?", false) {
            let yes = self.expression()?;
            if !self.take(":", true) {
                return None;
            }
            let no = self.expression()?;
            value = HclExpression::Choice(Box::new(value), Box::new(yes), Box::new(no));
        }
        self.depth -= 1;
        Some(value)
    }

    fn binary(&mut self) -> Option<HclExpression> {
        let mut value = self.unary()?;
        loop {
            self.skip(false);
            let Some(sign) = ["==", "!=", "&&", "||", ">=", "<=", ">", "<", "+"]
                .into_iter()
                .find(|it| self.rest().starts_with(it))
            else {
                return Some(value);
            };
            self.at += sign.len();
            let other = self.unary()?;
            value = HclExpression::Binary(sign, Box::new(value), Box::new(other));
        }
    }

    fn unary(&mut self) -> Option<HclExpression> {
        if self.take("!", true) {
            return Some(HclExpression::Not(Box::new(self.unary()?)));
        }
        if self.take("(", true) {
            let value = self.expression()?;
            return self.take(")", true).then_some(value);
        }
        if self.rest().starts_with('"') {
            return self.template().map(HclExpression::Template);
        }
        if self.take("[", true) {
            return self.list();
        }
        if self.take("{", true) {
            return self.object();
        }
        let name = self.name()?;
        if self.rest().starts_with('(') {
            self.at += 1;
            let mut arguments = Vec::new();
            while !self.take(")", true) {
                arguments.push(self.expression()?);
                self.take("...", true);
                self.take(",", true);
            }
            return Some(HclExpression::Call(name, arguments));
        }
        let is_word = matches!(name.as_str(), "true" | "false" | "null")
            || name.starts_with(|c: char| c.is_ascii_digit());
        if is_word {
            return Some(HclExpression::Word(name));
        }
        let mut path = name;
        while self.rest().starts_with('.') {
            self.at += 1;
            path = format!("{path}.{}", self.name()?);
        }
        Some(HclExpression::Name(path))
    }

    fn list(&mut self) -> Option<HclExpression> {
        self.skip(true);
        if self.rest().starts_with("for ") {
            self.at += 4;
            let mut name = self.name()?;
            if self.take(",", true) {
                name = self.name()?;
            }
            if self.name()? != "in" {
                return None;
            }
            let over = self.expression()?;
            if !self.take(":", true) {
                return None;
            }
            let value = self.expression()?;
            self.skip(true);
            if self.rest().starts_with("if ") {
                return None;
            }
            return self.take("]", true).then(|| HclExpression::For(name, Box::new(over), Box::new(value)));
        }
        let mut items = Vec::new();
        while !self.take("]", true) {
            items.push(self.expression()?);
            self.take(",", true);
        }
        Some(HclExpression::List(items))
    }

    fn object(&mut self) -> Option<HclExpression> {
        let mut entries = Vec::new();
        while !self.take("}", true) {
            self.skip(true);
            let name = if self.rest().starts_with('"') { self.string()? } else { self.name()? };
            if !self.take("=", true) && !self.take(":", true) {
                return None;
            }
            entries.push((name, self.expression()?));
            self.take(",", true);
        }
        Some(HclExpression::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bake_files_are_read_and_others_are_given_up() {
        let text = "// x\nvariable \"TAG\" { default = \"latest\" }\ntarget \"app\" {\n  inherits = [\"_base\"]\n  tags = notequal(TAG, \"\") ? [\"acme/app:${TAG}\"] : []\n  args = { A = null, B : 1 }\n}\nfunction \"f\" {\n  params = [a]\n  result = flatten([for x in split(\",\", a) : [\"${x}:1\"]])\n}\n";
        let file = read_hcl(text).expect("HCL");
        let kinds: Vec<(&str, &str)> =
            file.blocks.iter().map(|it| (it.kind.as_str(), it.label.as_str())).collect();
        assert_eq!(kinds, [("variable", "TAG"), ("target", "app"), ("function", "f")]);
        assert_eq!(file.blocks[1].attributes[1].2, 5);
        for text in [
            "target \"a\" {",
            "a = ",
            "a = \"${b\"",
            "= 1",
            &"[".repeat(500),
            &format!("a = {}", "[".repeat(500)),
        ] {
            assert_eq!(read_hcl(text), None, "{text}");
        }
    }
}
