//! Layers from outside the file: `BROKKR_PUBLISH_*` and `--set a.b=c`.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::suggest::folded;
use super::tree::{self, Node, NodeContent};
use crate::diagnostic::{Code, Diagnostic, Location, SourceText};
use oci_registry::mask;

/// The prefix of environment variables that set keys.
const PREFIX: &str = "BROKKR_PUBLISH_";

/// The rest of the names of variables that set no keys, after `BROKKR_PUBLISH_`: flags of the command line, and variables of
/// the tests.
pub const RESERVED_VARIABLES: &[&str] = &["CONFIG", "PROFILE", "LOG", "UPDATE_SCHEMAS", "UPDATE_CORPUS"];

/// The most keys in the name of a variable. The language is five keys deep.
const MAX_DEPTH: usize = 16;

/// The settings outside the file, which win over it.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The whole environment of the process; variables `BROKKR_PUBLISH_*` set keys.
    pub environment: Vec<(String, String)>,
    /// Arguments `a.b=c` that set keys, in order.
    pub set: Vec<String>,
}

/// A key that is set outside the file.
pub(super) struct Override {
    /// The root of a tree that holds nothing but the key.
    pub root: Node,
    /// The name of the variable or option, shown to people.
    pub name: String,
    /// The text that the places in `root` are in.
    pub text: String,
}

/// Parses each variable `BROKKR_PUBLISH_*`, sorted by name. `below` are the roots of the layers below, lowest first.
pub(super) fn from_environment(
    environment: &[(String, String)],
    below: &[&Node],
) -> Vec<Result<Override, Box<Diagnostic>>> {
    let mut variables: Vec<(&str, &str, &str)> = environment
        .iter()
        .filter_map(|(name, value)| {
            let keys = name.strip_prefix(PREFIX)?;
            (!RESERVED_VARIABLES.contains(&keys)).then_some((name.as_str(), keys, value.as_str()))
        })
        .collect();
    variables.sort_unstable();
    variables.into_iter().map(|(name, keys, value)| from_variable(name, keys, value, below)).collect()
}

fn from_variable(name: &str, keys: &str, value: &str, below: &[&Node]) -> Result<Override, Box<Diagnostic>> {
    let source_name = format!("environment variable `{name}`");
    let text = format!("{name}={value}");
    let mut offset = PREFIX.len();
    let mut here: Vec<&Node> = below.to_vec();
    let mut path: Vec<(String, Range<usize>)> = Vec::new();
    if keys.split("__").nth(MAX_DEPTH).is_some() {
        let help = "no key is that deep: see docs/reference/config.md";
        return Err(Box::new(malformed(
            "the name has too many keys",
            source_name,
            text,
            0..name.len(),
            help,
        )));
    }
    for part in keys.split("__") {
        let range = offset..offset + part.len();
        offset = range.end + 2;
        if part.is_empty() {
            let help = "separate keys with `__`: `BROKKR_PUBLISH_IMAGES__BROKER__SOURCE`";
            return Err(Box::new(malformed("the name has an empty key", source_name, text, range, help)));
        }
        let key = existing(part, &here).unwrap_or_else(|| part.to_lowercase());
        here = here.into_iter().filter_map(|node| node.get(&key)).collect();
        path.push((key, range));
    }
    refuse_profile(&path, &source_name, &text)?;
    let start = name.len() + 1;
    Ok(Override { root: nested(path, parsed_value(value, start)), name: source_name, text })
}

/// Finds the existing key that `part` of a variable's name means. The name of a variable cannot contain dashes or, by custom,
/// lower-case letters.
fn existing(part: &str, here: &[&Node]) -> Option<String> {
    let lower = part.to_lowercase();
    if here.iter().any(|node| node.get(&lower).is_some()) {
        return Some(lower);
    }
    let wanted = folded(part);
    here.iter()
        .filter_map(|node| node.table())
        .flat_map(IndexMap::keys)
        .find(|key| folded(key) == wanted)
        .cloned()
}

/// Parses an argument of `--set`.
pub(super) fn from_argument(argument: &str) -> Result<Override, Box<Diagnostic>> {
    let name = "`--set`".to_owned();
    let text = argument.to_owned();
    let help = "write `--set images.broker.source=oci:dist/broker`; quote keys that contain dots";
    let Some(equals) = unquoted_equals(argument) else {
        return Err(Box::new(malformed("it has no `=`", name, text, 0..argument.len(), help)));
    };
    let (keys, value) = argument.split_at(equals);
    let value = value.strip_prefix('=').unwrap_or(value);
    let (root, errors) = tree::parse(&format!("{keys}=0"));
    let mut path = Vec::new();
    let mut node = &root;
    while let Some((key, below)) = node.table().filter(|table| table.len() == 1).and_then(IndexMap::first) {
        path.push((key.clone(), below.key.clone()));
        node = below;
    }
    if !errors.is_empty() || path.is_empty() || !matches!(node.content, NodeContent::Integer(0)) {
        return Err(Box::new(malformed("the part before `=` is not a key", name, text, 0..equals, help)));
    }
    refuse_profile(&path, &name, &text)?;
    Ok(Override { root: nested(path, parsed_value(value, equals + 1)), name, text })
}

/// The position of the first `=` outside of quotes.
fn unquoted_equals(argument: &str) -> Option<usize> {
    let mut quote = None;
    for (offset, character) in argument.char_indices() {
        match (quote, character) {
            (None, '=') => return Some(offset),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

/// Parses `value` as a TOML value, or makes a string of it if it is not one.
fn parsed_value(value: &str, start: usize) -> Node {
    let parsed = tree::parse_value(value).filter(|node| !matches!(node.content, NodeContent::Unfit(_)));
    let mut node = parsed.unwrap_or_else(|| Node {
        key: 0..0,
        value: 0..value.len(),
        content: NodeContent::String(value.to_owned()),
    });
    node.shift(start);
    node
}

/// Makes a root that holds `value` at `path`.
fn nested(path: Vec<(String, Range<usize>)>, value: Node) -> Node {
    let inner = path.into_iter().rev().fold(value, |mut value, (name, range)| {
        value.key = range.clone();
        let table = IndexMap::from([(name, value)]);
        Node { key: 0..0, value: range, content: NodeContent::Table(table) }
    });
    Node { content: inner.content, ..Node::root() }
}

fn refuse_profile(path: &[(String, Range<usize>)], name: &str, text: &str) -> Result<(), Box<Diagnostic>> {
    match path.first() {
        Some((key, range)) if key == "profile" => Err(Box::new(malformed(
            "profiles can only be declared in the file",
            name.to_owned(),
            text.to_owned(),
            range.clone(),
            "choose a profile with `--profile NAME`, and set the keys themselves",
        ))),
        _ => Ok(()),
    }
}

fn malformed(what: &str, name: String, text: String, span: Range<usize>, help: &str) -> Diagnostic {
    let message = format!("{name} cannot be read: {what}");
    // A value is not needed to see what is wrong with a key, and may be a secret.
    let value = text.find('=').map(|at| at + 1..text.len());
    let text = mask::masked(mask::mask_by_text(text), value.as_slice());
    let place = Location { source: Arc::new(SourceText { name, file: None, text }), span };
    Diagnostic::error(Code::ConfigOverride, message).at(place, what).help(help)
}
