//! Makes values in the form of secrets, from a seed.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::checksum;

pub(super) const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const HEX: &str = "0123456789abcdef";
pub(super) const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
pub(super) const DIGITS: &str = "0123456789";
pub(super) const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Makes values with xorshift64*; the same seed makes the same values.
pub(super) struct Maker(u64);

impl Maker {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }

    /// Returns `length` characters of `alphabet`.
    pub(super) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| letters[usize::try_from(self.next()).unwrap() % letters.len()]).collect()
    }

    pub(super) fn alnum(&mut self, length: usize) -> String {
        self.text(ALNUM, length)
    }

    pub(super) fn hex(&mut self, length: usize) -> String {
        self.text(HEX, length)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    pub(super) fn base64(&mut self, length: usize) -> String {
        STANDARD.encode(self.bytes(length))
    }

    /// Returns a UUID.
    pub(super) fn uuid(&mut self) -> String {
        let mut part = |length| self.hex(length);
        format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12))
    }

    /// Returns a prefix, thirty characters, and their checksum.
    pub(super) fn with_crc(&mut self, prefix: &str) -> String {
        with_checksum(prefix, &self.alnum(30))
    }

    /// Returns a private key in PEM. `label` is the type in its first line, and `headers` end with an empty line.
    pub(super) fn pem(&mut self, label: &str, headers: &str, start: &str, end_of_line: &str) -> String {
        let mut body = format!("{start}{}", self.base64(300));
        let mut lines = Vec::new();
        while !body.is_empty() {
            let rest = body.split_off(body.len().min(64));
            lines.push(std::mem::replace(&mut body, rest));
        }
        let lines = lines.join(end_of_line);
        let (begin, end) = (["-----BE", "GIN"].concat(), ["-----E", "ND"].concat());
        format!(
            "{begin} {label}-----{end_of_line}{headers}{lines}{end_of_line}{end} {label}-----{end_of_line}"
        )
    }

    /// Returns a token of JSON parts.
    pub(super) fn jwt(&mut self, header: &str, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(self.bytes(32)))
    }

    /// Returns a secret key of age (BIP 173).
    pub(super) fn age(&mut self) -> String {
        const LETTERS: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
        let prefix = "age-secret-key-";
        let data: Vec<u32> = (0..52).map(|_| u32::try_from(self.next() % 32).unwrap()).collect();
        let mut values: Vec<u32> = prefix.bytes().map(|it| u32::from(it >> 5)).collect();
        values.push(0);
        values.extend(prefix.bytes().map(|it| u32::from(it & 31)));
        values.extend(&data);
        values.extend([0; 6]);
        let mut sum: u32 = 1;
        for value in values {
            let top = sum >> 25;
            sum = (sum & 0x01ff_ffff) << 5 ^ value;
            for (bit, generator) in
                [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].into_iter().enumerate()
            {
                if top >> bit & 1 == 1 {
                    sum ^= generator;
                }
            }
        }
        let sum = sum ^ 1;
        let digits = data.into_iter().chain((0..6).map(|it| sum >> (5 * (5 - it)) & 31));
        let text: Vec<u8> = digits.map(|it| LETTERS[it as usize]).collect();
        format!("{}1{}", prefix.to_ascii_uppercase(), String::from_utf8(text).unwrap())
    }
}

/// Returns `text` in base64.
pub(super) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// Returns a token that GitHub did not issue, with a right checksum.
pub(super) fn github_token(random: &str) -> String {
    with_checksum("ghp_", random)
}

fn with_checksum(prefix: &str, body: &str) -> String {
    let sum = checksum::base62(checksum::crc32(body.as_bytes()));
    format!("{prefix}{body}{}", String::from_utf8_lossy(&sum))
}
