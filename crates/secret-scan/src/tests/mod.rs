//! Tests that rules find secrets and leave other texts alone. The texts are made by the tests: this repository contains no secret,
//! and nothing in the form of one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a panic here fails a test

mod blob_archives;
mod blob_entries;
mod blob_fixtures;
mod blob_formats;
mod blob_nested;
mod cases;
mod commands;
mod configs;
mod display;
mod made;
mod near_misses;
mod properties;
mod shown;
mod table;
mod tokens;
mod trees;
