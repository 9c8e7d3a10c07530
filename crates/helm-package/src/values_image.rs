//! The forms in which values name an image: one string, or a mapping of its parts. Decides which values to set.
//!
//! The keys are those of `helm create` and of widely used charts: bitnami (`registry`, `repository`, `tag`, `digest`), grafana
//! (`sha`), cilium (`useDigest`), istio (`hub`, `image`, `tag`), and older charts (`image` beside `imageTag`).

use serde_json::Value;

use crate::chart_image::{ChartImage, dotted};
use crate::helm_yaml::{HelmContent, HelmEntry, HelmNode};
use crate::scalar::GoScalar;
use crate::values_edit::{ValueEdit, node_at};

/// The keys of the repository of an image, the most usual first.
const REPOSITORY: [&str; 4] = ["repository", "repo", "name", "image"];
/// The keys of its registry.
const REGISTRY: [&str; 2] = ["registry", "hub"];
/// The keys of its tag.
const TAG: [&str; 3] = ["tag", "imageTag", "version"];
/// The keys of its digest.
const DIGEST: [&str; 3] = ["digest", "sha", "sha256"];
/// A switch that says whether the digest is used.
const USE_DIGEST: &str = "useDigest";

/// The keys of a mapping whose values are scalars, with their texts.
pub(crate) struct ScalarKeys(Vec<(String, String)>);

impl ScalarKeys {
    pub(crate) fn of(entries: &[HelmEntry<'_>]) -> Self {
        let text = |entry: &HelmEntry<'_>| match entry.value.content() {
            HelmContent::Scalar(scalar) => Some((entry.key.clone(), scalar.to_text())),
            _ => None,
        };
        Self(entries.iter().filter_map(text).collect())
    }

    /// Returns the first of `keys` that the mapping has, with its text.
    fn first(&self, keys: &[&str]) -> Option<(&str, &str)> {
        let find = |key: &&str| self.0.iter().find(|(known, _)| known == key);
        keys.iter().find_map(find).map(|(key, text)| (key.as_str(), text.as_str()))
    }

    /// Returns the key that is `name` without regard to case, `_` and `-`.
    fn called(&self, name: &str) -> Option<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).find(|key| simple(key) == name)
    }

    /// Returns the repository with its registry, if this is the mapping of an image, and the text of its tag. The tag is `None` if a
    /// digest decides.
    pub(crate) fn image(&self) -> Option<(String, Option<String>)> {
        let (key, repository) = self.first(&REPOSITORY).filter(|(_, text)| !text.is_empty())?;
        let tag = self.first(&TAG);
        if key != "repository" && tag.is_none() && self.first(&DIGEST).is_none() {
            return None;
        }
        let text = |keys: &[&str]| self.first(keys).map(|(_, text)| text).unwrap_or_default();
        let registry = text(&REGISTRY);
        let name =
            if registry.is_empty() { repository.to_owned() } else { format!("{registry}/{repository}") };
        let tag = text(&DIGEST).is_empty().then(|| tag.map(|(_, text)| text.to_owned()).unwrap_or_default());
        Some((name, tag))
    }
}

/// Returns a key in lower case, without `_` and `-`.
fn simple(key: &str) -> String {
    key.chars().filter(|it| !matches!(it, '_' | '-')).map(|it| it.to_ascii_lowercase()).collect()
}

/// Whether the name of an image has a tag or a digest.
pub(crate) fn has_tag(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']))
}

/// Whether the name of an image begins with a host.
pub(crate) fn has_host(name: &str) -> bool {
    let first = name.split_once('/').map(|(first, _)| first);
    first.is_some_and(|first| first.contains(['.', ':']) || first == "localhost")
}

/// Returns the values to set so that the values below `root` name `image`, or the reason why that is impossible: what to say about
/// `values.yaml`, and what to do.
pub(crate) fn edits(root: HelmNode<'_>, image: &ChartImage) -> Result<Vec<ValueEdit>, (String, String)> {
    let path = image.path.as_slice();
    let Some((key, above)) = path.split_last() else { return Ok(Vec::new()) };
    let Some(node) = node_at(root, path) else {
        let known = (0..path.len()).rev().find(|length| node_at(root, &path[..*length]).is_some());
        let missing = dotted(&path[..=known.unwrap_or_default()]);
        let help = "name the value that holds the image; a value of a dependency has to be written in the chart's own \
                    `values.yaml`, below the name of the dependency";
        return Err((format!("has no `{missing}`"), help.to_owned()));
    };
    let form = ImageForm { path, image };
    match node.content() {
        HelmContent::List(_) => {
            let help = format!("name one image of it: `{}.0`", dotted(path));
            Err((format!("has a list at `{}`", dotted(path)), help))
        }
        HelmContent::Mapping(entries) => form.mapping(path, &ScalarKeys::of(&entries)),
        HelmContent::Scalar(scalar) => {
            let siblings = match node_at(root, above).map(|parent| parent.content()) {
                Some(HelmContent::Mapping(entries)) => ScalarKeys::of(&entries),
                _ => ScalarKeys(Vec::new()),
            };
            form.scalar(key, above, &scalar, &siblings)
        }
    }
}

struct ImageForm<'a> {
    path: &'a [String],
    image: &'a ChartImage,
}

fn at(above: &[String], key: &str, value: impl Into<Value>) -> ValueEdit {
    let path = above.iter().cloned().chain([key.to_owned()]).collect();
    ValueEdit { path, value: value.into() }
}

impl ImageForm<'_> {
    /// Returns the text of the tag if there is no other place for the digest.
    fn tag_with_digest(&self) -> String {
        let ChartImage { tag, digest, .. } = self.image;
        digest.as_ref().map_or_else(|| tag.to_string(), |digest| format!("{tag}@{digest}"))
    }

    /// Returns the whole reference, which replaces `old`.
    fn reference(&self, old: &str) -> String {
        let (name, ChartImage { tag, digest, .. }) = (self.image.name(), self.image);
        let has_both = old.split_once('@').is_some_and(|(name, _)| has_tag(name));
        match digest {
            None => format!("{name}:{tag}"),
            Some(digest) if has_both => format!("{name}:{tag}@{digest}"),
            Some(digest) => format!("{name}@{digest}"),
        }
    }

    /// A mapping of the parts, below `above`.
    fn mapping(&self, above: &[String], keys: &ScalarKeys) -> Result<Vec<ValueEdit>, (String, String)> {
        let image = self.image;
        let Some((repository_key, old)) = keys.first(&REPOSITORY) else {
            if !keys.0.is_empty() && keys.first(&TAG).is_none() && keys.first(&DIGEST).is_none() {
                let message =
                    format!("has no image at `{}`: none of its keys is a repository", dotted(above));
                return Err((
                    message,
                    "name the mapping that has the keys `repository` and `tag`".to_owned(),
                ));
            }
            let mut edits = vec![at(above, "repository", image.name())];
            edits.extend(self.tag_and_digest(above, keys));
            return Ok(edits);
        };
        if has_tag(old) && keys.first(&TAG).is_none() {
            return Ok(vec![at(above, repository_key, self.reference(old))]);
        }
        let mut edits = Vec::new();
        let repository = image.repository.as_str();
        let (namespace, last) = repository.rsplit_once('/').unwrap_or(("", repository));
        let in_namespace = if namespace.is_empty() {
            image.registry.clone()
        } else {
            format!("{}/{namespace}", image.registry)
        };
        match keys.first(&REGISTRY) {
            Some((key, registry)) if registry.contains('/') => {
                edits.extend([at(above, key, in_namespace), at(above, repository_key, last)]);
            }
            Some((_, "")) if has_host(old) => edits.push(at(above, repository_key, image.name())),
            Some((key, _)) => {
                edits
                    .extend([at(above, key, image.registry.as_str()), at(above, repository_key, repository)]);
            }
            // `repository: ghcr.io/acme` beside `name: app`.
            None if repository_key.starts_with("repo")
                && old.rsplit('/').next() != Some(last)
                && keys.first(&REPOSITORY[2..]).is_some_and(|(_, name)| name == last) =>
            {
                edits.push(at(above, repository_key, in_namespace));
            }
            None => edits.push(at(above, repository_key, image.name())),
        }
        edits.extend(self.tag_and_digest(above, keys));
        Ok(edits)
    }

    fn tag_and_digest(&self, above: &[String], keys: &ScalarKeys) -> Vec<ValueEdit> {
        let ChartImage { tag, digest, .. } = self.image;
        let mut edits = Vec::new();
        let tag_key = keys.first(&TAG).map(|(key, _)| key);
        match (keys.first(&DIGEST), digest) {
            (Some((key, old)), Some(digest)) => {
                edits.extend(tag_key.map(|key| at(above, key, tag.to_string())));
                let text = digest.to_string();
                let is_bare = key != "digest" && !old.contains(':');
                let bare = text.split_once(':').map_or(text.as_str(), |(_, hex)| hex);
                edits.push(at(above, key, if is_bare { bare } else { text.as_str() }));
            }
            (old, _) => {
                edits.push(at(above, tag_key.unwrap_or("tag"), self.tag_with_digest()));
                edits.extend(old.filter(|(_, old)| !old.is_empty()).map(|(key, _)| at(above, key, "")));
            }
        }
        if keys.first(&[USE_DIGEST]).is_some() {
            edits.push(at(above, USE_DIGEST, digest.is_some()));
        }
        edits
    }

    /// A scalar: the whole reference, or a part beside which the others are.
    fn scalar(
        &self,
        key: &str,
        above: &[String],
        scalar: &GoScalar,
        siblings: &ScalarKeys,
    ) -> Result<Vec<ValueEdit>, (String, String)> {
        let old = match scalar {
            GoScalar::Text(_) | GoScalar::Null => scalar.to_text(),
            GoScalar::Bool(_) | GoScalar::Int(_) | GoScalar::Unsigned(_) | GoScalar::Float(_)
                if TAG.contains(&key) || simple(key).ends_with("tag") =>
            {
                scalar.to_text()
            }
            _ => {
                let message =
                    format!("has `{}` at `{}`, which names no image", scalar.to_text(), dotted(self.path));
                return Err((message, "name the value that holds the image".to_owned()));
            }
        };
        let is_part = ["repository", "repo", "tag"].contains(&key);
        if is_part && siblings.first(&REPOSITORY[..2]).is_some() && !has_tag(&old) {
            return self.mapping(above, siblings);
        }
        let name = simple(key);
        if has_tag(&old) {
            return Ok(vec![at(above, key, self.reference(&old))]);
        }
        if let Some(prefix) = name.strip_suffix("tag") {
            let repository = ["repository", "repo", "name", ""].iter();
            let beside =
                repository.map(|end| format!("{prefix}{end}")).find_map(|name| siblings.called(&name));
            let mut edits: Vec<ValueEdit> =
                beside.map(|key| at(above, key, self.image.name())).into_iter().collect();
            edits.push(at(above, key, self.tag_with_digest()));
            return Ok(edits);
        }
        let prefix = ["repository", "repo"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let tag = [format!("{prefix}tag"), "imagetag".to_owned(), "tag".to_owned()];
        match tag.iter().find_map(|tag| siblings.called(tag)) {
            Some(tag) => Ok(vec![at(above, key, self.image.name()), at(above, tag, self.tag_with_digest())]),
            None => Ok(vec![at(above, key, self.reference(&old))]),
        }
    }
}

#[cfg(test)]
#[path = "values_image_tests.rs"]
mod tests;
