#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a fixture that cannot be made fails its test"
)]
#![allow(missing_docs, clippy::new_without_default, reason = "only tests read this interface")]

pub mod api_server;
pub mod chart;
pub mod command;
pub mod docker_hub_api;
pub mod docker_registry;
pub mod engine;
pub mod github_packages;
pub mod gitlab_api;
pub mod harbor_api;
pub mod image;
pub mod place;
pub mod proxy;
pub mod quay_api;
pub mod raw_tar;
pub mod signatures;
pub mod test_registry;
pub mod tls_proxy;
pub mod token_issuer;
pub mod world;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a crate in crates/")
}

/// The built program. Cargo builds it before it runs integration tests, and puts it in the folder above theirs.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("a folder of built programs");
    folder.join(format!("brokkr-publish{}", std::env::consts::EXE_SUFFIX))
}
