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

/// The plan of a bundle is approved with everything that it carries, and applied on a machine that has nothing else.
#[test]
fn a_bundle_is_approved_as_a_whole() {
    let folder = planned();
    folder.run("plan --ref refs/tags/v1.2.3 --bundle release.tar").done().expect_code(0);
    let other = Folder::with(&[("anna.key", SIGNING_KEY), ("ben.key", OTHER_KEY)]);
    let bundle = std::fs::read(folder.path.join("release.tar")).expect("a bundle");
    other.write("approved.tar", &bundle);
    refused(&other.run("apply approved.tar").done(), &other);
    other.run("approve approved.tar --key ben.key").done().expect_code(0);
    refused(&other.run("apply approved.tar").done(), &other);
    let approved = other.run("approve approved.tar --key anna.key").wide().done().expect_code(0);
    let digest = oci_registry::Digest::of(&bundle);
    assert!(
        approved.stdout().contains(&format!("Approved: {digest}, in approved.tar.approval-")),
        "{}",
        approved.shown()
    );
    // Somebody adds a byte that changes nothing of the plan.
    let mut longer = bundle.clone();
    longer.extend([0; 512]);
    other.write("approved.tar", &longer);
    refused(&other.run("apply approved.tar").done(), &other);
    other.write("approved.tar", &bundle);
    other.run("apply approved.tar").done().expect_code(0);
    assert!(other.path.join("registry").exists());
}

/// Somebody removes the requirement from a plan, and lets it start at a folder without a `publish.toml`.
#[test]
fn a_plan_that_starts_elsewhere_needs_the_approvals_of_the_apply() {
    let folder = planned();
    let mut plan: Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
    std::fs::create_dir(folder.path.join("elsewhere")).expect("a folder");
    let members = plan.as_object_mut().expect("an object");
    members.remove("approval");
    members.insert("folder".to_owned(), "elsewhere".into());
    brokkr_publish::saved::seal(&mut plan);
    folder.write("plan.json", format!("{plan:#}\n"));
    refused(&folder.run("apply plan.json").done(), &folder);
}

/// A program that only knows version 1 would ignore what guards the plan.
#[test]
fn a_plan_with_approvals_gates_or_signers_has_another_major_version() {
    let folder = planned();
    let version = |folder: &Folder| {
        let plan: Value = serde_json::from_str(&folder.read("plan.json")).expect("JSON");
        plan["format_version"].clone()
    };
    assert_eq!(version(&folder), "2.0");
    folder
        .write("publish.toml", CONFIG.replace("[apply]\nrequire_approval = { keys = [\"anna.pub\"] }\n", ""));
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    assert_eq!(version(&folder), "1.0");
    let signed = "[signing.release]\nkey = { file = \"anna.key\" }\n\n[images.app]\nsign = [\"release\"]\n";
    let text = folder.read("publish.toml").replace("[images.app]\n", signed);
    folder.write("publish.toml", text);
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    assert_eq!(version(&folder), "2.0");
}

#[test]
fn approvers_need_an_issuer_and_a_name() {
    for (written, words) in [
        ("{ identity = \"anna@acme.com\" }", "nothing says who confirms"),
        ("{ count = 1 }", "names nobody"),
        (
            "{ identity = \"https://github.com/acme/a/.github/workflows/approve.yml@refs/heads/main\", count = 2 }",
            "only 1 can be given",
        ),
    ] {
        let text = CONFIG.replace("{ keys = [\"anna.pub\"] }", written);
        let folder = Folder::with(&[("publish.toml", &text)]);
        let run = folder.run("lint").wide().done().expect_code(1);
        assert!(run.stderr().contains(words), "{written}: {}", run.shown());
    }
}
