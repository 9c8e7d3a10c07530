//! Tests of keys: their forms, passwords and damage.

use super::*;
use testkit::signatures::{ENCRYPTED_KEY as ENCRYPTED, PUBLIC_KEY as PUBLIC, SIGNING_KEY as PRIVATE};

#[test]
fn keys_of_openssl_are_read() {
    let key = SigningKey::from_pem(PRIVATE, None).expect("a key");
    assert_eq!(key.public_key().to_pem(), PUBLIC);
    assert_eq!(PublicKey::from_pem(PUBLIC).expect("a key"), *key.public_key());
    let signature = key.sign(b"text").expect("signed");
    assert!(key.public_key().verifies(b"text", &signature));
    assert!(!key.public_key().verifies(b"texT", &signature));
}

#[test]
fn keys_that_lost_their_lines_in_a_variable_are_read() {
    for text in [
        PRIVATE.replace('\n', "\r\n"),
        PRIVATE.replace('\n', ""),
        PRIVATE.replace('\n', "\\n"),
        PRIVATE.replace('\n', " "),
    ] {
        let key = SigningKey::from_pem(&text, None).expect("a key");
        assert_eq!(key.public_key().to_pem(), PUBLIC);
    }
}

#[test]
fn keys_of_cosign_are_decrypted() {
    let key = SigningKey::from_pem(ENCRYPTED, Some("correct horse")).expect("a key");
    assert_eq!(key.public_key().to_pem(), PUBLIC);
    let older = ENCRYPTED.replace("SIGSTORE", "COSIGN");
    assert!(SigningKey::from_pem(&older, Some("correct horse")).is_ok());
    let error = |text, password| SigningKey::from_pem(text, password).expect_err("no key");
    assert_eq!(error(ENCRYPTED, Some("wrong")), KeyError::Password);
    assert_eq!(error(ENCRYPTED, Some("")), KeyError::Password);
    assert_eq!(error(ENCRYPTED, None), KeyError::Encrypted);
}

#[test]
fn other_texts_are_no_keys() {
    let rsa = crate::pem::block("RSA PRIVATE KEY", b"x");
    let garbage = crate::pem::block("PRIVATE KEY", b"x");
    let sealed = crate::pem::block("ENCRYPTED SIGSTORE PRIVATE KEY", b"{}");
    for (text, words) in [
        ("", "not a key in PEM"),
        (PUBLIC, "`PUBLIC KEY`, not `PRIVATE KEY`"),
        (rsa.as_str(), "`RSA PRIVATE KEY`"),
        (garbage.as_str(), "curve P-256"),
        (sealed.as_str(), "unknown way"),
    ] {
        let error = SigningKey::from_pem(text, Some("x")).expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    assert!(PublicKey::from_pem(PRIVATE).is_err());
    assert!(PublicKey::from_pem(&crate::pem::block("PUBLIC KEY", &[0; 91])).is_err());
    let shown = format!("{:?}", SigningKey::from_pem(PRIVATE, None));
    assert!(!shown.contains("6CCA5BDB") && !shown.contains("108, 202, 91"), "{shown}");
}
