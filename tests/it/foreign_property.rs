//! The first promise in a repository that other publishers filled: whatever it holds, however its list is cut and whatever
//! HEAD answers, `latest` never moves from a higher version to a lower one, no immutable tag changes, and a tag that stays
//! although it should move is reported.

use std::collections::BTreeMap;
use std::path::Path;

use brokkr_publish::model::plan::Action;
use oci_registry::media_type::OCI_MANIFEST;
use proptest::prelude::*;
use semver::Version;
use testkit::image::sha256;
use testkit::test_registry::{LinkForm, Quirks, TestRegistry, TestRegistryOptions};

use crate::published_release::publish;

const REPOSITORY: &str = "acme/app";

/// An image that another publisher put into the repository.
#[derive(Debug, Clone)]
struct Foreign {
    version: Version,
    /// Its tags, as templates of the version.
    tags: Vec<&'static str>,
    label: bool,
    annotation: bool,
    latest: bool,
}

fn version() -> impl Strategy<Value = Version> {
    (0_u64..3, 0_u64..3, 0_u64..2).prop_map(|(major, minor, patch)| Version::new(major, minor, patch))
}

fn foreign() -> impl Strategy<Value = Foreign> {
    let tags = proptest::sample::subsequence(vec!["V", "vV", "M", "vM", "J", "sha"], 0..4);
    (version(), tags, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(version, tags, label, annotation, latest)| Foreign { version, tags, label, annotation, latest },
    )
}

fn quirks() -> impl Strategy<Value = (usize, Quirks)> {
    let link = prop_oneof![
        Just(LinkForm::Whole),
        Just(LinkForm::None),
        Just(LinkForm::NoBrackets),
        Just(LinkForm::NoRelation)
    ];
    let head = prop_oneof![4 => Just(None), 1 => Just(Some(404)), 1 => Just(Some(405))];
    let list = prop_oneof![6 => Just(None), 1 => Just(Some(404)), 1 => Just(Some(405))];
    let missing = prop_oneof![4 => Just(None), 1 => Just(Some(403))];
    (1_usize..12, link, any::<bool>(), any::<bool>(), head, list, missing).prop_map(
        |(page, link, ignores_last, descending, head, list, missing)| {
            // A registry that forbids everything that is not there, and lists nothing, shows no absence.
            let missing = missing.filter(|_| list.is_none() && link == LinkForm::Whole && !ignores_last);
            (page, Quirks { link, ignores_last, descending, head, list, missing, ..Quirks::default() })
        },
    )
}

/// Puts the foreign images. Returns the version of each digest.
fn fill(registry: &TestRegistry, images: &[Foreign]) -> BTreeMap<String, Version> {
    let mut versions = BTreeMap::new();
    let mut content = registry.content();
    for (position, image) in images.iter().enumerate() {
        let key = "org.opencontainers.image.version";
        let stated = image.version.to_string();
        let labels = if image.label { serde_json::json!({ key: stated }) } else { serde_json::json!({}) };
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "config": { "Labels": labels }, "position": position,
            "rootfs": { "type": "layers", "diff_ids": [] },
        });
        let config = config.to_string().into_bytes();
        content.blob(REPOSITORY, &config.clone().into());
        let annotations =
            if image.annotation { serde_json::json!({ key: stated }) } else { serde_json::json!({}) };
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [], "annotations": annotations,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(&config), "size": config.len(),
            },
        });
        let manifest = manifest.to_string().into_bytes();
        let Version { major, minor, .. } = image.version;
        content.put(REPOSITORY, OCI_MANIFEST, &manifest);
        for template in &image.tags {
            let tag = match *template {
                "V" => image.version.to_string(),
                "vV" => format!("v{}", image.version),
                "M" => format!("{major}.{minor}"),
                "vM" => format!("v{major}.{minor}"),
                "J" => major.to_string(),
                _ => format!("sha-{position}"),
            };
            let taken = content.tags.contains_key(&(REPOSITORY.to_owned(), tag.clone()));
            // A part of a version, or a version, that two images claim would be a lie about one of them.
            if !taken {
                content.tag(REPOSITORY, &tag, OCI_MANIFEST, &manifest);
            }
        }
        if image.latest {
            content.tag(REPOSITORY, "latest", OCI_MANIFEST, &manifest);
        }
        versions.insert(sha256(&manifest), image.version.clone());
    }
    versions
}

fn named(registry: &TestRegistry, tag: &str) -> Option<String> {
    registry.content().tags.get(&(REPOSITORY.to_owned(), tag.to_owned())).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn latest_never_moves_back(
        images in proptest::collection::vec(foreign(), 0..4),
        (page, quirks) in quirks(),
        releases in proptest::collection::vec(version(), 1..4),
    ) {
        let server = tokio::runtime::Runtime::new().expect("a runtime");
        let registry = server.block_on(TestRegistry::start(TestRegistryOptions { page, quirks, ..TestRegistryOptions::default() }));
        let mut versions = fill(&registry, &images);
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "version = 1\n[registries.local]\nurl = \"{}/acme\"\n\
             [tags.version]\non = \"tag\"\ntemplate = \"v{{{{ version }}}}\"\n\
             [tags.latest]\non = \"tag\"\ntemplate = \"latest\"\nmutability = \"forward\"\n\
             [images.app]\nsource = \"oci-archive:image.tar\"\nannotations = {{ \"x.version\" = \"{{{{ version }}}}\" }}\n",
            registry.host()
        );
        std::fs::write(folder.path().join("publish.toml"), config).expect("writable");
        let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/image.tar");
        std::fs::copy(quickstart, folder.path().join("image.tar")).expect("an image");
        for release in &releases {
            let own = format!("v{release}");
            let (immutable, latest) = (named(&registry, &own), named(&registry, "latest"));
            let plan = publish(folder.path(), release);
            let change = |tag: &str| {
                plan.repositories[0].changes.iter().find(|change| change.tag.as_str() == tag).expect("a change")
            };
            let (immutable_after, latest_after) = (named(&registry, &own), named(&registry, "latest"));
            if immutable.is_some() {
                prop_assert_eq!(&immutable_after, &immutable, "{} is immutable", own);
            } else if let Some(digest) = immutable_after {
                versions.insert(digest, release.clone());
            }
            let version_of = |digest: &Option<String>| digest.as_ref().and_then(|digest| versions.get(digest)).cloned();
            let (before, after) = (version_of(&latest), version_of(&latest_after));
            prop_assert!(after >= before, "latest went from {:?} to {:?}", before, after);
            let stays = latest.is_some() && latest == latest_after && before.as_ref() < Some(release);
            if stays && !plan.is_blocked() {
                prop_assert_eq!(change("latest").action, Action::Keep);
                prop_assert!(change("latest").reason.to_string().starts_with("kept"), "{}", change("latest").reason);
            }
        }
    }
}
