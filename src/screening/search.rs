//! The search itself. Blobs are searched in parallel on threads, the largest first. Results of earlier searches come from the
//! cache.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::cache::Cache;
use super::gather::{Job, read_config};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::event::{Event, Reporter};
use oci_content::SourceError;
use oci_registry::Digest;
use secret_scan::Rules;
use secret_scan::content;
use secret_scan::content::{About, ConfigHit, ContentError, Searched};

/// The number of bytes after which progress is reported again.
const TOLD_EVERY: u64 = 4 * 1024 * 1024;

/// The result of searching a blob.
pub(crate) enum Answer {
    /// A layer, or another blob.
    Content { searched: Searched, from_cache: bool },
    /// The configuration of an image.
    Config(Vec<ConfigHit>),
}

/// A failure to search a blob, with its diagnostic.
pub(crate) struct Failed {
    /// Whether only the search cannot read it: its digest may still match.
    pub unreadable: bool,
    pub diagnostic: Diagnostic,
}

/// The inputs of a search.
pub(crate) struct Searching<'a> {
    pub rules: &'static Rules,
    pub cache: Option<&'a Cache>,
    pub reporter: &'a Arc<dyn Reporter>,
    pub stopped: &'a (dyn Fn() -> bool + Sync),
}

impl Searching<'_> {
    /// Searches every blob of `jobs`. If the search is stopped, the blobs that were not reached are missing from the answers.
    pub fn all(&self, jobs: &BTreeMap<Digest, Job>) -> BTreeMap<Digest, Result<Answer, Failed>> {
        let mut ordered: Vec<&Job> = jobs.values().collect();
        // The slowest blob should not begin last.
        ordered.sort_by_key(|job| std::cmp::Reverse(job.blob.size));
        let next = AtomicUsize::new(0);
        let answers = Mutex::new(BTreeMap::new());
        let threads = thread::available_parallelism().map_or(1, usize::from).min(ordered.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(job) = ordered.get(next.fetch_add(1, Ordering::SeqCst)) {
                        if (self.stopped)() {
                            return;
                        }
                        if let Some(answer) = self.one(job) {
                            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                            answers.insert(job.blob.digest.clone(), answer);
                        }
                    }
                });
            }
        });
        answers.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Searches one blob. Returns `None` if the search was stopped.
    fn one(&self, job: &Job) -> Option<Result<Answer, Failed>> {
        let answer = if job.is_config {
            match read_config(job.source.as_ref(), &job.blob) {
                Ok(bytes) => Ok(Answer::Config(content::config(self.rules, &bytes))),
                Err(error) => Err(failed(job, &error)),
            }
        } else {
            self.content(job)?
        };
        let (from_cache, found) = match &answer {
            Ok(Answer::Content { searched, from_cache }) => (*from_cache, searched.hits.len()),
            Ok(Answer::Config(hits)) => (false, hits.len()),
            Err(_) => (false, 0),
        };
        let (digest, size) = (&job.blob.digest, job.blob.size);
        self.reporter.report(&Event::Searched { digest, size, from_cache, found });
        Some(answer)
    }

    fn content(&self, job: &Job) -> Option<Result<Answer, Failed>> {
        let name = job.name.as_deref();
        if let Some(searched) = self.cache.and_then(|cache| cache.get(&job.blob, name)) {
            return Some(Ok(Answer::Content { searched, from_cache: true }));
        }
        let reader = match job.source.open(&job.blob) {
            Ok(reader) => reader,
            Err(error) => return Some(Err(of_source(job, &error))),
        };
        let (digest, size) = (&job.blob.digest, job.blob.size);
        let reported = std::cell::Cell::new(0);
        let progress = |read: u64| {
            if read >= reported.get() + TOLD_EVERY {
                reported.set(read);
                self.reporter.report(&Event::SearchProgress { digest, size, read });
            }
            !(self.stopped)()
        };
        let about = About { name, size, is_layer: job.is_layer };
        match content::blob(self.rules, reader, about, &progress) {
            Ok(searched) => {
                // Only a complete read proves that the digest matches.
                if let Some(cache) = self.cache.filter(|_| searched.complete) {
                    cache.put(&job.blob, name, &searched);
                }
                Some(Ok(Answer::Content { searched, from_cache: false }))
            }
            Err(ContentError::Stopped) => None,
            Err(ContentError::Read(error)) => Some(Err(failed(job, &error))),
            Err(ContentError::Malformed(reason)) => Some(Err(unreadable(job, &reason))),
        }
    }
}

/// Returns the failure of a blob that could not be read: the error of its source, or that it is damaged.
fn failed(job: &Job, error: &std::io::Error) -> Failed {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<SourceError>()) {
        Some(error) => of_source(job, error),
        None => unreadable(job, &error.to_string()),
    }
}

fn of_source(job: &Job, error: &SourceError) -> Failed {
    let what = format!("cannot search `{}` for secrets", job.blob.digest);
    Failed { unreadable: false, diagnostic: error.to_diagnostic().about(what) }
}

fn unreadable(job: &Job, reason: &str) -> Failed {
    let what = if job.is_layer { "layer" } else { "blob" };
    cannot_be_searched(&format!("{what} `{}`", job.blob.digest), reason)
}

/// Returns the failure for content that only the search cannot read.
pub(crate) fn cannot_be_searched(what: &str, reason: &str) -> Failed {
    let message = format!("{what} cannot be searched for secrets: {reason}");
    let diagnostic = Diagnostic::error(Code::SecretsUnreadable, message).help(
        "build the image again with complete layers, compressed with gzip or zstd; `[secrets] policy = \"warn\"` lets it through",
    );
    Failed { unreadable: true, diagnostic }
}
