//! The place of a step in a run of a workflow: what it sees, everything found so far, and the tags that it pushes.

use super::condition::Condition;
use super::expression::interpolate;
use super::metadata_action::{ActionTags, versioned};
use super::publication::{
    Address, BuildFacts, ChartPublication, Findings, Origin, Publication, address, split_reference,
};
use super::scope::{ProjectFacts, RunKind, Scope};
use super::symbolic::{Part, SymbolicText};
use super::yaml_file::{FileNode, YamlFile};

/// The tags that a metadata step made, for steps that use them.
#[derive(Debug, Clone)]
pub(super) struct MetadataStep {
    /// The name of the step.
    pub id: String,
    /// The tags and images.
    pub tags: ActionTags,
    /// The step.
    pub origin: Origin,
    /// The condition of the step.
    pub condition: Condition,
    /// Whether a step has pushed them, or decided not to.
    pub is_used: bool,
}

/// A run of goreleaser in a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GoreleaserRun {
    /// The kind of run.
    pub kind: RunKind,
    /// The condition.
    pub condition: Condition,
}

/// All workflows.
#[derive(Debug, Default)]
pub(super) struct WorkflowFindings {
    /// The tags and charts that they push.
    pub found: Findings,
    /// The runs of goreleaser.
    pub goreleaser: Vec<GoreleaserRun>,
}

/// The place of a step: everything that it sees and everything found so far.
pub(super) struct StepContext<'c, 'p> {
    /// The file.
    pub file: &'c str,
    /// All YAML files.
    pub files: &'c [YamlFile],
    /// The values.
    pub scope: Scope<'p>,
    /// The condition of the job.
    pub condition: Condition,
    /// The metadata steps of the workflow, as `\u{1}N\u{1}` in texts.
    pub metadata: &'c mut Vec<MetadataStep>,
    /// Everything found.
    pub all: &'c mut WorkflowFindings,
    /// How deep a script or an action is called.
    pub depth: usize,
}

impl<'c, 'p> StepContext<'c, 'p> {
    /// The place of a file that no workflow calls, as on the push of a git tag.
    pub fn outside_of_workflows(
        file: &'c str,
        files: &'c [YamlFile],
        project: &'p ProjectFacts,
        metadata: &'c mut Vec<MetadataStep>,
        all: &'c mut WorkflowFindings,
    ) -> Self {
        let scope = Scope::new(project, RunKind::TagPush);
        Self { file, files, scope, condition: Condition::Always, metadata, all, depth: 1 }
    }
}

/// Sets the variables of `env`.
pub(super) fn set_env(node: FileNode<'_>, scope: &mut Scope<'_>) {
    for (name, value) in node.get("env").map(FileNode::entries).unwrap_or_default() {
        let value = interpolate(value.text().unwrap_or_default(), scope);
        scope.set(&format!("env.{name}"), value);
    }
}

impl StepContext<'_, '_> {
    /// Keeps the tags of a metadata step, and sets its outputs.
    pub fn add_metadata(&mut self, id: &str, tags: ActionTags, origin: Origin) {
        let marker = SymbolicText::literal(&format!("\u{1}{}\u{1}", self.metadata.len()));
        let main = tags.tags.first().map(|it| it.tag.clone()).unwrap_or_default();
        for output in ["tags", "json", "bake-file", "bake-file-tags"] {
            self.scope.set(&format!("steps.{id}.outputs.{output}"), marker.clone());
        }
        self.scope.set(&format!("steps.{id}.outputs.version"), main.clone());
        self.scope.set("env.DOCKER_METADATA_OUTPUT_VERSION", main);
        self.scope.set("env.DOCKER_METADATA_OUTPUT_TAGS", marker);
        let condition = self.condition.clone();
        self.metadata.push(MetadataStep { id: id.to_owned(), tags, origin, condition, is_used: false });
    }

    /// Publishes the tags of a metadata step.
    pub fn push_metadata(&mut self, number: usize, build: &BuildFacts, pushed: &Condition) {
        let Some(metadata) = self.metadata.get_mut(number) else { return };
        metadata.is_used = true;
        let metadata = metadata.clone();
        let condition = metadata.condition.clone().and(self.condition.clone()).and(pushed.clone());
        if condition == Condition::Never {
            return;
        }
        let at = |line: usize| {
            if line == 0 { metadata.origin.clone() } else { Origin::new(&metadata.origin.file, line) }
        };
        let project = self.scope.project;
        for (line, text) in &metadata.tags.left_out {
            self.all.found.leave(&at(*line), text.clone());
        }
        for (line, text) in &metadata.tags.assumed {
            self.all.found.assume(&at(*line), text.clone());
        }
        for (image, enabled, line) in &metadata.tags.images {
            let origin = at(*line);
            let Some(to) = address(image, project, &origin, &mut self.all.found) else {
                self.all.found.leave(&origin, format!("the image `{}` is not known here", image.shown()));
                continue;
            };
            for tag in &metadata.tags.tags {
                let condition = condition.clone().and(enabled.clone()).and(tag.condition.clone()).assuming();
                self.publish(build, &to, &tag.tag, condition, &at(tag.line), &tag.source);
            }
        }
    }

    /// Publishes the tags of a metadata step that no step was seen to push.
    pub fn push_unused(&mut self, number: usize) {
        let Some(metadata) = self.metadata.get(number) else { return };
        if !metadata.tags.images.is_empty() {
            let origin = metadata.origin.clone();
            self.all
                .found
                .assume(&origin, "no step was seen to push these tags, and they are taken as pushed");
        }
        self.push_metadata(number, &BuildFacts::default(), &Condition::Always);
    }

    /// Adds a tag.
    pub fn publish(
        &mut self,
        build: &BuildFacts,
        to: &Address,
        tag: &SymbolicText,
        condition: Condition,
        origin: &Origin,
        source: &str,
    ) {
        if condition == Condition::Never || tag.known() == Some("") {
            return;
        }
        let mut tag = tag.clone();
        if let Some(unknown) = tag.first_unknown().map(str::to_owned) {
            match versioned(&tag, &self.scope) {
                Some(version) => {
                    self.all
                        .found
                        .assume(origin, format!("`{unknown}` is taken for the version of the git tag"));
                    tag = version;
                }
                None => {
                    let why =
                        format!("the tag `{}` depends on `{unknown}`, which is not known here", tag.shown());
                    return self.all.found.leave(origin, why);
                }
            }
        }
        self.all.found.publications.push(Publication {
            build: build.clone(),
            address: to.clone(),
            kind: self.scope.kind,
            tag,
            condition,
            origin: origin.clone(),
            source: source.to_owned(),
            moves: false,
        });
    }

    /// Publishes references, or the tags of metadata steps that stand in the text.
    pub fn push_references(
        &mut self,
        text: &SymbolicText,
        build: &BuildFacts,
        pushed: &Condition,
        origin: &Origin,
    ) {
        for piece in text.split(|c| matches!(c, ',' | '\n' | ' ' | '\t')) {
            if let Some(number) = self.metadata_of(&piece) {
                self.push_metadata(number, build, pushed);
                continue;
            }
            let (repository, tag) = split_reference(&piece);
            let project = self.scope.project;
            match address(&repository, project, origin, &mut self.all.found) {
                Some(to) => {
                    let condition = self.condition.clone().and(pushed.clone()).assuming();
                    self.publish(build, &to, &tag, condition, origin, &piece.shown());
                }
                None if pushed == &Condition::Never => {}
                None => {
                    self.all.found.leave(origin, format!("the image `{}` is not known here", piece.shown()));
                }
            }
        }
    }

    /// The metadata step whose output a text is.
    pub fn metadata_of(&self, text: &SymbolicText) -> Option<usize> {
        text.parts().iter().find_map(|part| match part {
            Part::Literal(known) => known.split('\u{1}').nth(1)?.parse().ok(),
            // `fromJSON(steps.meta.outputs.json).tags[0]`
            Part::Unknown(expression) => {
                let id = expression.split("steps.").nth(1)?.split('.').next()?.to_ascii_lowercase();
                self.metadata.iter().rposition(|it| it.id == id)
            }
            Part::Symbol(_) => None,
        })
    }

    /// Adds the repository of charts.
    pub fn push_chart(&mut self, repository: &SymbolicText, origin: &Origin) {
        let project = self.scope.project;
        match address(repository, project, origin, &mut self.all.found) {
            Some(to) => self.all.found.charts.push(ChartPublication { address: to, origin: origin.clone() }),
            None => self.all.found.leave(
                origin,
                format!("the repository `{}` of charts is not known here", repository.shown()),
            ),
        }
    }
}
