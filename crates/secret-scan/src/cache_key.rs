//! The key of a cache, which shows that an entry was written by its holder.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::Path;

use oci_registry::Digest;

/// The key of a cache. Nothing shows it.
#[derive(Clone)]
pub struct CacheKey(Digest);

impl std::fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheKey")
    }
}

impl CacheKey {
    /// Returns the key that follows from `secret`.
    pub fn of(secret: &[u8]) -> Self {
        Self(Digest::of(secret))
    }

    /// Returns the key in `file`, and makes one if there is none. The file should be outside of the folder of the cache, in a folder that
    /// belongs to the user alone. `None` if that is impossible.
    pub fn in_file(file: &Path) -> Option<Self> {
        if let Some(known) = read(file) {
            return Some(known);
        }
        let folder = file.parent()?;
        private_folder(folder).ok()?;
        let mut draft = tempfile::NamedTempFile::new_in(folder).ok()?;
        draft.write_all(random().hex().as_bytes()).ok()?;
        // Another run may have made one meanwhile.
        drop(draft.persist_noclobber(file));
        read(file)
    }

    /// Returns the proof that a holder of the key wrote `text`.
    pub(crate) fn proof(&self, text: &[u8]) -> Digest {
        let inner = Digest::of(&[self.0.hex().as_bytes(), text].concat());
        Digest::of(format!("{}{}", self.0.hex(), inner.hex()).as_bytes())
    }

    /// Returns the text of a file that begins with its proof.
    pub(crate) fn proven<'b>(&self, file: &'b [u8]) -> Option<&'b [u8]> {
        let end = file.iter().position(|byte| *byte == b'\n')?;
        let (proof, text) = (file.get(..end)?, file.get(end + 1..)?);
        (proof == self.proof(text).as_str().as_bytes()).then_some(text)
    }
}

fn read(file: &Path) -> Option<CacheKey> {
    let text = fs::read_to_string(file).ok().filter(|text| text.trim().len() >= 64)?;
    Some(CacheKey::of(text.trim().as_bytes()))
}

/// Returns a digest of random numbers. The system seeds each state of a hash table.
fn random() -> Digest {
    let numbers = (0..8).map(|_| RandomState::new().build_hasher().finish().to_string());
    let time = std::time::SystemTime::now();
    Digest::of(format!("{time:?} {} {}", std::process::id(), numbers.collect::<String>()).as_bytes())
}

/// Creates a folder that only its owner may enter.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a/key");
        let made = CacheKey::in_file(&file).expect("a key");
        let again = CacheKey::in_file(&file).expect("a key");
        assert_eq!(made.proof(b"text"), again.proof(b"text"));
        let other = CacheKey::in_file(&folder.path().join("b/key")).expect("a key");
        assert_ne!(made.proof(b"text"), other.proof(b"text"));
        assert!(CacheKey::in_file(&folder.path().join("a/key/c")).is_none());
    }
}
