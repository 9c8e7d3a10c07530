//! The steps of a job: actions that tag and push images, and scripts.

use super::commands::run_commands;
use super::condition::Condition;
use super::expression::{self, boolean, interpolate};
use super::metadata_action::{ActionInputs, evaluate_step};
use super::publication::{BuildFacts, Origin, parse_address, platforms};
use super::scope::ScopeValue;
use super::shell::run_script;
use super::step_context::{GoreleaserRun, StepContext, set_env};
use super::symbolic::SymbolicText;
use super::yaml_file::FileNode;

/// How deep actions call actions.
const MAX_DEPTH: usize = 3;

/// Runs steps one after the other.
pub(super) fn run_steps(steps: Option<FileNode<'_>>, context: &mut StepContext<'_, '_>) {
    for step in steps.map(FileNode::items).unwrap_or_default() {
        let before = context.condition.clone();
        let wanted = step.get("if").and_then(FileNode::text);
        let mut wanted = wanted.map_or(Condition::Always, |it| expression::condition(it, &context.scope));
        if wanted.first_unknown().is_some() {
            wanted = wanted.assuming();
        }
        context.condition = before.clone().and(wanted);
        if context.condition != Condition::Never {
            context.step(step);
        }
        context.condition = before;
    }
}

impl StepContext<'_, '_> {
    fn origin(&self, node: FileNode<'_>) -> Origin {
        Origin::new(self.file, node.line())
    }

    fn step(&mut self, step: FileNode<'_>) {
        let id = step.get("id").and_then(FileNode::text).unwrap_or("-").to_ascii_lowercase();
        if let Some(script) = step.get("run") {
            let Some(text) = script.text() else { return };
            let line = script.lines().first().map_or(script.line(), |it| it.line);
            self.script(step, text, line, &id);
            return;
        }
        let Some(uses) = step.get("uses").and_then(FileNode::text) else { return };
        let name = uses.split('@').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "docker/metadata-action" | "crazy-max/ghaction-docker-meta" => self.metadata_step(step, &id),
            "docker/build-push-action" => self.build_push(step),
            "docker/bake-action" => self.bake(step),
            "goreleaser/goreleaser-action" => self.goreleaser(step),
            "redhat-actions/push-to-registry" => self.push_to_registry(step),
            "appany/helm-oci-chart-releaser" => self.chart_releaser(step),
            "helm/chart-releaser-action" | "stefanprodan/helm-gh-pages" => {
                let origin = self.origin(step);
                self.all
                    .found
                    .leave(&origin, format!("`{name}` publishes charts to a web page, which is no registry"));
            }
            "haya14busa/action-cond" => {
                let holds = input(step, "cond").map_or(Condition::Never, |it| boolean(it, &self.scope));
                let pick = if holds == Condition::Never { "if_false" } else { "if_true" };
                let value = input(step, pick).map(|it| interpolate(it, &self.scope)).unwrap_or_default();
                self.scope.set(&format!("steps.{id}.outputs.value"), value);
            }
            _ if name.starts_with("./") => self.local_action(step, &name),
            _ if name.contains("docker") && (name.contains("push") || name.contains("publish"))
                || name.contains("kaniko") =>
            {
                let origin = self.origin(step);
                self.all.found.leave(&origin, format!("the action `{name}` is not known to `init`"));
            }
            _ => {}
        }
    }

    fn script(&mut self, step: FileNode<'_>, text: &str, line: usize, id: &str) {
        let outer = self.scope.clone();
        set_env(step, &mut self.scope);
        let markers = self.markers();
        let uses_metadata = text.contains("DOCKER_METADATA_OUTPUT");
        let commands = run_script(text, line, id, &mut self.scope);
        if uses_metadata {
            // The tags are read with jq from the variable that the action sets.
            if [
                "imagetools create",
                "docker push",
                "docker buildx bake",
                "skopeo",
                "crane",
                "podman",
                "buildah",
            ]
            .iter()
            .any(|it| text.contains(it))
                && let Some(last) = markers.last()
            {
                self.push_metadata(*last, &BuildFacts::default(), &Condition::Always);
            }
        }
        run_commands(&commands, self);
        let kept = std::mem::replace(&mut self.scope, outer);
        for (name, value) in kept.values {
            if name.starts_with("steps.")
                || name.starts_with("env.") && step.at(&["env", &name["env.".len()..]]).is_none()
            {
                self.scope.values.insert(name, value);
            }
        }
    }

    /// The metadata steps that this job has seen.
    fn markers(&self) -> Vec<usize> {
        (0..self.metadata.len()).collect()
    }

    /// A step of docker/metadata-action.
    fn metadata_step(&mut self, step: FileNode<'_>, id: &str) {
        let outer = self.scope.clone();
        set_env(step, &mut self.scope);
        let lines = |key: &str| step.at(&["with", key]).map(FileNode::lines).unwrap_or_default();
        let inputs = ActionInputs { images: lines("images"), tags: lines("tags"), flavor: lines("flavor") };
        let tags = evaluate_step(&inputs, &self.scope);
        self.scope = outer;
        self.add_metadata(id, tags, self.origin(step));
        for key in ["labels", "annotations"] {
            for line in lines(key) {
                if let Some((name, value)) = line.text.split_once('=') {
                    let value = interpolate(value.trim().trim_matches('"'), &self.scope);
                    let origin = Origin::new(self.file, line.line);
                    if let Some(value) = value.template(&self.scope.project.tags) {
                        self.all.found.labels.push((name.trim().to_owned(), value, origin));
                    }
                }
            }
        }
    }

    fn build_facts(&self, step: FileNode<'_>) -> BuildFacts {
        let text = |key: &str| {
            input(step, key).map(|it| interpolate(it, &self.scope)).filter(|it| it.known() != Some(""))
        };
        let known = |key: &str| text(key).and_then(|it| it.known().map(|it| it.trim().to_owned()));
        let context = known("context").unwrap_or_default();
        let context = context.trim_start_matches("./").trim_end_matches('/').to_owned();
        let in_context =
            if context.is_empty() || context == "." || context.contains("://") || context.starts_with("{{") {
                "Dockerfile".to_owned()
            } else {
                format!("{context}/Dockerfile")
            };
        let dockerfile = known("file").map_or(in_context, |it| it.trim_start_matches("./").to_owned());
        let mut variant: Vec<String> = known("target").into_iter().collect();
        for key in ["build-args", "build-contexts"] {
            let lines = step.at(&["with", key]).map(FileNode::lines).unwrap_or_default();
            let differing = lines.into_iter().filter(|line| line.text.contains("matrix."));
            variant.extend(differing.map(|line| interpolate(&line.text, &self.scope).shown()));
        }
        let platforms = text("platforms").map(|it| platforms(&it)).unwrap_or_default();
        BuildFacts { dockerfile: Some(dockerfile), variant: variant.join(" "), platforms }
    }

    fn build_push(&mut self, step: FileNode<'_>) {
        let build = self.build_facts(step);
        let outputs = input(step, "outputs").map(|it| interpolate(it, &self.scope));
        let shown = outputs.as_ref().map(SymbolicText::shown).unwrap_or_default();
        let mut pushed = match input(step, "push") {
            Some(push) => boolean(push, &self.scope),
            None if shown.contains("push=true") || shown.contains("type=registry") => Condition::Always,
            None if outputs.as_ref().is_some_and(|it| it.first_unknown().is_some()) => Condition::Always,
            None => Condition::Never,
        };
        if pushed == Condition::Never && shown.contains("push=") && !shown.contains("push=false") {
            pushed = Condition::Always;
        }
        if let Some(unknown) = pushed.first_unknown() {
            let origin = self.origin(step);
            self.all.found.assume(&origin, format!("the condition `{unknown}` of the push is taken as true"));
            pushed = pushed.assuming();
        }
        if shown.contains("push-by-digest=true") {
            // The platforms of one repository, pushed by digest. Another job makes the tags.
            let name = shown.split(',').find_map(|it| it.trim().trim_matches('"').strip_prefix("name="));
            let images: Vec<SymbolicText> = name.map(SymbolicText::literal).into_iter().collect();
            for image in images {
                if let Some(to) = image.known().and_then(|it| parse_address(it.trim_matches('"'))) {
                    self.all.found.builds.push((to, build.clone()));
                }
            }
            return;
        }
        let Some(tags) = step.at(&["with", "tags"]) else { return };
        for line in tags.lines() {
            let text = interpolate(&line.text, &self.scope);
            self.push_references(&text, &build, &pushed, &Origin::new(self.file, line.line));
        }
    }

    fn bake(&mut self, step: FileNode<'_>) {
        let mut pushed = input(step, "push").map_or(Condition::Never, |it| boolean(it, &self.scope));
        let set = input(step, "set").map(|it| interpolate(it, &self.scope).shown()).unwrap_or_default();
        if set.contains("type=registry") || set.contains("push=true") {
            pushed = Condition::Always;
        }
        let outer = self.scope.clone();
        set_env(step, &mut self.scope);
        let files = step.at(&["with", "files"]).map(FileNode::lines).unwrap_or_default();
        let files: Vec<SymbolicText> =
            files.iter().map(|line| interpolate(&line.text, &self.scope)).collect();
        let metadata: Vec<usize> = files.iter().filter_map(|it| self.metadata_of(it)).collect();
        let named: Vec<String> = files
            .iter()
            .filter_map(|it| it.known())
            .filter(|it| !it.contains('\u{1}'))
            .map(|it| it.trim_start_matches("cwd://").trim_start_matches("./").to_owned())
            .collect();
        let targets =
            input(step, "targets").map(|it| interpolate(it, &self.scope).shown()).unwrap_or_default();
        let targets: Vec<String> =
            targets.split([',', '\n', ' ']).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        let origin = self.origin(step);
        super::bake::publish(&named, &targets, &pushed.clone().assuming(), &origin, &metadata, self);
        self.scope = outer;
    }

    fn goreleaser(&mut self, step: FileNode<'_>) {
        let arguments =
            input(step, "args").map(|it| interpolate(it, &self.scope).shown()).unwrap_or_default();
        let is_release = arguments.split_whitespace().any(|it| it == "release")
            && !["--snapshot", "--skip=publish", "--skip-publish"].iter().any(|it| arguments.contains(it));
        if is_release {
            let run = GoreleaserRun { kind: self.scope.kind, condition: self.condition.clone() };
            self.all.goreleaser.push(run);
        }
    }

    fn push_to_registry(&mut self, step: FileNode<'_>) {
        let text = |key: &str| input(step, key).map(|it| interpolate(it, &self.scope)).unwrap_or_default();
        let (image, tags, registry) = (text("image"), text("tags"), text("registry"));
        let origin = self.origin(step);
        for tag in tags.split(char::is_whitespace) {
            let is_whole = tag.shown().contains(':');
            let whole = if is_whole {
                tag
            } else {
                registry
                    .then(&SymbolicText::literal("/"))
                    .then(&image)
                    .then(&SymbolicText::literal(":"))
                    .then(&tag)
            };
            self.push_references(&whole, &BuildFacts::default(), &Condition::Always, &origin);
        }
    }

    fn chart_releaser(&mut self, step: FileNode<'_>) {
        let text = |key: &str| input(step, key).map(|it| interpolate(it, &self.scope)).unwrap_or_default();
        let whole = text("registry").then(&SymbolicText::literal("/")).then(&text("repository"));
        let origin = self.origin(step);
        self.push_chart(&whole, &origin);
    }

    /// Runs the steps of an action in the repository.
    fn local_action(&mut self, step: FileNode<'_>, name: &str) {
        let folder = name.trim_start_matches("./").trim_end_matches('/').to_owned();
        let is_action = |file: &str| {
            let file = file.to_ascii_lowercase();
            file == format!("{folder}/action.yml") || file == format!("{folder}/action.yaml")
        };
        let Some(action) = self.files.iter().find(|file| is_action(&file.file)) else { return };
        let Some(root) = action.root().filter(|_| self.depth < MAX_DEPTH) else { return };
        let mut scope = self.scope.clone();
        scope.values.retain(|name, _| !name.starts_with("inputs."));
        for (name, input) in root.get("inputs").map(FileNode::entries).unwrap_or_default() {
            let given = step.at(&["with", name]).and_then(FileNode::text);
            let value = match given {
                Some(given) => interpolate(given, &self.scope),
                None => {
                    SymbolicText::literal(input.get("default").and_then(FileNode::text).unwrap_or_default())
                }
            };
            scope.set(&format!("inputs.{name}"), value);
        }
        let mut inside = StepContext {
            file: &action.file,
            files: self.files,
            scope,
            condition: self.condition.clone(),
            metadata: self.metadata,
            all: self.all,
            depth: self.depth + 1,
        };
        run_steps(root.at(&["runs", "steps"]), &mut inside);
        let inner = inside.scope;
        let id = step.get("id").and_then(FileNode::text).unwrap_or("-").to_ascii_lowercase();
        for (name, output) in root.get("outputs").map(FileNode::entries).unwrap_or_default() {
            let value = output.get("value").and_then(FileNode::text).map(|it| interpolate(it, &inner));
            self.scope.values.insert(
                format!("steps.{id}.outputs.{}", name.to_ascii_lowercase()),
                ScopeValue::Text(value.unwrap_or_default()),
            );
        }
    }

    /// A job that calls docker/github-builder, whose inputs are those of metadata-action and build-push-action.
    fn builder_job(&mut self, job: FileNode<'_>) {
        let uses = job.get("uses").and_then(FileNode::text).unwrap_or_default();
        if !uses.starts_with("docker/github-builder") {
            return;
        }
        let lines = |key: &str| job.at(&["with", key]).map(FileNode::lines).unwrap_or_default();
        let inputs = ActionInputs {
            images: lines("meta-images"),
            tags: lines("meta-tags"),
            flavor: lines("meta-flavor"),
        };
        let tags = evaluate_step(&inputs, &self.scope);
        let origin = self.origin(job);
        self.add_metadata("-", tags, origin);
        let pushed = input(job, "push").map_or(Condition::Never, |it| boolean(it, &self.scope)).assuming();
        let build = self.build_facts(job);
        self.push_metadata(self.metadata.len() - 1, &build, &pushed);
    }
}

/// Takes the job if it calls docker/github-builder.
pub(super) fn called_builder(job: FileNode<'_>, context: &mut StepContext<'_, '_>) {
    context.builder_job(job);
}

/// The text of an input of a step.
fn input<'d>(step: FileNode<'d>, key: &str) -> Option<&'d str> {
    step.at(&["with", key]).and_then(FileNode::text)
}
