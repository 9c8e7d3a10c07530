//! The way out of each error, in plain words.

use super::{NetworkFailure, Refusal, RegistryError, create_first, github};

/// What to do about `error`.
pub(super) fn help(error: &RegistryError) -> String {
    if let Some(help) = error.refusal().and_then(github::help) {
        return help;
    }
    match error {
        RegistryError::Unreachable { failure, .. } => unreachable(*failure).to_owned(),
        RegistryError::Unavailable(_) => "the registry has trouble of its own: look at its status page, and run again; what was sent stays there and is not sent again".to_owned(),
        RegistryError::Unauthorized(refusal) => unauthorized(refusal),
        RegistryError::Denied(refusal) => denied(refusal),
        RegistryError::NotFound(refusal) => not_found(refusal),
        RegistryError::RateLimited(refusal) => match refusal.retry_after {
            Some(wait) => format!(
                "run again in {}; what was sent stays there and is not sent again",
                in_words(wait)
            ),
            None => "run again in some minutes, or with a smaller `--parallelism`; logging in raises the limit of most registries".to_owned(),
        },
        RegistryError::Rejected(refusal) => rejected(refusal),
        RegistryError::Protocol { .. } => "this is no answer of an OCI registry: check the `url`, and whether a proxy or a login page stands in between".to_owned(),
        RegistryError::ContentMismatch { .. } => "something between here and the registry's disk changes content: run again, and report it to whoever runs the registry or a proxy in between".to_owned(),
        RegistryError::Content { .. } => "the source changed or is damaged: build it again, and let nothing write to it while it is published".to_owned(),
        RegistryError::DeletesNothing { .. } => "keep its tags, or delete them by the means of the registry; nothing was changed".to_owned(),
        RegistryError::StillThere { .. } => "a rule of the registry may keep it, or its answers lag: look again in a minute, and run again if the tag is still there".to_owned(),
        RegistryError::NotListed { tag, .. } => format!(
            "look at what stands there (`skopeo inspect --raw`); if it is no list of signatures that is still needed, remove `{tag}`, and run again"
        ),
        RegistryError::NotPutBack { tag, original, .. } => format!(
            "the content is still there: make `{tag}` name `{original}` again, for instance with `skopeo copy --all --preserve-digests` from that digest to the tag"
        ),
        RegistryError::Credentials { help, .. } => help.clone(),
        RegistryError::Certificates { .. } => "`ca_file` and `client_certificate` name files of PEM certificates, relative to the folder of publish.toml, each of which starts with `-----BEGIN CERTIFICATE-----`; `client_key` names the file of the private key, without a passphrase".to_owned(),
        RegistryError::Directory { problem, .. } => problem.help().to_owned(),
    }
}

/// A wait as people say it, rounded up.
fn in_words(wait: std::time::Duration) -> String {
    match wait.as_secs() + u64::from(wait.subsec_nanos() > 0) {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..=119 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

fn unreachable(failure: NetworkFailure) -> &'static str {
    match failure {
        NetworkFailure::Name => {
            "check the host in the registry's `url` for a slip of the pen, and this machine's name resolution"
        }
        NetworkFailure::Connection => {
            "check that the registry runs and that no firewall or proxy stands in between; what was sent stays there and is not sent again"
        }
        NetworkFailure::Certificate => {
            "for a registry with a private certificate authority, name its certificate with `ca_file = \"ca.pem\"`; `insecure = true` gives up the check altogether"
        }
        NetworkFailure::ClientCertificate => {
            "the registry lets in only clients with a certificate that it knows: name the PEM files of yours with `client_certificate` and `client_key` in the registry's table; where they are named, the certificate has expired or is by another authority"
        }
        NetworkFailure::Proxy => {
            "the proxy that `HTTPS_PROXY` or `HTTP_PROXY` names does not let this through: check its address, its user name and password there, and its rules; `NO_PROXY` names hosts that need none"
        }
        NetworkFailure::NotTls => {
            "the registry seems to speak plain http: `insecure = true` in its table allows that, and anyone on the way can then read the credentials"
        }
        NetworkFailure::Timeout => {
            "the registry or the way to it is slow or stuck: run again; what was sent stays there and is not sent again"
        }
    }
}

fn unauthorized(refusal: &Refusal) -> String {
    if let Some(help) = create_first::perhaps(refusal) {
        return help;
    }
    match &refusal.credentials {
        Some(origin) if refusal.insufficient => format!(
            "the credentials from {origin} are accepted, but do not reach as far as this: ask for the right to {} this repository, or use a token with that scope, and check the name for a slip of the pen; on Docker Hub and Quay its first part is your account, or an organization that you may write to",
            what_for(refusal)
        ),
        Some(origin) => format!(
            "the credentials from {origin} were not accepted: they may be mistyped, expired or revoked, or not valid for this repository; log in again"
        ),
        None => "no credentials were found: log in with `docker login` or `podman login`, or name environment variables with `auth = { username_env = \"…\", password_env = \"…\" }`".to_owned(),
    }
}

/// Whether something was to be deleted.
fn deletes(refusal: &Refusal) -> bool {
    refusal.request.starts_with("DELETE ")
}

/// Whether an upload was to be begun.
fn pushes(refusal: &Refusal) -> bool {
    refusal.request.starts_with("POST ") && refusal.request.ends_with("/blobs/uploads/")
}

/// What the right to do it is called.
fn what_for(refusal: &Refusal) -> &'static str {
    match refusal.request.split(' ').next() {
        Some("DELETE") => "delete from",
        // A manifest or blob that is asked for; tags are read before every push.
        Some("GET") if refusal.request.contains("/manifests/") || refusal.request.contains("/blobs/") => {
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
            "the credentials from {origin} are accepted, but may not do this: ask for the right to {} this repository, and check its name for a slip of the pen",
            what_for(refusal)
        ),
        None => "this needs credentials, and none were found: log in with `docker login` or `podman login`, or name environment variables with `auth`".to_owned(),
    }
}

fn not_found(refusal: &Refusal) -> String {
    if refusal.errors.mentions("accept header does not support") {
        return "a proxy in between changes the request's `Accept` header: let it pass unchanged".to_owned();
    }
    create_first::help(refusal).unwrap_or_else(|| {
        "check the repository's name; some registries (Harbor's projects, ECR's repositories, GitLab's projects) want it created before the first push".to_owned()
    })
}

fn rejected(refusal: &Refusal) -> String {
    let errors = &refusal.errors;
    let immutable = errors.mentions("immutable") || errors.mentions("cannot be overwritten");
    match refusal.status {
        _ if immutable => "the registry holds this tag immutable and has other content there: publish under a new version, or change the rule in the registry".to_owned(),
        412 => "a rule of the registry forbids this, often tag immutability (Harbor answers so): publish under a new version, or change the rule in the registry".to_owned(),
        413 => "the registry, or a proxy in front of it (nginx: `client_max_body_size`), limits how large a request may be: raise it".to_owned(),
        405 | 501 if deletes(refusal) => "the registry deletes nothing over its API: allow it there, or delete by its own means".to_owned(),
        405 if pushes(refusal) => "the registry takes no pushes: it is read-only, for maintenance (in the configuration of the distribution registry: `storage.maintenance.readonly`) or since it mirrors another; end that, or push to the registry that it mirrors".to_owned(),
        405 | 501 => "the registry does not offer this operation: check that the `url` is a registry's".to_owned(),
        _ if errors.has_code("MANIFEST_BLOB_UNKNOWN") => "the registry misses content that was sent before, perhaps removed by its garbage collection: run again".to_owned(),
        _ if errors.has_code("DIGEST_INVALID") || errors.has_code("SIZE_INVALID") => "content changed on its way to the registry: run again, and look at proxies in between".to_owned(),
        _ if errors.has_code("NAME_INVALID") => "the registry does not take this repository name: some want a project or owner in front, and no more parts than two".to_owned(),
        _ => "the registry does not take this content or this request; its message says why".to_owned(),
    }
}
