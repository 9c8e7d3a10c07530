//! Tokens of package registries and image registries.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // github.blog, "npm has a new access token format" (2021): the same form as GitHub's tokens.
    Rule::near(
        "npm-token",
        "npm token",
        "An npm access token; medium severity in packages if its checksum is wrong.",
        NearKeyword {
            keywords: &["npm_"],
            start: PatternStart::Here,
            pattern: "npm_[0-9A-Za-z]{36}",
            entropy: 3.0,
            check: ValueCheck::Crc32,
        },
    ),
    // docs.npmjs.com, "npmrc": `//HOST/:_authToken=` and `:_password=`.
    Rule::near(
        "npmrc-auth",
        "npm credential",
        "A token or password for a registry in npm's settings.",
        NearKeyword {
            keywords: &[":_authToken", " _authToken", "\n_authToken", ":_password"],
            start: PatternStart::Within,
            pattern: r#"(?:[:\s]_authToken|:_password)[ \t]{0,4}[= ][ \t]{0,4}["']?(?P<value>[0-9A-Za-z+/=._~-]{12,1024})"#,
            entropy: 2.5,
            check: ValueCheck::Form,
        },
    ),
    // A macaroon for pypi.org or test.pypi.org, in base64 (warehouse, `macaroons`).
    Rule::token(
        "pypi-token",
        "PyPI token",
        "A PyPI or TestPyPI API token.",
        &["pypi-AgE"],
        "pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[0-9A-Za-z_-]{50,1500}",
    ),
    // rubygems.org, "API keys": 48 hexadecimal digits.
    Rule::token(
        "rubygems-key",
        "RubyGems key",
        "A RubyGems API key.",
        &["rubygems_"],
        "rubygems_[0-9a-f]{48}",
    ),
    // docs.docker.com, "Personal access tokens" and "Organization access tokens".
    Rule::token(
        "docker-hub-token",
        "Docker Hub token",
        "A Docker Hub personal or organization access token.",
        &["dckr_pat_", "dckr_oat_"],
        "dckr_[po]at_[0-9A-Za-z_-]{27,64}",
    ),
    // docs.docker.com, "docker login": base64 of USER:PASSWORD in `auths`.
    Rule::near(
        "docker-config-auth",
        "Docker registry credential",
        "A user and password for a registry, as in Docker's config.json.",
        NearKeyword {
            keywords: &["\"auth\""],
            start: PatternStart::Within,
            pattern: r#""auth"\s{0,8}:\s{0,8}"(?P<value>[0-9A-Za-z+/]{10,1500}={0,2})""#,
            entropy: 2.5,
            check: ValueCheck::BasicAuth,
        },
    ),
    // jfrog.com, "Artifactory API key": 73 characters.
    Rule::token(
        "artifactory-key",
        "Artifactory key",
        "A JFrog Artifactory API key.",
        &["AKCp"],
        "AKCp[0-9A-Za-z]{68,70}",
    ),
];
