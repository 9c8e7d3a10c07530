//! Scripts of `package.json`, as `npm run NAME` runs them (docs.npmjs.com, "scripts").

use std::collections::BTreeMap;

/// The script that a command runs.
pub(super) fn called(words: &[&str], texts: &BTreeMap<String, String>) -> Option<String> {
    let name = match words {
        ["npm" | "pnpm" | "yarn" | "bun", "run" | "run-script", name, ..] => name,
        ["yarn" | "pnpm", name, ..] => name,
        _ => return None,
    };
    scripts(texts).remove(*name)
}

/// The scripts that push images.
pub(super) fn pushing(texts: &BTreeMap<String, String>) -> Vec<String> {
    scripts(texts).into_values().filter(|text| text.contains("docker") && text.contains("push")).collect()
}

fn scripts(texts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let document =
        texts.get("package.json").and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let scripts = document.as_ref().and_then(|it| it.get("scripts")?.as_object());
    let scripts = scripts
        .into_iter()
        .flatten()
        .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
    scripts.collect()
}
