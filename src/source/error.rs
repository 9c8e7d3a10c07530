//! What can be wrong with a source, and what to do about it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::diagnostic::{Code, Diagnostic, Label};
use crate::model::{Digest, ManifestError, Platform};

/// What can be wrong with a source. Each names the file, what is wrong in it, and a way out.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or directory that the source names does not exist.
    #[error("source `{}` does not exist", path.display())]
    Missing {
        /// The path, as it was looked for.
        path: PathBuf,
    },
    /// A manifest or blob that the content names is not there.
    #[error("`{digest}` is not in the source: expected {place}")]
    MissingBlob {
        /// The digest that is named.
        digest: Digest,
        /// The file expected, for people.
        place: String,
    },
    /// The file or directory is there, but is not an image layout.
    #[error("source `{}` is not an OCI image layout: {reason}", path.display())]
    NotALayout {
        /// The path.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The layout holds several images, and the source does not say which.
    #[error("source `{place}` holds {count} images{}", described(names))]
    Ambiguous {
        /// The layout.
        place: String,
        /// How many there are to choose from.
        count: usize,
        /// The references by which one can be chosen.
        names: Vec<String>,
    },
    /// The layout holds no image of the name asked for.
    #[error("source `{place}` holds no image `{reference}`{}", described(names))]
    NoSuchReference {
        /// The layout.
        place: String,
        /// The reference asked for.
        reference: String,
        /// The references that it holds.
        names: Vec<String>,
    },
    /// A file is not what its place in a layout or archive says it is.
    #[error("{place} is damaged: {reason}")]
    Malformed {
        /// The file, for people.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Bytes are not those that a descriptor describes.
    #[error("{place} does not hold `{expected}`: {reason}")]
    Digest {
        /// The file, for people.
        place: String,
        /// The digest that was asked for.
        expected: Digest,
        /// What was found.
        reason: String,
    },
    /// Platforms are missing, or not those that were declared.
    #[error("{reason}")]
    Platform {
        /// What is wrong, with what was found.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The content is of a kind that cannot be published, or not be read in place.
    #[error("{reason}")]
    Unsupported {
        /// What it is, and where.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The registry that the source names did not give what was asked for.
    #[error("{}", .0.message)]
    Registry(Box<Diagnostic>),
    /// A Docker Engine cannot be reached, or does not give what it is asked for.
    #[error("{reason}")]
    Engine {
        /// Which engine, and what is wrong.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A Docker Engine has no such image.
    #[error("{engine} has no image `{image}`")]
    NoSuchImage {
        /// The name or id asked for.
        image: String,
        /// The engine, for people.
        engine: String,
        /// What to do.
        help: String,
    },
    /// A temporary file could not be written.
    #[error("cannot write a temporary file in `{}`: {cause}", folder.display())]
    Temporary {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A chart is not what Helm packages or loads.
    #[error("{}", charted(path, findings))]
    Chart {
        /// The chart, for people.
        path: String,
        /// All that is wrong with it, each at its place.
        findings: Vec<Diagnostic>,
    },
    /// The system could not read a file.
    #[error("cannot read {place}: {cause}")]
    Io {
        /// The file, for people.
        place: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

const REBUILD: &str = "build it again; if it was copied here, copy it again and compare checksums";

impl SourceError {
    /// One digest that descriptors say different things of.
    pub(super) fn described_twice(digest: &Digest) -> Self {
        Self::malformed(format!("`{digest}`"), "it is described twice, with different sizes or media types")
    }

    /// An error of the system while reading `place`; where it carries an error of this room, that one.
    pub(super) fn io(place: impl Into<String>, cause: io::Error) -> Self {
        if !cause.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<Self>) {
            return Self::Io { place: place.into(), cause };
        }
        match cause.into_inner().map(<dyn Error + Send + Sync>::downcast::<Self>) {
            Some(Ok(error)) => *error,
            _ => Self::Malformed { place: place.into(), reason: "an unreadable stream".to_owned() },
        }
    }

    /// What was found wrong with a chart; warnings are left out.
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

    /// The error for people, each thing that is wrong for itself.
    pub fn to_diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Chart { findings, .. } if !findings.is_empty() => findings.clone(),
            _ => vec![self.to_diagnostic()],
        }
    }

    /// The error for people: code, message and the way out.
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

/// What is wrong with a chart, in lines: each with file, line and column.
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

/// Findings as one diagnostic, with a label for each that has a place, and a line for each that has none.
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

/// `text` with control characters escaped, and cut in its middle where nobody would read it all: names, media types and what
/// a parser quotes come from files that others wrote.
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

/// Names as people read a list of them, or `none`.
pub(super) fn list<T: std::fmt::Display>(names: &[T]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// Platforms as people read a list of them, sorted.
pub(super) fn list_platforms(platforms: &[Platform]) -> String {
    let mut platforms: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    platforms.sort();
    platforms.dedup();
    described(&platforms).trim_start_matches(": ").to_owned()
}

/// As [`list`], each name as far as it fits: a reference has no greatest length.
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
