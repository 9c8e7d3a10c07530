//! Who may pull from a repository: as declared, as observed, and what is to be done about the difference.

use serde::{Deserialize, Serialize};

/// Who may pull from a repository, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody, without credentials.
    Public,
    /// Those whom the registry was told of.
    Private,
    /// The members of the organization or enterprise; not everybody.
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

/// Who should be able to pull, and who is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VisibilityChange {
    /// What `publish.toml` declares.
    pub declared: Visibility,
    /// What an anonymous pull showed.
    pub observed: ObservedVisibility,
    /// What the registry's API says, where it was asked and knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Visibility>,
    /// What is to be done.
    pub action: VisibilityAction,
    /// Whether the registry's API can set it: now, or once content is there that differs from what is declared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settable: bool,
    /// Whether nobody can take it back: GitHub makes no public package private again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
    /// What else changes with it, where that is more than the repository: the whole project, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wide: Option<String>,
    /// Why it is not set by the registry's API, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The page where a person can change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_url: Option<String>,
}

/// What to say where a public package should be private.
pub const IRREVERSIBLE: &str =
    "irreversible: GitHub does not make a public package private again; delete it and publish anew";

/// What an anonymous pull showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObservedVisibility {
    /// Everybody can pull.
    Public,
    /// Not everybody can pull.
    NotPublic,
    /// There is nothing yet that could be pulled.
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

/// What is to be done about visibility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VisibilityAction {
    /// It is as declared.
    NoOp,
    /// The registry's API is told.
    Set,
    /// A person has to change it.
    ByHand,
    /// It shows once content is there; where the registry's API can set it, that is done then.
    AfterApply,
}

/// Whether what was seen is what is `declared`; `None` where nothing was seen that tells. An anonymous pull is the proof,
/// and what the registry's API says must not contradict it.
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

/// What was seen, in words: what the API says, and what an anonymous pull showed where that is another thing.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anonymous_pull_proves_what_the_api_must_not_contradict() {
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
    fn what_was_seen_is_said_in_words() {
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
