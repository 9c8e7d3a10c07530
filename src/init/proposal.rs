//! A proposed `publish.toml`, with everything to say about it.

use std::path::Path;

use super::project::LeftOutFile;
use crate::model::ResourceId;
use crate::model::words::shell_word;

/// A first `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its text.
    pub text: String,
    /// The resources that it declares, each with the file that it comes from.
    pub resources: Vec<(ResourceId, String)>,
    /// The tag rules that it declares, each with the line that it comes from.
    pub rules: Vec<(String, String)>,
    /// Assumptions, with their lines.
    pub assumed: Vec<(String, String)>,
    /// The files that were seen and left out, with the reasons.
    pub left_out: Vec<LeftOutFile>,
    /// The address of the registry.
    pub registry: String,
    /// The version that releases are checked against, if there is one.
    pub version: Option<String>,
    /// The prefix of git tags.
    pub tag_prefix: String,
    /// Whether the git tag of that version is there.
    pub has_tag: bool,
}

impl Proposal {
    /// The commands to run next, once the text is in `file`. They are about a release that passes the checks in it.
    pub fn next(&self, file: &Path) -> Vec<String> {
        let config = match file.display().to_string() {
            file if file == "publish.toml" => String::new(),
            file => format!(" --config {}", shell_word(&file)),
        };
        let version = self.version.as_deref().unwrap_or("1.2.3");
        let tag = (!self.has_tag).then(|| format!("git tag {}{version}", self.tag_prefix));
        let lint = format!("brokkr-publish lint{config}");
        let plan = format!("brokkr-publish plan{config} --ref refs/tags/{}{version}", self.tag_prefix);
        [Some(lint), tag, Some(plan)].into_iter().flatten().collect()
    }
}
