//! Images in the store of a Docker Engine, or of a service with the same API, such as podman's.
//!
//! An image is looked up by name, exported by its id into a temporary file, and read as a Docker archive
//! (Docker Engine API, "Inspect an image" and "Export an image"). Paths contain no version, because every engine, old or new,
//! answers such paths.
//!
//! In reading order: `endpoint` and `context` (the address of the engine), `client` (requests to it).

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::Response;
use serde::Deserialize;

use super::docker_archive::{DockerArchive, normalized};
use super::positioned::PositionedFile;
use super::read::read_bounded;
use super::{Source, SourceError, Surroundings};
use crate::TransportSpec;
use oci_registry::Digest;

mod client;
mod context;
mod endpoint;

use client::RequestError;
use endpoint::Endpoint;

/// The longest time that an engine may be silent when it is asked about an image.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest time that it may be silent during an export: some engines write the whole image to disk before they send a byte.
const EXPORT_PATIENCE: Duration = Duration::from_secs(15 * 60);
/// The largest description of an image that is read, in bytes.
const MAX_DESCRIPTION: u64 = 16 * 1024 * 1024;
/// The largest error message that is read, in bytes.
const MAX_ERROR: u64 = 64 * 1024;

/// An engine's description of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    id: String,
}

/// An engine's description of an error.
#[derive(Deserialize)]
struct ErrorMessage {
    message: String,
}

/// Opens the image that `image` names in the engine that the environment names, and returns it with its spec pinned to the id.
pub(super) fn open(
    image: &str,
    surroundings: &Surroundings,
) -> Result<(Arc<dyn Source>, TransportSpec), SourceError> {
    check_name(image)?;
    let engine = EngineClient { endpoint: Endpoint::find(surroundings)? };
    let id = engine.id(image)?;
    let pinned = TransportSpec::DockerDaemon { image: id.to_string() };
    let name = engine.endpoint.address.to_string();
    if let Some(source) = surroundings.content.exported(&name, &id) {
        return Ok((source, pinned));
    }
    let (source, size) = engine.export(image, &id, surroundings)?;
    let source: Arc<dyn Source> = Arc::new(source);
    surroundings.content.keep_exported(&name, &id, Arc::clone(&source), size);
    Ok((source, pinned))
}

/// The part of an engine's message that is shown to people.
fn shortened(message: &str) -> String {
    message.trim().chars().take(500).collect()
}

/// The error at the end of an export. Once an engine has begun to send a tar, it can report an error in no other place (moby,
/// api/server/router/image, `getImagesGet`).
fn tail(file: &mut File) -> io::Result<Option<String>> {
    #[derive(Deserialize)]
    struct Last {
        error: String,
    }
    const START: &[u8] = br#"{"errorDetail""#;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_ERROR)))?;
    let end = read_bounded(file, MAX_ERROR)?;
    let start = end.windows(START.len()).rposition(|window| window == START);
    let last = start.and_then(|start| end.get(start..));
    Ok(last.and_then(|last| serde_json::from_slice::<Last>(last).ok()).map(|last| last.error))
}

/// Refuses text that is neither a name nor an id, so that it can be written into a path unchanged.
fn check_name(image: &str) -> Result<(), SourceError> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "-._:/@".contains(c);
    let parts = |part: &str| !part.is_empty() && !part.starts_with('.');
    if image.chars().all(valid) && image.split('/').all(parts) && image.len() <= 512 {
        return Ok(());
    }
    Err(SourceError::Unsupported {
        reason: format!("`docker-daemon:{image}` does not name an image"),
        help: "write it as `docker images` shows it: `docker-daemon:NAME:TAG`, or `docker-daemon:sha256:ID`"
            .to_owned(),
    })
}

struct EngineClient {
    endpoint: Endpoint,
}

impl EngineClient {
    /// The id of an image.
    fn id(&self, image: &str) -> Result<Digest, SourceError> {
        // podman gives images that were built locally this name, but does not look it up by itself.
        let local = format!("localhost/{image}");
        let mut names = vec![image];
        if normalized(image).starts_with("docker.io/") && !image.starts_with("docker.io/") {
            names.push(&local);
        }
        for name in names {
            let answer = self.get(&format!("/images/{name}/json"), PATIENCE)?;
            if answer.status() == 404 {
                continue;
            }
            let body = self.successful(answer, "about the image", image)?;
            let bytes = read_bounded(body, MAX_DESCRIPTION)
                .map_err(|error| self.failed(&client::body_error(&error)))?;
            let description: Description =
                serde_json::from_slice(&bytes).map_err(|error| self.odd(&error.to_string()))?;
            // Older versions of podman leave the algorithm out.
            let id = description.id;
            let id = if id.contains(':') { id } else { format!("sha256:{id}") };
            return id.parse().map_err(|error: oci_registry::DigestError| self.odd(&error.to_string()));
        }
        Err(self.no_image(image))
    }

    /// Exports an image to a temporary file, opens that, and returns it with its size in bytes.
    fn export(
        &self,
        image: &str,
        id: &Digest,
        surroundings: &Surroundings,
    ) -> Result<(DockerArchive, u64), SourceError> {
        let folder = &surroundings.temporary_folder();
        let answer = self.get(&format!("/images/{id}/get"), EXPORT_PATIENCE)?;
        if answer.status() == 404 {
            return Err(self.no_image(image));
        }
        let mut body = self.successful(answer, "for the image", image)?;
        let mut file = folder.file()?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(&client::body_error(&error))),
            };
            file.write_all(buffer.get(..count).unwrap_or_default()).map_err(|error| folder.failed(error))?;
        }
        let said = tail(&mut file).map_err(|error| folder.failed(error))?;
        let place = format!("docker-daemon:{image}");
        let file = PositionedFile::of(file, PathBuf::from(&place)).map_err(|error| folder.failed(error))?;
        let size = file.length();
        let archive =
            DockerArchive::read(Arc::new(file), None, &place, surroundings).map_err(|error| match said {
                Some(said) => SourceError::Engine {
                    reason: format!("{} aborted the export of `{image}`: {}", self.name(), shortened(&said)),
                    help: "check whether `docker save NAME` works; the engine's log has more details"
                        .to_owned(),
                },
                None => error,
            })?;
        Ok((archive, size))
    }

    fn get(&self, path: &str, patience: Duration) -> Result<Response, SourceError> {
        client::get(&self.endpoint.address, path, patience).map_err(|error| self.failed(&error))
    }

    /// The body of a successful answer, or the engine's error.
    fn successful(&self, answer: Response, what: &str, image: &str) -> Result<Response, SourceError> {
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(answer);
        }
        // The engine's message is shown if it can be read; otherwise the status is enough.
        let said = read_bounded(answer, MAX_ERROR).unwrap_or_default();
        // A server that is not an engine at all answers in plain text.
        let message = serde_json::from_slice::<ErrorMessage>(&said)
            .map_or_else(|_| String::from_utf8_lossy(&said).into_owned(), |error| error.message);
        let message = shortened(&message);
        let said = if message.is_empty() { String::new() } else { format!(": {message}") };
        Err(SourceError::Engine {
            reason: format!("{} answered {status} when asked {what} `{image}`{said}", self.name()),
            help: "try `docker image inspect NAME` and `docker save NAME`; the engine's log has more details"
                .to_owned(),
        })
    }

    /// The name of the engine, for people.
    fn name(&self) -> String {
        format!("the Docker Engine at `{}`, {},", self.endpoint.address, self.endpoint.named_by)
    }

    fn no_image(&self, image: &str) -> SourceError {
        let help = if image.starts_with("sha256:") {
            "it was there when the plan was made and has been removed since, or it is in another engine: build it again, and \
             make a new plan"
        } else {
            "build it with that name (`docker build --tag NAME .`); `docker images` lists the images it has"
        };
        SourceError::NoSuchImage { image: image.to_owned(), engine: self.name(), help: help.to_owned() }
    }

    fn unreachable(&self, error: &io::Error) -> SourceError {
        let help = match error.kind() {
            ErrorKind::PermissionDenied => {
                "add this user to the group that may use it (`sudo usermod -aG docker $USER`, and log in again), or use an engine \
                 of your own"
            }
            ErrorKind::InvalidInput => {
                "set `DOCKER_CERT_PATH` to the folder with `ca.pem`, `cert.pem` and `key.pem`"
            }
            _ => {
                "start it (`systemctl start docker`, `podman system service --time 0 unix:///PATH`), or set `DOCKER_HOST` to the \
                 address of a running one; without an engine, publish a file: `docker save --output FILE NAME`, and \
                 `docker-archive:FILE`"
            }
        };
        SourceError::Engine {
            reason: format!("{} cannot be reached: {error}", self.name()),
            help: help.to_owned(),
        }
    }

    /// The error for a request that got no answer.
    fn failed(&self, error: &RequestError) -> SourceError {
        let reason = match error {
            RequestError::Connect(error) => return self.unreachable(error),
            RequestError::Silent => format!("{} does not answer", self.name()),
            RequestError::Broken(reason) => format!("{} gave an unreadable answer: {reason}", self.name()),
        };
        SourceError::Engine {
            reason,
            help: "check whether it is still running (`docker version`); the engine's log has more details"
                .to_owned(),
        }
    }

    fn odd(&self, reason: &str) -> SourceError {
        SourceError::Engine {
            reason: format!("{} gave an unexpected description of the image: {reason}", self.name()),
            help: "check what listens there: `docker version`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
