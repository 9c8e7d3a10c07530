//! Tests of the program and the library that need only git and the programs of every system.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails a test")]

mod architecture;
mod chart_rules;
mod checks;
mod cli_help;
mod conflicts;
mod corpus;
mod diagnostics;
mod docs;
mod error_pages;
mod foreign_property;
mod forward_property;
mod fuzz_corpus;
mod hostile_plan;
mod hostile_sources;
mod init;
mod lint_command;
mod preflight;
mod prune_github;
mod quickstart;
mod record;
mod referrers;
mod registry_directory;
mod registry_github;
mod registry_http;
mod requests;
mod schema;
mod security;
mod stages;
mod streams;
mod tags_command;
mod terminal;
mod visibility;

/// The bodies of the fuzz targets.
#[path = "../fuzz/entry.rs"]
mod entry;
#[path = "../support/silent_reporter.rs"]
mod silent_reporter;
#[path = "../support/small_image.rs"]
mod small_image;
