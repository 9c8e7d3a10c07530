//! A stand-in for GitHub's packages API, on the content of a [`TestRegistry`]: the versions of a package are the
//! manifests of a repository. Paths, answers and refusals are those of GitHub Docs, "REST API endpoints for packages",
//! and of the public threads that `src/advice/github.rs` names. It cannot restore versions.
//!
//! ```ignore
//! let registry = TestRegistry::start(Options::default()).await;          // 405 to any DELETE, as GHCR
//! let packages = GithubPackages::start(&registry, Owner::Organization).await;
//! packages.on("DELETE", "/versions/", 1, 403, &[], r#"{"message":"…"}"#);   // the first such request
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::test_registry::TestRegistry;

/// The token that may do everything.
pub const TOKEN: &str = "ghp_stand_in";
/// The time of the first version, in seconds since 1970; each later version is one minute after the one before.
pub const FIRST: i64 = 1_767_225_600;

/// The owner of the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// An organization: the paths of users are 404.
    Organization,
    /// A user: the paths of organizations are 404.
    User,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct PackagesRequest {
    /// `METHOD path?query`.
    pub line: String,
    /// The headers.
    pub headers: HeaderMap,
}

struct PackagesScript {
    method: &'static str,
    part: String,
    left: u32,
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// Whether the request is carried out anyway.
    done: bool,
}

struct SharedPackages {
    registry: TestRegistry,
    owner: Owner,
    address: String,
    /// The ids of versions, by package and digest, in the order in which they were first seen.
    ids: Mutex<HashMap<(String, String), u64>>,
    rules: Mutex<Vec<PackagesScript>>,
    log: Mutex<Vec<PackagesRequest>>,
    /// The number of listings that do not show new versions yet.
    lag: Mutex<u32>,
    /// The number of listings that still show deleted versions.
    linger: Mutex<u32>,
    /// The deleted versions, each with the number of listings that still show it.
    ghosts: Mutex<Vec<(Value, u32)>>,
    /// The largest number of versions on a page, even if a request asks for more.
    page: Mutex<usize>,
    /// The times of versions that differ from the default (see [`FIRST`]).
    put: Mutex<HashMap<String, i64>>,
    /// The visibility of the packages. A person sets it on a web page; no request can.
    visibility: Mutex<String>,
}

/// A running stand-in; it stops when the test's runtime ends.
#[derive(Clone)]
pub struct GithubPackages {
    shared: Arc<SharedPackages>,
}

impl GithubPackages {
    /// Starts one on a free port of `127.0.0.1`.
    pub async fn start(registry: &TestRegistry, owner: Owner) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let shared = Arc::new(SharedPackages {
            registry: registry.clone(),
            owner,
            address: listener.local_addr().expect("an address").to_string(),
            ids: Mutex::default(),
            rules: Mutex::default(),
            log: Mutex::default(),
            lag: Mutex::default(),
            linger: Mutex::default(),
            ghosts: Mutex::default(),
            page: Mutex::new(usize::MAX),
            put: Mutex::default(),
            visibility: Mutex::new("private".to_owned()),
        });
        let app = axum::Router::new().fallback(handle).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { shared }
    }

    /// The value of `GITHUB_API_URL`: it has a path, as with GitHub Enterprise Server.
    pub fn url(&self) -> String {
        format!("http://{}/api/v3", self.shared.address)
    }

    /// The next `times` requests with this method whose path and query contain `part` get this answer.
    pub fn on(
        &self,
        method: &'static str,
        part: &str,
        times: u32,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) {
        self.rule(method, part, times, status, headers, body, false);
    }

    /// Removes all scripted answers.
    pub fn forget_script(&self) {
        self.shared.rules.lock().expect("a lock").clear();
    }

    /// The next such request is carried out, but still gets this answer.
    pub fn lose(&self, method: &'static str, part: &str, status: u16) {
        self.rule(method, part, 1, status, &[], "", true);
    }

    #[allow(clippy::too_many_arguments, reason = "the two above are what tests call")]
    fn rule(
        &self,
        method: &'static str,
        part: &str,
        left: u32,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
        done: bool,
    ) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (part, body) = (part.to_owned(), body.to_owned());
        let rule = PackagesScript { method, part, left, status, headers, body, done };
        self.shared.rules.lock().expect("a lock").push(rule);
    }

    /// The next `listings` listings do not show the versions that are put from now on.
    pub fn lag(&self, listings: u32) {
        self.shared.note();
        *self.shared.lag.lock().expect("a lock") = listings;
    }

    /// Versions that are deleted from now on still appear in this number of listings.
    pub fn linger(&self, listings: u32) {
        *self.shared.linger.lock().expect("a lock") = listings;
    }

    /// Limits the number of versions on a page.
    pub fn pages_of(&self, versions: usize) {
        *self.shared.page.lock().expect("a lock") = versions;
    }

    /// Sets the time at which a version was put, in seconds since 1970.
    pub fn put_at(&self, digest: &str, time: i64) {
        self.shared.put.lock().expect("a lock").insert(digest.to_owned(), time);
    }

    /// Sets who may pull packages, as a person does on the settings page.
    pub fn set_visibility(&self, visibility: &str) {
        visibility.clone_into(&mut self.shared.visibility.lock().expect("a lock"));
    }

    /// Whether everybody may pull.
    pub fn is_public(&self) -> bool {
        *self.shared.visibility.lock().expect("a lock") == "public"
    }

    /// The id of a version that was already listed.
    pub fn id(&self, digest: &str) -> u64 {
        let ids = self.shared.ids.lock().expect("a lock");
        let found = ids.iter().find(|((_, known), _)| known.as_str() == digest);
        *found.expect("a version").1
    }

    /// The requests so far, as `METHOD path?query`.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<PackagesRequest> {
        self.shared.log.lock().expect("a lock").clone()
    }
}

async fn handle(State(shared): State<Arc<SharedPackages>>, request: Request) -> Response<Body> {
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let asked =
        PackagesRequest { line: format!("{} {path}", request.method()), headers: request.headers().clone() };
    shared.log.lock().expect("a lock").push(asked.clone());
    let scripted = shared.scripted(&asked);
    if let Some((false, scripted)) = scripted {
        return scripted;
    }
    let answer = shared.answer(&asked);
    scripted.map_or(answer, |(_, scripted)| scripted)
}

impl SharedPackages {
    fn scripted(&self, asked: &PackagesRequest) -> Option<(bool, Response<Body>)> {
        let mut rules = self.rules.lock().expect("a lock");
        let rule = rules.iter_mut().find(|rule| {
            rule.left > 0 && asked.line.starts_with(rule.method) && asked.line.contains(rule.part.as_str())
        })?;
        rule.left -= 1;
        let mut answer = Response::builder().status(rule.status);
        for (name, value) in &rule.headers {
            answer = answer.header(*name, value);
        }
        Some((rule.done, answer.body(Body::from(rule.body.clone())).expect("an answer")))
    }

    fn answer(&self, asked: &PackagesRequest) -> Response<Body> {
        let header =
            |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if header("user-agent").is_empty() {
            return said(403, "Request forbidden by administrative rules.");
        }
        if header("accept") != "application/vnd.github+json" || header("x-github-api-version") != "2022-11-28"
        {
            return said(400, "the headers of the documentation are expected");
        }
        match header("authorization") {
            "" => return said(401, "Requires authentication"),
            token if token != format!("Bearer {TOKEN}") => return said(401, "Bad credentials"),
            _ => {}
        }
        let (method, path) = asked.line.split_once(' ').expect("a path");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let ["api", "v3", owners, owner, "packages", "container", package, rest @ ..] = &parts[..] else {
            return said(404, "Not Found");
        };
        if *owners != (if self.owner == Owner::User { "users" } else { "orgs" }) {
            return said(404, "Not Found");
        }
        let repository = format!("{owner}/{}", package.replace("%2F", "/"));
        let versions = self.versions(&repository);
        if versions.is_empty() {
            return said(404, "Package not found.");
        }
        let ["versions", id @ ..] = rest else {
            if method != "GET" || !rest.is_empty() {
                return said(404, "Not Found");
            }
            let visibility = self.visibility.lock().expect("a lock").clone();
            let package = package.replace("%2F", "/");
            return json_answer(
                200,
                &json!({ "id": 197, "name": package, "package_type": "container",
                    "version_count": versions.len(), "visibility": visibility,
                    "html_url": format!("https://github.com/orgs/{owner}/packages/container/package/{package}") }),
            );
        };
        match (method, id) {
            ("GET", []) => self.list(path, query, &versions),
            (method, [id]) => {
                let found = versions.iter().find(|(number, _)| number.to_string() == *id);
                let Some((number, digest)) = found else { return said(404, "Package version not found.") };
                match method {
                    "GET" => json_answer(200, &self.version(&repository, *number, digest)),
                    "DELETE" => {
                        let version = self.version(&repository, *number, digest);
                        let answer = self.delete(&repository, digest);
                        if answer.status().is_success() {
                            let linger = *self.linger.lock().expect("a lock");
                            self.ghosts.lock().expect("a lock").push((version, linger));
                        }
                        answer
                    }
                    _ => said(404, "Not Found"),
                }
            }
            _ => said(404, "Not Found"),
        }
    }

    /// Gives every manifest an id.
    fn note(&self) {
        let content = self.registry.content();
        let mut ids = self.ids.lock().expect("a lock");
        let mut held: Vec<_> =
            content.manifests.keys().filter(|key| !ids.contains_key(*key)).cloned().collect();
        held.sort_by(|one, other| (&one.0, one.1.as_str()).cmp(&(&other.0, other.1.as_str())));
        for key in held {
            let next = 1001 + ids.len() as u64;
            ids.insert(key, next);
        }
    }

    /// The versions of a package, the newest first. Versions that are not listed yet are left out.
    fn versions(&self, repository: &str) -> Vec<(u64, String)> {
        {
            let mut lag = self.lag.lock().expect("a lock");
            if *lag == 0 {
                self.note();
            }
            *lag = lag.saturating_sub(1);
        }
        let content = self.registry.content();
        let ids = self.ids.lock().expect("a lock");
        let held = ids.iter().filter(|(key, _)| key.0 == repository && content.manifests.contains_key(*key));
        let mut versions: Vec<_> = held.map(|(key, id)| (*id, key.1.clone())).collect();
        versions.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        versions
    }

    fn tags(&self, repository: &str, digest: &str) -> Vec<String> {
        let content = self.registry.content();
        let tags = content.tags.iter().filter(|((name, _), named)| name == repository && *named == digest);
        tags.map(|((_, tag), _)| tag.clone()).collect()
    }

    fn version(&self, repository: &str, id: u64, digest: &str) -> Value {
        let created = FIRST + 60 * i64::try_from(id - 1001).expect("a small number");
        let created = self.put.lock().expect("a lock").get(digest).copied().unwrap_or(created);
        let created = jiff::Timestamp::from_second(created).expect("a time").to_string();
        json!({
            "id": id,
            "name": digest,
            "url": format!("http://{}/api/v3/…/versions/{id}", self.address),
            "created_at": created,
            "updated_at": created,
            "metadata": { "package_type": "container", "container": { "tags": self.tags(repository, digest) } },
        })
    }

    fn list(&self, path: &str, query: &str, versions: &[(u64, String)]) -> Response<Body> {
        let query: HashMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(query.get("state").map(String::as_str), Some("active"));
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        let most = *self.page.lock().expect("a lock");
        let (page, size) = (number("page").unwrap_or(1), number("per_page").unwrap_or(30).min(100).min(most));
        let repository = path.split('/').collect::<Vec<_>>();
        let repository = format!("{}/{}", repository[4], repository[7].replace("%2F", "/"));
        let shown = versions.iter().skip((page - 1) * size).take(size);
        let mut shown: Vec<_> = shown.map(|(id, digest)| self.version(&repository, *id, digest)).collect();
        for (ghost, left) in self.ghosts.lock().expect("a lock").iter_mut().filter(|_| page == 1) {
            if *left > 0 {
                *left -= 1;
                shown.push(ghost.clone());
            }
        }
        let mut answer = json_answer(200, &Value::from(shown));
        if versions.len() > page * size {
            let next = format!(
                "<http://{0}{path}?state=active&per_page=100&page={1}>; rel=\"next\", <http://{0}{path}?page=99>; rel=\"last\"",
                self.address,
                page + 1
            );
            answer.headers_mut().insert(header::LINK, next.parse().expect("a header"));
        }
        answer
    }

    fn delete(&self, repository: &str, digest: &str) -> Response<Body> {
        let is_tagged = |digest: &str| !self.tags(repository, digest).is_empty();
        let held: Vec<String> = {
            let content = self.registry.content();
            let held = content.manifests.keys().filter(|(name, _)| name == repository);
            held.map(|(_, digest)| digest.clone()).collect()
        };
        if is_tagged(digest) && !held.iter().any(|other| other != digest && is_tagged(other)) {
            return said(
                400,
                "You cannot delete the last tagged version of a package. You must delete the package instead.",
            );
        }
        self.registry.content().delete(repository, digest);
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    }
}

fn said(status: u16, message: &str) -> Response<Body> {
    json_answer(
        status,
        &json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() }),
    )
}

fn json_answer(status: u16, value: &Value) -> Response<Body> {
    let answer = Response::builder().status(status).header("content-type", "application/json; charset=utf-8");
    answer.body(Body::from(value.to_string())).expect("an answer")
}
