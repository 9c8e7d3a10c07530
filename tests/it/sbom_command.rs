//! `sbom` and `list --signatures`: what declared signers attested, verified again.

use serde_json::Value;
use testkit::command::Folder;
use testkit::signatures::{OTHER_KEY, SIGNING_KEY};
use testkit::world::image;

const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";
const SBOM: &str = r#"{"spdxVersion":"SPDX-2.3","name":"app","documentNamespace":"https://x.test/1"}"#;

fn published(image_keys: &str) -> Folder {
    let text = format!(
        "version = 1\n\n[registries.one]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\n[signing.release]\nkey = {{ env = \"KEY\" }}\n\n[images.app]\nsource = \"oci:image\"\n{image_keys}\n"
    );
    let folder = Folder::with(&[("publish.toml", &text), ("sbom.json", SBOM)]);
    folder.image("image", &image("1.2.3"));
    folder.run(APPLY).env("KEY", SIGNING_KEY).done().expect_code(0);
    folder
}

#[test]
fn the_attested_sbom_is_printed() {
    let folder = published("sign = [\"release\"]\nattest = { sbom = \"sbom.json\" }");
    for address in ["images.app:v1.2.3", "images.app@one:v1.2.3"] {
        let run = folder.run(&format!("sbom {address}")).env("KEY", SIGNING_KEY).done().expect_code(0);
        let printed: Value = serde_json::from_str(&run.stdout()).expect("JSON");
        assert_eq!(printed, serde_json::from_str::<Value>(SBOM).expect("JSON"));
    }
    for (address, key, words) in [
        ("images.app:v1.2.3", OTHER_KEY, "has 1 SBOMs, and none that its signers attested"),
        ("images.app:v9", SIGNING_KEY, "app:v9 does not exist"),
        ("images.other:v1.2.3", SIGNING_KEY, "names no repository"),
        ("images.app", SIGNING_KEY, "is not the address of a tag"),
    ] {
        let run = folder.run(&format!("sbom {address}")).wide().env("KEY", key).done().expect_code(1);
        assert!(run.stderr().contains(words) && run.stdout().is_empty(), "{address}: {}", run.shown());
    }
    let unsigned = published("");
    let run = unsigned.run("sbom images.app:v1.2.3").wide().done().expect_code(1);
    assert!(run.stderr().contains("nothing says who signs"), "{}", run.shown());
}

#[test]
fn a_list_verifies_signatures_and_attestations() {
    let folder = published("sign = [\"release\"]\nattest = { sbom = \"sbom.json\" }");
    let list = |key: &str, more: &str| {
        folder.run(&format!("list --signatures{more}")).wide().env("KEY", key).done().expect_code(0)
    };
    let signed = list(SIGNING_KEY, "");
    for words in ["signed by release", "attested by release: https://spdx.dev/Document"] {
        assert!(signed.stdout().contains(words), "{}", signed.shown());
    }
    let other = list(OTHER_KEY, "");
    for words in ["not signed by release", "2 of others"] {
        assert!(other.stdout().contains(words), "{}", other.shown());
    }
    let json = list(SIGNING_KEY, " --json").json();
    let image = &json["repositories"][0]["images"][0];
    assert_eq!(image["statements"].as_array().map(Vec::len), Some(2), "{json:#}");
    assert_eq!(image["statements"][0]["signer"], "release");
    assert_eq!(image["unsigned_by"], Value::Null);
    // A signature is one, and an attestation is another referrer.
    let plain = folder.run("list").wide().done().expect_code(0);
    assert!(plain.stdout().contains("1 signature, 1 other referrer"), "{}", plain.shown());
}
