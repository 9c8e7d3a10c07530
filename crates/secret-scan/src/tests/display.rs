//! Texts that may hold a secret are shown without it.

use std::collections::BTreeSet;

use oci_registry::Digest;

use crate::Rules;
use crate::display::{path_without_known, redact_text, without_known};

#[test]
fn words_that_follow_the_name_of_a_secret_or_look_random_are_not_shown() {
    let secret = "pcMysQ8vLw2Zt7Kd";
    for text in [
        "printf \"machine api.github.com login me password V\" > /root/.netrc",
        "printf 'machine x\\nlogin me\\npassword V\\n' > /root/.netrc",
        "printf \"[client]\\npassword=V\\n\" > /root/.my.cnf",
        "echo V | docker login -u me --password-stdin",
        "docker login -u me -p V registry.example.com",
        "curl -u me:V https://example.com",
        "curl -ume:V https://example.com",
        "curl -H \"Authorization: Bearer V\" https://example.com",
        "curl -H 'Authorization: Basic V' https://example.com",
        "mysql -uroot -pV -e 'select 1'",
        "tool --api-key V --token=V --client-secret \"V\" --passphrase V",
        "CMD [\"serve\",\"--token\",\"V\"]",
        "PASSWORD='V and more' make",
        "make install V",
        "wget https://example.com/V/file",
        "TOKEN=V,V make",
    ] {
        // One value looks random, the other does not.
        for value in [secret, "sunflower"] {
            let random_alone = ["echo V", "make install", "wget"].iter().any(|it| text.starts_with(it));
            if value != secret && random_alone {
                continue;
            }
            let shown =
                without_known(&redact_text(Rules::standard(), &text.replace('V', value)), &BTreeSet::new());
            assert!(!shown.contains(&value[2..8]), "{shown}");
        }
    }
    for text in [
        "apt-get install -y ca-certificates python3.11-minimal linux-headers-5.10.0-8-amd64",
        "COPY dir:3fa94e1b5c8d2e7f60718293a4b5c6d7e8f9a0b1c2d3e4f5061728394a5b6c7d /app",
        "mkdir -p /app/data",
        "RUN a@sha256:3fa94e1b5c8d2e7f60718293a4b5c6d7e8f9a0b1c2d3e4f5061728394a5b6c7d",
        "curl -H \"Authorization: Bearer $TOKEN\" https://example.com",
    ] {
        assert_eq!(redact_text(Rules::standard(), text), text);
    }
}

#[test]
fn a_value_that_is_found_elsewhere_is_not_shown() {
    let known = BTreeSet::from([Digest::of(b"sunflower"), Digest::of(b"a:b,c")]);
    for (text, expected) in [
        ("setup sunflower now", "setup … now"),
        ("x=sunflower;y", "x=…;y"),
        ("printf 'a\\nsunflower\\n'", "printf 'a\\n…\\n'"),
        ("--dsn=a:b,c@host", "--dsn=…@host"),
        ("sunflowers", "sunflowers"),
    ] {
        assert_eq!(without_known(text, &known), expected);
    }
    // A known value is not cut in the middle either.
    let long = format!("{} sunflower", "x".repeat(68));
    assert!(!without_known(&long, &known).contains("sun"));
    assert_eq!(path_without_known("app/sunflower/x", &known), "app/…/x");
}
