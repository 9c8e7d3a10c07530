//! The referrers that travel with an image of a layout, however they are listed there, and those that are refused.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use testkit::signatures::cosign_tag;

use crate::fixture::{self, LayoutDirectory, OCI_INDEX, OCI_MANIFEST, TestImage, TestLayer, Written};
use crate::{ImageSpec, Publishable, SourceSpec, Surroundings, TransportSpec, open_image};

const SBOM: &str = "application/spdx+json";

/// A layout with an image for two platforms, signed in every way.
struct SignedLayout {
    folder: tempfile::TempDir,
    written: Written,
    layout: LayoutDirectory,
}

impl SignedLayout {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let layer = |text: &str| vec![TestLayer::files(&[("text", text.as_bytes())])];
        let image = TestImage::new().platform("linux/amd64", layer("a")).platform("linux/arm64", layer("b"));
        let written = image.attested().reference("v1").write(&folder.path().join("image"));
        let layout = LayoutDirectory::create(&written.directory);
        Self { folder, written, layout }
    }

    fn root(&self) -> Value {
        fixture::describe(&self.written.media_type, &self.written.bytes)
    }

    fn spec() -> ImageSpec {
        ImageSpec {
            referrers: true,
            ..ImageSpec::of("oci:image".parse().map(SourceSpec::One).expect("a source"))
        }
    }

    fn publish(&self, spec: &ImageSpec) -> Result<Publishable, SourceError> {
        publish_in(self.folder.path(), spec)
    }

    /// The digests of the referrers that travel, each with its subject and its tag.
    fn travelling(&self) -> Vec<(String, String, Option<String>)> {
        let published = self.publish(&Self::spec()).expect("published");
        let found = published.referrers.iter().map(|it| &it.referrer);
        found
            .map(|it| {
                let tag = it.tag.as_ref().map(ToString::to_string);
                (it.descriptor.digest.to_string(), it.subject.to_string(), tag)
            })
            .collect()
    }
}

fn publish_in(folder: &Path, spec: &ImageSpec) -> Result<Publishable, SourceError> {
    open_image(spec, &Surroundings::local(folder)).map(|(_, content)| content)
}

fn key(referrer: &Value, subject: &str) -> (String, String, Option<String>) {
    (referrer["digest"].as_str().expect("a digest").to_owned(), subject.to_owned(), None)
}

#[test]
fn everything_that_refers_travels_however_it_is_listed() {
    let signed = SignedLayout::new();
    let (root, child) = (signed.root(), signed.written.images[1].clone());
    let (root_digest, child_digest) =
        (signed.written.digest.clone(), child["digest"].as_str().expect("a digest").to_owned());
    assert_eq!(signed.travelling(), []);
    // The referrers are listed as oras, regclient and cosign do it; one is a signature of the SBOM.
    let by_oras = signed.layout.attach(&root, SBOM, "sbom");
    signed.layout.list(&by_oras, &[]);
    let by_regclient = signed.layout.attach(&child, SBOM, "sbom of a platform");
    signed.layout.list_referrers(&child_digest, &[&by_regclient]);
    let by_cosign = signed.layout.cosign(&root_digest, &["MEUCIQ"]);
    signed.layout.list(&by_cosign, &[cosign_tag(&root_digest, "sig")]);
    let of_sbom = signed.layout.attach(&by_oras, "application/vnd.example.signature", "signature");
    signed.layout.list_referrers(by_oras["digest"].as_str().expect("a digest"), &[&of_sbom, &of_sbom]);
    // Referrers of something else do not travel.
    let other = signed.layout.attach(&fixture::describe(OCI_MANIFEST, b"other"), SBOM, "of another");
    signed.layout.list(&other, &[]);

    let mut expected = vec![
        key(&by_regclient, &child_digest),
        key(&by_oras, &root_digest),
        (
            by_cosign["digest"].as_str().expect("a digest").to_owned(),
            root_digest.clone(),
            Some(cosign_tag(&root_digest, "sig")),
        ),
        key(&of_sbom, by_oras["digest"].as_str().expect("a digest")),
    ];
    let found = signed.travelling();
    assert_eq!(found, signed.travelling(), "the same on every run");
    // A signed manifest comes before its signature.
    let place = |digest: &Value| found.iter().position(|it| digest == &it.0);
    assert!(place(&by_oras["digest"]) < place(&of_sbom["digest"]), "{found:?}");
    let mut sorted = found.clone();
    sorted.sort();
    expected.sort();
    assert_eq!(sorted, expected);
    let published = signed.publish(&SignedLayout::spec()).expect("published");
    let described = &published.referrers[1].referrer.descriptor;
    assert_eq!(described.artifact_type.as_deref(), Some(SBOM));
    // Without `referrers`, nothing travels.
    let plain = ImageSpec { referrers: false, ..SignedLayout::spec() };
    assert!(signed.publish(&plain).expect("published").referrers.is_empty());
    // The same holds for a tar file, and for an index assembled from it.
    fixture::to_archive(&signed.written.directory, &signed.folder.path().join("image.tar"));
    let archive = |spec: SourceSpec| ImageSpec { referrers: true, ..ImageSpec::of(spec) };
    let in_archive = archive("oci-archive:image.tar:v1".parse().map(SourceSpec::One).expect("a source"));
    assert_eq!(signed.publish(&in_archive).expect("published").referrers.len(), 4);
    let one: TransportSpec = "oci-archive:image.tar:v1".parse().expect("a source");
    let table = archive(SourceSpec::Platforms([("linux/arm64".to_owned(), one)].into()));
    let published = signed.publish(&table).expect("published");
    assert_eq!(published.referrers.len(), 1, "that of the platform's image");
    let blob = &published.referrers[0].content.blobs[0];
    assert!(published.source.open(blob).is_ok());
}

#[test]
fn a_referrer_is_not_mistaken_for_an_image() {
    let signed = SignedLayout::new();
    let sbom = signed.layout.attach(&signed.root(), SBOM, "sbom");
    signed.layout.list(&sbom, &[]);
    signed.layout.list_referrers(&signed.written.digest, &[&sbom]);
    let signature = signed.layout.cosign(&signed.written.digest, &["MEUCIQ"]);
    signed.layout.list(&signature, &[cosign_tag(&signed.written.digest, "sig")]);
    assert_eq!(
        signed.publish(&SignedLayout::spec()).expect("published").content.root.digest.as_str(),
        signed.written.digest
    );
    // If a layout holds only an artifact, that artifact is published, even if it refers to something.
    let alone = tempfile::tempdir().expect("a folder");
    let layout = LayoutDirectory::create(&alone.path().join("image"));
    let sbom = layout.attach(&signed.root(), SBOM, "alone");
    layout.list(&sbom, &[]);
    let published = publish_in(alone.path(), &SignedLayout::spec()).expect("published");
    assert_eq!(sbom["digest"], published.content.root.digest.as_str());
}

#[test]
fn lists_of_referrers_are_checked_against_the_manifests() {
    let signed = SignedLayout::new();
    let digest = signed.written.digest.clone();
    // The list at the fallback tag lists images that refer to nothing, as GitLab's answers do.
    signed.layout.list_referrers(&digest, &signed.written.images.iter().collect::<Vec<_>>());
    assert_eq!(signed.travelling(), []);
    // If a list names a missing manifest, the copy is incomplete.
    let signed = SignedLayout::new();
    let lost = fixture::describe(OCI_MANIFEST, b"lost");
    signed.layout.list_referrers(&digest, &[&lost]);
    let error = signed.publish(&SignedLayout::spec()).err().expect("refused");
    assert!(error.to_string().contains("is not in the source"), "{error}");
}

#[test]
fn a_circle_and_a_crowd_end() {
    let signed = SignedLayout::new();
    let mut subject = signed.root();
    for depth in 0..=MAX_DISTANCE {
        subject = signed.layout.attach(&subject, SBOM, &format!("at depth {depth}"));
        signed.layout.list(&subject, &[]);
    }
    let error = signed.publish(&SignedLayout::spec()).err().expect("refused");
    assert!(error.to_string().contains("more than 8 deep"), "{error}");

    let signed = SignedLayout::new();
    for number in 0..=MAX_REFERRERS {
        let referrer = signed.layout.attach(&signed.root(), SBOM, &format!("number {number}"));
        signed.layout.list(&referrer, &[]);
    }
    let error = signed.publish(&SignedLayout::spec()).err().expect("refused");
    assert!(error.to_string().contains("more than 1000 manifests refer"), "{error}");

    // A referrer that lists its own subject reaches only known manifests.
    let signed = SignedLayout::new();
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [signed.root()], "subject": signed.root() });
    let index = signed.layout.put(OCI_INDEX, index.to_string().as_bytes());
    signed.layout.list(&index, &[]);
    assert_eq!(signed.travelling().len(), 1);
}

#[test]
fn a_change_of_a_signed_image_is_refused() {
    let change =
        |spec: ImageSpec| ImageSpec { annotations: [("a".to_owned(), "b".to_owned())].into(), ..spec };
    let signed = SignedLayout::new();
    assert!(signed.publish(&change(SignedLayout::spec())).is_ok(), "nothing refers to it");
    let sbom = signed.layout.attach(&signed.written.images[0], SBOM, "of a platform");
    signed.layout.list(&sbom, &[]);
    let published =
        signed.publish(&change(SignedLayout::spec())).expect("the image of the platform is unchanged");
    assert_eq!(published.referrers.len(), 1);
    let signature = signed.layout.cosign(&signed.written.digest, &["MEUCIQ"]);
    signed.layout.list(&signature, &[cosign_tag(&signed.written.digest, "sig")]);
    let error = signed.publish(&change(SignedLayout::spec())).err().expect("refused");
    let expected = format!("1 manifest refers to `{}` of the source", signed.written.digest);
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(error.help().is_some_and(|help| help.contains("sign after publishing")));
    let without = ImageSpec { referrers: false, ..change(SignedLayout::spec()) };
    assert!(signed.publish(&without).is_ok());
}
