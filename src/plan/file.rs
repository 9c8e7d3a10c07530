//! Saved plans: written whole or not at all, and read with the version checked first.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::diagnostic::{Code, Diagnostic};
use crate::model::plan::{FORMAT_VERSION, Plan};

/// The largest saved plan that is read, in bytes.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// Why a saved plan cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file cannot be written.
    #[error("the plan cannot be written to `{}`: {cause}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file cannot be read.
    #[error("the plan `{}` cannot be read: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is no saved plan.
    #[error("`{}` is not a saved plan: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The plan was made by a newer program.
    #[error("the plan `{}` has format version {found}, and this program reads {FORMAT_VERSION}", .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: String,
    },
}

impl PlanFileError {
    /// For people.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::Write { .. } => "name a file in a folder that exists and can be written to",
            Self::Read { .. } => "`brokkr-publish plan --out FILE` writes a plan",
            Self::Malformed { .. } => "make the plan again with `brokkr-publish plan --out FILE`",
            Self::Version { .. } => {
                "apply it with the version of `brokkr-publish` that made it, or make the plan again"
            }
        };
        Diagnostic::error(Code::PlanFile, self.to_string()).help(help)
    }
}

/// Writes `plan` to `path`: to a temporary file first, so that a reader never sees half a plan.
pub fn save(plan: &Plan, path: &Path) -> Result<(), PlanFileError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, plan)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|cause| PlanFileError::Write { path: path.to_owned(), cause })
}

/// Reads a saved plan.
pub fn load(path: &Path) -> Result<Plan, PlanFileError> {
    let read = |cause| PlanFileError::Read { path: path.to_owned(), cause };
    let size = std::fs::metadata(path).map_err(read)?.len();
    if size > MAX_SIZE {
        return Err(read(std::io::Error::other(format!("it has {size} bytes, more than any plan"))));
    }
    parse(path, &std::fs::read(path).map_err(read)?)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Plan, PlanFileError> {
    #[derive(Deserialize)]
    struct Versioned {
        format_version: String,
    }
    let malformed = |error: serde_json::Error| PlanFileError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    // The version first: what else a newer format holds may not parse.
    let Versioned { format_version } = serde_json::from_slice(bytes).map_err(malformed)?;
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    if major(&format_version) != major(FORMAT_VERSION) {
        return Err(PlanFileError::Version {
            path: path.to_owned(),
            found: format_version.escape_debug().to_string(),
        });
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

/// The JSON Schema of a saved plan.
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Plan).to_value();
    if let Some(object) = schema.as_object_mut() {
        let id = "https://raw.githubusercontent.com/colliery-io/brokkr-publish/main/schemas/plan.schema.json";
        object.insert("$id".to_owned(), id.into());
        object.insert("title".to_owned(), "A saved plan of brokkr-publish".into());
    }
    schema
}
