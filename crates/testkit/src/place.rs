//! A real registry, and a folder whose `publish.toml` publishes one image there.
//!

use crate::command::Folder;
use crate::docker_registry::{AcceptedClients, DockerRegistry};
use crate::world::{configuration, digest, tags};

/// A registry, and a folder whose `publish.toml` publishes there.
pub struct PublishFixture {
    /// The registry.
    pub registry: DockerRegistry,
    /// The folder.
    pub folder: Folder,
}

impl PublishFixture {
    /// Starts an empty registry, with no image yet.
    pub fn new() -> Self {
        let registry = DockerRegistry::start(&AcceptedClients::None);
        let url = format!("{}/team", registry.host());
        let folder = Folder::with(&[("publish.toml", &configuration(&[("local", &url)]))]);
        Self { registry, folder }
    }

    /// The digest that a tag names.
    pub fn digest(&self, tag: &str) -> Option<String> {
        digest(&format!("docker://{}/team/app:{tag}", self.registry.host()))
    }

    /// Every tag.
    pub fn tags(&self) -> Vec<String> {
        tags(&format!("{}/team/app", self.registry.host()))
    }

    /// Replaces the port and every digest in a text.
    pub fn steady(&self, shown: &str) -> String {
        let shown = shown.replace(&self.registry.host(), "[REGISTRY]");
        let digests = regex::Regex::new("sha256:[0-9a-f]{12,64}").expect("a pattern");
        digests.replace_all(&shown, "sha256:[DIGEST]").into_owned()
    }

    /// The requests that change something.
    pub fn writes(&self) -> Vec<String> {
        let reads = ["GET ", "HEAD "];
        self.registry
            .requests()
            .into_iter()
            .filter(|request| !reads.iter().any(|read| request.starts_with(read)))
            .collect()
    }
}
