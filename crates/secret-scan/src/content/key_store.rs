//! Key stores of PKCS #12 with an empty password: their checksum, which anybody can compute, shows it (RFC 7292, 4 and appendix B).

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::keys::element;

/// The block of SHA-1 and of SHA-256, in bytes.
const BLOCK: usize = 64;
/// The most rounds that are computed. Programs use a few thousand.
const MOST_ROUNDS: u32 = 10_000;
/// The OIDs of SHA-1 and of SHA-256.
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The checksum of a store.
struct StoreChecksum<'s> {
    hash: fn(&[u8]) -> Vec<u8>,
    expected: &'s [u8],
    salt: &'s [u8],
    rounds: u32,
    /// The bytes that it is about.
    contents: &'s [u8],
}

/// Whether the whole file `store` is a PKCS #12 store whose password is empty.
pub(super) fn has_empty_password(store: &[u8]) -> bool {
    let Some(checksum) = checksum(store).filter(|it| it.rounds <= MOST_ROUNDS) else { return false };
    // An empty password is the end of a text, or nothing at all; both are in use.
    [&[0, 0][..], &[]].iter().any(|password| checksum.fits(password))
}

fn checksum(store: &[u8]) -> Option<StoreChecksum<'_>> {
    const SEQUENCE: u8 = 0x30;
    const OCTETS: u8 = 4;
    let (body, _, _) = element(store, SEQUENCE).filter(|(body, length, _)| body.len() == *length)?;
    let ([3], _, rest) = element(body, 2)? else { return None };
    let (safe, _, rest) = element(rest, SEQUENCE)?;
    let (_, _, tagged) = element(safe, 6)?;
    let (contents, _, _) = element(element(tagged, 0xa0)?.0, OCTETS)?;
    let (data, _, _) = element(rest, SEQUENCE)?;
    let (sum, _, rest) = element(data, SEQUENCE)?;
    let (algorithm, _, expected) = element(sum, SEQUENCE)?;
    let (expected, _, _) = element(expected, OCTETS)?;
    let (salt, _, rest) = element(rest, OCTETS)?;
    // One round, if there is no number.
    let rounds = element(rest, 2).map_or(&[1][..], |(rounds, _, _)| rounds);
    let rounds =
        rounds.iter().try_fold(0_u32, |sum, byte| sum.checked_mul(256)?.checked_add(u32::from(*byte)))?;
    let hash: fn(&[u8]) -> Vec<u8> = match element(algorithm, 6)?.0 {
        SHA1 => |bytes| Sha1::digest(bytes).to_vec(),
        SHA256 => |bytes| Sha256::digest(bytes).to_vec(),
        _ => return None,
    };
    Some(StoreChecksum { hash, expected, salt, rounds, contents })
}

impl StoreChecksum<'_> {
    fn fits(&self, password: &[u8]) -> bool {
        let key = self.key(password);
        let keyed = |pad: u8| {
            let key = key.iter().chain(std::iter::repeat(&0)).take(BLOCK);
            key.map(|byte| byte ^ pad).collect::<Vec<u8>>()
        };
        let inner = (self.hash)(&[&keyed(0x36), self.contents].concat());
        (self.hash)(&[keyed(0x5c), inner].concat()) == self.expected
    }

    /// Returns the key of the checksum: appendix B.2, with the ID 3. It is as long as one hash.
    fn key(&self, password: &[u8]) -> Vec<u8> {
        let filled = |bytes: &[u8]| -> Vec<u8> {
            let length = bytes.len().div_ceil(BLOCK) * BLOCK;
            bytes.iter().copied().cycle().take(length).collect()
        };
        let first = [vec![3; BLOCK], filled(self.salt), filled(password)].concat();
        (0..self.rounds).fold(first, |bytes, _| (self.hash)(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_store_with_an_empty_password_is_recognized() {
        for (name, store, expected) in [
            ("SHA-256, empty", include_str!("../tests/stores/empty-sha256.p12.base64"), true),
            ("SHA-1, empty", include_str!("../tests/stores/empty-sha1.p12.base64"), true),
            ("SHA-256, a password", include_str!("../tests/stores/password.p12.base64"), false),
        ] {
            let bytes = STANDARD.decode(store.replace('\n', "")).expect("base64");
            assert_eq!(has_empty_password(&bytes), expected, "{name}");
            assert!(!has_empty_password(&bytes[..bytes.len() - 1]), "{name}, cut");
            for at in 0..bytes.len().min(64) {
                let mut broken = bytes.clone();
                broken[at] ^= 0x55;
                let _ = has_empty_password(&broken);
            }
        }
    }
}
