//! Helm charts: a directory, which is packaged here, or a package, which stays as it is; and the content that `helm push` makes of
//! it for a registry.
//!
//! In reading order: `tree` and `unpack` find the files in a directory with `.helmignore` or in an archive; `contents` holds their
//! bytes; `load` makes a chart of them (with `metadata`, `dependency`, `lock` and `vendored`); `edit` sets the versions; `package`
//! and `manifest` make the package and its manifest; `open` makes a source of all that. `yaml`, `scalar`, `read`, `version`, `glob`
//! and `go_json` read and write the same as Helm's Go libraries; `finding` collects errors and warnings, with file and line.
//!
//! Facts are from Helm 3.18 and 4.0, with the names of their files. No network is used: dependencies must be under `charts/`.

mod contents;
mod dependency;
mod edit;
mod error;
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
mod spec;
pub mod text;
mod tree;
mod unpack;
mod vendored;
mod version;
mod yaml;

pub use error::ChartError;
pub use finding::{Concern, Finding, Severity};
pub use open::{check, name, open};
pub use spec::ChartSpec;
