//! Bake files in JSON, in the form of HCL.

use super::hcl::{HclBlock, HclExpression, HclTemplatePart, read_hcl};

/// A bake file in JSON, in the form of HCL.
pub(super) fn json_blocks(text: &str) -> Option<HclBlock> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    let mut whole = HclBlock::default();
    for kind in ["variable", "group", "target"] {
        let Some(entries) = document.get(kind).and_then(serde_json::Value::as_object) else { continue };
        for (label, value) in entries {
            let attributes = value
                .as_object()?
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), json_value(value)?, 0)));
            let attributes = attributes.collect();
            whole.blocks.push(HclBlock {
                kind: kind.to_owned(),
                label: label.clone(),
                attributes,
                blocks: Vec::new(),
            });
        }
    }
    Some(whole)
}

fn json_value(value: &serde_json::Value) -> Option<HclExpression> {
    Some(match value {
        // Strings are templates in JSON too.
        serde_json::Value::String(text) => {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            let read = read_hcl(&format!("a = \"{escaped}\""));
            match read.and_then(|it| it.attributes.into_iter().next()) {
                Some((_, expression, _)) => expression,
                None => HclExpression::Template(vec![HclTemplatePart::Text(text.clone())]),
            }
        }
        serde_json::Value::Array(items) => HclExpression::List(items.iter().filter_map(json_value).collect()),
        serde_json::Value::Object(_) => return None,
        other => HclExpression::Word(other.to_string()),
    })
}
