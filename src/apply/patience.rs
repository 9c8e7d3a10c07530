//! Patience with refusals that do not last. Before the first tag is put, every repository has taken a manifest with the same
//! credentials. If it then refuses a tag as if they lacked the right, or as if there were no repository, the refusal may pass.
//!
//! GHCR answers a random 403 (`denied`, `permission_denied`) to a tag right after it took the same manifest by digest, and
//! registries whose parts learn of a new repository one after the other answer 404 (`NAME_UNKNOWN`) for a moment. The client
//! itself repeats what passes by the specification: 408, 429, 5xx, and connections that break.

use std::time::Duration;

use tokio::time::Instant;

use super::options::ApplyOptions;
use crate::event::Event;
use oci_registry::{RegistryError, RetryPolicy};

/// The words of a refusal that lasts although its status is 403: a rule of the registry protects the tag.
const LASTING: [&str; 5] = ["immutab", "protected", "overwrit", "locked", "already exists"];

/// Sends a request of the tag stages, and repeats it within the bounds of the retry policy while the refusal may pass.
pub(super) async fn patiently<T, F>(
    options: &ApplyOptions<'_>,
    request: impl Fn() -> F,
) -> Result<T, RegistryError>
where
    F: Future<Output = Result<T, RegistryError>>,
{
    let policy = options.connections.retry_policy();
    let mut cancel = options.cancel.clone();
    let wait = async |error: &RegistryError, attempt: u32, wait: Duration| {
        report(options, error, attempt, wait);
        let cancelled = async {
            if cancel.wait_for(|cancelled| *cancelled).await.is_err() {
                // The sender is gone, so nobody can ask to stop any more.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = cancelled => false,
        }
    };
    repeat(policy, request, wait).await
}

/// Repeats `request` while its error may pass. `wait` returns false if there is no time to wait.
async fn repeat<T, F>(
    policy: &RetryPolicy,
    request: impl Fn() -> F,
    mut wait: impl AsyncFnMut(&RegistryError, u32, Duration) -> bool,
) -> Result<T, RegistryError>
where
    F: Future<Output = Result<T, RegistryError>>,
{
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        let error = match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let pause = policy.wait_after(attempt).max(error.retry_after().unwrap_or_default());
        let exhausted = attempt >= policy.attempts || started.elapsed() + pause > policy.total;
        if exhausted || !may_pass(&error) || !wait(&error, attempt, pause).await {
            return Err(error);
        }
        attempt += 1;
    }
}

/// Whether a refusal may pass, although its status says that it lasts.
fn may_pass(error: &RegistryError) -> bool {
    match error {
        RegistryError::Denied(refusal) => !LASTING.iter().any(|words| refusal.errors.mentions(words)),
        RegistryError::NotFound(_) => true,
        _ => false,
    }
}

fn report(options: &ApplyOptions<'_>, error: &RegistryError, attempt: u32, wait: Duration) {
    let Some(refusal) = error.refusal() else { return };
    let text = error.to_string();
    let cause = text.strip_prefix(&refusal.request).map_or(text.as_str(), |it| it.trim_start_matches(": "));
    options.reporter.report(&Event::Retry {
        request: &refusal.request,
        attempt,
        wait_milliseconds: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        cause,
    });
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use oci_registry::{ErrorEnvelope, Refusal};

    use super::*;

    fn refusal(status: u16, body: &str) -> RegistryError {
        RegistryError::from_refusal(Refusal {
            elsewhere: None,
            manifest: None,
            unsent: None,
            request: "PUT https://ghcr.io/v2/acme/app/manifests/latest".to_owned(),
            status,
            errors: ErrorEnvelope::parse(body.as_bytes()),
            repository: None,
            credentials: None,
            insufficient: false,
            retry_after: None,
            attempts: 1,
        })
    }

    #[test]
    fn refusals_that_may_pass() {
        let error = |code: &str, message: &str| {
            serde_json::json!({ "errors": [{ "code": code, "message": message }] }).to_string()
        };
        for (status, body, expected) in [
            // GHCR (docker/build-push-action#981 and others): random, on a tag after a success by digest.
            (403, error("DENIED", "permission_denied: write_package"), true),
            (403, error("DENIED", "denied"), true),
            (403, String::new(), true),
            (404, error("NAME_UNKNOWN", "repository name not known to registry"), true),
            // A rule of the registry protects the tag.
            (403, error("DENIED", "the tag is immutable"), false),
            (403, error("DENIED", "protected tags cannot be pushed"), false),
            (403, error("DENIED", "cannot be overwritten"), false),
            // The specification says that these last.
            (400, error("TAG_INVALID", "no"), false),
            (401, error("UNAUTHORIZED", "authentication required"), false),
            (405, String::new(), false),
            (409, String::new(), false),
            (413, String::new(), false),
            // The client has repeated these already.
            (429, String::new(), false),
            (500, String::new(), false),
        ] {
            assert_eq!(may_pass(&refusal(status, &body)), expected, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn attempts_are_bounded_and_waits_grow() {
        let policy = RetryPolicy { attempts: 4, ..RetryPolicy::default() };
        let (sent, waits) = (RefCell::new(0), RefCell::new(Vec::new()));
        let request = || {
            *sent.borrow_mut() += 1;
            std::future::ready(Err::<(), _>(refusal(403, "")))
        };
        let wait = async |_: &RegistryError, _: u32, wait| {
            waits.borrow_mut().push(wait);
            true
        };
        assert!(repeat(&policy, request, wait).await.is_err());
        let waits = waits.into_inner();
        assert_eq!((sent.into_inner(), waits.len()), (4, 3));
        let longest = [250, 500, 1000].map(Duration::from_millis);
        assert!(waits.iter().zip(longest).all(|(wait, longest)| *wait <= longest), "{waits:?}");
    }

    #[tokio::test]
    async fn a_refusal_that_passes_is_forgotten() {
        let answers = RefCell::new(vec![Ok(7), Err(refusal(404, "")), Err(refusal(403, ""))]);
        let request = || std::future::ready(answers.borrow_mut().pop().expect("an answer"));
        let answer = repeat(&RetryPolicy::default(), request, async |_: &RegistryError, _, _| true).await;
        assert_eq!(answer.expect("an answer"), 7);
    }
}
