//! References to images in registries, as in `docker://`: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::endpoint::RegistryEndpoint;
use crate::reference::{RegistryLocation, RepositoryName, TagOrDigest};
use crate::tag::Tag;

/// The host of a name that has none.
const DEFAULT_HOST: &str = "docker.io";
/// The tag of a name that has none.
const DEFAULT_TAG: &str = "latest";

/// A reference to an image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteReference {
    /// The host, with the port if one was given, in lower case.
    pub host: String,
    /// The repository.
    pub repository: RepositoryName,
    /// The tag, if one was given.
    pub tag: Option<Tag>,
    /// The digest, if known. It takes precedence over the tag, which may have moved.
    pub digest: Option<Digest>,
}

/// The reason why a text is not a reference to an image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RemoteReferenceError {
    reason: String,
    /// The text that was probably meant.
    pub suggestion: Option<String>,
}

impl RemoteReference {
    /// The location of the registry.
    pub fn location(&self) -> RegistryLocation {
        RegistryLocation::Http { host: self.host.clone(), namespace: None }
    }

    /// Returns the one of `registries` that is declared for the repository: it has the same host, and of all namespaces above the
    /// repository, it has the longest.
    pub fn declared<'r>(
        &self,
        registries: impl IntoIterator<Item = (&'r String, &'r RegistryEndpoint)>,
    ) -> Option<(&'r String, &'r RegistryEndpoint)> {
        let host = self.location().host();
        let matching = registries.into_iter().filter_map(|(name, endpoint)| {
            let RegistryLocation::Http { namespace, .. } = &endpoint.url else { return None };
            let namespace = namespace.as_ref().map(RepositoryName::as_str).unwrap_or_default();
            let rest = self.repository.as_str().strip_prefix(namespace)?;
            let above = namespace.is_empty() || rest.is_empty() || rest.starts_with('/');
            (above && endpoint.url.host() == host).then_some((namespace.len(), (name, endpoint)))
        });
        // Of two equal ones, the first by name counts, in whatever order they are given.
        let longest = matching.max_by(|(one, (a, _)), (other, (b, _))| one.cmp(other).then_with(|| b.cmp(a)));
        longest.map(|(_, found)| found)
    }

    /// Returns what to request from the registry: the digest, else the tag, else `latest`.
    pub fn at(&self) -> Option<TagOrDigest> {
        if let Some(digest) = &self.digest {
            return Some(TagOrDigest::Digest(digest.clone()));
        }
        let tag = self.tag.clone().or_else(|| DEFAULT_TAG.parse().ok())?;
        Some(TagOrDigest::Tag(tag))
    }

    /// Returns the same image, pinned to `digest`.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> Self {
        Self { digest: Some(digest.clone()), ..self.clone() }
    }
}

impl FromStr for RemoteReference {
    type Err = RemoteReferenceError;

    /// Parses as Docker does (distribution/reference, `ParseNormalizedNamed`): the first part is a host if it contains a `.` or
    /// a `:` or is `localhost`. Without a host, the registry is Docker Hub, where a name of one part is below `library/`.
    fn from_str(text: &str) -> Result<Self, RemoteReferenceError> {
        let error = |reason: String, suggestion: Option<String>| RemoteReferenceError { reason, suggestion };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                let digest = digest
                    .parse::<Digest>()
                    .map_err(|inner| error(format!("`{digest}` is not a digest: {inner}"), None))?;
                (name, Some(digest))
            }
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((name, tag)) => {
                let tag = tag.parse::<Tag>().map_err(|inner| error(inner.to_string(), None))?;
                (name, Some(tag))
            }
            None => (name, None),
        };
        let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (host, path) = match name.split_once('/').filter(|(first, _)| is_host(first)) {
            Some((host, path)) => (host, path.to_owned()),
            None if name.contains('/') => (DEFAULT_HOST, name.to_owned()),
            None => (DEFAULT_HOST, format!("library/{name}")),
        };
        let Ok(RegistryLocation::Http { host, namespace: None }) = host.parse() else {
            return Err(error(format!("`{host}` is not a host: expected `host[:port]/repository`"), None));
        };
        let repository = path.parse::<RepositoryName>().map_err(|inner| {
            let suggestion =
                inner.suggestion.as_ref().map(|path| text.replacen(&*name, &format!("{host}/{path}"), 1));
            error(inner.to_string(), suggestion)
        })?;
        Ok(Self { host, repository, tag, digest })
    }
}

impl fmt::Display for RemoteReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_are_parsed_as_docker_parses_them() {
        let digest = Digest::of(b"x");
        for (text, expected) in [
            ("alpine", "docker.io/library/alpine".to_owned()),
            ("alpine:3.20", "docker.io/library/alpine:3.20".to_owned()),
            ("colliery/broker", "docker.io/colliery/broker".to_owned()),
            ("localhost/broker", "localhost/broker".to_owned()),
            ("localhost:5000/a/b:v1", "localhost:5000/a/b:v1".to_owned()),
            ("GHCR.io/a/b", "ghcr.io/a/b".to_owned()),
            (&format!("ghcr.io/a/b:v1@{digest}"), format!("ghcr.io/a/b:v1@{digest}")),
        ] {
            let parsed: RemoteReference = text.parse().expect(text);
            assert_eq!(parsed.to_string(), expected, "{text}");
            assert_eq!(expected.parse::<RemoteReference>().as_ref(), Ok(&parsed), "{text}");
        }
    }

    #[test]
    fn a_text_that_names_no_image_is_refused() {
        for text in
            ["", "ghcr.io/", "ghcr.io/a:", "a@sha256:12", "ghcr.io:x/a", "user:p@ghcr.io/a", "-", "a b"]
        {
            assert!(text.parse::<RemoteReference>().is_err(), "{text}");
        }
        let error = "ghcr.io/Colliery/broker".parse::<RemoteReference>().expect_err("upper case");
        assert_eq!(error.suggestion.as_deref(), Some("ghcr.io/colliery/broker"));
    }

    #[test]
    fn the_registry_with_the_longest_namespace_is_used() {
        let endpoint = |url: &str| RegistryEndpoint::of(url.parse().expect("a location"));
        let registries: BTreeMap<String, RegistryEndpoint> = [
            ("all", "ghcr.io"),
            ("folder", "oci:ghcr.io"),
            ("hub", "index.docker.io"),
            ("local", "127.0.0.1:5000/a"),
            ("one", "ghcr.io/acme"),
            ("same", "ghcr.io/acme"),
            ("team", "ghcr.io/acme/team"),
        ]
        .map(|(name, url)| (name.to_owned(), endpoint(url)))
        .into();
        for (text, expected) in [
            ("ghcr.io/acme/app:v1", Some("one")),
            ("ghcr.io/acme/team/app", Some("team")),
            ("ghcr.io/acme/teams/app", Some("one")),
            ("ghcr.io/acmes/app", Some("all")),
            ("alpine", Some("hub")),
            ("localhost:5000/a/b", Some("local")),
            ("localhost:5000/b", None),
            ("localhost:5001/a/b", None),
            ("quay.io/acme/app", None),
        ] {
            let image: RemoteReference = text.parse().expect(text);
            let found = image.declared(&registries).map(|(name, _)| name.as_str());
            assert_eq!(found, expected, "{text}");
            let found = image.declared(registries.iter().rev()).map(|(name, _)| name.as_str());
            assert_eq!(found, expected, "{text}, the other way round");
        }
    }

    #[test]
    fn the_digest_takes_precedence() {
        let digest = Digest::of(b"x");
        let named: RemoteReference = "ghcr.io/a/b:v1".parse().expect("a name");
        assert_eq!(named.at().map(|at| at.to_string()).as_deref(), Some("v1"));
        assert_eq!(named.pinned(&digest).at(), Some(TagOrDigest::Digest(digest)));
        let bare: RemoteReference = "ghcr.io/a/b".parse().expect("a name");
        assert_eq!(bare.at().map(|at| at.to_string()).as_deref(), Some("latest"));
    }
}
