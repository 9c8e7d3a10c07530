//! The cache of blobs that were searched: one small file for each, by the rules and the digest. A file holds the findings,
//! redacted and before anything is allowed, and never a value.
//!
//! A cache that cannot be used costs only time. Everybody who can write it can hide findings, and that is the user who runs
//! this program.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::context::Environment;
use oci_registry::{Descriptor, Digest};
use secret_scan::Severity;
use secret_scan::content::{Hit, Searched};
use secret_scan::{Match, Rules};

/// The version of the file format. A file with another number is ignored.
const FORMAT: u32 = 2;
/// The size in bytes of the largest file that is read.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// The number of blobs that are remembered for one set of rules. The oldest are forgotten.
const MAX_FILES: usize = 20_000;
/// The number of other sets of rules that are kept, for other versions of the program on this machine.
const OTHER_RULES: usize = 2;

/// The cache for one set of rules.
pub(crate) struct Cache {
    folder: PathBuf,
    rules: &'static Rules,
}

/// The content of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    format: u32,
    rules: Digest,
    blob: Digest,
    /// The name of the blob, which the rules also look at.
    name: Option<String>,
    found: Vec<RememberedHit>,
    deleted: Vec<String>,
    unsearched: Vec<(Option<String>, String)>,
    unreadable: Option<String>,
    high_left_out: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RememberedHit {
    path: Option<String>,
    rule: String,
    severity: Severity,
    line: Option<u64>,
    redacted: String,
    fingerprint: Digest,
}

impl Cache {
    /// Returns the cache for `rules`, if `environment` names a folder for caches.
    pub fn new(environment: &Environment, rules: &'static Rules) -> Option<Self> {
        let folder = base(environment)?.join("brokkr-publish").join("secrets").join(rules.identity().hex());
        Some(Self { folder, rules })
    }

    fn file(&self, blob: &Digest) -> PathBuf {
        self.folder.join(blob.algorithm()).join(format!("{}.json", blob.hex()))
    }

    /// Returns what an earlier run found in `blob` with the name `name`.
    pub fn get(&self, blob: &Descriptor, name: Option<&str>) -> Option<Searched> {
        let path = self.file(&blob.digest);
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return None;
        }
        let remembered: Remembered = match serde_json::from_slice(&fs::read(&path).ok()?) {
            Ok(remembered) => remembered,
            Err(error) => {
                tracing::debug!("the cache entry `{}` is ignored: {error}", path.display());
                return None;
            }
        };
        let is_ours = remembered.format == FORMAT
            && remembered.rules == *self.rules.identity()
            && remembered.blob == blob.digest
            && remembered.name.as_deref() == name;
        if !is_ours {
            return None;
        }
        let mut searched = Searched {
            hits: Vec::new(),
            deleted: remembered.deleted,
            unsearched: remembered.unsearched,
            unreadable: remembered.unreadable,
            high_left_out: remembered.high_left_out,
            complete: true,
        };
        for hit in remembered.found {
            // An entry with a rule that does not exist is ignored.
            let rule = self.rules.all().iter().find(|rule| rule.id == hit.rule)?.id;
            let found = Match {
                rule,
                severity: hit.severity,
                line: hit.line,
                redacted: hit.redacted,
                fingerprint: hit.fingerprint,
            };
            searched.hits.push(Hit { path: hit.path, found });
        }
        Some(searched)
    }

    /// Remembers what was found in `blob`, which was read to the end.
    pub fn put(&self, blob: &Descriptor, name: Option<&str>, searched: &Searched) {
        let hit = |hit: &Hit| RememberedHit {
            path: hit.path.clone(),
            rule: hit.found.rule.to_owned(),
            severity: hit.found.severity,
            line: hit.found.line,
            redacted: hit.found.redacted.clone(),
            fingerprint: hit.found.fingerprint.clone(),
        };
        let remembered = Remembered {
            format: FORMAT,
            rules: self.rules.identity().clone(),
            blob: blob.digest.clone(),
            name: name.map(str::to_owned),
            found: searched.hits.iter().map(hit).collect(),
            deleted: searched.deleted.clone(),
            unsearched: searched.unsearched.clone(),
            unreadable: searched.unreadable.clone(),
            high_left_out: searched.high_left_out,
        };
        let path = self.file(&blob.digest);
        if let Err(error) = write(&path, &remembered) {
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

/// Returns the folder for caches, by the conventions of the system.
fn base(environment: &Environment) -> Option<PathBuf> {
    let folder = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let beside_home = |below: &str| folder("HOME").map(|home| home.join(below));
    folder("XDG_CACHE_HOME").or_else(|| {
        if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            beside_home("Library/Caches")
        } else {
            beside_home(".cache")
        }
    })
}

/// Writes a file whole or not at all.
fn write(path: &Path, remembered: &Remembered) -> std::io::Result<()> {
    let folder = path.parent().ok_or_else(|| std::io::Error::other("no folder"))?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(remembered)?)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> Cache {
        let environment = [("XDG_CACHE_HOME".to_owned(), folder.display().to_string())].into_iter().collect();
        Cache::new(&environment, Rules::standard()).expect("a folder")
    }

    fn descriptor() -> Descriptor {
        Descriptor::new("x", Digest::of(b"blob"), 4)
    }

    fn searched() -> Searched {
        let found = Match {
            rule: Rules::standard().all().first().expect("a rule").id,
            severity: Severity::High,
            line: Some(3),
            redacted: "a… (9 characters)".to_owned(),
            fingerprint: Digest::of(b"value"),
        };
        let hits = vec![Hit { path: Some("a/b".to_owned()), found }];
        Searched {
            hits,
            deleted: vec!["c".to_owned()],
            unsearched: vec![(None, "d".to_owned())],
            unreadable: Some("e".to_owned()),
            high_left_out: 7,
            complete: true,
        }
    }

    #[test]
    fn an_entry_is_found_only_by_its_digest_and_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        assert!(cache.get(&descriptor(), None).is_none());
        cache.put(&descriptor(), None, &searched());
        let back = cache.get(&descriptor(), None).expect("remembered");
        assert_eq!(back.hits[0].found, searched().hits[0].found);
        assert_eq!((back.hits[0].path.as_deref(), back.deleted), (Some("a/b"), vec!["c".to_owned()]));
        assert_eq!((back.unreadable.as_deref(), back.high_left_out), (Some("e"), 7));
        assert!(cache.get(&descriptor(), Some("name")).is_none());
        let other = Descriptor::new("x", Digest::of(b"other"), 5);
        assert!(cache.get(&other, None).is_none());
        fs::copy(cache.file(&descriptor().digest), cache.file(&other.digest)).expect("copied");
        assert!(cache.get(&other, None).is_none(), "an entry about another blob is ignored");
    }

    #[test]
    fn a_broken_or_foreign_entry_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        cache.put(&descriptor(), None, &searched());
        let path = cache.file(&descriptor().digest);
        let text = fs::read_to_string(&path).expect("text");
        let rule = format!("\"{}\"", searched().hits[0].found.rule);
        for broken in [
            String::new(),
            text[..text.len() / 2].to_owned(),
            text.replace("\"format\":2", "\"format\":1"),
            text.replace(cache.rules.identity().hex(), &"0".repeat(64)),
            text.replace(&rule, "\"no-such-rule\""),
            text.replacen('{', "{\"more\":1,", 1),
        ] {
            fs::write(&path, &broken).expect("written");
            assert!(cache.get(&descriptor(), None).is_none(), "{broken}");
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder in its place");
        assert!(cache.get(&descriptor(), None).is_none());
        cache.put(&descriptor(), None, &searched());
    }

    #[test]
    fn old_rules_are_forgotten_and_foreign_folders_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        cache.put(&descriptor(), None, &searched());
        let above = cache.folder.parent().expect("a folder").to_owned();
        for digit in ["1", "2", "3", "4"] {
            fs::create_dir(above.join(digit.repeat(64))).expect("a folder");
        }
        fs::create_dir(above.join("mine")).expect("a folder");
        cache.prune();
        let left = fs::read_dir(&above).expect("listed").count();
        assert_eq!(left, 1 + OTHER_RULES + 1);
        assert!(above.join("mine").exists() && cache.get(&descriptor(), None).is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("brokkr-publish"), "a file").expect("written");
        let cache = cache(folder.path());
        cache.put(&descriptor(), None, &searched());
        assert!(cache.get(&descriptor(), None).is_none());
        cache.prune();
        assert!(
            base(&[("XDG_CACHE_HOME".to_owned(), "relative".to_owned())].into_iter().collect()).is_none()
        );
    }
}
