//! `tags`.

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit};
use super::options::{Global, Simulation};
use crate::desired::ResourceVersion;
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::report::tags::{ResourceEntry, TagEntry, Tags};
use crate::run;

/// Print the tags that this context renders, per image, chart and artifact
///
/// For a build step that runs before publishing. Asks no registry and needs no image.
#[derive(Debug, Args)]
pub struct TagsArguments {
    /// The output format.
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

pub(super) fn run(global: &Global, arguments: &TagsArguments) -> Exit {
    let session = global.session_in(Some(&arguments.simulation))?;
    let rendered = run::tags(&session)?;
    let resources = rendered.resources.iter().map(|(id, resource)| {
        let tags = resource.tags.iter().map(|tag| TagEntry {
            tag: tag.tag.to_string(),
            rule: tag.rule.clone(),
            mutability: tag.mutability.as_str(),
        });
        let version = match &resource.version {
            _ if resource.chart_version.is_some() => resource.chart_version.clone(),
            ResourceVersion::Known(version) => Some(version.to_string()),
            ResourceVersion::None(_) | ResourceVersion::Other(_) | ResourceVersion::Invalid(_) => None,
        };
        let repositories = run::repositories(&rendered.config, id);
        (
            id.clone(),
            ResourceEntry { version, tags: tags.collect(), repositories, silent: resource.silent.clone() },
        )
    });
    let tags = Tags {
        title: rendered.context.describe(),
        context: serde_json::to_value(&rendered.context).unwrap_or_default(),
        resources: resources.collect(),
    };
    global.output().err(&diagnostics::human(&rendered.warnings, global.style(OutputStream::Err)));
    global.output().out(&match arguments.format {
        TagsFormat::Text => tags.human(global.is_verbose(), global.style(OutputStream::Out)),
        TagsFormat::Json => tags.json(),
        TagsFormat::Github => tags.github().map_err(|error| vec![error])?,
    });
    Ok(DONE)
}
