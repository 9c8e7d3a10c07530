//! Identity tokens: a refresh token of OAuth 2, which the token server exchanges for tokens of the registry
//! (distribution/distribution, "Docker Registry v2 authentication using `OAuth2`").

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::body::RequestBody;
use super::exchange::Request;
use super::host::Host;
use super::tokens::RequiredAccess;
use crate::credentials::Credentials;
use crate::error::CredentialError;
use crate::error::RegistryError;

impl Host {
    /// Returns the answer of the token server at `realm` to an identity token, and the time at which it was asked.
    /// Exchanges run one after the other, because a token may be usable only once, and the next one is in the answer.
    pub(super) async fn exchange(
        &self,
        realm: &Url,
        service: Option<&str>,
        scopes: &[String],
        identity: &Credentials,
    ) -> Result<(Instant, Vec<u8>), RegistryError> {
        let refreshed = self.keychain.memory().refreshed(realm.as_str(), identity.password());
        let mut refreshed = refreshed.lock().await;
        let current = refreshed.as_deref().unwrap_or(identity.password());
        let form = [Bytes::from(form(&self.client, service, scopes, current))];
        let nothing = RequiredAccess::default();
        let content = HeaderValue::from_static("application/x-www-form-urlencoded");
        let call = Request {
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content)]),
            payload: RequestBody::Pieces(&form),
            secret_in_body: Some(current),
            ..Request::new(Method::POST, realm.clone(), &nothing)
        };
        let (asked, body) =
            self.token_answer(&call, None).await.map_err(|error| refused(error, identity.origin()))?;
        if let Some(next) = next_token(&body) {
            *refreshed = Some(next);
        }
        Ok((asked, body))
    }
}

fn form(client: &str, service: Option<&str>, scopes: &[String], token: &str) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    if let Some(service) = service {
        form.append_pair("service", service);
    }
    form.append_pair("client_id", client).append_pair("scope", &scopes.join(" "));
    form.append_pair("refresh_token", token).finish()
}

/// Returns the refresh token that replaces the one that was sent.
fn next_token(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let next = answer.get("refresh_token")?.as_str().filter(|next| !next.is_empty())?;
    Some(next.to_owned())
}

/// Returns the meaning of a refusal. A rejected token is 400 with `invalid_grant` (RFC 6749, section 5.2); a server
/// without such an exchange answers that nothing is there, or that it does not accept POST.
fn refused(error: RegistryError, origin: &str) -> RegistryError {
    let error = error.with_credentials(origin);
    match error {
        RegistryError::NotFound(refusal) => cannot_exchange(&refusal.request, refusal.status, origin),
        RegistryError::Rejected(refusal) => match refusal.status {
            405 | 501 => cannot_exchange(&refusal.request, refusal.status, origin),
            _ => RegistryError::Unauthorized(refusal),
        },
        error => error,
    }
}

fn cannot_exchange(request: &str, status: u16, origin: &str) -> RegistryError {
    CredentialError::NotExchanged { request: request.to_owned(), status, origin: origin.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_the_specified_fields() {
        let scopes = ["repository:a:pull".to_owned(), "repository:b:pull,push".to_owned()];
        assert_eq!(
            form("me", Some("s"), &scopes, "t&x"),
            "grant_type=refresh_token&service=s&client_id=me&scope=repository%3Aa%3Apull+repository%3Ab%3Apull%2Cpush&refresh_token=t%26x"
        );
    }

    #[test]
    fn the_next_token_is_in_the_answer() {
        for (body, expected) in [
            (r#"{"access_token":"a","refresh_token":"r"}"#, Some("r")),
            (r#"{"access_token":"a","refresh_token":""}"#, None),
            (r#"{"access_token":"a","refresh_token":7}"#, None),
            (r#"{"access_token":"a"}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(next_token(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
