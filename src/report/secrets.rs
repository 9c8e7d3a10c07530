//! Findings of secrets for people: those that block with the way out, those that are let through, those that are allowed, and
//! the content that was not searched. A value is never shown.

use std::collections::BTreeMap;

use super::Style;
use super::clean;
use super::paint::Ink;
use super::size::size;
use crate::model::outcome::Outcome;
use crate::model::plan::Plan;
use crate::model::secret_search::{
    LeftOut, NotSearched, PlannedSecrets, SecretAllowance, SecretFinding, Unsearched,
};
use secret_scan::SecretSeverity;

/// The number of unsearched files, and of findings that block nothing, that are shown unless `every` is set.
const SHOWN: usize = 10;

/// Returns the part of a plan about secrets: the findings, and what was not searched, with the reason. Empty if the plan sends no
/// content.
pub(super) fn plan(plan: &Plan, every: bool, style: Style) -> String {
    let mut text = plan.secrets.as_ref().map(|it| searched(it, every, style)).unwrap_or_default();
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (address, why) in &plan.not_searched {
        let why = match why {
            NotSearched::PolicyOff { from } => format!("NOT SEARCHED: policy is off (from {})", origin(from)),
            NotSearched::NotPublic => {
                "not searched: the repository is not public, and no policy is declared".to_owned()
            }
        };
        reasons.entry(why).or_default().push(address);
    }
    for (why, addresses) in reasons {
        let addresses = addresses.join(", ");
        text.push_str(&format!("\n  secrets: {}: {}\n", clean::line(&why), clean::line(&addresses)));
    }
    text
}

/// Returns the bare name of the variable or option that a policy comes from.
fn origin(from: &str) -> &str {
    from.strip_prefix("environment variable ").unwrap_or(from).trim_matches('`')
}

/// Returns the findings of a search, or a line that says that there are none.
fn searched(secrets: &PlannedSecrets, every: bool, style: Style) -> String {
    let mut text = String::new();
    for finding in secrets.blocking() {
        text.push_str(&line(finding, style));
        text.push_str(&format!("      to allow it: {}\n", clean::line(&finding.allowance())));
    }
    let shown = |count: usize| if every { count } else { count.min(SHOWN) };
    let others: Vec<&SecretFinding> = secrets.let_through().collect();
    for finding in others.iter().take(shown(others.len())) {
        text.push_str(&line(finding, style));
    }
    text.push_str(&more(others.len() - shown(others.len()), "findings that block nothing"));
    let allowed = secrets.findings.iter().filter_map(|it| Some((it, it.allowed.as_ref()?)));
    for (finding, reason) in allowed.filter(|_| every) {
        let entry = format!("= {} allowed: {}", clean::line(&finding.title()), clean::line(reason));
        text.push_str(&format!("    {}\n", style.paint(Ink::Kept, entry)));
    }
    for unsearched in secrets.unsearched.iter().take(shown(secrets.unsearched.len())) {
        text.push_str(&format!("    ? {}\n", not_searched(unsearched)));
    }
    let left = secrets.unsearched.len() - shown(secrets.unsearched.len());
    text.push_str(&more(left, "files that were not searched to their end"));
    for (address, searched) in &secrets.repositories {
        if let Some(left_out) = &searched.left_out {
            text.push_str(&format!("    = {}\n", style.paint(Ink::Kept, not_needed(address, left_out))));
        }
    }
    for allowance in &secrets.unused {
        text.push_str(&format!("    ? {}\n", unused(allowance)));
    }
    // Allowed findings are counted, and `-v` lists them.
    if text.is_empty() && secrets.findings.is_empty() {
        let blobs = count_blobs(secrets.searched.blobs);
        return format!("\n  secrets: none found in {blobs}\n");
    }
    let title = style.paint(Ink::Strong, "Secrets");
    format!("\n  {title}  {}\n{text}", summary(secrets))
}

/// Returns which content of a repository was not searched, and why.
fn not_needed(address: &str, left_out: &LeftOut) -> String {
    let LeftOut { blobs, bytes, why } = left_out;
    let blobs = count_blobs(*blobs);
    clean::line(&format!("{address}: {} in {blobs} not searched: {why}", size(*bytes)))
}

fn count_blobs(blobs: usize) -> String {
    if blobs == 1 { "1 blob".to_owned() } else { format!("{blobs} blobs") }
}

/// Returns what was searched, and how many findings are allowed.
fn summary(secrets: &PlannedSecrets) -> String {
    let searched = &secrets.searched;
    if searched.blobs == 0 {
        return "no blob searched".to_owned();
    }
    let mut parts = vec![format!("{} in {} searched", size(searched.bytes), count_blobs(searched.blobs))];
    if searched.from_cache > 0 {
        parts.push(format!("{} of them earlier", searched.from_cache));
    }
    let allowed = secrets.findings.iter().filter(|it| it.allowed.is_some()).count();
    if allowed > 0 {
        parts.push(format!("{allowed} allowed"));
    }
    parts.join(", ")
}

fn more(count: usize, what: &str) -> String {
    if count == 0 { String::new() } else { format!("    … {count} more {what}; `-v` shows them\n") }
}

fn line(finding: &SecretFinding, style: Style) -> String {
    let (ink, sign) = if finding.blocks { (Ink::Alarm, '!') } else { (Ink::Moved, '~') };
    let severity = match finding.severity {
        SecretSeverity::High => "",
        SecretSeverity::Medium => " (medium)",
        SecretSeverity::Low => " (low)",
    };
    let public = finding.public.as_ref().map(|place| format!(" (anybody can pull it already: {place})"));
    let entry = format!(
        "{sign} {}{severity}{}",
        clean::line(&finding.title()),
        clean::line(&public.unwrap_or_default())
    );
    format!("    {}\n", style.paint(ink, entry))
}

fn not_searched(unsearched: &Unsearched) -> String {
    let Unsearched { resource, blob, path, reason } = unsearched;
    let place = path.as_ref().map_or_else(|| blob.short(12), Clone::clone);
    clean::line(&format!("{resource} {place}: {reason}"))
}

fn unused(allowance: &SecretAllowance) -> String {
    let SecretAllowance { rule, path, part, value, reason } = allowance;
    let parts = [("rule", rule), ("path", path), ("part", part), ("value", value)];
    let parts = parts.into_iter().filter_map(|(key, value)| Some(format!("{key} `{}`", value.as_ref()?)));
    let parts = parts.collect::<Vec<_>>().join(", ");
    clean::line(&format!("`allow` entry with {parts} ({reason}) matches no finding: remove it"))
}

/// Returns a warning about the findings that an apply let through.
pub fn let_through(outcome: &Outcome) -> String {
    match outcome.secrets.len() {
        0 => String::new(),
        1 => {
            "\nwarning: 1 finding that looks like a secret was let through; the record holds it\n".to_owned()
        }
        count => format!(
            "\nwarning: {count} findings that look like secrets were let through; the record holds them\n"
        ),
    }
}
