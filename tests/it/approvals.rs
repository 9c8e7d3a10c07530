//! Approvals of saved plans: nothing is sent without them, and an edited plan has none.

use serde_json::Value;
use testkit::command::{EndedRun, Folder};
use testkit::signatures::{OTHER_KEY, PUBLIC_KEY, SIGNING_KEY};
use testkit::world::image;

const CONFIG: &str = "version = 1\n\n[registries.one]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n[apply]\nrequire_approval = { keys = [\"anna.pub\"] }\n\n[images.app]\nsource = \"oci:image\"\n";

fn planned() -> Folder {
    let folder = Folder::with(&[
        ("publish.toml", CONFIG),
        ("anna.pub", PUBLIC_KEY),
        ("anna.key", SIGNING_KEY),
        ("ben.key", OTHER_KEY),
    ]);
    folder.image("image", &image("1.2.3"));
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    folder
}

#[track_caller]
fn refused(run: &EndedRun, folder: &Folder) {
    assert_eq!(run.code(), Some(1), "{}", run.shown());
    assert!(run.stderr().contains("publish::plan::not_approved"), "{}", run.shown());
    assert!(!folder.path.join("registry").exists(), "something was sent");
}

#[test]
fn a_plan_is_applied_once_it_is_approved() {
    let folder = planned();
    refused(&folder.run("apply plan.json").done(), &folder);
    refused(&folder.run("apply --auto-approve --ref refs/tags/v1.2.3").done(), &folder);
    // Somebody else's approval does not count.
    folder.run("approve plan.json --key ben.key").done().expect_code(0);
    refused(&folder.run("apply plan.json").done(), &folder);
    let approved = folder.run("approve plan.json --key anna.key").done().expect_code(0);
    assert!(
        approved.stdout().contains("v1.2.3") && approved.stdout().contains("Approved: sha256:"),
        "{}",
        approved.shown()
    );
    folder.run("apply plan.json").done().expect_code(0);
}

#[test]
fn an_edited_plan_has_no_approval() {
    let folder = planned();
    folder.run("approve plan.json --key-env ANNA").env("ANNA", SIGNING_KEY).done().expect_code(0);
    let text = folder.read("plan.json");
    // The requirement itself is removed, and the checksum is that of the edited plan.
    let mut plan: Value = serde_json::from_str(&text).expect("JSON");
    plan.as_object_mut().expect("an object").remove("approval");
    brokkr_publish::saved::seal(&mut plan);
    folder.write("plan.json", format!("{plan:#}\n"));
    refused(&folder.run("apply plan.json").done(), &folder);
    folder.write("plan.json", text);
    folder.run("apply plan.json").done().expect_code(0);
}

#[test]
fn each_approver_counts_once() {
    let folder = planned();
    let two =
        CONFIG.replace("{ keys = [\"anna.pub\"] }", "{ keys = [\"anna.pub\", \"ben.pub\"], count = 2 }");
    folder.write("publish.toml", two);
    let ben = oci_signing::SigningKey::from_pem(OTHER_KEY, None).expect("a key").public_key().to_pem();
    folder.write("ben.pub", ben);
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    folder.run("approve plan.json --key anna.key").done().expect_code(0);
    folder.run("approve plan.json --key anna.key --out plan.json.approval-again.json").done().expect_code(0);
    let run = folder.run("apply plan.json").wide().done();
    refused(&run, &folder);
    assert!(run.stderr().contains("1 of 2 required approvals"), "{}", run.shown());
    folder.run("approve plan.json --key ben.key").done().expect_code(0);
    folder.run("apply plan.json").done().expect_code(0);
}

#[test]
fn more_approvals_than_keys_are_a_mistake() {
    let folder = Folder::with(&[(
        "publish.toml",
        &CONFIG.replace("{ keys = [\"anna.pub\"] }", "{ keys = [\"anna.pub\"], count = 2 }"),
    )]);
    let run = folder.run("lint").wide().done().expect_code(1);
    assert!(run.stderr().contains("wants 2 approvals"), "{}", run.shown());
}
