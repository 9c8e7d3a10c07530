//! `tags`.

use clap::{Args, ValueEnum};

use super::options::Simulation;
use super::{DONE, Exit, Global};
use crate::desired::ImageVersion;
use crate::engine;
use crate::report::output::Stream;
use crate::report::tags::{ImageTags, TagEntry, Tags};

/// Print the tags that this context renders, per image
///
/// For a build step that runs before. Asks no registry and needs no image.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How to write them.
    #[arg(long, value_enum, default_value_t)]
    format: TagsFormat,
    #[command(flatten)]
    simulation: Simulation,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum TagsFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// Lines for `$GITHUB_OUTPUT`.
    Github,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Exit {
    let session = global.session_in(Some(&arguments.simulation))?;
    let rendered = engine::tags(&session)?;
    let images = rendered.images.iter().map(|(name, image)| {
        let tags = image.tags.iter().map(|tag| TagEntry {
            tag: tag.tag.to_string(),
            rule: tag.rule.clone(),
            mutability: tag.mutability.as_str(),
        });
        let version = match &image.version {
            ImageVersion::Known(version) => Some(version.to_string()),
            ImageVersion::None(_) | ImageVersion::Other(_) | ImageVersion::Invalid(_) => None,
        };
        let repositories = engine::repositories(&rendered.config, name);
        (
            name.clone(),
            ImageTags { version, tags: tags.collect(), repositories, silent: image.silent.clone() },
        )
    });
    let tags = Tags {
        title: rendered.context.describe(),
        context: serde_json::to_value(&rendered.context).unwrap_or_default(),
        images: images.collect(),
    };
    Stream::Out.write(&match arguments.format {
        TagsFormat::Text => tags.human(global.is_verbose(), global.style(Stream::Out)),
        TagsFormat::Json => tags.json(),
        TagsFormat::Github => tags.github(),
    });
    Ok(DONE)
}
