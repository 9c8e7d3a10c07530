#![doc = include_str!("../README.md")]

pub mod annotation;
mod api_url;
mod connect;
mod credentials;
mod described;
mod descriptor;
mod digest;
mod directory;
mod endpoint;
mod error;
mod http;
mod interop;
mod inventories;
pub mod inventory;
pub mod manifest;
pub mod mask;
pub mod media_type;
mod notice;
mod options;
mod platform;
mod provider;
pub mod reference;
pub mod referrer;
mod referrers;
pub mod remote;
mod removal;
mod repository;
mod tag;
mod tag_listing;
mod tag_lookup;
pub mod untagged;

pub use api_url::{ApiUrl, ApiUrlError};
pub use connect::{connect, find_credentials, verify_login};
pub use credentials::{
    CredentialKind, CredentialMemory, Credentials, EnvironmentLookup, ProcessGroup, SentVariable,
    StoredLogin, erase_login, sent_variables, store_login,
};
pub use described::{DescribedVersion, created, latest_time, revision, version};
pub use descriptor::Descriptor;
pub use digest::{Digest, DigestError, Digester};
pub use endpoint::{ApiRefusal, CredentialVariables, RegistryEndpoint};
pub use error::{
    CredentialError, DeletionObstacle, DirectoryProblem, ErrorEnvelope, ErrorItem, HostRoute, NetworkFailure,
    OtherHost, ProgramProblem, Refusal, RegistryError, SentManifest, UnsentCredentials, UnsentReason,
};
pub use http::{
    ApiCredential, ApiMethod, ApiResponse, HostMemory, JsonApi, LoginAnswer, RetryPolicy, Timeouts,
    UploadRate,
};
pub use interop::ForeignDescriptorError;
pub use inventories::Inventories;
pub use manifest::{Manifest, ManifestError, RawManifest};
pub use notice::{Notice, Notify};
pub use options::ConnectOptions;
pub use platform::{Platform, PlatformError};
pub use provider::Provider;
pub use reference::{RegistryLocation, RepositoryName, TagOrDigest};
pub use referrer::Referrer;
pub use referrers::{check_listable, find_referrers, list_at_fallback_tag, listed_referrers};
pub use removal::{RemovalOutcome, remove_tag};
pub use repository::{
    BlobBody, BlobOutcome, ByteStream, Deleter, Deletion, HeldManifest, ManifestLister, Presence, PutOutcome,
    READ_PAUSES, Registry, Repository,
};
pub use tag::{Tag, TagError};
pub use tag_listing::{ListingGap, TagListing};
pub use tag_lookup::TagLookup;
