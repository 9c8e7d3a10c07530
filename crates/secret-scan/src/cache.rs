//! The memory of blobs that were searched: one small file for each, by the rules and the digest. A file holds the matches, redacted,
//! and never a value.
//!
//! A cache that cannot be used costs only time. Each file begins with the proof that a holder of the [`CacheKey`] wrote it, so that
//! nobody hides matches who can write to the folder, such as a job that restores it from elsewhere.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use oci_registry::Digest;
use serde::{Deserialize, Serialize};

use crate::cache_key::{CacheKey, private_folder};
use crate::compiled::Rules;
use crate::content::{BlobReport, FileMatch, UnsearchedPart};
use crate::matches::Match;
use crate::severity::SecretSeverity;

/// The version of the file format. A file with another number is ignored.
const FORMAT: u32 = 4;
/// The size in bytes of the largest file that is read.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// The number of blobs that are remembered for one set of rules. The oldest are forgotten.
const MAX_FILES: usize = 20_000;
/// The number of other sets of rules that are kept, for other versions of this crate on this machine.
const OTHER_RULES: usize = 2;

/// The reports about blobs that were searched with one set of rules.
pub struct ReportCache<'r> {
    folder: PathBuf,
    key: CacheKey,
    rules: &'r Rules,
}

/// The content of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheEntry {
    format: u32,
    rules: Digest,
    blob: Digest,
    /// The name of the blob, which the rules also look at.
    name: Option<String>,
    matches: Vec<CachedMatch>,
    deleted: Vec<String>,
    unsearched: Vec<UnsearchedPart>,
    unreadable: Option<String>,
    high_left_out: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CachedMatch {
    path: Option<String>,
    rule: String,
    severity: SecretSeverity,
    line: Option<u64>,
    redacted: String,
    fingerprint: Digest,
    guessable: bool,
}

impl<'r> ReportCache<'r> {
    /// Returns the cache for `rules` in `folder`, which caches for other rules may share. The folder need not exist yet. Only entries that
    /// were written with the same `key` are believed.
    pub fn new(folder: &Path, key: CacheKey, rules: &'r Rules) -> Self {
        Self { folder: folder.join(rules.identity().hex()), key, rules }
    }

    fn file(&self, blob: &Digest) -> PathBuf {
        self.folder.join(blob.algorithm()).join(format!("{}.json", blob.hex()))
    }

    /// Returns the report about `blob`, which was searched as a file with the name `name`, or `None` if it is not remembered.
    pub fn get(&self, blob: &Digest, name: Option<&str>) -> Option<BlobReport> {
        let path = self.file(blob);
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        let Some(text) = self.key.proven(&bytes) else {
            tracing::debug!("the cache entry `{}` is ignored: it has no proof", path.display());
            return None;
        };
        let entry: CacheEntry = match serde_json::from_slice(text) {
            Ok(entry) => entry,
            Err(error) => {
                tracing::debug!("the cache entry `{}` is ignored: {error}", path.display());
                return None;
            }
        };
        let is_ours = entry.format == FORMAT
            && entry.rules == *self.rules.identity()
            && entry.blob == *blob
            && entry.name.as_deref() == name;
        if !is_ours {
            return None;
        }
        let mut report = BlobReport {
            matches: Vec::new(),
            deleted: entry.deleted,
            unsearched: entry.unsearched,
            unreadable: entry.unreadable,
            high_left_out: entry.high_left_out,
            complete: true,
        };
        for cached in entry.matches {
            // An entry with a rule that does not exist is ignored.
            let rule = self.rules.all().iter().find(|rule| rule.id == cached.rule)?.id;
            let found = Match {
                rule,
                severity: cached.severity,
                line: cached.line,
                redacted: cached.redacted,
                fingerprint: cached.fingerprint,
                guessable: cached.guessable,
            };
            report.matches.push(FileMatch { path: cached.path, found });
        }
        Some(report)
    }

    /// Remembers the report about `blob`. It is not kept if the blob was not read to its end, because its digest was not verified then. A
    /// failure is only logged, because it costs no more than time.
    pub fn put(&self, blob: &Digest, name: Option<&str>, report: &BlobReport) {
        if !report.complete {
            return;
        }
        let cached = |it: &FileMatch| CachedMatch {
            path: it.path.clone(),
            rule: it.found.rule.to_owned(),
            severity: it.found.severity,
            line: it.found.line,
            redacted: it.found.redacted.clone(),
            fingerprint: it.found.fingerprint.clone(),
            guessable: it.found.guessable,
        };
        let entry = CacheEntry {
            format: FORMAT,
            rules: self.rules.identity().clone(),
            blob: blob.clone(),
            name: name.map(str::to_owned),
            matches: report.matches.iter().map(cached).collect(),
            deleted: report.deleted.clone(),
            unsearched: report.unsearched.clone(),
            unreadable: report.unreadable.clone(),
            high_left_out: report.high_left_out,
        };
        let path = self.file(blob);
        if let Err(error) = write(&path, &entry, &self.key) {
            tracing::debug!("`{}` cannot be written: {error}", path.display());
        }
    }

    /// Forgets the oldest of the other sets of rules, and the oldest blobs if there are too many.
    pub fn prune(&self) {
        let digest = |path: &Path| {
            let name = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default().to_owned();
            (name.len() == 64 || name.len() == 128) && name.bytes().all(|it| it.is_ascii_hexdigit())
        };
        let listed = |folder: &Path| -> Vec<PathBuf> {
            let mut dated: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .filter(|entry| digest(&entry.path()))
                .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
                .collect();
            dated.sort_by(|(one, _), (other, _)| other.cmp(one));
            dated.into_iter().map(|(_, path)| path).collect()
        };
        let others = self.folder.parent().map(listed).unwrap_or_default();
        for old in others.into_iter().filter(|path| *path != self.folder).skip(OTHER_RULES) {
            // A link is not a folder, and is left.
            drop(fs::remove_dir_all(old));
        }
        for algorithm in ["sha256", "sha512"] {
            for old in listed(&self.folder.join(algorithm)).into_iter().skip(MAX_FILES) {
                drop(fs::remove_file(old));
            }
        }
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, entry: &CacheEntry, key: &CacheKey) -> std::io::Result<()> {
    let folder = path.parent().ok_or_else(|| std::io::Error::other("no folder"))?;
    private_folder(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let text = serde_json::to_vec(entry)?;
    file.write_all(format!("{}\n", key.proof(&text)).as_bytes())?;
    file.write_all(&text)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> ReportCache<'static> {
        ReportCache::new(&folder.join("secrets"), CacheKey::of(b"key"), Rules::standard())
    }

    fn blob() -> Digest {
        Digest::of(b"blob")
    }

    fn report() -> BlobReport {
        let found = Match {
            rule: Rules::standard().all().first().expect("a rule").id,
            severity: SecretSeverity::High,
            line: Some(3),
            redacted: "a… (9 characters)".to_owned(),
            fingerprint: Digest::of(b"value"),
            guessable: true,
        };
        let matches = vec![FileMatch { path: Some("a/b".to_owned()), found }];
        BlobReport {
            matches,
            deleted: vec!["c".to_owned()],
            unsearched: vec![UnsearchedPart { path: None, reason: "d".to_owned() }],
            unreadable: Some("e".to_owned()),
            high_left_out: 7,
            complete: true,
        }
    }

    #[test]
    fn an_entry_is_found_only_by_its_digest_and_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        assert!(cache.get(&blob(), None).is_none());
        cache.put(&blob(), None, &report());
        let back = cache.get(&blob(), None).expect("remembered");
        assert_eq!(back.matches[0].found, report().matches[0].found);
        assert_eq!((back.matches[0].path.as_deref(), back.deleted), (Some("a/b"), vec!["c".to_owned()]));
        assert_eq!((back.unreadable.as_deref(), back.high_left_out), (Some("e"), 7));
        assert!(cache.get(&blob(), Some("name")).is_none());
        let other = Digest::of(b"other");
        assert!(cache.get(&other, None).is_none());
        fs::copy(cache.file(&blob()), cache.file(&other)).expect("copied");
        assert!(cache.get(&other, None).is_none(), "an entry about another blob is ignored");
    }

    #[test]
    fn a_broken_or_foreign_entry_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        cache.put(&blob(), None, &report());
        let path = cache.file(&blob());
        let text = fs::read_to_string(&path).expect("text");
        let rule = format!("\"{}\"", report().matches[0].found.rule);
        let (_, text) = text.split_once('\n').expect("a proof");
        let sealed = |text: String| format!("{}\n{text}", cache.key.proof(text.as_bytes()));
        fs::write(&path, sealed(text.to_owned())).expect("written");
        assert!(cache.get(&blob(), None).is_some());
        for broken in [
            String::new(),
            text[..text.len() / 2].to_owned(),
            text.replace("\"format\":4", "\"format\":3"),
            text.replace(cache.rules.identity().hex(), &"0".repeat(64)),
            text.replace(&rule, "\"no-such-rule\""),
            text.replacen('{', "{\"more\":1,", 1),
        ] {
            fs::write(&path, sealed(broken.clone())).expect("written");
            assert!(cache.get(&blob(), None).is_none(), "{broken}");
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder in its place");
        assert!(cache.get(&blob(), None).is_none());
        cache.put(&blob(), None, &report());
    }

    #[test]
    fn an_entry_without_its_proof_is_not_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        cache.put(&blob(), None, &report());
        let path = cache.file(&blob());
        let text = fs::read_to_string(&path).expect("text");
        let (proof, entry) = text.split_once('\n').expect("a proof");
        let clean = entry.replace("\"severity\":\"high\"", "\"severity\":\"low\"");
        assert_ne!(clean, entry);
        let other = CacheKey::of(b"another").proof(clean.as_bytes());
        for forged in
            [entry.to_owned(), format!("{proof}\n{clean}"), format!("{other}\n{clean}"), clean.clone()]
        {
            fs::write(&path, forged).expect("written");
            assert!(cache.get(&blob(), None).is_none());
        }
        fs::write(&path, &text).expect("written");
        assert!(cache.get(&blob(), None).is_some());
    }

    #[test]
    fn old_rules_are_forgotten_and_foreign_folders_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        cache.put(&blob(), None, &report());
        let above = cache.folder.parent().expect("a folder").to_owned();
        for digit in ["1", "2", "3", "4"] {
            fs::create_dir(above.join(digit.repeat(64))).expect("a folder");
        }
        fs::create_dir(above.join("mine")).expect("a folder");
        cache.prune();
        let left = fs::read_dir(&above).expect("listed").count();
        assert_eq!(left, 1 + OTHER_RULES + 1);
        assert!(above.join("mine").exists() && cache.get(&blob(), None).is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("secrets"), "a file").expect("written");
        let cache = cache(folder.path());
        cache.put(&blob(), None, &report());
        assert!(cache.get(&blob(), None).is_none());
        cache.prune();
    }

    #[test]
    fn a_report_about_a_part_of_a_blob_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        cache.put(&blob(), None, &BlobReport { complete: false, ..report() });
        assert!(cache.get(&blob(), None).is_none());
    }
}
