//! The lines of `--json` are those that the schema of events describes, and what `list --json` prints is a catalogue.

use std::time::Duration;

use brokkr_publish::event::Event;
use brokkr_publish::model::catalogue::Catalogue;
use brokkr_publish::report::EventLine;
use brokkr_publish::saved::printed_schema;
use serde_json::Value;
use testkit::command::Folder;
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{configuration, image};

/// Returns the events of a run, after each was checked against the schema.
#[track_caller]
fn events(lines: &str) -> Vec<Value> {
    let schema = printed_schema::<EventLine<'static>>("event");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let parsed = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    parsed
        .inspect(|event| {
            let problems: Vec<String> = validator.iter_errors(event).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{problems:?}: {event}");
            assert_eq!(event["format_version"], "1.0");
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_an_event_of_the_schema() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    registry.on("HEAD", "/blobs/", 1, Fault::Early(503));
    let folder = Folder::with(&[("publish.toml", &configuration(&[("one", &registry.host())]))]);
    folder.image("image", &image("text"));
    let run = |arguments: &str| {
        let done = folder.run(arguments).done().expect_code(0);
        events(&done.stdout())
    };
    let applied = run("apply --json --auto-approve --ref refs/tags/v1.2.3 --record record.json");
    let names: Vec<&str> = applied.iter().filter_map(|it| it["event"].as_str()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"plan"), Some(&"finished")));
    for name in ["stage", "blob", "manifest", "tag"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    run("rollback record.json --json --auto-approve");
    let listed = folder.run("list --json").done().expect_code(0).json();
    let schema = printed_schema::<Catalogue>("catalogue");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&listed), "{listed}");
}

#[test]
fn the_total_is_an_event_too() {
    let event = Event::Progress {
        stage: brokkr_publish::event::Stage::Content,
        sent: 10,
        total: 20,
        bytes_per_second: Some(5),
        seconds_left: Some(Duration::from_secs(2).as_secs()),
    };
    let line = serde_json::to_value(&event).expect("JSON");
    assert_eq!(line["event"], "progress");
    assert_eq!((line["sent"].as_u64(), line["seconds_left"].as_u64()), (Some(10), Some(2)));
}
