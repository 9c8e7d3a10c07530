//! A workflow of GitHub Actions, limited to the features that the guides use: jobs with steps, read by their indentation, and the
//! data that GitHub sets for an event. Anything unknown is an error, so that no part of a guide is ignored.

use std::fs;
use std::path::Path;

use serde_json::json;

use testkit::command::Folder;
use testkit::docker_registry::run;

pub struct Workflow {
    pub jobs: Vec<Job>,
}

pub struct Job {
    pub name: String,
    pub steps: Vec<WorkflowStep>,
}

pub enum WorkflowStep {
    /// Checks out a branch, or the commit of the event.
    Checkout(Option<String>),
    /// Stores paths under a name.
    Upload(String, Vec<String>),
    /// Downloads the artifact of a name, from this workflow or another, to a folder.
    Download(String, String),
    /// Downloads each artifact whose name has this prefix, each to a folder of its name in this one.
    DownloadAll(String, String),
    Run(String),
}

impl Workflow {
    /// Reads the jobs: names are indented by two spaces, steps by six.
    pub fn parse(text: &str, place: &str) -> Self {
        let mut lines = text.lines().skip_while(|line| *line != "jobs:").skip(1).peekable();
        let mut jobs: Vec<Job> = Vec::new();
        // The entries of `strategy.matrix.include`, for each job.
        let mut matrices: Vec<Vec<Vec<(String, String)>>> = Vec::new();
        while let Some(line) = lines.next() {
            let bare = line.trim_start();
            let depth = line.len() - bare.len();
            if depth == 2 && !bare.starts_with('#') {
                jobs.push(Job { name: bare.trim_end_matches(':').to_owned(), steps: Vec::new() });
                matrices.push(Vec::new());
            }
            if let (10 | 12, Some((key, value))) = (depth, bare.trim_start_matches("- ").split_once(": ")) {
                let matrix = matrices.last_mut().expect("a job");
                if bare.starts_with("- ") {
                    matrix.push(Vec::new());
                }
                let entry =
                    matrix.last_mut().unwrap_or_else(|| panic!("{place}: where does `{bare}` belong?"));
                entry.push((format!("${{{{ matrix.{key} }}}}"), value.to_owned()));
            }
            let Some(step) = bare.strip_prefix("- ").filter(|_| depth == 6) else {
                let known = [
                    "if:",
                    "outputs:",
                    "runs-on:",
                    "needs:",
                    "environment:",
                    "permissions:",
                    "strategy:",
                    "steps:",
                ];
                let passed = depth == 2 || bare.is_empty() || depth > 4;
                assert!(
                    passed || known.iter().any(|key| bare.starts_with(key)),
                    "{place}: how is `{bare}` run?"
                );
                continue;
            };
            let mut more = Vec::new();
            while let Some(next) = lines.next_if(|line| line.starts_with("        ")) {
                more.push(next.trim().to_owned());
            }
            let steps = &mut jobs.last_mut().expect("a job").steps;
            if step == "run: |" {
                steps.push(WorkflowStep::Run(more.join("\n")));
            } else if let Some(command) = step.strip_prefix("run: ") {
                assert!(more.is_empty(), "{place}: how is `{more:?}` run?");
                steps.push(WorkflowStep::Run(command.to_owned()));
            } else if let Some(action) = step.strip_prefix("uses: ") {
                match action.split('@').next().unwrap_or_default() {
                    "actions/checkout" => {
                        let of = more.iter().find_map(|line| line.strip_prefix("ref: "));
                        let branch = of.filter(|of| *of != "${{ github.event.pull_request.head.sha }}");
                        steps.push(WorkflowStep::Checkout(branch.map(str::to_owned)));
                    }
                    "actions/upload-artifact" => {
                        let at = more.iter().position(|line| line.starts_with("path:")).expect("a path");
                        let listed = match more[at].trim_start_matches("path:").trim() {
                            "|" => more[at + 1..].to_vec(),
                            one => vec![one.to_owned()],
                        };
                        steps.push(WorkflowStep::Upload(name_in(&more), listed));
                    }
                    "actions/download-artifact" => {
                        let value = |key: &str| {
                            more.iter().find_map(|line| line.strip_prefix(key)).map(str::to_owned)
                        };
                        steps.push(match value("pattern: ") {
                            Some(pattern) => {
                                let start = pattern.strip_suffix('*').expect("a pattern that ends in `*`");
                                WorkflowStep::DownloadAll(start.to_owned(), value("path: ").expect("a path"))
                            }
                            None => {
                                WorkflowStep::Download(name_in(&more), value("path: ").unwrap_or_default())
                            }
                        });
                    }
                    "colliery-io/brokkr-publish" => {
                        let command = more.iter().find_map(|line| line.strip_prefix("command: "));
                        let command = command.unwrap_or_else(|| panic!("{place}: a command for the action"));
                        // The digest of the plan goes from job to job as an output.
                        let digest = "\"sha256:$(sha256sum release.tar | cut -d ' ' -f 1)\"";
                        let command = command.replace("${{ needs.plan.outputs.digest }}", digest);
                        assert!(!command.contains("${{"), "{place}: how is `{command}` run?");
                        steps.push(WorkflowStep::Run(format!("brokkr-publish {command}")));
                    }
                    "docker/setup-qemu-action" | "docker/setup-buildx-action" | "docker/login-action" => {}
                    other => panic!("{place}: how is `{other}` run?"),
                }
            } else {
                panic!("{place}: how is `{step}` run?");
            }
        }
        assert!(jobs.iter().all(|job| !job.steps.is_empty()), "{place}: a job without steps");
        let jobs = jobs.into_iter().zip(matrices);
        Self { jobs: jobs.flat_map(|(job, matrix)| job.times(&matrix)).collect() }
    }
}

impl Job {
    /// Repeats the job for each entry of its matrix.
    fn times(self, matrix: &[Vec<(String, String)>]) -> Vec<Self> {
        if matrix.is_empty() {
            return vec![self];
        }
        let of = |entry: &Vec<(String, String)>| {
            let fill = |text: &String| {
                entry.iter().fold(text.clone(), |text, (key, value)| text.replace(key, value))
            };
            let steps = self.steps.iter().map(|step| match step {
                WorkflowStep::Checkout(branch) => WorkflowStep::Checkout(branch.as_ref().map(fill)),
                WorkflowStep::Upload(name, paths) => {
                    WorkflowStep::Upload(fill(name), paths.iter().map(fill).collect())
                }
                WorkflowStep::Download(name, path) => WorkflowStep::Download(fill(name), fill(path)),
                WorkflowStep::DownloadAll(start, path) => WorkflowStep::DownloadAll(fill(start), fill(path)),
                WorkflowStep::Run(script) => WorkflowStep::Run(fill(script)),
            });
            Self { name: format!("{} {:?}", self.name, entry), steps: steps.collect() }
        };
        matrix.iter().map(of).collect()
    }
}

/// The name of an artifact: `name: NAME`, with or without braces.
fn name_in(lines: &[String]) -> String {
    let name = lines.iter().find_map(|line| line.split_once("name: ")).expect("the artifact's name").1;
    match name.split_once("${{") {
        // The value is set for each job of a matrix.
        Some(_) => name.to_owned(),
        None => name.split([' ', ',', '}']).next().unwrap_or_default().to_owned(),
    }
}

/// The event as a job sees it: `push REF`, `pull_request NUMBER ACTION` (of the current branch), `schedule`.
pub fn variables(event: &[String], folder: &Folder) -> Vec<(String, String)> {
    let words: Vec<&str> = event.iter().map(String::as_str).collect();
    let (reference, payload) = match words.as_slice() {
        ["push", reference] => ((*reference).to_owned(), json!({})),
        ["schedule" | "workflow_dispatch"] => ("refs/heads/main".to_owned(), json!({})),
        ["pull_request", number, action] => {
            let head = json!({ "sha": folder.git(&["rev-parse", "HEAD"]), "ref": branch(folder) });
            let number: u64 = number.parse().expect("a number");
            let pull_request = json!({ "number": number, "head": head });
            let payload = json!({ "action": action, "number": number, "pull_request": pull_request });
            (format!("refs/pull/{number}/merge"), payload)
        }
        other => panic!("no event: {other:?}"),
    };
    let path = folder.home().join("event.json");
    let mut payload = payload;
    payload["repository"] = json!({ "default_branch": "main" });
    fs::write(&path, payload.to_string()).unwrap();
    let mut variables = vec![
        ("CI".to_owned(), "true".to_owned()),
        ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
        ("GITHUB_STEP_SUMMARY".to_owned(), folder.home().join("summary").to_str().unwrap().to_owned()),
        ("GITHUB_EVENT_NAME".to_owned(), words[0].to_owned()),
        ("GITHUB_EVENT_PATH".to_owned(), path.to_str().unwrap().to_owned()),
        ("GITHUB_SHA".to_owned(), folder.git(&["rev-parse", commit_of(&reference)])),
        ("GITHUB_REF".to_owned(), reference),
    ];
    let reference = variables[variables.len() - 1].1.clone();
    let parts: Vec<&str> = reference.splitn(3, '/').collect();
    variables.push(("GITHUB_REF_NAME".to_owned(), parts[2].to_owned()));
    let kind = if parts[1] == "tags" { "tag" } else { "branch" };
    variables.push(("GITHUB_REF_TYPE".to_owned(), kind.to_owned()));
    if words[0] == "pull_request" {
        variables.push(("GITHUB_HEAD_REF".to_owned(), branch(folder)));
    }
    variables
}

fn branch(folder: &Folder) -> String {
    folder.git(&["branch", "--show-current"])
}

/// The commit that `actions/checkout` checks out; the test makes no merge commit, and uses the head of the pull request instead.
fn commit_of(reference: &str) -> &str {
    if reference.starts_with("refs/pull/") { "HEAD" } else { reference }
}

/// Makes a fresh clone in the state that `actions/checkout` leaves: no branch, the commit of the event.
pub fn check_out(folder: &Folder, place: &Path, event: &[String], branch: Option<&str>) {
    let reference = match (branch, event.first().map(String::as_str)) {
        (Some(branch), _) => branch,
        (None, Some("push")) => event[1].as_str(),
        (None, Some("schedule" | "workflow_dispatch")) => "refs/heads/main",
        _ => "HEAD",
    };
    let commit = folder.git(&["rev-parse", reference]);
    let place = place.to_str().unwrap();
    folder.git(&["clone", "--quiet", "--no-checkout", ".", place]);
    folder.git(&["-C", place, "checkout", "--quiet", "--detach", &commit]);
}

/// Stores these paths of a folder: the content of the folder if it is the only path, otherwise each by its path, as
/// `actions/upload-artifact` does.
pub fn upload(paths: &[String], from: &Path, to: &Path) {
    match paths {
        [one] if from.join(one).is_dir() => copy(&[String::new()], &from.join(one), to),
        paths => copy(paths, from, to),
    }
}

/// Copies every artifact whose name begins with `start` to a folder of its name.
pub fn download_all(start: &str, artifacts: &Path, to: &Path) {
    let mut count = 0;
    for entry in fs::read_dir(artifacts).expect("artifacts").flatten() {
        let name = entry.file_name().into_string().expect("text");
        if name.starts_with(start) {
            copy(&[String::new()], &entry.path(), &to.join(name));
            count += 1;
        }
    }
    assert!(count > 0, "no artifact begins with `{start}`");
}

/// Copies these paths of a folder to the same paths of another.
pub fn copy(paths: &[String], from: &Path, to: &Path) {
    for path in paths {
        let (source, target) = (from.join(path), to.join(path));
        assert!(source.exists(), "the artifact `{path}` is not there");
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        run(std::process::Command::new("cp").args(["-r", "-T"]).arg(source).arg(target));
    }
}

/// Whether a command that should change something reports a change: a job in the wrong context accepts that nothing changes.
pub fn has_done(output: &str) -> bool {
    ["Applied: ", "Rolled back: ", "Pruned: "].iter().any(|it| output.contains(&format!("\n{it}")))
}
