//! The little of DER that certificates and timestamps need: values by tag, in order.

/// A reader of DER values.
#[derive(Clone, Copy)]
pub(crate) struct DerReader<'a>(&'a [u8]);

/// One value.
#[derive(Clone, Copy)]
pub(crate) struct DerValue<'a> {
    /// Its tag.
    pub tag: u8,
    /// Its content.
    pub content: &'a [u8],
    /// The whole value, with its tag and length.
    pub whole: &'a [u8],
}

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const OBJECT: u8 = 0x06;
pub(crate) const UTF8: u8 = 0x0c;

impl<'a> DerReader<'a> {
    /// Returns a reader of the values in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the next value; `None` at the end, or if the bytes are malformed.
    pub fn next(&mut self) -> Option<DerValue<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let (digits, rest) = rest.split_at_checked(count)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(DerValue { tag, content, whole })
    }

    /// Returns the next value if it has this tag.
    pub fn expect(&mut self, tag: u8) -> Option<DerValue<'a>> {
        self.next().filter(|value| value.tag == tag)
    }
}

impl<'a> DerValue<'a> {
    /// Returns a reader of the values inside.
    pub fn inside(&self) -> DerReader<'a> {
        DerReader(self.content)
    }
}
