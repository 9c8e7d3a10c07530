//! What the rules find and what they leave alone, on texts that are made here: no secret, and nothing of its form,
//! stands in this repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // what goes wrong here fails a test

mod cases;
mod docs;
mod made;
mod near_misses;
mod properties;
mod shown;
mod table;
mod trees;

use super::{Match, Rules};

/// What is found in `text`, of the file `path`.
fn found(path: Option<&str>, text: &[u8]) -> Vec<Match> {
    let mut search = Rules::standard().text(path);
    search.push(text);
    search.finish()
}
