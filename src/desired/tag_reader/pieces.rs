//! The pieces of a tag that a template renders, and every way to cut a text into them.

use std::collections::BTreeSet;

use super::class::{Certainty, TextClass};

/// A piece of a tag.
#[derive(Debug, Clone)]
pub(super) enum TagPiece {
    /// Fixed text.
    Text(String),
    /// The output of a variable.
    Part {
        /// The variable.
        variable: &'static str,
        /// The possible forms of the output.
        class: TextClass,
    },
}

impl TagPiece {
    /// Whether the piece is the output of `variable`.
    pub fn is_of(&self, variable: &str) -> bool {
        matches!(self, Self::Part { variable: printed, .. } if *printed == variable)
    }

    fn admits(&self, text: &str, certainty: Certainty) -> bool {
        match self {
            Self::Text(fixed) => text == fixed,
            Self::Part { class, .. } => class.admits(text, certainty),
        }
    }

    /// The positions in `text` at which the piece can end if it starts at `start`.
    fn ends(&self, text: &str, start: usize, certainty: Certainty) -> Vec<usize> {
        match self {
            Self::Text(fixed) => {
                let fits = text.get(start..).is_some_and(|rest| rest.starts_with(fixed));
                fits.then_some(start + fixed.len()).into_iter().collect()
            }
            Self::Part { .. } => (start..=text.len())
                .filter(|end| text.get(start..*end).is_some_and(|part| self.admits(part, certainty)))
                .collect(),
        }
    }
}

/// Returns, for each piece, every text that it has in some way to cut `text` into `pieces`, or `None` if there is no
/// way.
///
/// A class looks only at its own text, so the text before a position does not depend on the text after it: one pass
/// forward and one backward find all ways at once.
pub(super) fn cut<'t>(
    pieces: &[TagPiece],
    text: &'t str,
    certainty: Certainty,
) -> Option<Vec<BTreeSet<&'t str>>> {
    let mut spans: Vec<Vec<(usize, usize)>> = Vec::with_capacity(pieces.len());
    let mut starts = BTreeSet::from([0]);
    for piece in pieces {
        let found: Vec<(usize, usize)> = starts
            .iter()
            .flat_map(|start| piece.ends(text, *start, certainty).into_iter().map(|end| (*start, end)))
            .collect();
        starts = found.iter().map(|(_, end)| *end).collect();
        spans.push(found);
    }
    let mut ends = BTreeSet::from([text.len()]);
    let mut parts = Vec::with_capacity(pieces.len());
    for mut found in spans.into_iter().rev() {
        found.retain(|(_, end)| ends.contains(end));
        if found.is_empty() {
            return None;
        }
        ends = found.iter().map(|(start, _)| *start).collect();
        parts.push(found.iter().filter_map(|(start, end)| text.get(*start..*end)).collect());
    }
    // Without pieces, only the empty text can be cut.
    if pieces.is_empty() && !text.is_empty() {
        return None;
    }
    parts.reverse();
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fixed: &str) -> TagPiece {
        TagPiece::Text(fixed.to_owned())
    }

    fn part(class: TextClass) -> TagPiece {
        TagPiece::Part { variable: "pr.number", class }
    }

    #[test]
    fn every_way_is_found() {
        let slug = || part(TextClass::Text { slug: true, globs: Vec::new() });
        let pieces = [slug(), text("-"), part(TextClass::Number), text("-"), slug()];
        let parts = cut(&pieces, "x-1-y-2-z", Certainty::Certain).expect("a way");
        assert_eq!(parts[2], BTreeSet::from(["1", "2"]));
        let parts =
            cut(&[text("pr-"), part(TextClass::Number)], "pr-123", Certainty::Certain).expect("a way");
        assert_eq!(parts[1], BTreeSet::from(["123"]));
        for wrong in ["pr-", "pr-012", "xpr-12", "pr-12-x", "pr-12 "] {
            assert_eq!(
                cut(&[text("pr-"), part(TextClass::Number)], wrong, Certainty::Certain),
                None,
                "{wrong}"
            );
        }
        let pieces = [part(TextClass::Number), part(TextClass::Hexadecimal(7))];
        let parts = cut(&pieces, "12abcdef0", Certainty::Certain).expect("a way");
        assert_eq!((&parts[0], &parts[1]), (&BTreeSet::from(["12"]), &BTreeSet::from(["abcdef0"])));
    }
}
