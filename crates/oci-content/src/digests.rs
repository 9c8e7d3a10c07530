//! The images that a build pushed by digest, listed by a folder of files named by digest. The example of
//! docker/build-push-action writes one such file for each platform, and actions/download-artifact collects them, each in a
//! folder of its own or all in one.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::SourceError;
use super::source_path::SourcePath;
use crate::TransportSpec;
use crate::spec::DigestFolder;
use oci_registry::Digest;
use oci_registry::remote::RemoteReference;

/// The most files that are read. A build has about ten platforms.
const MAX_FILES: usize = 1000;

/// The images of `folder`, by digest, in the order of the digests. Relative paths start at `base`.
pub(super) fn pushed(folder: &DigestFolder, base: &Path) -> Result<Vec<TransportSpec>, SourceError> {
    let repository = match &folder.from {
        TransportSpec::Docker(image) if image.tag.is_none() && image.digest.is_none() => image,
        other => {
            let example = match other {
                TransportSpec::Docker(image) => format!("docker://{}/{}", image.host, image.repository),
                _ => "docker://ghcr.io/OWNER/NAME".to_owned(),
            };
            return Err(SourceError::Unsupported {
                reason: format!("`from = \"{other}\"` is not a repository in a registry"),
                help: format!("name the repository that the build pushed to, without a tag: `{example}`"),
            });
        }
    };
    let path = SourcePath::new(base, &folder.digests);
    let mut found = DigestFiles { digests: BTreeSet::new(), files: 0 };
    found.read(&path, true)?;
    let image = |digest: &Digest| {
        TransportSpec::Docker(RemoteReference { digest: Some(digest.clone()), ..repository.clone() })
    };
    Ok(found.digests.iter().map(image).collect())
}

struct DigestFiles {
    digests: BTreeSet<Digest>,
    files: usize,
}

impl DigestFiles {
    /// Reads the folder at `path`, and the folders in it if `deeper`.
    fn read(&mut self, path: &SourcePath, deeper: bool) -> Result<(), SourceError> {
        let io = |cause: std::io::Error| match cause.kind() {
            ErrorKind::NotFound => SourceError::Missing { path: path.written().to_owned() },
            _ => SourceError::io(format!("`{path}`"), cause),
        };
        let mut is_empty = true;
        for entry in fs::read_dir(path.full()).map_err(io)? {
            let entry = entry.map_err(io)?;
            is_empty = false;
            self.files += 1;
            if self.files > MAX_FILES {
                return Err(foreign(path, &format!("it holds more than {MAX_FILES} files")));
            }
            let kind = entry.file_type().map_err(io)?;
            let name = entry.file_name();
            match name.to_str().and_then(digest_of) {
                Some(digest) if kind.is_file() => {
                    self.digests.insert(digest);
                }
                _ if deeper && kind.is_dir() => self.read(&path.join(&name), false)?,
                _ => {
                    let reason = format!("`{}` is not a file named by digest", path.join(&name));
                    return Err(foreign(path, &reason));
                }
            }
        }
        if is_empty { Err(empty(path)) } else { Ok(()) }
    }
}

/// The digest in a file name: `HEX` of sha256, or with the algorithm in front.
fn digest_of(name: &str) -> Option<Digest> {
    name.parse().or_else(|_| format!("sha256:{name}").parse()).ok()
}

fn foreign(path: &SourcePath, reason: &str) -> SourceError {
    SourceError::Unsupported {
        reason: format!("`{path}` is not a folder of digests: {reason}"),
        help: "give the digests a folder of their own: one empty file for each image that was pushed, named by its digest \
               (`touch \"digests/${DIGEST#sha256:}\"`)"
            .to_owned(),
    }
}

fn empty(path: &SourcePath) -> SourceError {
    SourceError::Platform {
        reason: format!("`{path}` holds no digest"),
        help: "have each job that builds a platform write the digest that it pushed (`touch \"digests/${DIGEST#sha256:}\"`) and \
               upload that folder as an artifact, and download all of them in the job that publishes"
            .to_owned(),
    }
}

#[cfg(test)]
#[path = "digests_tests.rs"]
mod tests;
