//! Finding the endpoint of the Docker Engine, as the program `docker` does.
//!
//! The order is docker's own (docker/cli, cli/command/cli.go, `resolveContextName`; `docker context` in its documentation):
//! `DOCKER_HOST`, `DOCKER_CONTEXT`, the context that its configuration names, and the socket of the system. If that does not
//! exist, the socket of the user's own engine is used. The environment comes from the caller, never from the process.

use std::path::{Path, PathBuf};

use super::super::{SourceError, Surroundings};
use super::context;

/// The socket of the system's engine.
const SYSTEM_SOCKET: &str = "/var/run/docker.sock";
/// The default port of engines without TLS (IANA).
const PORT: u16 = 2375;
/// The default port of engines with TLS.
const TLS_PORT: u16 = 2376;

/// The help on how to write an address.
const FORMS: &str = "write it as `unix:///run/docker.sock` or `tcp://HOST:2375`";

/// The endpoint of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Its address.
    pub(super) address: EngineAddress,
    /// The setting that named it, for people.
    pub(super) named_by: String,
}

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EngineAddress {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A host and port.
    Tcp {
        /// `HOST:PORT`.
        host_and_port: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`, if it uses TLS.
        certificates: Option<PathBuf>,
    },
}

impl std::fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host_and_port, .. } => write!(f, "tcp://{host_and_port}"),
        }
    }
}

impl Endpoint {
    /// Finds the endpoint that the environment names.
    pub(super) fn find(surroundings: &Surroundings) -> Result<Self, SourceError> {
        let variable = |name: &str| (surroundings.environment)(name).filter(|value| !value.is_empty());
        let folder = variable("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".docker")));
        if let Some(host) = variable("DOCKER_HOST") {
            let tls = variable("DOCKER_TLS_VERIFY").is_some();
            if !tls && variable("DOCKER_TLS").is_some() {
                return Err(SourceError::Engine {
                    reason: "`DOCKER_TLS` is set, which accepts any certificate".to_owned(),
                    help: "set `DOCKER_TLS_VERIFY=1`, and `DOCKER_CERT_PATH` to the folder with `ca.pem`, `cert.pem` and `key.pem`"
                        .to_owned(),
                });
            }
            let certificates =
                if tls { variable("DOCKER_CERT_PATH").map(PathBuf::from).or(folder) } else { None };
            let named_by = "from `DOCKER_HOST`".to_owned();
            return Ok(Self { address: parse(&host, certificates, &named_by)?, named_by });
        }
        let chosen = match (variable("DOCKER_CONTEXT"), &folder) {
            (Some(name), _) => Some(name),
            (None, Some(folder)) => context::current(folder)?,
            (None, None) => None,
        };
        if let (Some(name), Some(folder)) = (chosen.filter(|name| name != "default"), &folder) {
            let (host, certificates) = context::endpoint(folder, &name)?;
            let named_by = format!("of the Docker context `{name}`");
            return Ok(Self { address: parse(&host, certificates, &named_by)?, named_by });
        }
        let own = variable("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("docker.sock"));
        let path = match own {
            Some(own) if !Path::new(SYSTEM_SOCKET).exists() && own.exists() => own,
            _ => PathBuf::from(SYSTEM_SOCKET),
        };
        Ok(Self { address: EngineAddress::Unix(path), named_by: "Docker's default address".to_owned() })
    }
}

/// Parses a host as docker writes it. `named_by` is the setting that named it, for people. The text itself is not repeated if it
/// has a user name, because it may contain a password.
fn parse(host: &str, certificates: Option<PathBuf>, named_by: &str) -> Result<EngineAddress, SourceError> {
    let refuse = |reason: String, help: &str| {
        Err(SourceError::Engine {
            reason: format!("the Docker Engine {named_by} {reason}"),
            help: help.to_owned(),
        })
    };
    let Some((scheme, rest)) = host.split_once("://") else {
        return refuse("is not an address".to_owned(), FORMS);
    };
    match scheme {
        "unix" if rest.is_empty() => Ok(EngineAddress::Unix(PathBuf::from(SYSTEM_SOCKET))),
        "unix" if rest.starts_with('/') => Ok(EngineAddress::Unix(PathBuf::from(rest))),
        "tcp" | "http" if rest.contains('@') => {
            refuse("contains a user name, which engines do not support".to_owned(), FORMS)
        }
        "tcp" | "http" => {
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            let valid = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
            if rest.is_empty() || !rest.chars().all(valid) {
                return refuse("is not a host and port".to_owned(), FORMS);
            }
            let port = if certificates.is_some() { TLS_PORT } else { PORT };
            let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            let host_and_port = if has_port { rest.to_owned() } else { format!("{rest}:{port}") };
            Ok(EngineAddress::Tcp { host_and_port, certificates })
        }
        "ssh" => refuse(
            "is reached over ssh, which is not supported".to_owned(),
            "forward its socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST &`, and set \
             `DOCKER_HOST=unix:///tmp/docker.sock`",
        ),
        _ => refuse(
            format!(
                "has the scheme `{}`, which is not supported",
                scheme.chars().take(20).collect::<String>()
            ),
            FORMS,
        ),
    }
}
