//! Helm charts: a directory, packaged here, or a package as it is; and what `helm push` makes of it for a registry.
//!
//! In reading order: `tree` and `unpack` (where files come from: a directory with `.helmignore`, an archive), `contents` (their
//! bytes), `load` (files to a chart: `metadata`, `dependency`, `lock`, `vendored`), `edit` (setting the versions), `package`,
//! `manifest`, `open` (all of it as a source). `yaml`, `scalar`, `read`, `version`, `glob` and `go_json` are what Helm's Go
//! libraries read and write; `finding` collects what is wrong, with file and line.
//!
//! Facts are from Helm 3.18 and 4.0, named by their files. No network is used: dependencies must lie under `charts/`.

mod contents;
mod dependency;
mod edit;
mod finding;
mod glob;
mod go_json;
mod ignore;
mod load;
mod lock;
mod manifest;
mod metadata;
mod names;
mod open;
mod package;
mod provenance;
mod read;
mod scalar;
mod tree;
mod unpack;
mod vendored;
mod version;
mod yaml;

pub(super) use open::open;
pub use open::{check, name};
