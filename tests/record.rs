//! The record of an apply, and the references to deploy by, against a directory registry.
#![allow(clippy::expect_used, clippy::unwrap_used)] // this is a test

#[path = "support/command.rs"]
mod command;

use brokkr_publish::model::record::Record;
use command::Folder;

const CONFIG: &str = r#"
version = 1
[registries.bundle]
url = "oci:registry"
[registries.mirror]
url = "oci:mirror"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
[images.my-app]
source = "oci-archive:image.tar"
[images.tool]
source = "oci-archive:image.tar"
registries = ["bundle"]
"#;

fn folder() -> Folder {
    let folder = Folder::with(&[("publish.toml", CONFIG)]);
    let image = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/image.tar"));
    folder.write("image.tar", image.expect("the quickstart's image"));
    folder
}

#[test]
fn a_record_says_what_was_done_and_what_to_deploy_by() {
    let folder = folder();
    folder.run("apply --ref refs/tags/v1.2.3 --auto-approve --record record.json").done().expect_code(0);
    let record: serde_json::Value = serde_json::from_str(&folder.read("record.json")).expect("JSON");
    let schema = brokkr_publish::saved::json_schema::<Record>();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&record).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(record["success"], true);
    let results: Vec<&str> = record["outcome"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["created"; 6]);
    let digest = record["outcome"]["repositories"][0]["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:"), "{digest}");

    let show = |arguments: &str| {
        let done = folder.run(&format!("show record.json {arguments}")).done().expect_code(0);
        done.stdout().replace(digest, "DIGEST")
    };
    insta::assert_snapshot!(show("--format digests"), @r"
    oci:registry/my-app@DIGEST
    oci:mirror/my-app@DIGEST
    oci:registry/tool@DIGEST
    ");
    insta::assert_snapshot!(show("--format env"), @r"
    MY_APP_BUNDLE=oci:registry/my-app@DIGEST
    MY_APP_MIRROR=oci:mirror/my-app@DIGEST
    TOOL=oci:registry/tool@DIGEST
    ");
    insta::assert_snapshot!(show("--format json"), @r#"
    {
      "my-app": {
        "bundle": "oci:registry/my-app@DIGEST",
        "mirror": "oci:mirror/my-app@DIGEST"
      },
      "tool": {
        "bundle": "oci:registry/tool@DIGEST"
      }
    }
    "#);
    insta::assert_snapshot!(show("--format kubernetes-images"), @r#"
    images:
    - name: "oci:registry/my-app"
      newName: "oci:registry/my-app"
      digest: "DIGEST"
    - name: "oci:mirror/my-app"
      newName: "oci:mirror/my-app"
      digest: "DIGEST"
    - name: "oci:registry/tool"
      newName: "oci:registry/tool"
      digest: "DIGEST"
    "#);
    assert!(show("").contains("+ oci:mirror/my-app:latest created"), "{}", show(""));
    let again: Record = serde_json::from_str(&show("--json").replace("DIGEST", digest)).expect("a record");
    let again: serde_json::Value =
        serde_json::from_str(&brokkr_publish::saved::to_json(&again)).expect("JSON");
    assert_eq!(again, record);
}

#[test]
fn a_failed_apply_leaves_a_record_too() {
    let folder = folder();
    folder.run("apply --ref refs/tags/v1.2.3 --auto-approve").done().expect_code(0);
    folder
        .run("plan --ref refs/tags/v1.2.4 --out plan.json --set images.tool.annotations.a=b")
        .done()
        .expect_code(0);
    // Somebody publishes 1.2.4 in between, with another digest.
    folder.run("apply --ref refs/tags/v1.2.4 --auto-approve").done().expect_code(0);
    folder.run("apply plan.json --record record.json").done().expect_code(1);
    let record: Record = serde_json::from_str(&folder.read("record.json")).expect("a record");
    assert!(!record.success);
    assert_eq!(record.problems[0].code, "publish::plan::stale");
    let shown = folder.run("show record.json").done().expect_code(0).stdout();
    assert!(shown.contains("stale"), "{shown}");
}

#[test]
fn a_plan_has_no_references() {
    let folder = folder();
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let refused = folder.run("show plan.json --format env").done().expect_code(1);
    assert!(refused.stderr().contains("only a record has references"), "{}", refused.stderr());
}
