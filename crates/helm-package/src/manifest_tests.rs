//! Configurations, annotations and manifests: the cases of Helm's own test (`pkg/registry/chart_test.go`), and the bytes that Go writes.

use super::*;
use crate::metadata::Maintainer;

fn maintainer(name: &str, email: &str) -> Maintainer {
    Maintainer { name: name.into(), email: email.into(), url: String::new() }
}

fn oci() -> ChartMetadata {
    ChartMetadata { name: "oci".into(), version: "0.0.1".into(), ..ChartMetadata::default() }
}

fn annotated(metadata: &ChartMetadata) -> Vec<(String, String)> {
    let short = |key: String| key.trim_start_matches("org.opencontainers.image.").to_owned();
    annotations(metadata, Some("now")).into_iter().map(|(key, value)| (short(key), value)).collect()
}

#[test]
fn annotations_are_those_of_helm() {
    let said =
        ChartMetadata { description: "OCI Helm Chart".into(), home: "https://helm.sh".into(), ..oci() };
    let both = vec![maintainer("John Snow", "john@winterfell.com"), maintainer("Jane Snow", "")];
    let sources = vec!["https://github.com/helm/helm".to_owned(), "https://helm.sh".to_owned()];
    let own =
        [(TITLE, "other"), (VERSION, "1.0.0"), ("extra", "value"), ("org.opencontainers.image.url", "own")];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let blank = ChartMetadata { description: "  ".into(), ..oci() };
    for (metadata, more) in [
        (oci(), vec![]),
        (blank, vec![]),
        (said.clone(), vec![("description", "OCI Helm Chart"), ("url", "https://helm.sh")]),
        (
            ChartMetadata { maintainers: both, ..oci() },
            vec![("authors", "John Snow (john@winterfell.com), Jane Snow")],
        ),
        (ChartMetadata { sources, ..oci() }, vec![("source", "https://github.com/helm/helm")]),
        (
            ChartMetadata { annotations: own.into(), ..said },
            vec![("description", "OCI Helm Chart"), ("url", "own"), ("extra", "value")],
        ),
    ] {
        let mut expected = vec![("title", "oci"), ("version", "0.0.1"), ("created", "now")];
        expected.extend(more);
        expected.sort_unstable();
        let mut found = annotated(&metadata);
        found.sort();
        let expected: Vec<_> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found, expected);
    }
    assert!(!annotations(&oci(), None).contains_key("org.opencontainers.image.created"));
}

#[test]
fn a_manifest_is_what_helm_writes() {
    let metadata = ChartMetadata {
        description: "a <b> & c".into(),
        api_version: "v2".into(),
        deprecated: true,
        ..oci()
    };
    let (config, bytes) = config(&metadata).expect("a configuration");
    assert_eq!(
        String::from_utf8(bytes).expect("UTF-8"),
        r#"{"name":"oci","version":"0.0.1","description":"a \u003cb\u003e \u0026 c","apiVersion":"v2","deprecated":true}"#
    );
    let layer = |content: &str| Descriptor::new(content, Digest::of(content.as_bytes()), 1);
    let (content, proof) = (layer(CONTENT), layer(PROVENANCE));
    let of = |layers| manifest(config.clone(), layers, annotations(&oci(), None)).expect("a manifest");
    let raw = of(vec![content.clone(), proof.clone()]);
    let (first, second) =
        if content.digest.as_str() < proof.digest.as_str() { (content, proof) } else { (proof, content) };
    assert_eq!(
        String::from_utf8(raw.bytes().to_vec()).expect("UTF-8"),
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{CONFIG}","digest":"{}","size":{}}},"layers":[{{"mediaType":"{}","digest":"{}","size":1}},{{"mediaType":"{}","digest":"{}","size":1}}],"annotations":{{"{TITLE}":"oci","{VERSION}":"0.0.1"}}}}"#,
            config.digest, config.size, first.media_type, first.digest, second.media_type, second.digest
        )
    );
    assert_eq!(of(vec![second, first]), raw, "layers are sorted");
    assert!(raw.parse().is_ok());
}
