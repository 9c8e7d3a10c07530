//! `[images.*]`: sources and platforms.

use indexmap::IndexMap;

use super::problems::Problems;
use super::releases::DeclaredForm;
use super::resource::{self, CommonKeys, Defaults};
use crate::config::{DeclaredContent, DeclaredImage, ImageSource, Resource, raw, suggest};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::model::ResourceId;
use oci_content::TRANSPORT_FORMS;
use oci_content::TransportSpec;
use oci_registry::Platform;

pub(super) fn check_images(
    raw: IndexMap<String, raw::RawImage>,
    defaults: &Defaults<'_>,
    problems: &mut Problems<'_>,
) -> Vec<(ResourceId, Resource)> {
    raw.into_iter()
        .filter_map(|(name, raw)| {
            let id = ResourceId::image(name);
            let resource = image(&id, raw, defaults, problems)?;
            Some((id, resource))
        })
        .collect()
}

fn image(
    id: &ResourceId,
    raw: raw::RawImage,
    defaults: &Defaults<'_>,
    problems: &mut Problems<'_>,
) -> Option<Resource> {
    let name = id.name.as_str();
    let platforms = platforms(&raw.platforms.unwrap_or_default(), name, problems);
    let source = raw.source.and_then(|raw| source(raw, name, problems));
    if let Some(ImageSource::Platforms(table)) = &source {
        covered(&platforms, table, name, problems);
    }
    let common = CommonKeys {
        repository: raw.repository,
        registries: raw.registries,
        tags: raw.tags,
        releases: DeclaredForm { tag_prefix: raw.tag_prefix, version_scheme: raw.version_scheme },
        visibility: raw.visibility,
        annotations: raw.annotations,
        sign: raw.sign,
        attest: raw.attest,
        gates: raw.gates,
    };
    let referrers = raw.referrers.unwrap_or_default();
    let content = source.map(|source| {
        let travels = resource::image_travels(&source, referrers);
        DeclaredContent::Image(DeclaredImage {
            source,
            platforms: platforms.into_iter().map(|listed| listed.platform).collect(),
            annotate: raw.annotate.unwrap_or_default(),
            labels: resource::description(raw.labels, defaults.standard_labels, travels),
            referrers,
            same_images: raw.same_images.or(defaults.same_images).unwrap_or_default(),
        })
    });
    resource::check_resource(id, common, content, defaults, problems)
}

/// A valid item of `platforms`.
struct ListedPlatform {
    platform: Platform,
    /// The place of the item in the file.
    place: Option<Location>,
}

/// The valid platforms of the image `name`. Reports those that are not valid, and those that are listed twice.
fn platforms(texts: &[String], name: &str, problems: &mut Problems<'_>) -> Vec<ListedPlatform> {
    let mut listed: Vec<ListedPlatform> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let place = problems.places.value(&["images", name, "platforms", &index.to_string()]);
        let Some(platform) = platform(text, place.clone(), problems) else { continue };
        if let Some(first) = listed.iter().find(|first| first.platform.satisfies(&platform)) {
            let table = suggest::table(&["images", name]);
            let message = format!("`platforms` of `{table}` names the same platform twice");
            let diagnostic = Diagnostic::error(Code::ConfigPlatform, message)
                .at_maybe(place.clone(), "again")
                .at_maybe(first.place.clone(), "first here")
                .help(
                    "`linux/arm64` is `linux/arm64/v8`, and `linux/arm` is `linux/arm/v7`: write one of them",
                );
            problems.report(diagnostic);
        }
        listed.push(ListedPlatform { platform, place });
    }
    listed
}

/// Parses `text`, which is written at `place`, as a platform.
fn platform(text: &str, place: Option<Location>, problems: &mut Problems<'_>) -> Option<Platform> {
    let error = match text.parse::<Platform>() {
        Ok(platform) => return Some(platform),
        Err(error) => error,
    };
    let (label, help) = match &error.suggestion {
        Some(suggestion) => (format!("did you mean `{suggestion}`?"), format!("write `\"{suggestion}\"`")),
        None => (
            "not a platform".to_owned(),
            "write `os/architecture[/variant]` in Go's words: `linux/amd64`, `linux/arm64`, `linux/arm/v7`"
                .to_owned(),
        ),
    };
    problems
        .report(Diagnostic::error(Code::ConfigPlatform, error.to_string()).at_maybe(place, label).help(help));
    None
}

fn source(raw: raw::RawSource, name: &str, problems: &mut Problems<'_>) -> Option<ImageSource> {
    let table = match raw {
        raw::RawSource::One(text) => {
            return transport(&text, &["images", name, "source"], problems).then_some(ImageSource::One(text));
        }
        raw::RawSource::Several(list) => {
            let mut right = true;
            for (index, text) in list.iter().enumerate() {
                right &= transport(text, &["images", name, "source", &index.to_string()], problems);
            }
            return right.then_some(ImageSource::Several(list));
        }
        raw::RawSource::Table(table)
            if ["digests", "from", "target"].iter().any(|key| table.contains_key(*key)) =>
        {
            return digests(table, name, problems);
        }
        raw::RawSource::Table(table) => table,
    };
    let mut sources: IndexMap<Platform, String> = IndexMap::with_capacity(table.len());
    let mut right = true;
    for (key, text) in table {
        let path = ["images", name, "source", key.as_str()];
        right &= transport(&text, &path, problems);
        match platform(&key, problems.places.key(&path), problems) {
            Some(platform) => {
                if sources.keys().any(|other| other.satisfies(&platform)) {
                    right = false;
                    let message = format!("`{key}` names a platform that `source` already has");
                    let place = problems.places.key(&path);
                    let help = "`linux/arm64` is `linux/arm64/v8`, and `linux/arm` is `linux/arm/v7`: keep one entry";
                    problems.report(
                        Diagnostic::error(Code::ConfigPlatform, message).at_maybe(place, "again").help(help),
                    );
                }
                sources.insert(platform, text);
            }
            None => right = false,
        }
    }
    right.then_some(ImageSource::Platforms(sources))
}

/// `{ digests, from, target }`.
fn digests(
    mut table: IndexMap<String, String>,
    name: &str,
    problems: &mut Problems<'_>,
) -> Option<ImageSource> {
    let at = |key: &'static str| ["images", name, "source", key];
    let (digests, from) = (table.shift_remove("digests"), table.shift_remove("from"));
    let target = table.shift_remove("target");
    for key in table.keys() {
        let message = format!("`{}` does not belong beside `digests` and `from`", key.escape_debug());
        let place = problems.places.key(&["images", name, "source", key]);
        let help = "`{ digests = \"FILE\", from = \"docker://REPOSITORY\" }` is one kind of source and a table of platforms is another: use one of them";
        problems
            .report(Diagnostic::error(Code::ConfigSource, message).at_maybe(place, "not here").help(help));
    }
    let (digests, from) = match (digests, from) {
        (Some(digests), Some(from)) => (digests, from),
        (digests, _) => {
            let lacks = if digests.is_some() { "from" } else { "digests" };
            let message = format!("`source` of `{}` has no `{lacks}`", suggest::table(&["images", name]));
            let place = problems.places.value(&["images", name, "source"]);
            let place = place.or_else(|| problems.places.key(&["images", name, "source"]));
            let help = "write `source = { digests = \"FILE\", from = \"docker://REPOSITORY\" }`: a file or a folder with the digests that the build pushed, and the repository that it pushed to";
            problems.report(
                Diagnostic::error(Code::ConfigMissingKey, message).at_maybe(place, "incomplete").help(help),
            );
            return None;
        }
    };
    if !transport(&from, &at("from"), problems) {
        return None;
    }
    if !is_template(&from)
        && !matches!(from.parse(), Ok(TransportSpec::Docker(reference)) if reference.tag.is_none() && reference.digest.is_none())
    {
        let message = format!("`from` must name a repository, not `{}`", from.escape_debug());
        let help = "write `from = \"docker://HOST/REPOSITORY\"`, without a tag or digest";
        problems.wrong(Code::ConfigSource, message, &at("from"), "not a repository", help);
        return None;
    }
    table.is_empty().then_some(ImageSource::Digests { digests, from, target })
}

/// Whether `text` is a template, so that its meaning is known only once it is rendered.
fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Whether `text` is a source. A template counts as one until it is rendered.
fn transport(text: &str, path: &[&str], problems: &mut Problems<'_>) -> bool {
    if is_template(text) {
        return true;
    }
    let Err(error) = text.parse::<TransportSpec>() else { return true };
    let (label, help) = match &error.suggestion {
        Some(suggestion) => (format!("did you mean `{suggestion}`?"), format!("write `\"{suggestion}\"`")),
        None => (
            "not a source".to_owned(),
            format!("write {TRANSPORT_FORMS}, with paths from the folder of `publish.toml`"),
        ),
    };
    problems.wrong(Code::ConfigSource, error.to_string(), path, &label, help);
    false
}

/// Reports platforms that are declared but missing from the table of sources.
fn covered(
    platforms: &[ListedPlatform],
    table: &IndexMap<Platform, String>,
    name: &str,
    problems: &mut Problems<'_>,
) {
    for ListedPlatform { platform, place } in platforms {
        if table.keys().any(|key| key.satisfies(platform)) {
            continue;
        }
        let message = format!("`source` of `{}` has no `{platform}`", suggest::table(&["images", name]));
        let diagnostic = Diagnostic::error(Code::ConfigPlatform, message)
            .at_maybe(place.clone(), "wanted here")
            .at_maybe(problems.places.key(&["images", name, "source"]), "not among these")
            .help(format!("add `\"{platform}\" = \"oci:DIR\"` to `source`, or take it out of `platforms`"));
        problems.report(diagnostic);
    }
}
