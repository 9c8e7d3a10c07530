//! Signatures in a plan: no tag ever names an unsigned manifest, in any registry; a run that is repeated adds no signature.

use oci_registry::Digest;
use oci_registry::referrer::{fallback_tag, listed, subject_of};
use oci_registry::{RawManifest, Tag};
use oci_signing::{BUNDLE, Bundle, PublicKey, SIGNATURE};
use serde_json::{Value, json};
use testkit::chart::TestChart;
use testkit::command::{EndedRun, Folder};
use testkit::signatures::{ENCRYPTED_KEY, OTHER_KEY, PUBLIC_KEY, SIGNING_KEY};
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, image};

const SIGNER: &str = "\n[signing.release]\nkey = { env = \"SIGNING_KEY\" }\n";
const APPLY: &str = "apply --auto-approve --ref refs/tags/v1.2.3";

/// Two registries, one of which lists referrers, and a configuration that publishes a signed image and a signed chart to both.
struct SignedRelease {
    folder: Folder,
    registries: [TestRegistry; 2],
}

impl SignedRelease {
    async fn new(signer: &str) -> Self {
        let listing = TestRegistryOptions { referrers: true, ..TestRegistryOptions::default() };
        let registries =
            [TestRegistry::start(listing).await, TestRegistry::start(TestRegistryOptions::default()).await];
        let [one, two] = registries.each_ref().map(TestRegistry::host);
        let text = format!(
            "version = 1\n\n[registries.one]\nurl = \"{one}\"\n\n[registries.two]\nurl = \"{two}\"\n{RELEASE_RULES}{signer}\n[images.app]\nsource = \"oci:image\"\nsign = [\"release\"]\n\n[charts.app]\nsource = \"chart\"\nsign = [\"release\"]\n"
        );
        let folder = Folder::with(&[("publish.toml", &text)]);
        folder.image("image", &image("1.2.3"));
        TestChart::small("app", "0.0.0").write(&folder.path.join("chart"));
        Self { folder, registries }
    }

    fn run(&self, arguments: &str, key: &str) -> EndedRun {
        self.folder.run(arguments).wide().env("SIGNING_KEY", key).done()
    }

    /// The tags of the release in each registry, without those that hold referrers.
    fn released(&self) -> Vec<(usize, String, String, String)> {
        let registries = self.registries.iter().enumerate();
        let tags = registries.flat_map(|(position, registry)| {
            let tags = registry.content().tags.clone();
            tags.into_iter().map(move |((repository, tag), digest)| (position, repository, tag, digest))
        });
        tags.filter(|(_, _, tag, _)| !tag.starts_with("sha256-")).collect()
    }

    /// The manifests that carry a signature of `digest` that verifies, and that clients find.
    fn signatures(&self, registry: usize, repository: &str, digest: &str) -> Vec<String> {
        let subject: Digest = digest.parse().expect("a digest");
        let key = PublicKey::from_pem(PUBLIC_KEY).expect("a key");
        let content = self.registries[registry].content();
        let of = |digest: &str| content.manifests.get(&(repository.to_owned(), digest.to_owned()));
        let fallback: Tag = fallback_tag(&subject).expect("a tag");
        let list = content.tags.get(&(repository.to_owned(), fallback.to_string())).and_then(|it| of(it));
        let list = list.map(|it| RawManifest::new(&it.media_type, it.bytes.to_vec()));
        let listed: Option<Vec<String>> = list
            .and_then(|list| listed(&list, &subject))
            .map(|list| list.iter().map(|it| it.digest.to_string()).collect());
        let mut found = Vec::new();
        for ((held_in, digest), manifest) in &content.manifests {
            let raw = RawManifest::new(&manifest.media_type, manifest.bytes.to_vec());
            if held_in != repository || subject_of(&raw) != Some(subject.clone()) {
                continue;
            }
            let json: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
            assert_eq!(json["artifactType"], BUNDLE);
            assert_eq!(json["annotations"]["dev.sigstore.bundle.predicateType"], SIGNATURE);
            let blob = json["layers"][0]["digest"].as_str().expect("a digest");
            let bundle = content.blobs.get(&(repository.to_owned(), blob.to_owned())).expect("a blob");
            let statement = Bundle::parse(bundle).and_then(|it| it.verify(&subject, &key));
            assert_eq!(statement.expect("verified").predicate_type, SIGNATURE);
            // The first registry lists it by itself.
            if registry == 1 && !listed.as_ref().is_some_and(|it| it.contains(digest)) {
                // A run that was cut off put it, and did not list it yet.
                continue;
            }
            found.push(digest.clone());
        }
        found
    }

    #[track_caller]
    fn everything_is_signed_once(&self) {
        let released = self.released();
        assert_eq!(released.len(), 10, "{released:?}");
        for (registry, repository, tag, digest) in released {
            let signatures = self.signatures(registry, &repository, &digest);
            assert_eq!(signatures.len(), 1, "{registry} {repository}:{tag}");
        }
    }

    /// Whether each tag names a manifest that is signed.
    fn no_tag_is_unsigned(&self) -> bool {
        self.released().iter().all(|(registry, repository, _, digest)| {
            !self.signatures(*registry, repository, digest).is_empty()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_and_charts_are_signed_in_every_registry_and_once() {
    let release = SignedRelease::new(SIGNER).await;
    let plan = release.run("plan --ref refs/tags/v1.2.3", SIGNING_KEY).expect_code(0).stdout();
    assert!(plan.contains("+ signature") && plan.contains("by release with the key sha256:"), "{plan}");
    assert!(plan.contains("4 signatures to make"), "{plan}");
    let applied = release.run(&format!("{APPLY} --record record.json"), SIGNING_KEY).expect_code(0);
    assert!(applied.stdout().contains("4 signatures made"), "{}", applied.shown());
    release.everything_is_signed_once();
    let record: Value = serde_json::from_str(&release.folder.read("record.json")).expect("JSON");
    let signature = &record["outcome"]["repositories"][0]["signatures"][0];
    assert_eq!((&signature["signer"], &signature["made"]), (&json!("release"), &json!(true)));
    let shown = release.run("show record.json", "").expect_code(0).stdout();
    let digest = record["outcome"]["repositories"][0]["digest"].as_str().expect("a digest");
    let command = format!(
        "cosign verify --key PUBLIC_KEY --insecure-ignore-tlog=true {}/app@{digest}",
        release.registries[0].host()
    );
    assert!(shown.contains(&command), "{shown}");
    for registry in &release.registries {
        let puts: Vec<String> =
            registry.log().iter().filter(|it| it.method == "PUT").map(|it| it.path.clone()).collect();
        let first_tag =
            puts.iter().position(|it| it.contains("/manifests/") && !it.contains("sha256")).expect("a tag");
        let is_list = |path: &String| path.contains("/manifests/sha256-");
        // A manifest that was put before is put again for its floating tags.
        let is_new = |path: &String| path.contains("/manifests/sha256:") && !puts[..first_tag].contains(path);
        assert!(!puts[first_tag..].iter().any(|it| is_list(it) || is_new(it)), "{puts:?}");
        registry.forget_log();
    }
    let again = release.run(APPLY, SIGNING_KEY).expect_code(0);
    assert!(again.stdout().contains("Nothing to do"), "{}", again.shown());
    for registry in &release.registries {
        assert_eq!((registry.count("PUT", ""), registry.count("POST", "")), (0, 0));
    }
    release.everything_is_signed_once();
    let plan = release.run("plan --ref refs/tags/v1.2.3", SIGNING_KEY).expect_code(0).stdout();
    assert!(plan.contains("= signature") && plan.contains("in place"), "{plan}");
}

/// The signature is gone, or the run that published it knew of no signer: the next run signs, and moves no tag.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_without_a_signature_is_signed_by_the_next_run() {
    let release = SignedRelease::new(SIGNER).await;
    let text = release.folder.read("publish.toml");
    release.folder.write("publish.toml", text.replace("sign = [\"release\"]", ""));
    release.run(APPLY, "").expect_code(0);
    assert!(!release.no_tag_is_unsigned());
    release.folder.write("publish.toml", text);
    release.run(APPLY, SIGNING_KEY).expect_code(0);
    release.everything_is_signed_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn if_signing_fails_no_tag_is_put_anywhere() {
    let fault = || Fault::Answer(403, Vec::new(), Vec::new());
    let clean = SignedRelease::new(SIGNER).await;
    clean.run(APPLY, SIGNING_KEY).expect_code(0);
    let requests = clean.registries[1].log().len();
    let mut failed = 0;
    for skipped in (0..requests).step_by(3) {
        let release = SignedRelease::new(SIGNER).await;
        release.registries[1].nth(skipped, fault());
        let run = release.run(APPLY, SIGNING_KEY);
        assert!(release.no_tag_is_unsigned(), "request {skipped}\n{}", run.shown());
        failed += usize::from(run.code() != Some(0));
        release.registries[1].takes_back();
        release.run(APPLY, SIGNING_KEY).expect_code(0);
        assert!(release.no_tag_is_unsigned(), "request {skipped}");
        assert_eq!(release.released().len(), 10, "request {skipped}");
    }
    assert!(failed > requests / 9, "{failed} of {requests}");
}

/// A registry that answers the put of a signature, and forgets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_cannot_be_read_back_stops_the_run() {
    let release = SignedRelease::new(SIGNER).await;
    let empty =
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let headers = vec![("content-type", "application/vnd.oci.image.index.v1+json".to_owned())];
    release.registries[0].on("GET", "/referrers/", 1000, Fault::Answer(200, headers, empty.to_vec()));
    let run = release.run(APPLY, SIGNING_KEY).expect_code(1);
    assert!(run.stderr().contains("so no tag was moved"), "{}", run.shown());
    assert_eq!(release.released(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_says_who_signs_and_binds_the_key() {
    let signer = "\n[signing.release]\nkey = { env = \"SIGNING_KEY\" }\npublic_key = \"cosign.pub\"\n";
    let release = SignedRelease::new(signer).await;
    release.folder.write("cosign.pub", PUBLIC_KEY);
    // The plan needs no private key.
    release.run("plan --ref refs/tags/v1.2.3 --out plan.json", "").expect_code(0);
    let plan: Value = serde_json::from_str(&release.folder.read("plan.json")).expect("JSON");
    assert_eq!(plan["signers"]["release"]["public_key"], PUBLIC_KEY);
    assert_eq!(plan["repositories"][0]["signatures"][0]["action"], "sign");
    let fingerprint = PublicKey::from_pem(PUBLIC_KEY).expect("a key").fingerprint().to_string();
    assert_eq!(plan["repositories"][0]["signatures"][0]["identity"], json!({ "key": fingerprint }));
    release.registries.iter().for_each(TestRegistry::forget_log);
    for (key, words) in [
        ("", "`SIGNING_KEY` is not set"),
        (OTHER_KEY, "but the plan or `public_key` says"),
        ("x", "not a key in PEM form"),
    ] {
        let run = release.run("apply plan.json", key).expect_code(1);
        assert!(run.stderr().contains(words), "{}", run.shown());
        assert_eq!(release.registries[0].count("POST", "") + release.registries[0].count("PUT", ""), 0);
    }
    release.run("apply plan.json", SIGNING_KEY).expect_code(0);
    release.everything_is_signed_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_key_of_cosign_signs_with_its_password() {
    let signer = "\n[signing.release]\nkey = { file = \"cosign.key\" }\n";
    let release = SignedRelease::new(signer).await;
    release.folder.write("cosign.key", ENCRYPTED_KEY);
    for (password, words) in [
        (None, "it is encrypted, and no password is given"),
        (Some("wrong"), "the password does not decrypt it"),
    ] {
        let mut run = release.folder.run(APPLY).wide();
        if let Some(password) = password {
            run = run.env("COSIGN_PASSWORD", password);
        }
        let run = run.done().expect_code(1);
        assert!(
            run.stderr().contains(words) && run.stderr().contains("`COSIGN_PASSWORD`"),
            "{}",
            run.shown()
        );
        assert!(!run.shown().contains("wrong"), "{}", run.shown());
    }
    release.folder.run(APPLY).env("COSIGN_PASSWORD", "correct horse").done().expect_code(0);
    release.everything_is_signed_once();
}

/// Another run published the version first, and `on_conflict` keeps it. This run has not seen what it holds, and does not sign it.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_digest_without_a_signature_gets_no_tag() {
    let text = |signed: &str, more: &str| {
        format!(
            "version = 1\n\n[registries.one]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\non_conflict = \"keep\"\n{more}{SIGNER}\n[images.app]\nsource = \"oci:image\"\n{signed}\n"
        )
    };
    let stable = "\n[tags.stable]\non = \"tag\"\ntemplate = \"stable\"\nmutability = \"mutable\"\n";
    let sign = "sign = [\"release\"]";
    let folder = Folder::with(&[("publish.toml", &text("", ""))]);
    folder.image("image", &image("first"));
    folder.run(APPLY).done().expect_code(0);
    folder.image("image", &image("second"));
    folder.write("publish.toml", text(sign, stable));
    let apply = || folder.run(APPLY).wide().env("SIGNING_KEY", SIGNING_KEY).done();
    let run = apply().expect_code(1);
    assert!(run.stderr().contains("publish::signing::missing"), "{}", run.shown());
    assert!(run.stdout().contains("Blocked: a signature is missing"), "{}", run.shown());
    // If the first run signed it, the tag follows.
    folder.image("image", &image("first"));
    folder.write("publish.toml", text(sign, ""));
    apply().expect_code(0);
    folder.image("image", &image("second"));
    folder.write("publish.toml", text(sign, stable));
    let run = apply().expect_code(0);
    assert!(run.stdout().contains("follows"), "{}", run.shown());
}

#[test]
fn a_key_outside_of_the_project_needs_permission() {
    let folder = Folder::with(&[(
        "publish.toml",
        "version = 1\n\n[registries.one]\nurl = \"oci:registry\"\n\n[tags.version]\non = \"tag\"\ntemplate = \"v{{ version }}\"\n\n[signing.release]\nkey = { file = \"../outside.key\" }\n\n[images.app]\nsource = \"oci:image\"\nsign = [\"release\"]\n",
    )]);
    folder.image("image", &image("1.2.3"));
    std::fs::write(folder.path.join("../outside.key"), SIGNING_KEY).expect("written");
    let run = folder.run(APPLY).done().expect_code(1);
    assert!(run.stderr().contains("outside of the project"), "{}", run.shown());
    folder.run(&format!("{APPLY} --allow-outside ..")).done().expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_what_is_not_signed_any_more() {
    let signer = "\n[verify]\nsignatures = true\n\n[signing.release]\nkey = { env = \"SIGNING_KEY\" }\npublic_key = \"cosign.pub\"\n";
    let release = SignedRelease::new(signer).await;
    release.folder.write("cosign.pub", PUBLIC_KEY);
    release.run(APPLY, SIGNING_KEY).expect_code(0);
    let verified = release.run("verify", "").expect_code(0);
    assert!(!verified.stdout().contains("drift"), "{}", verified.shown());
    let (_, repository, _, digest) = release.released().remove(0);
    let signature = release.signatures(0, &repository, &digest).remove(0);
    // A registry's cleanup removes it, or somebody replaces its bundle.
    let kept = {
        let mut content = release.registries[0].content();
        content.manifests.remove(&(repository.clone(), signature.clone())).expect("a signature")
    };
    let gone = release.run("verify", "").expect_code(2);
    assert!(gone.stdout().contains("not signed by release with the key sha256:"), "{}", gone.shown());
    assert!(gone.stdout().contains("! signature"), "{}", gone.shown());
    {
        let json: Value = serde_json::from_slice(&kept.bytes).expect("JSON");
        let mut content = release.registries[0].content();
        content.manifests.insert((repository.clone(), signature), kept);
        let blob = (repository, json["layers"][0]["digest"].as_str().expect("a digest").to_owned());
        let bundle = content.blobs.get_mut(&blob).expect("a blob");
        let text = String::from_utf8(bundle.to_vec()).expect("text").replace("in-toto", "in-tota");
        *bundle = text.into_bytes().into();
    }
    let changed = release.run("verify", "");
    assert_ne!(changed.code(), Some(0), "{}", changed.shown());
    // The next run signs again.
    release.run(APPLY, SIGNING_KEY);
}
