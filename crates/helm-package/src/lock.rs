//! `Chart.lock`, or `requirements.lock` in a Helm 2 chart: the versions that the dependencies were resolved to, and the digest that
//! ties them to the requested dependencies (Helm, `internal/resolver`).

use std::collections::BTreeMap;

use crate::chart_file::FileSpan;
use crate::dependency::{Dependency, read_locked_dependencies};
use crate::fields::FieldReader;
use crate::finding::ChartFindings;
use crate::go_json;
use crate::helm_yaml::HelmYaml;
use oci_registry::Digest;

/// A lock.
pub(crate) struct ChartLock {
    pub(crate) digest: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// The place of the digest, or the beginning of the file.
    pub(crate) span: FileSpan,
}

impl ChartLock {
    /// Reads a lock from the document. `file` is the name of the file.
    pub(crate) fn read(yaml: &HelmYaml, file: &'static str, findings: &mut ChartFindings) -> Self {
        let mut lock = Self { digest: String::new(), dependencies: Vec::new(), span: yaml.start() };
        let Some(root) = yaml.root() else { return lock };
        let mut fields = FieldReader { findings, file };
        for entry in fields.entries(file, &root, &["dependencies", "digest", "generated"]) {
            match entry.key.as_str() {
                "dependencies" => lock.dependencies = read_locked_dependencies(&mut fields, &entry.value),
                "digest" => {
                    lock.digest = fields.text("digest", &entry.value);
                    lock.span = entry.value.span();
                }
                _ => {}
            }
        }
        lock
    }

    /// Whether the lock was made from these dependencies. If a repository is named by an alias in somebody's Helm (`@name`,
    /// `alias:name`), the repository in the lock is used, because Helm resolved the alias before it computed the digest.
    pub(crate) fn fits(&self, asked: &[Dependency], v1: bool) -> bool {
        let resolved: Vec<Dependency> = asked
            .iter()
            .enumerate()
            .map(|(index, dependency)| {
                let aliased =
                    dependency.repository.starts_with('@') || dependency.repository.starts_with("alias:");
                let locked =
                    self.dependencies.get(index).filter(|locked| aliased && locked.name == dependency.name);
                let repository = locked.map_or(&dependency.repository, |locked| &locked.repository);
                Dependency { repository: repository.clone(), ..dependency.clone() }
            })
            .collect();
        let own = digest(&(or_null(&resolved), or_null(&self.dependencies)));
        let of_helm_2 = || digest(&BTreeMap::from([("dependencies", or_null(asked))]));
        own.as_ref() == Some(&self.digest) || (v1 && of_helm_2().as_ref() == Some(&self.digest))
    }
}

/// Returns `None` for an empty list, because Go writes a list that was never filled as null.
fn or_null(dependencies: &[Dependency]) -> Option<&[Dependency]> {
    (!dependencies.is_empty()).then_some(dependencies)
}

fn digest(value: &impl serde::Serialize) -> Option<String> {
    go_json::to_vec(value).ok().map(|bytes| Digest::of(&bytes).to_string())
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
