//! The table of rules, by theme. If rules find overlapping values, the first one counts.
//!
//! Formats are those that issuers publish, or that real tokens have; each entry names its source. A secret without a distinctive
//! form is found by its name (`variables`), and only at places where names are names of variables.

mod clouds;
mod files;
mod forges;
mod keys;
mod models;
mod names;
mod packages;
mod services;
mod texts;
mod variables;

use super::rule::{Check, Find, Near, Rule, Start};
use crate::Severity;

/// Every rule.
pub(super) fn all() -> Vec<Rule> {
    [
        forges::RULES,
        packages::RULES,
        clouds::RULES,
        models::RULES,
        services::RULES,
        keys::RULES,
        texts::RULES,
        files::RULES,
        variables::RULES,
        names::RULES,
    ]
    .concat()
}

/// Returns a rule of high severity for a token that is recognized by its prefix and its form, with no word characters around it.
const fn token(
    id: &'static str,
    title: &'static str,
    about: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    near(id, title, about, Near { keywords, start: Start::Here, pattern, entropy: 3.0, check: Check::Form })
}

/// Returns a rule of high severity about the bytes near keywords.
const fn near(id: &'static str, title: &'static str, about: &'static str, near: Near) -> Rule {
    Rule { id, title, severity: Severity::High, about, find: Find::Near(near) }
}
