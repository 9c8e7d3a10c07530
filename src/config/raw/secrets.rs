//! `[secrets]`, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::secret_search::SecretPolicy;

/// The search for secrets in what is sent: layers, configurations, annotations.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Secrets {
    /// What a secret does: `"deny"` blocks the plan, `"warn"` tells of it and lets it through, `"off"` searches nothing; each
    /// for every repository. Default: what is sent to repositories that are public is searched, and a secret blocks the plan.
    #[schemars(extend("examples" = ["deny", "warn"]))]
    pub policy: Option<SecretPolicy>,
    /// Findings that are no secrets, each with the reason.
    #[schemars(extend("examples" = [[{ "rule": "private-key", "path": "usr/share/doc/**", "reason": "upstream's test key" }]]))]
    pub allow: Option<Vec<Allow>>,
}

/// A finding that is no secret. At least one of `rule`, `path` and `value` is given, and all that are must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Allow {
    /// The rule that finds it.
    #[schemars(length(min = 1), extend("examples" = ["private-key"]))]
    pub rule: Option<String>,
    /// A glob of the file in its layer: `*` stops at `/`, `**` does not. `!/` stands between an archive and a file in it.
    #[schemars(length(min = 1), extend("examples" = ["usr/share/doc/**"]))]
    pub path: Option<String>,
    /// The fingerprint of the value, as the finding shows it: all of it, or its first 12 digits and more.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{12,64}$"), extend("examples" = ["sha256:9f86d081884c"]))]
    pub value: Option<String>,
    /// Why it is no secret.
    #[schemars(required, length(min = 1), extend("examples" = ["upstream's test key"]))]
    pub reason: Option<String>,
}
