//! A stand-in for Docker Hub's API (Docker Docs, "Docker Hub API"): `POST /v2/auth/token` gives a token of ten minutes for a user
//! name and a password, `GET /v2/namespaces/{namespace}/repositories/{repository}` returns `is_private`, and
//! `POST /v2/repositories/{namespace}/{repository}/privacy` sets it. Every answer has the headers of its rate limit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::api_server::{Answer, ApiRequest, ApiServer, json as answer};

/// The user that may do everything.
pub const USER: &str = "acme-ci";
/// The access token of that user.
pub const PASSWORD: &str = "dckr_pat_stand_in";

#[derive(Default)]
struct State {
    /// Whether each repository is private.
    private: BTreeMap<String, bool>,
    /// The number of tokens that were given out.
    tokens: u32,
    /// The first token that is still valid.
    oldest: u32,
    /// Whether the user owns the repositories, or only pushes to them.
    owner: bool,
}

/// A running stand-in.
#[derive(Clone)]
pub struct DockerHubApi {
    pub server: ApiServer,
    state: Arc<Mutex<State>>,
}

impl DockerHubApi {
    /// Starts one without repositories.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State { owner: true, ..State::default() }));
        let own = Arc::clone(&state);
        let server = ApiServer::start(move |asked| {
            let mut said = handle(asked, &mut own.lock().expect("a lock"));
            let limit = [("x-ratelimit-limit", "180"), ("x-ratelimit-remaining", "179")];
            said.headers.extend(limit.map(|(name, value)| (name, value.to_owned())));
            said
        })
        .await;
        Self { server, state }
    }

    /// Adds a repository.
    pub fn hold(&self, repository: &str, private: bool) {
        self.state.lock().expect("a lock").private.insert(repository.to_owned(), private);
    }

    /// Whether everybody may pull; a repository is public after its first push.
    pub fn is_public(&self, repository: &str) -> bool {
        let mut state = self.state.lock().expect("a lock");
        !*state.private.entry(repository.to_owned()).or_insert(false)
    }

    /// Invalidates the tokens that were given out.
    pub fn expire(&self) {
        let mut state = self.state.lock().expect("a lock");
        state.oldest = state.tokens + 1;
    }

    /// The user may push, and nothing else.
    pub fn demote(&self) {
        self.state.lock().expect("a lock").owner = false;
    }
}

fn handle(asked: &ApiRequest, state: &mut State) -> Answer {
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    if let ("POST", ["v2", "auth", "token"]) = (asked.method.as_str(), &parts[..]) {
        let (Some(user), Some(secret)) = (asked.body["identifier"].as_str(), asked.body["secret"].as_str())
        else {
            return answer(400, &json!({ "message": "invalid request body", "errinfo": {} }));
        };
        if (user, secret) != (USER, PASSWORD) {
            return answer(401, &json!({ "detail": "Incorrect authentication credentials" }));
        }
        state.tokens += 1;
        return answer(200, &json!({ "access_token": format!("hub-{}", state.tokens) }));
    }
    let token =
        asked.header("authorization").strip_prefix("Bearer hub-").and_then(|it| it.parse::<u32>().ok());
    let known = token.is_some_and(|token| token <= state.tokens && token >= state.oldest);
    if !known {
        return answer(401, &json!({ "message": "unauthorized", "errinfo": {} }));
    }
    let missing = || answer(404, &json!({ "message": "object not found", "errinfo": {} }));
    match (asked.method.as_str(), &parts[..]) {
        ("GET", ["v2", "namespaces", namespace, "repositories", name]) => {
            let Some(private) = state.private.get(&format!("{namespace}/{name}")) else { return missing() };
            answer(
                200,
                &json!({ "user": namespace, "name": name, "namespace": namespace, "repository_type": "image",
                    "status": 1, "is_private": private, "star_count": 0, "pull_count": 1 }),
            )
        }
        ("POST", ["v2", "repositories", namespace, name, "privacy"]) => {
            let Some(private) = state.private.get_mut(&format!("{namespace}/{name}")) else {
                return missing();
            };
            if !state.owner {
                return answer(403, &json!({ "message": "access denied", "errinfo": {} }));
            }
            let Some(wanted) = asked.body["is_private"].as_bool() else {
                return answer(400, &json!({ "is_private": ["This field is required."] }));
            };
            *private = wanted;
            answer(200, &json!({}))
        }
        _ => missing(),
    }
}
