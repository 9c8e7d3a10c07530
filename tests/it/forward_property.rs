//! The first promise as a property: in whatever order releases are published, every forward tag ends on the highest
//! version of its line, immutable tags never change, and pre-releases move no forward tag. The test publishes to
//! a directory registry, through the same engine as the command.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use semver::Version;

use crate::published_release::publish;

const CONFIG: &str = r#"
version = 1
[registries.bundle]
url = "oci:registry"
[tags.version]
on = "tag"
template = "v{{ version }}"
[tags.minor]
on = "tag"
template = "v{{ version.major }}.{{ version.minor }}"
mutability = "forward"
[tags.major]
on = "tag"
template = "v{{ version.major }}"
mutability = "forward"
[tags.latest]
on = "tag"
template = "latest"
mutability = "forward"
[images.app]
source = "oci-archive:image.tar"
annotations = { "org.opencontainers.image.version" = "{{ version }}" }
"#;

/// The digest that each tag names, as the layout says.
fn tags(folder: &Path) -> BTreeMap<String, String> {
    let index = std::fs::read(folder.join("registry/app/index.json")).expect("an index");
    let index: serde_json::Value = serde_json::from_slice(&index).expect("JSON");
    let entries = index["manifests"].as_array().expect("a list").iter();
    entries
        .map(|entry| {
            let name = entry["annotations"]["org.opencontainers.image.ref.name"].as_str().expect("a name");
            (name.to_owned(), entry["digest"].as_str().expect("a digest").to_owned())
        })
        .collect()
}

fn version() -> impl Strategy<Value = Version> {
    (0_u64..3, 0_u64..3, 0_u64..2, prop_oneof![3 => Just(""), 1 => Just("rc.1"), 1 => Just("rc.2")]).prop_map(
        |(major, minor, patch, pre)| {
            let mut version = Version::new(major, minor, patch);
            version.pre = pre.parse().expect("a pre-release");
            version
        },
    )
}

fn prepared() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("publish.toml"), CONFIG).expect("writable");
    let quickstart = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/image.tar");
    std::fs::copy(quickstart, folder.path().join("image.tar")).expect("an image");
    let path = folder.path().to_owned();
    (folder, path)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn forward_tags_end_on_the_highest_version(versions in proptest::collection::vec(version(), 1..8)) {
        let (_keep, folder) = prepared();
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        let mut seen: BTreeSet<Version> = BTreeSet::new();
        for version in &versions {
            prop_assert!(!publish(&folder, version).is_blocked());
            seen.insert(version.clone());
            let tags = tags(&folder);
            let own = &tags[&format!("v{version}")];
            prop_assert_eq!(first.entry(format!("v{version}")).or_insert_with(|| own.clone()), own, "immutable");
            let mut lines: BTreeMap<String, Version> = BTreeMap::new();
            for release in seen.iter().filter(|version| version.pre.is_empty()) {
                for line in ["latest".to_owned(), format!("v{}", release.major), format!("v{}.{}", release.major, release.minor)] {
                    let highest = lines.entry(line).or_insert_with(|| release.clone());
                    *highest = release.clone().max(highest.clone());
                }
            }
            for (line, highest) in &lines {
                prop_assert_eq!(tags.get(line), tags.get(&format!("v{highest}")), "{} after {:?}", line, versions);
            }
            let expected = lines.len() + seen.len();
            prop_assert_eq!(tags.len(), expected, "{:?}", tags);
        }
    }
}
