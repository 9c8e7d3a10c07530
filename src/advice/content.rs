//! What to do about an error of a source.

use oci_content::{SourceError, described};

use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};

const REBUILD: &str = "build it again; if it was copied here, copy it again and compare checksums";

impl ToDiagnostic for SourceError {
    fn to_diagnostic(&self) -> Diagnostic {
        let (code, help) = match self {
            Self::Registry { image, cause } => {
                return cause.to_diagnostic().about(format_args!("`{image}`"));
            }
            Self::NotInRegistry { help, .. } => (Code::SourceMissing, help.clone()),
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
