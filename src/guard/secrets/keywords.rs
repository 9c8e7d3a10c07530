//! The one pass over all bytes: where any keyword of any rule stands.

use std::collections::HashMap;

use regex::bytes::{Regex, RegexBuilder};

/// All keywords, and which rules each belongs to.
pub(super) struct Keywords {
    any: Option<Regex>,
    rules: HashMap<&'static [u8], Vec<usize>>,
    longest: usize,
}

impl Keywords {
    /// The keywords of rules, each with the position of its rule.
    pub(super) fn new(pairs: impl IntoIterator<Item = (&'static str, usize)>) -> Self {
        let mut rules: HashMap<&'static [u8], Vec<usize>> = HashMap::new();
        for (keyword, rule) in pairs {
            rules.entry(keyword.as_bytes()).or_default().push(rule);
        }
        let mut words: Vec<&[u8]> = rules.keys().copied().collect();
        words.sort_unstable();
        let longest = words.iter().map(|it| it.len()).max().unwrap_or_default();
        let any =
            words.iter().map(|it| regex::escape(&String::from_utf8_lossy(it))).collect::<Vec<_>>().join("|");
        let any = RegexBuilder::new(&any).unicode(false).build().ok().filter(|_| !words.is_empty());
        Self { any, rules, longest }
    }

    /// The longest keyword, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The first keyword of `bytes` that begins at `from` or later: its position, and its rules.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> Option<(usize, &[usize])> {
        let found = self.any.as_ref()?.find_at(bytes, from.min(bytes.len()))?;
        Some((found.start(), self.rules.get(found.as_bytes()).map_or(&[][..], Vec::as_slice)))
    }
}
