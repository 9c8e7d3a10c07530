//! `examples/brokkr`: one file and one workflow for everything that Brokkr publishes.

use testkit::chart::TestChart;
use testkit::command::Folder;

const CONFIGURATION: &str = include_str!("../../examples/brokkr/publish.toml");
const WORKFLOW: &str = include_str!("../../examples/brokkr/publish.yml");

fn folder() -> Folder {
    let folder = Folder::with(&[("publish.toml", CONFIGURATION)]);
    for name in ["brokkr-broker", "brokkr-agent"] {
        let values = format!("image:\n  repository: ghcr.io/colliery-io/{name}\n  tag: \"\"\n");
        let chart = TestChart::small(name, "0.0.0").with("values.yaml", &values);
        chart.write(&folder.path.join("charts").join(name));
    }
    folder
}

#[test]
fn it_is_short_and_lints_clean() {
    assert!(CONFIGURATION.lines().count() + WORKFLOW.lines().count() <= 200);
    let done = folder().run("lint").done().expect_code(0);
    assert_eq!(done.stderr(), "1 file checked, nothing wrong\n");
}

#[test]
fn each_event_publishes_what_it_should() {
    let folder = folder();
    let sha = "--sha 9f3c2ab41d5e6f708192a3b4c5d6e7f8091a2b3c";
    for (event, images, chart) in [
        ("--ref refs/tags/v1.2.3", vec!["v1.2.3", "v1.2", "v1", "latest"], vec!["1.2.3"]),
        ("--ref refs/tags/v1.2.3-rc.1", vec!["v1.2.3-rc.1"], vec!["1.2.3-rc.1"]),
        ("--ref refs/heads/main", vec!["main", "sha-9f3c2ab"], vec!["0.0.0-main.sha9f3c2ab"]),
        ("--ref refs/heads/feature", vec!["sha-9f3c2ab"], vec!["0.0.0-feature.sha9f3c2ab"]),
        ("--pr 12", vec!["sha-9f3c2ab", "pr-12"], vec!["0.0.0-pr-12.sha9f3c2ab"]),
        ("--event schedule --ref refs/heads/main", vec!["nightly"], vec![]),
    ] {
        let json = folder.run(&format!("tags {event} {sha} --format json")).done().expect_code(0).json();
        for (kind, expected) in [("images", &images), ("charts", &chart)] {
            let tags = json[kind]["brokkr-broker"]["tags"].as_array().expect("tags");
            let tags: Vec<&str> = tags.iter().filter_map(|tag| tag["tag"].as_str()).collect();
            assert_eq!(tags, *expected, "{event}");
        }
    }
}
