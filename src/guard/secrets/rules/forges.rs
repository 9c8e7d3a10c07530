//! Tokens of forges: GitHub, GitLab and their like.

use crate::guard::secrets::rule::{Check, Find, Near, Rule, Start};
use crate::model::Severity;

pub(super) const RULES: &[Rule] = &[Rule {
    id: "github-token",
    title: "GitHub token",
    severity: Severity::High,
    about: "A personal, OAuth, user, server or refresh token of GitHub.",
    find: Find::Near(Near {
        keywords: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        start: Start::Here,
        pattern: "gh[pousr]_[0-9A-Za-z]{36}",
        entropy: 3.0,
        check: Check::Crc32,
    }),
}];
