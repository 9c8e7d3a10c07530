//! The evidence of gates beyond signatures: reports about vulnerabilities, conditions, and the record that a promotion leaves.

use oci_signing::{Bundle, PublicKey};
use serde_json::{Value, json};
use testkit::command::{EndedRun, Folder};
use testkit::signatures::{OTHER_KEY, PUBLIC_KEY, SIGNING_KEY};
use testkit::test_registry::{TestRegistry, TestRegistryOptions};
use testkit::world::image;

const RULE: &str = "[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n";
const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";
const COSIGN_VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";
const PROMOTION: &str = "https://github.com/colliery-io/brokkr-publish/promotion/v1";

async fn registry() -> TestRegistry {
    TestRegistry::start(TestRegistryOptions { referrers: true, ..TestRegistryOptions::default() }).await
}

struct Promotion {
    folder: Folder,
    staging: TestRegistry,
    prod: TestRegistry,
}

impl Promotion {
    /// Publishes an image to staging, signed with the attestations `predicates`: each a type and a document.
    async fn new(predicates: &[(&str, Value)]) -> Self {
        let (staging, prod) = (registry().await, registry().await);
        let folder = Folder::with(&[("staging.pub", PUBLIC_KEY)]);
        folder.image("image", &image("1.2.3").created("2026-11-20T10:00:00Z"));
        let files: Vec<String> = predicates
            .iter()
            .enumerate()
            .map(|(index, (kind, document))| {
                folder.write(&format!("predicate-{index}.json"), document.to_string());
                format!("{{ file = \"predicate-{index}.json\", type = \"{kind}\" }}")
            })
            .collect();
        let attest = if files.is_empty() {
            String::new()
        } else {
            format!("attest = {{ predicates = [{}] }}\n", files.join(", "))
        };
        let text = format!(
            "version = 1\n\n[registries.staging]\nurl = \"{}\"\n\n{RULE}[signing.tests]\nkey = {{ env = \"KEY\" }}\n\n[images.app]\nsource = \"oci:image\"\nsign = [\"tests\"]\n{attest}",
            staging.host()
        );
        folder.write("publish.toml", text);
        folder.run(APPLY).env("KEY", SIGNING_KEY).done().expect_code(0);
        Self { folder, staging, prod }
    }

    fn configure(&self, require: &str, image: &str) {
        let text = format!(
            "version = 1\n\n[registries.prod]\nurl = \"{}\"\n\n{RULE}[verify]\nsignatures = true\n\n[signing.prod]\nkey = {{ env = \"PROD\" }}\n\n[gates.tested]\nrequire = {{ {require} }}\n\n[images.app]\nsource = \"docker://{}/app:v1.2.3\"\ngates = [\"tested\"]\n{image}",
            self.prod.host(),
            self.staging.host()
        );
        self.folder.write("publish.toml", text);
    }

    fn run(&self, arguments: &str) -> EndedRun {
        self.folder.run(arguments).wide().env("PROD", OTHER_KEY).done()
    }

    fn judge(&self, require: &str, words: &[&str]) {
        self.configure(require, "");
        let run =
            self.run("plan --ref refs/tags/v1.2.3 --out plan.json").expect_code(i32::from(!words.is_empty()));
        let errors = run.stderr().matches("publish::gate::closed (").count();
        assert_eq!(errors, words.len(), "{require}\n{}", run.shown());
        assert_eq!(run.stdout().contains("= gate tested"), words.is_empty(), "{}", run.shown());
        for word in words {
            assert!(run.stderr().contains(word), "{require}: {word}\n{}", run.shown());
        }
    }
}

fn report(severities: &[(&str, &str)]) -> Value {
    let found: Vec<Value> = severities
        .iter()
        .map(|(name, severity)| json!({ "VulnerabilityID": name, "Severity": severity }))
        .collect();
    json!({
        "scanner": { "uri": "pkg:trivy", "result": { "SchemaVersion": 2, "Results": [{ "Vulnerabilities": found }] } },
        "metadata": { "scanFinishedOn": "2026-11-20T10:00:00Z" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn vulnerabilities_are_limited_by_the_signed_report() {
    let scanned = Promotion::new(&[
        (
            COSIGN_VULN,
            report(&[("CVE-1", "CRITICAL"), ("CVE-2", "HIGH"), ("CVE-3", "LOW"), ("CVE-4", "UNKNOWN")]),
        ),
        (
            OPENVEX,
            json!({ "statements": [{ "vulnerability": { "name": "CVE-1" }, "status": "not_affected" }] }),
        ),
    ])
    .await;
    let gate = |limit: &str| format!("signature = {{ key = \"staging.pub\" }}, vulnerabilities = {limit}");
    for (limit, words) in [
        ("\"critical\"", vec![]),
        ("{ critical = 0, high = 1, medium = 1, low = 2 }", vec![]),
        ("\"high\"", vec!["has 1 vulnerability of severity high or worse, more than 0: CVE-2"]),
        (
            "{ low = 1, unknown = 0 }",
            vec![
                "of severity low or worse, more than 1: CVE-2, CVE-3",
                "of severity unknown, more than 0: CVE-4",
            ],
        ),
        ("{ critical = 0, max_age = \"1h\" }", vec!["lacks a report about vulnerabilities of at most 1h"]),
    ] {
        scanned.judge(&gate(limit), &words);
    }
    let other = "signature = { key = \"staging.pub\" }, vulnerabilities = \"critical\"";
    let unscanned = Promotion::new(&[(OPENVEX, json!({ "statements": [] }))]).await;
    unscanned.judge(other, &["lacks a report about vulnerabilities by the key"]);
    let malformed = Promotion::new(&[(COSIGN_VULN, json!({ "scanner": { "result": {} } }))]).await;
    malformed.judge(
        other,
        &["that cannot be read: its result is neither of Trivy nor of Grype", "lacks a report"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_must_hold() {
    let builder = json!({ "runDetails": { "builder": { "id": "https://github.com/acme/hello" } } });
    let promotion = Promotion::new(&[
        ("https://slsa.dev/provenance/v1", builder),
        (COSIGN_VULN, report(&[("CVE-2", "HIGH")])),
    ])
    .await;
    let gate = |when: &str| format!("signature = {{ key = \"staging.pub\" }}, when = \"{when}\"");
    for (when, words) in [
        (
            "predicates['https://slsa.dev/provenance/v1'].exists(p, p.runDetails.builder.id.startsWith('https://github.com/acme/'))",
            vec![],
        ),
        ("signed && image.tag == 'v1.2.3' && image.repository == 'app' && image.age > 3600", vec![]),
        ("vulnerabilities.high == 1 && vulnerabilities.critical == 0", vec![]),
        ("context.event == 'tag' && to.registry == 'prod' && 'v1.2.3' in to.tags", vec![]),
        ("image.age < 60", vec!["does not satisfy `when`: image.age < 60"]),
        ("image.missing", vec!["cannot be judged by `when`: No such key: missing"]),
        ("image.age", vec!["cannot be judged by `when`: it is neither true nor false"]),
    ] {
        promotion.judge(&gate(when), &words);
    }
    // Attestations of somebody else are none.
    promotion.judge("when = \"size(predicates) == 0 && !signed && vulnerabilities == null\"", &[]);
    for (when, words) in [("image.age >", "is not a condition"), ("", "")] {
        promotion.configure(&format!("when = \"{when}\""), "");
        let run = promotion.run("lint").expect_code(1);
        assert!(run.stderr().contains(words), "{}", run.shown());
    }
}

impl Promotion {
    /// The records of promotions in prod about `digest`, each verified with the key of prod.
    fn records(&self, digest: &str) -> Vec<Value> {
        let subject: oci_registry::Digest = digest.parse().expect("a digest");
        let key = oci_signing::SigningKey::from_pem(OTHER_KEY, None).expect("a key").public_key().to_pem();
        let key = PublicKey::from_pem(&key).expect("a key");
        let content = self.prod.content();
        let mut records = Vec::new();
        for manifest in content.manifests.values() {
            let json: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
            if json["annotations"]["dev.sigstore.bundle.predicateType"] != PROMOTION {
                continue;
            }
            let blob = json["layers"][0]["digest"].as_str().expect("a digest").to_owned();
            let bundle = content.blobs.get(&("app".to_owned(), blob)).expect("a blob");
            let statement = Bundle::parse(bundle).and_then(|it| it.verify(&subject, &key));
            records.push(statement.expect("verified").predicate);
        }
        records
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_leaves_one_record() {
    let promotion = Promotion::new(&[(COSIGN_VULN, report(&[]))]).await;
    let require = "signature = { key = \"staging.pub\" }, vulnerabilities = \"high\", min_age = \"1h\", when = \"signed\"";
    promotion.configure(require, "sign = [\"prod\"]\n");
    let plan = promotion.run("plan --ref refs/tags/v1.2.3 --out plan.json").expect_code(0);
    assert!(plan.stdout().contains("+ promotion"), "{}", plan.shown());
    promotion.run("apply plan.json").expect_code(0);
    let digest = {
        let content = promotion.prod.content();
        content.tags.get(&("app".to_owned(), "v1.2.3".to_owned())).expect("a tag").clone()
    };
    let records = promotion.records(&digest);
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record["from"][0]["uri"], format!("{}/app:v1.2.3", promotion.staging.host()));
    assert_eq!(record["from"][0]["digest"]["sha256"], digest.trim_start_matches("sha256:"));
    assert_eq!(record["to"]["uri"], format!("{}/app", promotion.prod.host()));
    assert_eq!(record["to"]["tags"], json!(["v1.2.3"]));
    let file = oci_registry::Digest::of(promotion.folder.read("plan.json").as_bytes());
    assert_eq!(record["plan"]["digest"]["sha256"], file.hex());
    assert_eq!(record["gates"][0]["name"], "tested");
    let evidence = record["gates"][0]["evidence"].as_array().expect("a list");
    let kinds: Vec<&str> = evidence.iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds, ["signature", "vulnerabilities", "age", "condition"]);
    let signature = evidence[0]["manifest"].as_str().expect("a digest");
    assert!(promotion.staging.content().manifests.contains_key(&("app".to_owned(), signature.to_owned())));
    // A second run finds it, and the verification needs nothing of staging.
    promotion.prod.forget_log();
    let again = promotion.run(APPLY).expect_code(0);
    assert!(again.stdout().contains("Nothing to do"), "{}", again.shown());
    assert_eq!((promotion.prod.count("PUT", ""), promotion.prod.count("POST", "")), (0, 0));
    assert_eq!(promotion.records(&digest).len(), 1);
    promotion.staging.content().manifests.clear();
    promotion.run("verify").expect_code(0);
    // Somebody removes the record.
    promotion
        .prod
        .content()
        .manifests
        .retain(|_, it| !String::from_utf8_lossy(&it.bytes).contains(PROMOTION));
    let verified = promotion.run("verify").expect_code(2);
    assert!(
        verified.stdout().contains("no record of a promotion through tested, and it lacks a signature by"),
        "{}",
        verified.shown()
    );
}

/// Without a signer in production, the evidence travels with the image.
#[tokio::test(flavor = "multi_thread")]
async fn a_gate_is_verified_by_evidence_that_travelled() {
    let promotion = Promotion::new(&[(COSIGN_VULN, report(&[]))]).await;
    promotion.configure(
        "signature = { key = \"staging.pub\" }, vulnerabilities = \"high\", min_age = \"1h\"",
        "referrers = true\n",
    );
    promotion.run(APPLY).expect_code(0);
    promotion.run("verify").expect_code(0);
    promotion
        .prod
        .content()
        .manifests
        .retain(|_, it| !String::from_utf8_lossy(&it.bytes).contains(COSIGN_VULN));
    let verified = promotion.run("verify").expect_code(2);
    assert!(verified.stdout().contains("lacks a report about vulnerabilities"), "{}", verified.shown());
}

/// A tag that moves to the digest that was published first moves only if that passes too.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_digest_needs_the_evidence_too() {
    let promotion = Promotion::new(&[]).await;
    // The first publish of the version went past the gate.
    promotion.folder.image("other", &image("other"));
    let past = format!(
        "version = 1\n\n[registries.prod]\nurl = \"{}\"\n\n{RULE}[images.app]\nsource = \"oci:other\"\n",
        promotion.prod.host()
    );
    promotion.folder.write("publish.toml", past);
    promotion.run(APPLY).expect_code(0);
    promotion.configure("signature = { key = \"staging.pub\" }", "");
    let text = promotion.folder.read("publish.toml").replace(
        "template = \"v{{ version }}\"\n",
        "template = \"v{{ version }}\"\non_conflict = \"keep\"\n\n[tags.stable]\non = \"tag\"\ntemplate = \"stable\"\nmutability = \"mutable\"\n",
    );
    promotion.folder.write("publish.toml", text);
    let run = promotion.run(APPLY).expect_code(1);
    assert!(run.stderr().contains("which a tag moves to, lacks a signature by the key"), "{}", run.shown());
    assert!(!promotion.prod.content().tags.contains_key(&("app".to_owned(), "stable".to_owned())));
}

#[test]
fn limits_without_a_limit_and_impossible_records_are_mistakes() {
    for (require, image, words) in [
        ("signature = { key = \"a.pub\" }, vulnerabilities = { max_age = \"7d\" }", "", "limits nothing"),
        ("vulnerabilities = \"high\"", "", "requires attestations of nobody"),
        ("min_age = \"1h\"", "attest = { promotion = true }", "has no signer"),
        (
            "signature = { identity = \"https://github.com/acme/a/.github/workflows/a.yml@refs/heads/main\" }",
            "",
            "",
        ),
    ] {
        let text = format!(
            "version = 1\n\n[registries.prod]\nurl = \"oci:prod\"\n\n{RULE}[gates.tested]\nrequire = {{ {require} }}\n\n[images.app]\nsource = \"docker://a.example/b\"\ngates = [\"tested\"]\n{image}\n"
        );
        let folder = Folder::with(&[("publish.toml", &text)]);
        let run = folder.run("lint").wide().done().expect_code(i32::from(!words.is_empty()));
        assert!(run.stderr().contains(words), "{require}: {}", run.shown());
    }
}
