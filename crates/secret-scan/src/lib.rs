#![doc = include_str!("../README.md")]
//!
//! # How the crate is built
//!
//! In reading order: `rule` is the form of a rule; `rules` is the table; `keywords` is the one pass over all bytes; [`TextSearch`] looks
//! at the bytes near a keyword (`keyword_match`) and at lines (`line_rules`, `settings`); `judge` distinguishes secrets from examples; [`display`] makes texts that
//! may hold a secret fit to be shown; `content` searches blobs and the archives in them; `config` searches configurations of images;
//! `cache` remembers blobs that were searched. No two files import each other.

mod cache;
mod cache_key;
mod checksum;
mod command;
mod compiled;
mod config;
mod content;
pub mod display;
mod judge;
mod keyword_match;
mod keywords;
mod line_rules;
mod lines;
mod matches;
mod places;
mod rule;
mod rules;
mod settings;
mod settings_places;
mod severity;
mod text_matches;
mod text_search;
mod words;
mod work_budget;

pub use cache::ReportCache;
pub use cache_key::CacheKey;
pub use compiled::Rules;
pub use config::{ConfigMatch, ConfigPart};
pub use content::{BlobError, BlobFacts, BlobReport, FileMatch, UnsearchedPart};
pub use judge::is_secret_name;
pub use matches::Match;
pub use rule::Rule;
pub use severity::SecretSeverity;
pub use text_search::TextSearch;

#[cfg(test)]
mod tests;
