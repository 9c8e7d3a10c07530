//! The part of a value that is shown is never enough to use it.

use super::cases::{self, found};
use crate::matches::redacted;
use oci_registry::Digest;

#[test]
fn a_value_is_shown_by_at_most_four_characters_and_a_quarter() {
    for (value, shown) in [
        ("", "… (0 characters)"),
        ("abc", "… (3 characters)"),
        ("abcd", "a… (4 characters)"),
        ("abcdefghijklmnopqrstuvwxyz", "abcd… (26 characters)"),
        ("\u{1b}[31mabcdefghijklmnop", "?[31… (21 characters)"),
    ] {
        assert_eq!(redacted(value.as_bytes()), shown);
    }
}

#[test]
fn no_case_leaves_its_value_in_a_finding() {
    for case in cases::all() {
        for found in found(case.path, case.text.as_bytes()) {
            let texts =
                [format!("{found:?}"), serde_json::to_string(&found).expect("JSON"), found.redacted.clone()];
            for text in texts {
                assert!(case.token.is_empty() || !text.contains(&case.token), "{}: {text}", case.rule);
                // Nor does it contain eight characters in a row from a random value, names of keys and rules aside.
                let random =
                    case.text.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| it.len() > 16);
                for part in random.filter(|it| it.bytes().any(|it| it.is_ascii_digit())) {
                    assert!(!text.contains(&part[part.len() - 8..]), "{}: {text}", case.rule);
                }
            }
        }
    }
}

#[test]
fn a_private_key_is_shown_by_its_first_line() {
    let case = cases::all().into_iter().find(|it| it.rule == "private-key").expect("a case");
    let shown = &found(case.path, case.text.as_bytes())[0].redacted;
    assert_eq!(*shown, ["-----BEGIN", "RSA PRIVATE KEY-----…"].join(" "));
}

#[test]
fn a_fingerprint_is_the_digest_of_the_value() {
    let case = cases::all().into_iter().find(|it| it.rule == "stripe-key").expect("a case");
    assert_eq!(found(case.path, case.text.as_bytes())[0].fingerprint, Digest::of(case.token.as_bytes()));
}

#[test]
fn a_key_has_one_fingerprint_with_any_line_ends() {
    let of = |end: &str| {
        let text = super::made::Maker::new(5).pem("PRIVATE KEY", "", "MIIE", end);
        found(Some("a"), text.as_bytes())[0].fingerprint.clone()
    };
    assert_eq!(of("\n"), of("\r\n"));
    assert_eq!(of("\n"), of("\\n"));
}
