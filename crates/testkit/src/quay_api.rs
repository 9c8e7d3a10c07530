//! A stand-in for Quay's API (Red Hat Quay API, "getRepo", "changeRepoVisibility"): an OAuth token with `repo:admin` may read and
//! set who may pull; a token with another scope gets 403.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::api_server::{Answer, ApiRequest, ApiServer, json as answer};

/// The OAuth token that may do everything.
pub const TOKEN: &str = "quay-oauth-admin";
/// An OAuth token that may only read.
pub const READER: &str = "quay-oauth-reader";

/// A running stand-in.
#[derive(Clone)]
pub struct QuayApi {
    pub server: ApiServer,
    public: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl QuayApi {
    /// Starts one without repositories.
    pub async fn start() -> Self {
        let public = Arc::new(Mutex::new(BTreeMap::new()));
        let own = Arc::clone(&public);
        let server = ApiServer::start(move |asked| handle(asked, &mut own.lock().expect("a lock"))).await;
        Self { server, public }
    }

    /// Adds a repository.
    pub fn hold(&self, repository: &str, public: bool) {
        self.public.lock().expect("a lock").insert(repository.to_owned(), public);
    }

    /// Whether everybody may pull; a repository is private after its first push.
    pub fn is_public(&self, repository: &str) -> bool {
        *self.public.lock().expect("a lock").entry(repository.to_owned()).or_insert(false)
    }
}

/// An `ApiError`, in Quay's format.
fn error(status: u16, kind: &str, detail: &str) -> Answer {
    answer(
        status,
        &json!({ "status": status, "error_message": detail, "title": kind, "error_type": kind, "detail": detail,
            "type": format!("https://quay.io/api/v1/error/{kind}") }),
    )
}

fn handle(asked: &ApiRequest, public: &mut BTreeMap<String, bool>) -> Answer {
    let Some(token @ (TOKEN | READER)) = asked.header("authorization").strip_prefix("Bearer ") else {
        return error(401, "invalid_token", "Requires authentication");
    };
    let Some(path) = asked.path.strip_prefix("/api/v1/repository/") else {
        return error(404, "not_found", "Not Found");
    };
    let (name, changes) = match path.strip_suffix("/changevisibility") {
        Some(name) => (name, true),
        None => (path, false),
    };
    let Some(held) = public.get_mut(name) else { return error(404, "not_found", "Not Found") };
    match (asked.method.as_str(), changes) {
        ("GET", false) => {
            let (namespace, name) = name.split_once('/').expect("a namespace");
            answer(
                200,
                &json!({ "namespace": namespace, "name": name, "kind": "image", "description": null,
                    "is_public": *held, "state": "NORMAL" }),
            )
        }
        ("POST", true) if token == READER => error(403, "insufficient_scope", "Unauthorized"),
        ("POST", true) => match asked.body["visibility"].as_str() {
            Some(word @ ("public" | "private")) => {
                *held = word == "public";
                answer(201, &json!({ "success": true }))
            }
            _ => error(400, "invalid_request", "'visibility' is a required property"),
        },
        _ => error(404, "not_found", "Not Found"),
    }
}
