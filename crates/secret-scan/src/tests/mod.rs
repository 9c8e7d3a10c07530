//! Tests that rules find secrets and leave other texts alone. The texts are made by the tests: this repository contains no secret,
//! and nothing in the form of one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a panic here fails a test

mod cases;
mod commands;
mod docs;
mod made;
mod near_misses;
mod properties;
mod shown;
mod table;
mod trees;

use super::{Match, Rules};

/// The path that marks a text as a command.
const COMMAND: &str = "(a command)";

/// Returns the findings in `text`, the contents of the file `path`.
fn found(path: Option<&str>, text: &[u8]) -> Vec<Match> {
    if path == Some(COMMAND) {
        return Rules::standard().command(std::str::from_utf8(text).expect("a text"));
    }
    let mut search = Rules::standard().text(path);
    search.push(text);
    search.finish()
}
