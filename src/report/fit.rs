//! Text that fits the width of a terminal: names that are shortened in the middle, and lines that are wrapped between words.
//!
//! Nothing is cut that a person has to copy whole: a digest in full, a reference with one, an address of a page.

use super::paint::Style;

/// The narrowest width that output is laid out for. Terminals below it wrap by themselves.
const NARROWEST: usize = 40;

impl Style {
    /// Returns the number of columns that no line may exceed, if there is a limit.
    pub(super) fn columns(self) -> Option<usize> {
        self.limit.map(|limit| limit.max(NARROWEST))
    }

    /// Returns `text` with each line that is too long wrapped between words. The rest of a line is indented a little more than it.
    pub(super) fn fit(self, text: impl Into<String>) -> String {
        let text = text.into();
        let Some(columns) = self.columns() else { return text };
        if text.lines().all(|line| width(line) <= columns) {
            return text;
        }
        let mut fitting = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            if width(line.trim_end_matches('\n')) <= columns {
                fitting.push_str(line);
                continue;
            }
            let content = line.trim_start_matches(' ');
            let indent = (line.len() - content.len()).min(columns / 2);
            let mut lead = " ".repeat(indent);
            for part in wrapped(content.trim_end_matches('\n'), columns - indent - 2, self) {
                fitting.push_str(&format!("{lead}{part}\n"));
                lead = " ".repeat(indent + 2);
            }
            if !line.ends_with('\n') {
                fitting.pop();
            }
        }
        fitting
    }

    /// Returns `text` with its middle left out if it has more than `columns` characters.
    pub(super) fn middle(self, text: &str, columns: usize) -> String {
        let length = text.chars().count();
        let ellipsis = self.ellipsis();
        // The ellipsis is drawn in ASCII later if need be, which takes more columns.
        let drawn = ellipsis.chars().count();
        if length <= columns || columns <= drawn + 2 {
            return text.to_owned();
        }
        let rest = columns - drawn;
        let (start, end) = (rest.div_ceil(2), rest / 2);
        let start: String = text.chars().take(start).collect();
        let end: String = text.chars().skip(length - end).collect();
        format!("{start}{ellipsis}{end}")
    }
}

/// Returns the number of columns of a line: its characters without the colours.
pub(super) fn width(line: &str) -> usize {
    if !line.contains('\u{1b}') {
        return line.chars().count();
    }
    let mut count = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            count += 1;
        }
    }
    count
}

/// Returns `text` as lines of at most `columns` characters, broken between words. Longer words are shortened in the middle, unless
/// they are to be copied whole.
pub(super) fn wrapped(text: &str, columns: usize, style: Style) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let word = if width(word) > columns && !is_whole(word) {
            style.middle(word, columns)
        } else {
            word.to_owned()
        };
        let full = width(&line) + 1 + width(&word) > columns;
        if !line.trim().is_empty() && full {
            lines.push(line.trim_end().to_owned());
            line = word;
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines.push(line);
    lines
}

/// Whether a word is copied whole: the address of a page, or a whole digest or a reference with one; or whether it has colours.
fn is_whole(word: &str) -> bool {
    let digest =
        word.split_once("sha256:").map(|(_, rest)| rest.chars().take_while(char::is_ascii_hexdigit).count());
    word.contains("://") || word.contains('\u{1b}') || digest.is_some_and(|digits| digits >= 64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn style(limit: usize) -> Style {
        Style { limit: Some(limit), ..crate::report::page::PLAIN }
    }

    #[test]
    fn long_names_are_shortened_in_the_middle() {
        for (columns, expected) in
            [(20, "abcdefghij"), (10, "abcdefghij"), (9, "abcd…ghij"), (8, "abcd…hij"), (3, "abcdefghij")]
        {
            assert_eq!(style(80).middle("abcdefghij", columns), expected);
        }
        let ascii = Style { unicode: false, ..style(80) };
        assert_eq!(ascii.middle("abcdefghij", 9), "abc...hij");
    }

    #[test]
    fn digests_and_addresses_stay_whole() {
        let digest = format!("ghcr.io/acme/app@sha256:{}", "a".repeat(64));
        let page = format!("https://github.com/orgs/acme/packages/container/{}/settings", "x".repeat(60));
        let text = format!("    by hand: {page} ({digest})\n");
        let fitted = style(60).fit(text);
        assert!(fitted.contains(&page) && fitted.contains(&digest), "{fitted}");
        assert!(fitted.starts_with("    by hand:\n      https"), "{fitted}");
    }

    #[test]
    fn without_a_limit_nothing_changes() {
        let text = format!("  {}\n", "word ".repeat(100));
        assert_eq!(crate::report::page::PLAIN.fit(text.clone()), text);
    }

    proptest! {
        #[test]
        fn no_line_exceeds_the_width_and_no_word_is_lost(
            text in "( {0,6}[a-zé:]{1,30}( [a-zé:]{1,30}){0,20}\n){1,4}",
            columns in 40usize..130,
        ) {
            let fitted = style(columns).fit(text.clone());
            prop_assert!(fitted.lines().all(|line| width(line) <= columns), "{}", fitted);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&fitted), words(&text));
            prop_assert_eq!(style(columns).fit(fitted.clone()), fitted);
        }
    }
}
