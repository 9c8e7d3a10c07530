//! Advice for an error of a source.

use std::io::ErrorKind;

use oci_content::{OutsideFile, SourceError, name_list};

use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};

const REBUILD: &str = "build it again; if it was copied here, copy it again and compare checksums";

impl ToDiagnostic for SourceError {
    fn to_diagnostic(&self) -> Diagnostic {
        let (code, help) = match self {
            Self::Registry { image, cause } => {
                return cause.to_diagnostic().about(format_args!("`{image}`"));
            }
            Self::Outside(outside) => (Code::ConfigOutside, allow_folder(outside)),
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
            Self::Io { cause, .. } => unreadable(cause.kind()),
            Self::Engine { help, .. } => (Code::SourceEngine, help.clone()),
            Self::NotInRegistry { help, .. } | Self::NoSuchImage { help, .. } => (Code::SourceMissing, help.clone()),
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

impl ToDiagnostic for OutsideFile {
    fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(Code::ConfigOutside, printable(&self.to_string()))
            .help(printable(&allow_folder(self)))
    }
}

fn allow_folder(outside: &OutsideFile) -> String {
    format!(
        "move the file into the project, or allow its folder on the command line: `--allow-outside {}`",
        outside.folder.display()
    )
}

/// The code and the way out if the system cannot read a file: a wrong path or missing rights are the user's to fix, others may
/// not be.
fn unreadable(kind: ErrorKind) -> (Code, String) {
    let (code, help) = match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => (Code::SourceMissing, "check that the file exists"),
        ErrorKind::PermissionDenied => (
            Code::SourceUnreadable,
            "let this user read the file and enter each folder above it (`namei -l FILE` shows the rights of all of them)",
        ),
        _ => (
            Code::SourceUnreadable,
            "check the path and the reason that the system gives; if a disk or a file system failed, try again or copy the file \
             elsewhere",
        ),
    };
    (code, help.to_owned())
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
        None => format!("write one of these after the path: {}", name_list(names).trim_start_matches(": ")),
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn shown(error: &SourceError) -> String {
        let diagnostic = error.to_diagnostic();
        format!("{}: {}\n{}", diagnostic.code, diagnostic.message, diagnostic.help.expect("a way out"))
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn ambiguous(of: &[&str]) -> SourceError {
        SourceError::Ambiguous { place: "oci:x".to_owned(), count: of.len(), names: names(of) }
    }

    #[test]
    fn the_help_says_how_to_choose_one_of_several_images() {
        assert_eq!(
            shown(&ambiguous(&["v1", "v2"])),
            "publish::source::missing: source `oci:x` holds 2 images: `v1`, `v2`\n\
             say which one, after a second colon: `oci:x:v1`"
        );
        assert!(shown(&ambiguous(&["@0", "@1"])).contains("linux/arm64"));
        let absent = |reference: &str, of: &[&str]| {
            let (place, reference) = ("oci:x".to_owned(), reference.to_owned());
            shown(&SourceError::NoSuchReference { place, reference, names: names(of) })
        };
        assert!(absent("v3", &["v1", "v2"]).ends_with("\ndid you mean `v1`?"));
        assert!(absent("latest", &["v1"]).ends_with("\nwrite one of these after the path: `v1`"));
        assert!(absent("v1", &[]).contains("leave the reference out"));
    }

    #[test]
    fn a_message_acts_on_no_terminal_and_can_be_read() {
        let hostile = shown(&ambiguous(&["\u{1b}[2J", "v2"]));
        assert!(hostile.contains(r"`\u{1b}[2J`") && !hostile.contains('\u{1b}'), "{hostile}");
        let long = shown(&SourceError::malformed("x", "a\u{0}\u{7}".repeat(100_000)));
        assert!(long.contains("characters left out") && long.len() < 10_000, "{} bytes", long.len());
        assert!(!long.chars().any(|c| c.is_control() && c != '\n'), "{long:?}");
    }

    #[test]
    fn a_failing_disk_is_not_a_missing_file() {
        for (kind, code, words) in [
            (ErrorKind::NotFound, "source::missing", "the file exists"),
            (ErrorKind::NotADirectory, "source::missing", "the file exists"),
            (ErrorKind::PermissionDenied, "source::unreadable", "let this user read"),
            (ErrorKind::StaleNetworkFileHandle, "source::unreadable", "a disk or a file system failed"),
            (ErrorKind::Other, "source::unreadable", "a disk or a file system failed"),
        ] {
            let shown = shown(&SourceError::io("`a.tar`", io::Error::from(kind)));
            assert!(
                shown.starts_with(&format!("publish::{code}: ")) && shown.contains(words),
                "{kind:?}: {shown}"
            );
        }
    }
}
