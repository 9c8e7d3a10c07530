//! Formatting configurations: `fmt`.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::session::{Result, Session};
use crate::config;
use crate::diagnostic::{Code, Diagnostic};

/// The largest text that standard input may hold, in bytes.
const MAX_INPUT: u64 = 10 * 1024 * 1024;

/// A configuration before and after formatting.
#[derive(Debug)]
pub struct FormattedFile {
    /// Its name for people.
    pub name: String,
    /// The text as it was.
    pub before: String,
    /// The text as it is formatted.
    pub after: String,
    /// The file; `None` for standard input.
    path: Option<PathBuf>,
}

impl FormattedFile {
    /// Whether formatting changes anything.
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }

    /// Whether the text came from standard input.
    pub fn is_input(&self) -> bool {
        self.path.is_none()
    }
}

/// Returns the configurations at `paths`, or the one that the command uses, each before and after formatting. `-` is standard input.
///
/// # Errors
///
/// If a file cannot be read or is not TOML; all such files at once.
pub fn format_files(session: &Session, paths: &[PathBuf]) -> Result<Vec<FormattedFile>> {
    let own;
    let paths = if paths.is_empty() {
        own = [session.config_path()?];
        &own
    } else {
        paths
    };
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let is_input = path.as_os_str() == "-";
        let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
        let text =
            if is_input { input() } else { config::read_whole(&session.working_folder.join(path), &name) };
        let formatted = text.map_err(|problem| vec![problem]).and_then(|before| {
            let after =
                config::formatted(&before).ok_or_else(|| config::syntax_problems(&before, &name, path))?;
            let path = (!is_input).then(|| session.working_folder.join(path));
            Ok(FormattedFile { name, before, after, path })
        });
        match formatted {
            Ok(file) => files.push(file),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

fn input() -> std::result::Result<String, Diagnostic> {
    let problem = |message: String| {
        Diagnostic::error(Code::ConfigFile, message).help("pass the text of a publish.toml")
    };
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut bytes);
    read.map_err(|cause| problem(format!("standard input cannot be read: {cause}")))?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(problem("standard input is larger than 10 MiB".to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| problem("standard input is not UTF-8".to_owned()))
}

/// Writes a formatted file, whole or not at all, with the permissions that it has. A link stays, and its target is replaced.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_formatted(file: &FormattedFile) -> Result<()> {
    let Some(path) = &file.path else { return Ok(()) };
    let written = replace(path, &file.after);
    written.map_err(|cause| {
        vec![
            Diagnostic::error(Code::ConfigFile, format!("`{}` cannot be written: {cause}", file.name))
                .help("check that this user may write the file and its folder"),
        ]
    })
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().ok_or(std::io::ErrorKind::IsADirectory)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().set_permissions(path.metadata()?.permissions())?;
    temporary.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
