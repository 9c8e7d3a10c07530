//! `.goreleaser.yml`: `dockers`, `docker_manifests`, `dockers_v2` and `kos` (goreleaser.com, "Customization").

use super::condition::Condition;
use super::go_template::{GoTemplates, pieces};
use super::publication::{BuildFacts, Findings, Origin, Publication, address, split_reference};
use super::scope::{ProjectFacts, RunKind};
use super::step_context::GoreleaserRun;
use super::symbolic::SymbolicText;
use super::yaml_file::{FileNode, YamlFile};

/// Reads a file. `runs` are the runs of goreleaser in workflows.
pub(super) fn read_goreleaser(file: &YamlFile, runs: &[GoreleaserRun], project: &ProjectFacts) -> Findings {
    let mut found = Findings::default();
    let Some(root) = file.root() else { return found };
    let condition = runs
        .iter()
        .filter(|run| run.kind.is_tag())
        .map(|run| run.condition.clone())
        .reduce(Condition::or)
        .unwrap_or(Condition::Always)
        .assuming();
    let name = root.get("project_name").and_then(FileNode::text).unwrap_or(&project.name).to_owned();
    let mut reader = GoreleaserReader { file, project, name, condition, found: Findings::default() };
    let list = |key: &str| root.get(key).map(FileNode::items).unwrap_or_default();
    let manifests = list("docker_manifests");
    for manifest in &manifests {
        reader.manifest(*manifest, &list("dockers"));
    }
    for docker in list("dockers") {
        reader.docker(docker, &manifests);
    }
    for docker in list("dockers_v2") {
        reader.docker_v2(docker);
    }
    for ko in list("kos") {
        reader.ko(ko);
    }
    for sign in list("docker_signs") {
        let origin = Origin::new(&file.file, sign.line());
        reader.found.leave(
            &origin,
            "`docker_signs` is not carried over: declare a signer in `[signing.NAME]`, and name it in `sign` of the image",
        );
    }
    found.extend(reader.found);
    found
}

struct GoreleaserReader<'r> {
    file: &'r YamlFile,
    project: &'r ProjectFacts,
    name: String,
    condition: Condition,
    found: Findings,
}

impl GoreleaserReader<'_> {
    fn origin(&self, line: usize) -> Origin {
        Origin::new(&self.file.file, line)
    }

    fn templates(&self) -> GoTemplates<'_> {
        GoTemplates { project: self.project, name: &self.name }
    }

    /// Adds a reference that a template makes.
    fn publish(&mut self, template: &str, line: usize, build: &BuildFacts, condition: &Condition) {
        let origin = self.origin(line);
        for (text, own) in pieces(template, &self.templates()) {
            let (repository, tag) = split_reference(&text);
            self.reference(&repository, &tag, template, &origin, build, &condition.clone().and(own));
        }
    }

    fn reference(
        &mut self,
        repository: &SymbolicText,
        tag: &SymbolicText,
        source: &str,
        origin: &Origin,
        build: &BuildFacts,
        condition: &Condition,
    ) {
        if tag.known() == Some("") || *condition == Condition::Never {
            return;
        }
        if let Some(unknown) = tag.first_unknown() {
            return self.found.leave(origin, format!("`{source}`: `{unknown}` is not known here"));
        }
        if let Some(unknown) = condition.first_unknown() {
            return self
                .found
                .leave(origin, format!("`{source}`: the condition `{unknown}` is not understood"));
        }
        let Some(to) = address(repository, self.project, origin, &mut self.found) else {
            return self.found.leave(origin, format!("the image `{}` is not known here", repository.shown()));
        };
        self.found.publications.push(Publication {
            build: build.clone(),
            address: to,
            kind: RunKind::TagPush,
            tag: tag.clone(),
            condition: self.condition.clone().and(condition.clone()),
            origin: origin.clone(),
            source: source.to_owned(),
            moves: false,
        });
    }

    /// An image of one platform. It has tags of its own unless they only feed a manifest.
    fn docker(&mut self, docker: FileNode<'_>, manifests: &[FileNode<'_>]) {
        let pushed = push_condition(docker);
        let text = |key: &str| docker.get(key).and_then(FileNode::text);
        let platform = platform(docker);
        let in_manifest =
            docker.get("image_templates").map(FileNode::strings).unwrap_or_default().iter().any(|image| {
                manifests.iter().any(|it| {
                    it.get("image_templates").map(FileNode::strings).unwrap_or_default().contains(image)
                })
            });
        let variant =
            if in_manifest { platform.clone() } else { text("target").unwrap_or_default().to_owned() };
        let build = BuildFacts {
            dockerfile: Some(text("dockerfile").unwrap_or("Dockerfile").to_owned()),
            variant,
            platforms: vec![platform],
        };
        for image in docker.get("image_templates").map(FileNode::lines).unwrap_or_default() {
            self.publish(&image.text, image.line, &build, &pushed);
        }
    }

    fn manifest(&mut self, manifest: FileNode<'_>, dockers: &[FileNode<'_>]) {
        let pushed = push_condition(manifest);
        let Some(name) = manifest.get("name_template") else { return };
        let parts = manifest.get("image_templates").map(FileNode::strings).unwrap_or_default();
        let used: Vec<&FileNode<'_>> = dockers
            .iter()
            .filter(|it| {
                it.get("image_templates")
                    .map(FileNode::strings)
                    .unwrap_or_default()
                    .iter()
                    .any(|image| parts.contains(image))
            })
            .collect();
        let dockerfile =
            used.iter().find_map(|it| it.get("dockerfile").and_then(FileNode::text)).unwrap_or("Dockerfile");
        let platforms: Vec<String> = used.iter().map(|it| platform(**it)).collect();
        let build = BuildFacts { dockerfile: Some(dockerfile.to_owned()), variant: String::new(), platforms };
        self.publish(name.text().unwrap_or_default(), name.line(), &build, &pushed);
    }

    fn docker_v2(&mut self, docker: FileNode<'_>) {
        let mut pushed = push_condition(docker);
        if let Some(disable) = docker.get("disable").and_then(FileNode::text).filter(|it| it.contains("{{")) {
            let origin = self.origin(docker.line());
            self.found.assume(&origin, format!("`disable: {disable}` is taken as false"));
        }
        let text = |key: &str| docker.get(key).and_then(FileNode::text);
        let platforms = docker.get("platforms").map(FileNode::strings).unwrap_or_default();
        let platforms = if platforms.is_empty() { vec!["linux/amd64", "linux/arm64"] } else { platforms };
        let build = BuildFacts {
            dockerfile: Some(text("dockerfile").unwrap_or("Dockerfile").to_owned()),
            variant: String::new(),
            platforms: platforms.into_iter().map(str::to_owned).collect(),
        };
        if docker.get("tags").is_none() {
            pushed = Condition::Never;
        }
        for image in docker.get("images").map(FileNode::lines).unwrap_or_default() {
            for (repository, own) in pieces(&image.text, &self.templates()) {
                for tag in docker.get("tags").map(FileNode::lines).unwrap_or_default() {
                    let origin = self.origin(tag.line);
                    for (value, condition) in pieces(&tag.text, &self.templates()) {
                        let condition = pushed.clone().and(own.clone()).and(condition);
                        self.reference(&repository, &value, &tag.text, &origin, &build, &condition);
                    }
                }
            }
        }
        for key in ["labels", "annotations"] {
            for (name, value) in docker.get(key).map(FileNode::entries).unwrap_or_default() {
                let origin = self.origin(value.line());
                let found = pieces(value.text().unwrap_or_default(), &self.templates());
                if let Some(template) = found.first().and_then(|(text, _)| text.template(&self.project.tags))
                {
                    self.found.labels.push((name.to_owned(), template, origin));
                }
            }
        }
    }

    /// An image of ko: `repositories`, and a name that follows from the import path.
    fn ko(&mut self, ko: FileNode<'_>) {
        let pushed = push_condition(ko);
        let is_true = |key: &str| ko.get(key).and_then(FileNode::text) == Some("true");
        let mut repositories = ko.get("repositories").map(FileNode::lines).unwrap_or_default();
        repositories.extend(ko.get("repository").map(FileNode::lines).unwrap_or_default());
        let main = ko.get("main").and_then(FileNode::text).unwrap_or(".").trim_end_matches('/');
        let last =
            main.rsplit('/').next().filter(|it| !matches!(*it, "" | ".")).unwrap_or(&self.name).to_owned();
        let platforms = ko.get("platforms").map_or_else(|| vec!["linux/amd64"], FileNode::strings);
        let build = BuildFacts {
            dockerfile: None,
            variant: format!("ko {main}"),
            platforms: platforms.into_iter().map(str::to_owned).collect(),
        };
        let tags = ko.get("tags").map(FileNode::lines).unwrap_or_default();
        for repository in repositories {
            let end = if is_true("bare") {
                String::new()
            } else if is_true("base_import_paths") {
                format!("/{last}")
            } else {
                let origin = self.origin(repository.line);
                self.found.leave(&origin, "ko names this repository after a digest of the import path: set `bare` or `base_import_paths`");
                continue;
            };
            for (text, own) in pieces(&repository.text, &self.templates()) {
                let text = text.then(&SymbolicText::literal(&end));
                for tag in &tags {
                    let origin = self.origin(tag.line);
                    for (value, condition) in pieces(&tag.text, &self.templates()) {
                        let condition = pushed.clone().and(own.clone()).and(condition);
                        self.reference(&text, &value, &tag.text, &origin, &build, &condition);
                    }
                }
                if tags.is_empty() {
                    let origin = self.origin(repository.line);
                    let latest = SymbolicText::literal("latest");
                    self.reference(
                        &text,
                        &latest,
                        "latest",
                        &origin,
                        &build,
                        &pushed.clone().and(own.clone()),
                    );
                }
            }
        }
    }
}

/// The platform of an entry of `dockers`.
fn platform(docker: FileNode<'_>) -> String {
    let text = |key: &str| docker.get(key).and_then(FileNode::text);
    let flags = docker.get("build_flag_templates").map(FileNode::strings).unwrap_or_default();
    let flag = flags.iter().find_map(|it| it.strip_prefix("--platform="));
    if let Some(platform) = flag.filter(|it| !it.contains("{{") && it.contains('/')) {
        return platform.replace("arm64/v8", "arm64").replace("linux/i386", "linux/386");
    }
    let (os, architecture) = (text("goos").unwrap_or("linux"), text("goarch").unwrap_or("amd64"));
    match (architecture, text("goarm")) {
        ("arm", version) => format!("{os}/arm/v{}", version.unwrap_or("6")),
        _ => format!("{os}/{architecture}"),
    }
}

/// `skip_push: auto` leaves pre-releases out.
fn push_condition(node: FileNode<'_>) -> Condition {
    let is_disabled = |key: &str| matches!(node.get(key).and_then(FileNode::text), Some("true"));
    match node.get("skip_push").and_then(FileNode::text).map(str::trim) {
        Some("true") => Condition::Never,
        Some("auto") => Condition::Test("version.pre == ''".to_owned()),
        _ if is_disabled("disable") || is_disabled("skip") => Condition::Never,
        _ => Condition::Always,
    }
}
