//! The lists of images and layers of a store, and the choice of an image.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::super::SourceError;
use super::super::docker_archive::normalized;
use super::place::StorePlace;
use oci_registry::Digest;

/// The most layers that an image may have: overlay has 500 at most.
const MAX_LAYERS: usize = 1000;
/// The shortest start of an id that names an image.
const SHORTEST_ID: usize = 7;
/// The lists of layers: those that are there, and those that are gone after a restart.
const LAYER_LISTS: [&str; 2] = ["layers.json", "volatile-layers.json"];

/// An image in `images.json` (containers/storage, images.go, `Image`).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct StoredImage {
    pub(super) id: String,
    #[serde(default)]
    pub(super) digest: Option<String>,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    layer: Option<String>,
    #[serde(default)]
    big_data_digests: Option<BTreeMap<String, String>>,
}

/// A layer in `layers.json` (containers/storage, layers.go, `Layer`).
#[derive(Debug, Deserialize)]
struct StoredLayer {
    id: String,
    #[serde(default)]
    parent: Option<String>,
}

/// The images and layers of a store.
pub(super) struct StoreRecords {
    images: Vec<StoredImage>,
    parents: HashMap<String, Option<String>>,
    place: String,
}

impl StoredImage {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().map(String::as_str)
    }

    /// A name for people.
    pub(super) fn name(&self) -> &str {
        self.names().next().unwrap_or_else(|| self.id.get(..12).unwrap_or(&self.id))
    }

    /// Whether one of its manifests has this digest.
    fn has_manifest(&self, digest: &str) -> bool {
        let manifests = self.big_data_digests.iter().flatten();
        self.digest.as_deref() == Some(digest)
            || manifests
                .filter(|(key, _)| key.starts_with("manifest"))
                .any(|(_, of_manifest)| of_manifest == digest)
    }
}

impl StoreRecords {
    /// Reads the lists of the store.
    pub(super) fn read(place: &StorePlace) -> Result<Self, SourceError> {
        fn parsed<T: for<'a> Deserialize<'a>>(list: (Vec<u8>, String)) -> Result<T, SourceError> {
            let (bytes, shown) = list;
            serde_json::from_slice(&bytes).map_err(|error| SourceError::malformed(shown, error.to_string()))
        }
        let images: Vec<StoredImage> = parsed(place.image_list()?)?;
        let mut parents = HashMap::new();
        for name in LAYER_LISTS {
            let Some(list) = place.layer_list(name)? else { continue };
            let layers: Option<Vec<StoredLayer>> = parsed(list)?;
            parents.extend(layers.into_iter().flatten().map(|layer| (layer.id, layer.parent)));
        }
        let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_hexdigit());
        if let Some(other) = images.iter().map(|image| &image.id).chain(parents.keys()).find(|id| !is_id(id))
        {
            let reason = format!("it lists `{}`, which is not an id", other.escape_debug());
            return Err(SourceError::malformed(place.to_string(), reason));
        }
        Ok(Self { images, parents, place: place.to_string() })
    }

    /// The image that `wanted` names: an id, the start of one, a name, or a name with a digest. A name without a registry is
    /// completed as podman does it, with `localhost` and with Docker Hub.
    pub(super) fn choose(&self, wanted: &str) -> Result<&StoredImage, SourceError> {
        let wanted_id = wanted.strip_prefix('@').unwrap_or(wanted);
        let id = wanted_id.strip_prefix("sha256:").unwrap_or(wanted_id);
        if let Some(image) = self.images.iter().find(|image| image.id == id) {
            return Ok(image);
        }
        let (name, digest) = match wanted.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (wanted, None),
        };
        let forms = [normalized(name), normalized(&format!("localhost/{name}"))];
        let repository = |full: &str| {
            let full = full.split_once('@').map_or(full, |(before, _)| before);
            match full.rsplit_once(':') {
                Some((path, tag)) if !tag.contains('/') => path.to_owned(),
                _ => full.to_owned(),
            }
        };
        let fits = |image: &&StoredImage| match digest {
            Some(digest) if image.has_manifest(digest) => image
                .names()
                .any(|own| forms.iter().any(|form| repository(&normalized(own)) == repository(form))),
            Some(_) => false,
            None => image.names().any(|own| forms.contains(&normalized(own))),
        };
        let mut found: Vec<&StoredImage> = self.images.iter().filter(fits).collect();
        let is_start = id.len() >= SHORTEST_ID && id.chars().all(|c| c.is_ascii_hexdigit());
        if found.is_empty() && is_start {
            found = self.images.iter().filter(|image| image.id.starts_with(id)).collect();
        }
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(self.no_such(wanted)),
            several => Err(SourceError::Ambiguous {
                place: "containers-storage".to_owned(),
                count: several.len(),
                names: several.iter().map(|image| image.name().to_owned()).collect(),
            }),
        }
    }

    /// The image that has the manifest `digest`.
    pub(super) fn with_manifest(&self, digest: &Digest) -> Option<&StoredImage> {
        self.images.iter().find(|image| image.has_manifest(digest.as_str()) && image.layer.is_some())
    }

    /// The layers of an image, lowest first.
    pub(super) fn layers_of(&self, image: &StoredImage) -> Result<Vec<String>, SourceError> {
        let malformed = |reason: String| SourceError::malformed(self.place.clone(), reason);
        let mut layers = Vec::new();
        let mut next = image.layer.clone().filter(|id| !id.is_empty());
        while let Some(id) = next {
            let Some(parent) = self.parents.get(&id) else {
                return Err(malformed(format!(
                    "image `{}` has the layer `{id}`, which is not in it",
                    image.name()
                )));
            };
            if layers.len() >= MAX_LAYERS {
                return Err(malformed(format!("image `{}` has more than {MAX_LAYERS} layers", image.name())));
            }
            layers.push(id);
            next = parent.clone().filter(|id| !id.is_empty());
        }
        layers.reverse();
        Ok(layers)
    }

    fn no_such(&self, wanted: &str) -> SourceError {
        let mut names: Vec<String> =
            self.images.iter().flat_map(StoredImage::names).map(str::to_owned).collect();
        names.sort();
        SourceError::NoSuchImage {
            image: wanted.to_owned(),
            engine: self.place.clone(),
            help: if names.is_empty() {
                "build the image first: `podman build --tag NAME .`".to_owned()
            } else {
                format!(
                    "build it first (`podman build --tag NAME .`), or name one that is there{}",
                    super::super::error::name_list(&names)
                )
            },
        }
    }
}
