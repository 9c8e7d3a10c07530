//! What the rules find and what they leave alone, on texts that are made here: no secret, and nothing of its form,
//! stands in this repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // what goes wrong here fails a test

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

/// Stands for the path of a file where a text is a command.
const COMMAND: &str = "(a command)";

/// What is found in `text`, of the file `path`.
fn found(path: Option<&str>, text: &[u8]) -> Vec<Match> {
    if path == Some(COMMAND) {
        return Rules::standard().command(std::str::from_utf8(text).expect("a text"));
    }
    let mut search = Rules::standard().text(path);
    search.push(text);
    search.finish()
}
