//! Opens the content of resources: renders their declarations, and lets charts name the images of the same run.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::content;
use super::rendered::ResourceTags;
use super::tags::Renderer;
use crate::config::{
    Config, DeclaredChart, DeclaredChartImage, DeclaredContent, DeclaredRegistry, NamedResource,
};
use crate::content::{self as publishing, Published};
use crate::context::{Context, last_change};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{ContentSpec, ImagePin, Mutability, ResourceId};
use helm_package::ChartImage;
use oci_content::Surroundings;
use oci_registry::{Digest, RegistryLocation, Tag};

/// Opens the content of resources, each once.
pub(super) struct ContentOpener<'a> {
    renderer: &'a Renderer<'a>,
    context: &'a Context,
    surroundings: &'a Surroundings,
    rendered: &'a IndexMap<ResourceId, ResourceTags>,
    opened: HashMap<&'a ResourceId, Arc<Published>>,
}

impl<'a> ContentOpener<'a> {
    pub fn new(
        renderer: &'a Renderer<'a>,
        context: &'a Context,
        surroundings: &'a Surroundings,
        rendered: &'a IndexMap<ResourceId, ResourceTags>,
    ) -> Self {
        Self { renderer, context, surroundings, rendered, opened: HashMap::new() }
    }

    /// Renders the declaration of a resource and opens its source.
    pub fn open(&mut self, named: NamedResource<'a>) -> Result<Arc<Published>, Vec<Diagnostic>> {
        if let Some(opened) = self.opened.get(named.id) {
            return Ok(Arc::clone(opened));
        }
        let NamedResource { id, resource } = named;
        let mut spec = content::content(self.renderer, self.context, id, resource)?;
        if let (ContentSpec::Chart(spec), DeclaredContent::Chart(chart)) = (&mut spec, &resource.content) {
            spec.images = self.images(named, chart)?;
            // An unrelated commit gives the same package.
            let directory = self.surroundings.folder.join(&spec.path);
            if self.surroundings.check(&spec.path).is_ok() && directory.is_dir() {
                spec.created = last_change(&directory, self.context.sha.as_deref()).or(spec.created);
            }
            if spec.app_version.is_none() {
                spec.app_version = spec.images.first().map(|image| image.tag.to_string());
            }
        }
        let config = self.renderer.config;
        let published = publishing::publishable(&spec, self.surroundings).map_err(|error| {
            let key = id.key(resource.content.key());
            let place = config.places.value(&key).or_else(|| config.places.key(&key));
            let placed = |diagnostic: Diagnostic| {
                // Errors inside a chart have their own places there.
                let place = place.clone().filter(|_| diagnostic.labels.is_empty());
                diagnostic.about(id.title()).at_maybe(place, "")
            };
            error.to_diagnostics().into_iter().map(placed).collect::<Vec<_>>()
        })?;
        let published = Arc::new(published);
        self.opened.insert(id, Arc::clone(&published));
        Ok(published)
    }

    /// Returns the images that the values of a chart are to name.
    fn images(
        &mut self,
        named: NamedResource<'a>,
        chart: &'a DeclaredChart,
    ) -> Result<Vec<ChartImage>, Vec<Diagnostic>> {
        let mut images = Vec::new();
        for declared in &chart.images {
            // A chart is silent if one of its images is.
            let Some(tag) = self.rendered.get(&declared.image).and_then(main_tag) else { continue };
            let by_digest = match declared.pin {
                Some(pin) => pin == ImagePin::Digest,
                None => tag.1 != Mutability::Immutable,
            };
            let digest = if by_digest { Some(self.digest(&declared.image)?) } else { None };
            images.extend(image(self.renderer.config, named, declared, tag.0, digest)?);
        }
        Ok(images)
    }

    fn digest(&mut self, id: &ResourceId) -> Result<Digest, Vec<Diagnostic>> {
        let Some(named) = self.renderer.config.named_resource(id) else { return Err(Vec::new()) };
        self.open(named).map(|published| published.content.root.digest.clone())
    }
}

/// The tag by which charts name an image: the first immutable one, or the first of all.
pub(super) fn main_tag(tags: &ResourceTags) -> Option<(&Tag, Mutability)> {
    let immutable = tags.tags.iter().find(|tag| tag.mutability == Mutability::Immutable);
    immutable.or(tags.tags.first()).map(|tag| (&tag.tag, tag.mutability))
}

/// Returns the image that an entry of a chart's `images` stands for.
fn image(
    config: &Config,
    named: NamedResource<'_>,
    declared: &DeclaredChartImage,
    tag: &Tag,
    digest: Option<Digest>,
) -> Result<Option<ChartImage>, Vec<Diagnostic>> {
    let Some(resource) = config.resources.get(&declared.image) else { return Ok(None) };
    let Some((host, registry)) = registry(config, named, declared) else {
        let [section, name] = named.id.path();
        let path = [section, name, "images", &declared.path.to_string()];
        let place = config.places.value(&path).or_else(|| config.places.key(&path));
        let image = declared.image.title();
        let message = match &declared.registry {
            Some(registry) => {
                format!(
                    "{}: {image} is not published to `{registry}`, or that is a directory",
                    named.id.title()
                )
            }
            None => format!(
                "{}: {image} is published only to directories, from which nothing pulls",
                named.id.title()
            ),
        };
        let help = "name a registry of the image with a host: `{ image = \"NAME\", registry = \"ghcr\" }`";
        return Err(vec![Diagnostic::error(Code::ConfigValue, message).at_maybe(place, "").help(help)]);
    };
    Ok(Some(ChartImage {
        path: declared.path.parts().to_vec(),
        registry: host.to_owned(),
        repository: registry.endpoint.url.repository(&resource.repository),
        tag: tag.clone(),
        digest,
    }))
}

/// Returns an image like those that an entry stands for, to try out whether it can be set.
pub(super) fn sample(
    config: &Config,
    named: NamedResource<'_>,
    declared: &DeclaredChartImage,
) -> Option<ChartImage> {
    let digest = (declared.pin == Some(ImagePin::Digest)).then(|| Digest::of(b""));
    let tag = "v1.4.2".parse().ok()?;
    image(config, named, declared, &tag, digest).ok().flatten()
}

/// Returns the registry that a chart names for an image, with its host: the declared one, or one that both are published to, or the first
/// of the image.
fn registry<'a>(
    config: &'a Config,
    named: NamedResource<'_>,
    declared: &DeclaredChartImage,
) -> Option<(&'a str, &'a DeclaredRegistry)> {
    let of_image = &config.resources.get(&declared.image)?.registries;
    let with_host = |name: &String| match config.registries.get(name) {
        Some(registry) => match &registry.endpoint.url {
            RegistryLocation::Http { host, .. } => Some((host.as_str(), registry)),
            RegistryLocation::Directory { .. } => None,
        },
        None => None,
    };
    match &declared.registry {
        Some(name) => of_image.contains(name).then(|| with_host(name)).flatten(),
        None => {
            let both = of_image.iter().filter(|name| named.resource.registries.contains(name));
            both.chain(of_image).find_map(with_host)
        }
    }
}
