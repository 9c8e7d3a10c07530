//! Tests of describing and listing referrers, of the index at the fallback tag, and of replacing manifests at a tag of cosign.

use serde_json::{Value, json};

use super::*;
use crate::manifest::Manifest;

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn manifest(value: &Value) -> RawManifest {
    let media_type = value["mediaType"].as_str().unwrap_or(media_type::OCI_MANIFEST).to_owned();
    RawManifest::new(media_type, value.to_string().into_bytes())
}

fn signature(subject: Option<&Digest>, artifact_type: Option<&str>) -> RawManifest {
    let mut value = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": { "mediaType": "application/vnd.example.config", "digest": digest("{}"), "size": 2 },
        "layers": [],
        "annotations": { "b": "2", "a": "1" },
    });
    if let Some(subject) = subject {
        value["subject"] = json!({ "mediaType": media_type::OCI_INDEX, "digest": subject, "size": 3 });
    }
    if let Some(artifact_type) = artifact_type {
        value["artifactType"] = json!(artifact_type);
    }
    manifest(&value)
}

fn index(entries: &Value) -> RawManifest {
    manifest(&json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries }))
}

#[test]
fn a_referrer_is_described_as_in_lists() {
    let subject = digest("image");
    let typed = signature(Some(&subject), Some("application/spdx+json"));
    let referrer = Referrer::by_subject(&typed, &subject).expect("a referrer");
    assert_eq!(referrer.descriptor.artifact_type.as_deref(), Some("application/spdx+json"));
    assert_eq!(referrer.descriptor.annotations.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(referrer.descriptor.digest, *typed.digest());
    // Without an artifact type, it has the type of its configuration.
    let untyped = describe(&signature(Some(&subject), None));
    assert_eq!(untyped.artifact_type.as_deref(), Some("application/vnd.example.config"));
    assert_eq!(Referrer::by_subject(&typed, &digest("another")), None);
    assert_eq!(Referrer::by_subject(&signature(None, None), &subject), None);
    let broken = RawManifest::new(media_type::OCI_MANIFEST, b"[".to_vec());
    assert_eq!((subject_of(&broken), describe(&broken)), (None, broken.descriptor()));
}

#[test]
fn tags_are_made_of_digests() {
    let subject = digest("image");
    let fallback = fallback_tag(&subject).expect("a tag");
    assert_eq!(fallback.as_str(), format!("sha256-{}", subject.hex()));
    assert!(fallback.is_of_referrers_to(&subject));
    let tags: Vec<String> = cosign_tags(&subject).iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["sig", "att", "sbom"].map(|it| format!("sha256-{}.{it}", subject.hex())));
    // Cut to 64 digits (distribution-spec 1.1, "Referrers Tag Schema").
    let mut long = crate::digest::Digester::sha512();
    long.update(b"image");
    let long = long.finish();
    assert_eq!(fallback_tag(&long).expect("a tag").as_str().len(), "sha512-".len() + 64);
    assert!(cosign_tags(&long).is_empty(), "139 characters are too long for a tag");
    let at_tag = || describe(&signature(None, None));
    assert!(Referrer::by_tag(at_tag(), &subject, &cosign_tags(&subject)[0]).is_some());
    assert!(Referrer::by_tag(at_tag(), &subject, &fallback).is_none());
    assert!(Referrer::by_tag(at_tag(), &digest("another"), &cosign_tags(&subject)[0]).is_none());
}

#[test]
fn an_index_keeps_the_entries_of_others() {
    let subject = digest("image");
    let (one, two) = (
        describe(&signature(Some(&subject), Some("a/one"))),
        describe(&signature(Some(&subject), Some("a/two"))),
    );
    let foreign =
        json!({ "mediaType": "x", "digest": digest("foreign"), "size": 1, "custom": { "z": 1, "a": 2 } });
    let present = manifest(&json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [foreign, two], "annotations": { "k": "v" },
    }));
    let merged = with_referrers(Some(&present), &subject, &[one.clone(), two.clone(), one.clone()]);
    let merged = merged.expect("an index").expect("something new");
    let value: Value = serde_json::from_slice(merged.bytes()).expect("JSON");
    assert_eq!(value["manifests"][0], foreign);
    assert_eq!(value["annotations"], json!({ "k": "v" }));
    let digests: Vec<Digest> =
        listed(&merged, &subject).expect("a list").into_iter().map(|it| it.digest).collect();
    assert_eq!(digests, [digest("foreign"), two.digest.clone(), one.digest.clone()]);
    assert!(matches!(merged.parse(), Ok(Manifest::Index { .. })));
    // Present entries are not written again.
    assert_eq!(with_referrers(Some(&merged), &subject, &[one.clone(), two]), Ok(None));
    let fresh = with_referrers(None, &subject, std::slice::from_ref(&one)).expect("an index").expect("new");
    assert_eq!(listed(&fresh, &subject), Some(vec![one]));
}

#[test]
fn other_content_is_not_a_list_of_referrers() {
    let one = describe(&signature(None, None));
    let image = index(&json!([one]));
    // GitLab answers a request for the tag of an image with the image.
    assert_eq!(listed(&image, image.digest()), None);
    let written = with_referrers(Some(&image), image.digest(), std::slice::from_ref(&one));
    assert!(written.expect("as if the tag did not exist").is_some());
    let subject = digest("image");
    for other in [
        signature(None, None),
        RawManifest::new(media_type::OCI_INDEX, b"[]".to_vec()),
        RawManifest::new(media_type::OCI_INDEX, b"{".to_vec()),
        RawManifest::new(media_type::OCI_INDEX, br#"{"manifests":[{}]}"#.to_vec()),
        RawManifest::new(media_type::DOCKER_MANIFEST_LIST, image.bytes().to_vec()),
    ] {
        assert_eq!(listed(&other, &subject), None, "{}", String::from_utf8_lossy(other.bytes()));
        assert!(with_referrers(Some(&other), &subject, std::slice::from_ref(&one)).is_err());
    }
    let none = RawManifest::new(media_type::OCI_INDEX, br#"{"schemaVersion":2,"manifests":null}"#.to_vec());
    assert_eq!(listed(&none, &subject), Some(Vec::new()));
    assert!(with_referrers(Some(&none), &subject, &[one]).expect("an index").is_some());
}

#[test]
fn signatures_are_added_and_never_taken_away() {
    let with = |signatures: &[&str]| {
        let layer = |text: &&str| json!({ "mediaType": "s", "digest": digest("payload"), "size": 7, "annotations": { "sig": text } });
        let layers: Vec<Value> = signatures.iter().map(layer).collect();
        manifest(&json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
            "config": { "mediaType": "c", "digest": digest("{}"), "size": 2 }, "layers": layers,
        }))
    };
    assert!(has_all_of(&with(&["a", "b"]), &with(&["a"])));
    assert!(has_all_of(&with(&["b", "a"]), &with(&["a", "b"])));
    assert!(!has_all_of(&with(&["a"]), &with(&["a", "b"])), "all signatures are over the same payload");
    assert!(!has_all_of(&with(&["a"]), &with(&["b"])));
    let list = index(&json!([]));
    assert!(!has_all_of(&with(&["a"]), &list) && !has_all_of(&list, &with(&[])));
}
