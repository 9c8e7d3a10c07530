//! The table of rules, by theme. Of rules that find overlapping values the first counts.
//!
//! Formats are those that their issuers publish, or that tokens are seen to have; each entry names what it goes by. A
//! secret without a form of its own is found by its name (`variables`), and only where names are those of variables.

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
use crate::model::Severity;

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

/// A token that its prefixes and its form tell: of high severity, and nothing of a word around it.
const fn token(
    id: &'static str,
    title: &'static str,
    about: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    near(id, title, about, Near { keywords, start: Start::Here, pattern, entropy: 3.0, check: Check::Form })
}

/// A rule of high severity about what stands near keywords.
const fn near(id: &'static str, title: &'static str, about: &'static str, near: Near) -> Rule {
    Rule { id, title, severity: Severity::High, about, find: Find::Near(near) }
}
