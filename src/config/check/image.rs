//! `[images.*]`: sources and platforms.

use indexmap::IndexMap;

use super::Desk;
use super::resource::{self, Common, Setting};
use crate::config::{Content, Image, ImageSource, Resource, raw, suggest};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ResourceId;
use oci_content::TRANSPORT_FORMS;
use oci_content::TransportSpec;
use oci_registry::Platform;

pub(super) fn check(
    raw: IndexMap<String, raw::Image>,
    setting: &Setting<'_>,
    desk: &mut Desk<'_>,
) -> Vec<(ResourceId, Resource)> {
    raw.into_iter()
        .filter_map(|(name, raw)| {
            let id = ResourceId::image(name);
            let resource = image(&id, raw, setting, desk)?;
            Some((id, resource))
        })
        .collect()
}

fn image(id: &ResourceId, raw: raw::Image, setting: &Setting<'_>, desk: &mut Desk<'_>) -> Option<Resource> {
    let name = id.name.as_str();
    let platforms = platforms(&raw.platforms.unwrap_or_default(), name, desk);
    let source = raw.source.and_then(|raw| source(raw, name, desk));
    if let Some(ImageSource::Platforms(table)) = &source {
        covered(&platforms, table, name, desk);
    }
    let common = Common {
        repository: raw.repository,
        registries: raw.registries,
        tags: raw.tags,
        tag_prefix: raw.tag_prefix,
        visibility: raw.visibility,
        annotations: raw.annotations,
    };
    let content = source.map(|source| {
        Content::Image(Image {
            source,
            platforms: platforms.into_iter().map(|(_, platform)| platform).collect(),
            annotate: raw.annotate.unwrap_or_default(),
            labels: raw.labels.unwrap_or_default(),
            referrers: raw.referrers.unwrap_or_default(),
        })
    });
    resource::check(id, common, content, setting, desk)
}

/// The valid platforms, each with its position in the list.
fn platforms(texts: &[String], name: &str, desk: &mut Desk<'_>) -> Vec<(usize, Platform)> {
    let mut platforms: Vec<(usize, Platform)> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let index_text = index.to_string();
        let path = ["images", name, "platforms", index_text.as_str()];
        let place = desk.places.value(&path);
        let Some(platform) = platform(text, place, desk) else { continue };
        if let Some((first, _)) = platforms.iter().find(|(_, other)| other.satisfies(&platform)) {
            let first = first.to_string();
            let message = format!(
                "`{}` of `{}` names the same platform twice",
                "platforms",
                suggest::table(&["images", name])
            );
            let diagnostic = Diagnostic::error(Code::ConfigPlatform, message)
                .at_maybe(desk.places.value(&path), "again")
                .at_maybe(desk.places.value(&["images", name, "platforms", &first]), "first here")
                .help(
                    "`linux/arm64` is `linux/arm64/v8`, and `linux/arm` is `linux/arm/v7`: write one of them",
                );
            desk.tell(diagnostic);
        }
        platforms.push((index, platform));
    }
    platforms
}

fn platform(text: &str, place: Option<crate::diagnostic::Location>, desk: &mut Desk<'_>) -> Option<Platform> {
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
    desk.tell(Diagnostic::error(Code::ConfigPlatform, error.to_string()).at_maybe(place, label).help(help));
    None
}

fn source(raw: raw::Source, name: &str, desk: &mut Desk<'_>) -> Option<ImageSource> {
    let table = match raw {
        raw::Source::One(text) => {
            return transport(&text, &["images", name, "source"], desk).then_some(ImageSource::One(text));
        }
        raw::Source::Several(list) => {
            let mut right = true;
            for (index, text) in list.iter().enumerate() {
                right &= transport(text, &["images", name, "source", &index.to_string()], desk);
            }
            return right.then_some(ImageSource::Several(list));
        }
        raw::Source::Table(table) if table.contains_key("digests") || table.contains_key("from") => {
            return digests(table, name, desk);
        }
        raw::Source::Table(table) => table,
    };
    let mut sources: IndexMap<Platform, String> = IndexMap::with_capacity(table.len());
    let mut right = true;
    for (key, text) in table {
        let path = ["images", name, "source", key.as_str()];
        right &= transport(&text, &path, desk);
        match platform(&key, desk.places.key(&path), desk) {
            Some(platform) => {
                if sources.keys().any(|other| other.satisfies(&platform)) {
                    right = false;
                    let message = format!("`{key}` names a platform that `source` already has");
                    let place = desk.places.key(&path);
                    let help = "`linux/arm64` is `linux/arm64/v8`, and `linux/arm` is `linux/arm/v7`: keep one entry";
                    desk.tell(
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

/// `{ digests, from }`.
fn digests(mut table: IndexMap<String, String>, name: &str, desk: &mut Desk<'_>) -> Option<ImageSource> {
    let at = |key: &'static str| ["images", name, "source", key];
    let (digests, from) = (table.shift_remove("digests"), table.shift_remove("from"));
    for key in table.keys() {
        let message = format!("`{}` does not belong beside `digests` and `from`", key.escape_debug());
        let place = desk.places.key(&["images", name, "source", key]);
        let help = "`{ digests = \"DIR\", from = \"docker://REPOSITORY\" }` is one kind of source and a table of platforms is another: use one of them";
        desk.tell(Diagnostic::error(Code::ConfigSource, message).at_maybe(place, "not here").help(help));
    }
    let (digests, from) = match (digests, from) {
        (Some(digests), Some(from)) => (digests, from),
        (digests, _) => {
            let lacks = if digests.is_some() { "from" } else { "digests" };
            let message = format!("`source` of `{}` has no `{lacks}`", suggest::table(&["images", name]));
            let place = desk.places.value(&["images", name, "source"]);
            let place = place.or_else(|| desk.places.key(&["images", name, "source"]));
            let help = "write `source = { digests = \"DIR\", from = \"docker://REPOSITORY\" }`: a folder of files named by digest, and the repository that they were pushed to";
            desk.tell(
                Diagnostic::error(Code::ConfigMissingKey, message).at_maybe(place, "incomplete").help(help),
            );
            return None;
        }
    };
    if !transport(&from, &at("from"), desk) {
        return None;
    }
    if !is_template(&from)
        && !matches!(from.parse(), Ok(TransportSpec::Docker(reference)) if reference.tag.is_none() && reference.digest.is_none())
    {
        let message = format!("`from` must name a repository, not `{}`", from.escape_debug());
        let help = "write `from = \"docker://HOST/REPOSITORY\"`, without a tag or digest";
        desk.wrong(Code::ConfigSource, message, &at("from"), "not a repository", help);
        return None;
    }
    table.is_empty().then_some(ImageSource::Digests { digests, from })
}

/// Whether `text` is a template, so that its meaning is known only once it is rendered.
fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

/// Whether `text` is a source. A template counts as one until it is rendered.
fn transport(text: &str, path: &[&str], desk: &mut Desk<'_>) -> bool {
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
    desk.wrong(Code::ConfigSource, error.to_string(), path, &label, help);
    false
}

/// Reports platforms that are declared but missing from the table of sources.
fn covered(
    platforms: &[(usize, Platform)],
    table: &IndexMap<Platform, String>,
    name: &str,
    desk: &mut Desk<'_>,
) {
    for (index, platform) in platforms {
        if table.keys().any(|key| key.satisfies(platform)) {
            continue;
        }
        let index = index.to_string();
        let place = desk.places.value(&["images", name, "platforms", &index]);
        let message = format!("`source` of `{}` has no `{platform}`", suggest::table(&["images", name]));
        let diagnostic = Diagnostic::error(Code::ConfigPlatform, message)
            .at_maybe(place, "wanted here")
            .at_maybe(desk.places.key(&["images", name, "source"]), "not among these")
            .help(format!("add `\"{platform}\" = \"oci:DIR\"` to `source`, or take it out of `platforms`"));
        desk.tell(diagnostic);
    }
}
