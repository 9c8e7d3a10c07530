//! A plan or a record that somebody else wrote is only text: what it holds does nothing to a terminal, forges no line,
//! and ends no process.

use serde_json::{Value, json};
use testkit::command::Folder;

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

/// Writes a document with its checksum: a forger can compute it too.
fn write(folder: &Folder, name: &str, document: &Value) {
    let mut document = document.clone();
    brokkr_publish::saved::seal(&mut document);
    folder.write(name, document.to_string());
}

/// Makes the texts of a plan hostile that only people read. The texts that the reader checks stay.
fn spoil(plan: &mut Value) {
    for name in ["generator", "folder", "title"] {
        plan[name] = json!(HOSTILE);
    }
    plan["config"]["path"] = json!(HOSTILE);
    plan["config"]["profile"] = json!(HOSTILE);
    plan["silent"] = json!([{ "resource": format!("images.{HOSTILE}"), "rules": { HOSTILE: HOSTILE } }]);
    let repository = &mut plan["repositories"][0];
    repository["resource"] = json!(format!("images.{HOSTILE}"));
    for name in ["registry", "name"] {
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

/// Every value in a document, by its path.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| paths(value, &format!("{at}/{}", name.replace('/', "~1")), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(position, value)| paths(value, &format!("{at}/{position}"), found));
        }
        _ => {}
    }
}

#[test]
fn what_is_wrong_with_a_document_is_told_in_plain_words() {
    use brokkr_publish::model::record::Record;
    let folder = folder();
    let record = read(&folder, "record.json");
    let mut found = Vec::new();
    paths(&record, "", &mut found);
    assert!(found.len() > 50, "{found:?}");
    for path in found {
        for wrong in
            [json!(7), json!("?"), json!([]), json!({}), json!(null), json!(true), json!({ "?": "?" })]
        {
            let mut document = record.clone();
            *document.pointer_mut(&path).expect("a value") = wrong.clone();
            brokkr_publish::saved::seal(&mut document);
            let parsed =
                brokkr_publish::saved::parse::<Record>("x".as_ref(), document.to_string().as_bytes());
            let Err(error) = parsed else { continue };
            let told = error.to_string();
            for word in ["struct", "enum", "variant of", "newtype", "unit", "element"] {
                assert!(!told.contains(word), "{path} = {wrong}: {told}");
            }
        }
    }
    let mut plan = read(&folder, "plan.json");
    plan["repositories"][0]["content"]["source"]["source"] = json!("ftp:x");
    write(&folder, "plan.json", &plan);
    let told = folder.run("show plan.json").wide().done().expect_code(1).stderr();
    assert!(told.contains("expected a source: a transport such as `oci:DIR[:REF]`"), "{told}");
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_not_read() {
    let folder = folder();
    for arguments in ["apply /dev/zero", "show /dev/zero", "rollback /dev/zero"] {
        let told = folder.run(arguments).wide().done().expect_code(1).stderr();
        assert!(told.contains("`/dev/zero` cannot be read: it is neither a file nor a pipe"), "{told}");
    }
    let told = folder.run("show .").wide().done().expect_code(1).stderr();
    assert!(told.contains("it is a directory"), "{told}");
    let endless = std::process::Command::new("cat")
        .arg("/dev/zero")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("cat");
    let mut run = folder.run("show /dev/stdin").wide();
    let mut endless = endless;
    run.command.stdin(endless.stdout.take().expect("a pipe"));
    let told = run.done().expect_code(1).stderr();
    let _status = endless.wait();
    assert!(told.contains("it has more than 268435456 bytes"), "{told}");
    let mut run = folder.run("show /dev/stdin");
    run.command.stdin(std::fs::File::open(folder.path.join("record.json")).unwrap());
    assert!(run.done().expect_code(0).stdout().contains("record"));
}
