//! SHA-1 (RFC 3174), which old key stores use for their checksum. It protects nothing here.

/// Returns the SHA-1 of `bytes`.
pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut message = bytes.to_vec();
    message.push(0x80);
    let padding = (64 - (message.len() + 8) % 64) % 64;
    message.resize(message.len() + padding, 0);
    message.extend((bytes.len() as u64 * 8).to_be_bytes());
    let mut hash: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in message.chunks_exact(64) {
        let word = |it: &[u8]| it.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        let words = block.chunks_exact(4).map(word);
        let mut schedule: Vec<u32> = words.collect();
        while schedule.len() < 80 {
            let next = [3, 8, 14, 16].iter().filter_map(|back| schedule.get(schedule.len() - back));
            let next = next.fold(0_u32, |word, other| word ^ other);
            schedule.push(next.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = hash;
        for (round, word) in schedule.into_iter().enumerate() {
            let (mixed, constant) = match round {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
            let next = next.wrapping_add(constant).wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, part) in hash.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut output = [0; 20];
    for (place, byte) in output.iter_mut().zip(hash.into_iter().flat_map(u32::to_be_bytes)) {
        *place = byte;
    }
    output
}

#[cfg(test)]
mod tests {
    use super::sha1;

    #[test]
    fn the_examples_of_the_specification() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        for (text, expected) in [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
        ] {
            assert_eq!(hex(&sha1(text.as_bytes())), expected, "{text}");
        }
        assert_eq!(hex(&sha1(&[b'a'; 200])), SUM_OF_200);
    }

    /// `head -c 200 < /dev/zero | tr '\0' a | sha1sum`
    const SUM_OF_200: &str = "e61cfffe0d9195a525fc6cf06ca2d77119c24a40";
}
