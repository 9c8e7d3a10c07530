//! `[images.*]`: sources, repositories, platforms, and the names of registries and tag rules.

use indexmap::IndexMap;

use super::{Declared, Desk};
use crate::config::{Image, ImageSource, raw, suggest};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Platform, RepositoryName, TransportSpec};

pub(super) fn check(
    raw: IndexMap<String, raw::Image>,
    declared: &Declared,
    desk: &mut Desk<'_>,
) -> IndexMap<String, Image> {
    raw.into_iter()
        .filter_map(|(name, raw)| Some((name.clone(), image(&name, raw, declared, desk)?)))
        .collect()
}

fn image(name: &str, raw: raw::Image, declared: &Declared, desk: &mut Desk<'_>) -> Option<Image> {
    let path = ["images", name];
    let at = |key: &'static str| [path[0], path[1], key];
    if let (Some(names), Some(known)) = (&raw.registries, &declared.registries) {
        desk.known(names, known, &at("registries"), Code::ConfigUnknownRegistry);
    }
    if let (Some(names), Some(known)) = (&raw.tags, &declared.tags) {
        desk.known(names, known, &at("tags"), Code::ConfigUnknownTagRule);
    }
    let platforms = platforms(&raw.platforms.unwrap_or_default(), name, desk);
    let source = raw.source.and_then(|raw| source(raw, name, desk));
    if let Some(ImageSource::Platforms(table)) = &source {
        covered(&platforms, table, name, desk);
    }
    let repository = repository(raw.repository.as_deref(), name, desk);
    Some(Image {
        source: source?,
        repository: repository?,
        registries: raw.registries.or_else(|| declared.registries.clone()).unwrap_or_default(),
        tags: raw.tags.or_else(|| declared.tags.clone()).unwrap_or_default(),
        tag_prefix: raw.tag_prefix,
        visibility: raw.visibility,
        platforms: platforms.into_iter().map(|(_, platform)| platform).collect(),
        annotations: raw.annotations.unwrap_or_default(),
    })
}

fn repository(written: Option<&str>, name: &str, desk: &mut Desk<'_>) -> Option<RepositoryName> {
    let error = match written.unwrap_or(name).parse::<RepositoryName>() {
        Ok(repository) => return Some(repository),
        Err(error) => error,
    };
    let label = match &error.suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None => "not the name of a repository".to_owned(),
    };
    let wanted = error.suggestion.as_deref().unwrap_or("colliery/broker");
    let (place, help) = match written {
        Some(_) => (
            desk.places.value(&["images", name, "repository"]),
            format!("write a name such as `repository = \"{wanted}\"`"),
        ),
        None => (
            desk.places.key(&["images", name]),
            format!(
                "the name of the image is its repository: give it one of its own, `repository = \"{wanted}\"`"
            ),
        ),
    };
    desk.tell(Diagnostic::error(Code::ConfigRepository, error.to_string()).at_maybe(place, label).help(help));
    None
}

/// The platforms that are right, with their position in the list.
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
                "`{}` of `{}` means one platform twice",
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

fn platform(text: &str, place: Option<crate::diagnostic::Place>, desk: &mut Desk<'_>) -> Option<Platform> {
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
        raw::Source::Platforms(table) => table,
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
                    let message = format!("`{key}` stands in `source` twice, in other words");
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

/// Whether `text` is a source, as far as can be said before its templates are rendered.
fn transport(text: &str, path: &[&str], desk: &mut Desk<'_>) -> bool {
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        return true;
    }
    let Err(error) = text.parse::<TransportSpec>() else { return true };
    let (label, help) = match &error.suggestion {
        Some(suggestion) => (format!("did you mean `{suggestion}`?"), format!("write `\"{suggestion}\"`")),
        None => (
            "not a source".to_owned(),
            "write `oci:DIR[:REF]` or `oci-archive:FILE[:REF]`, with a path from the folder of `publish.toml`".to_owned(),
        ),
    };
    desk.wrong(Code::ConfigSource, error.to_string(), path, &label, help);
    false
}

/// Tells of platforms that are wanted, but that the table of sources lacks.
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
