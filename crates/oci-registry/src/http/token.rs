//! Asking a token server for tokens (distribution/distribution, "Token Authentication Specification").

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::authorization::{ApiCredential, Authorization, AuthorizationKind, basic, by_kind, sensitive};
use super::challenge::{self, Challenge};
use super::exchange::Request;
use super::host::Host;
use super::origin;
use super::response::Response;
use super::retry::{FailedAttempt, Retries, is_passing};
use super::tokens::{Grant, RequiredAccess};
use crate::credentials::{CredentialKind, Credentials};
use crate::error::{CredentialError, HostRoute, OtherHost, RegistryError};

/// The longest answer of a token server, in bytes.
const TOKEN_LIMIT: u64 = 1024 * 1024;

impl Host {
    /// Returns the header for a request with this access, if it is known which credentials the registry requires.
    pub(super) async fn authorization(
        &self,
        access: &RequiredAccess,
    ) -> Result<Option<Authorization>, RegistryError> {
        match self.facts.challenge() {
            None => Ok(None),
            Some(Challenge::Basic) => match self.credentials(access).await? {
                None => Ok(None),
                Some(credentials) => by_kind(&credentials).map(Some),
            },
            Some(Challenge::Bearer { realm, service }) => {
                let grants = self.tokens.of(&access.repository);
                let mut grants = grants.lock().await;
                grants.retain(|grant| grant.until > Instant::now());
                if let Some(grant) = grants.iter().find(|grant| grant.allows(access)) {
                    return Ok(Some(grant.authorization.clone()));
                }
                let credentials = self.credentials(access).await?;
                if let Some(credentials) = &credentials
                    && credentials.kind() == CredentialKind::RegistryToken
                {
                    return Authorization::of(&ApiCredential::Bearer(credentials.clone())).map(Some);
                }
                let grant = match self.ask(&realm, service.as_deref(), access, credentials.as_ref()).await {
                    Err(error @ (RegistryError::Denied(_) | RegistryError::Unauthorized(_)))
                        if credentials.is_none() =>
                    {
                        return Err(self.keychain.failure(&access.repository).await.unwrap_or(error));
                    }
                    grant => grant?,
                };
                let authorization = grant.authorization.clone();
                grants.push(grant);
                Ok(Some(authorization))
            }
        }
    }

    /// Returns the credentials for this access. If a credential program fails, reading goes on without credentials,
    /// because public repositories can be read; if that is refused, the failure of the program is the error.
    async fn credentials(&self, access: &RequiredAccess) -> Result<Option<Credentials>, RegistryError> {
        match self.keychain.find(&access.repository).await {
            Err(error) if !access.push && !access.delete => {
                self.keychain.memory().log_once(format!("reading without credentials: {error}"));
                Ok(None)
            }
            found => found,
        }
    }

    /// Returns another header after the answer 401 to the one that was sent; `None` if there is none.
    pub(super) async fn renewed(
        &self,
        access: &RequiredAccess,
        sent: Option<&Authorization>,
        answer: &Response,
    ) -> Result<Option<Authorization>, RegistryError> {
        let headers = answer.headers();
        let Some(challenge) = challenge::of(headers, &answer.url) else { return Ok(None) };
        let is_basic = challenge == Challenge::Basic;
        self.facts.set_challenge(challenge.clone());
        match sent.map(|sent| sent.kind) {
            // The same header would get the same answer.
            Some(AuthorizationKind::Fixed) => return Ok(None),
            Some(AuthorizationKind::Basic) if is_basic => return Ok(None),
            Some(kind @ AuthorizationKind::Granted(_)) => {
                let grants = self.tokens.of(&access.repository);
                grants.lock().await.retain(|grant| grant.authorization.kind != kind);
            }
            _ => {}
        }
        if let (true, Some(scope), Challenge::Bearer { realm, service }) =
            (access.delete, named_scope(access, headers), challenge)
        {
            // The name of the action for deleting differs: `delete`, or `*` for Docker's registry before 2.7.
            let credentials = self.credentials(access).await?;
            let grant = self
                .request_token(&realm, service.as_deref(), access, &[scope], credentials.as_ref())
                .await?;
            let grant = Grant { named: true, ..grant };
            let authorization = grant.authorization.clone();
            self.tokens.of(&access.repository).lock().await.push(grant);
            return Ok(Some(authorization));
        }
        self.authorization(access).await
    }

    /// Asks the token server at `realm` for a token that allows `access` and nothing more: Quay creates a repository as
    /// soon as somebody asks for the right to push to it, so reading must not. Only deleting asks for the right to
    /// delete; if the server refuses that or does not know the action (Quay refuses scopes with actions other than
    /// `pull`, `push` and `*`), the registry is asked without it, and names the scope that it requires.
    async fn ask(
        &self,
        realm: &Url,
        service: Option<&str>,
        access: &RequiredAccess,
        credentials: Option<&Credentials>,
    ) -> Result<Grant, RegistryError> {
        match self.request_token(realm, service, access, &scopes(access), credentials).await {
            Err(RegistryError::Denied(_) | RegistryError::Unauthorized(_) | RegistryError::Rejected(_))
                if access.delete =>
            {
                let less = RequiredAccess { delete: false, ..access.clone() };
                self.request_token(realm, service, access, &scopes(&less), credentials).await
            }
            other => other,
        }
    }

    pub(super) async fn request_token(
        &self,
        realm: &Url,
        service: Option<&str>,
        access: &RequiredAccess,
        scopes: &[String],
        credentials: Option<&Credentials>,
    ) -> Result<Grant, RegistryError> {
        let request = self.described("GET", realm);
        let base = self.base().await?;
        if let Err(reason) = origin::may_ask_token(base, realm, self.insecure) {
            let origin = credentials.map(|credentials| credentials.origin().to_owned());
            return Err(CredentialError::TokenServer { request, reason, origin }.into());
        }
        let identity = credentials.filter(|credentials| credentials.kind() == CredentialKind::IdentityToken);
        let (asked, body) = match identity {
            Some(identity) => self.exchange(realm, service, scopes, identity).await?,
            None => self.token_body(realm, service, scopes, credentials).await?,
        };
        let protocol =
            |reason: &str| RegistryError::Protocol { request: request.clone(), reason: reason.to_owned() };
        let (token, lifetime) = read_token(&body).ok_or_else(|| protocol("an answer without a token"))?;
        let header = sensitive(format!("Bearer {token}"));
        let header = header.ok_or_else(|| protocol("a token that cannot be sent back"))?;
        let authorization = Authorization {
            name: None,
            header,
            origin: credentials.map(|credentials| credentials.origin().to_owned()),
            kind: AuthorizationKind::Granted(self.tokens.next_id()),
        };
        let sources = access.mount_from.iter().cloned().collect();
        Ok(Grant {
            push: access.push,
            delete: access.delete,
            named: false,
            sources,
            authorization,
            until: asked + lifetime,
        })
    }

    /// Returns the answer of the token server to a request with or without user name and password.
    async fn token_body(
        &self,
        realm: &Url,
        service: Option<&str>,
        scopes: &[String],
        credentials: Option<&Credentials>,
    ) -> Result<(Instant, Vec<u8>), RegistryError> {
        let mut url = realm.clone();
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = service {
                query.append_pair("service", service);
            }
            for scope in scopes {
                query.append_pair("scope", scope);
            }
        }
        let authorization = credentials.map(basic).transpose()?;
        let nothing = RequiredAccess::default();
        self.token_answer(&Request::new(Method::GET, url, &nothing), authorization.as_ref()).await
    }

    /// Returns the answer of a token server, and the time at which it was asked. Repeats the request after a temporary
    /// failure.
    pub(super) async fn token_answer(
        &self,
        call: &Request<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<(Instant, Vec<u8>), RegistryError> {
        let mut retries = Retries::of_host(&self.policy, &self.notify, self.tokens.is_empty());
        loop {
            let asked = Instant::now();
            match self.token_attempt(call, authorization).await {
                Ok(body) => return Ok((asked, body)),
                Err(failure) => retries.again(failure).await?,
            }
        }
    }

    async fn token_attempt(
        &self,
        call: &Request<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<Vec<u8>, FailedAttempt> {
        let base = self.base().await.map_err(FailedAttempt::lasting)?;
        let elsewhere = || {
            let is_other = !origin::same(base, &call.url);
            is_other.then(|| OtherHost::new(&call.url, base, HostRoute::TokenServer))
        };
        let sent = self.transmit(call, &call.url, authorization).await;
        let answer = sent.map_err(|failure| failure.at(elsewhere()))?;
        let status = answer.status();
        if status.is_success() {
            return answer.body(TOKEN_LIMIT).await;
        }
        let request = answer.request.clone();
        Err(FailedAttempt { request, error: answer.into_error().await, passing: is_passing(status) })
    }
}

/// Returns the scopes to ask for. The repository to push to comes last, because GitLab once evaluated only the last
/// scope.
fn scopes(access: &RequiredAccess) -> Vec<String> {
    let actions = match (access.push, access.delete) {
        (_, true) => "pull,push,delete",
        (true, false) => "pull,push",
        (false, false) => "pull",
    };
    let source = access.mount_from.iter().map(|source| format!("repository:{source}:pull"));
    source.chain([format!("repository:{}:{actions}", access.repository)]).collect()
}

/// Returns the scope that an answer 401 names, if it belongs to the requested repository: a registry must not get a
/// token for another one.
fn named_scope(access: &RequiredAccess, headers: &HeaderMap) -> Option<String> {
    let prefix = format!("repository:{}:", access.repository);
    let scope = challenge::scope(headers).filter(|scope| scope.starts_with(&prefix))?;
    (!scope.contains(char::is_whitespace)).then_some(scope)
}

/// Returns the token in a token server's answer, and how long it may be used: a little less than the server says, or
/// than the default of 60 seconds if it says nothing.
fn read_token(body: &[u8]) -> Option<(String, Duration)> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let token = text("token").or_else(|| text("access_token"))?.to_owned();
    let seconds = answer.get("expires_in").and_then(Value::as_f64).filter(|seconds| *seconds > 0.0);
    let lifetime = Duration::from_secs_f64(seconds.unwrap_or(60.0).min(31_536_000.0));
    let margin = (lifetime / 4).min(Duration::from_secs(10));
    Some((token, lifetime.saturating_sub(margin)))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
