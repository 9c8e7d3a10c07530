//! The errors of sources, and their diagnostics.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::diagnostic::{Code, Diagnostic, Label};
use crate::model::{Digest, ManifestError, Platform};

/// An error of a source. Each names the file, the problem, and a way out.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or directory that the source names does not exist.
    #[error("source `{}` does not exist", path.display())]
    Missing {
        /// The path that was tried.
        path: PathBuf,
    },
    /// A manifest or blob that the content names is missing.
    #[error("`{digest}` is not in the source: expected {place}")]
    MissingBlob {
        /// The digest of the missing content.
        digest: Digest,
        /// The expected file, for people.
        place: String,
    },
    /// The file or directory exists, but is not an image layout.
    #[error("source `{}` is not an OCI image layout: {reason}", path.display())]
    NotALayout {
        /// The path.
        path: PathBuf,
        /// The missing or wrong part.
        reason: String,
        /// The way out.
        help: String,
    },
    /// The layout holds several images, and the source does not say which.
    #[error("source `{place}` holds {count} images{}", described(names))]
    Ambiguous {
        /// The layout.
        place: String,
        /// The number of images to choose from.
        count: usize,
        /// The references that choose one of them.
        names: Vec<String>,
    },
    /// The layout holds no image with the requested name.
    #[error("source `{place}` holds no image `{reference}`{}", described(names))]
    NoSuchReference {
        /// The layout.
        place: String,
        /// The requested reference.
        reference: String,
        /// The references that it holds.
        names: Vec<String>,
    },
    /// The contents of a file do not fit its place in a layout or archive.
    #[error("{place} is damaged: {reason}")]
    Malformed {
        /// The file, for people.
        place: String,
        /// The problem.
        reason: String,
    },
    /// The bytes differ from those that a descriptor describes.
    #[error("{place} does not hold `{expected}`: {reason}")]
    Digest {
        /// The file, for people.
        place: String,
        /// The expected digest.
        expected: Digest,
        /// The difference that was found.
        reason: String,
    },
    /// Platforms are missing, or differ from the declared ones.
    #[error("{reason}")]
    Platform {
        /// The problem, with the platforms that were found.
        reason: String,
        /// The way out.
        help: String,
    },
    /// The content is of a kind that cannot be published, or that cannot be read in place.
    #[error("{reason}")]
    Unsupported {
        /// The kind of content, and its place.
        reason: String,
        /// The way out.
        help: String,
    },
    /// The registry that the source names did not return the requested content.
    #[error("{}", .0.message)]
    Registry(Box<Diagnostic>),
    /// A Docker Engine cannot be reached, or does not return the requested image.
    #[error("{reason}")]
    Engine {
        /// The engine, and the problem.
        reason: String,
        /// The way out.
        help: String,
    },
    /// A Docker Engine has no such image.
    #[error("{engine} has no image `{image}`")]
    NoSuchImage {
        /// The requested name or id.
        image: String,
        /// The engine, for people.
        engine: String,
        /// The way out.
        help: String,
    },
    /// A temporary file could not be written.
    #[error("cannot write a temporary file in `{}`: {cause}", folder.display())]
    Temporary {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// Helm would not package or load a chart.
    #[error("{}", charted(path, findings))]
    Chart {
        /// The chart, for people.
        path: String,
        /// All problems of the chart, each with its place.
        findings: Vec<Diagnostic>,
    },
    /// The system could not read a file.
    #[error("cannot read {place}: {cause}")]
    Io {
        /// The file, for people.
        place: String,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
}

const REBUILD: &str = "build it again; if it was copied here, copy it again and compare checksums";

impl SourceError {
    /// The error for a digest that two descriptors describe differently.
    pub(super) fn described_twice(digest: &Digest) -> Self {
        Self::malformed(format!("`{digest}`"), "it is described twice, with different sizes or media types")
    }

    /// The error for an I/O error while reading `place`; if `cause` carries a [`SourceError`], that one.
    pub(super) fn io(place: impl Into<String>, cause: io::Error) -> Self {
        if !cause.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<Self>) {
            return Self::Io { place: place.into(), cause };
        }
        match cause.into_inner().map(<dyn Error + Send + Sync>::downcast::<Self>) {
            Some(Ok(error)) => *error,
            _ => Self::Malformed { place: place.into(), reason: "an unreadable stream".to_owned() },
        }
    }

    /// The error for the findings of a chart; warnings are left out.
    pub(super) fn chart(path: String, findings: Vec<Diagnostic>) -> Self {
        Self::Chart { path, findings: findings.into_iter().filter(Diagnostic::is_error).collect() }
    }

    pub(super) fn malformed(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { place: place.into(), reason: reason.into() }
    }

    pub(super) fn manifest(error: &ManifestError) -> Self {
        match error {
            ManifestError::Malformed { digest, reason } => {
                Self::Malformed { place: format!("manifest `{digest}`"), reason: reason.clone() }
            }
            ManifestError::Schema1 { .. } => Self::Unsupported {
                reason: error.to_string(),
                help: "build the image again with a current tool: buildah, podman or `docker buildx`"
                    .to_owned(),
            },
            ManifestError::MediaType { .. } => Self::Unsupported {
                reason: error.to_string(),
                help: "publish an OCI or Docker image, or an index of those".to_owned(),
            },
        }
    }

    /// The diagnostics of this error, one for each problem.
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Chart { findings, .. } if !findings.is_empty() => findings.clone(),
            _ => vec![self.to_diagnostic()],
        }
    }

    /// The diagnostic of this error: code, message and the way out.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let (code, help) = match self {
            Self::Registry(diagnostic) => return diagnostic.as_ref().clone(),
            Self::Chart { path, findings } => return together(path, findings),
            Self::Missing { .. } => (
                Code::SourceMissing,
                "build it before publishing it; relative paths start at the folder of `publish.toml`".to_owned(),
            ),
            Self::MissingBlob { .. } => (
                Code::SourceMissing,
                "the layout is incomplete: build it again, or copy it with all of its platforms (`skopeo copy --all`)".to_owned(),
            ),
            Self::Ambiguous { place, names, .. } => (Code::SourceMissing, choose(place, names)),
            Self::NoSuchReference { names, .. } if names.is_empty() => {
                (Code::SourceMissing, "leave the reference out of `source`, or build the image with that name".to_owned())
            }
            Self::NoSuchReference { names, reference, .. } => (Code::SourceMissing, near(reference, names)),
            Self::Io { .. } => {
                (Code::SourceMissing, "check that the file exists and that this user may read it".to_owned())
            }
            Self::Engine { help, .. } => (Code::SourceEngine, help.clone()),
            Self::NoSuchImage { help, .. } => (Code::SourceMissing, help.clone()),
            Self::Temporary { .. } => (
                Code::SourceTemporary,
                "free some space there, or set `TMPDIR` to another folder: compressed layers and images from a Docker Engine \
                 are kept there while they are published"
                    .to_owned(),
            ),
            Self::NotALayout { help, .. } | Self::Unsupported { help, .. } => {
                (Code::SourceUnsupported, help.clone())
            }
            Self::Malformed { .. } => (Code::SourceMalformed, REBUILD.to_owned()),
            Self::Digest { .. } => (Code::SourceDigest, REBUILD.to_owned()),
            Self::Platform { help, .. } => (Code::SourcePlatform, help.clone()),
        };
        Diagnostic::error(code, printable(&self.to_string())).help(printable(&help))
    }
}

/// The problems of a chart as text, one per line: each with file, line and column.
fn charted(path: &str, findings: &[Diagnostic]) -> String {
    let line = |finding: &Diagnostic| match finding.labels.first() {
        Some(label) => {
            let (line, column) = label.place.position();
            format!("{}:{line}:{column}: {}", label.place.source.name, finding.message)
        }
        None => finding.message.clone(),
    };
    match findings {
        [] => format!("chart `{path}` cannot be packaged"),
        [finding] => line(finding),
        findings => {
            let lines: String = findings.iter().map(|finding| format!("\n{}", line(finding))).collect();
            format!("chart `{path}` has {} problems:{lines}", findings.len())
        }
    }
}

/// The findings as one diagnostic, with a label for each finding that has a place, and a line for each that has none.
fn together(path: &str, findings: &[Diagnostic]) -> Diagnostic {
    if let [finding] = findings {
        return finding.clone();
    }
    let code = findings.first().map_or(Code::SourceChart, |first| first.code);
    let mut message = format!("chart `{path}` has {} problems", findings.len());
    let mut help: Vec<&str> = Vec::new();
    let mut labels = Vec::new();
    for finding in findings {
        match finding.labels.first() {
            Some(label) => labels.push(Label { place: label.place.clone(), text: finding.message.clone() }),
            None => message.extend(["\n", &finding.message]),
        }
        help.extend(finding.help.as_deref().filter(|text| !help.contains(text)));
    }
    Diagnostic { labels, ..Diagnostic::error(code, message) }.help(help.join("\n"))
}

/// `text` with control characters escaped, and its middle left out if it is too long to read, because names, media types and
/// the text that a parser quotes come from files that others wrote.
fn printable(text: &str) -> String {
    const START: usize = 1200;
    const END: usize = 400;
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let length = text.chars().count();
    if length <= START + END {
        return text.chars().map(escape).collect();
    }
    let start = text.chars().take(START).map(escape);
    let end = text.chars().skip(length - END).map(escape);
    start.chain([format!("… ({} characters left out) …", length - START - END)]).chain(end).collect()
}

/// The names as a list for people, or `none`.
pub(super) fn list<T: std::fmt::Display>(names: &[T]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// The platforms as a sorted list for people.
pub(super) fn list_platforms(platforms: &[Platform]) -> String {
    let mut platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    platforms.sort();
    platforms.dedup();
    described(&platforms).trim_start_matches(": ").to_owned()
}

/// Like [`list`], with long names cut, because the length of a reference has no limit.
fn list_short(names: &[String]) -> String {
    const LONGEST: usize = 120;
    let short = |name: &String| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.clone(),
    };
    list(&names.iter().map(short).collect::<Vec<_>>())
}

fn described(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names {
        [] => String::new(),
        names if names.len() <= SHOWN => format!(": {}", list_short(names)),
        names => {
            format!(": {} and {} more", list_short(names.get(..SHOWN).unwrap_or(names)), names.len() - SHOWN)
        }
    }
}

fn choose(place: &str, names: &[String]) -> String {
    let example = names.first().map_or("REF", String::as_str);
    let mut help = format!("say which one, after a second colon: `{place}:{example}`");
    if names.iter().any(|name| name.starts_with('@')) {
        help.push_str(
            "; if they are one image for several platforms, give a table of them as `source`: \
             `{ \"linux/amd64\" = \"…:@0\", \"linux/arm64\" = \"…:@1\" }`",
        );
    }
    help
}

fn near(reference: &str, names: &[String]) -> String {
    let length = reference.chars().count();
    let nearest = names
        .iter()
        .filter(|name| name.chars().count().abs_diff(length) <= 3) // the others cannot be near
        .map(|name| (strsim::damerau_levenshtein(name, reference), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 3);
    match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("write one of these after the path: {}", described(names).trim_start_matches(": ")),
    }
}
