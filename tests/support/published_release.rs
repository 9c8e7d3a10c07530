//! Publishes a release through the engine of the command, as a run on the tag of its version.

use std::path::Path;
use std::sync::Arc;

use brokkr_publish::context::{Environment, Flags};
use brokkr_publish::model::plan::Plan;
use brokkr_publish::run::{Run, Session};
use semver::Version;

use crate::silent_reporter::SilentReporter;

/// Plans `publish.toml` of a folder on the tag `v<version>`, and applies the plan if nothing blocks it.
pub fn publish(folder: &Path, version: &Version) -> Plan {
    let session = Session {
        config: Some(folder.join("publish.toml")),
        profile: None,
        set: Vec::new(),
        allow_outside: Vec::new(),
        flags: Flags { reference: Some(format!("refs/tags/v{version}")), ..Flags::default() },
        environment: Environment::new(),
        working_folder: folder.to_owned(),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut run = Run::new(&session, 4, Arc::new(SilentReporter)).expect("a configuration");
        let plan = run.plan(&[]).await.expect("a plan");
        if !plan.is_blocked() {
            let (_, cancel) = tokio::sync::watch::channel(false);
            let (_, problems) = run.apply(&plan, cancel).await;
            assert_eq!(problems, [], "{version}");
        }
        plan
    })
}
