//! Compose files: services with `build` and `image` (docs.docker.com, "Compose Build Specification").

use super::condition::Condition;
use super::publication::{BuildFacts, Origin};
use super::publishing_files::is_compose;
use super::shell_text::ShellValues;
use super::step_context::StepContext;
use super::yaml_file::{FileNode, YamlFile};

/// Publishes the services that `docker compose push` pushes.
pub(super) fn push(origin: &Origin, context: &mut StepContext<'_, '_>) {
    let files: Vec<&YamlFile> =
        context.files.iter().filter(|it| is_compose(&it.file) && !it.file.contains('/')).collect();
    for file in files {
        services(file, context);
        let _ = origin;
    }
}

/// Publishes the services of a file that are built and have an image.
pub(super) fn services(file: &YamlFile, context: &mut StepContext<'_, '_>) {
    let services =
        file.root().and_then(|root| root.get("services")).map(FileNode::entries).unwrap_or_default();
    for (_, service) in services {
        let (Some(build), Some(image)) = (service.get("build"), service.get("image")) else { continue };
        let text = |key: &str| build.get(key).and_then(FileNode::text);
        let folder = build.text().or_else(|| text("context")).unwrap_or(".");
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        let name = text("dockerfile").unwrap_or("Dockerfile").trim_start_matches("./");
        let dockerfile =
            if matches!(folder, "" | ".") { name.to_owned() } else { format!("{folder}/{name}") };
        let facts = BuildFacts {
            dockerfile: Some(dockerfile),
            variant: text("target").unwrap_or_default().to_owned(),
            platforms: build
                .get("platforms")
                .map(FileNode::strings)
                .unwrap_or_default()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        };
        let tags = build.get("tags").map(FileNode::lines).unwrap_or_default();
        for line in image.lines().into_iter().chain(tags) {
            let reference = ShellValues { scope: &context.scope, inserted: &[] }.word(&line.text);
            context.push_references(
                &reference,
                &facts,
                &Condition::Always,
                &Origin::new(&file.file, line.line),
            );
        }
    }
}
