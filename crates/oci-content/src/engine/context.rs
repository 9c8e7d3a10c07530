//! Docker contexts: engines by name, as `docker context create` writes them.
//!
//! A context is the file `contexts/meta/ID/meta.json` in docker's folder. `ID` is the SHA-256 of its name. Its certificates
//! are in `contexts/tls/ID/docker` (docker/cli, cli/context/store).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::SourceError;
use super::super::read::read_bounded;
use oci_registry::Digest;

/// The largest file of docker's configuration that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DockerConfigFile {
    current_context: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Docker>,
}

#[derive(Deserialize)]
struct Docker {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    unverified: bool,
}

/// The current context in docker's configuration.
pub(super) fn current(folder: &Path) -> Result<Option<String>, SourceError> {
    let config: Option<DockerConfigFile> = json(&folder.join("config.json"))?;
    Ok(config.and_then(|config| config.current_context).filter(|name| !name.is_empty()))
}

/// The host of the context `name`, and the folder of its certificates if it has any.
pub(super) fn endpoint(folder: &Path, name: &str) -> Result<(String, Option<PathBuf>), SourceError> {
    let refuse = |reason: &str, help: &str| SourceError::Engine {
        reason: format!("the Docker context `{name}` {reason}"),
        help: help.to_owned(),
    };
    let id = Digest::of(name.as_bytes());
    let meta: Option<Meta> = json(&folder.join("contexts/meta").join(id.hex()).join("meta.json"))?;
    let Some(meta) = meta else {
        return Err(refuse(
            "does not exist",
            "list the contexts with `docker context ls`, and set `DOCKER_CONTEXT` to one or choose one with `docker context use`",
        ));
    };
    let Some(docker) = meta.endpoints.docker.filter(|docker| !docker.host.is_empty()) else {
        return Err(refuse("names no Docker Engine", "set `DOCKER_HOST` to the address of one"));
    };
    let certificates =
        Some(folder.join("contexts/tls").join(id.hex()).join("docker")).filter(|it| it.is_dir());
    if docker.unverified && certificates.is_some() {
        return Err(refuse(
            "accepts any certificate (`skip-tls-verify`)",
            "create it with the certificate of its authority: `docker context create … --docker host=…,ca=…,cert=…,key=…`",
        ));
    }
    Ok((docker.host, certificates))
}

/// The parsed contents of a JSON file; `None` if there is no file.
fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, SourceError> {
    let place = format!("`{}`", path.display());
    let file = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => std::fs::File::open(path),
        Ok(_) => return Err(SourceError::malformed(place, "it is not a regular file")),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(SourceError::io(place, error)),
    };
    let bytes = read_bounded(file, MAX_FILE).map_err(|error| SourceError::io(&place, error))?;
    // The parser's own message is left out: it quotes values, and docker's configuration may contain credentials.
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let reason =
            format!("line {}, column {} is not what docker writes there", error.line(), error.column());
        SourceError::malformed(place, reason)
    })
}
