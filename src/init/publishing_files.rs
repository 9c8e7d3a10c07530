//! The names of files that publish, or that those run.

use super::names::aside;

/// Whether a file may publish something.
pub(super) fn is_publishing_file(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_yaml = matches!(ending, "yml" | "yaml");
    is_yaml && is_workflow(file)
        || is_action(file)
        || is_gitlab(file)
        || is_regsync(file)
        || is_goreleaser(file)
        || file == "package.json"
        || aside(file).is_none()
            && (is_bake(file) || is_yaml && is_compose(file) || is_script(file) || is_makefile(file))
}

/// Whether a file is an action of the repository.
pub(super) fn is_action(file: &str) -> bool {
    matches!(file.rsplit('/').next(), Some("action.yml" | "action.yaml"))
}

/// Whether a file is GitLab's.
pub(super) fn is_gitlab(file: &str) -> bool {
    matches!(file, ".gitlab-ci.yml" | ".gitlab-ci.yaml")
}

/// Whether a file is regsync's.
pub(super) fn is_regsync(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    matches!(name, "regsync.yml" | "regsync.yaml" | ".regsync.yml")
}

/// Whether a file is a bake file (docs.docker.com, "Bake file reference").
pub(super) fn is_bake(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.starts_with("docker-bake")
        && (name.strip_suffix(".hcl").or_else(|| name.strip_suffix(".json"))).is_some()
}

/// Whether a file is a shell script.
pub(super) fn is_script(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, ending)| ending == "sh")
}

/// Whether a file is a Makefile.
pub(super) fn is_makefile(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    matches!(name, "Makefile" | "makefile" | "GNUmakefile")
}

/// Whether a file is a workflow of GitHub, Gitea or Forgejo.
pub(super) fn is_workflow(file: &str) -> bool {
    [".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/"]
        .iter()
        .any(|folder| file.strip_prefix(folder).is_some_and(|rest| !rest.contains('/')))
}

/// Whether a file is a compose file.
pub(super) fn is_compose(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or_default();
    matches!(stem, "compose" | "docker-compose")
        || (stem.starts_with("docker-compose.") || stem.starts_with("compose."))
            && !stem.contains("dev")
            && !stem.contains("test")
}

/// Whether a file is goreleaser's.
pub(super) fn is_goreleaser(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or_default();
    // Files of other purposes, such as nightly builds, are named after them.
    matches!(stem, ".goreleaser" | "goreleaser") && !file.contains("testdata/")
}
