//! `tags`.

use clap::{Args, ValueEnum};

use super::exit::{DONE, Exit};
use super::options::{Global, Simulation};
use crate::desired::{Preview, ResourceVersion};
use crate::model::Mutability;
use crate::report::diagnostics;
use crate::report::output::OutputStream;
use crate::report::tags::{Annotation, ResourceEntry, TagEntry, Tags};
use crate::run;

/// Print the tags that this context renders, per image, chart and artifact
///
/// For a build step that runs before publishing. Asks no registry and needs no image. Only `plan` knows whether a forward tag moves,
/// so no format gives forward tags to a build tool, unless `--all` does.
#[derive(Debug, Args)]
pub struct TagsArguments {
    /// The output format.
    #[arg(long, value_enum, default_value_t)]
    format: TagsFormat,
    /// Give forward tags to the build tool too, although they may move backward.
    #[arg(long)]
    all: bool,
    /// Only these addresses: `images.NAME`, `images.NAME@REGISTRY`, either with `:TAG`.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    target: Vec<String>,
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
    /// A file for `docker buildx bake -f`, with a target for each image.
    Bake,
    /// Variables for a shell or a file of variables.
    Env,
    /// A file for `artifacts:reports:dotenv` of GitLab.
    GitlabDotenv,
    /// Arguments of `docker buildx build` for one image.
    DockerArgs,
}

pub(super) fn run(global: &Global, arguments: &TagsArguments) -> Exit {
    let session = global.session_in(Some(&arguments.simulation))?;
    let rendered = run::tags(&session, &arguments.target)?;
    let resources = rendered.resources.iter();
    let tags = Tags {
        title: rendered.context.describe(),
        context: serde_json::to_value(&rendered.context).unwrap_or_default(),
        resources: resources.map(|(id, preview)| (id.clone(), entry(preview, arguments.all))).collect(),
    };
    global.output().err(&diagnostics::human(&rendered.warnings, global.style(OutputStream::Err)));
    let failed = |error| vec![error];
    global.output().out(&match arguments.format {
        TagsFormat::Text => tags.human(global.is_verbose(), global.style(OutputStream::Out)),
        TagsFormat::Json => tags.json(),
        TagsFormat::Github => tags.github().map_err(failed)?,
        TagsFormat::Bake => tags.bake().map_err(failed)?,
        TagsFormat::Env => tags.env().map_err(failed)?,
        TagsFormat::GitlabDotenv => tags.gitlab_dotenv().map_err(failed)?,
        TagsFormat::DockerArgs => tags.docker_args().map_err(failed)?,
    });
    Ok(DONE)
}

/// The entry of a resource in the formats. If `all`, the references of forward tags are to be pushed too.
fn entry(preview: &Preview, all: bool) -> ResourceEntry {
    let resource = &preview.tags;
    let is_candidate = |tag: &str| {
        resource.tags.iter().any(|it| it.tag.as_str() == tag && it.mutability == Mutability::Forward)
    };
    let references = |candidates: bool| {
        let repositories = preview.repositories.iter();
        let wanted = move |tag: &&String| is_candidate(tag) == candidates;
        repositories
            .flat_map(|(name, tags)| tags.iter().filter(wanted).map(move |tag| format!("{name}:{tag}")))
            .collect::<Vec<_>>()
    };
    let (mut pushed, candidates) = (references(false), references(true));
    if all {
        pushed.extend(candidates.iter().cloned());
    }
    let version = match &resource.version {
        _ if resource.chart_version.is_some() => resource.chart_version.clone(),
        ResourceVersion::Known(version) => Some(version.to_string()),
        ResourceVersion::None(_)
        | ResourceVersion::Other(_)
        | ResourceVersion::Unversioned(_)
        | ResourceVersion::Invalid(_) => None,
    };
    // The name that moves along (`main`, `pr-12`) says more than that of the commit.
    let moves = resource.tags.iter().find(|tag| tag.mutability != Mutability::Immutable);
    let named = moves.or(resource.tags.first()).map(|tag| tag.tag.to_string());
    let annotations = preview.annotations.iter().map(|(key, value)| Annotation {
        key: key.clone(),
        value: value.clone(),
        levels: preview.levels.clone(),
    });
    ResourceEntry {
        version: version.clone().or(named),
        release: version,
        tags: resource
            .tags
            .iter()
            .map(|tag| TagEntry {
                tag: tag.tag.to_string(),
                rule: tag.rule.clone(),
                mutability: tag.mutability.as_str(),
                candidate: tag.mutability == Mutability::Forward,
            })
            .collect(),
        references: pushed,
        candidates,
        labels: preview.labels.clone(),
        annotations: annotations.collect(),
        silent: resource.silent.clone(),
    }
}
