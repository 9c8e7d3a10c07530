//! Keeping credentials where Docker, podman and this crate look for them, and removing them: in a file, or with the program that the
//! file names for the host.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use serde::Serialize as _;
use serde_json::{Map, Value, json};

use super::file::{self, HUB_SERVER, path_for};
use super::files::{self, CredentialFile};
use super::program::{Program, ProgramLimits};
use super::{CredentialMemory, Credentials, Keychain};
use crate::error::{CredentialError, RegistryError};
use crate::options::ConnectOptions;
use crate::reference::is_docker_hub;

/// The place of credentials that were just stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLogin {
    /// The file or the program, in words for people.
    pub place: String,
    /// Whether the file holds the password itself, encoded but readable.
    pub readable: bool,
    /// The origin of other credentials for the host, which take precedence over the stored ones.
    pub hidden_by: Option<String>,
}

/// Stores `credentials` for `host`: in `file`, or else in the first of the usual files that already has some for it, or else in
/// `REGISTRY_AUTH_FILE` or Docker's file. If that file names a credential program for the host, the program stores them.
///
/// # Errors
///
/// [`RegistryError::Credentials`] if a file or a program cannot be used.
pub async fn store_login(
    host: &str,
    credentials: &Credentials,
    file: Option<&Path>,
    options: &ConnectOptions,
) -> Result<StoredLogin, RegistryError> {
    let file = chosen(host, file, options)?;
    let mut document = read(&file, options)?;
    let program = program(&document, host, &file)?;
    let place = match &program {
        Some(program) => {
            let server = &program.server;
            let input = json!({ "ServerURL": server, "Username": credentials.username(), "Secret": credentials.password() });
            program.tell("store", input.to_string().as_bytes(), &limits(options)).await?;
            // As Docker does: the entry shows that a program has credentials for the host.
            set(&mut document, host, &file, Value::Object(Map::new()))?;
            program.origin()
        }
        None => {
            let pair = format!("{}:{}", credentials.username(), credentials.password());
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            set(&mut document, host, &file, json!({ "auth": encoded }))?;
            file.shown.clone()
        }
    };
    write(&file, &document)?;
    let options =
        ConnectOptions { credentials: CredentialMemory::default(), anonymous: false, ..options.clone() };
    let found = Keychain::gather(host, None, &options)?.find("").await?;
    let hidden_by = found.filter(|found| found.password() != credentials.password());
    let hidden_by = hidden_by.map(|found| found.origin().to_owned());
    Ok(StoredLogin { place, readable: program.is_none(), hidden_by })
}

/// Removes the credentials for the whole of `host` from `file`, or from all the usual files and the programs that they name. Returns
/// the places that had some, in words for people.
///
/// # Errors
///
/// [`RegistryError::Credentials`] if a file or a program cannot be used.
pub async fn erase_login(
    host: &str,
    file: Option<&Path>,
    options: &ConnectOptions,
) -> Result<Vec<String>, RegistryError> {
    let files = match file {
        Some(path) => vec![CredentialFile::named(options.folder.join(path))],
        None => usual(options),
    };
    let mut places = Vec::new();
    for file in files.iter().filter(|file| file.path.is_file()) {
        let mut document = read(file, options)?;
        if let Some(program) = program(&document, host, file)?
            && program.ask(&limits(options)).await?.is_some()
        {
            program.tell("erase", program.server.as_bytes(), &limits(options)).await?;
            places.push(program.origin());
        }
        let Some(entries) = document.get_mut("auths").and_then(Value::as_object_mut) else { continue };
        let keys: Vec<String> =
            entries.keys().filter(|key| path_for(key, host) == Some("")).cloned().collect();
        if keys.is_empty() {
            continue;
        }
        let held = keys.iter().any(|key| {
            entries.get(key).is_some_and(|entry| entry.as_object().is_some_and(|it| !it.is_empty()))
        });
        for key in keys {
            entries.shift_remove(&key);
        }
        write(file, &document)?;
        if held {
            places.push(file.shown.clone());
        }
    }
    Ok(places)
}

fn limits(options: &ConnectOptions) -> ProgramLimits {
    ProgramLimits { environment: options.environment.clone(), patience: options.timeouts.program }
}

fn usual(options: &ConnectOptions) -> Vec<CredentialFile> {
    let variable = |name: &str| (options.environment)(name).filter(|value| !value.is_empty());
    files::all(&variable, options.run_folder.as_deref())
}

/// Returns the file to store credentials for `host` in.
fn chosen(
    host: &str,
    file: Option<&Path>,
    options: &ConnectOptions,
) -> Result<CredentialFile, RegistryError> {
    if let Some(path) = file {
        return Ok(CredentialFile::named(options.folder.join(path)));
    }
    let mut files = usual(options);
    let mut chosen = None;
    for (at, file) in files.iter().enumerate() {
        // `REGISTRY_AUTH_FILE` is asked first, so nothing else could be found before it.
        if file.may_be_pipe || (file.path.is_file() && holds(&read(file, options)?, host, file)?) {
            chosen = Some(at);
            break;
        }
    }
    let docker = files.len().checked_sub(1);
    let existing = || files.iter().position(|file| file.path.is_file());
    let at = match (chosen, docker) {
        (Some(at), _) => at,
        (None, Some(docker)) if (options.environment)("DOCKER_CONFIG").is_some_and(|it| !it.is_empty()) => {
            docker
        }
        (None, Some(docker)) if files.get(docker).is_some_and(|file| file.path.is_file()) => docker,
        (None, Some(docker)) => existing().unwrap_or(docker),
        (None, None) => {
            let reason = "neither `HOME` nor `DOCKER_CONFIG` nor `REGISTRY_AUTH_FILE` is set".to_owned();
            return Err(CredentialError::Interrupted { reason }.into());
        }
    };
    Ok(files.swap_remove(at))
}

/// Whether the file has credentials for the host, or names a program for it alone.
fn holds(document: &Value, host: &str, file: &CredentialFile) -> Result<bool, RegistryError> {
    let found = file::read(&document.to_string(), host, &file.shown)?;
    Ok(found.entries.iter().any(|(path, _)| path.is_empty())
        || found.programs.iter().any(|it| it.key == "credHelpers"))
}

fn program(document: &Value, host: &str, file: &CredentialFile) -> Result<Option<Program>, RegistryError> {
    Ok(file::read(&document.to_string(), host, &file.shown)?.programs.into_iter().next())
}

/// Returns the content of the file; an empty object if it does not exist or is empty.
fn read(file: &CredentialFile, options: &ConnectOptions) -> Result<Value, RegistryError> {
    let text = file.text(&options.credentials, options.timeouts.program)?.unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    let malformed = |reason: String| -> RegistryError {
        CredentialError::Malformed { file: file.shown.clone(), reason }.into()
    };
    let document: Value = serde_json::from_str(&text).map_err(|error| {
        malformed(format!("not JSON at line {}, column {}", error.line(), error.column()))
    })?;
    if document.is_object() { Ok(document) } else { Err(malformed("not a JSON object".to_owned())) }
}

/// Sets the entry of the whole host. The key is that of the entry that is there, or the one that the file's program writes.
fn set(document: &mut Value, host: &str, file: &CredentialFile, entry: Value) -> Result<(), RegistryError> {
    let malformed = || CredentialError::Malformed {
        file: file.shown.clone(),
        reason: "`auths` is not a JSON object".to_owned(),
    };
    let document = document.as_object_mut().ok_or_else(malformed)?;
    let entries = document.entry("auths").or_insert_with(|| json!({}));
    if entries.is_null() {
        *entries = json!({});
    }
    let entries = entries.as_object_mut().ok_or_else(malformed)?;
    let known: Vec<String> = entries.keys().filter(|key| path_for(key, host) == Some("")).cloned().collect();
    let is_docker = file.path.file_name().is_some_and(|name| name == "config.json");
    let usual = match (is_docker_hub(host), is_docker) {
        (true, true) => HUB_SERVER,
        (true, false) => "docker.io",
        (false, _) => host,
    };
    let key = known.first().cloned().unwrap_or_else(|| usual.to_owned());
    for other in known.iter().skip(1) {
        entries.shift_remove(other);
    }
    entries.insert(key, entry);
    Ok(())
}

/// Writes the file whole or not at all, readable only by its owner. A link stays, and its target is replaced.
fn write(file: &CredentialFile, document: &Value) -> Result<(), RegistryError> {
    let unwritable = |cause: std::io::Error| -> RegistryError {
        CredentialError::Unwritable { file: file.shown.clone(), cause: Arc::new(cause) }.into()
    };
    let path = file.path.canonicalize().unwrap_or_else(|_| file.path.clone());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    create(&folder).map_err(unwritable)?;
    let mut text = Vec::new();
    // Docker indents with tabs.
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    document.serialize(&mut serializer).map_err(|error| unwritable(error.into()))?;
    text.push(b'\n');
    // Temporary files have the mode 0600.
    let mut temporary = tempfile::NamedTempFile::new_in(&folder).map_err(unwritable)?;
    temporary.write_all(&text).and_then(|()| temporary.as_file().sync_all()).map_err(unwritable)?;
    temporary.persist(&path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Creates the folder, readable only by its owner.
fn create(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(all(test, unix))]
#[path = "login_tests.rs"]
mod tests;
