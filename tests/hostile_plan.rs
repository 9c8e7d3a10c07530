//! A plan or a record that somebody else wrote is only text: what it holds does nothing to a terminal, forges no line,
//! and ends no process.
#![allow(clippy::expect_used, clippy::unwrap_used)] // this is a test

#[path = "support/command.rs"]
mod command;

use command::Folder;
use serde_json::{Value, json};

const HOSTILE: &str = "\u{1b}[2Jx\nForged: line\r\t\u{7}\u{9b}\u{202e}\u{2066}\u{200f}\u{2028}";

const CONFIG: &str = r#"
version = 1
[registries.bundle]
url = "oci:registry"
[tags.version]
on = "tag"
template = "v{{ version }}"
[images.app]
source = "oci-archive:image.tar"
"#;

/// A folder with a real `plan.json` and `record.json`.
fn folder() -> Folder {
    let folder = Folder::with(&[("publish.toml", CONFIG)]);
    let image = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/image.tar"));
    folder.write("image.tar", image.expect("the quickstart's image"));
    let _planned = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let _applied = folder.run("apply plan.json --record record.json").done().expect_code(0);
    folder
}

fn read(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&folder.read(name)).expect("JSON")
}

/// Writes a document with the checksum that belongs to it: whoever forges one can compute it.
fn write(folder: &Folder, name: &str, document: &Value) {
    let mut document = document.clone();
    brokkr_publish::saved::seal(&mut document);
    folder.write(name, document.to_string());
}

/// What only people read of a plan, made hostile; what is checked when it is read stays.
fn spoil(plan: &mut Value) {
    for name in ["generator", "folder", "title"] {
        plan[name] = json!(HOSTILE);
    }
    plan["config"]["path"] = json!(HOSTILE);
    plan["config"]["profile"] = json!(HOSTILE);
    plan["silent"] = json!([{ "image": HOSTILE, "rules": { HOSTILE: HOSTILE } }]);
    let repository = &mut plan["repositories"][0];
    for name in ["image", "registry", "name"] {
        repository[name] = json!(HOSTILE);
    }
    repository["visibility"] = json!({
        "declared": "public", "observed": "not-public", "action": "by-hand", "settings_url": HOSTILE
    });
    let change = &mut repository["changes"][0];
    change["rule"] = json!(HOSTILE);
    change["reason"] = json!({ "code": "unknown_ancestry", "why": HOSTILE });
    change["before"] = change["after"].clone();
    change["before"]["revision"] = json!(HOSTILE);
    change["action"] = json!("move");
}

#[track_caller]
fn shown(folder: &Folder, arguments: &str) -> String {
    let shown = folder.run(arguments).done().expect_code(0).stdout();
    let acts = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200f}\u{2028}".contains(c);
    assert_eq!(shown.chars().filter(|c| acts(*c)).collect::<String>(), "", "{shown:?}");
    assert!(!shown.lines().any(|line| line.starts_with("Forged: line")), "{shown}");
    shown
}

#[test]
fn nothing_in_a_plan_or_a_record_acts_on_a_terminal() {
    let folder = folder();
    let mut plan = read(&folder, "plan.json");
    spoil(&mut plan);
    write(&folder, "plan.json", &plan);
    assert!(shown(&folder, "show plan.json").contains("by hand: \\u{1b}[2Jx\\u{a}Forged: line"));
    plan["repositories"] = json!([]);
    write(&folder, "plan.json", &plan);
    assert!(shown(&folder, "show plan.json").contains("images.\\u{1b}"));

    let mut record = read(&folder, "record.json");
    spoil(&mut record["plan"]);
    record["outcome"]["changes"][0]["repository"] = json!(HOSTILE);
    record["outcome"]["changes"][0]["detail"] = json!(HOSTILE);
    record["outcome"]["repositories"][0]["repository"] = json!(HOSTILE);
    record["outcome"]["repositories"][0]["reference"] = json!(HOSTILE);
    write(&folder, "record.json", &record);
    assert!(shown(&folder, "show record.json").contains("Deploy by digest"));
    for format in ["digests", "env"] {
        assert_eq!(shown(&folder, &format!("show record.json --format {format}")).lines().count(), 1);
    }
    record["success"] = json!(false);
    record["problems"] = json!([{ "code": HOSTILE, "message": HOSTILE }]);
    record["outcome"]["changes"][0]["result"] = json!("kept");
    write(&folder, "record.json", &record);
    assert!(shown(&folder, "show record.json").contains("\\u{1b}[2Jx\n  Forged: line"));
}

#[test]
fn numbers_that_no_image_has_are_no_panic() {
    let folder = folder();
    let mut plan = read(&folder, "plan.json");
    let mut repository = plan["repositories"][0].clone();
    repository["content"]["sending"]["bytes"] = json!(u64::MAX);
    repository["content"]["sending"]["bytes_to_send"] = json!(u64::MAX);
    plan["repositories"] = json!([repository, repository]);
    write(&folder, "plan.json", &plan);
    assert!(shown(&folder, "show plan.json").contains("16384.0 PiB"));

    let mut record = read(&folder, "record.json");
    let mut repository = record["outcome"]["repositories"][0].clone();
    for count in ["bytes_pushed", "blobs_pushed", "blobs_mounted", "blobs_present", "manifests_put"] {
        repository[count] = json!(u64::MAX);
    }
    record["outcome"]["repositories"] = json!([repository, repository]);
    write(&folder, "record.json", &record);
    assert!(shown(&folder, "show record.json").contains("16384.0 PiB"));
}
