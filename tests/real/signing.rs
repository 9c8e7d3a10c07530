//! The bundles are judged by verifiers that nobody here wrote: npm's `@sigstore/verify`, and PyPI's `sigstore` for those without a key. They
//! accept each of them, and refuse another key or identity, another image, and every changed bundle.
//!
//! Needs docker-registry, node, and the packages in `target/tools`; fails if one is missing. `scripts/test.sh` installs them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::chart::TestChart;
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::signatures::{OTHER_KEY, PUBLIC_KEY, SIGNING_KEY};
use testkit::world::{image, manifest};

/// Runs the judge on `cases`; returns the reason of each refusal, or an empty text.
fn judge(folder: &Folder, cases: &[Value]) -> Vec<String> {
    judge_by(folder, &json!({ "cases": cases }))
}

/// Runs npm's judge on a task.
fn judge_by(folder: &Folder, task: &Value) -> Vec<String> {
    folder.write("task.json", task.to_string());
    let root = testkit::root();
    let output = Command::new("node")
        .arg(root.join("tests/real/signing/judge.js"))
        .arg(folder.path.join("task.json"))
        .env("NODE_PATH", root.join("target/tools/node/node_modules"))
        .output()
        .expect("node, which this test needs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a list")
}

/// The bundles that skopeo reads at the fallback tag of a digest, each written to a file.
fn bundles(registry: &str, repository: &str, digest: &str, folder: &Folder) -> Vec<String> {
    let tag = digest.replace(':', "-");
    let list = manifest(&format!("docker://{registry}/{repository}:{tag}"));
    let listed = list["manifests"].as_array().expect("a list").clone();
    let read = listed.iter().enumerate().map(|(index, descriptor)| {
        assert_eq!(descriptor["artifactType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
        let at = format!("{registry}/{repository}@{}", descriptor["digest"].as_str().expect("a digest"));
        let carrier = manifest(&format!("docker://{at}"));
        assert_eq!(carrier["subject"]["digest"], digest);
        let blob = carrier["layers"][0]["digest"].as_str().expect("a digest");
        let name = format!("{}-{index}.json", repository.replace('/', "-"));
        let url = format!("http://{registry}/v2/{repository}/blobs/{blob}");
        let output = Command::new("python3")
            .args(["-c", "import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())", &url])
            .output()
            .expect("python3, which this test needs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder.write(&name, output.stdout);
        folder.path.join(name).display().to_string()
    });
    read.collect()
}

fn public_key_of(private: &str, folder: &Folder) -> String {
    folder.write("other.key", private);
    let output = Command::new("openssl")
        .args(["pkey", "-in", "other.key", "-pubout"])
        .current_dir(&folder.path)
        .output()
        .expect("openssl, which this test needs");
    String::from_utf8(output.stdout).expect("text")
}

/// Changes a bundle in each way that leaves it valid JSON.
fn tamperings(bundle: &Value) -> Vec<Value> {
    let edits: [(&str, Value); 12] = [
        ("/mediaType", json!("application/vnd.dev.sigstore.bundle.v9+json")),
        ("/dsseEnvelope/payloadType", json!("text/plain")),
        ("/dsseEnvelope/payload", json!("e30=")),
        ("/dsseEnvelope/payload", json!("")),
        ("/dsseEnvelope/payload", other_subject(bundle)),
        ("/dsseEnvelope/payload", other_predicate(bundle)),
        ("/dsseEnvelope/signatures/0/sig", json!("MEUCIQ==")),
        ("/dsseEnvelope/signatures/0/sig", json!("")),
        ("/dsseEnvelope/signatures", json!([])),
        ("/verificationMaterial/publicKey/hint", json!("")),
        ("/verificationMaterial/publicKey/hint", json!("AAAA")),
        ("/verificationMaterial", json!({})),
    ];
    let changed = edits.into_iter().map(|(pointer, value)| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(pointer).expect("a member") = value;
        changed
    });
    changed.collect()
}

fn edited(bundle: &Value, edit: impl FnOnce(&mut Value)) -> Value {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    let payload =
        BASE64_STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().expect("text")).expect("base64");
    let mut statement: Value = serde_json::from_slice(&payload).expect("JSON");
    edit(&mut statement);
    json!(BASE64_STANDARD.encode(statement.to_string()))
}

fn other_subject(bundle: &Value) -> Value {
    edited(bundle, |statement| statement["subject"][0]["digest"]["sha256"] = json!("0".repeat(64)))
}

fn other_predicate(bundle: &Value) -> Value {
    edited(bundle, |statement| statement["predicateType"] = json!("https://slsa.dev/provenance/v1"))
}

#[test]
fn another_verifier_accepts_the_bundles_and_refuses_changed_ones() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let host = registry.host();
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{host}/acme\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\n[signing.release]\nkey = {{ file = \"signing.key\" }}\n\n[images.app]\nsource = \"oci:image\"\nsign = [\"release\"]\nattest = {{ provenance = true, sbom = \"sbom.json\" }}\n\n[charts.app]\nsource = \"chart\"\nsign = [\"release\"]\n"
    );
    let folder = Folder::with(&[
        ("publish.toml", &text),
        ("signing.key", SIGNING_KEY),
        ("sbom.json", r#"{"spdxVersion":"SPDX-2.3","name":"app"}"#),
    ]);
    let digest = folder.image("image", &image("1.2.3")).digest;
    TestChart::small("app", "0.0.0").write(&folder.path.join("chart"));
    folder.apply("1.2.3").done().expect_code(0);
    let chart = testkit::world::digest(&format!("docker://{host}/acme/charts/app:1.2.3")).expect("a chart");
    let (of_image, of_chart) =
        (bundles(&host, "acme/app", &digest, &folder), bundles(&host, "acme/charts/app", &chart, &folder));
    assert_eq!((of_image.len(), of_chart.len()), (3, 1));
    let case =
        |bundle: &str, key: &str, digest: &str| json!({ "bundle": bundle, "key": key, "digest": digest });
    let mut good: Vec<Value> = of_image.iter().map(|it| case(it, PUBLIC_KEY, &digest)).collect();
    good.push(case(&of_chart[0], PUBLIC_KEY, &chart));
    assert_eq!(judge(&folder, &good), [""; 4]);
    let other = public_key_of(OTHER_KEY, &folder);
    let mut bad = vec![case(&of_image[0], &other, &digest), case(&of_image[0], PUBLIC_KEY, &chart)];
    let bundle: Value =
        serde_json::from_str(&std::fs::read_to_string(&of_image[0]).expect("a bundle")).expect("JSON");
    for (index, changed) in tamperings(&bundle).iter().enumerate() {
        let name = format!("changed-{index}.json");
        folder.write(&name, changed.to_string());
        bad.push(case(&folder.path.join(name).display().to_string(), PUBLIC_KEY, &digest));
    }
    let judged = judge(&folder, &bad);
    let passed: Vec<usize> = (0..judged.len()).filter(|index| judged[*index].is_empty()).collect();
    assert_eq!(passed, [0; 0], "{judged:?}");
    // This program agrees: none of them counts as a signature.
    let subject: oci_registry::Digest = digest.parse().expect("a digest");
    let key = oci_signing::PublicKey::from_pem(PUBLIC_KEY).expect("a key");
    for changed in tamperings(&bundle) {
        let read = oci_signing::Bundle::parse(changed.to_string().as_bytes());
        let hint = changed.pointer("/verificationMaterial/publicKey/hint");
        // The hint is no part of the proof.
        let is_hint = hint.is_some() && hint != bundle.pointer("/verificationMaterial/publicKey/hint");
        assert_eq!(read.and_then(|it| it.verify(&subject, &key)).is_ok(), is_hint, "{changed}");
    }
    assert!(Path::new(&of_image[0]).is_file());
}

/// Runs PyPI's judge on a task.
fn judge_by_python(folder: &Folder, task: &Value) -> Vec<String> {
    folder.write("task.json", task.to_string());
    let root = testkit::root();
    let output = Command::new(root.join("target/tools/bin/python3"))
        .arg(root.join("tests/real/signing/judge.py"))
        .arg(folder.path.join("task.json"))
        .env("HOME", folder.home())
        .output()
        .expect("the Python of target/tools, which this test needs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a list")
}

/// npm's stand-in for Fulcio and Rekor.
struct SigstoreServices {
    process: Child,
    url: String,
    trusted_root: Value,
}

impl SigstoreServices {
    fn start(arguments: &[&str]) -> Self {
        let root = testkit::root();
        let mut process = Command::new("node")
            .arg(root.join("tests/real/signing/services.js"))
            .args(arguments)
            .env("NODE_PATH", root.join("target/tools/node/node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node, which this test needs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("output")).read_line(&mut line).expect("a line");
        let started: Value = serde_json::from_str(&line).expect("JSON");
        let url = started["url"].as_str().expect("an address").to_owned();
        Self { process, url, trusted_root: started["trustedRoot"].clone() }
    }
}

impl Drop for SigstoreServices {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const IDENTITY: &str = "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1.2.3";

/// A token as the stand-in takes it: it does not verify the signature.
fn token(issuer: &str, identity: &str) -> String {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AAAA", part(json!({ "alg": "RS256" })), part(json!({ "iss": issuer, "sub": identity })))
}

/// A folder that publishes a signed image with the identity of a job.
fn keyless(registry: &str, services: &SigstoreServices) -> Folder {
    let text = format!(
        "version = 1\n\n[registries.local]\nurl = \"{registry}/acme\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\n[verify]\nsignatures = true\n\n[signing.job]\nkeyless = {{ issuer = \"{ISSUER}\", identity = \"{IDENTITY}\", token_env = \"TOKEN\", fulcio = \"{0}\", rekor = \"{0}\", trusted_root = \"root.json\" }}\n\n[images.app]\nsource = \"oci:image\"\nsign = [\"job\"]\n",
        services.url
    );
    Folder::with(&[("publish.toml", &text), ("root.json", &services.trusted_root.to_string())])
}

#[test]
fn other_verifiers_accept_bundles_without_a_key_and_refuse_changed_ones() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let (host, services) = (registry.host(), SigstoreServices::start(&[]));
    let folder = keyless(&host, &services);
    let digest = folder.image("image", &image("1.2.3")).digest;
    // Another identity than the declared one signs nothing, and no tag is put.
    for wrong in [token(ISSUER, "https://github.com/evil/hello"), token("https://evil.example", IDENTITY)] {
        let run = folder.apply("1.2.3").env("TOKEN", &wrong).done().expect_code(1);
        assert!(!run.shown().contains(&wrong), "{}", run.shown());
        assert_eq!(testkit::world::digest(&format!("docker://{host}/acme/app:v1.2.3")), None);
    }
    let run = folder.apply("1.2.3").env("TOKEN", token(ISSUER, IDENTITY)).done().expect_code(0);
    assert!(run.shown().contains("1 signature made"), "{}", run.shown());
    // A second run needs no token, and makes nothing.
    let again = folder.apply("1.2.3").done().expect_code(0);
    assert!(again.shown().contains("Nothing to do"), "{}", again.shown());
    folder.run("verify").done().expect_code(0);
    let bundles = bundles(&host, "acme/app", &digest, &folder);
    assert_eq!(bundles.len(), 1);
    let case = |bundle: &str, identity: &str, issuer: &str, digest: &str| json!({ "bundle": bundle, "identity": identity, "issuer": issuer, "digest": digest });
    let task = |cases: Vec<Value>| json!({ "trusted_root": services.trusted_root, "cases": cases });
    let good = task(vec![case(&bundles[0], IDENTITY, ISSUER, &digest)]);
    assert_eq!(judge_by(&folder, &good), [""]);
    assert_eq!(judge_by_python(&folder, &good), [""]);
    let mut bad = vec![
        case(&bundles[0], "https://github.com/evil/hello", ISSUER, &digest),
        case(&bundles[0], IDENTITY, "https://evil.example", &digest),
        case(&bundles[0], IDENTITY, ISSUER, &format!("sha256:{}", "0".repeat(64))),
    ];
    let bundle: Value =
        serde_json::from_str(&std::fs::read_to_string(&bundles[0]).expect("a bundle")).expect("JSON");
    let changes = keyless_tamperings(&bundle);
    for (index, changed) in changes.iter().enumerate() {
        let name = format!("changed-{index}.json");
        folder.write(&name, changed.to_string());
        bad.push(case(&folder.path.join(name).display().to_string(), IDENTITY, ISSUER, &digest));
    }
    let bad = task(bad);
    for judged in [judge_by(&folder, &bad), judge_by_python(&folder, &bad)] {
        let passed: Vec<usize> = (0..judged.len()).filter(|index| judged[*index].is_empty()).collect();
        assert_eq!(passed, [0; 0], "{judged:?}");
    }
    // This program agrees.
    let subject: oci_registry::Digest = digest.parse().expect("a digest");
    let root = oci_signing::TrustedRoot::parse(&services.trusted_root.to_string()).expect("a root");
    let identity = oci_signing::CertificateIdentity {
        identity: IDENTITY.to_owned(),
        issuer: ISSUER.to_owned(),
        allows_timestamps: false,
    };
    let verifies = |json: &Value, root| {
        let read = oci_signing::Bundle::parse(json.to_string().as_bytes());
        read.and_then(|bundle| identity.verify(&bundle, &subject, root)).is_ok()
    };
    assert!(verifies(&bundle, &root));
    for changed in &changes {
        assert!(!verifies(changed, &root), "{changed}");
    }
    assert!(!verifies(&bundle, &oci_signing::TrustedRoot::public_good().expect("a root")));
}

/// A log that keeps entries as they were proposed, as npm's stand-in does, proves as much.
#[test]
fn a_log_may_keep_entries_as_they_were_proposed() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let (host, services) = (registry.host(), SigstoreServices::start(&["--proposed"]));
    let folder = keyless(&host, &services);
    folder.image("image", &image("1.2.3"));
    folder.apply("1.2.3").env("TOKEN", token(ISSUER, IDENTITY)).done().expect_code(0);
    folder.run("verify").done().expect_code(0);
}

/// The identity of a job or a person approves a plan, and another one does not. A star stands for the versions of a workflow.
#[test]
fn a_plan_is_approved_without_a_key() {
    let services = SigstoreServices::start(&[]);
    let approval = |identity: &str| {
        format!(
            "version = 1\n\n[registries.local]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\n[apply]\nrequire_approval = {{ identity = \"{identity}\", count = 1, trusted_root = \"root.json\" }}\n\n[images.app]\nsource = \"oci:image\"\n"
        )
    };
    for (identity, other) in [
        (IDENTITY.to_owned(), "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1.2.4"),
        (
            IDENTITY.replace("v1.2.3", "v*"),
            "https://github.com/evil/hello/.github/workflows/release.yml@refs/tags/v1.2.3",
        ),
    ] {
        let folder = Folder::with(&[
            ("publish.toml", &approval(&identity)),
            ("root.json", &services.trusted_root.to_string()),
        ]);
        folder.image("image", &image("1.2.3"));
        folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
        let approve =
            format!("approve plan.json --keyless --token-env TOKEN --fulcio {0} --rekor {0}", services.url);
        let run = folder.run(&approve).wide().done().expect_code(1);
        assert!(run.stderr().contains("`TOKEN` is not set"), "{}", run.shown());
        for who in [token(ISSUER, other), token("https://evil.example", IDENTITY)] {
            folder.run(&approve).env("TOKEN", who).done().expect_code(0);
            let refused = folder.run("apply plan.json").wide().done().expect_code(1);
            assert!(refused.stderr().contains("0 of 1 required approval"), "{}", refused.shown());
            assert!(!folder.path.join("registry").exists());
        }
        folder.run(&approve).env("TOKEN", token(ISSUER, IDENTITY)).done().expect_code(0);
        folder.run("apply plan.json").done().expect_code(0);
    }
}

/// An authority for timestamps shows the time instead of the log; a signer that wants the log does not accept that.
#[test]
fn a_timestamp_stands_in_for_the_log() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let (host, services) = (registry.host(), SigstoreServices::start(&["--timestamps"]));
    let folder = keyless(&host, &services);
    let text = folder.read("publish.toml");
    let stamped = text.replace(
        &format!("rekor = \"{}\"", services.url),
        &format!("timestamp_authority = \"{}/api/v1/timestamp\"", services.url),
    );
    folder.write("publish.toml", &stamped);
    let digest = folder.image("image", &image("1.2.3")).digest;
    folder.apply("1.2.3").env("TOKEN", token(ISSUER, IDENTITY)).done().expect_code(0);
    folder.run("verify").done().expect_code(0);
    let again = folder.apply("1.2.3").done().expect_code(0);
    assert!(again.shown().contains("Nothing to do"), "{}", again.shown());
    let bundles = bundles(&host, "acme/app", &digest, &folder);
    let bundle: Value =
        serde_json::from_str(&std::fs::read_to_string(&bundles[0]).expect("a bundle")).expect("JSON");
    assert_eq!(bundle.pointer("/verificationMaterial/tlogEntries"), None, "{bundle}");
    let case = |bundle: &str, digest: &str| json!({ "bundle": bundle, "identity": IDENTITY, "issuer": ISSUER, "digest": digest, "timestamps": true });
    let stamp = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";
    let other =
        services.trusted_root["timestampAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"].clone();
    let mut bad = vec![case(&bundles[0], &format!("sha256:{}", "0".repeat(64)))];
    let changes = [
        (stamp, json!("MAA=")),
        (stamp, other),
        (&stamp[..stamp.len() - 18], json!({})),
        ("/dsseEnvelope/signatures/0/sig", json!("MEUCIQ==")),
    ];
    let identity = oci_signing::CertificateIdentity {
        identity: IDENTITY.to_owned(),
        issuer: ISSUER.to_owned(),
        allows_timestamps: true,
    };
    let root = oci_signing::TrustedRoot::parse(&services.trusted_root.to_string()).expect("a root");
    let subject: oci_registry::Digest = digest.parse().expect("a digest");
    let verifies = |json: &Value| {
        let read = oci_signing::Bundle::parse(json.to_string().as_bytes());
        read.and_then(|bundle| identity.verify(&bundle, &subject, &root)).is_ok()
    };
    assert!(verifies(&bundle));
    for (index, (pointer, value)) in changes.into_iter().enumerate() {
        let mut changed = bundle.clone();
        *changed.pointer_mut(pointer).expect("a member") = value;
        assert!(!verifies(&changed), "{changed}");
        let name = format!("stamped-{index}.json");
        folder.write(&name, changed.to_string());
        bad.push(case(&folder.path.join(name).display().to_string(), &digest));
    }
    let task = |cases: Vec<Value>| json!({ "trusted_root": services.trusted_root, "cases": cases });
    assert_eq!(judge_by(&folder, &task(vec![case(&bundles[0], &digest)])), [""]);
    let judged = judge_by(&folder, &task(bad));
    assert!(judged.iter().all(|reason| !reason.is_empty()), "{judged:?}");
    // The same signature is none for a signer that wants the log.
    folder.write("publish.toml", text);
    let unlogged = folder.run("verify").done().expect_code(2);
    assert!(unlogged.shown().contains("no signature verifies for job"), "{}", unlogged.shown());
}

/// Changes a bundle without a key in ways that leave it valid JSON.
fn keyless_tamperings(bundle: &Value) -> Vec<Value> {
    let entry = "/verificationMaterial/tlogEntries/0";
    let at = |member: &str| format!("{entry}/{member}");
    let edits: [(String, Value); 12] = [
        ("/dsseEnvelope/payload".to_owned(), other_subject(bundle)),
        ("/dsseEnvelope/payload".to_owned(), other_predicate(bundle)),
        ("/dsseEnvelope/payload".to_owned(), json!("e30=")),
        ("/dsseEnvelope/payloadType".to_owned(), json!("text/plain")),
        ("/dsseEnvelope/signatures/0/sig".to_owned(), json!("MEUCIQ==")),
        ("/dsseEnvelope/signatures".to_owned(), json!([])),
        ("/verificationMaterial/certificate/rawBytes".to_owned(), json!("MAA=")),
        ("/verificationMaterial/tlogEntries".to_owned(), json!([])),
        (at("integratedTime"), json!("1")),
        (at("canonicalizedBody"), json!("e30=")),
        (at("logId/keyId"), json!("AAAA")),
        (at("inclusionPromise/signedEntryTimestamp"), json!("MEUCIQ==")),
    ];
    let changed = edits.into_iter().map(|(pointer, value)| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(&pointer).expect("a member") = value;
        changed
    });
    changed.collect()
}
