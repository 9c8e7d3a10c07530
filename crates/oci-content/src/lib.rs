#![doc = include_str!("../README.md")]
//!
//! # Layout of the crate
//!
//! A [`Source`] has two required methods; the others have defaults. Everything here is synchronous, reads in
//! place, and verifies the bytes that it reads. [`open_image`] turns a declared source into exactly the content that is
//! published.
//!
//! In reading order: `source` (the trait), `layout` (an image layout, independent of the storage of its files), `directory` and
//! `archive` (the two storages; `tar_index` finds the files in a tar file with `tar_reader`), `docker_archive` and `engine` (Docker's archives and
//! engines), `skopeo_directory` and `containers_storage` (the directories and the store of podman, buildah and skopeo), `input` (archives from
//! the standard input), `expand` (archives that are compressed as a whole), `remote` (an image in a registry, read through `registries`), `transport` (one of these by its spec), `walk`
//! (everything that a root reaches; `incomplete` says which platforms a source lacks), `assemble` (an index of several sources; `digests` lists those that were pushed by
//! digest), `open` (a source by its spec), `meant` (suggestions for texts that are no source), `referrers` (manifests that refer to the content), `rewrite` (selected platforms,
//! added annotations and labels), `confines` (the folders that files may be read from), `export` (content as an archive), `same_images` (whether two indexes differ in attestations alone), `artifact` (files under an artifact type) and `publishable` (the content to publish).
//! `opened_content` keeps content for the sources that are opened later. The caller decides what is sent to which repository.

mod archive;
mod artifact;
mod artifact_spec;
mod assemble;
mod attestation;
mod compression;
mod confines;
mod containers_storage;
mod digests;
mod directory;
mod docker_archive;
mod engine;
mod error;
mod expand;
mod export;
mod image_spec;
mod images;
mod incomplete;
mod input;
mod layout;
mod layout_referrers;
mod limits;
mod meant;
mod open;
mod opened_content;
mod positioned;
mod publishable;
mod read;
mod reference;
mod referrers;
mod registries;
mod remote;
mod rewrite;
mod same_images;
mod skopeo_directory;
mod source;
mod source_path;
mod spec;
mod surroundings;
mod tar_header;
mod tar_index;
mod tar_reader;
mod temporary;
mod transport;
mod verify;
mod walk;

pub use artifact_spec::{ArtifactFile, ArtifactSpec};
pub use confines::{Confines, OutsideFile};
pub use error::{SourceError, name_list};
pub use export::{ExportError, ExportedContent, write_archive, write_layout};
pub use image_spec::{AnnotationPlace, ImageSpec};
pub use open::{OpenedSource, open};
pub use opened_content::OpenedContent;
pub use positioned::{PositionedFile, Section};
pub use publishable::{Publishable, open_artifact, open_image};
pub use read::{MAX_CONFIG_SIZE, read_bounded, read_config};
pub use referrers::{LeftBehind, Referrers, Travelling};
pub use registries::{SourceRegistries, SourceRepository, SourceWait};
pub use same_images::are_same_images;
pub use source::{BlobOrigin, BlobReader, Source};
pub use spec::{DigestFolder, SourceSpec, SourceSpecError, TRANSPORT_FORMS, TransportSpec};
pub use surroundings::{Surroundings, Variables};
pub use tar_header::EntryKind;
pub use tar_reader::{TarEntry, TarError, TarItem, TarReader, is_tar};
pub use verify::{VerifyingReader, manifest_reader};
pub use walk::{Content, walk};

#[cfg(test)]
use testkit::{image as fixture, raw_tar};

#[cfg(test)]
mod refusal;

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
#[path = "hostile_files_tests.rs"]
mod hostile_files_tests;
