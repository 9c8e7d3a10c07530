//! The files of a Docker archive by their names, with links resolved within the archive and nowhere else.

use std::sync::Arc;

use serde::Deserialize;

use super::super::SourceError;
use super::super::archive::indexed;
use super::super::positioned::{Extent, PositionedFile};
use super::super::read::read_bounded;
use super::super::tar_index::{IndexedEntry, IndexedNames, TarIndex};

/// The most links that are followed to a file, as in Linux (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// A tar file, indexed once.
pub(super) struct TarEntries {
    file: Arc<PositionedFile>,
    index: TarIndex,
}

impl TarEntries {
    /// Indexes a tar file.
    pub(super) fn open(file: Arc<PositionedFile>) -> Result<Self, SourceError> {
        let index = indexed(&file, IndexedNames::All)?;
        Ok(Self { file, index })
    }

    /// The archive, for people.
    pub(super) fn archive(&self) -> String {
        format!("archive `{}`", self.file.path().display())
    }

    /// The file `name`, for people.
    pub(super) fn locate(&self, name: &str) -> String {
        format!("`{name}` in `{}`", self.file.path().display())
    }

    /// The extent of the contents of the file `name`, with links followed; `None` if there is no such name.
    pub(super) fn find(&self, name: &str) -> Result<Option<Extent>, SourceError> {
        let mut current = joined("", name)
            .ok_or_else(|| SourceError::malformed(self.archive(), format!("it names {}", outside(name))))?;
        for followed in 0..=MAX_LINKS {
            let target = match self.index.files.get(&current) {
                Some(IndexedEntry::File { offset, length }) => {
                    return Ok(Some(Extent {
                        file: Arc::clone(&self.file),
                        offset: *offset,
                        length: *length,
                    }));
                }
                Some(special @ (IndexedEntry::Sparse | IndexedEntry::Special)) => {
                    let what = if *special == IndexedEntry::Sparse {
                        "sparse file"
                    } else {
                        "directory, device or pipe"
                    };
                    return Err(SourceError::Unsupported {
                        reason: format!(
                            "{} is a {what}, which cannot be read in place",
                            self.locate(&current)
                        ),
                        help: "write the archive again with `docker save` or `podman save`, which write none"
                            .to_owned(),
                    });
                }
                Some(IndexedEntry::HardLink(target)) => joined("", target).ok_or(target),
                Some(IndexedEntry::SymbolicLink(target)) => {
                    let folder = current.rsplit_once('/').map_or("", |(folder, _)| folder);
                    joined(folder, target).ok_or(target)
                }
                None if !self.index.complete => {
                    let reason =
                        format!("it has no `{current}`, and ends without an end marker: the file is cut off");
                    return Err(SourceError::malformed(self.archive(), reason));
                }
                None if followed == 0 => return Ok(None),
                None => {
                    let reason = format!("it leads to `{current}`, which is not in the archive");
                    return Err(SourceError::malformed(self.locate(name), reason));
                }
            };
            current = target.map_err(|target| {
                SourceError::malformed(self.locate(&current), format!("it is a link to {}", outside(target)))
            })?;
        }
        let reason = format!("it leads through more than {MAX_LINKS} links, or in a circle");
        Err(SourceError::malformed(self.locate(name), reason))
    }

    /// The extent of the contents of a file; an error if the file is missing.
    pub(super) fn required(&self, name: &str) -> Result<Extent, SourceError> {
        self.find(name)?.ok_or_else(|| {
            SourceError::malformed(
                self.archive(),
                format!("it names the file `{}`, but does not contain it", shortened(name)),
            )
        })
    }

    /// The parsed contents of the JSON file `name` of at most `limit` bytes; `None` if there is no such file.
    pub(super) fn json<T: for<'a> Deserialize<'a>>(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<Option<T>, SourceError> {
        let Some(extent) = self.find(name)? else { return Ok(None) };
        let parsed = serde_json::from_slice(&self.small(name, &extent, limit)?);
        parsed.map(Some).map_err(|error| SourceError::malformed(self.locate(name), error.to_string()))
    }

    /// The bytes of a file of at most `limit` bytes.
    pub(super) fn small(&self, name: &str, extent: &Extent, limit: u64) -> Result<Vec<u8>, SourceError> {
        if extent.length > limit {
            let reason = format!("it has {} bytes, more than the limit of {limit}", extent.length);
            return Err(SourceError::malformed(self.locate(name), reason));
        }
        read_bounded(extent.reader(), limit).map_err(|error| SourceError::io(self.locate(name), error))
    }
}

/// `path` resolved in `folder`; `None` if it is absolute or leads out of the archive.
fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { None } else { Some(parts.join("/")) }
}

fn outside(path: &str) -> String {
    format!("`{}`, which lies outside of the archive", shortened(path))
}

/// A name from the archive, shortened for people.
fn shortened(name: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown: String = name.chars().take(SHOWN).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn names_stay_within_the_archive() {
        for (folder, path, name) in [
            ("", "a/layer.tar", Some("a/layer.tar")),
            ("", "./a//layer.tar", Some("a/layer.tar")),
            ("a", "../b/layer.tar", Some("b/layer.tar")),
            ("a/b", "../../c", Some("c")),
            ("a", "../../c", None),
            ("", "../c", None),
            ("", "a/../../c", None),
            ("a", "/etc/passwd", None),
            ("", "", None),
            ("a", "..", None),
        ] {
            assert_eq!(joined(folder, path).as_deref(), name, "{folder} {path}");
        }
    }
}
