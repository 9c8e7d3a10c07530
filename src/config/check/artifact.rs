//! `[artifacts.*]`: types and files.

use indexmap::IndexMap;

use super::problems::Problems;
use super::releases::DeclaredForm;
use super::resource::{self, CommonKeys, Defaults};
use crate::config::{DeclaredArtifact, DeclaredContent, Resource, raw};
use crate::diagnostic::Code;
use crate::model::{ResourceId, ResourceKind};
use oci_content::ArtifactFile;
use oci_registry::media_type::is_media_type;

/// The media type of a file that does not declare one.
const DEFAULT_MEDIA_TYPE: &str = "application/octet-stream";

pub(super) fn check_artifacts(
    raw: IndexMap<String, raw::RawArtifact>,
    defaults: &Defaults<'_>,
    problems: &mut Problems<'_>,
) -> Vec<(ResourceId, Resource)> {
    raw.into_iter()
        .filter_map(|(name, raw)| {
            let id = ResourceId::new(ResourceKind::Artifact, name);
            let common = CommonKeys {
                repository: raw.repository,
                registries: raw.registries,
                tags: raw.tags,
                releases: DeclaredForm { tag_prefix: raw.tag_prefix, version_scheme: raw.version_scheme },
                visibility: raw.visibility,
                annotations: raw.annotations,
                sign: raw.sign,
                attest: raw.attest,
                gates: None,
            };
            let artifact_type =
                raw.artifact_type.and_then(|it| media_type(it, &id.key("artifact_type"), problems));
            let files: Option<Vec<ArtifactFile>> = raw.files.map(|files| {
                files
                    .into_iter()
                    .enumerate()
                    .filter_map(|(index, raw)| file(&id, index, raw, problems))
                    .collect()
            });
            let content = artifact_type.zip(files).map(|(artifact_type, files)| {
                DeclaredContent::Artifact(DeclaredArtifact { artifact_type, files })
            });
            let resource = resource::check_resource(&id, common, content, defaults, problems)?;
            Some((id, resource))
        })
        .collect()
}

fn file(
    id: &ResourceId,
    index: usize,
    raw: raw::RawArtifactFile,
    problems: &mut Problems<'_>,
) -> Option<ArtifactFile> {
    let index = index.to_string();
    let path = raw.path?;
    let at = [id.table(), id.name.as_str(), "files", index.as_str(), "media_type"];
    let media_type =
        media_type(raw.media_type.unwrap_or_else(|| DEFAULT_MEDIA_TYPE.to_owned()), &at, problems)?;
    // The default title is known only once the path is rendered.
    let title = raw.title.unwrap_or_default();
    Some(ArtifactFile { path, media_type, title })
}

/// Returns `text` if it has the shape of a media type.
fn media_type(text: String, path: &[&str], problems: &mut Problems<'_>) -> Option<String> {
    if is_media_type(&text) {
        return Some(text);
    }
    let message = format!("`{}` is not a media type", text.escape_debug());
    let help = "write one such as `application/vnd.example.thing+json`, without parameters";
    problems.wrong(Code::ConfigValue, message, path, "not a media type", help);
    None
}
