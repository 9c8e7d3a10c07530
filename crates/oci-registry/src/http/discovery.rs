//! The first request to a registry, `GET /v2/`, which finds out its scheme and the credentials that it requires
//! (distribution-spec 1.1, "Determining Support"). It is sent once, so that no other request need be sent in vain.

use reqwest::{Method, StatusCode};
use url::Url;

use super::exchange::Request;
use super::host::Host;
use super::retry::{FailedAttempt, Retries, is_passing};
use super::tokens::RequiredAccess;
use super::{address, challenge};
use crate::error::{NetworkFailure, RegistryError};

impl Host {
    /// Returns the root of the API. It is determined once; a failure is remembered too, so that many requests to a host
    /// that is down fail as fast as one.
    pub(super) async fn base(&self) -> Result<&Url, RegistryError> {
        let found = self.facts.base.get_or_init(|| async { self.discover().await });
        found.await.as_ref().map_err(Clone::clone)
    }

    /// Tries each scheme once while another is left, and the last one as often as the policy allows.
    async fn discover(&self) -> Result<Url, RegistryError> {
        let mut retries = Retries::of_host(&self.policy, &self.notify, true);
        let mut schemes = self.schemes.iter().peekable();
        let none = || RegistryError::Protocol {
            request: self.name.clone(),
            reason: "this is not a valid host".to_owned(),
        };
        let mut scheme = *schemes.next().ok_or_else(none)?;
        loop {
            let base = address::base(scheme, &self.name).ok_or_else(none)?;
            match (self.ping(&base).await, schemes.peek()) {
                (Ok(()), _) => return Ok(base),
                (Err(failure), Some(_))
                    if failure.error.refusal().is_none() && !wants_certificate(&failure.error) =>
                {
                    scheme = schemes.next().copied().unwrap_or(scheme);
                }
                (Err(failure), _) => retries.again(failure).await?,
            }
        }
    }

    /// Sends the first request. Any answer shows that a registry may be there; the answers to `/v2/` itself differ
    /// between registries.
    async fn ping(&self, base: &Url) -> Result<(), FailedAttempt> {
        let url = base.join("v2/").unwrap_or_else(|_| base.clone());
        let access = RequiredAccess::default();
        let answer = self.transmit(&Request::new(Method::GET, url.clone(), &access), &url, None).await?;
        // As in every exchange: a registry that asks for credentials repeats its warnings once it has them.
        if answer.status() != StatusCode::UNAUTHORIZED {
            self.warnings.look(answer.headers(), &answer.redaction);
        }
        let status = answer.status();
        if is_passing(status) {
            let request = answer.request.clone();
            return Err(FailedAttempt { request, error: answer.into_error().await, passing: true });
        }
        if challenge::asks(status, answer.headers(), false)
            && let Some(challenge) = challenge::of(answer.headers(), &url)
        {
            self.facts.set_challenge(challenge);
        }
        answer.discard().await;
        Ok(())
    }
}

/// Whether the other side speaks TLS but rejects clients that it does not know: plain http would not avoid that.
fn wants_certificate(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Unreachable { failure: NetworkFailure::ClientCertificate, .. })
}
