//! The help for each error, in plain words.

use oci_registry::{DeletionObstacle, DirectoryProblem, NetworkFailure, Refusal, RegistryError};

use super::{create_first, credentials, github, manifest, other_host};
use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};

impl ToDiagnostic for RegistryError {
    fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic::error(code(self), message(self)).help(help(self))
    }
}

/// Returns the message of `error`. It is the text of the error, except that it names `auth` of `publish.toml` if a variable of credentials
/// is missing, and says what to do instead if the registry deletes nothing.
fn message(error: &RegistryError) -> String {
    match error {
        RegistryError::Credentials(cause) => credentials::message(cause),
        RegistryError::DeletesNothing(obstacle) => deletes_nothing(obstacle),
        _ => error.to_string(),
    }
}

/// Returns why a registry deletes nothing, and what to do instead.
pub fn deletes_nothing(obstacle: &DeletionObstacle) -> String {
    match obstacle {
        DeletionObstacle::DockerHub => format!("{obstacle}: delete tags by hand at https://hub.docker.com"),
        DeletionObstacle::Unsupported { .. } => format!(
            "{obstacle}: allow it there (in the configuration of the distribution registry: `storage.delete.enabled: true`), or delete with its own tools"
        ),
        _ => obstacle.to_string(),
    }
}

/// Returns the code of `error` in the catalogue.
fn code(error: &RegistryError) -> Code {
    let is_rejected = |refusal: &Refusal| {
        refusal.elsewhere.is_none() && (refusal.is_of_immutable_tag() || manifest::is_about_manifest(refusal))
    };
    if error.refusal().is_some_and(is_rejected) {
        return Code::RegistryRejected;
    }
    match error {
        RegistryError::Unreachable { .. }
        | RegistryError::Unavailable(_)
        | RegistryError::Certificates { .. } => Code::RegistryUnreachable,
        RegistryError::Unauthorized(_) => Code::RegistryUnauthorized,
        RegistryError::Denied(_) => Code::RegistryDenied,
        RegistryError::NotFound(_) => Code::RegistryNotFound,
        RegistryError::RateLimited(_) => Code::RegistryRateLimited,
        RegistryError::Rejected(_) | RegistryError::DeletesNothing(_) => Code::RegistryRejected,
        RegistryError::StillThere { .. } => Code::ApplyReadBack,
        RegistryError::NotPutBack { cause, .. } => code(cause),
        RegistryError::Protocol { .. }
        | RegistryError::ContentMismatch { .. }
        | RegistryError::NotListed { .. } => Code::RegistryProtocol,
        RegistryError::Content { .. } => Code::SourceDigest,
        RegistryError::Credentials(_) => Code::RegistryCredentials,
        RegistryError::Directory { .. } => Code::RegistryDirectory,
    }
}

/// Returns what to do about `error`.
pub(super) fn help(error: &RegistryError) -> String {
    let of_refusal = |help: fn(&Refusal) -> Option<String>| error.refusal().and_then(help);
    let specific = other_host::help(error)
        .or_else(|| of_refusal(immutable))
        .or_else(|| of_refusal(github::help))
        .or_else(|| of_refusal(manifest::help));
    if let Some(help) = specific {
        return help;
    }
    match error {
        RegistryError::Unreachable { failure, request, .. } => unreachable(*failure, request),
        RegistryError::Unavailable(refusal) => format!(
            "the registry itself has a problem: check its status page, then run again{}",
            what_continues(&refusal.request)
        ),
        RegistryError::Unauthorized(refusal) => unauthorized(refusal),
        RegistryError::Denied(refusal) => denied(refusal),
        RegistryError::NotFound(refusal) => not_found(refusal),
        RegistryError::RateLimited(refusal) => match refusal.retry_after {
            Some(wait) => format!("run again in {}{}", in_words(wait), what_continues(&refusal.request)),
            None => "run again in a few minutes; most registries have a higher limit for users who are logged in".to_owned(),
        },
        RegistryError::Rejected(refusal) => rejected(refusal),
        RegistryError::Protocol { .. } => "this is not an answer of an OCI registry: check the `url`, and whether a proxy or a login page is in between".to_owned(),
        RegistryError::ContentMismatch { .. } => "something between this machine and the registry's disk changes content: run again, and report it to whoever runs the registry or a proxy in between".to_owned(),
        RegistryError::Content { .. } => "the source changed or is damaged: build it again, and let nothing write to it while it is published".to_owned(),
        RegistryError::DeletesNothing(_) => "keep its tags, or delete them with the registry's own tools; nothing was changed".to_owned(),
        RegistryError::StillThere { .. } => "a rule of the registry may protect it, or its answers may lag: check again in a minute, and run again if the tag is still there".to_owned(),
        RegistryError::NotListed { tag, .. } => format!(
            "look at the tag (`skopeo inspect --raw`); if it is not a list of signatures that you still need, remove `{tag}` and run again"
        ),
        RegistryError::NotPutBack { tag, original, .. } => format!(
            "the content is still there: point `{tag}` at `{original}` again, for example with `skopeo copy --all --preserve-digests` from that digest to the tag"
        ),
        RegistryError::Credentials(cause) => credentials::help(cause),
        RegistryError::Certificates { .. } => "`ca_file` and `client_certificate` must name files of PEM certificates, relative to the folder of publish.toml; each certificate starts with `-----BEGIN CERTIFICATE-----`; `client_key` must name the file of the private key, without a passphrase".to_owned(),
        RegistryError::Directory { problem, .. } => directory(*problem).to_owned(),
    }
}

/// Returns a wait in words, rounded up.
fn in_words(wait: std::time::Duration) -> String {
    match wait.as_secs() + u64::from(wait.subsec_nanos() > 0) {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..=119 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// Returns what running again costs, after a request of this method failed. Reading sends nothing.
fn what_continues(request: &str) -> &'static str {
    let reads = ["GET ", "HEAD "].into_iter().any(|method| request.starts_with(method));
    if reads { "" } else { "; content that is already there is not sent again" }
}

/// Whether the request was the first one to the registry.
fn is_first(request: &str) -> bool {
    request.starts_with("GET ") && request.ends_with("/v2/")
}

fn unreachable(failure: NetworkFailure, request: &str) -> String {
    match failure {
        NetworkFailure::Name => {
            "check the host in the registry's `url` for typos, and this machine's name resolution".to_owned()
        }
        NetworkFailure::Connection if is_first(request) => {
            "nothing could be read from the registry: check the host and port in its `url`, that it is running, and that no firewall or proxy is in the way".to_owned()
        }
        NetworkFailure::Connection => format!(
            "check that the registry is running and that no firewall or proxy is in the way, then run again{}",
            what_continues(request)
        ),
        NetworkFailure::Certificate => {
            "if the registry uses a private certificate authority, name its certificate with `ca_file = \"ca.pem\"`; `insecure = true` turns the check off altogether".to_owned()
        }
        NetworkFailure::ClientCertificate => {
            "the registry accepts only clients with a certificate that it knows: name your PEM files with `client_certificate` and `client_key` in the registry's table; if they are named, the certificate has expired or was issued by another authority".to_owned()
        }
        NetworkFailure::Proxy => {
            "the proxy in `HTTPS_PROXY` or `HTTP_PROXY` refuses this connection: check its address, the user name and password there, and its rules; list hosts that need no proxy in `NO_PROXY`".to_owned()
        }
        NetworkFailure::NotTls => {
            "the registry seems to speak plain http: `insecure = true` in its table allows that, but anyone on the network path can then read the credentials".to_owned()
        }
        NetworkFailure::Timeout if is_first(request) => {
            "nothing could be read from the registry: check the host and port in its `url`, and whether a firewall drops connections to it".to_owned()
        }
        NetworkFailure::Timeout => {
            format!("the registry or the network is slow or stuck: run again{}", what_continues(request))
        }
    }
}

/// Returns the help if the tag is immutable in the registry, whatever the status: Docker Hub and an early Harbor answer 403
/// (docker/hub-feedback#2466, goharbor/harbor#9427).
fn immutable(refusal: &Refusal) -> Option<String> {
    let is_own = refusal.elsewhere.is_none() && refusal.is_of_immutable_tag();
    is_own.then(|| "this tag is immutable in the registry and names other content: publish under a new version, or change the rule in the registry".to_owned())
}

fn unauthorized(refusal: &Refusal) -> String {
    if let Some(help) = create_first::perhaps(refusal) {
        return help;
    }
    match &refusal.credentials {
        Some(origin) if refusal.insufficient => format!(
            "the credentials from {origin} are accepted, but do not allow this: ask for the right to {} this repository, or use a token with that scope, and check the name for typos; on Docker Hub and Quay its first part is your account, or an organization that you may write to",
            what_for(refusal)
        ),
        Some(origin) => format!(
            "the credentials from {origin} were not accepted: they may be mistyped, expired or revoked, or not valid for this repository; log in again"
        ),
        None => "no credentials were found: log in with `docker login` or `podman login`, or name environment variables with `auth = { username_env = \"…\", password_env = \"…\" }`".to_owned(),
    }
}

/// Whether the request was a deletion.
fn deletes(refusal: &Refusal) -> bool {
    refusal.request.starts_with("DELETE ")
}

/// Whether the request was the start of an upload.
fn pushes(refusal: &Refusal) -> bool {
    refusal.request.starts_with("POST ") && refusal.request.ends_with("/blobs/uploads/")
}

/// Returns the name of the right that the request needs.
fn what_for(refusal: &Refusal) -> &'static str {
    match refusal.request.split(' ').next() {
        Some("DELETE") => "delete from",
        // The request asks for a manifest or blob. Tags are also read before every push.
        Some("GET" | "HEAD")
            if refusal.request.contains("/manifests/") || refusal.request.contains("/blobs/") =>
        {
            "pull from"
        }
        _ => "push to",
    }
}

fn denied(refusal: &Refusal) -> String {
    if let Some(help) = create_first::perhaps(refusal) {
        return help;
    }
    match &refusal.credentials {
        Some(origin) => format!(
            "the credentials from {origin} are accepted, but do not allow this: ask for the right to {} this repository, and check its name for typos",
            what_for(refusal)
        ),
        None => "this needs credentials, and none were found: log in with `docker login` or `podman login`, or name environment variables with `auth`".to_owned(),
    }
}

fn not_found(refusal: &Refusal) -> String {
    if refusal.errors.mentions("accept header does not support") {
        return "a proxy in between changes the request's `Accept` header: let it pass unchanged".to_owned();
    }
    if refusal.errors.has_code("BLOB_UPLOAD_UNKNOWN") {
        return "the registry does not know the upload session that it has just opened: if several instances of it share one address, give them the same secret and storage (distribution: `http.secret`), or let the proxy in front send each client to one of them".to_owned();
    }
    create_first::help(refusal).unwrap_or_else(|| {
        "check the repository's name; some registries need it created before the first push (Harbor and GitLab the project, ECR the repository)".to_owned()
    })
}

fn rejected(refusal: &Refusal) -> String {
    let errors = &refusal.errors;
    match refusal.status {
        412 => "a rule of the registry forbids this, often tag immutability (Harbor answers like this): publish under a new version, or change the rule in the registry".to_owned(),
        413 => "the registry, or a proxy in front of it (nginx: `client_max_body_size`), limits the size of requests: raise the limit".to_owned(),
        405 | 501 if deletes(refusal) => "the registry deletes nothing over its API: allow it there, or delete with its own tools".to_owned(),
        405 if pushes(refusal) => "the registry accepts no pushes: it is read-only, either for maintenance (in the configuration of the distribution registry: `storage.maintenance.readonly`) or because it mirrors another registry; end the maintenance, or push to the registry that it mirrors".to_owned(),
        405 | 501 => "the registry does not support this operation: check that the `url` is that of a registry".to_owned(),
        _ if errors.has_code("DIGEST_INVALID") || errors.has_code("SIZE_INVALID") => "content changed on its way to the registry: run again, and check the proxies in between".to_owned(),
        _ if errors.has_code("NAME_INVALID") => "the registry does not accept this repository name: some require a project or owner in front, and no more than two parts".to_owned(),
        _ => "the registry does not accept this content or this request; its message says why".to_owned(),
    }
}

/// Returns what to do about a directory registry.
fn directory(problem: DirectoryProblem) -> &'static str {
    match problem {
        DirectoryProblem::Occupied => {
            "a directory registry holds one OCI image layout per repository: name an empty or new directory in the registry's `url`, or move away what is there"
        }
        DirectoryProblem::IsLayout => "name the directory above this layout in the registry's `url`",
        DirectoryProblem::Nested => "give one of the two images another `repository`",
        DirectoryProblem::Locked => {
            "wait until the other run has ended, and run again; the lock ends with its process, whatever happens to the file"
        }
        DirectoryProblem::Damaged => {
            "something else changed this layout: restore the missing files, or move the layout away, and publish again"
        }
        DirectoryProblem::Full => {
            "free space on this disk, or name a directory on another disk; then run again: content that is already there is not written again"
        }
        DirectoryProblem::Forbidden => {
            "let the user of this run write there, or name another directory in the registry's `url`"
        }
        DirectoryProblem::Failed => {
            "this is an error of the operating system: check that the disk is present and healthy, and run again"
        }
    }
}
