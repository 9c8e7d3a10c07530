//! Whether a registry accepts credentials, asked without a repository, as `docker login` asks.

use reqwest::Method;

use super::HttpRegistry;
use super::challenge::Challenge;
use super::exchange::Request;
use super::tokens::RequiredAccess;
use crate::error::RegistryError;

/// The answer of a registry to credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginAnswer {
    /// The registry, or its token server, accepts them.
    Accepted,
    /// The registry asks nobody for credentials, so that it is unknown whether they are right.
    NotAsked,
}

impl HttpRegistry {
    /// Asks the registry, or its token server, whether it accepts the credentials of the keychain.
    pub(crate) async fn check_login(&self) -> Result<LoginAnswer, RegistryError> {
        let host = &self.host;
        let base = host.base().await?.clone();
        let access = RequiredAccess::default();
        match host.facts.challenge() {
            None => Ok(LoginAnswer::NotAsked),
            Some(Challenge::Bearer { realm, service }) => {
                let credentials = host.keychain.find("").await?;
                host.request_token(&realm, service.as_deref(), &access, &[], credentials.as_ref()).await?;
                Ok(LoginAnswer::Accepted)
            }
            Some(Challenge::Basic) => {
                let url = base.join("v2/").unwrap_or(base);
                let answer = host.send(&Request::new(Method::GET, url, &access)).await?;
                if !answer.status().is_success() {
                    return Err(answer.into_error().await);
                }
                answer.discard().await;
                Ok(LoginAnswer::Accepted)
            }
        }
    }
}
