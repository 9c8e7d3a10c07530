//! The expected tags and content of each repository.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::desired::{Address, Selection};
use crate::diagnostic::Diagnostic;
use crate::model::forward::VersionReader;
use crate::model::standing::VersionCandidate;
use crate::model::verification::Unverified;
use crate::model::version::ReleaseVersion;
use crate::model::{Mutability, ResourceId, Visibility};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{Digest, Platform, RepositoryName, Tag, TagListing};

/// A resource in one registry, before the registry is asked.
#[derive(Debug, Clone)]
pub struct DeclaredRepository {
    /// `images.NAME@REGISTRY`, which no other repository has.
    pub address: String,
    /// The resource that is published there.
    pub resource: ResourceId,
    /// The registry's name in `publish.toml`.
    pub registry: String,
    /// How to reach the registry.
    pub endpoint: RegistryEndpoint,
    /// The repository, namespace included.
    pub repository: RepositoryName,
    /// The full name, shown to people.
    pub name: String,
    /// The declared visibility: who should be able to pull.
    pub visibility: Option<Visibility>,
    /// The names of the signers that sign it.
    pub sign: Vec<String>,
    /// The names of the gates that it passed.
    pub gates: Vec<String>,
}

/// Everything that is expected.
#[derive(Debug, Default)]
pub struct Expected {
    /// The expectation for each declared repository.
    pub repositories: Vec<ExpectedRepository>,
    /// The declared items that cannot be verified.
    pub unverified: Vec<Unverified>,
}

/// The expectation for one repository.
#[derive(Debug)]
pub struct ExpectedRepository {
    /// The declared repository.
    pub declared: DeclaredRepository,
    /// The list of its tags.
    pub listing: TagListing,
    /// The tags that may show the version of an image, in the order in which they are asked.
    pub candidates: Vec<VersionCandidate>,
    /// The readers of versions that an image states.
    pub other_readers: Vec<VersionReader>,
    /// The versions in this repository, each with its tags.
    pub versions: BTreeMap<ReleaseVersion, Vec<Tag>>,
    /// The versions that are withdrawn. Nothing is expected of them.
    pub withdrawn: BTreeSet<ReleaseVersion>,
    /// The last known version: the highest release in any registry of the resource, or the highest pre-release if there
    /// is no release.
    pub last: Option<ReleaseVersion>,
    /// If there is no version: the highest release that git knows, and its tag.
    pub tagged: Option<(ReleaseVersion, String)>,
    /// The number of versions in all registries of the resource.
    pub known: usize,
    /// Whether a rule prints the full version, or no rule is for releases.
    pub readable: bool,
    /// The tags, starting with those of the highest version.
    pub tags: IndexMap<Tag, ExpectedTag>,
    /// The platforms that the last version must have.
    pub platforms: Vec<Platform>,
    /// The annotations that the last version must have.
    pub annotations: BTreeMap<String, String>,
    /// The tags here that records mention.
    pub recorded: Vec<RecordedTag>,
}

/// An expected tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTag {
    /// The rule that renders it.
    pub rule: String,
    /// The rule's mutability.
    pub mutability: Mutability,
    /// The version that the tag should stand for, if it is a tag of versions.
    pub version: Option<ReleaseVersion>,
    /// The requirement on the tag.
    pub demand: Demand,
}

/// The requirement on a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// The tag is in every registry, with the same digest in all.
    Everywhere,
    /// If the tag is in one registry, it is in all, with the same digest.
    EverywhereIfAnywhere,
    /// The tag has the same digest in all registries that have it.
    SameWhereItIs,
    /// The tag names the highest version of its line in this registry.
    Highest {
        /// The versions of the line that could have taken it.
        line: BTreeSet<ReleaseVersion>,
        /// Whether the highest version here keeps the tag from the others without taking it itself. Any version of the
        /// line may then have it.
        withheld: bool,
    },
    /// Only the requirement of a record.
    Recorded,
}

/// A tag in a record.
#[derive(Debug, Clone)]
pub struct RecordedTag {
    /// The file of the record.
    pub record: String,
    /// The tag.
    pub tag: Tag,
    /// The digest.
    pub digest: Digest,
    /// The digests that the tag may name instead.
    pub later: Later,
}

/// The content that a recorded tag may name instead of the recorded digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Later {
    /// Nothing: the tag is immutable.
    Nothing,
    /// A higher version than this.
    Version(ReleaseVersion),
    /// A descendant of this commit, if the commit is known.
    Commit(Option<String>),
    /// Anything: the tag is mutable.
    Anything,
}

impl Expected {
    /// Keeps only the tags that `selection` selects. Returns a diagnostic for each target that names nothing. `all` are
    /// the repositories of the whole configuration.
    pub fn select(&mut self, selection: &Selection, all: &[DeclaredRepository]) -> Vec<Diagnostic> {
        let mut addresses = Vec::new();
        for DeclaredRepository { address, resource, registry, .. } in all {
            addresses.push(Address { resource, registry, tag: "" });
            let here = self.repositories.iter().filter(|it| it.declared.address == *address);
            let tags = here.flat_map(|it| it.tags.keys());
            addresses.extend(tags.map(|tag| Address { resource, registry, tag: tag.as_str() }));
        }
        let unknown = selection.unknown(&addresses, &[], "this verification");
        for ExpectedRepository { declared, tags, recorded, .. } in &mut self.repositories {
            let DeclaredRepository { resource, registry, .. } = &*declared;
            let selects = |tag: &Tag| selection.selects(Address { resource, registry, tag: tag.as_str() });
            tags.retain(|tag, _| selects(tag));
            recorded.retain(|recorded| selects(&recorded.tag));
        }
        unknown
    }
}
