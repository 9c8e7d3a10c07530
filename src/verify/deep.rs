//! Checks whether everything that tags reach is present. Each manifest is read, and the registry's client verifies its
//! digest; each blob is asked for. Each is checked once, however many tags need it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::{StreamExt, stream};

use super::content::{self, ReadManifest};
use crate::model::drift::Finding;
use oci_registry::{Descriptor, Digest, Manifest, Tag, media_type};
use oci_registry::{RegistryError, Repository};

/// The maximum nesting depth of indexes.
const MAX_DEPTH: usize = 16;
/// The maximum number of manifests of a repository that are read.
const MAX_MANIFESTS: usize = 100_000;
/// The number of requests that wait at once. The connection decides how many are sent.
const AT_ONCE: usize = 64;

/// The content that a manifest needs, or the finding about it.
enum ManifestNode {
    Needs { children: Vec<Descriptor>, blobs: Vec<Descriptor> },
    Wrong(Finding),
}

/// Finds missing and wrong content that `roots` reach, each with the tags that need it.
pub(super) async fn walk(
    repository: &dyn Repository,
    roots: &BTreeMap<Digest, Vec<Tag>>,
) -> Result<Vec<Finding>, RegistryError> {
    let nodes = read_all(repository, roots).await?;
    let blobs: HashMap<&Digest, &Descriptor> = nodes
        .values()
        .filter_map(|node| if let ManifestNode::Needs { blobs, .. } = node { Some(blobs) } else { None })
        .flatten()
        .map(|blob| (&blob.digest, blob))
        .collect();
    let asked = blobs.into_values().map(|blob| async move { Ok((blob, repository.has_blob(blob).await?)) });
    let answers: Vec<Result<(&Descriptor, bool), RegistryError>> =
        stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    let mut missing: HashSet<&Digest> = HashSet::new();
    for answer in answers {
        let (blob, found) = answer?;
        if !found {
            missing.insert(&blob.digest);
        }
    }
    Ok(findings(&nodes, &missing, roots))
}

/// Reads every manifest that `roots` reach, one level of indexes after another.
async fn read_all(
    repository: &dyn Repository,
    roots: &BTreeMap<Digest, Vec<Tag>>,
) -> Result<HashMap<Digest, ManifestNode>, RegistryError> {
    let mut nodes: HashMap<Digest, ManifestNode> = HashMap::new();
    let mut next: BTreeSet<Digest> = roots.keys().cloned().collect();
    for depth in 0.. {
        let room = MAX_MANIFESTS.saturating_sub(nodes.len());
        if next.is_empty() {
            break;
        }
        if depth >= MAX_DEPTH || next.len() > room {
            let why =
                format!("more than {MAX_MANIFESTS} manifests, or indexes nested more than {MAX_DEPTH} deep");
            for digest in std::mem::take(&mut next) {
                let finding =
                    Finding::Unreadable { digest: digest.clone(), why: why.clone(), tags: Vec::new() };
                nodes.insert(digest, ManifestNode::Wrong(finding));
            }
            break;
        }
        let asked = std::mem::take(&mut next).into_iter().map(|digest| async move {
            let read = content::read_manifest(repository, &digest, &[]).await?;
            Ok((digest, read))
        });
        let answers: Vec<Result<(Digest, ReadManifest), RegistryError>> =
            stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        for answer in answers {
            let (digest, read) = answer?;
            nodes.insert(digest, node(read));
        }
        let known = |digest: &Digest| nodes.contains_key(digest);
        next = nodes
            .values()
            .filter_map(
                |node| if let ManifestNode::Needs { children, .. } = node { Some(children) } else { None },
            )
            .flatten()
            .filter(|child| !known(&child.digest))
            .map(|child| child.digest.clone())
            .collect();
    }
    Ok(nodes)
}

fn node(read: ReadManifest) -> ManifestNode {
    match read {
        ReadManifest::Finding(finding) => ManifestNode::Wrong(finding),
        // A registry keeps entries of an index that are not manifests as blobs.
        ReadManifest::Manifest(Manifest::Index { manifests, .. }) => {
            let (children, blobs) =
                manifests.into_iter().partition(|child| media_type::is_manifest(&child.media_type));
            ManifestNode::Needs { children, blobs }
        }
        ReadManifest::Manifest(manifest @ Manifest::Image { .. }) => {
            let kept = |blob: &&Descriptor| !media_type::is_foreign_layer(&blob.media_type);
            ManifestNode::Needs {
                children: Vec::new(),
                blobs: manifest.blobs().filter(kept).cloned().collect(),
            }
        }
    }
}

/// Returns each finding once, with the tags of the roots that reach it.
fn findings(
    nodes: &HashMap<Digest, ManifestNode>,
    missing: &HashSet<&Digest>,
    roots: &BTreeMap<Digest, Vec<Tag>>,
) -> Vec<Finding> {
    let mut found: BTreeMap<&Digest, (Option<&Finding>, Vec<Tag>)> = BTreeMap::new();
    for (root, tags) in roots {
        let mut seen: HashSet<&Digest> = HashSet::new();
        let mut waiting = vec![root];
        while let Some(digest) = waiting.pop() {
            if !seen.insert(digest) {
                continue;
            }
            match nodes.get(digest) {
                None => {}
                Some(ManifestNode::Wrong(finding)) => {
                    found.entry(digest).or_insert((Some(finding), Vec::new())).1.extend(tags.clone());
                }
                Some(ManifestNode::Needs { children, blobs }) => {
                    waiting.extend(children.iter().map(|child| &child.digest));
                    let gone: BTreeSet<&Digest> = blobs
                        .iter()
                        .map(|blob| &blob.digest)
                        .filter(|digest| missing.contains(digest) && !seen.contains(digest))
                        .collect();
                    for digest in gone {
                        seen.insert(digest);
                        found.entry(digest).or_insert((None, Vec::new())).1.extend(tags.clone());
                    }
                }
            }
        }
    }
    found.into_iter().map(|(digest, (finding, tags))| with_tags(digest.clone(), finding, tags)).collect()
}

/// The finding about the content `digest`, with the tags that need it. A blob without one is missing.
fn with_tags(digest: Digest, finding: Option<&Finding>, tags: Vec<Tag>) -> Finding {
    match finding {
        None => Finding::MissingBlob { digest, tags },
        Some(Finding::Corrupt { found, .. }) => Finding::Corrupt { digest, found: found.clone(), tags },
        Some(Finding::Unreadable { why, .. }) => Finding::Unreadable { digest, why: why.clone(), tags },
        Some(_) => Finding::MissingManifest { digest, tags },
    }
}
