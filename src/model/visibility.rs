//! The visibility of a repository, as declared and as observed, and the action to take about a difference.

use oci_registry::Provider;
use serde::{Deserialize, Serialize};

/// The declared visibility of a repository: who may pull from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody, without credentials.
    Public,
    /// Only those who were given access in the registry.
    Private,
    /// The members of the organization or enterprise, but not everybody.
    Internal,
}

impl Visibility {
    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Internal => "internal",
        }
    }
}

/// The declared and the actual visibility, and the action to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VisibilityChange {
    /// The visibility that `publish.toml` declares.
    pub declared: Visibility,
    /// The visibility that an anonymous pull showed.
    pub observed: ObservedVisibility,
    /// The visibility that the registry's API reports, if it was asked and knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Visibility>,
    /// The action to take.
    pub action: VisibilityAction,
    /// Whether the registry's API can set it: now, or once there is content whose visibility is not as declared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settable: bool,
    /// Whether nobody can undo it: GitHub does not make a public package private again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
    /// Everything that changes with it, in words, if that is more than the repository: the whole project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wide: Option<String>,
    /// The reason why it is not set through the registry's API, or why it is unknown, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The page where a person can change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_url: Option<String>,
}

/// The message for a public package that should be private.
pub const IRREVERSIBLE: &str =
    "irreversible: GitHub does not make a public package private again; delete it and publish anew";

/// The visibility that an anonymous pull showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObservedVisibility {
    /// Everybody can pull.
    Public,
    /// Not everybody can pull.
    NotPublic,
    /// There is nothing to pull yet.
    Absent,
    /// The registry did not answer the question.
    Unknown,
}

impl ObservedVisibility {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::NotPublic => "private",
            Self::Absent => "not there yet",
            Self::Unknown => "unknown",
        }
    }
}

/// The action to take about visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VisibilityAction {
    /// It is as declared.
    NoOp,
    /// It is set through the registry's API.
    Set,
    /// A person has to change it.
    ByHand,
    /// It is known only once there is content. If the registry's API can set it, it is set then.
    AfterApply,
}

/// Whether the visibility is as `declared`; `None` if that is unknown. The anonymous pull is the proof, and the registry's API
/// must not contradict it.
pub fn as_declared(
    declared: Visibility,
    setting: Option<Visibility>,
    observed: ObservedVisibility,
) -> Option<bool> {
    let pulled = match observed {
        ObservedVisibility::Public => Some(declared == Visibility::Public),
        ObservedVisibility::NotPublic => Some(declared != Visibility::Public),
        ObservedVisibility::Absent | ObservedVisibility::Unknown => None,
    };
    if setting.is_some_and(|setting| setting != declared) { Some(false) } else { pulled }
}

/// Describes the visibility in words: the one that the API reports, and the result of the anonymous pull if that differs.
pub fn seen_words(setting: Option<Visibility>, observed: ObservedVisibility) -> String {
    match (setting, observed) {
        (None, observed) => observed.as_str().to_owned(),
        (Some(Visibility::Public), ObservedVisibility::NotPublic) => {
            "public, but an anonymous pull is refused".to_owned()
        }
        (Some(setting), ObservedVisibility::Public) if setting != Visibility::Public => {
            format!("{}, but everybody can pull", setting.as_str())
        }
        (Some(setting), _) => setting.as_str().to_owned(),
    }
}

impl Visibility {
    /// The visibilities that `provider` knows. `internal` means the members of an organization or enterprise at GitHub, and
    /// everybody with an account at GitLab.
    pub fn of_provider(provider: Provider) -> &'static [Self] {
        match provider {
            Provider::Github | Provider::Gitlab => &[Self::Public, Self::Private, Self::Internal],
            Provider::Dockerhub | Provider::Quay | Provider::Harbor => &[Self::Public, Self::Private],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_must_not_contradict_an_anonymous_pull() {
        use ObservedVisibility::{Absent, NotPublic, Public, Unknown};
        let (public, private, internal) = (Visibility::Public, Visibility::Private, Visibility::Internal);
        for (declared, setting, observed, expected) in [
            (public, None, Public, Some(true)),
            (public, None, NotPublic, Some(false)),
            (public, None, Absent, None),
            (public, None, Unknown, None),
            (private, None, NotPublic, Some(true)),
            (private, None, Public, Some(false)),
            (internal, None, NotPublic, Some(true)),
            (public, Some(public), Public, Some(true)),
            (public, Some(public), NotPublic, Some(false)),
            (public, Some(public), Unknown, None),
            (public, Some(private), Public, Some(false)),
            (private, Some(internal), NotPublic, Some(false)),
            (internal, Some(internal), NotPublic, Some(true)),
            (private, Some(private), Public, Some(false)),
            (private, Some(public), Unknown, Some(false)),
        ] {
            assert_eq!(
                as_declared(declared, setting, observed),
                expected,
                "{declared:?} {setting:?} {observed:?}"
            );
        }
    }

    #[test]
    fn the_visibility_is_described_in_words() {
        for (setting, observed, expected) in [
            (None, ObservedVisibility::NotPublic, "private"),
            (Some(Visibility::Internal), ObservedVisibility::NotPublic, "internal"),
            (Some(Visibility::Private), ObservedVisibility::Absent, "private"),
            (Some(Visibility::Public), ObservedVisibility::Public, "public"),
            (
                Some(Visibility::Public),
                ObservedVisibility::NotPublic,
                "public, but an anonymous pull is refused",
            ),
            (Some(Visibility::Private), ObservedVisibility::Public, "private, but everybody can pull"),
        ] {
            assert_eq!(seen_words(setting, observed), expected);
        }
    }
}
