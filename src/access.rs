//! Asks a registry what the credentials of a run may do in a repository, before any content is sent and without changing
//! anything. Other modules decide which permissions a plan or a configuration needs.

use std::sync::Arc;

use futures_util::future::join_all;

use oci_registry::Provider;
use oci_registry::{Deletion, Presence, RegistryError, Repository};

/// The questions to ask about one repository.
#[derive(Clone, Default)]
pub struct AccessQuestions {
    /// Whether it may be read.
    pub read: bool,
    /// Whether it may be pushed to.
    pub push: bool,
    /// Whether a push follows, which uses the upload session that showed it.
    pub keep_session: bool,
    /// Whether something may be deleted from it.
    pub delete: bool,
    /// The repositories that content is to be mounted from, which must be readable.
    pub mounts: Vec<Arc<dyn Repository>>,
}

/// The answer to one question.
#[derive(Debug, Clone)]
pub enum AccessVerdict {
    /// Yes.
    Granted,
    /// No.
    Refused(RegistryError),
    /// The registry did not answer the question.
    Unknown(RegistryError),
    /// There is no such repository yet.
    NotYet,
    /// The registry shows it only when the operation is done.
    NotShown,
    /// The question was not asked.
    NotAsked,
}

/// The answers about one repository.
#[derive(Debug)]
pub struct AccessVerdicts {
    /// Whether it may be read.
    pub read: AccessVerdict,
    /// Whether it may be pushed to.
    pub push: AccessVerdict,
    /// Whether it may be created by pushing to it; asked only if it does not exist.
    pub create: AccessVerdict,
    /// Whether each repository that content is to be mounted from may be read.
    pub mounts: Vec<AccessVerdict>,
    /// Whether something may be deleted from it.
    pub delete: AccessVerdict,
}

/// Returns the answers to `questions` about `repository`, whose registry is run by `provider`.
pub async fn ask(
    repository: &dyn Repository,
    provider: Option<Provider>,
    questions: &AccessQuestions,
) -> AccessVerdicts {
    let read = async { if questions.read { Some(repository.probe_read().await) } else { None } };
    let push = async {
        match (questions.push, questions.keep_session) {
            (false, _) => None,
            (true, false) => Some(repository.probe_push().await),
            (true, true) => Some(repository.begin_push().await),
        }
    };
    let mounts = join_all(questions.mounts.iter().map(|from| async { mount(from.probe_read().await) }));
    let (read, push, mounts) = tokio::join!(read, push, mounts);
    let (read, push, create) = combine(read, push, provider);
    let delete = match (&read, questions.delete) {
        (_, false) => AccessVerdict::NotAsked,
        (AccessVerdict::NotYet, true) => AccessVerdict::NotYet,
        (_, true) => delete(repository.probe_deletion().await),
    };
    AccessVerdicts { read, push, create, mounts, delete }
}

/// Combines the answers about reading and pushing into the verdicts about reading, pushing and creating.
fn combine(
    read: Option<Result<Presence, RegistryError>>,
    push: Option<Result<(), RegistryError>>,
    provider: Option<Provider>,
) -> (AccessVerdict, AccessVerdict, AccessVerdict) {
    let push = push.map_or(AccessVerdict::NotAsked, verdict);
    let read = match read {
        None => return (AccessVerdict::NotAsked, push, AccessVerdict::NotAsked),
        Some(Ok(Presence::There)) => return (AccessVerdict::Granted, push, AccessVerdict::NotAsked),
        Some(Ok(Presence::NotYet)) => AccessVerdict::NotYet,
        // GitHub denies access to a repository that does not exist. On GitHub, anyone who may push may also read, so the only
        // explanation left is that the repository does not exist.
        Some(Err(error)) if is_forbidden(&error) && is_absent(&push, provider) => AccessVerdict::NotYet,
        Some(Err(error)) => return (verdict::<()>(Err(error)), push, AccessVerdict::NotAsked),
    };
    let create = push.clone();
    (read, push, create)
}

fn is_forbidden(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Unauthorized(_) | RegistryError::Denied(_))
}

/// Whether the answer about pushing shows that an unreadable repository does not exist.
fn is_absent(push: &AccessVerdict, provider: Option<Provider>) -> bool {
    match push {
        AccessVerdict::Granted => provider == Some(Provider::Github),
        AccessVerdict::Refused(error) => {
            error.refusal().is_some_and(|it| it.errors.mentions("not allowed to create organization package"))
        }
        _ => false,
    }
}

fn mount(read: Result<Presence, RegistryError>) -> AccessVerdict {
    match read {
        Ok(Presence::There) => AccessVerdict::Granted,
        // A build may push to it before this run publishes.
        Ok(Presence::NotYet) => AccessVerdict::NotYet,
        Err(error) => verdict::<()>(Err(error)),
    }
}

fn delete(deletion: Result<Option<Deletion>, RegistryError>) -> AccessVerdict {
    match deletion {
        Ok(Some(Deletion::Tags | Deletion::Manifests)) => AccessVerdict::Granted,
        Ok(Some(Deletion::Nothing(obstacle))) => AccessVerdict::Refused(obstacle.into()),
        Ok(None) => AccessVerdict::NotShown,
        Err(error) => verdict::<()>(Err(error)),
    }
}

/// The verdict that follows from an answer. A failing registry or a rate limit says nothing about permissions.
fn verdict<T>(answer: Result<T, RegistryError>) -> AccessVerdict {
    match answer {
        Ok(_) => AccessVerdict::Granted,
        Err(
            error @ (RegistryError::Unauthorized(_)
            | RegistryError::Denied(_)
            | RegistryError::NotFound(_)
            | RegistryError::Rejected(_)
            | RegistryError::DeletesNothing(_)
            | RegistryError::Credentials(_)
            | RegistryError::Directory { .. }),
        ) => AccessVerdict::Refused(error),
        Err(error) => AccessVerdict::Unknown(error),
    }
}

impl AccessVerdict {
    /// The error, if the answer is refused or unknown.
    pub fn error(&self) -> Option<&RegistryError> {
        match self {
            Self::Refused(error) | Self::Unknown(error) => Some(error),
            Self::Granted | Self::NotYet | Self::NotShown | Self::NotAsked => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_registry::{DeletionObstacle, ErrorEnvelope, Refusal};

    fn refusal(status: u16, message: &str) -> Refusal {
        let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string();
        Refusal {
            request: "POST https://ghcr.io/v2/acme/app/blobs/uploads/".to_owned(),
            status,
            errors: ErrorEnvelope::parse(body.as_bytes()),
            repository: Some("acme/app".to_owned()),
            credentials: None,
            insufficient: false,
            retry_after: None,
            attempts: 1,
            ..Refusal::default()
        }
    }

    fn denied(message: &str) -> RegistryError {
        RegistryError::Denied(Box::new(refusal(403, message)))
    }

    /// Each verdict as one word.
    fn words(verdicts: (AccessVerdict, AccessVerdict, AccessVerdict)) -> [&'static str; 3] {
        let word = |verdict: &AccessVerdict| match verdict {
            AccessVerdict::Granted => "yes",
            AccessVerdict::Refused(_) => "no",
            AccessVerdict::Unknown(_) => "unknown",
            AccessVerdict::NotYet => "not yet",
            AccessVerdict::NotShown => "not shown",
            AccessVerdict::NotAsked => "-",
        };
        let (read, push, create) = verdicts;
        [word(&read), word(&push), word(&create)]
    }

    #[test]
    fn reading_and_pushing_together_show_whether_a_repository_exists() {
        let github = Some(Provider::Github);
        let create = "permission_denied: installation not allowed to Create organization package";
        for (read, push, provider, expected) in [
            (Some(Ok(Presence::There)), Some(Ok(())), None, ["yes", "yes", "-"]),
            (Some(Ok(Presence::There)), Some(Err(denied("no"))), None, ["yes", "no", "-"]),
            (Some(Ok(Presence::NotYet)), Some(Ok(())), None, ["not yet", "yes", "yes"]),
            (Some(Ok(Presence::NotYet)), Some(Err(denied("no"))), None, ["not yet", "no", "no"]),
            (Some(Err(denied("no"))), Some(Err(denied("no"))), None, ["no", "no", "-"]),
            // A robot may be allowed to push but not to read, except on GitHub, which has no such robots.
            (Some(Err(denied("no"))), Some(Ok(())), None, ["no", "yes", "-"]),
            (Some(Err(denied("no"))), Some(Ok(())), github, ["not yet", "yes", "yes"]),
            (Some(Err(denied("no"))), Some(Err(denied(create))), github, ["not yet", "no", "no"]),
            (None, Some(Ok(())), None, ["-", "yes", "-"]),
            (None, None, None, ["-", "-", "-"]),
        ] {
            assert_eq!(words(combine(read.clone(), push.clone(), provider)), expected, "{read:?} {push:?}");
        }
    }

    #[test]
    fn a_failing_registry_is_not_a_refusal() {
        for (error, refused) in [
            (RegistryError::Unauthorized(Box::new(refusal(401, "no"))), true),
            (RegistryError::NotFound(Box::new(refusal(404, "no"))), true),
            (RegistryError::Rejected(Box::new(refusal(405, "no"))), true),
            (RegistryError::RateLimited(Box::new(refusal(429, "slow down"))), false),
            (RegistryError::RateLimited(Box::new(refusal(403, "exceeded a secondary rate limit"))), false),
            (RegistryError::Unavailable(Box::new(refusal(503, "down"))), false),
            (RegistryError::Protocol { request: "GET x".to_owned(), reason: "no".to_owned() }, false),
        ] {
            let verdict = verdict::<()>(Err(error));
            assert_eq!(matches!(verdict, AccessVerdict::Refused(_)), refused, "{verdict:?}");
            assert!(verdict.error().is_some());
        }
    }

    #[test]
    fn a_registry_that_deletes_nothing_refuses_and_one_that_does_not_say_is_no_problem() {
        assert!(delete(Ok(Some(Deletion::Nothing(DeletionObstacle::DockerHub)))).error().is_some());
        for deletion in [Some(Deletion::Tags), Some(Deletion::Manifests), None] {
            assert!(delete(Ok(deletion)).error().is_none());
        }
    }
}
