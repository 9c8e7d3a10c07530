//! Tokens of CI, package registries and observability, and secrets that tools of development write.

use crate::rule::{NearKeyword, PatternStart, Rule, ValueCheck};

pub(super) const RULES: &[Rule] = &[
    // docs.sonarsource.com, "Managing tokens".
    Rule::token(
        "sonar-token",
        "Sonar token",
        "A SonarQube or SonarCloud user, project or global token.",
        &["squ_", "sqp_", "sqa_"],
        "sq[upa]_[0-9a-f]{40}",
    ),
    // circleci.com, "Managing API tokens".
    Rule::token(
        "circleci-token",
        "CircleCI token",
        "A CircleCI personal or project token.",
        &["CCIPAT_", "CCIPRJ_"],
        "CCI(?:PAT|PRJ)_[0-9A-Za-z]{20,24}_[0-9a-z]{40}",
    ),
    // buildkite.com, "Managing API access tokens".
    Rule::token(
        "buildkite-token",
        "Buildkite token",
        "A Buildkite user, agent or cluster token.",
        &["bkua_", "bkaa_", "bkct_", "bkpt_", "bkrt_", "bkat_", "bkaj_", "bkar_", "bkpat_", "bkps_"],
        "bk(?:ua|aa|ct|pt|rt|at|aj|ar|pat|ps)_[0-9A-Za-z_-]{32,340}",
    ),
    // jfrog.com, "Reference tokens"; gitleaks' rule.
    Rule::near(
        "jfrog-reference-token",
        "JFrog reference token",
        "A JFrog reference token.",
        NearKeyword {
            keywords: &["cmVmd"],
            start: PatternStart::Here,
            pattern: "cmVmd[0-9A-Za-z]{59}",
            entropy: 4.0,
            check: ValueCheck::Form,
        },
    ),
    // github.com/clojars/clojars-web, "Deploy tokens".
    Rule::token(
        "clojars-token",
        "Clojars token",
        "A Clojars deploy token.",
        &["CLOJARS_"],
        "CLOJARS_[0-9a-z]{60}",
    ),
    // learn.microsoft.com, "Scoped API keys": 46 characters.
    Rule::near(
        "nuget-key",
        "NuGet key",
        "A NuGet API key.",
        NearKeyword {
            keywords: &["oy2"],
            start: PatternStart::Here,
            pattern: "oy2[0-9a-z]{43}",
            entropy: 3.3,
            check: ValueCheck::Random,
        },
    ),
    // github.com/rust-lang/crates.io, `PlainToken`.
    Rule::near(
        "crates-token",
        "crates.io token",
        "A token of crates.io.",
        NearKeyword {
            keywords: &["cio"],
            start: PatternStart::Here,
            pattern: "cio[0-9A-Za-z]{32}",
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
    // docs.gitlab.com, "Token prefixes".
    Rule::token(
        "gitlab-runner-registration",
        "GitLab runner registration token",
        "A registration token of GitLab runners.",
        &["GR1348941"],
        "GR1348941[0-9A-Za-z_-]{20,50}",
    ),
    // docs.dynatrace.com, "Token format".
    Rule::token(
        "dynatrace-token",
        "Dynatrace token",
        "A Dynatrace API or platform token.",
        &["dt0c01.", "dt0s01.", "dt0s02.", "dt0s06.", "dt0s08.", "dt0s16."],
        r"dt0[a-z][0-9]{2}\.[0-9A-Za-z]{8,24}\.[0-9A-Za-z]{64}",
    ),
    // docs.newrelic.com, "New Relic API keys": 40 characters.
    Rule::near(
        "new-relic-license-key",
        "New Relic license key",
        "A New Relic license or insert key.",
        NearKeyword {
            keywords: &["NRAL"],
            start: PatternStart::Back(36),
            pattern: "[0-9a-zA-Z]{36}NRAL",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::token(
        "new-relic-insert-key",
        "New Relic insert key",
        "A New Relic insert or query key.",
        &["NRII-", "NRIQ-"],
        "NRI[IQ]-[0-9A-Za-z_-]{28,36}",
    ),
    Rule::token(
        "honeycomb-key",
        "Honeycomb key",
        "A Honeycomb ingest or management key.",
        &["hcaik_", "hcbik_", "hccik_", "hcdik_", "hcxik_", "hcamk_"],
        "hc[a-z][a-z]k_[0-9a-z]{26}[0-9A-Za-z]{20,40}",
    ),
    // grafana.com, "API keys": base64 of JSON.
    Rule::token(
        "grafana-api-key",
        "Grafana API key",
        "A Grafana API key of the older form.",
        &["eyJrIjoi"],
        "eyJrIjoi[0-9A-Za-z+/]{40,400}={0,2}",
    ),
    Rule::near(
        "octopus-key",
        "Octopus Deploy key",
        "An Octopus Deploy API key.",
        NearKeyword {
            keywords: &["API-"],
            start: PatternStart::Here,
            pattern: "API-[0-9A-Z]{26,34}",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::token(
        "prefect-key",
        "Prefect key",
        "A Prefect API key.",
        &["pnu_", "pnb_"],
        "pn[ub]_[0-9A-Za-z]{36}",
    ),
    Rule::token("readme-key", "ReadMe key", "A ReadMe API key.", &["rdme_"], "rdme_[0-9a-z]{70}"),
    Rule::token(
        "sourcegraph-token",
        "Sourcegraph token",
        "A Sourcegraph access token.",
        &["sgp_"],
        "sgp_(?:(?:[0-9a-fA-F]{16}|local)_)?[0-9a-fA-F]{40}",
    ),
    Rule::near(
        "maxmind-key",
        "MaxMind license key",
        "A MaxMind license key.",
        NearKeyword {
            keywords: &["_mmk"],
            start: PatternStart::Back(36),
            pattern: "[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk",
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::near(
        "launchdarkly-key",
        "LaunchDarkly key",
        "A LaunchDarkly SDK key or API token.",
        NearKeyword {
            keywords: &["sdk-", "api-"],
            start: PatternStart::Here,
            pattern: "(?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            entropy: 3.0,
            check: ValueCheck::Random,
        },
    ),
    Rule::token(
        "posthog-key",
        "PostHog key",
        "A PostHog personal API key.",
        &["phx_"],
        "phx_[0-9A-Za-z]{40,60}",
    ),
    Rule::token(
        "snyk-token",
        "Snyk token",
        "A Snyk token of a service account.",
        &["snyk_uat.", "snyk_sat."],
        r"snyk_[us]at\.[0-9A-Za-z_-]{6,10}\.[0-9A-Za-z_-]{60,2000}(?:\.[0-9A-Za-z_-]{20,200})?",
    ),
    Rule::token(
        "semgrep-token",
        "Semgrep token",
        "A Semgrep token with a prefix.",
        &["sgs_"],
        "sgs_[0-9a-f]{64}",
    ),
    Rule::near(
        "docker-identity-token",
        "Docker identity token",
        "An identity or registry token, as in Docker's config.json.",
        NearKeyword {
            keywords: &["\"identitytoken\"", "\"registrytoken\""],
            start: PatternStart::Within,
            pattern: r#""(?:identity|registry)token"\s{0,8}:\s{0,8}"(?P<value>[^"\s]{16,1900})""#,
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    Rule::near(
        "private-key-in-base64",
        "Private key in base64",
        "A private key in PEM, wrapped in base64.",
        NearKeyword {
            keywords: &["LS0tLS1CRUdJTi"],
            start: PatternStart::Within,
            pattern: "LS0tLS1CRUdJTi[0-9A-Za-z+/=]{80,1900}",
            entropy: 0.0,
            check: ValueCheck::PemInBase64,
        },
    ),
    Rule::near(
        "private-jwk",
        "Private JSON Web Key",
        "A private key in JSON: RFC 7517.",
        NearKeyword {
            keywords: &["\"d\"", "\"k\""],
            start: PatternStart::Within,
            pattern: r#""[dk]"\s{0,8}:\s{0,8}"(?P<value>[0-9A-Za-z_-]{40,1400})""#,
            entropy: 4.0,
            check: ValueCheck::NearJwk,
        },
    ),
    Rule::near(
        "basic-auth-header",
        "Basic authorization header",
        "A user and password or token in a `Basic` header, as actions/checkout writes them to `.git/config`.",
        NearKeyword {
            keywords: &["uthorization", "UTHORIZATION"],
            start: PatternStart::Within,
            pattern: r#"(?i:uthorization)(?:["']|\\")?\s{0,4}[:=,]?\s{0,4}(?:["']|\\")?(?i:basic)\s{1,4}(?P<value>[0-9A-Za-z+/]{10,1800}={0,2})"#,
            entropy: 3.0,
            check: ValueCheck::HeaderAuth,
        },
    ),
    Rule::near(
        "sigstore-key",
        "Signing key of cosign",
        "A private key of cosign or sigstore, protected only by its passphrase.",
        NearKeyword {
            keywords: &["COSIGN PRIVATE KEY-----", "SIGSTORE PRIVATE KEY-----"],
            start: PatternStart::Text("-----BEGIN "),
            pattern: r#"-----BEGIN ENCRYPTED (?:COSIGN|SIGSTORE) PRIVATE KEY-----(?:\\[nr]|[\s"\x27+,;\\])+(?P<value>(?:(?:\\[nr]|\s){0,4}[0-9A-Za-z+/=]){60,})"#,
            entropy: 3.0,
            check: ValueCheck::Form,
        },
    ),
    // RFC 6750, section 2.1.
    Rule::near(
        "bearer-header",
        "Bearer authorization header",
        "A token that looks random in a `Bearer` or `token` header.",
        NearKeyword {
            keywords: &["uthorization", "UTHORIZATION"],
            start: PatternStart::Within,
            pattern: r#"(?i:uthorization)(?:["']|\\")?\s{0,4}[:=,]\s{0,4}(?:["']|\\")?(?i:bearer|token)\s{1,4}(?P<value>[0-9A-Za-z+/=._~-]{20,1800})"#,
            entropy: 3.5,
            check: ValueCheck::Random,
        },
    ),
];
