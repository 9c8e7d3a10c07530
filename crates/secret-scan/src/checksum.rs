//! The checksums that some tokens end with.

/// Whether `token`, after its first `prefix` bytes, ends with six characters that are the CRC-32 of the characters before them, in
/// base 62.
///
/// Tokens of GitHub and npm end like this: 30 random characters, then six digits of a CRC-32, `0-9A-Za-z`, the most significant first
/// (<https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>).
pub(crate) fn crc32_base62(token: &[u8], prefix: usize) -> bool {
    let Some(body) = token.get(prefix..) else { return false };
    let Some((random, sum)) = body.split_last_chunk::<6>() else { return false };
    base62(crc32(random)) == *sum
}

/// Returns the CRC-32 of IEEE 802.3, as in gzip.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Returns a number as six digits in base 62.
pub(crate) fn base62(mut number: u32) -> [u8; 6] {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = match u8::try_from(number % 62).unwrap_or_default() {
            it @ 0..10 => b'0' + it,
            it @ 10..36 => b'A' + it - 10,
            it => b'a' + it - 36,
        };
        number /= 62;
    }
    digits
}

/// Whether `text`, in which all letters are upper case, ends with a valid Bech32 checksum (BIP 173, "Checksum").
pub(crate) fn bech32(text: &[u8]) -> bool {
    const DIGITS: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let Some(separator) = text.iter().rposition(|it| *it == b'1') else { return false };
    let (prefix, data) = text.split_at(separator);
    let prefix: Vec<u8> = prefix.iter().map(u8::to_ascii_lowercase).collect();
    let data = data.iter().skip(1).map(|it| DIGITS.iter().position(|digit| digit == it).unwrap_or(32));
    let values = prefix
        .iter()
        .map(|it| usize::from(it >> 5))
        .chain([0])
        .chain(prefix.iter().map(|it| usize::from(it & 31)))
        .chain(data);
    polymod(values) == 1
}

fn polymod(values: impl Iterator<Item = usize>) -> usize {
    const GENERATOR: [usize; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = ((sum & 0x01ff_ffff) << 5) ^ value;
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(shifted, |sum, (_, generator)| sum ^ generator)
    })
}
