//! The search for secrets in bytes, names of files and environment variables, by rules of our own.
//!
//! Read in this order: [`rule`], what a rule says; `rules`, the table; `keywords`, the one pass over all bytes;
//! [`Search`], which looks at what is near a keyword; `judge`, which tells a secret from an example. What is searched, and
//! what happens with what is found, is decided elsewhere.

mod checksum;
mod command;
mod compiled;
mod findings;
mod found;
mod judge;
mod keywords;
mod lines;
mod look;
mod places;
pub mod rule;
mod rules;
mod search;

pub use compiled::Rules;
pub use found::Match;
pub use rule::Rule;
pub use search::Search;

#[cfg(test)]
mod tests;
