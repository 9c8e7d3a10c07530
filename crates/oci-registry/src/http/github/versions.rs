//! Versions of a package: GitHub's word for the manifests of a repository (GitHub Docs, "REST API endpoints
//! for packages").

use std::collections::HashSet;

use serde::Deserialize;

use super::GithubPackage;
use crate::digest::Digest;
use crate::error::DeletionObstacle;
use crate::error::RegistryError;
use crate::error::text;
use crate::http::api::{ApiResponse, JsonApi};
use crate::http::authorization::ApiCredential;
use crate::http::link::NextPage;
use crate::http::wait::ListingTime;
use crate::http::{link, origin};
use crate::reference::TagOrDigest;
use crate::repository::{HeldManifest, READ_PAUSES};
use crate::tag::Tag;

/// How many versions to ask for at a time: the most that GitHub returns.
const PAGE: usize = 100;
/// The longest page, in bytes.
const PAGE_LIMIT: u64 = 16 * 1024 * 1024;
/// The most pages.
const MOST_PAGES: usize = 10_000;
/// The longest answer about one version, in bytes.
const VERSION_LIMIT: u64 = 1024 * 1024;

/// A manifest, as the packages API describes it.
#[derive(Deserialize)]
struct PackageVersion {
    id: u64,
    /// The digest.
    name: String,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    metadata: VersionMetadata,
}

#[derive(Default, Deserialize)]
struct VersionMetadata {
    #[serde(default)]
    container: ContainerMetadata,
}

#[derive(Default, Deserialize)]
struct ContainerMetadata {
    #[serde(default)]
    tags: Vec<String>,
}

impl PackageVersion {
    fn digest(&self) -> Option<Digest> {
        self.name.parse().ok()
    }

    fn held(self) -> Option<HeldManifest> {
        let created = self.created_at.as_ref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let tags: Vec<Tag> = self.metadata.container.tags.iter().filter_map(|tag| tag.parse().ok()).collect();
        // A version whose tags cannot be read must not be taken for an old one without a tag.
        let is_untagged = self.metadata.container.tags.is_empty();
        let created = created.filter(|_| is_untagged || !tags.is_empty());
        Some(HeldManifest { digest: self.digest()?, tags, created: created.map(jiff::Timestamp::as_second) })
    }
}

/// The place at which a package was found.
enum PackageSearch {
    /// Below this path: an organization's, or a user's.
    Below(&'static str),
    /// Nowhere, according to GitHub.
    Nowhere(RegistryError),
}

impl GithubPackage {
    /// Returns every manifest. A package that does not exist has none.
    pub(super) async fn versions(&self) -> Result<Vec<HeldManifest>, RegistryError> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        // A version is listed twice if others are put meanwhile and push it to the next page.
        let mut visit = |version: PackageVersion| {
            if seen.insert(version.id) {
                found.extend(version.held());
            }
            true
        };
        match self.walk(&mut visit).await? {
            // GitHub also answers 404 for content that a token may not see (GitHub Docs, "Troubleshooting the REST
            // API").
            PackageSearch::Nowhere(error) if !self.repository.all_tags().await?.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    /// Checks that the API shows the package, if there is one. It is an error if the API hides it from this token.
    pub(super) async fn see_package(&self) -> Result<(), RegistryError> {
        match self.walk(&mut |_| false).await? {
            PackageSearch::Nowhere(error) if !self.repository.all_tags().await?.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes a manifest with all its tags; `Ok` if it does not exist (any more).
    pub(super) async fn delete_version(&self, digest: &Digest) -> Result<(), RegistryError> {
        let mut pauses = READ_PAUSES.into_iter();
        loop {
            let mut id = None;
            let mut visit = |version: PackageVersion| {
                if version.digest().as_ref() == Some(digest) {
                    id = Some(version.id);
                }
                id.is_none()
            };
            let walk = self.walk(&mut visit).await?;
            if let (Some(id), PackageSearch::Below(owners)) = (id, &walk) {
                return self.delete_id(owners, id, digest).await;
            }
            // The manifest is gone, or the API does not yet list it because it was just put.
            let at = TagOrDigest::Digest(digest.clone());
            if self.repository.head_manifest_at(&at).await?.is_none() {
                return Ok(());
            }
            match (pauses.next(), walk) {
                (Some(pause), _) => tokio::time::sleep(pause).await,
                (None, PackageSearch::Nowhere(error)) => return Err(error),
                (None, PackageSearch::Below(_)) => {
                    return Err(DeletionObstacle::NotListed(digest.clone()).into());
                }
            }
        }
    }

    /// Deletes the version with this id, if it is still that manifest.
    async fn delete_id(&self, owners: &str, id: u64, digest: &Digest) -> Result<(), RegistryError> {
        let api = self.packages.api()?;
        let url = api.address(&format!("{}/{id}", self.path(owners)?))?;
        let credential = self.credential().await?;
        let read = match api.read(&url, credential.as_ref(), VERSION_LIMIT).await {
            Err(RegistryError::NotFound(_)) => return Ok(()),
            read => read?,
        };
        let version: PackageVersion = parse(&read)?;
        if version.digest().as_ref() != Some(digest) {
            let reason = format!("version {id} was `{digest}`, but is another one now");
            return Err(RegistryError::Protocol { request: read.request, reason });
        }
        api.delete(&url, credential.as_ref()).await
    }

    /// Passes every version to `visit`, the newest first, until `visit` returns false.
    async fn walk(
        &self,
        visit: &mut (dyn FnMut(PackageVersion) -> bool + Send),
    ) -> Result<PackageSearch, RegistryError> {
        let api = self.packages.api()?;
        let mut refused = None;
        // The owner of a package is an organization or a user, which its name does not show; a user's packages are 404
        // below `orgs` and the other way round.
        for owners in ["orgs", "users"] {
            match self.walk_below(api, owners, visit).await {
                Ok(()) => return Ok(PackageSearch::Below(owners)),
                Err(RegistryError::NotFound(refusal)) => {
                    refused.get_or_insert(RegistryError::NotFound(refusal));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(PackageSearch::Nowhere(refused.unwrap_or_else(|| DeletionObstacle::NoPackage.into())))
    }

    async fn walk_below(
        &self,
        api: &JsonApi,
        owners: &str,
        visit: &mut (dyn FnMut(PackageVersion) -> bool + Send),
    ) -> Result<(), RegistryError> {
        let mut url = api.address(&format!("{}?state=active&per_page={PAGE}", self.path(owners)?))?;
        let credential = self.credential().await?;
        let mut visited = HashSet::new();
        let time = ListingTime::new(&self.repository.host.timeouts);
        loop {
            let page = api.read(&url, credential.as_ref(), PAGE_LIMIT);
            let so_far = || format!("{} pages of versions", visited.len());
            let read = time.page(page, || text::request("GET", &url), so_far).await?;
            let versions: Vec<PackageVersion> = parse(&read)?;
            for version in versions {
                if !visit(version) {
                    return Ok(());
                }
            }
            let protocol = |reason: String| RegistryError::Protocol { request: read.request.clone(), reason };
            let target = match link::next(&read.headers) {
                NextPage::None => return Ok(()),
                NextPage::At(target) => target,
                NextPage::Unclear(_) => {
                    return Err(protocol(
                        "a link to the next page of versions that cannot be read".to_owned(),
                    ));
                }
            };
            let next = origin::follow(&url, &target);
            let next =
                next.map_err(|reason| protocol(format!("the next page of versions is at {reason}")))?;
            // The token is only for this API.
            if !origin::same(&url, &next) {
                return Err(protocol("the next page of versions is on another host".to_owned()));
            }
            if !visited.insert(next.clone()) || visited.len() > MOST_PAGES {
                return Err(protocol("a list of versions without an end".to_owned()));
            }
            url = next;
        }
    }

    /// Returns the path of the versions, with the owner as one of `owners`. The name of the package is the part after
    /// the owner, with its slashes encoded (docs/reference/registries.md).
    fn path(&self, owners: &str) -> Result<String, RegistryError> {
        let Some((owner, package)) = self.repository.path.split_once('/') else {
            return Err(DeletionObstacle::NoOwner(self.repository.path.clone()).into());
        };
        Ok(format!("{owners}/{owner}/packages/container/{}/versions", package.replace('/', "%2F")))
    }

    async fn credential(&self) -> Result<Option<ApiCredential>, RegistryError> {
        let found = self.repository.host.keychain.find(&self.repository.path).await?;
        Ok(found.map(ApiCredential::Bearer))
    }
}

fn parse<'a, T: Deserialize<'a>>(read: &'a ApiResponse) -> Result<T, RegistryError> {
    serde_json::from_slice(&read.body).map_err(|error| RegistryError::Protocol {
        request: read.request.clone(),
        reason: format!("an answer that is not a list of versions: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_manifests() {
        let digest = Digest::of(b"");
        for (json, expected) in [
            (
                serde_json::json!({ "id": 1, "name": digest, "created_at": "2026-01-02T03:04:05Z",
                    "metadata": { "package_type": "container", "container": { "tags": ["v1", "not a tag"] } } }),
                Some((1, Some(1_767_323_045))),
            ),
            (serde_json::json!({ "id": 1, "name": digest, "created_at": "soon" }), Some((0, None))),
            (serde_json::json!({ "id": 1, "name": "1.0.0", "metadata": {} }), None),
        ] {
            let version: PackageVersion = serde_json::from_value(json).expect("a version");
            let held = version.held().map(|held| (held.tags.len(), held.created));
            assert_eq!(held, expected);
        }
    }
}
