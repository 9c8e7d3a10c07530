//! Referrers of an image, in registries that list them and in those that do not. No matter which request fails, no tag of the
//! release names the image before its signatures are found, and the same command again completes the release.

use std::sync::Arc;
use testkit::signatures;

use brokkr_publish::context::{Environment, Flags};
use brokkr_publish::diagnostic::Diagnostic;
use brokkr_publish::model::outcome::Outcome;
use brokkr_publish::run::{Run, Session};
use futures_util::{StreamExt, stream};
use oci_registry::referrer::{cosign_tags, fallback_tag, listed, subject_of};
use oci_registry::{Digest, RawManifest};
use tokio::sync::watch;

use crate::silent_reporter::SilentReporter;

use testkit::command::Folder;
use testkit::image::{LayoutDirectory, OCI_INDEX, Written, describe};
use testkit::test_registry::{Fault, TestRegistry, TestRegistryOptions};
use testkit::world::{RELEASE_RULES, image};

const SBOM: &str = "application/spdx+json";

/// A registry, and an image with an SBOM and a signature.
struct ReferrersFixture {
    folder: Folder,
    registry: TestRegistry,
    written: Written,
    sbom: Digest,
    signature: Digest,
}

impl ReferrersFixture {
    async fn new(options: TestRegistryOptions) -> Self {
        let registry = TestRegistry::start(options).await;
        let folder = Folder::with(&[("publish.toml", &configuration(&registry.host(), "referrers = true"))]);
        let written = folder.image("image", &image("signed"));
        let layout = LayoutDirectory::create(&written.directory);
        let sbom = layout.attach(&describe(&written.media_type, &written.bytes), SBOM, "sbom");
        layout.list(&sbom, &[]);
        let signature = layout.cosign(&written.digest, &["MEUCIQ"]);
        layout.list(&signature, &[signatures::cosign_tag(&written.digest, "sig")]);
        let digest = |it: &serde_json::Value| it["digest"].as_str().unwrap().parse().unwrap();
        Self { sbom: digest(&sbom), signature: digest(&signature), folder, registry, written }
    }

    fn session(&self) -> Session {
        Session {
            config: Some(self.folder.path.join("publish.toml")),
            profile: None,
            set: Vec::new(),
            allow_outside: Vec::new(),
            flags: Flags { reference: Some("refs/tags/v1.2.3".to_owned()), ..Flags::default() },
            environment: Environment::new(),
            working_folder: self.folder.path.clone(),
        }
    }

    async fn apply(&self) -> Result<(Outcome, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut run = Run::new(&self.session(), 4, Arc::new(SilentReporter))?;
        let plan = run.plan(&[]).await?;
        let (_sender, cancel) = watch::channel(false);
        Ok(run.apply(&plan, cancel).await)
    }

    /// Whether a plan made now would change something.
    async fn has_changes(&self) -> bool {
        let mut run = Run::new(&self.session(), 4, Arc::new(SilentReporter)).expect("a configuration");
        run.plan(&[]).await.expect("a plan").has_changes()
    }

    fn root(&self) -> Digest {
        self.written.digest.parse().expect("a digest")
    }

    fn manifest(&self, at: &str) -> Option<RawManifest> {
        let content = self.registry.content();
        let tagged = content.tags.get(&("app".to_owned(), at.to_owned())).cloned();
        let digest = tagged.unwrap_or_else(|| at.to_owned());
        let held = content.manifests.get(&("app".to_owned(), digest))?;
        Some(RawManifest::new(&held.media_type, held.bytes.to_vec()))
    }

    /// Whether all referrers of the image are there, and clients find them.
    fn is_signed(&self, lists: bool) -> bool {
        let root = self.root();
        let tag = &cosign_tags(&root)[0];
        let by_tag = self.manifest(tag.as_str()).is_some_and(|it| *it.digest() == self.signature);
        let sbom = self.manifest(self.sbom.as_str());
        let there = sbom.is_some_and(|sbom| subject_of(&sbom).as_ref() == Some(&root));
        let fallback = self.manifest(fallback_tag(&root).expect("a tag").as_str());
        let found = match fallback.and_then(|index| listed(&index, &root)) {
            Some(list) => list.iter().any(|it| it.digest == self.sbom),
            None => lists,
        };
        by_tag && there && found
    }

    /// Whether a tag of the release names anything.
    fn is_released(&self) -> bool {
        let content = self.registry.content();
        content.tags.keys().any(|(_, tag)| tag.starts_with('v') || tag == "latest")
    }
}

fn configuration(url: &str, key: &str) -> String {
    format!(
        "version = 1\n\n[registries.there]\nurl = \"{url}\"\n{RELEASE_RULES}\n[images.app]\nsource = \"oci:image\"\n{key}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lists_gets_no_fallback_tag() {
    for lists in [true, false] {
        let world =
            ReferrersFixture::new(TestRegistryOptions { referrers: lists, ..TestRegistryOptions::default() })
                .await;
        let (outcome, problems) = world.apply().await.expect("a plan");
        assert_eq!(problems, []);
        assert_eq!(outcome.repositories[0].referrers_put, 2);
        assert!(world.is_signed(lists));
        let fallback = fallback_tag(&world.root()).expect("a tag");
        assert_eq!(world.manifest(fallback.as_str()).is_none(), lists);
        world.registry.forget_log();
        let (outcome, problems) = world.apply().await.expect("a plan");
        assert_eq!((outcome.repositories[0].referrers_put, problems), (0, Vec::new()));
        assert_eq!(world.registry.count("PUT", ""), 0);
        assert_eq!(world.registry.count("POST", ""), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_no_tag_comes_before_the_signatures() {
    for lists in [true, false] {
        let options = TestRegistryOptions { referrers: lists, ..TestRegistryOptions::default() };
        let clean = ReferrersFixture::new(options.clone()).await;
        clean.apply().await.expect("a plan");
        let requests = clean.registry.log().len();
        let faults = [Fault::Answer(403, Vec::new(), Vec::new()), Fault::Lost];
        let cases = (0..requests).flat_map(|skipped| faults.clone().map(|fault| (skipped, fault)));
        let runs = stream::iter(cases).map(|(skipped, fault)| {
            let options = options.clone();
            async move {
                let world = ReferrersFixture::new(options).await;
                world.registry.nth(skipped, fault.clone());
                let ended_well = world.apply().await.is_ok_and(|(_, problems)| problems.is_empty());
                let signed = world.is_signed(lists);
                assert!(signed || !world.is_released(), "request {skipped}, {fault:?}");
                assert!(signed || !ended_well, "request {skipped}, {fault:?}");
                world.registry.takes_back();
                let (_, problems) = world.apply().await.expect("a plan");
                assert_eq!(problems, [], "request {skipped}, {fault:?}");
                assert!(world.is_signed(lists) && world.is_released(), "request {skipped}, {fault:?}");
                assert!(!world.has_changes().await, "request {skipped}, {fault:?}");
                ended_well
            }
        });
        // They mostly wait for the next attempt.
        let ended_well: Vec<bool> = runs.buffer_unordered(24).collect().await;
        let failed = ended_well.iter().filter(|ended_well| !**ended_well).count();
        assert!(failed >= requests / 2, "{failed} of {requests}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_and_not_found_is_listed() {
    // The remains of a run that was killed after the tags of an older one, and before the list.
    for lists in [true, false] {
        let world =
            ReferrersFixture::new(TestRegistryOptions { referrers: lists, ..TestRegistryOptions::default() })
                .await;
        world.apply().await.expect("a plan");
        let key = |tag: &str| ("app".to_owned(), tag.to_owned());
        {
            let mut content = world.registry.content();
            content.tags.remove(&key(fallback_tag(&world.root()).expect("a tag").as_str()));
            content.tags.remove(&key(cosign_tags(&world.root())[0].as_str()));
        }
        assert!(world.has_changes().await);
        let (outcome, problems) = world.apply().await.expect("a plan");
        assert_eq!(
            (outcome.repositories[0].referrers_put, problems),
            (if lists { 1 } else { 2 }, Vec::new())
        );
        assert!(world.is_signed(lists));
        assert!(!world.has_changes().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_writer_took_away_is_put_back() {
    let world = ReferrersFixture::new(TestRegistryOptions::default()).await;
    let fallback = fallback_tag(&world.root()).expect("a tag");
    let foreign = RawManifest::new(OCI_INDEX, br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    // It had read the list before this run wrote it.
    let registry = world.registry.clone();
    world.registry.hold(Arc::new(move |request| {
        if request.method == "PUT" && request.path.ends_with("/manifests/latest") {
            registry.content().tag("app", fallback.as_str(), foreign.media_type(), foreign.bytes());
        }
        Box::pin(std::future::ready(()))
    }));
    let (_, problems) = world.apply().await.expect("a plan");
    assert_eq!(problems, []);
    assert!(world.is_signed(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_refers_to_another_is_listed_there() {
    for lists in [true, false] {
        let world =
            ReferrersFixture::new(TestRegistryOptions { referrers: lists, ..TestRegistryOptions::default() })
                .await;
        let subject = world.root();
        let artifact = world.folder.path.join("artifact");
        let layout = LayoutDirectory::create(&artifact);
        let sbom = layout.attach(&describe(&world.written.media_type, &world.written.bytes), SBOM, "alone");
        layout.list(&sbom, &[]);
        let text = configuration(&world.registry.host(), "").replace("oci:image", "oci:artifact");
        world.folder.write("publish.toml", text);
        let (_, problems) = world.apply().await.expect("a plan");
        assert_eq!(problems, []);
        let list = world.manifest(fallback_tag(&subject).expect("a tag").as_str());
        let list = list.and_then(|index| listed(&index, &subject)).unwrap_or_default();
        assert_eq!(list.len(), usize::from(!lists));
        assert!(world.is_released());
    }
}
