//! The search itself. Blobs are searched in parallel on threads, the largest first. Results of earlier searches come from the
//! cache.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::gather::SearchJob;
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use crate::event::{Event, Reporter};
use oci_content::{SourceError, read_config};
use oci_registry::Digest;
use secret_scan::{BlobError, BlobFacts, BlobReport, ConfigMatch, ReportCache, Rules};

/// The number of bytes after which progress is reported again.
const PROGRESS_STEP: u64 = 4 * 1024 * 1024;

/// The result of searching a blob.
pub(super) enum BlobResult {
    /// A layer, or another blob.
    Content { report: BlobReport, from_cache: bool },
    /// The configuration of an image.
    Config(Vec<ConfigMatch>),
}

/// A failure to search a blob, with its diagnostic.
pub(super) struct SearchFailure {
    /// Whether only the search cannot read it, because it is damaged for example. A push would still send it, because its digest may match.
    pub unreadable: bool,
    pub diagnostic: Diagnostic,
}

/// The results of the blobs that were reached.
pub(super) type BlobResults = BTreeMap<Digest, Result<BlobResult, SearchFailure>>;

/// Searches blobs.
pub(super) struct BlobSearcher<'a> {
    pub rules: &'static Rules,
    pub cache: Option<&'a ReportCache<'static>>,
    pub reporter: &'a Arc<dyn Reporter>,
    pub stopped: &'a (dyn Fn() -> bool + Sync),
}

impl BlobSearcher<'_> {
    /// Searches every blob of `jobs`. If the search is stopped, the blobs that were not reached are missing from the results.
    pub fn search_all(&self, jobs: &BTreeMap<Digest, SearchJob>) -> BlobResults {
        let mut ordered: Vec<&SearchJob> = jobs.values().collect();
        // The slowest blob should not begin last.
        ordered.sort_by_key(|job| std::cmp::Reverse(job.blob.size));
        let next = AtomicUsize::new(0);
        let results = Mutex::new(BTreeMap::new());
        let threads = thread::available_parallelism().map_or(1, usize::from).min(ordered.len());
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(job) = ordered.get(next.fetch_add(1, Ordering::SeqCst)) {
                        if (self.stopped)() {
                            return;
                        }
                        if let Some(result) = self.search(job) {
                            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                            results.insert(job.blob.digest.clone(), result);
                        }
                    }
                });
            }
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Searches one blob. Returns `None` if the search was stopped.
    fn search(&self, job: &SearchJob) -> Option<Result<BlobResult, SearchFailure>> {
        let result = if job.is_config {
            match read_config(job.source.as_ref(), &job.blob) {
                Ok(bytes) => Ok(BlobResult::Config(self.rules.search_config(&bytes))),
                Err(error) => Err(of_source(job, &error)),
            }
        } else {
            self.search_content(job)?
        };
        let (from_cache, found) = match &result {
            Ok(BlobResult::Content { report, from_cache }) => (*from_cache, report.matches.len()),
            Ok(BlobResult::Config(matches)) => (false, matches.len()),
            Err(_) => (false, 0),
        };
        let (digest, size) = (&job.blob.digest, job.blob.size);
        self.reporter.report(&Event::Searched { digest, size, from_cache, found });
        Some(result)
    }

    fn search_content(&self, job: &SearchJob) -> Option<Result<BlobResult, SearchFailure>> {
        let name = job.name.as_deref();
        if let Some(report) = self.cache.and_then(|cache| cache.get(&job.blob.digest, name)) {
            return Some(Ok(BlobResult::Content { report, from_cache: true }));
        }
        let reader = match job.source.open(&job.blob) {
            Ok(reader) => reader,
            Err(error) => return Some(Err(of_source(job, &error))),
        };
        let (digest, size) = (&job.blob.digest, job.blob.size);
        let reported = std::cell::Cell::new(0);
        let progress = |read: u64| {
            if read >= reported.get() + PROGRESS_STEP {
                reported.set(read);
                self.reporter.report(&Event::SearchProgress { digest, size, read });
            }
            !(self.stopped)()
        };
        match self.rules.search_blob(reader, BlobFacts { name, is_layer: job.is_layer }, &progress) {
            Ok(report) => {
                if let Some(cache) = self.cache {
                    cache.put(&job.blob.digest, name, &report);
                }
                Some(Ok(BlobResult::Content { report, from_cache: false }))
            }
            Err(BlobError::Stopped) => None,
            Err(BlobError::Read(error)) => Some(Err(failed(job, &error))),
            Err(BlobError::Malformed(reason)) => Some(Err(unreadable(job, &reason))),
        }
    }
}

/// Returns the failure of a blob that could not be read: the error of its source, or that it is damaged.
fn failed(job: &SearchJob, error: &std::io::Error) -> SearchFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<SourceError>()) {
        Some(error) => of_source(job, error),
        None => unreadable(job, &error.to_string()),
    }
}

fn of_source(job: &SearchJob, error: &SourceError) -> SearchFailure {
    let what = format!("cannot search `{}` for secrets", job.blob.digest);
    SearchFailure { unreadable: false, diagnostic: error.to_diagnostic().about(what) }
}

fn unreadable(job: &SearchJob, reason: &str) -> SearchFailure {
    let what = if job.is_layer { "layer" } else { "blob" };
    cannot_be_searched(&format!("{what} `{}`", job.blob.digest), reason)
}

/// Returns the failure for content that only the search cannot read.
pub(super) fn cannot_be_searched(what: &str, reason: &str) -> SearchFailure {
    let message = format!("{what} cannot be searched for secrets: {reason}");
    let diagnostic = Diagnostic::error(Code::SecretsUnreadable, message).help(
        "build the image again with complete layers, compressed with gzip or zstd; `[secrets] policy = \"warn\"` lets it through",
    );
    SearchFailure { unreadable: true, diagnostic }
}
