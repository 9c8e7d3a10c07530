//! The search for secrets in bytes, names of files and environment variables, by rules of our own.
//!
//! In reading order: [`rule`] defines the form of a rule; `rules` is the table; `keywords` is the one pass over all bytes;
//! [`Search`] looks at the bytes near a keyword; `judge` distinguishes secrets from examples. Other modules decide which
//! bytes are searched, and what a finding means for a plan.

mod checksum;
mod command;
mod compiled;
pub mod content;
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
mod severity;

pub use compiled::Rules;
pub use found::Match;
pub use rule::Rule;
pub use search::Search;
pub use severity::Severity;

#[cfg(test)]
mod tests;
