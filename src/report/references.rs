//! The digest references of a record, in the forms that deployments take them.

use serde_json::json;

use super::clean;
use crate::model::record::Record;

/// A repository whose content is known to be there.
struct Deployable<'a> {
    image: &'a str,
    registry: &'a str,
    repository: &'a str,
    digest: &'a str,
    reference: &'a str,
}

/// What can be deployed by a record, in the order of the plan.
fn deployable(record: &Record) -> impl Iterator<Item = Deployable<'_>> {
    record.outcome.repositories.iter().filter_map(|outcome| {
        let planned = record.plan.repositories.iter().find(|planned| planned.address == outcome.address)?;
        Some(Deployable {
            image: &planned.image,
            registry: &planned.registry,
            repository: &outcome.repository,
            digest: outcome.digest.as_ref()?.as_str(),
            reference: outcome.reference.as_deref()?,
        })
    })
}

/// One reference a line.
pub fn digests(record: &Record) -> String {
    deployable(record).map(|it| format!("{}\n", clean::line(it.reference))).collect()
}

/// References by image and registry.
pub fn json(record: &Record) -> String {
    let mut images = serde_json::Map::new();
    for it in deployable(record) {
        let image = images.entry(it.image).or_insert_with(|| json!({}));
        image[it.registry] = json!(it.reference);
    }
    format!("{:#}\n", serde_json::Value::Object(images))
}

/// The `images` list of a `kustomization.yaml` (kustomize, "images": `name`, `newName`, `digest`). Every text is quoted as
/// JSON, which is YAML.
pub fn kubernetes_images(record: &Record) -> String {
    let entries: String = deployable(record)
        .map(|it| {
            let (name, digest) = (json!(it.repository), json!(it.digest));
            format!("- name: {name}\n  newName: {name}\n  digest: {digest}\n")
        })
        .collect();
    if entries.is_empty() { "images: []\n".to_owned() } else { format!("images:\n{entries}") }
}

/// Lines `IMAGE=REFERENCE`; where an image is in several registries, `IMAGE_REGISTRY=REFERENCE` for each.
pub fn env(record: &Record) -> String {
    let variable = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
    };
    let all: Vec<Deployable<'_>> = deployable(record).collect();
    all.iter()
        .map(|it| {
            let several = all.iter().filter(|other| other.image == it.image).count() > 1;
            let name = if several { format!("{}_{}", it.image, it.registry) } else { it.image.to_owned() };
            format!("{}={}\n", variable(&name), clean::line(it.reference))
        })
        .collect()
}
