//! The environment variables whose values a plan sends, by name, each with the host that receives it. It never contains a value.

use serde::{Deserialize, Serialize};

/// The credentials of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedCredentials {
    /// The reason why no credentials were sent for the plan: the run is that of a pull request from a fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<String>,
    /// The environment variables whose values may be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<PlannedVariable>,
}

/// An environment variable, and the host that its value may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedVariable {
    /// The name of the variable.
    pub variable: String,
    /// The host.
    pub host: String,
}

impl PlannedCredentials {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns one line for people, or `None` if there is nothing to say.
    pub fn line(&self) -> Option<String> {
        if let Some(why) = &self.anonymous {
            return Some(format!("credentials: none are sent: {why}"));
        }
        let mut names: Vec<&str> = self.variables.iter().map(|it| it.variable.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let hosts = |name: &str| {
            let of = self.variables.iter().filter(|it| it.variable == name);
            of.map(|it| it.host.as_str()).collect::<Vec<_>>().join(" and ")
        };
        let shown: Vec<String> = names.iter().map(|name| format!("{name} to {}", hosts(name))).collect();
        (!shown.is_empty()).then(|| format!("credentials: {}", shown.join(", ")))
    }
}
