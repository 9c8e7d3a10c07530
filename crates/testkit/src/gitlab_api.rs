//! A stand-in for GitLab's Projects API: `GET` and `PUT /api/v4/projects/{encoded path}` with `PRIVATE-TOKEN`. A project that a token
//! may not see is 404, and a PUT with a token without the scope `api` is 403.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::api_server::{Answer, ApiRequest, ApiServer, json as answer};

/// The token of an owner, with the scope `api`.
pub const TOKEN: &str = "gitlab-owner-word";
/// A token that has only the scope `read_api`.
pub const READER: &str = "gitlab-reader-word";

struct ScriptedProject {
    visibility: String,
    level: String,
}

/// A running stand-in.
#[derive(Clone)]
pub struct GitlabApi {
    pub server: ApiServer,
    projects: Arc<Mutex<BTreeMap<String, ScriptedProject>>>,
}

impl GitlabApi {
    /// Starts one without projects.
    pub async fn start() -> Self {
        let projects = Arc::new(Mutex::new(BTreeMap::new()));
        let own = Arc::clone(&projects);
        let server = ApiServer::start(move |asked| handle(asked, &mut own.lock().expect("a lock"))).await;
        Self { server, projects }
    }

    /// Adds a project.
    pub fn hold(&self, path: &str, visibility: &str, level: &str) {
        let project = ScriptedProject { visibility: visibility.to_owned(), level: level.to_owned() };
        self.projects.lock().expect("a lock").insert(path.to_owned(), project);
    }

    /// The two settings of a project.
    pub fn settings(&self, path: &str) -> (String, String) {
        let projects = self.projects.lock().expect("a lock");
        let project = projects.get(path).expect("a project");
        (project.visibility.clone(), project.level.clone())
    }

    /// Whether everybody may pull an image.
    pub fn is_public(&self, repository: &str) -> bool {
        let projects = self.projects.lock().expect("a lock");
        let own = projects.iter().find(|(path, _)| format!("{repository}/").starts_with(&format!("{path}/")));
        own.is_some_and(|(_, project)| project.visibility == "public" && project.level == "enabled")
    }
}

fn handle(asked: &ApiRequest, projects: &mut BTreeMap<String, ScriptedProject>) -> Answer {
    let token @ (TOKEN | READER) = asked.header("private-token") else {
        return answer(401, &json!({ "message": "401 Unauthorized" }));
    };
    let path = asked.path.strip_prefix("/api/v4/projects/").filter(|path| !path.contains('/'));
    let missing = || answer(404, &json!({ "message": "404 Project Not Found" }));
    let Some(path) = path.map(|path| path.replace("%2F", "/")) else {
        return answer(404, &json!({ "error": "404 Not Found" }));
    };
    let Some(project) = projects.get_mut(&path) else { return missing() };
    if asked.method == "PUT" {
        if token == READER {
            return answer(
                403,
                &json!({ "error": "insufficient_scope",
                    "error_description": "The request requires higher privileges than provided by the access token.",
                    "scope": "api" }),
            );
        }
        match (&asked.body["visibility"], &asked.body["container_registry_access_level"]) {
            (serde_json::Value::Null, serde_json::Value::Null) => {
                return answer(400, &json!({ "error": "at least one parameter must be provided" }));
            }
            (visibility, level) => {
                if let Some(word) = visibility.as_str() {
                    word.clone_into(&mut project.visibility);
                }
                if let Some(word) = level.as_str() {
                    word.clone_into(&mut project.level);
                }
            }
        }
    }
    answer(
        200,
        &json!({ "id": 42, "path_with_namespace": path, "visibility": project.visibility,
            "container_registry_enabled": project.level != "disabled",
            "container_registry_access_level": project.level }),
    )
}
