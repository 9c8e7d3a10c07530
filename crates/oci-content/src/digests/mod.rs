//! The images that a build pushed, by the digests that it left in files: a file that lists them (`listing`), a folder of such files, or a folder
//! of files that are named by digest. The example of docker/build-push-action writes one file of the last kind for each platform, and
//! actions/download-artifact collects them, each in a folder of its own or all in one.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::SourceError;
use super::error::name_list;
use super::read::read_bounded;
use super::source_path::SourcePath;
use crate::TransportSpec;
use crate::spec::DigestFolder;
use oci_registry::Digest;
use oci_registry::remote::RemoteReference;

mod json;
mod listed_digest;
mod listing;

use listed_digest::ListedDigest;

/// The largest file of digests that is read, in bytes. The provenance in a metadata file of buildx has a few megabytes at most.
const MAX_FILE_SIZE: u64 = 32 * 1024 * 1024;
/// The most files that are read. A build has about ten platforms.
const MAX_FILES: usize = 1000;

/// The images that a build pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PushedImages {
    /// One image or index, to be published as it is: the only digest of a file.
    One(TransportSpec),
    /// Images to assemble an index of, in the order of their digests.
    Several(Vec<TransportSpec>),
}

/// The images that the file or folder `folder` lists. Relative paths start at `base`.
pub(super) fn pushed(folder: &DigestFolder, base: &Path) -> Result<PushedImages, SourceError> {
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
    let target = folder.target.as_deref();
    let mut found = DigestFiles { digests: BTreeSet::new(), files: 0, repository, target };
    let is_file = match fs::metadata(path.full()) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => return Err(io(&path, error)),
    };
    if is_file {
        found.read_file(&path)?;
    } else {
        found.read_folder(&path, true)?;
    }
    let image = |digest: &Digest| {
        TransportSpec::Docker(RemoteReference { digest: Some(digest.clone()), ..repository.clone() })
    };
    let mut images: Vec<TransportSpec> = found.digests.iter().map(image).collect();
    if is_file && images.len() == 1 {
        return images.pop().map(PushedImages::One).ok_or_else(|| empty(&path));
    }
    Ok(PushedImages::Several(images))
}

fn io(path: &SourcePath, cause: std::io::Error) -> SourceError {
    match cause.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            SourceError::Missing { path: path.written().to_owned() }
        }
        _ => SourceError::io(format!("`{path}`"), cause),
    }
}

/// The digests that files list.
struct DigestFiles<'a> {
    digests: BTreeSet<Digest>,
    files: usize,
    /// The repository that the images were pushed to.
    repository: &'a RemoteReference,
    /// The target whose image is meant.
    target: Option<&'a str>,
}

impl DigestFiles<'_> {
    /// Reads the folder at `path`, and the folders in it if `deeper`.
    fn read_folder(&mut self, path: &SourcePath, deeper: bool) -> Result<(), SourceError> {
        let mut is_empty = true;
        for entry in fs::read_dir(path.full()).map_err(|error| io(path, error))? {
            let entry = entry.map_err(|error| io(path, error))?;
            is_empty = false;
            self.files += 1;
            if self.files > MAX_FILES {
                return Err(foreign(path, &format!("it holds more than {MAX_FILES} files")));
            }
            let kind = entry.file_type().map_err(|error| io(path, error))?;
            let name = entry.file_name();
            let inner = path.join(&name);
            match name.to_str().and_then(digest_of) {
                Some(digest) if kind.is_file() => {
                    self.digests.insert(digest);
                }
                _ if kind.is_dir() && deeper => self.read_folder(&inner, false)?,
                _ if kind.is_file() && name.to_str().is_some_and(|name| !name.starts_with('.')) => {
                    let bytes = whole(&inner)?;
                    let listed = listing::parse(&bytes).map_err(|reason| {
                        foreign(
                            path,
                            &format!("`{inner}` is not named by digest and lists no digests: {reason}"),
                        )
                    })?;
                    self.take(&inner, listed)?;
                }
                _ => {
                    let reason = format!("`{inner}` is not a file named by digest");
                    return Err(foreign(path, &reason));
                }
            }
        }
        if is_empty { Err(empty(path)) } else { Ok(()) }
    }

    /// Reads the file at `path`, which lists digests.
    fn read_file(&mut self, path: &SourcePath) -> Result<(), SourceError> {
        let bytes = whole(path)?;
        let listed = listing::parse(&bytes).map_err(|reason| SourceError::Unsupported {
            reason: format!("`{path}` lists no digest that was pushed: {reason}"),
            help: "name a file that the build wrote: `--metadata-file` of buildx and bake, `--digest-file` or \
                   `--image-name-with-digest-file` of kaniko, `--image-refs` of ko and apko, `--digestfile` of buildah and podman, or a list \
                   of lines `REPOSITORY@DIGEST`"
                .to_owned(),
        })?;
        self.take(path, listed)
    }

    /// Takes the digests of the file at `path` that are about the repository and the target.
    fn take(&mut self, path: &SourcePath, listed: Vec<ListedDigest>) -> Result<(), SourceError> {
        let listed = self.of_target(path, listed)?;
        let about: Vec<&ListedDigest> = [true, false]
            .into_iter()
            .map(|same_host| listed.iter().filter(|it| it.is_about(self.repository, same_host)).collect())
            .find(|found: &Vec<&ListedDigest>| !found.is_empty())
            .unwrap_or_default();
        if about.is_empty() {
            let mut names: Vec<String> = listed.iter().flat_map(ListedDigest::repositories).collect();
            names.sort();
            names.dedup();
            let first = names.first().map_or("HOST/REPOSITORY", String::as_str);
            return Err(SourceError::Unsupported {
                reason: format!(
                    "`{path}` lists no image of `{}/{}`{}",
                    self.repository.host,
                    self.repository.repository,
                    name_list(&names).replacen(": ", ", only of ", 1)
                ),
                help: format!(
                    "name the file of this image, or the repository that it was pushed to: `from = \"docker://{first}\"`"
                ),
            });
        }
        let targets: BTreeSet<&str> = about.iter().filter_map(|it| it.target.as_deref()).collect();
        let digests: BTreeSet<&Digest> = about.iter().map(|it| &it.digest).collect();
        if targets.len() > 1 && digests.len() > 1 {
            let targets: Vec<String> = targets.into_iter().map(str::to_owned).collect();
            let first = targets.first().cloned().unwrap_or_default();
            return Err(SourceError::Unsupported {
                reason: format!(
                    "`{path}` has several targets for `{}/{}`{}",
                    self.repository.host,
                    self.repository.repository,
                    name_list(&targets)
                ),
                help: format!(
                    "say which one: `source = {{ digests = \"{path}\", from = \"docker://{}/{}\", target = \"{first}\" }}`",
                    self.repository.host, self.repository.repository
                ),
            });
        }
        self.digests.extend(digests.into_iter().cloned());
        Ok(())
    }

    /// The digests of the target that is meant; all of them if the source names none.
    fn of_target(
        &self,
        path: &SourcePath,
        listed: Vec<ListedDigest>,
    ) -> Result<Vec<ListedDigest>, SourceError> {
        let Some(target) = self.target else { return Ok(listed) };
        let mut names: Vec<String> = listed.iter().filter_map(|it| it.target.clone()).collect();
        names.sort();
        let of_target: Vec<ListedDigest> =
            listed.into_iter().filter(|it| it.target.as_deref() == Some(target)).collect();
        if !of_target.is_empty() {
            return Ok(of_target);
        }
        Err(SourceError::Unsupported {
            reason: format!("`{path}` has no image of the target `{target}`{}", name_list(&names)),
            help: if names.is_empty() {
                "leave `target` out: only the metadata file of `docker buildx bake` has targets".to_owned()
            } else {
                "name one of these as `target`, or let `bake` push that target too".to_owned()
            },
        })
    }
}

/// The bytes of a file of digests.
fn whole(path: &SourcePath) -> Result<Vec<u8>, SourceError> {
    let file = fs::File::open(path.full()).map_err(|error| io(path, error))?;
    let size = file.metadata().map_err(|error| io(path, error))?.len();
    if size > MAX_FILE_SIZE {
        let reason = format!("it has {size} bytes, more than the limit of {MAX_FILE_SIZE}");
        return Err(SourceError::malformed(format!("`{path}`"), reason));
    }
    read_bounded(file, MAX_FILE_SIZE).map_err(|error| io(path, error))
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
#[path = "tests.rs"]
mod tests;
