//! The content that is published for a declared source.

use super::*;
use crate::SourceSpec;
use crate::fixture::{TestImage, TestLayer};
use oci_registry::Platform;
use std::collections::BTreeMap;

fn publish(image: &TestImage, platforms: &[&str]) -> Result<Publishable, String> {
    let folder = tempfile::tempdir().expect("a directory");
    image.write(&folder.path().join("image"));
    let spec = SourceSpec::One("oci:image".parse().expect("a source"));
    let platforms: Vec<Platform> = platforms.iter().map(|it| it.parse().expect("a platform")).collect();
    let annotations = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    let spec = ImageSpec { platforms, annotations, ..ImageSpec::of(spec) };
    open_image(&spec, &Surroundings::local(folder.path())).map(|(_, content)| content).map_err(|error| {
        assert!(error.help().is_some());
        error.to_string()
    })
}

fn image(platforms: &[&str]) -> TestImage {
    platforms
        .iter()
        .fold(TestImage::new(), |image, platform| image.platform(platform, vec![TestLayer::noise(1, 10)]))
}

#[test]
fn the_walked_content_is_published() {
    let published = publish(&image(&["linux/amd64"]), &[]).expect("published");
    assert_eq!(published.source.root().expect("a root"), published.content.root);
    let last = published.content.manifests.last().expect("a root");
    assert_eq!(last.parse().expect("a manifest").annotations().get("a").map(String::as_str), Some("1"));
}

#[test]
fn required_platforms_must_be_there() {
    let both = image(&["linux/amd64", "linux/arm64/v8"]).attested();
    assert!(publish(&both, &["linux/amd64", "linux/arm64"]).is_ok());
    let arm = publish(&both, &["linux/arm64"]).expect("others are left out");
    assert_eq!((arm.content.platforms.len(), arm.content.manifests.len()), (1, 3), "with its attestation");
    assert_eq!(
        publish(&both, &["linux/s390x", "linux/amd64", "linux/arm/v7"]).err().as_deref(),
        Some(
            "source `oci:image` lacks `linux/s390x`, `linux/arm/v7`: it is for `linux/amd64`, `linux/arm64/v8`"
        )
    );
    let one = image(&["linux/arm/v6"]).single();
    assert!(publish(&one, &["linux/arm/v6"]).is_ok());
    assert!(publish(&one, &["linux/arm"]).is_err_and(|error| error.contains("it is for `linux/arm/v6`")));
    assert!(publish(&image(&[]), &["linux/arm"]).is_err_and(|error| error.contains("it names no platform")));
}
