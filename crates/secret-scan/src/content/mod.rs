//! The search of blobs: layers, artifacts and other files, in archives and compressed.
//!
//! In reading order: `report` is the result; `bounded_reader` is a stream that can be peeked into; `blob_search` collects the matches;
//! `format` distinguishes formats; `file_search` searches the bytes of a file; `keys` recognizes keys in DER; `tar`, `zip`, `ar` and
//! `git` read the files of archives; `searched_reader` searches the raw bytes of an archive; `blob` recognizes the format of
//! a blob and searches its files.

mod ar;
mod blob;
mod blob_search;
mod bounded_reader;
mod file_search;
mod format;
mod git;
mod key_store;
mod keys;
mod report;
mod searched_reader;
mod tar;
mod zip;
mod zip_directory;

pub use blob::BlobFacts;
pub use report::{BlobError, BlobReport, FileMatch, UnsearchedPart};
