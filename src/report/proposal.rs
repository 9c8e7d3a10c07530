//! The result of `init` for people.

use std::fmt::Display;

use super::paint::Ink;
use super::{Style, clean};

/// Returns a text with each resource and rule and the place that it comes from, the assumptions, the files that were left out and why, the registry, and
/// the next steps. `written` is the file and the commands to continue with, if a file was written.
pub fn human(
    resources: &[(String, &str)],
    assumed: &[(String, String)],
    left_out: &[(&str, &str)],
    registry: &str,
    written: Option<(impl Display, &[String])>,
    style: Style,
) -> String {
    let mut text = String::new();
    let width = resources.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, file) in resources {
        let name = style.paint(Ink::Created, format!("{:width$}", clean::line(name)));
        text.push_str(&format!("  {name}  from {}\n", clean::line(file)));
    }
    if resources.is_empty() {
        text.push_str("  neither a Dockerfile nor a chart was found: an example is declared\n");
    }
    for (place, what) in assumed {
        text.push_str(&format!("  assumed: {}: {}\n", clean::line(place), clean::line(what)));
    }
    for (file, why) in left_out {
        text.push_str(&format!("  left out: {}: {}\n", clean::line(file), clean::line(why)));
    }
    text.push_str(&format!("  to {}\n", clean::line(registry)));
    let Some((file, next)) = written else { return style.plain(text) };
    text.push_str(&format!(
        "\nWrote {}. Read it, build the images, and then:\n",
        clean::line(&file.to_string())
    ));
    for command in next {
        text.push_str(&format!("  {}\n", clean::line(command)));
    }
    style.plain(text)
}
