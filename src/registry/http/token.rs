//! Credentials on requests: Basic, and the tokens of a token server, kept by repository
//! (distribution/distribution, "Token Authentication Specification"). Tokens are opaque: GHCR's are not
//! always JWTs.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::api::ApiCredential;
use super::challenge::{self, Challenge};
use super::exchange::Call;
use super::host::Host;
use super::origin;
use super::retry::{Failure, Retries, is_passing};
use crate::registry::error::text;
use crate::registry::{CredentialKind, Credentials, RegistryError};

/// The longest answer of a token server, in bytes.
const TOKEN_LIMIT: u64 = 1024 * 1024;

/// What a request needs to be allowed to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Access {
    /// The repository, by its path in the API.
    pub(super) repository: String,
    /// Whether to write to it, besides reading.
    pub(super) push: bool,
    /// Whether to delete from it, besides reading and writing.
    pub(super) delete: bool,
    /// Another repository to read from.
    pub(super) mount_from: Option<String>,
}

/// The value of an `Authorization` header.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    /// Another header than `Authorization`, where an API has one of its own.
    name: Option<&'static str>,
    header: HeaderValue,
    origin: Option<String>,
    means: Means,
}

/// What an `Authorization` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// User name and password.
    Basic,
    /// A token of the chain, of which there is no other.
    Fixed,
    /// The token of a token server, by its number.
    Granted(u64),
}

impl Authorization {
    /// What `credential` is as a header.
    pub(super) fn of(credential: &ApiCredential) -> Result<Self, RegistryError> {
        let (name, credentials, text) = match credential {
            ApiCredential::Basic(credentials) => return basic(credentials),
            ApiCredential::Bearer(it) => (None, it, format!("Bearer {}", it.password())),
            ApiCredential::Header(name, it) => (Some(*name), it, it.password().to_owned()),
            ApiCredential::Body(it) => return Err(unsendable(it)),
        };
        let header = sensitive(text).ok_or_else(|| unsendable(credentials))?;
        Ok(Self { name, header, origin: Some(credentials.origin().to_owned()), means: Means::Fixed })
    }

    /// The name of the header.
    pub(super) fn name(&self) -> HeaderName {
        self.name.map_or(AUTHORIZATION, HeaderName::from_static)
    }

    /// The value, marked as not to be shown.
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Where its credentials came from.
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

/// A token, and what it was asked for.
#[derive(Debug)]
struct Grant {
    push: bool,
    delete: bool,
    /// Whether the registry named the scope: one that says `delete` alone does not read.
    named: bool,
    sources: BTreeSet<String>,
    authorization: Authorization,
    until: Instant,
}

impl Grant {
    fn allows(&self, access: &Access) -> bool {
        (access.delete || !self.named)
            && (self.push || !access.push)
            && (self.delete || !access.delete)
            && access.mount_from.iter().all(|source| self.sources.contains(source))
    }
}

/// The tokens of one repository; whoever holds the lock may ask for another, and all others wait for that
/// one.
type Grants = Arc<tokio::sync::Mutex<Vec<Grant>>>;

/// Tokens by repository.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    grants: Mutex<HashMap<String, Grants>>,
    asked: std::sync::atomic::AtomicU64,
}

impl Tokens {
    fn of(&self, repository: &str) -> Grants {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(grants.entry(repository.to_owned()).or_default())
    }

    fn next_id(&self) -> u64 {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

impl Host {
    /// The header that a request with this access carries, as far as is known what the registry wants to see.
    pub(super) async fn authorization(
        &self,
        access: &Access,
    ) -> Result<Option<Authorization>, RegistryError> {
        match self.challenge() {
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

    /// The credentials for this access. Who only reads does without where a credential program fails, as public repositories can be
    /// read; where that is refused, the program's failure is the error.
    async fn credentials(&self, access: &Access) -> Result<Option<Credentials>, RegistryError> {
        match self.keychain.find(&access.repository).await {
            Err(error) if !access.push && !access.delete => {
                self.keychain.memory().tell(format!("reading without credentials: {error}"));
                Ok(None)
            }
            found => found,
        }
    }

    /// Another header, after an answer 401 to the one that was sent: `None` where there is none to be had.
    pub(super) async fn renewed(
        &self,
        access: &Access,
        sent: Option<&Authorization>,
        headers: &HeaderMap,
    ) -> Result<Option<Authorization>, RegistryError> {
        let Some(challenge) = challenge::of(headers) else { return Ok(None) };
        let is_basic = challenge == Challenge::Basic;
        self.challenged(challenge.clone());
        match sent.map(|sent| sent.means) {
            // The same would get the same answer.
            Some(Means::Fixed) => return Ok(None),
            Some(Means::Basic) if is_basic => return Ok(None),
            Some(means @ Means::Granted(_)) => {
                let grants = self.tokens.of(&access.repository);
                grants.lock().await.retain(|grant| grant.authorization.means != means);
            }
            _ => {}
        }
        if let (true, Some(scope), Challenge::Bearer { realm, service }) =
            (access.delete, named_scope(access, headers), challenge)
        {
            // What deleting is called differs: `delete`, and `*` for the registry of Docker before 2.7.
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

    /// Asks the token server at `realm`. With credentials, reading asks for the right to push too: a run that
    /// reads mostly pushes next, and so needs one token. Where that is refused, it asks for less. Only deleting
    /// asks for the right to delete; where the server does not know that word (Quay refuses scopes with others
    /// than `pull`, `push` and `*`), the registry is asked without it, and says what it wants to see.
    async fn ask(
        &self,
        realm: &Url,
        service: Option<&str>,
        access: &Access,
        credentials: Option<&Credentials>,
    ) -> Result<Grant, RegistryError> {
        let eager = Access { push: access.push || credentials.is_some(), ..access.clone() };
        let less = if access.delete { Access { delete: false, ..access.clone() } } else { access.clone() };
        match self.request_token(realm, service, &eager, &scopes(&eager), credentials).await {
            Err(RegistryError::Denied(_) | RegistryError::Unauthorized(_)) if eager != less => {
                self.request_token(realm, service, access, &scopes(&less), credentials).await
            }
            Err(RegistryError::Rejected(_)) if access.delete => {
                self.request_token(realm, service, access, &scopes(&less), credentials).await
            }
            other => other,
        }
    }

    async fn request_token(
        &self,
        realm: &Url,
        service: Option<&str>,
        access: &Access,
        scopes: &[String],
        credentials: Option<&Credentials>,
    ) -> Result<Grant, RegistryError> {
        let request = text::request("GET", realm);
        let base = self.base().await?;
        if let Err(reason) = origin::may_ask_token(base, realm, self.insecure) {
            return Err(RegistryError::Protocol { request, reason: reason.to_owned() });
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
            means: Means::Granted(self.tokens.next_id()),
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

    /// The answer of the token server to a request with user name and password, or without.
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
        let nothing = Access::default();
        self.token_answer(&Call::new(Method::GET, url, &nothing), authorization.as_ref()).await
    }

    /// What a token server answers, and when it was asked: again where a failure may pass.
    pub(super) async fn token_answer(
        &self,
        call: &Call<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<(Instant, Vec<u8>), RegistryError> {
        let mut retries = Retries::new(&self.policy, &self.notify);
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
        call: &Call<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<Vec<u8>, Failure> {
        let answer = self.transmit(call, &call.url, authorization).await?;
        let status = answer.status();
        if status.is_success() {
            return answer.body(TOKEN_LIMIT).await;
        }
        let request = answer.request.clone();
        Err(Failure { request, error: answer.into_error().await, passing: is_passing(status) })
    }
}

/// The scopes to ask for. The repository that is pushed to comes last, as GitLab once heeded the last alone.
fn scopes(access: &Access) -> Vec<String> {
    let actions = match (access.push, access.delete) {
        (_, true) => "pull,push,delete",
        (true, false) => "pull,push",
        (false, false) => "pull",
    };
    let source = access.mount_from.iter().map(|source| format!("repository:{source}:pull"));
    source.chain([format!("repository:{}:{actions}", access.repository)]).collect()
}

/// The scope that an answer 401 names, if it is one of the repository that was asked about: a registry cannot
/// have a token for another.
fn named_scope(access: &Access, headers: &HeaderMap) -> Option<String> {
    let prefix = format!("repository:{}:", access.repository);
    let scope = challenge::scope(headers).filter(|scope| scope.starts_with(&prefix))?;
    (!scope.contains(char::is_whitespace)).then_some(scope)
}

/// The token of a token server's answer, and how long it may be used: a little less than the server says, or
/// than the 60 seconds that hold where it says nothing.
fn read_token(body: &[u8]) -> Option<(String, Duration)> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let token = text("token").or_else(|| text("access_token"))?.to_owned();
    let seconds = answer.get("expires_in").and_then(Value::as_f64).filter(|seconds| *seconds > 0.0);
    let lifetime = Duration::from_secs_f64(seconds.unwrap_or(60.0).min(31_536_000.0));
    let margin = (lifetime / 4).min(Duration::from_secs(10));
    Some((token, lifetime.saturating_sub(margin)))
}

/// Basic credentials.
fn basic(credentials: &Credentials) -> Result<Authorization, RegistryError> {
    let pair = format!("{}:{}", credentials.username(), credentials.password());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    let header = sensitive(format!("Basic {encoded}")).ok_or_else(|| unsendable(credentials))?;
    Ok(Authorization {
        name: None,
        header,
        origin: Some(credentials.origin().to_owned()),
        means: Means::Basic,
    })
}

/// What credentials are sent as to a registry that wants no token of a token server.
fn by_kind(credentials: &Credentials) -> Result<Authorization, RegistryError> {
    match credentials.kind() {
        CredentialKind::Password => basic(credentials),
        CredentialKind::RegistryToken => Authorization::of(&ApiCredential::Bearer(credentials.clone())),
        CredentialKind::IdentityToken => Err(RegistryError::Credentials {
            reason: format!(
                "{} has an identity token, which a token server exchanges; this registry has no token server, and requires a user name and a password",
                credentials.origin()
            ),
            help: "log in with a user name and a password, or name environment variables with `auth`"
                .to_owned(),
        }),
    }
}

fn unsendable(credentials: &Credentials) -> RegistryError {
    RegistryError::Credentials {
        reason: format!("the credentials from {} cannot be sent", credentials.origin()),
        help: "log in again".to_owned(),
    }
}

fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
