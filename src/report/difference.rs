//! The difference between two texts, line by line.

use similar::TextDiff;

use super::Style;
use super::clean;
use super::paint::Ink;
use oci_registry::mask;

/// Returns the difference between two texts of `name` as `diff -u` prints it; empty if there is none. Credentials are masked.
pub fn text_difference(name: &str, before: &str, after: &str, style: Style) -> String {
    let (before, after) = (mask::mask_by_text(before.to_owned()), mask::mask_by_text(after.to_owned()));
    let difference = TextDiff::from_lines(&before, &after);
    let name = clean::line(name);
    let text =
        difference.unified_diff().context_radius(3).header(&name, &format!("{name} (formatted)")).to_string();
    let painted = text.split_inclusive('\n').map(|line| {
        let content = line.trim_end_matches('\n');
        let ink = match content.chars().next() {
            Some('+') => Ink::Created,
            Some('-') => Ink::Alarm,
            Some('@') => Ink::Kept,
            _ => return line.to_owned(),
        };
        format!("{}\n", style.paint(ink, content))
    });
    painted.collect()
}
