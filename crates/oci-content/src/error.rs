//! The errors of sources: [`SourceError`].

use std::error::Error;
use std::io;
use std::path::PathBuf;

use super::confines::OutsideFile;
use oci_registry::{Digest, ManifestError, Platform, RegistryError};

/// An error of a source. Each names its place and the problem; some also carry a help.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or directory that the source names does not exist.
    #[error("source `{}` does not exist", path.display())]
    Missing {
        /// The path that was tried.
        path: PathBuf,
    },
    /// A file may not be read, because it is outside of the project.
    #[error(transparent)]
    Outside(#[from] OutsideFile),
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
    #[error("source `{place}` holds {count} images{}", name_list(names))]
    Ambiguous {
        /// The layout.
        place: String,
        /// The number of images to choose from.
        count: usize,
        /// The references that choose one of them.
        names: Vec<String>,
    },
    /// The layout holds no image with the requested name.
    #[error("source `{place}` holds no image `{reference}`{}", name_list(names))]
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
    #[error("`{image}`: {cause}")]
    Registry {
        /// The repository, as `docker://HOST/REPOSITORY`.
        image: String,
        /// The error of the registry.
        #[source]
        cause: Box<RegistryError>,
    },
    /// The image is not in its repository, or the repository lacks a part of it.
    #[error("{reason}")]
    NotInRegistry {
        /// The missing part, and its place.
        reason: String,
        /// The way out.
        help: String,
    },
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

impl SourceError {
    /// Returns the way out, if the error itself knows one. The way out of the others depends on the program.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::NotALayout { help, .. }
            | Self::Platform { help, .. }
            | Self::Unsupported { help, .. }
            | Self::NotInRegistry { help, .. }
            | Self::Engine { help, .. }
            | Self::NoSuchImage { help, .. } => Some(help),
            _ => None,
        }
    }

    /// Whether a registry answered that the content is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Registry { cause, .. } if matches!(**cause, RegistryError::NotFound(_)))
    }

    /// The error for a digest that two descriptors describe differently.
    pub(super) fn described_twice(digest: &Digest) -> Self {
        Self::malformed(format!("`{digest}`"), "it is described twice, with different sizes or media types")
    }

    /// The error for an I/O error while reading `place`; if `cause` carries a [`SourceError`], that one.
    pub fn io(place: impl Into<String>, cause: io::Error) -> Self {
        if !cause.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<Self>) {
            return Self::Io { place: place.into(), cause };
        }
        match cause.into_inner().map(<dyn Error + Send + Sync>::downcast::<Self>) {
            Some(Ok(error)) => *error,
            _ => Self::Malformed { place: place.into(), reason: "an unreadable stream".to_owned() },
        }
    }

    /// The error for contents of `place` that do not fit it.
    pub fn malformed(place: impl Into<String>, reason: impl Into<String>) -> Self {
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
}

/// A number of things for people: `1 byte`, `5 bytes`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The reason why a blob of `found` bytes is not the one that a descriptor describes with `declared` bytes.
pub(super) fn other_size(found: u64, declared: u64) -> String {
    let verb = if declared == 1 { "is" } else { "are" };
    format!("it has {}, but {declared} {verb} declared", counted(found, "byte"))
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
    name_list(&platforms).trim_start_matches(": ").to_owned()
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

/// Names as people read a list of them after a message: `: a, b and 3 more`; nothing if there are none.
pub fn name_list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names {
        [] => String::new(),
        names if names.len() <= SHOWN => format!(": {}", list_short(names)),
        names => {
            format!(": {} and {} more", list_short(names.get(..SHOWN).unwrap_or(names)), names.len() - SHOWN)
        }
    }
}
