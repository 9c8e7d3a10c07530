//! The token server, and the permissions of a token.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine as _;

use super::content::{json, pairs, refusal};
use super::{Logged, RequiredCredentials, SharedTestRegistry};

/// The tokens that were given out.
#[derive(Default)]
pub(super) struct IssuedTokens {
    given: HashMap<String, (Vec<String>, Instant)>,
    count: usize,
}

impl IssuedTokens {
    pub(super) fn revoke(&mut self) {
        self.given.clear();
    }

    fn give(&mut self, scopes: Vec<String>, lifetime: Duration) -> String {
        self.count += 1;
        // This is not a JWT: clients must not parse it.
        let token = format!("opaque-{}", self.count);
        self.given.insert(token.clone(), (scopes, Instant::now() + lifetime));
        token
    }

    fn allows(&self, token: &str, repository: &str, action: &str) -> bool {
        let prefix = format!("repository:{repository}:");
        self.given.get(token).is_some_and(|(scopes, until)| {
            let mut scopes = scopes.iter().filter_map(|scope| scope.strip_prefix(&prefix));
            *until > Instant::now() && scopes.any(|actions| actions.split(',').any(|one| one == action))
        })
    }
}

impl SharedTestRegistry {
    fn is_user(&self, request: &Logged) -> bool {
        let Some((user, password)) = self.options.user else { return true };
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        request.header("authorization") == format!("Basic {pair}")
    }

    /// The part of `scopes` that everybody has: to pull public content.
    fn pulls(&self, scopes: &[String]) -> Vec<String> {
        let public = self.public.lock().expect("a lock").clone();
        let repositories =
            scopes.iter().filter_map(|scope| scope.strip_prefix("repository:")?.split(':').next());
        let public = repositories.filter(|it| public.as_ref().is_some_and(|public| public(it)));
        public.map(|it| format!("repository:{it}:pull")).collect()
    }

    /// Answers a request to `/token`.
    pub(super) fn token(&self, request: &Logged) -> Response<Body> {
        let query = pairs(&request.query);
        let mut scopes: Vec<String> =
            query.into_iter().filter(|(key, _)| key == "scope").map(|(_, value)| value).collect();
        if !self.is_user(request) {
            let pulls = self.pulls(&scopes);
            if pulls.is_empty() || !request.header("authorization").is_empty() {
                return refusal(401, "UNAUTHORIZED", "wrong user name or password");
            }
            scopes = pulls;
        }
        let lifetime = self.options.token_lifetime;
        let token = self.tokens.lock().expect("a lock").give(scopes, lifetime);
        let mut answer = serde_json::json!({ "token": token });
        if self.options.tells_lifetime {
            answer["expires_in"] = lifetime.as_secs().into();
        }
        json(200, &answer)
    }

    /// The answer to a request that lacks required credentials; `None` if it has them.
    pub(super) fn challenge(&self, request: &Logged, repository: &str) -> Option<Response<Body>> {
        let action = match request.method.as_str() {
            "GET" | "HEAD" => "pull",
            "DELETE" => self.options.delete_action,
            _ => "push",
        };
        let challenge = match self.options.auth {
            RequiredCredentials::None => return None,
            RequiredCredentials::Basic if self.is_user(request) => return None,
            RequiredCredentials::Basic => "Basic realm=\"test\"".to_owned(),
            RequiredCredentials::Token => {
                let token = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
                let tokens = self.tokens.lock().expect("a lock");
                let query = pairs(&request.query);
                let source = query.iter().find(|(key, _)| key == "from");
                if tokens.allows(token, repository, action)
                    && source.is_none_or(|(_, source)| tokens.allows(token, source, "pull"))
                {
                    return None;
                }
                format!(
                    "Bearer realm=\"http://{}/token\",service=\"test\",scope=\"repository:{repository}:{action}\"",
                    self.address
                )
            }
        };
        let mut answer = refusal(401, "UNAUTHORIZED", "authentication required");
        let challenge = HeaderValue::try_from(challenge).expect("a header");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        debug_assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        Some(answer)
    }
}
