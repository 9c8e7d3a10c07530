//! The common part of the stand-ins for providers' APIs: a server on a free port, the log of its requests, and answers that a
//! test scripts. Each API has a file of its own for the rest.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use serde_json::Value;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub body: Value,
}

impl ApiRequest {
    /// A header, as text; empty if the request does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// `METHOD path`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// An answer of JSON.
pub fn json(status: u16, value: &Value) -> Answer {
    let headers = vec![("content-type", "application/json".to_owned())];
    Answer { status, headers, body: value.to_string() }
}

type Handler = Arc<dyn Fn(&ApiRequest) -> Answer + Send + Sync>;

struct ApiScript {
    part: String,
    left: u32,
    answer: Answer,
}

struct SharedApiServer {
    address: String,
    handler: Handler,
    rules: Mutex<Vec<ApiScript>>,
    log: Mutex<Vec<ApiRequest>>,
}

/// A running server; it stops when the test's runtime ends.
#[derive(Clone)]
pub struct ApiServer {
    shared: Arc<SharedApiServer>,
}

impl ApiServer {
    /// Starts one on a free port of `127.0.0.1`.
    pub async fn start(handler: impl Fn(&ApiRequest) -> Answer + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (rules, log) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(SharedApiServer { address, handler: Arc::new(handler), rules, log });
        let app = axum::Router::new().fallback(handle).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { shared }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The next `times` requests whose `METHOD path` contains `part` get this answer.
    pub fn on(&self, part: &str, times: u32, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let answer = Answer { status, headers, body: body.to_owned() };
        let rule = ApiScript { part: part.to_owned(), left: times, answer };
        self.shared.rules.lock().expect("a lock").push(rule);
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<ApiRequest> {
        self.shared.log.lock().expect("a lock").clone()
    }

    /// The requests so far, as `METHOD path`.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(ApiRequest::line).collect()
    }

    /// The requests so far that change something.
    pub fn changes(&self) -> Vec<String> {
        let is_change = |asked: &&ApiRequest| asked.method != "GET" && !asked.path.ends_with("/auth/token");
        self.asked()
            .iter()
            .filter(is_change)
            .map(|asked| format!("{} {}", asked.line(), asked.body))
            .collect()
    }

    /// Clears the log.
    pub fn forget(&self) {
        self.shared.log.lock().expect("a lock").clear();
    }
}

async fn handle(State(shared): State<Arc<SharedApiServer>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let asked = ApiRequest {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    shared.log.lock().expect("a lock").push(asked.clone());
    let scripted = {
        let line = asked.line();
        let mut rules = shared.rules.lock().expect("a lock");
        let rule = rules.iter_mut().find(|rule| rule.left > 0 && line.contains(&rule.part));
        rule.map(|rule| {
            rule.left -= 1;
            rule.answer.clone()
        })
    };
    let answer = scripted.unwrap_or_else(|| (shared.handler)(&asked));
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(answer.body)).expect("an answer")
}
