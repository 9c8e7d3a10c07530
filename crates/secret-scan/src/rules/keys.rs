//! Private keys.

use crate::rule::{Detection, NearKeyword, PatternStart, Rule, ValueCheck};
use crate::severity::SecretSeverity;

pub(super) const RULES: &[Rule] = &[
    // RFC 7468, section 10; RFC 1421, section 4.6 for the headers of encrypted keys. A program may hold a key as one string with
    // escaped newlines, or as one string per line.
    Rule::near(
        "private-key",
        "Private key",
        "A private key in PEM: PKCS #1, PKCS #8, EC or DSA; low severity if it is encrypted.",
        NearKeyword {
            keywords: &["PRIVATE KEY-----"],
            start: PatternStart::Text("-----BEGIN "),
            pattern: r#"-----BEGIN (?:(?:RSA|EC|DSA|ANY|ENCRYPTED) )?PRIVATE KEY-----(?:\\[nr]|[\s"'+,;\\])+(?:(?:Proc-Type|DEK-Info)[^\n\\]{0,80}(?:\\[nr]|\s)+)*(?P<value>(?:\\[nr]|[0-9A-Za-z+/=\s"',;])+)"#,
            entropy: 0.0,
            check: ValueCheck::Pem,
        },
    ),
    // PROTOCOL.key of OpenSSH.
    Rule::near(
        "openssh-private-key",
        "OpenSSH private key",
        "An OpenSSH private key; low severity if it has a passphrase.",
        NearKeyword {
            keywords: &["PRIVATE KEY-----"],
            start: PatternStart::Text("-----BEGIN "),
            pattern: r#"-----BEGIN OPENSSH PRIVATE KEY-----(?:\\[nr]|[\s"'+,;\\])+(?P<value>b3BlbnNzaC1rZXktdjEA(?:\\[nr]|[0-9A-Za-z+/=\s"',;])+)"#,
            entropy: 0.0,
            check: ValueCheck::Pem,
        },
    ),
    // RFC 9580, section 6.2.
    Rule::near(
        "gpg-private-key",
        "OpenPGP private key",
        "An OpenPGP private key, in ASCII armor.",
        NearKeyword {
            keywords: &["PRIVATE KEY BLOCK-----"],
            start: PatternStart::Text("-----BEGIN "),
            pattern: r#"-----BEGIN PGP PRIVATE KEY BLOCK-----(?:\\[nr]|[\s"'+,;\\])+(?:(?:Version|Comment|Hash|Charset|MessageID):[^\n\\]{0,120}(?:\\[nr]|\s)+)*(?P<value>(?:\\[nr]|[0-9A-Za-z+/=\s"',;])+)"#,
            entropy: 0.0,
            check: ValueCheck::Pem,
        },
    ),
    // the.earth.li/~sgtatham/putty, appendix C, "PPK file format".
    Rule::near(
        "putty-private-key",
        "PuTTY private key",
        "A PuTTY private key; low severity if it has a passphrase.",
        NearKeyword {
            keywords: &["PuTTY-User-Key-File-"],
            start: PatternStart::Here,
            pattern: r"PuTTY-User-Key-File-[23]: [0-9a-z-]+\r?\nEncryption: [0-9a-z-]+\r?\n(?s:.)+?Private-Lines: [0-9]+\r?\n(?P<value>(?:[0-9A-Za-z+/=]+\r?\n?)+)",
            entropy: 0.0,
            check: ValueCheck::Putty,
        },
    ),
    // github.com/C2SP/C2SP, age.md, "X25519 recipient stanza": Bech32.
    Rule::near(
        "age-key",
        "age key",
        "An age secret key.",
        NearKeyword {
            keywords: &["AGE-SECRET-KEY-1"],
            start: PatternStart::Here,
            pattern: "AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
            entropy: 3.0,
            check: ValueCheck::Bech32,
        },
    ),
    // RFC 8017, 5208 and 5915.
    Rule {
        id: "der-private-key",
        title: "Private key in DER",
        severity: SecretSeverity::High,
        description: "A file that is a private key in DER: PKCS #1, PKCS #8 or SEC 1, without a passphrase.",
        detection: Detection::Structure,
    },
    // RFC 7292.
    Rule {
        id: "plain-key-store",
        title: "Key store without a password",
        severity: SecretSeverity::High,
        description: "A PKCS #12 store with a private key that is not encrypted, or whose password is empty.",
        detection: Detection::Structure,
    },
];
