//! The combinations of a job's matrix (docs.github.com, "Running variations of jobs in a workflow").

use std::collections::BTreeMap;

use super::expression::interpolate;
use super::scope::Scope;
use super::symbolic::SymbolicText;
use super::yaml_file::FileNode;

/// The most combinations that are looked at.
const MAX: usize = 64;

/// The values of one combination, under their dotted names.
pub(super) type Combination = BTreeMap<String, SymbolicText>;

/// The combinations of a job. `None` if only a run knows them; one without values if there is no matrix.
pub(super) fn combinations(job: FileNode<'_>, scope: &Scope<'_>) -> Option<Vec<Combination>> {
    let Some(matrix) = job.at(&["strategy", "matrix"]) else { return Some(vec![Combination::new()]) };
    if !matrix.is_mapping() {
        return None;
    }
    let mut all = vec![Combination::new()];
    let mut names = Vec::new();
    for (name, values) in matrix.entries() {
        if matches!(name, "include" | "exclude") {
            continue;
        }
        let items = values.items();
        if items.is_empty() {
            return None;
        }
        names.push(name.to_owned());
        let values: Vec<Combination> = items.into_iter().map(|item| flat(name, item, scope)).collect();
        let next = all.iter().flat_map(|one| {
            values.iter().map(|value| one.iter().chain(value).map(|(k, v)| (k.clone(), v.clone())).collect())
        });
        all = next.take(MAX).collect();
    }
    let entries = |key: &str| {
        let items = matrix.get(key).map(FileNode::items).unwrap_or_default();
        items
            .into_iter()
            .map(|item| {
                let entries = item.entries().into_iter();
                entries.flat_map(|(name, value)| flat(name, value, scope)).collect::<Combination>()
            })
            .collect::<Vec<_>>()
    };
    let excluded = entries("exclude");
    all.retain(|one| !excluded.iter().any(|it| it.iter().all(|(key, value)| one.get(key) == Some(value))));
    let has_lists = !names.is_empty();
    if !has_lists {
        all.clear();
    }
    let original: Vec<Combination> = all.clone();
    let is_original =
        |key: &str| names.iter().any(|name| key == name || key.starts_with(&format!("{name}.")));
    for entry in entries("include") {
        let mut extended = false;
        for (one, before) in all.iter_mut().zip(&original) {
            if entry.iter().all(|(key, value)| !is_original(key) || before.get(key) == Some(value)) {
                one.extend(entry.clone());
                extended = true;
            }
        }
        if !extended && all.len() < MAX {
            all.push(entry);
        }
    }
    (!all.is_empty()).then_some(all)
}

/// The scalars in a value, under dotted names.
fn flat(name: &str, node: FileNode<'_>, scope: &Scope<'_>) -> Combination {
    let mut found = Combination::new();
    let mut waiting = vec![(name.to_ascii_lowercase(), node, 0)];
    while let Some((name, node, depth)) = waiting.pop() {
        if let Some(text) = node.text() {
            found.insert(name, interpolate(text, scope));
        } else if depth < 4 {
            for (key, value) in node.entries() {
                waiting.push((format!("{name}.{}", key.to_ascii_lowercase()), value, depth + 1));
            }
            let items: Vec<SymbolicText> =
                node.items().iter().filter_map(|it| it.text()).map(|it| interpolate(it, scope)).collect();
            if !items.is_empty() {
                let comma = SymbolicText::literal(",");
                let joined = items.iter().enumerate().fold(SymbolicText::default(), |all, (at, item)| {
                    if at == 0 { item.clone() } else { all.then(&comma).then(item) }
                });
                found.insert(name, joined);
            }
        }
    }
    found
}
