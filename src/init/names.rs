//! The names of images and charts. A name becomes that of a repository, so only the characters of repository names are used.

use std::collections::BTreeSet;

use super::project::{LeftOutFile, MOST, ProjectSurvey};
use oci_registry::RepositoryName;

/// A resource that is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProposedResource {
    /// Its name.
    pub name: String,
    /// The Dockerfile, or the directory of the chart.
    pub file: String,
}

/// Folders that say where Dockerfiles are kept, not what they build.
const PLACES: [&str; 14] = [
    "docker",
    ".docker",
    "dockerfiles",
    "dockerfile",
    "container",
    "containers",
    "containerfiles",
    "build",
    "deploy",
    "deployment",
    "images",
    "image",
    "packaging",
    "ci",
];

/// Endings of the names of Dockerfiles whose image is for development of the project itself.
const FOR_WORK: [&str; 10] =
    ["dev", "development", "devcontainer", "test", "tests", "testing", "ci", "local", "debug", "example"];

/// Folders whose contents are not published.
const ASIDE: [&str; 12] = [
    "test",
    "tests",
    "testdata",
    "fixtures",
    "examples",
    "example",
    "samples",
    "vendor",
    "node_modules",
    ".devcontainer",
    "third_party",
    "target",
];

/// The folder in the path of `file` whose contents are not published, if any.
pub(super) fn aside(file: &str) -> Option<&str> {
    let (folders, _) = file.rsplit_once('/')?;
    folders.split('/').find(|folder| ASIDE.contains(&folder.to_ascii_lowercase().as_str()))
}

/// The name that a Dockerfile's file name gives: `agent` for `Dockerfile.agent` and `agent.Dockerfile`. Empty for `Dockerfile`,
/// whose folder gives the name. `None` if the file is not a Dockerfile.
pub(super) fn called_for(file_name: &str) -> Option<&str> {
    for word in ["Dockerfile", "Containerfile", "dockerfile", "containerfile"] {
        if file_name == word {
            return Some("");
        }
        let named = file_name.strip_prefix(word).and_then(|rest| rest.strip_prefix('.'));
        let named = named.or_else(|| file_name.strip_suffix(word).and_then(|rest| rest.strip_suffix('.')));
        if let Some(named) = named.filter(|it| {
            !it.is_empty()
                && !matches!(*it, "dockerignore" | "containerignore" | "md" | "j2" | "tmpl" | "txt")
        }) {
            return Some(named);
        }
    }
    None
}

/// The images of the Dockerfiles. Adds the Dockerfiles that are not declared to `left_out`. If projects have `shared` names in
/// a registry, the names begin with the project's.
pub(super) fn images(
    found: &ProjectSurvey,
    shared: bool,
    left_out: &mut Vec<LeftOutFile>,
) -> Vec<ProposedResource> {
    let project = slug(&found.project);
    let mut images: Vec<ProposedResource> = Vec::new();
    let mut taken = BTreeSet::new();
    for file in &found.dockerfiles {
        let mut leave = |why: String| left_out.push(LeftOutFile { file: file.clone(), why });
        let (folder, file_name) = file.rsplit_once('/').unwrap_or(("", file));
        let Some(named) = called_for(file_name) else { continue };
        let named = Some(named).filter(|it| !it.is_empty());
        if let Some(folder) = aside(file) {
            leave(format!("the folder `{folder}` does not seem to hold anything to publish"));
            continue;
        }
        let bare = named.unwrap_or_default().rsplit(['.', '-', '_']).next().unwrap_or_default();
        if FOR_WORK.contains(&bare.to_ascii_lowercase().as_str()) {
            leave(format!("an image called `{bare}` seems to be for development"));
            continue;
        }
        let telling = folder
            .rsplit('/')
            .find(|part| !part.is_empty() && !PLACES.contains(&part.to_ascii_lowercase().as_str()));
        let own = named.or(telling).map(slug);
        let name = match (own, &project) {
            (None, Some(project)) => Some(project.clone()),
            (None, None) => Some("app".to_owned()),
            (Some(None), _) => None,
            (Some(Some(own)), Some(project)) if shared && !begins(&own, project) => {
                Some(format!("{project}-{own}"))
            }
            (Some(own), _) => own,
        };
        // The path of the folder distinguishes two images with the same name.
        let longer = || slug(&format!("{}-{}", folder.replace('/', "-"), named.unwrap_or_default()));
        let name = name.and_then(|name| {
            if taken.contains(&name) { longer().filter(|it| !taken.contains(it)) } else { Some(name) }
        });
        match name.filter(|name| is_repository(name)) {
            None => leave("no free repository name can be made from it".to_owned()),
            Some(_) if images.len() >= MOST => leave(format!("{MOST} images are declared already")),
            Some(name) => {
                taken.insert(name.clone());
                images.push(ProposedResource { name, file: file.clone() });
            }
        }
    }
    images
}

/// The charts. Adds those that are not declared to `left_out`. The name of a chart is that of its repository.
pub(super) fn charts(found: &ProjectSurvey, left_out: &mut Vec<LeftOutFile>) -> Vec<ProposedResource> {
    let mut charts: Vec<ProposedResource> = Vec::new();
    for chart in &found.charts {
        let mut leave = |why: String| left_out.push(LeftOutFile { file: chart.directory.clone(), why });
        if let Some(folder) = aside(&format!("{}/Chart.yaml", chart.directory)) {
            leave(format!("the folder `{folder}` does not seem to hold anything to publish"));
        } else if !is_repository(&chart.name) || chart.name.contains('/') {
            leave(format!("a repository cannot be called `{}`", chart.name));
        } else if let Some(other) = charts.iter().find(|other| other.name == chart.name) {
            leave(format!("the chart in `{}` has the same name", other.file));
        } else if charts.len() >= MOST {
            leave(format!("{MOST} charts are declared already"));
        } else {
            charts.push(ProposedResource { name: chart.name.clone(), file: chart.directory.clone() });
        }
    }
    charts
}

/// Whether `name` is the project's name or begins with it.
fn begins(name: &str, project: &str) -> bool {
    name.strip_prefix(project).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
}

fn is_repository(name: &str) -> bool {
    name.parse::<RepositoryName>().is_ok()
}

/// Converts `text` to one part of a repository's name (distribution-spec, "Pulling manifests"), in lower case and with dashes;
/// at most 100 characters. `None` if nothing is left of it.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for character in text.chars().take(100) {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if matches!(character, '.' | '_' | '-' | ' ' | '/')
            && !slug.is_empty()
            && !slug.ends_with(['-', '.', '_'])
        {
            slug.push(if matches!(character, '.' | '_') { character } else { '-' });
        } else if !character.is_ascii() || character.is_ascii_control() {
            // Dropping a character that a name cannot contain could make two names equal.
            return None;
        }
    }
    slug.truncate(slug.trim_end_matches(['-', '.', '_']).len());
    (!slug.is_empty()).then_some(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(project: &str, shared: bool, files: &[&str]) -> (Vec<(String, String)>, Vec<String>) {
        let dockerfiles = files.iter().map(|&file| file.to_owned()).collect();
        let found = ProjectSurvey { project: project.to_owned(), dockerfiles, ..ProjectSurvey::default() };
        let mut left_out = Vec::new();
        let images = images(&found, shared, &mut left_out);
        let images = images.into_iter().map(|image| (image.file, image.name)).collect();
        (images, left_out.into_iter().map(|it| it.file).collect())
    }

    #[test]
    fn images_are_called_by_what_their_dockerfiles_say() {
        for (file, name, shared) in [
            ("Dockerfile", "brokkr", "brokkr"),
            ("Containerfile", "brokkr", "brokkr"),
            ("docker/Dockerfile", "brokkr", "brokkr"),
            ("docker/Dockerfile.broker", "broker", "brokkr-broker"),
            ("agent.Dockerfile", "agent", "brokkr-agent"),
            ("Containerfile.agent", "agent", "brokkr-agent"),
            ("services/Web UI/Dockerfile", "web-ui", "brokkr-web-ui"),
            ("crates/brokkr-broker/Dockerfile", "brokkr-broker", "brokkr-broker"),
            ("crates/agent/docker/Dockerfile", "agent", "brokkr-agent"),
            ("Dockerfile.brokkr", "brokkr", "brokkr"),
            ("Dockerfile.brokkrx", "brokkrx", "brokkr-brokkrx"),
        ] {
            for (is_shared, expected) in [(false, name), (true, shared)] {
                let (images, left_out) = named("Brokkr", is_shared, &[file]);
                assert_eq!(images, [(file.to_owned(), expected.to_owned())], "{left_out:?}");
            }
        }
    }

    #[test]
    fn files_that_are_no_image_of_the_project_are_left_out_with_a_reason() {
        for file in [
            "Dockerfile.dev",
            "ci.Dockerfile",
            "docker/Dockerfile.broker-test",
            "tests/Dockerfile",
            "examples/web/Dockerfile",
            ".devcontainer/Dockerfile",
            "Dockerfile.\u{1b}[2J",
            "Dockerfile.größe",
            "Dockerfile.\n",
            "Dockerfile.---",
        ] {
            let (images, left_out) = named("brokkr", true, &[file]);
            assert_eq!((images, left_out), (Vec::new(), vec![file.to_owned()]));
        }
        for file in ["Dockerfile.dockerignore", "MyDockerfile", "dockerfile.md", "Dockerfile."] {
            assert_eq!(named("brokkr", true, &[file]), (Vec::new(), Vec::new()), "{file}");
        }
    }

    #[test]
    fn images_of_one_name_are_distinguished_by_their_folders() {
        let (images, left_out) =
            named("x", false, &["a/web/Dockerfile", "b/web/Dockerfile", "b/web/Containerfile"]);
        assert_eq!(images.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["web", "b-web"]);
        assert_eq!(left_out, ["b/web/Containerfile"]);
    }
}
