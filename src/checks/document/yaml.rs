//! One value of the first document of a YAML stream, with its place.
//!
//! It follows the parser's events and keeps only the nodes on the way to the key. An alias on the way is followed by reading
//! again from the start to its anchor; it is never expanded. The core schema (YAML 1.2.2, 10.3) decides which plain scalars are
//! strings. Merge keys (`<<`) belong to YAML 1.1 and are keys like any other here.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::problem::{Holds, Problem, TOLD, What};

type Spanned<'a> = (Event<'a>, Span);
type Answer = Result<(String, Option<Range<usize>>), Problem>;

/// The result of walking through a node.
enum Node {
    /// The wanted text, or the reason why it does not exist.
    Answer(Answer),
    /// The node is an alias of the node with this anchor. The walk continues there, at the key with this position.
    Alias { anchor: usize, position: usize },
}

/// Returns the string that `parts` lead to.
pub(super) fn find(text: &str, parts: &[String]) -> Answer {
    let mut start = Start::Document;
    let mut position = 0;
    // A node with an anchor is not an alias itself, so each round uses up at least one key.
    loop {
        let mut walk = Walk { events: Parser::new_from_str(text), parts };
        let node = walk.from(&start, position)?;
        match node {
            Node::Answer(answer) => return answer,
            Node::Alias { anchor, position: next } => {
                start = Start::Anchor(anchor);
                position = next;
            }
        }
    }
}

/// The node at which a walk begins.
enum Start {
    Document,
    Anchor(usize),
}

/// One reading of the text.
struct Walk<'a> {
    events: Parser<'a, StrInput<'a>>,
    parts: &'a [String],
}

impl<'a> Walk<'a> {
    fn next(&mut self) -> Result<Spanned<'a>, Problem> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Returns the result for the node at `start`, which is `position` keys deep. The document is read to its end, because a broken
    /// one proves nothing.
    fn from(&mut self, start: &Start, position: usize) -> Result<Node, Problem> {
        let nothing = || Node::Answer(Err(Problem::NoKey { found: 0, has: Holds::Nothing }));
        let mut found = None;
        loop {
            let (event, span) = self.next()?;
            match &event {
                Event::StreamEnd | Event::DocumentEnd => return Ok(found.unwrap_or_else(nothing)),
                Event::Scalar(_, _, anchor, _)
                | Event::SequenceStart(_, anchor, _)
                | Event::MappingStart(_, anchor, _)
                    if found.is_none() =>
                {
                    let wanted = match start {
                        Start::Document => true,
                        Start::Anchor(wanted) => wanted == anchor,
                    };
                    if wanted {
                        found = Some(self.node((event, span), position)?);
                    }
                }
                _ => {}
            }
        }
    }

    /// Returns the result for the node that begins with this event, and reads it to its end.
    fn node(&mut self, (event, span): Spanned<'a>, position: usize) -> Result<Node, Problem> {
        match event {
            Event::Alias(anchor) => Ok(Node::Alias { anchor, position }),
            Event::MappingStart(..) => self.mapping(&span, position),
            Event::SequenceStart(..) => self.sequence(&span, position),
            Event::Scalar(text, style, _, tag) if position == self.parts.len() => {
                Ok(Node::Answer(scalar(&text, style, tag.as_deref(), span.byte_range())))
            }
            _ => Ok(Node::Answer(Err(Problem::NoKey { found: position, has: Holds::Nothing }))),
        }
    }

    fn mapping(&mut self, span: &Span, position: usize) -> Result<Node, Problem> {
        let wanted = self.parts.get(position);
        let (mut found, mut keys) = (None, Vec::new());
        loop {
            let (key, key_span) = self.next()?;
            let matches = match &key {
                Event::MappingEnd | Event::StreamEnd => break,
                Event::Scalar(text, ..) => {
                    if keys.len() < TOLD {
                        keys.push(text.to_string());
                    }
                    wanted.is_some_and(|wanted| *wanted == **text)
                }
                _ => false,
            };
            self.skip(&key)?;
            let value = self.next()?;
            if !matches {
                self.skip(&value.0)?;
                continue;
            }
            if found.is_some() {
                let message = format!("the key `{}` appears twice", wanted.map_or("", String::as_str));
                return Err(Problem::Syntax { message, span: key_span.byte_range() });
            }
            found = Some(self.node(value, position + 1)?);
        }
        Ok(found.unwrap_or_else(|| self.collection(What::Table, Holds::Keys(keys), span, position)))
    }

    fn sequence(&mut self, span: &Span, position: usize) -> Result<Node, Problem> {
        let wanted = self.parts.get(position).and_then(|part| part.parse::<usize>().ok());
        let (mut found, mut count) = (None, 0);
        loop {
            let item = self.next()?;
            if matches!(item.0, Event::SequenceEnd | Event::StreamEnd) {
                break;
            }
            if wanted == Some(count) {
                found = Some(self.node(item, position + 1)?);
            } else {
                self.skip(&item.0)?;
            }
            count += 1;
        }
        Ok(found.unwrap_or_else(|| self.collection(What::List, Holds::Items(count), span, position)))
    }

    /// Returns the problem of a collection at which the walk ends.
    fn collection(&self, what: What, has: Holds, span: &Span, position: usize) -> Node {
        Node::Answer(Err(if position == self.parts.len() {
            // A label over a whole block would not help, so it points at the start of the block.
            let start = span.byte_range().map(|range| range.start..range.start);
            Problem::NotText { what, has, span: start }
        } else {
            Problem::NoKey { found: position, has }
        }))
    }

    /// Reads to the end of the node that begins with this event.
    fn skip(&mut self, event: &Event<'a>) -> Result<(), Problem> {
        let mut depth = usize::from(matches!(event, Event::MappingStart(..) | Event::SequenceStart(..)));
        while depth > 0 {
            match self.next()?.0 {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => depth -= 1,
                Event::StreamEnd => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Option<Range<usize>>) -> Answer {
    let plain = match style {
        ScalarStyle::Plain => kind(text),
        _ => None,
    };
    // The tag `!` makes it a string, whatever it looks like.
    let says_string = |tag: &Tag| tag.is_yaml_core_schema_tag("str") || written(tag) == "!";
    let what = match (tag, plain) {
        (None, None) => return Ok((text.to_owned(), span)),
        (Some(tag), _) if says_string(tag) => return Ok((text.to_owned(), span)),
        (Some(tag), _) => What::Tagged(written(tag)),
        (None, Some("null")) => What::Null,
        (None, Some(kind)) => What::Unquoted(kind, text.to_owned()),
    };
    Err(Problem::NotText { what, has: Holds::Nothing, span })
}

fn written(tag: &Tag) -> String {
    format!("{}{}", tag.original_handle(), tag.suffix())
}

/// Returns the kind of a plain scalar that is not a string, by the core schema.
fn kind(text: &str) -> Option<&'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some("null"),
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Some("the boolean"),
        ".nan" | ".NaN" | ".NAN" => return Some("the number"),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let based = |prefix: &str, radix: u32| {
        text.strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|it| it.is_digit(radix)))
    };
    // The floats that Rust parses, except words such as `infinity`.
    let decimal = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.chars().all(|it| it.is_ascii_digit() || matches!(it, '.' | 'e' | 'E' | '+' | '-'))
        && unsigned.parse::<f64>().is_ok();
    let number = decimal || matches!(unsigned, ".inf" | ".Inf" | ".INF") || based("0o", 8) || based("0x", 16);
    number.then_some("the number")
}

fn syntax(error: &ScanError) -> Problem {
    let start = error.marker().byte_offset();
    Problem::Syntax { message: error.info(), span: start.map(|start| start..start) }
}
