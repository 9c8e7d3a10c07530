//! The providers of registries that have an API besides the registry API.

use serde::{Deserialize, Serialize};

/// A provider of registries that has an API besides the registry API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub: its container registry deletes nothing itself; its packages API deletes, and reports who may pull.
    Github,
    /// Docker Hub: its API reports and sets who may pull.
    Dockerhub,
    /// Quay: its API reports and sets who may pull.
    Quay,
    /// Harbor: its API reports and sets who may pull from a project.
    Harbor,
    /// GitLab: its API reports and sets who may pull from a project.
    Gitlab,
}

impl Provider {
    /// Returns the provider whose registry has this well-known host. Harbor has no such host.
    pub fn of_host(host: &str) -> Option<Self> {
        match host {
            "ghcr.io" => Some(Self::Github),
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => Some(Self::Dockerhub),
            "quay.io" => Some(Self::Quay),
            "registry.gitlab.com" => Some(Self::Gitlab),
            _ => None,
        }
    }

    /// The name of the provider, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Dockerhub => "Docker Hub",
            Self::Quay => "Quay",
            Self::Harbor => "Harbor",
            Self::Gitlab => "GitLab",
        }
    }
}
