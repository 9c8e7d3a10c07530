//! Tokens of GitHub, GitLab and similar forges.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // github.blog, "GitHub App installation tokens" (2026): the ID of the app, and a JSON Web Token.
    Rule::token(
        "github-app-token",
        "GitHub app token",
        "A GitHub token of an app or of Actions, in the form with the ID of the app and a JSON Web Token.",
        &["ghs_"],
        r"ghs_[0-9]{1,20}_eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}",
    ),
    // github.blog, "Behind GitHub's new authentication token formats" (2021): the prefixes, and the checksum.
    Rule::near(
        "github-token",
        "GitHub token",
        "A GitHub personal, OAuth, user, server or refresh token; medium severity in packages if its checksum is wrong.",
        NearKeyword {
            keywords: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
            start: PatternStart::Here,
            pattern: "gh[pousr]_[0-9A-Za-z]{36}",
            entropy: 3.0,
            check: ValueCheck::Crc32,
        },
    ),
    // 22 characters that identify the token, and 59 that are secret.
    Rule::token(
        "github-fine-grained-token",
        "GitHub fine-grained token",
        "A GitHub personal access token that is limited to some repositories.",
        &["github_pat_"],
        "github_pat_[0-9A-Za-z_]{82}",
    ),
    // docs.gitlab.com, "Token prefixes". Routable tokens have two more parts.
    Rule::token(
        "gitlab-token",
        "GitLab token",
        "A GitLab personal, deploy, runner, trigger, feed, agent or CI job token.",
        &[
            "glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glcbt-", "glagent-", "gloas-", "glsoat-",
            "glffct-", "glimt-", "glwt-",
        ],
        r"gl(?:pat|dt|rt|ptt|ft|cbt|agent|oas|soat|ffct|imt|wt)-[0-9A-Za-z_-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?",
    ),
    // support.atlassian.com, "Manage API tokens": ATATT3 for accounts, ATCTT3 for access tokens of repositories, ATBB for app
    // passwords.
    Rule::token(
        "atlassian-token",
        "Atlassian token",
        "An Atlassian API token, or a Bitbucket access token or app password.",
        &["ATAT", "ATCTT3", "ATBB"],
        "(?:ATAT[0-9A-Za-z_=-]{100,220}|ATCTT3[0-9A-Za-z_=-]{160,220}|ATBB[0-9A-Za-z]{24}[0-9A-F]{8})",
    ),
];
