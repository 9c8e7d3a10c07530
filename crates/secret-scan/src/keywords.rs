//! The single pass over all bytes, which finds the keywords of all rules.
//!
//! The first three bytes at each place are hashed to 16 bits, and a bit of a table of 8 KiB, which stays in the first cache of a
//! processor, says whether a keyword may begin there. The time is the same for any number of keywords. An alternation of literals in `regex`
//! compares vectors ("Teddy"), but only for few literals: with 104 keywords in four groups it took as long as the table, and
//! with 330 in twelve groups three times as long.

use std::collections::HashMap;

/// How many bytes of a keyword are hashed.
const HASHED: usize = 3;
/// The number of bits of a hash, and of the part of it that chooses a bucket.
const BITS: u32 = 16;
const BUCKET_BITS: u32 = 13;

/// A keyword, and the positions of its rules.
struct Keyword {
    text: &'static [u8],
    rules: Vec<usize>,
}

/// All keywords, and the rules that each belongs to.
pub(crate) struct Keywords {
    /// For each hash, whether a keyword has it.
    bits: Box<[u64; 1 << (BITS - 6)]>,
    /// For the first bits of each hash, zero or the index in `buckets` plus one.
    table: Box<[u16; 1 << BUCKET_BITS]>,
    /// The keywords with the same hash, the longest first.
    buckets: Vec<Vec<Keyword>>,
    longest: usize,
}

impl Keywords {
    /// Creates the keywords from pairs of a keyword, of at least three bytes, and the position of its rule.
    pub(crate) fn new(pairs: impl IntoIterator<Item = (&'static str, usize)>) -> Self {
        let mut rules: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (keyword, rule) in pairs {
            rules.entry(keyword).or_default().push(rule);
        }
        let longest = rules.keys().map(|it| it.len()).max().unwrap_or_default();
        let mut sorted: Vec<(&'static str, Vec<usize>)> = rules.into_iter().collect();
        sorted.sort_unstable_by_key(|(text, _)| (std::cmp::Reverse(text.len()), *text));
        let mut bits = Box::new([0_u64; 1 << (BITS - 6)]);
        let mut table = Box::new([0_u16; 1 << BUCKET_BITS]);
        let mut buckets: Vec<Vec<Keyword>> = Vec::new();
        for (text, rules) in sorted {
            let text = text.as_bytes();
            let Some(hashed) = text.first_chunk::<HASHED>().map(|it| hash(*it)) else { continue };
            let (Some(word), Some(slot)) = (bits.get_mut(hashed >> 6), table.get_mut(bucket(hashed))) else {
                continue;
            };
            *word |= 1 << (hashed & 63);
            if *slot == 0 {
                buckets.push(Vec::new());
                *slot = u16::try_from(buckets.len()).unwrap_or_default();
            }
            if let Some(bucket) = buckets.get_mut(usize::from(*slot).wrapping_sub(1)) {
                bucket.push(Keyword { text, rules });
            }
        }
        Self { bits, table, buckets, longest }
    }

    /// Returns the length of the longest keyword, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Returns the keywords in `bytes` that begin at `from` or later, in order, each with the positions of its rules. If several
    /// begin at one place, the longest comes first.
    pub(crate) fn hits<'b>(&'b self, bytes: &'b [u8], from: usize) -> Hits<'b> {
        Hits { keywords: self, bytes, at: from, here: &[] }
    }
}

/// Returns the first place in `bytes` at which the hash of a keyword begins. Eight bytes are read at once, which hold six places: that takes
/// 13 instructions a byte instead of 18.
fn first(bits: &[u64; 1 << (BITS - 6)], bytes: &[u8]) -> Option<usize> {
    const PLACES: usize = size_of::<u64>() - HASHED + 1;
    let bit = |hashed: usize| bits.get(hashed >> 6).map_or(0, |it| it >> (hashed & 63) & 1);
    let mut begin = 0;
    while let Some(chunk) = bytes.get(begin..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let hits = (0..PLACES).fold(0, |hits, place| {
            let [one, two, three, ..] = (word >> (8 * place)).to_le_bytes();
            hits | bit(hash([one, two, three])) << place
        });
        if hits != 0 {
            return Some(begin + hits.trailing_zeros() as usize);
        }
        begin += PLACES;
    }
    let rest = bytes.get(begin..)?;
    let found = rest.windows(HASHED).position(|window| match *window {
        [one, two, three] => bit(hash([one, two, three])) == 1,
        _ => false,
    });
    found.map(|found| begin + found)
}

/// Returns the hash of the first bytes of a keyword, which is less than two to the power of [`BITS`].
fn hash([one, two, three]: [u8; HASHED]) -> usize {
    let number = u32::from_le_bytes([one, two, three, 0]);
    (number.wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS)) as usize
}

/// Returns the part of a hash that chooses a bucket.
fn bucket(hashed: usize) -> usize {
    hashed >> (BITS - BUCKET_BITS)
}

/// The keywords of some bytes, in order.
pub(crate) struct Hits<'b> {
    keywords: &'b Keywords,
    bytes: &'b [u8],
    /// The place that is looked at next.
    at: usize,
    /// The other keywords that may begin at the place before.
    here: &'b [Keyword],
}

impl<'b> Iterator for Hits<'b> {
    type Item = (usize, &'b [usize]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some((keyword, others)) = self.here.split_first() {
                self.here = others;
                let at = self.at - 1;
                if self.bytes.get(at..).is_some_and(|it| it.starts_with(keyword.text)) {
                    return Some((at, &keyword.rules));
                }
            }
            let rest = self.bytes.get(self.at..)?;
            let found = first(&self.keywords.bits, rest)?;
            let window = rest.get(found..)?.first_chunk::<HASHED>()?;
            let slot = self.keywords.table.get(bucket(hash(*window))).copied().map_or(0, usize::from);
            self.here = self.keywords.buckets.get(slot.wrapping_sub(1)).map_or(&[][..], Vec::as_slice);
            self.at += found + 1;
        }
    }
}
