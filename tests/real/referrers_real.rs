//! The referrers of an image are published with it: into the distribution registry, which has no list of referrers, and through
//! directories. The signatures are written by hand as cosign, oras and regclient write them; skopeo reads them back.
//! Registries with a list of their own are in `referrers.rs`.

use std::fs;
use testkit::{image, world};

use serde_json::Value;
use testkit::command::Folder;
use testkit::docker_registry::{AcceptedClients, DockerRegistry};
use testkit::image::{LayoutDirectory, Written, describe};
use testkit::signatures::{cosign_tag, fallback_tag};
use testkit::world::{RELEASE_RULES, digest, image, manifest, pull, tags};

const SBOM: &str = "application/spdx+json";

/// A configuration that publishes the image of `source` with its referrers.
fn configuration(url: &str, source: &str) -> String {
    format!(
        "version = 1\n\n[registries.there]\nurl = \"{url}\"\n{RELEASE_RULES}\n[images.app]\nsource = \"{source}\"\nreferrers = true\n"
    )
}

/// An image in the layout `image`: with an SBOM, a signature of the SBOM, and a signature by tag.
struct SignedImage {
    written: Written,
    sbom: Value,
    of_sbom: Value,
    signature: Value,
}

fn signed(folder: &Folder) -> SignedImage {
    let written = folder.image("image", &image("signed"));
    let layout = LayoutDirectory::create(&written.directory);
    let sbom = layout.attach(&describe(&written.media_type, &written.bytes), SBOM, "sbom");
    layout.list(&sbom, &[]);
    let of_sbom = layout.attach(&sbom, "application/vnd.example.signature", "signature of the sbom");
    layout.list_referrers(text(&sbom["digest"]), &[&of_sbom]);
    let signature = layout.cosign(&written.digest, &["MEUCIQ"]);
    layout.list(&signature, &[cosign_tag(&written.digest, "sig")]);
    SignedImage { written, sbom, of_sbom, signature }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The digests that the index at a fallback tag lists.
fn listed(repository: &str, of: &str) -> Vec<String> {
    let index = manifest(&format!("{repository}:{}", fallback_tag(of)));
    index["manifests"].as_array().expect("a list").iter().map(|it| text(&it["digest"]).to_owned()).collect()
}

impl SignedImage {
    /// Asserts that everything exists, and is found.
    #[track_caller]
    fn stands_in(&self, repository: &str) {
        let signature = format!("{repository}:{}", cosign_tag(&self.written.digest, "sig"));
        assert_eq!(digest(&signature).as_deref(), self.signature["digest"].as_str(), "{signature}");
        assert_eq!(listed(repository, &self.written.digest), [text(&self.sbom["digest"])]);
        assert_eq!(listed(repository, text(&self.sbom["digest"])), [text(&self.of_sbom["digest"])]);
        let index = manifest(&format!("{repository}:{}", fallback_tag(&self.written.digest)));
        assert_eq!(index["manifests"][0], self.sbom, "as lists of referrers describe it");
        // Every blob exists too.
        pull(&signature);
    }
}

#[test]
fn signatures_travel_to_a_registry_and_once() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let url = format!("{}/team", registry.host());
    let folder = Folder::with(&[("publish.toml", &configuration(&url, "oci:image"))]);
    let signed = signed(&folder);
    let plan = folder.run("plan --ref refs/tags/v1.2.3").done().expect_code(0);
    assert!(plan.stdout().contains("+ 3 referrers"), "{}", plan.shown());
    assert!(plan.stdout().contains("application/spdx+json"), "{}", plan.shown());
    let done = folder.apply("1.2.3").done().expect_code(0);
    assert!(done.stdout().contains("3 referrers sent"), "{}", done.shown());
    let there = format!("docker://{url}/app");
    signed.stands_in(&there);
    for referrer in [&signed.sbom, &signed.of_sbom] {
        pull(&format!("{there}@{}", text(&referrer["digest"])));
    }
    // A second time there is nothing to do.
    let again = folder.run("plan --ref refs/tags/v1.2.3 --detailed-exitcode").done().expect_code(0);
    assert!(again.stdout().contains("= 3 referrers"), "{}", again.shown());
    let again = folder.apply("1.2.3").done().expect_code(0);
    assert!(again.stdout().contains("Nothing to do"), "{}", again.shown());

    // A signature that is added later is sent, although every tag is in place.
    let layout = LayoutDirectory::create(&signed.written.directory);
    let later = layout.attach(&describe(&signed.written.media_type, &signed.written.bytes), SBOM, "later");
    layout.list(&later, &[]);
    let plan = folder.run("plan --ref refs/tags/v1.2.3 --detailed-exitcode").done().expect_code(2);
    assert!(plan.stdout().contains("1 referrer to send"), "{}", plan.shown());
    let done = folder.apply("1.2.3").done().expect_code(0);
    assert!(
        done.stdout().contains("Applied") && done.stdout().contains("1 referrer sent"),
        "{}",
        done.shown()
    );
    let mut found = listed(&there, &signed.written.digest);
    found.sort();
    let mut expected = vec![text(&signed.sbom["digest"]).to_owned(), text(&later["digest"]).to_owned()];
    expected.sort();
    assert_eq!(found, expected);
    let _clean = folder.run("plan --ref refs/tags/v1.2.3 --detailed-exitcode").done().expect_code(0);
}

#[test]
fn signatures_at_a_tag_are_added_and_never_taken_away() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::with(&[("publish.toml", &configuration(&registry.host(), "oci:image"))]);
    let signed = signed(&folder);
    let _done = folder.apply("1.2.3").done().expect_code(0);
    let tag = cosign_tag(&signed.written.digest, "sig");
    let there = format!("docker://{}/app:{tag}", registry.host());
    // The image is also signed with another key: the layout's manifest has both signatures now.
    let resign = |signatures: &[&str]| {
        let folder_image = folder.path.join("image");
        let index = fs::read(folder_image.join("index.json")).expect("an index");
        let mut index: Value = serde_json::from_slice(&index).expect("JSON");
        let entries = index["manifests"].as_array_mut().expect("entries");
        entries.retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] != tag.as_str());
        fs::write(folder_image.join("index.json"), index.to_string()).expect("written");
        let layout = LayoutDirectory::create(&folder_image);
        let signature = layout.cosign(&signed.written.digest, signatures);
        layout.list(&signature, std::slice::from_ref(&tag));
        text(&signature["digest"]).to_owned()
    };
    let both = resign(&["MEUCIQ", "MEYCIQ"]);
    let done = folder.apply("1.2.3").done().expect_code(0);
    assert!(done.stdout().contains("1 referrer sent"), "{}", done.shown());
    assert_eq!(digest(&there).as_ref(), Some(&both));
    // A manifest that lacks one of those signatures is left out.
    resign(&["MEQCIQ"]);
    let plan = folder.run("plan --ref refs/tags/v1.2.3 --detailed-exitcode").done().expect_code(0);
    assert!(plan.stdout().contains("signatures that the source lacks: cosign's .sig"), "{}", plan.shown());
    let _done = folder.apply("1.2.3").done().expect_code(0);
    assert_eq!(digest(&there).as_ref(), Some(&both));
}

#[test]
fn signatures_are_carried_in_a_directory_and_published_from_it() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let near = Folder::with(&[("publish.toml", &configuration("oci:dist/registry", "oci:image"))]);
    let signed = signed(&near);
    let done = near.apply("1.2.3").done().expect_code(0);
    assert!(done.stdout().contains("3 referrers sent"), "{}", done.shown());
    let bundle = near.path.join("dist/registry/app");
    signed.stands_in(&format!("oci:{}", bundle.display()));
    let _clean = near.run("plan --ref refs/tags/v1.2.3 --detailed-exitcode").done().expect_code(0);

    let far = Folder::with(&[("publish.toml", &configuration(&registry.host(), "oci:carried/app"))]);
    fs::create_dir(far.path.join("carried")).expect("a folder");
    fs::rename(&bundle, far.path.join("carried/app")).expect("carried");
    // Without a reference, the source is the image, not its signatures.
    let done = far.apply("1.2.3").done().expect_code(0);
    assert!(done.stdout().contains("3 referrers sent"), "{}", done.shown());
    let there = format!("docker://{}/app", registry.host());
    assert_eq!(digest(&format!("{there}:v1.2.3")), Some(signed.written.digest.clone()));
    signed.stands_in(&there);
}

#[test]
fn signatures_are_promoted_from_one_registry_to_another() {
    let (staging, production) =
        (DockerRegistry::start(&AcceptedClients::None), DockerRegistry::start(&AcceptedClients::None));
    let build = Folder::with(&[("publish.toml", &configuration(&staging.host(), "oci:image"))]);
    let signed = signed(&build);
    let _done = build.apply("1.2.3").done().expect_code(0);
    let source = format!("docker://{}/app:v1.2.3", staging.host());
    let promote = Folder::with(&[("publish.toml", &configuration(&production.host(), &source))]);
    let done = promote.apply("1.2.3").done().expect_code(0);
    assert!(done.stdout().contains("3 referrers sent"), "{}", done.shown());
    signed.stands_in(&format!("docker://{}/app", production.host()));
    let _clean = promote.run("plan --ref refs/tags/v1.2.3 --detailed-exitcode").done().expect_code(0);
}

#[test]
fn without_being_asked_nothing_travels_and_what_stands_at_a_fallback_tag_is_kept() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let text_without = configuration(&registry.host(), "oci:image").replace("referrers = true\n", "");
    let folder = Folder::with(&[("publish.toml", &text_without)]);
    let signed = signed(&folder);
    let _done = folder.apply("1.2.3").done().expect_code(0);
    assert_eq!(tags(&format!("{}/app", registry.host())), ["latest", "v1", "v1.2", "v1.2.3"]);
    // Another user attached something there.
    let foreign = Folder::with(&[("publish.toml", &configuration(&registry.host(), "oci:image"))]);
    let other = foreign.image("image", &image("signed"));
    assert_eq!(other.digest, signed.written.digest);
    let layout = LayoutDirectory::create(&other.directory);
    let scan = layout.attach(&describe(&other.media_type, &other.bytes), "application/sarif+json", "scan");
    layout.list(&scan, &[]);
    let _done = foreign.apply("1.2.3").done().expect_code(0);
    folder.write("publish.toml", configuration(&registry.host(), "oci:image"));
    let _done = folder.apply("1.2.3").done().expect_code(0);
    let found = listed(&format!("docker://{}/app", registry.host()), &signed.written.digest);
    assert_eq!(found, [text(&scan["digest"]), text(&signed.sbom["digest"])]);
}

#[test]
fn a_changed_image_is_refused_with_its_signatures() {
    let folder = Folder::new();
    let text = configuration("oci:dist/registry", "oci:image");
    folder.write("publish.toml", format!("{text}annotations = {{ \"com.example.a\" = \"b\" }}\n"));
    signed(&folder);
    let refused = folder.apply("1.2.3").done().expect_code(1);
    assert!(refused.stderr().contains("publish::source::unsupported"), "{}", refused.shown());
    assert!(refused.stderr().contains("sign after publishing"), "{}", refused.shown());
    assert!(!folder.path.join("dist").exists());
}

#[test]
fn a_saved_plan_sends_what_was_approved() {
    let folder = Folder::with(&[("publish.toml", &configuration("oci:dist/registry", "oci:image"))]);
    let signed = signed(&folder);
    let _saved = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let layout = LayoutDirectory::create(&signed.written.directory);
    let later = layout.attach(&describe(&signed.written.media_type, &signed.written.bytes), SBOM, "later");
    layout.list(&later, &[]);
    let _done = folder.run("apply plan.json").done().expect_code(0);
    let there = format!("oci:{}", folder.path.join("dist/registry/app").display());
    signed.stands_in(&there);
    // If approved content has disappeared, the plan is stale.
    let _saved = folder.run("plan --ref refs/tags/v1.2.3 --out plan.json").done().expect_code(0);
    let index = fs::read_to_string(folder.path.join("image/index.json")).expect("an index");
    let mut index: Value = serde_json::from_str(&index).expect("JSON");
    index["manifests"].as_array_mut().expect("entries").retain(|entry| entry["digest"] != later["digest"]);
    folder.write("image/index.json", index.to_string());
    let stale = folder.run("apply plan.json").done().expect_code(1);
    assert!(stale.stderr().contains("publish::plan::stale"), "{}", stale.shown());
    assert!(stale.stderr().contains("is no longer there"), "{}", stale.shown());
}

#[test]
fn where_nothing_can_be_listed_the_plan_says_so() {
    let registry = DockerRegistry::start(&AcceptedClients::None);
    let folder = Folder::with(&[("publish.toml", &configuration(&registry.host(), "oci:image"))]);
    let signed = signed(&folder);
    // Another image has the tag of the list.
    let other =
        image::TestImage::new().platform("linux/amd64", vec![image::TestLayer::noise(1, 10)]).single();
    let other = folder.image("other", &other);
    let tag = fallback_tag(&signed.written.digest);
    world::copy(&other.directory, &format!("{}/app:{tag}", registry.host()));
    let told = folder.run("plan --ref refs/tags/v1.2.3").wide().done().expect_code(1).stderr();
    assert!(told.contains("it is not an index of referrers") && told.contains(&tag), "{told}");
    assert_eq!(tags(&format!("{}/app", registry.host())), [tag]);
}
