//! The options of connections: [`ConnectOptions`].

use std::path::PathBuf;
use std::sync::Arc;

use crate::credentials::{CredentialMemory, EnvironmentLookup};
use crate::http::{HostMemory, RetryPolicy, Timeouts, UploadRate};
use crate::notice::Notify;

/// How to connect to a registry.
#[derive(Clone)]
pub struct ConnectOptions {
    /// The folder that the paths of directory registries and of the files of an endpoint are relative to.
    pub folder: PathBuf,
    /// Looks up environment variables: credentials, and the folders of credential files.
    pub environment: EnvironmentLookup,
    /// Whether to ask without credentials, as a stranger would, even if there are some.
    pub anonymous: bool,
    /// Remembers the answers of credential programs and token servers. All connections of a run share it, so that each
    /// program is asked once and each identity token is used once.
    pub credentials: CredentialMemory,
    /// Remembers how hosts speak and which credentials they require. All connections of a run share it, so that each
    /// host is asked once.
    pub hosts: HostMemory,
    /// The folder for files that live until the next reboot, `/run`: podman keeps its logins there on Linux if
    /// `XDG_RUNTIME_DIR` is not set. If `None`, that folder is not searched.
    pub run_folder: Option<PathBuf>,
    /// Receives retries and the registry's warnings.
    pub notify: Notify,
    /// The name of the program for registries and token servers, as `name/version`.
    pub user_agent: String,
    /// How many blobs are sent to one registry at a time, at least 1. Eight times as many small requests are sent at
    /// the same time.
    pub parallelism: usize,
    /// The most bytes of blobs in a second; `None` for no limit.
    pub upload_rate: Option<UploadRate>,
    /// How often and how long a failed request is sent again.
    pub retry: RetryPolicy,
    /// How long one step of a request may take.
    pub timeouts: Timeouts,
}

impl Default for ConnectOptions {
    /// The working directory, the environment of the process, no `/run`, nobody to notify, 8 blobs at a time, and the
    /// limits of [`RetryPolicy`] and [`Timeouts`].
    fn default() -> Self {
        Self {
            folder: PathBuf::from("."),
            environment: Arc::new(|name| std::env::var(name).ok()),
            anonymous: false,
            credentials: CredentialMemory::default(),
            hosts: HostMemory::default(),
            run_folder: None,
            notify: Arc::new(|_| {}),
            user_agent: concat!("oci-registry/", env!("CARGO_PKG_VERSION")).to_owned(),
            parallelism: 8,
            upload_rate: None,
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
        }
    }
}
