//! Who runs a registry, where that opens an interface besides the registry's own.

use serde::{Deserialize, Serialize};

use super::Visibility;

/// Who runs a registry, where that opens an interface besides the registry's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub: its container registry deletes nothing itself, its packages API does, and tells who may pull.
    Github,
    /// Docker Hub: its API tells and sets who may pull.
    Dockerhub,
    /// Quay: its API tells and sets who may pull.
    Quay,
    /// Harbor: its API tells and sets who may pull from a project.
    Harbor,
    /// GitLab: its API tells and sets who may pull from a project.
    Gitlab,
}

impl Provider {
    /// The provider that everybody knows by the host of its registry. Harbor has no such host.
    pub fn of_host(host: &str) -> Option<Self> {
        match host {
            "ghcr.io" => Some(Self::Github),
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => Some(Self::Dockerhub),
            "quay.io" => Some(Self::Quay),
            "registry.gitlab.com" => Some(Self::Gitlab),
            _ => None,
        }
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Github => "GitHub",
            Self::Dockerhub => "Docker Hub",
            Self::Quay => "Quay",
            Self::Harbor => "Harbor",
            Self::Gitlab => "GitLab",
        }
    }

    /// What it knows of who may pull. `internal` is the members of an organization or enterprise at GitHub, and everybody
    /// with an account at GitLab.
    pub fn visibilities(self) -> &'static [Visibility] {
        match self {
            Self::Github | Self::Gitlab => &[Visibility::Public, Visibility::Private, Visibility::Internal],
            Self::Dockerhub | Self::Quay | Self::Harbor => &[Visibility::Public, Visibility::Private],
        }
    }
}
