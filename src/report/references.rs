//! The digest references of a record, in the formats that deployment tools read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::clean;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::record::Record;
use crate::model::{ResourceId, ResourceKind};

/// A repository whose content is known to be in place.
struct Deployable<'a> {
    resource: &'a ResourceId,
    registry: &'a str,
    repository: &'a str,
    digest: &'a str,
    reference: &'a str,
}

impl Deployable<'_> {
    /// Returns the resource and the registry in words.
    fn words(&self) -> String {
        format!("{} in registry `{}`", clean::line(&self.resource.title()), clean::line(self.registry))
    }

    /// Returns the key: the name of an image, or the address of any other resource.
    fn name(&self) -> String {
        match self.resource.kind {
            ResourceKind::Image => self.resource.name.clone(),
            ResourceKind::Chart | ResourceKind::Artifact => self.resource.to_string(),
        }
    }
}

/// Returns the repositories that can be deployed from a record, in the order of the plan.
fn deployable(record: &Record) -> impl Iterator<Item = Deployable<'_>> {
    record.outcome.repositories.iter().filter_map(|outcome| {
        let planned = record.plan.repositories.iter().find(|planned| planned.address == outcome.address)?;
        Some(Deployable {
            resource: &planned.resource,
            registry: &planned.registry,
            repository: &outcome.repository,
            digest: outcome.digest.as_ref()?.as_str(),
            reference: outcome.reference.as_deref()?,
        })
    })
}

/// Returns the references, one per line.
pub fn digests(record: &Record) -> String {
    deployable(record).map(|it| format!("{}\n", clean::line(it.reference))).collect()
}

/// Returns the references as JSON, by image and registry. Charts and artifacts are keyed by address.
pub fn json(record: &Record) -> String {
    let mut resources = serde_json::Map::new();
    for it in deployable(record) {
        let resource = resources.entry(it.name()).or_insert_with(|| json!({}));
        resource[it.registry] = json!(it.reference);
    }
    clean::json(&format!("{:#}\n", serde_json::Value::Object(resources)))
}

/// Returns the `images` list of a `kustomization.yaml` (kustomize, "images": `name`, `newName`, `digest`). Every text is
/// quoted as JSON, which is valid YAML.
pub fn kubernetes_images(record: &Record) -> String {
    let entries: String = deployable(record)
        .filter(|it| it.resource.kind == ResourceKind::Image)
        .map(|it| {
            let (name, digest) = (json!(it.repository), json!(it.digest));
            format!("- name: {name}\n  newName: {name}\n  digest: {digest}\n")
        })
        .collect();
    if entries.is_empty() { "images: []\n".to_owned() } else { clean::json(&format!("images:\n{entries}")) }
}

/// The reason why references cannot be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum ReferencesError {
    /// Two references would have the same name.
    #[error("two references would both be named `{variable}`: that of {one} and that of {other}")]
    SameName {
        /// The name of the variable.
        variable: String,
        /// The one resource and registry, in words.
        one: String,
        /// The other resource and registry, in words.
        other: String,
    },
}

impl ReferencesError {
    /// Returns the diagnostic for this error.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(Code::CommandUsage, self.to_string())
            .help("`--format json` gives them by name and registry")
    }
}

/// Returns lines `IMAGE=REFERENCE`. If an image is in several registries, there is a line `IMAGE_REGISTRY=REFERENCE` for each.
///
/// # Errors
///
/// If two references would have the same name.
pub fn env(record: &Record) -> Result<String, ReferencesError> {
    let all: Vec<Deployable<'_>> = deployable(record).collect();
    let mut named: BTreeMap<String, &Deployable<'_>> = BTreeMap::new();
    let mut lines = String::new();
    for it in &all {
        let several = all.iter().filter(|other| other.resource == it.resource).count() > 1;
        let variable =
            if several { variable(&format!("{}_{}", it.name(), it.registry)) } else { variable(&it.name()) };
        if let Some(one) = named.insert(variable.clone(), it) {
            return Err(ReferencesError::SameName { variable, one: one.words(), other: it.words() });
        }
        let _never_fails = writeln!(lines, "{variable}={}", clean::line(it.reference));
    }
    Ok(lines)
}

/// Returns `text` as the name of a variable: letters, digits and `_`, and no digit first (POSIX, "Environment Variable
/// Definition").
fn variable(text: &str) -> String {
    let first = text.starts_with(|c: char| c.is_ascii_digit()).then_some('_');
    let rest = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    first.into_iter().chain(rest).collect()
}
