//! The record of an apply, and the references to deploy by, against a directory registry.

use brokkr_publish::model::record::Record;
use testkit::command::Folder;

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

#[test]
fn the_same_command_again_keeps_the_way_back() {
    let folder = folder();
    folder.run("apply --ref refs/tags/v1.2.3 --auto-approve").done().expect_code(0);
    let first = folder.read("registry/my-app/index.json");
    let again = "apply --ref refs/tags/v1.2.4 --set images.my-app.annotations.a=b --set images.tool.annotations.a=b \
                 --auto-approve --record record.json";
    folder.run(&format!("{again} --target images.my-app@bundle")).done().expect_code(0);
    folder.run(again).done().expect_code(0);
    folder.run(again).done().expect_code(0);
    let record: serde_json::Value = serde_json::from_str(&folder.read("record.json")).expect("JSON");
    let results: Vec<(&str, &str)> = record["outcome"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["tag"].as_str().unwrap(), it["result"].as_str().unwrap()))
        .collect();
    assert_eq!(results, [("v1.2.4", "created"), ("latest", "moved")].repeat(3));
    folder.run("rollback record.json --auto-approve").done().expect_code(0);
    let digest = |index: &str| {
        let index: serde_json::Value = serde_json::from_str(index).expect("JSON");
        let named =
            |it: &&serde_json::Value| it["annotations"]["org.opencontainers.image.ref.name"] == "latest";
        index["manifests"].as_array().unwrap().iter().find(named).unwrap()["digest"].clone()
    };
    assert_eq!(digest(&folder.read("registry/my-app/index.json")), digest(&first));

    // A record of something else is written over.
    folder.run("apply --ref refs/tags/v1.2.3 --auto-approve --record record.json").done().expect_code(0);
    let record: Record = serde_json::from_str(&folder.read("record.json")).expect("a record");
    assert!(record.outcome.changes.iter().all(|it| it.tag.as_str() != "v1.2.4"), "{record:?}");
}

#[test]
fn where_nothing_can_be_saved_nothing_is_sent() {
    let folder = folder();
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let plan = folder.read("plan.json");
    folder.write("folder/notes.txt", "mine").write("empty", "");
    for (options, expected) in [
        ("--record plan.json", "`plan.json` is not a saved record: missing field `success`"),
        ("--record publish.toml", "`publish.toml` is not a saved record"),
        ("--record folder", "the record cannot be written to `folder`: it is a directory"),
        ("--record missing/record.json", "the record cannot be written to `missing/record.json`"),
        ("--record new/", "the record cannot be written to `new/`: it does not name a file"),
        ("--record /dev/null", "the record cannot be written to `/dev/null`: it is not a regular file"),
        ("--out folder", "the plan cannot be written to `folder`: it is a directory"),
        ("--out missing/plan.json", "the plan cannot be written to `missing/plan.json`"),
        ("--out a.json --record folder/../a.json", "`--out` and `--record` both name `folder/../a.json`"),
    ] {
        let refused =
            folder.run(&format!("apply --ref refs/tags/v1.2.3 --auto-approve {options}")).wide().done();
        let told = refused.expect_code(1).stderr();
        assert!(told.contains(expected), "{options}: {told}");
        for command in ["rollback record.json", "prune --ref refs/heads/main"] {
            let told = folder.run(&format!("{command} {options}")).wide().done().expect_code(1).stderr();
            assert!(told.contains(expected), "{command} {options}: {told}");
        }
    }
    assert!(!folder.path.join("registry").exists(), "something was sent");
    assert_eq!(folder.read("plan.json"), plan);
    let mut left: Vec<String> = std::fs::read_dir(&folder.path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["empty", "folder", "image.tar", "plan.json", "publish.toml"]);
    folder.run("apply --ref refs/tags/v1.2.3 --auto-approve --record empty").done().expect_code(0);
    assert!(folder.read("empty").contains("\"outcome\""));
}

#[test]
fn variables_have_names_of_their_own_that_shells_take() {
    let configuration = |one: &str, other: &str| {
        let images = CONFIG.find("[images.my-app]").unwrap();
        let image = |name: &str| format!("[images.\"{name}\"]\nsource = \"oci-archive:image.tar\"\n");
        format!("{}{}{}", &CONFIG[..images], image(one), image(other))
    };
    let folder = folder();
    let recorded = |one: &str, other: &str| {
        folder.write("publish.toml", configuration(one, other));
        folder.run("apply --ref refs/tags/v1.2.3 --auto-approve --record record.json").done().expect_code(0);
        folder.run("show record.json --format env").wide().done()
    };
    let refused = recorded("a-b", "a.b").expect_code(1);
    insta::assert_snapshot!(refused.stderr(), @r"
    error: publish::command::usage (brokkr-publish explain command::usage)

      × two references would both be named `A_B_BUNDLE`: that of image `a-b` in registry `bundle` and that of image `a.b` in registry `bundle`
      help: `--format json` gives them by name and registry
    ");
    let shown = recorded("3scale", "scale").expect_code(0).stdout();
    let names: Vec<&str> = shown.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert_eq!(names, ["_3SCALE_BUNDLE", "_3SCALE_MIRROR", "SCALE_BUNDLE", "SCALE_MIRROR"]);
}
