//! The tags of a context in the formats that build tools and CIs take: outputs of a step of GitHub Actions, a file of docker buildx
//! bake, variables of a shell and of GitLab, arguments of docker. None of them has forward tags to push, unless they were asked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::clean;
use super::tags::{ResourceEntry, Tags, name};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::words::shell_word;
use crate::model::{ResourceId, ResourceKind};

impl Tags {
    /// Returns lines for `$GITHUB_OUTPUT`: `json`, and for each image `NAME-version`, `NAME-tags` and `NAME-references`, which are
    /// separated by commas, `NAME-candidates` (forward tags), and `NAME-labels` and `NAME-annotations` with a line for each. Charts
    /// and artifacts have the same outputs with `charts-NAME` and `artifacts-NAME`.
    ///
    /// # Errors
    ///
    /// If the outputs of two resources would have the same names: GitHub keeps the last one, and ignores the case of names.
    pub fn github(&self) -> Result<String, Diagnostic> {
        self.distinct(|id| name(id, '-').to_ascii_lowercase(), |id| format!("{}-version", name(id, '-')))?;
        let mut text = clean::json(&format!("json={}\n", self.value()));
        for (id, resource) in &self.resources {
            let name = name(id, '-');
            let tags: Vec<&str> = resource.tags.iter().map(|entry| entry.tag.as_str()).collect();
            let version = resource.version.as_deref().unwrap_or_default();
            text.push_str(&format!("{name}-version={version}\n{name}-tags={}\n", tags.join(",")));
            text.push_str(&format!("{name}-references={}\n", resource.references.join(",")));
            text.push_str(&format!("{name}-candidates={}\n", resource.candidates.join(",")));
            text.push_str(&lines_of_output(&format!("{name}-labels"), &labels(resource)));
            text.push_str(&lines_of_output(&format!("{name}-annotations"), &annotations(resource)));
        }
        Ok(text)
    }

    /// Returns a file for `docker buildx bake -f FILE`, in JSON, with a target for each image. A target of the same name in another
    /// file is merged with it, and any other target may inherit it.
    ///
    /// # Errors
    ///
    /// If two images would have the same target.
    pub fn bake(&self) -> Result<String, Diagnostic> {
        self.distinct(target, target)?;
        let targets: Map<String, Value> = self
            .images()
            .map(|(id, resource)| {
                let texts = |texts: &[String]| texts.iter().map(|it| literal(it)).collect::<Vec<_>>();
                let labels: BTreeMap<&String, String> =
                    resource.labels.iter().map(|(key, value)| (key, literal(value))).collect();
                let value = json!({
                    "tags": texts(&pushable(resource)),
                    "labels": labels,
                    "annotations": texts(&annotations(resource)),
                });
                (target(id), value)
            })
            .collect();
        Ok(clean::json(&format!("{:#}\n", json!({ "target": targets }))))
    }

    /// Returns lines `NAME_VERSION=…`, `NAME_TAGS=…`, `NAME_REFERENCES=…` and `NAME_CANDIDATES=…`, separated by commas, for a shell
    /// and for files of variables.
    ///
    /// # Errors
    ///
    /// If the variables of two resources would have the same names.
    pub fn env(&self) -> Result<String, Diagnostic> {
        self.distinct(variable, |id| format!("{}_VERSION", variable(id)))?;
        let mut text = String::new();
        for (id, resource) in &self.resources {
            let name = variable(id);
            let tags: Vec<&str> = resource.tags.iter().map(|entry| entry.tag.as_str()).collect();
            let version = resource.version.as_deref().unwrap_or_default();
            for (key, value) in [
                ("VERSION", version.to_owned()),
                ("TAGS", tags.join(",")),
                ("REFERENCES", resource.references.join(",")),
                ("CANDIDATES", resource.candidates.join(",")),
            ] {
                text.push_str(&format!("{name}_{key}={value}\n"));
            }
        }
        Ok(text)
    }

    /// Returns the variables of [`Tags::env`] as GitLab's `artifacts:reports:dotenv` takes them: without those that are empty,
    /// because GitLab refuses more than a few dozen.
    ///
    /// # Errors
    ///
    /// If the variables of two resources would have the same names, or the file would be larger than GitLab takes.
    pub fn gitlab_dotenv(&self) -> Result<String, Diagnostic> {
        /// docs.gitlab.com, "CI/CD artifacts reports types", `artifacts:reports:dotenv`: the maximum size of the file is 5 KB.
        const MAX_SIZE: usize = 5 * 1024;
        let text: String =
            self.env()?.lines().filter(|line| !line.ends_with('=')).flat_map(|line| [line, "\n"]).collect();
        if text.len() > MAX_SIZE {
            let message = format!("the variables have {} bytes, and GitLab takes at most 5 KB", text.len());
            return Err(Diagnostic::error(Code::CommandUsage, message)
                .help("choose a part of them with `--target`, or use `--format json` and a file"));
        }
        Ok(text)
    }

    /// Returns the arguments of `docker buildx build` for one image, on one line, quoted for a shell.
    ///
    /// # Errors
    ///
    /// If there is not exactly one image.
    pub fn docker_args(&self) -> Result<String, Diagnostic> {
        let images: Vec<_> = self.images().collect();
        let [(_, resource)] = images.as_slice() else {
            let names: Vec<String> = images.iter().map(|(id, _)| id.to_string()).collect();
            let message = match names.as_slice() {
                [] => "there is no image to build".to_owned(),
                _ => format!("`--format docker-args` is for one image, and here are {}", names.join(", ")),
            };
            let first = names.first().map_or("images.NAME", String::as_str);
            return Err(Diagnostic::error(Code::CommandUsage, message)
                .help(format!("choose one: `--target {first}`; or use `--format bake` for all")));
        };
        let of = |flag: &'static str, values: Vec<String>| {
            values.into_iter().flat_map(move |value| [flag.to_owned(), shell_word(&value)])
        };
        let arguments: Vec<String> = of("--tag", pushable(resource))
            .chain(of("--label", labels(resource)))
            .chain(of("--annotation", annotations(resource)))
            .collect();
        Ok(format!("{}\n", arguments.join(" ")))
    }

    fn images(&self) -> impl Iterator<Item = &(ResourceId, ResourceEntry)> {
        self.resources.iter().filter(|(id, _)| id.kind == ResourceKind::Image)
    }

    /// Fails if two resources have the same `key`. `shown` is an output of a resource.
    fn distinct(
        &self,
        key: impl Fn(&ResourceId) -> String,
        shown: impl Fn(&ResourceId) -> String,
    ) -> Result<(), Diagnostic> {
        let mut named: BTreeMap<String, &ResourceId> = BTreeMap::new();
        for (id, _) in &self.resources {
            if let Some(other) = named.insert(key(id), id) {
                let output = shown(id);
                let message =
                    format!("the outputs of {other} and {id} would have the same names, such as `{output}`");
                return Err(Diagnostic::error(Code::CommandUsage, message)
                    .help("use `--format json`, or rename one of the two"));
            }
        }
        Ok(())
    }
}

/// An output of a step with a line for each of `lines`. The delimiter occurs in none of them.
fn lines_of_output(name: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| clean::line(line)).collect();
    if lines.is_empty() {
        return format!("{name}=\n");
    }
    let mut delimiter = "END_OF_LINES".to_owned();
    while lines.iter().any(|line| line.contains(&delimiter)) {
        delimiter.push('_');
    }
    format!("{name}<<{delimiter}\n{}\n{delimiter}\n", lines.join("\n"))
}

/// The references that a builder can push: not those of a directory.
fn pushable(resource: &ResourceEntry) -> Vec<String> {
    resource.references.iter().filter(|reference| !reference.starts_with("oci:")).cloned().collect()
}

fn labels(resource: &ResourceEntry) -> Vec<String> {
    resource.labels.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn annotations(resource: &ResourceEntry) -> Vec<String> {
    resource.annotations.iter().map(super::tags::Annotation::argument).collect()
}

/// The name of a bake target: letters, digits, `_` and `-` (docs.docker.com, "Bake file reference").
fn target(id: &ResourceId) -> String {
    let is_valid = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    name(id, '-').chars().map(|it| if is_valid(it) { it } else { '-' }).collect()
}

/// The name of a variable: upper case, digits and `_`.
fn variable(id: &ResourceId) -> String {
    let upper = name(id, '_').to_ascii_uppercase();
    let plain: String = upper.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }).collect();
    if plain.starts_with(|it: char| it.is_ascii_digit()) { format!("_{plain}") } else { plain }
}

/// A text that bake takes as it is: in its JSON too, `${` and `%{` begin an expression.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_the_tool_that_reads_them() {
        assert_eq!(literal("a ${b} %{c} $d"), "a $${b} %%{c} $d");
        assert_eq!(target(&ResourceId::image("my.app/x")), "my-app-x");
        assert_eq!(variable(&ResourceId::image("my-app.2")), "MY_APP_2");
        assert_eq!(variable(&ResourceId::image("2048")), "_2048");
    }

    #[test]
    fn no_value_ends_an_output_of_a_step() {
        let lines = ["a=END_OF_LINES".to_owned(), "b=1\nEND_OF_LINES\nevil=1".to_owned()];
        let output = lines_of_output("x-labels", &lines);
        assert_eq!(output.lines().next(), Some("x-labels<<END_OF_LINES_"));
        assert_eq!(output.lines().last(), Some("END_OF_LINES_"));
        assert_eq!(output.lines().count(), 4, "{output}");
        assert_eq!(lines_of_output("x-labels", &[]), "x-labels=\n");
    }
}
