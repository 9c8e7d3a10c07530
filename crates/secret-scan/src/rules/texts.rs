//! Secrets of many issuers, recognized by the form of the text around them.

use crate::rule::{Detection, NearKeyword, PatternStart, Rule, ValueCheck};
use crate::severity::SecretSeverity;

/// RFC 7519: three parts in base64, of which the first two are JSON objects. The keywords are the usual beginnings of the first part.
pub(super) const JWT: NearKeyword = NearKeyword {
    keywords: &["eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi"],
    start: PatternStart::Here,
    pattern: r"eyJ[0-9A-Za-z_-]{14,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{20,}",
    entropy: 3.5,
    check: ValueCheck::Jwt,
};

pub(super) const RULES: &[Rule] = &[
    // RFC 3986, section 3.2.1: the text after the colon should not be shown.
    Rule {
        id: "url-with-password",
        title: "URL with a password",
        severity: SecretSeverity::High,
        description: "A password in a URL; medium severity unless it looks random and the host is another machine. In variables, a \
                password of eight characters of two kinds is enough.",
        detection: Detection::Keyword(NearKeyword {
            keywords: &["://"],
            start: PatternStart::Within,
            pattern: r#"://[^\s/?#:@"'`<>\\|(){}\[\],;=$*]{0,64}:(?P<value>[^\s/?#:@"'`<>\\|(){}\[\],;]{4,128})@(?:[0-9A-Za-z][0-9A-Za-z._-]*|\[[0-9a-fA-F:.]+\])"#,
            entropy: 2.0,
            check: ValueCheck::UrlPassword,
        }),
    },
    // git-scm.com, gitcredentials: a token may take the place of the user.
    Rule::near(
        "url-with-token",
        "URL with a token",
        "A token at the place of the user in a URL.",
        NearKeyword {
            keywords: &["://"],
            start: PatternStart::Within,
            pattern: r"://(?P<value>[0-9A-Za-z_.~%-]{20,255})(?::x-oauth-basic|:)?@(?:[0-9A-Za-z][0-9A-Za-z._-]*)",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    Rule {
        id: "jwt",
        title: "JSON Web Token",
        severity: SecretSeverity::Low,
        description: "A JSON Web Token. Most are valid for minutes; medium severity if it is valid forever, high if it is a `service_role` key of \
            Supabase.",
        detection: Detection::Keyword(JWT),
    },
];
