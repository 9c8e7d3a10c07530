//! The table of rules, by theme.

mod forges;
mod names;

use super::rule::Rule;

/// Every rule.
pub(super) fn all() -> Vec<Rule> {
    [forges::RULES, names::RULES].concat()
}
