//! Private keys that span lines: whether a key follows the `BEGIN`, and whether it is encrypted.

use super::entropy::bits;
use super::judgement::Judgement;
use super::placeholder::is_placeholder;
use crate::severity::SecretSeverity;

/// The number of base64 characters that identify a key, so that neither line ends nor the end of a long key matter.
const KNOWN_BY: usize = 256;
/// The shortest key: 32 bytes of Ed25519 in PKCS #8 are 64 characters (RFC 8410, section 7).
const SHORTEST: usize = 60;
/// The beginning of every OpenSSH key (the magic), and of a key without a passphrase (the magic and `none`), in base64
/// (`PROTOCOL.key` of OpenSSH).
const OPENSSH: &[u8] = b"b3BlbnNzaC1rZXktdjEA";
const OPENSSH_PLAIN: &[u8] = b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";

/// Returns the judgement on a key in PEM. `whole` starts at the `BEGIN` line, `body` after it.
pub(super) fn pem<'v>(severity: SecretSeverity, whole: &'v [u8], body: &'v [u8]) -> Option<Judgement<'v>> {
    let key = key(body)?;
    let begin =
        whole.windows(5).position(|it| it == b"-----").and_then(|at| whole.get(at..)).unwrap_or(whole);
    let line = String::from_utf8_lossy(begin.get(..64).unwrap_or(begin)).into_owned();
    let line =
        line.match_indices("-----").nth(1).and_then(|(end, _)| line.get(..end + 5)).unwrap_or_default();
    let headers = whole.get(..whole.len() - body.len()).unwrap_or_default();
    let encrypted = line.contains("ENCRYPTED")
        || headers.windows(14).any(|it| it == b"Proc-Type: 4,E")
        || key.starts_with(OPENSSH) && !key.starts_with(OPENSSH_PLAIN);
    let severity = if encrypted { SecretSeverity::Low } else { severity };
    Some(Judgement::on_key(severity, key, format!("{line}…")))
}

/// Returns the judgement on a key of `PuTTY`. `whole` starts at the first line, `body` is the private lines.
pub(super) fn putty<'v>(severity: SecretSeverity, whole: &'v [u8], body: &'v [u8]) -> Option<Judgement<'v>> {
    let key = key(body).or_else(|| {
        // An Ed25519 key has one short private line.
        let line: Vec<u8> = body.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
        (line.len() >= 40).then_some(line)
    })?;
    let plain = whole.windows(16).any(|it| it == b"Encryption: none");
    let severity = if plain { severity } else { SecretSeverity::Low };
    Some(Judgement::on_key(severity, key, "PuTTY-User-Key-File…".to_owned()))
}

/// Returns the base64 in a body, without line ends, quotes, and the characters that join the strings of a program.
fn key(body: &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(KNOWN_BY);
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'+' | b'/' | b'=' => key.push(*byte),
            it if it.is_ascii_alphanumeric() => key.push(*byte),
            _ => {}
        }
        if key.len() == KNOWN_BY {
            break;
        }
    }
    (key.len() >= SHORTEST && bits(&key) >= 3.5 && !is_placeholder(key.get(..SHORTEST).unwrap_or_default()))
        .then_some(key)
}
