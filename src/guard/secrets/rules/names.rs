//! Files that are secrets, or hold such, by their names.

use crate::guard::secrets::rule::{Find, Name, Rule};
use crate::model::Severity;

pub(super) const RULES: &[Rule] = &[Rule {
    id: "dotenv-file",
    title: "`.env` file",
    severity: Severity::Medium,
    about: "A file of environment variables, which often holds secrets.",
    find: Find::Name(Name { files: &[".env"] }),
}];
