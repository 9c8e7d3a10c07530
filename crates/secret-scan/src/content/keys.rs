//! Private keys in DER and key stores without a password, which are recognized by their structure (X.690).

/// The OID of a key bag without encryption in a PKCS #12 store (RFC 7292, 4.2.1).
const PLAIN_KEY_BAG: &[u8] = &[0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01];

/// Returns the contents of the element at the start of `bytes`, to the extent that they are there, its length, and the bytes
/// behind it.
pub(super) fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], usize, &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let there = length.min(rest.len());
    Some((rest.get(..there)?, length, rest.get(there..)?))
}

/// Whether a file of `size` bytes that begins with `head` is a private key in DER: PKCS #1, PKCS #8 or SEC 1.
pub(super) fn is_der_key(head: &[u8], size: u64) -> bool {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 2;
    const OCTETS: u8 = 4;
    let Some((body, length, _)) = element(head, SEQUENCE) else { return false };
    let header = size.checked_sub(length as u64);
    if !header.is_some_and(|it| (2..=6).contains(&it)) || length < 40 {
        return false;
    }
    let Some((version, 1, rest)) = element(body, INTEGER) else { return false };
    match version {
        // RFC 5208: the algorithm, and the key in an octet string. RFC 8017, A.1.2: the modulus.
        [0 | 1] if element(rest, SEQUENCE).is_some() => {
            let Some((algorithm, _, key)) = element(rest, SEQUENCE) else { return false };
            element(algorithm, 6).is_some() && element(key, OCTETS).is_some()
        }
        [0] => element(rest, INTEGER).is_some_and(|(_, modulus, _)| modulus >= 64),
        // RFC 5915: the key in an octet string.
        [1] => element(rest, OCTETS).is_some_and(|(_, key, _)| (16..=66).contains(&key)),
        _ => false,
    }
}

/// Whether `head`, the beginning of a file, is that of a PKCS #12 store with a key that is not encrypted.
pub(super) fn is_plain_store(head: &[u8]) -> bool {
    let is_store = element(head, 0x30)
        .and_then(|(body, _, _)| element(body, 2))
        .is_some_and(|(version, _, _)| version == [3]);
    is_store && head.windows(PLAIN_KEY_BAG.len()).any(|it| it == PLAIN_KEY_BAG)
}
