//! Pieces of a repository's publishing, as its files declare them: one tag of one repository in one kind of run.

use super::condition::Condition;
use super::scope::{ProjectFacts, RunKind};
use super::symbolic::{Part, SymbolicText};

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 if it is the file as a whole.
    pub line: usize,
}

impl Origin {
    /// A line of a file.
    pub fn new(file: &str, line: usize) -> Self {
        Self { file: file.to_owned(), line }
    }

    /// `file:line`.
    pub fn shown(&self) -> String {
        if self.line == 0 { self.file.clone() } else { format!("{}:{}", self.file, self.line) }
    }
}

/// A repository in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// The host, with its port.
    pub host: String,
    /// The path.
    pub path: String,
}

/// The facts about the build of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BuildFacts {
    /// The Dockerfile, or another text that differs from build to build.
    pub dockerfile: Option<String>,
    /// The stage of the Dockerfile, and build arguments that differ in a matrix.
    pub variant: String,
    /// The platforms.
    pub platforms: Vec<String>,
}

/// One tag of one repository in one kind of run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Publication {
    /// The build.
    pub build: BuildFacts,
    /// The repository.
    pub address: Address,
    /// The kind of run.
    pub kind: RunKind,
    /// The tag.
    pub tag: SymbolicText,
    /// The condition.
    pub condition: Condition,
    /// The place that declares it.
    pub origin: Origin,
    /// The text that declares it.
    pub source: String,
    /// Whether every run moves it, even to older content.
    pub moves: bool,
}

/// A chart that is pushed: its folder or package, and the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChartPublication {
    /// The address that the chart is pushed below, without its own name: `ghcr.io/acme/charts`.
    pub address: Address,
    /// The place that pushes it.
    pub origin: Origin,
}

/// Something that was seen, with the place and a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Remark {
    /// The place.
    pub origin: Origin,
    /// The sentence.
    pub text: String,
}

/// The result of reading files.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    /// The tags.
    pub publications: Vec<Publication>,
    /// The charts.
    pub charts: Vec<ChartPublication>,
    /// Things that are not carried over, and why.
    pub left_out: Vec<Remark>,
    /// Assumptions that were made.
    pub assumed: Vec<Remark>,
    /// Labels and annotations that steps add, with their templates.
    pub labels: Vec<(String, String, Origin)>,
    /// Builds that were pushed without a tag, by digest.
    pub builds: Vec<(Address, BuildFacts)>,
}

/// The most remarks of a kind.
const MAX_REMARKS: usize = 200;

impl Findings {
    /// Adds everything of `other`.
    pub fn extend(&mut self, other: Self) {
        self.publications.extend(other.publications);
        self.charts.extend(other.charts);
        other.left_out.into_iter().for_each(|it| self.leave(&it.origin, it.text));
        other.assumed.into_iter().for_each(|it| self.assume(&it.origin, it.text));
        self.labels.extend(other.labels);
        self.builds.extend(other.builds);
    }

    /// Notes something that is not carried over.
    pub fn leave(&mut self, origin: &Origin, text: impl Into<String>) {
        note(&mut self.left_out, origin, text.into());
    }

    /// Notes an assumption.
    pub fn assume(&mut self, origin: &Origin, text: impl Into<String>) {
        note(&mut self.assumed, origin, text.into());
    }
}

fn note(remarks: &mut Vec<Remark>, origin: &Origin, text: String) {
    let remark = Remark { origin: origin.clone(), text };
    if remarks.len() < MAX_REMARKS && !remarks.contains(&remark) {
        remarks.push(remark);
    }
}

/// The platforms in a list.
pub(super) fn platforms(text: &SymbolicText) -> Vec<String> {
    let shown = text.shown();
    let is_platform = |it: &&str| {
        it.split('/').count() >= 2
            && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '/')
            && it.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    shown.split([',', ' ', '\n']).map(str::trim).filter(is_platform).map(str::to_owned).collect()
}

/// A reference, split into repository and tag. Without a tag it is `latest`.
pub(super) fn split_reference(text: &SymbolicText) -> (SymbolicText, SymbolicText) {
    let parts = text.parts();
    for (at, part) in parts.iter().enumerate().rev() {
        let Part::Literal(known) = part else { continue };
        if let Some((before, after)) = known.rsplit_once(':').filter(|(_, after)| !after.contains('/')) {
            let (mut repository, mut tag) = (SymbolicText::default(), SymbolicText::default());
            parts.iter().take(at).for_each(|it| repository.push(it.clone()));
            repository.push(Part::Literal(before.to_owned()));
            tag.push(Part::Literal(after.to_owned()));
            parts.iter().skip(at + 1).for_each(|it| tag.push(it.clone()));
            return (repository, tag);
        }
        if known.contains('/') {
            break;
        }
    }
    (text.clone(), SymbolicText::literal("latest"))
}

/// The repository of a reference without tag. Parts that only the CI knows are guessed, and the guess is noted.
pub(super) fn address(
    text: &SymbolicText,
    project: &ProjectFacts,
    origin: &Origin,
    found: &mut Findings,
) -> Option<Address> {
    let mut known = String::new();
    for part in text.parts() {
        match part {
            Part::Literal(text) => known.push_str(text),
            Part::Symbol(_) => return None,
            Part::Unknown(expression) => {
                let guess = guess(expression, known.as_str(), project)?;
                found.assume(origin, format!("`{expression}` is not known here; `{guess}` is used"));
                known.push_str(&guess);
            }
        }
    }
    let known = known.trim().trim_matches('/').to_ascii_lowercase();
    parse_address(&known)
}

/// The repository that a name without tag means to docker.
pub(super) fn parse_address(known: &str) -> Option<Address> {
    let known = known.split('@').next().unwrap_or_default();
    let has_host =
        known.split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost");
    let (host, path) = has_host.unwrap_or(("docker.io", known));
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io",
        host => host,
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let is_path =
        !path.is_empty() && path.chars().all(plain) && path.parse::<oci_registry::RepositoryName>().is_ok();
    // `docker build -t app` without a user is for this machine.
    let is_local = host == "docker.io" && !path.contains('/');
    (is_path && !is_local && host != "localhost")
        .then(|| Address { host: host.to_owned(), path: path.to_owned() })
}

fn guess(expression: &str, before: &str, project: &ProjectFacts) -> Option<String> {
    let last = expression.rsplit('.').next().unwrap_or(expression).to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| last.contains(word));
    let owner = project.owner().to_ascii_lowercase();
    if has(&["user", "owner", "org", "namespace", "account", "hub_id", "login"]) && !owner.is_empty() {
        // `${{ secrets.X_USERNAME }}/app`
        Some(owner)
    } else if before.is_empty() && has(&["registry", "host", "server"]) {
        None
    } else if has(&["image", "repo", "name", "app"]) && !project.name.is_empty() {
        let repository = project.repository.to_ascii_lowercase();
        Some(if before.is_empty() && !repository.is_empty() { repository } else { project.name.clone() })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbolic::Symbol;
    use super::*;

    #[test]
    fn references_are_split() {
        let tag = SymbolicText::symbol(Symbol::Tag);
        for (text, repository, shown) in [
            (SymbolicText::literal("ghcr.io/a/b:1"), "ghcr.io/a/b", "1"),
            (SymbolicText::literal("localhost:5000/b"), "localhost:5000/b", "latest"),
            (SymbolicText::literal("a/b:v").then(&tag), "a/b", "v{{ git.tag }}"),
        ] {
            let (found, tag) = split_reference(&text);
            assert_eq!((found.shown().as_str(), tag.shown().as_str()), (repository, shown));
        }
        let shown = |text| parse_address(text).map(|it| format!("{}/{}", it.host, it.path));
        assert_eq!(shown("acme/app").as_deref(), Some("docker.io/acme/app"));
        assert_eq!(shown("quay.io/acme/app").as_deref(), Some("quay.io/acme/app"));
        assert_eq!(shown("app"), None);
    }
}
