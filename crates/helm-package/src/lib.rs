#![doc = include_str!("../README.md")]
//!
//! # How it is laid out
//!
//! In reading order: `directory` and `unpack` find the files in a directory with `.helmignore` or in an archive; `file_store` holds
//! their bytes; `load` makes a chart of them (with `metadata`, `dependency` and `lock`); `check`, `vendored`, `typed_values` and `hidden` check it; `edit` sets
//! the versions, and `pinned` the images in the values (with `values_image` and `values_edit`); `package` and `manifest` make the package and its manifest; `open` makes a source of all that. `helm_yaml`,
//! `scalar`, `fields`, `version`, `glob` and `go_json` read and write the same as Helm's Go libraries, `helm_yaml` on top of [`yaml`];
//! `finding` collects errors and warnings, with file and line.
//!
//! Facts are from Helm 3.18 and 4.0, with the names of their files.

mod chart_file;
mod chart_image;
mod chart_source;
mod check;
mod dependency;
mod directory;
mod edit;
mod error;
mod fields;
mod file_names;
mod file_store;
mod finding;
mod glob;
mod go_json;
mod helm_yaml;
mod hidden;
mod ignore;
mod load;
mod lock;
mod manifest;
mod metadata;
mod named_images;
mod open;
mod package;
mod part_of_chart;
mod pinned;
mod provenance;
mod read_chart;
mod scalar;
mod spec;
mod typed_values;
mod unpack;
mod values_edit;
mod values_image;
mod vendored;
mod version;
pub mod yaml;

pub use chart_file::{ChartFile, FileSpan};
pub use chart_image::{ChartImage, NamedImage, NamedTag, ValueChange, dotted};
pub use check::{CheckedChart, chart_name, chart_version, check_chart};
pub use error::ChartError;
pub use finding::{ChartFinding, FindingConcern, FindingSeverity};
pub use manifest::{CONTENT, IMAGES, PROVENANCE};
pub use open::{OpenedChart, open};
pub use part_of_chart::part_of_chart;
pub use spec::ChartSpec;
