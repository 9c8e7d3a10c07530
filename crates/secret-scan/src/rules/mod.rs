//! The table of rules, by theme. If rules find overlapping values, the first one counts.
//!
//! Formats are those that issuers publish, or that real tokens have; each entry names its source. A secret without a distinctive
//! form is found by its name (`variables`), and only at places where names are names of variables.

mod clouds;
mod commerce;
mod development;
mod files;
mod forges;
mod keys;
mod marked;
mod models;
mod names;
mod packages;
mod platforms;
mod services;
mod texts;
mod variables;
mod workplace;

use crate::rule::Rule;

/// Every rule.
pub(crate) fn all() -> Vec<Rule> {
    [
        forges::RULES,
        packages::RULES,
        clouds::RULES,
        models::RULES,
        services::RULES,
        platforms::RULES,
        commerce::RULES,
        development::RULES,
        workplace::RULES,
        marked::RULES,
        keys::RULES,
        texts::RULES,
        files::RULES,
        variables::RULES,
        names::RULES,
    ]
    .concat()
}
