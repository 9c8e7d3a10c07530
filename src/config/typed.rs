//! The types of overridden `[vars]`: a variable keeps the type that the file declares.

use std::sync::Arc;

use indexmap::IndexMap;

use super::overrides::Override;
use super::suggest;
use super::tree::{Node, NodeContent};
use crate::diagnostic::{Code, Diagnostic, Location, SourceText};
use oci_registry::mask;

/// Gives the variables that `set` overrides the types that `below` declare: `1.10` stays text where the file has text. A
/// variable that no layer below declares, and no profile `elsewhere`, or a value of another type, is an error.
pub(super) fn typed_vars(
    mut set: Override,
    below: &[&Node],
    elsewhere: &[&Node],
) -> Result<Override, Box<Diagnostic>> {
    let declared: Vec<&IndexMap<String, Node>> =
        elsewhere.iter().chain(below).filter_map(|root| root.get("vars")?.table()).collect();
    let Override { root, name, text } = &mut set;
    let NodeContent::Table(keys) = &mut root.content else { return Ok(set) };
    let Some(Node { content: NodeContent::Table(vars), .. }) = keys.get_mut("vars") else { return Ok(set) };
    for (variable, node) in vars {
        let shown = variable.escape_debug().to_string();
        let wrong = |message: String, help: String| {
            let source =
                SourceText { name: name.clone(), file: None, text: mask::mask_by_text(text.clone()) };
            let place = Location { source: Arc::new(source), span: node.key.clone() };
            Box::new(Diagnostic::error(Code::ConfigOverride, message).at(place, "").help(help))
        };
        let Some(known) = declared.iter().rev().find_map(|table| table.get(variable)) else {
            let names = || declared.iter().flat_map(|table| table.keys()).map(String::as_str);
            let help = match suggest::nearest(variable, names()) {
                Some(nearest) => format!("did you mean `vars.{nearest}`?"),
                None => format!("declare it in the file: `[vars]`, `{shown} = \"…\"`"),
            };
            return Err(wrong(format!("{name} sets `vars.{shown}`, which the file does not declare"), help));
        };
        let declared = match (&known.content, &mut node.content) {
            // The text as it was written: `1.10` is no number.
            (
                NodeContent::String(_),
                content @ (NodeContent::Integer(_) | NodeContent::Float(_) | NodeContent::Boolean(_)),
            ) => {
                let value = text.get(node.value.clone()).unwrap_or_default().to_owned();
                *content = NodeContent::String(value);
                continue;
            }
            (NodeContent::Float(_), content @ NodeContent::Integer(_)) => {
                let value = text.get(node.value.clone()).unwrap_or_default();
                if let Ok(value) = value.replace('_', "").parse() {
                    *content = NodeContent::Float(value);
                }
                continue;
            }
            (NodeContent::Integer(_), NodeContent::Integer(_))
            | (NodeContent::Float(_), NodeContent::Float(_))
            | (NodeContent::Boolean(_), NodeContent::Boolean(_))
            | (NodeContent::String(_), _) => continue,
            (NodeContent::Integer(_), _) => "an integer",
            (NodeContent::Float(_), _) => "a float",
            (NodeContent::Boolean(_), _) => "a boolean",
            _ => continue,
        };
        let help = format!("write {declared}, or declare `{shown}` as a string in `[vars]`");
        return Err(wrong(format!("{name} sets `vars.{shown}`, which is {declared} in the file"), help));
    }
    Ok(set)
}
