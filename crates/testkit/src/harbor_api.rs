//! A stand-in for Harbor's API 2.0 (`/projects/{name}`): Basic credentials; the metadata of a project are strings, and `public`
//! is one of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use serde_json::json;

use crate::api_server::{Answer, ApiRequest, ApiServer, json as answer};

/// The user that administers the projects.
pub const ADMIN: (&str, &str) = ("robot$acme-admin", "harbor-admin-word");

/// A running stand-in.
#[derive(Clone)]
pub struct HarborApi {
    pub server: ApiServer,
    projects: Arc<Mutex<BTreeMap<String, String>>>,
}

impl HarborApi {
    /// Starts one without projects.
    pub async fn start() -> Self {
        let projects = Arc::new(Mutex::new(BTreeMap::new()));
        let own = Arc::clone(&projects);
        let server = ApiServer::start(move |asked| handle(asked, &mut own.lock().expect("a lock"))).await;
        Self { server, projects }
    }

    /// Adds a project.
    pub fn hold(&self, project: &str, public: &str) {
        self.projects.lock().expect("a lock").insert(project.to_owned(), public.to_owned());
    }

    /// Whether everybody may pull from a project's repository.
    pub fn is_public(&self, repository: &str) -> bool {
        let project = repository.split('/').next().expect("a project");
        self.projects.lock().expect("a lock").get(project).is_some_and(|public| public == "true")
    }
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    answer(status, &json!({ "errors": [{ "code": code, "message": message }] }))
}

fn handle(asked: &ApiRequest, projects: &mut BTreeMap<String, String>) -> Answer {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", ADMIN.0, ADMIN.1));
    if asked.header("authorization") != format!("Basic {pair}") {
        return error(401, "UNAUTHORIZED", "unauthorized");
    }
    let Some(name) = asked.path.strip_prefix("/api/v2.0/projects/") else {
        return error(404, "NOT_FOUND", "path not found");
    };
    // A name that consists of digits would be read as an id.
    if asked.header("x-is-resource-name") != "true" && name.parse::<u64>().is_ok() {
        return error(404, "NOT_FOUND", &format!("project {name} not found"));
    }
    let Some(public) = projects.get_mut(name) else {
        return error(404, "NOT_FOUND", &format!("project {name} not found"));
    };
    match asked.method.as_str() {
        "GET" => answer(
            200,
            &json!({ "project_id": 7, "name": name, "repo_count": 1,
                "metadata": { "public": public, "auto_scan": "false" } }),
        ),
        "PUT" => match asked.body["metadata"]["public"].as_str() {
            Some(word @ ("true" | "false")) => {
                word.clone_into(public);
                Answer { status: 200, headers: Vec::new(), body: String::new() }
            }
            Some(_) => error(400, "BAD_REQUEST", "invalid value of `public`"),
            None => error(422, "UNPROCESSABLE", "metadata.public in body must be of type string"),
        },
        _ => error(405, "METHOD_NOT_ALLOWED", "method not allowed"),
    }
}
