//! Gates: an image is promoted only with its evidence, and each missing piece is named.

use testkit::command::{EndedRun, Folder};
use testkit::signatures::{OTHER_KEY, PUBLIC_KEY, SIGNING_KEY};
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::image;

const RULE: &str = "[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n";
const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";

struct Promotion {
    folder: Folder,
    staging: TestRegistry,
}

impl Promotion {
    /// Publishes an image to staging, signed with `key` if there is one, with `attest` in its table.
    async fn new(key: Option<&str>, attest: &str) -> Self {
        let staging =
            TestRegistry::start(TestRegistryOptions { referrers: true, ..TestRegistryOptions::default() })
                .await;
        let folder =
            Folder::with(&[("staging.pub", PUBLIC_KEY), ("sbom.json", r#"{"bomFormat":"CycloneDX"}"#)]);
        folder.image("image", &image("1.2.3").created("2026-11-20T10:00:00Z"));
        let signed = if key.is_some() { format!("sign = [\"tests\"]\n{attest}\n") } else { String::new() };
        let text = format!(
            "version = 1\n\n[registries.staging]\nurl = \"{}\"\n\n{RULE}[signing.tests]\nkey = {{ env = \"KEY\" }}\n\n[images.app]\nsource = \"oci:image\"\n{signed}",
            staging.host()
        );
        folder.write("publish.toml", text);
        folder.run(APPLY).env("KEY", key.unwrap_or_default()).done().expect_code(0);
        Self { folder, staging }
    }

    fn configure(&self, require: &str) {
        let text = format!(
            "version = 1\n\n[registries.prod]\nurl = \"oci:prod\"\n\n{RULE}[gates.tested]\nrequire = {{ {require} }}\n\n[images.app]\nsource = \"docker://{}/app:v1.2.3\"\ngates = [\"tested\"]\n",
            self.staging.host()
        );
        self.folder.write("publish.toml", text);
    }

    fn promote(&self, require: &str) -> EndedRun {
        self.configure(require);
        self.folder.run(APPLY).wide().done()
    }

    fn is_promoted(&self) -> bool {
        self.folder.path.join("prod").exists()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_its_evidence_is_promoted() {
    let promotion =
        Promotion::new(Some(SIGNING_KEY), "attest = { provenance = true, sbom = \"sbom.json\" }").await;
    let require = "signature = { key = \"staging.pub\" }, predicate = [\"https://slsa.dev/provenance/v1\"], sbom = true";
    let run = promotion.promote(require).expect_code(0);
    assert!(promotion.is_promoted(), "{}", run.shown());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_piece_is_named_and_nothing_is_sent() {
    let unsigned = Promotion::new(None, "").await;
    let other = Promotion::new(Some(OTHER_KEY), "attest = { provenance = true, sbom = \"sbom.json\" }").await;
    let alone = Promotion::new(Some(SIGNING_KEY), "").await;
    let all = "signature = { key = \"staging.pub\" }, predicate = [\"https://slsa.dev/provenance/v1\"], sbom = true";
    let (signature, provenance, sbom) = (
        "lacks a signature by the key",
        "lacks an attestation of the type https://slsa.dev/provenance/v1",
        "lacks an SBOM by the key",
    );
    for (promotion, require, words) in [
        (&unsigned, all, vec![signature, provenance, sbom]),
        (&other, all, vec![signature, provenance, sbom]),
        (&alone, all, vec![provenance, sbom]),
        (
            &alone,
            "signature = { key = \"staging.pub\" }, min_age = \"5200w\"",
            vec!["an age of at least 5200w"],
        ),
        (&alone, "max_age = \"1h\"", vec!["an age of at most 1h"]),
    ] {
        let run = promotion.promote(require).expect_code(1);
        // Errors of one kind are shown as one, with the messages of the others.
        let errors = run.stderr().matches("images.app: gate `tested`").count();
        assert_eq!(errors, words.len(), "{require}\n{}", run.shown());
        for words in words {
            assert!(run.stderr().contains(words), "{require}: {words}\n{}", run.shown());
        }
        assert!(run.stdout().contains("Blocked: a gate is closed"), "{}", run.shown());
        assert!(!promotion.is_promoted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_is_asked_again_before_a_saved_plan_is_applied() {
    let promotion = Promotion::new(Some(SIGNING_KEY), "").await;
    promotion.configure("signature = { key = \"staging.pub\" }");
    let folder = &promotion.folder;
    folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    // The registry does not answer: the gate is closed.
    promotion.staging.on("GET", "/referrers/", 1000, Fault::Answer(403, Vec::new(), Vec::new()));
    let run = folder.run("apply plan.json").wide().done().expect_code(1);
    assert!(run.stderr().contains("gate `tested`"), "{}", run.shown());
    promotion.staging.forget_script();
    let signatures: Vec<_> = {
        let content = promotion.staging.content();
        let is_signature =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("dev.sigstore.bundle.content");
        content
            .manifests
            .iter()
            .filter(|(_, it)| is_signature(&it.bytes))
            .map(|(key, _)| key.clone())
            .collect()
    };
    let removed = {
        let mut content = promotion.staging.content();
        signatures
            .iter()
            .map(|key| (key.clone(), content.manifests.remove(key).expect("a signature")))
            .collect::<Vec<_>>()
    };
    let run = folder.run("apply plan.json").wide().done().expect_code(1);
    assert!(run.stderr().contains("lacks a signature by the key"), "{}", run.shown());
    assert!(!promotion.is_promoted());
    promotion.staging.content().manifests.extend(removed);
    folder.run("apply plan.json").done().expect_code(0);
    assert!(promotion.is_promoted());
}

#[test]
fn gates_that_require_nothing_or_of_nobody_are_mistakes() {
    for (gate, source, words) in [
        ("{ sbom = true, min_age = \"1h\" }", "docker://a.example/b", "requires attestations of nobody"),
        ("{}", "docker://a.example/b", "requires nothing"),
        ("{ signature = { identity = \"a\" } }", "docker://a.example/b", "is not clear"),
        ("{ min_age = \"1x\" }", "docker://a.example/b", "has no unit"),
        ("{ min_age = \"1h\" }", "oci:image", "is not an image in a registry"),
    ] {
        let text = format!(
            "version = 1\n\n[registries.prod]\nurl = \"oci:prod\"\n\n{RULE}[gates.tested]\nrequire = {gate}\n\n[images.app]\nsource = \"{source}\"\ngates = [\"tested\"]\n"
        );
        let folder = Folder::with(&[("publish.toml", &text)]);
        let run = folder.run("lint").wide().done().expect_code(1);
        assert!(run.stderr().contains(words), "{gate}: {}", run.shown());
    }
}
