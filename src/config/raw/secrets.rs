//! `[secrets]`, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::secret_search::{BlockingSeverity, SecretPolicy, UnsearchedPolicy};

/// The search for secrets in the content that is sent: layers, configurations, annotations.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Secrets")]
pub(in crate::config) struct RawSecrets {
    /// The effect of a secret: `"deny"` blocks the plan, `"warn"` reports it and lets it through, `"off"` does not search. Each
    /// applies to every repository. Default: content for public repositories is searched, and a secret blocks the plan.
    #[schemars(extend("examples" = ["deny", "warn"]))]
    pub policy: Option<SecretPolicy>,
    /// The least severity of a finding that blocks the plan: `"high"`, or `"medium"` for findings of severity medium too. Default:
    /// `"high"`.
    #[schemars(extend("examples" = ["medium"]))]
    pub block: Option<BlockingSeverity>,
    /// The effect of a file that could not be searched to its end, such as an encrypted archive: `"deny"` blocks the plan, `"warn"` reports
    /// it and lets it through. Default: `"warn"`.
    #[schemars(extend("examples" = ["deny"]))]
    pub unsearched: Option<UnsearchedPolicy>,
    /// Findings that are not secrets, each with the reason.
    #[schemars(extend("examples" = [[{ "rule": "private-key", "path": "usr/share/doc/**", "reason": "upstream's test key" }]]))]
    pub allow: Option<Vec<Allow>>,
}

/// A finding that is not a secret. At least one of `rule`, `path`, `part` and `value` must be given, and all given ones must match.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Allow {
    /// The rule that finds it.
    #[schemars(length(min = 1), extend("examples" = ["private-key"]))]
    pub rule: Option<String>,
    /// A glob of the file in its layer: `*` stops at `/`, `**` does not. `!/` separates an archive from a file in it.
    #[schemars(length(min = 1), extend("examples" = ["usr/share/doc/**"]))]
    pub path: Option<String>,
    /// The part of the configuration of an image, or the key of the annotation, exactly as the finding shows it.
    #[schemars(length(min = 1), extend("examples" = ["environment variable `DEMO_PASSWORD`"]))]
    pub part: Option<String>,
    /// The fingerprint of the value, as the finding shows it: the whole, or at least its first 12 digits.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{12,64}$"), extend("examples" = ["sha256:9f86d081884c"]))]
    pub value: Option<String>,
    /// The reason why it is not a secret.
    #[schemars(required, length(min = 1), extend("examples" = ["upstream's test key"]))]
    pub reason: Option<String>,
}
