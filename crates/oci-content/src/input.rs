//! The file that a source of an archive names: a path, or `-` for the standard input.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal};
use std::sync::Arc;

use super::positioned::PositionedFile;
use super::source_path::SourcePath;
use super::{SourceError, Surroundings};

/// The path that means the standard input, as in skopeo and podman.
pub(super) const STANDARD_INPUT: &str = "-";

/// Opens the archive that `path` names. The standard input is read once in a run, into a temporary file.
pub(super) fn archive(path: &str, surroundings: &Surroundings) -> Result<Arc<PositionedFile>, SourceError> {
    if path != STANDARD_INPUT {
        return open_file(&SourcePath::new(&surroundings.folder, path)).map(Arc::new);
    }
    surroundings.content.standard_input(|| {
        let input = io::stdin();
        if input.is_terminal() {
            return Err(no_input("the standard input is a terminal"));
        }
        let folder = surroundings.temporary_folder();
        let mut file = folder.file()?;
        let length = io::copy(&mut input.lock(), &mut file).map_err(|error| folder.failed(error))?;
        if length == 0 {
            return Err(no_input("the standard input is empty"));
        }
        PositionedFile::of(file, "the standard input".into()).map_err(|error| folder.failed(error))
    })
}

fn no_input(reason: &str) -> SourceError {
    SourceError::Unsupported {
        reason: format!("the source is an archive from the standard input (`-`), but {reason}"),
        help: "pipe the archive into the command, as in `docker buildx build --output type=oci,dest=- . | brokkr-publish plan`, and \
               do so for each command that reads it: `plan` and `apply`"
            .to_owned(),
    }
}

/// Opens the regular file at `path`. Messages about it show the path as written.
fn open_file(path: &SourcePath) -> Result<PositionedFile, SourceError> {
    let io = |error| SourceError::io(format!("`{path}`"), error);
    // The type is checked first, because opening a pipe would wait forever.
    match fs::metadata(path.full()) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(metadata) => {
            let help = if metadata.is_dir() {
                format!("for a layout in a directory, write `oci:{path}`")
            } else {
                "write the image to a regular file first".to_owned()
            };
            let path = path.written().to_owned();
            return Err(SourceError::NotALayout { path, reason: "it is not a file".to_owned(), help });
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(SourceError::Missing { path: path.written().to_owned() });
        }
        Err(error) => return Err(io(error)),
    }
    let file = File::open(path.full()).map_err(io)?;
    PositionedFile::of(file, path.written().to_owned()).map_err(io)
}
