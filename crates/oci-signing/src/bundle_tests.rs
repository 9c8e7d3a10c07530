//! Tests of bundles: what is signed verifies, and nothing that was changed does.

use super::*;
use serde_json::json;

fn image(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn signed(key: &SigningKey) -> Value {
    let bundle = Bundle::sign(&Statement::signature(), &image("a"), key).expect("signed");
    serde_json::from_slice(&bundle.to_json()).expect("JSON")
}

/// The payload is what cosign 3 signs, and the bundle has the members that it writes.
#[test]
fn a_bundle_is_written_as_cosign_does() {
    let key = SigningKey::generate().expect("a key");
    let bundle = signed(&key);
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(bundle["verificationMaterial"], json!({ "publicKey": { "hint": key.public_key().hint() } }));
    assert_eq!(bundle["dsseEnvelope"]["payloadType"], "application/vnd.in-toto+json");
    let payload =
        BASE64_STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().expect("text")).expect("base64");
    assert_eq!(
        String::from_utf8(payload).expect("text"),
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
            image("a").hex()
        )
    );
}

#[test]
fn the_encoding_is_that_of_dsse() {
    // The example of dsse, `protocol.md`.
    assert_eq!(
        encode("http://example.com/HelloWorld", b"hello world"),
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    );
}

#[test]
fn only_the_key_and_the_subject_of_a_bundle_verify_it() {
    let (key, other) = (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
    let bundle = Bundle::parse(signed(&key).to_string().as_bytes()).expect("a bundle");
    let statement = bundle.verify(&image("a"), key.public_key()).expect("verified");
    assert_eq!(statement.predicate_type, crate::SIGNATURE);
    assert!(matches!(bundle.verify(&image("a"), other.public_key()), Err(BundleError::OtherKey(_))));
    assert_eq!(bundle.verify(&image("b"), key.public_key()), Err(BundleError::OtherSubject(image("b"))));
}

/// Each change makes the bundle worthless, or a bundle of something else.
#[test]
fn a_changed_bundle_proves_nothing() {
    let key = SigningKey::generate().expect("a key");
    let good = signed(&key);
    let statement = |kind: &str, digest: &str| {
        let statement = json!({
            "_type": kind,
            "subject": [{ "digest": { "sha256": digest } }],
            "predicateType": crate::SIGNATURE,
            "predicate": {},
        });
        json!(BASE64_STANDARD.encode(statement.to_string()))
    };
    let mut flipped = BASE64_STANDARD
        .decode(good["dsseEnvelope"]["signatures"][0]["sig"].as_str().expect("text"))
        .expect("base64");
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let twice = json!([good["dsseEnvelope"]["signatures"][0], good["dsseEnvelope"]["signatures"][0]]);
    for (pointer, value) in [
        ("/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
        ("/mediaType", json!("")),
        ("/dsseEnvelope/payload", statement("https://in-toto.io/Statement/v1", image("b").hex())),
        // The same statement in other bytes.
        ("/dsseEnvelope/payload", statement("https://in-toto.io/Statement/v0.1", image("a").hex())),
        ("/dsseEnvelope/payload", statement("https://example.com", image("a").hex())),
        ("/dsseEnvelope/payload", json!("")),
        ("/dsseEnvelope/payload", json!("!")),
        ("/dsseEnvelope/payloadType", json!("text/plain")),
        ("/dsseEnvelope/signatures", json!([])),
        ("/dsseEnvelope/signatures", twice),
        ("/dsseEnvelope/signatures/0/sig", json!(BASE64_STANDARD.encode(flipped))),
        ("/dsseEnvelope/signatures/0/sig", json!("")),
        ("/dsseEnvelope/signatures/0/sig", json!("AAAA")),
        ("/verificationMaterial", json!({})),
        ("/verificationMaterial/certificate", json!({ "rawBytes": "AAAA" })),
    ] {
        let mut changed = good.clone();
        match changed.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => changed["verificationMaterial"]["certificate"] = value.clone(),
        }
        let read = Bundle::parse(changed.to_string().as_bytes());
        let verified = read.and_then(|bundle| bundle.verify(&image("a"), key.public_key()));
        assert!(verified.is_err(), "{pointer} = {value}");
    }
}

#[test]
fn a_predicate_keeps_its_numbers_and_order() {
    let text = r#"{"b":1.10,"a":123456789012345678901234567890}"#;
    let statement =
        Statement { predicate_type: "https://example.com/p".to_owned(), predicate: text.to_owned() };
    let payload = String::from_utf8(statement.payload(&image("a")).expect("JSON")).expect("text");
    assert!(payload.ends_with(&format!(r#""predicate":{text}}}"#)), "{payload}");
    let broken = Statement { predicate: "{".to_owned(), ..statement };
    assert!(broken.payload(&image("a")).is_err());
}
