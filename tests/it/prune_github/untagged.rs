//! Manifests without a tag, the most wanted cleanup of GHCR (`orgs/community/discussions/26267`): they go by number and age, and never
//! if a tag, an index, a referrer or a fallback tag that stays reaches them.

use testkit::github_packages::FIRST;

use super::*;

const UNTAGGED: &str = "prune --event manual";

/// A package with the release, and these untagged images besides: `old-1` … `old-N`, each one day after the one before.
async fn package(limits: &str, count: i64) -> PackagesFixture {
    let mut scene = PackagesFixture::new().await;
    let text = scene.folder.read("publish.toml");
    scene.folder.write("publish.toml", format!("{text}\n[retention.untagged]\n{limits}\n"));
    for number in 1..=count {
        let digest = scene.image(&format!("old-{number}"), &[], None);
        scene.packages.put_at(digest.as_str(), FIRST + number * 86_400);
    }
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_stay_and_the_plan_shows_the_proof() {
    let mut scene = package("keep_last = 2\nolder_than = \"7d\"", 4).await;
    // A tag that moved left an index with its parts behind.
    scene.multi("moved", &[]);
    // Its signature keeps an image, and so does an SBOM with a tag.
    let signed = scene.image("signed", &[], None);
    let signature = format!("{}.sig", signed.to_string().replace(':', "-"));
    scene.image("signature", &[&signature], None);
    let described = scene.image("described", &[], None);
    scene.image("sbom", &["sbom-1"], Some(&described));
    // A release in progress: content is put before its tags.
    let young = scene.image("young", &[], None);
    scene.packages.put_at(young.as_str(), jiff::Timestamp::now().as_second() - 60);
    let refused = scene.run(UNTAGGED).expect_code(1);
    assert_snapshot!("untagged", scene.steady(&refused));
    let done = scene.run(&format!("{UNTAGGED} --auto-approve")).expect_code(0);
    assert!(done.stdout().contains("Pruned: 8 untagged manifests deleted"), "{}", done.shown());
    scene.expect(&[
        "described",
        "old-4",
        "sbom sbom-1",
        &format!("signature {signature}"),
        "signed",
        "young",
    ]);
    let again = scene.run(&format!("{UNTAGGED} --auto-approve")).expect_code(0);
    assert!(again.stdout().contains("Nothing to do"), "{}", again.shown());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_checked_again_before_each_deletion() {
    let mut scene = package("older_than = \"7d\"", 3).await;
    scene.run(&format!("{UNTAGGED} --out plan.json")).expect_code(0);
    // Since then, one got a tag, another became part of a release, and the third a signature.
    let digest =
        |name: &str| scene.names.iter().find(|(_, known)| *known == name).map(|(digest, _)| digest.clone());
    let (two, three) = (digest("old-2").unwrap(), digest("old-3").unwrap());
    scene.image("old-1", &["kept"], None);
    let two: Digest = two.parse().unwrap();
    scene.index("release", &["v2.0.0"], &[&two]);
    let signature = format!("{}.sig", three.replace(':', "-"));
    scene.image("signature", &[&signature], None);
    let done = scene.run("apply plan.json").expect_code(0);
    assert!(!done.stdout().contains("deleted"), "{}", done.shown());
    scene.expect(&["old-1 kept", "old-2", "old-3", "release v2.0.0", &format!("signature {signature}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_for_sure_blocks_the_plan() {
    // A manifest that nobody can read may list any other.
    let mut scene = package("older_than = \"7d\"", 2).await;
    let strange = RawManifest::new("application/vnd.oci.artifact.manifest.v1+json", b"{}".to_vec());
    scene.hold("strange", &strange, &["strange"]);
    let before = scene.held();
    let refused = scene.run(&format!("{UNTAGGED} --auto-approve")).expect_code(1);
    assert!(
        refused.shown().contains("cannot be read, so it may need any other manifest"),
        "{}",
        refused.shown()
    );
    assert_eq!(scene.held(), before);

    // The API hides a version that the registry tags.
    let scene = package("older_than = \"7d\"", 2).await;
    let before = scene.held();
    scene.packages.on("GET", "state=active", 99, 200, &[], "[]");
    let refused = scene.run(&format!("{UNTAGGED} --auto-approve")).expect_code(1);
    let words = "the registry has the tag v1.0.0, but its list of manifests lacks it";
    assert!(refused.shown().contains(words), "{}", refused.shown());
    assert_eq!(scene.held(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_list_manifests_says_so() {
    let registry = TestRegistry::start(TestRegistryOptions::default()).await;
    let text = format!(
        "version = 1\n[registries.r]\nurl = \"{}\"\n[tags.v]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n[images.app]\nsource = \"oci:image\"\n[retention.untagged]\nkeep_last = 1\n",
        registry.host()
    );
    let folder = Folder::with(&[("publish.toml", &text)]);
    let shown = folder.run("prune --auto-approve").wide().done().expect_code(1).shown();
    assert!(shown.contains("does not list manifests that have no tag"), "{shown}");
    for (more, expected) in [
        ("on = \"pull_request_closed\"", "a manifest without a tag belongs to no event"),
        ("", "none of `on`, `keep_last`, `older_than`"),
    ] {
        folder.write("publish.toml", text.replace("keep_last = 1", more));
        let shown = folder.run("lint").wide().done().expect_code(1).shown();
        assert!(shown.contains(expected), "{more}: {shown}");
    }
}
