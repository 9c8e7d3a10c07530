//! The search of the bytes of one file. Text in UTF-16 is searched as the characters that it stands for.

use crate::compiled::Rules;
use crate::matches::Match;
use crate::text_search::TextSearch;

/// The order of the bytes of a character in UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Utf16Order {
    Little,
    Big,
}

/// A search in progress.
pub(super) struct FileSearch<'r> {
    search: TextSearch<'r>,
    order: Option<Utf16Order>,
    /// The first byte of a character whose second byte is in the next piece.
    half: Option<u8>,
}

impl<'r> FileSearch<'r> {
    /// Starts the search of the file `path`, whose first bytes are `head`.
    pub(super) fn new(rules: &'r Rules, path: Option<&str>, head: &[u8]) -> Self {
        // The name of a file in a repository of git is not known, so its words are looked at as those of a text.
        let path = path.filter(|it| !it.contains(".git/objects/"));
        Self { search: rules.text_search(path), order: order(head), half: None }
    }

    /// Searches the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Some(order) = self.order else { return self.search.push(bytes) };
        let mut text = Vec::with_capacity(bytes.len() / 2 + 1);
        for byte in bytes {
            let Some(first) = self.half.take() else {
                self.half = Some(*byte);
                continue;
            };
            let (low, high) = if order == Utf16Order::Little { (first, *byte) } else { (*byte, first) };
            text.push(if high == 0 { low } else { b'?' });
        }
        self.search.push(&text);
    }

    /// Returns the matches, and the reason if a part was not searched.
    pub(super) fn finish(self) -> (Vec<Match>, Option<String>) {
        let skipped = self.search.skipped();
        let reason = || format!("it consists of beginnings of tokens, {skipped} of which were not looked at");
        ((self.search.finish()), (skipped > 0).then(reason))
    }
}

/// Returns the order of the bytes of a text in UTF-16: after its mark, or if nearly every other byte is zero.
fn order(head: &[u8]) -> Option<Utf16Order> {
    match head {
        [0xff, 0xfe, ..] => return Some(Utf16Order::Little),
        [0xfe, 0xff, ..] => return Some(Utf16Order::Big),
        _ => {}
    }
    let head = head.get(..64)?;
    let is_text = |it: &u8| (b' '..=b'~').contains(it) || it.is_ascii_whitespace();
    let fits = |of: usize| {
        let texts = head.iter().skip(of).step_by(2).filter(|it| is_text(it)).count();
        let zeros = head.iter().skip(1 - of).step_by(2).filter(|it| **it == 0).count();
        texts == head.len() / 2 && zeros == head.len() / 2
    };
    if fits(0) {
        return Some(Utf16Order::Little);
    }
    fits(1).then_some(Utf16Order::Big)
}
