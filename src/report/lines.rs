//! Events as plain lines on standard error, for logs and for terminals without bars.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::outcome;
use super::output::Output;
use super::paint::Ink;
use super::progress::Progress;
use super::size::size;
use super::{Style, clean};
use crate::event::{Event, Placed, Reporter};
use crate::model::outcome::ChangeResult;
use crate::model::visibility::seen_words;

/// Writes a line for each event that belongs in a log.
pub struct TextLines {
    output: Output,
    style: Style,
    quiet: bool,
    in_place: InPlace,
    progress: Mutex<(Progress, Option<Instant>)>,
}

/// The tags in place of which a line was written, and those that are only counted.
#[derive(Debug, Default)]
pub(super) struct InPlace(AtomicUsize);

/// The time between two lines about the total: a log without a terminal shows that something happens.
const EVERY: Duration = Duration::from_secs(30);

/// The number of tags in place that have a line.
const SHOWN: usize = 5;

impl InPlace {
    /// Returns the line for `event`, or `None` if it needs none. Of many tags in place, the last line says how many more there are.
    pub(super) fn line(&self, event: &Event<'_>, style: Style) -> Option<String> {
        match event {
            Event::Tag { change } if change.result == ChangeResult::Unchanged && !style.verbose => {
                (self.0.fetch_add(1, Ordering::Relaxed) < SHOWN).then(|| line(event, style))?
            }
            Event::Finished { .. } => {
                let more = self.0.swap(0, Ordering::Relaxed).saturating_sub(SHOWN);
                (more > 0)
                    .then(|| format!("  {}\n", style.paint(Ink::InPlace, format!("= {more} more in place"))))
            }
            _ => line(event, style),
        }
    }
}

impl TextLines {
    /// Returns lines in `style` on `output`. If `quiet`, only warnings are written.
    pub fn new(output: Output, style: Style, quiet: bool) -> Self {
        Self { output, style, quiet, in_place: InPlace::default(), progress: Mutex::default() }
    }

    /// Takes an event at `now`. Returns a line about the total if the last one is long ago.
    fn total(&self, event: &Event<'_>, now: Instant) -> Option<String> {
        let mut held = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (progress, last) = &mut *held;
        progress.take(event, now);
        if !matches!(event, Event::BlobProgress { .. } | Event::Blob { .. }) {
            return None;
        }
        let since = *last.get_or_insert(now);
        if now.duration_since(since) < EVERY {
            return None;
        }
        *last = Some(now);
        progress.reading(now).map(|reading| self.style.plain(format!("  {}\n", reading.words())))
    }
}

impl Reporter for TextLines {
    fn report(&self, event: &Event<'_>) {
        if let Some(line) = self.total(event, Instant::now())
            && !self.quiet
        {
            self.output.err(&line);
        }
        let important = matches!(event, Event::RegistryWarning { .. } | Event::SecretLetThrough { .. });
        if (!self.quiet || important)
            && let Some(line) = self.in_place.line(event, self.style)
        {
            self.output.err(&line);
        }
    }
}

/// Returns the line for `event`, or `None` if it needs none.
fn line(event: &Event<'_>, style: Style) -> Option<String> {
    text(event, style).map(|text| style.fit(style.plain(text)))
}

fn text(event: &Event<'_>, style: Style) -> Option<String> {
    let short = |digest: &oci_registry::Digest| format!("{}{}", digest.short(12), style.ellipsis());
    Some(match event {
        Event::Blob { repository, digest, size: bytes, how } => {
            let word = match how {
                Placed::Pushed => "pushed",
                Placed::Mounted => "mounted",
                Placed::Present => return None,
            };
            format!("  {word} {} {} to {}\n", short(digest), size(*bytes), clean::line(repository))
        }
        Event::Tag { change } if !matches!(change.result, ChangeResult::Failed | ChangeResult::Stale) => {
            outcome::line(change, style)
        }
        Event::Retry { request, attempt, wait_milliseconds, cause } => {
            let seconds = std::time::Duration::from_millis(*wait_milliseconds).as_secs_f32();
            format!(
                "  attempt {attempt} of {} failed, retrying in {seconds:.1} s: {}\n",
                clean::line(request),
                clean::line(cause)
            )
        }
        Event::Signed { repository, signature } if signature.made => {
            let (subject, signer) = (short(&signature.subject), clean::line(&signature.signer));
            format!("  + {}@{subject} signed by {signer}\n", clean::line(repository))
        }
        Event::ManifestDeleted { repository, digest } => {
            format!("  - {}@{} deleted\n", clean::line(repository), short(digest))
        }
        Event::ReferrerKept { repository, tag } => {
            format!("  = {}:{tag} kept: it holds signatures that the source lacks\n", clean::line(repository))
        }
        Event::SecretLetThrough { finding } => {
            format!("  ! let through: {}\n", clean::line(&finding.title()))
        }
        Event::RegistryWarning { host, text } => {
            format!("  {} warns: {}\n", clean::line(host), clean::line(text))
        }
        Event::Visibility { repository, visibility, .. } => {
            let seen = seen_words(visibility.setting, visibility.observed);
            let set = visibility.set_from.map(|from| format!(", set from {}", from.as_str()));
            format!(
                "  visibility of {}: {seen}{}, declared {}\n",
                clean::line(repository),
                set.unwrap_or_default(),
                visibility.declared.as_str()
            )
        }
        Event::Plan { .. }
        | Event::Stage { .. }
        | Event::SearchProgress { .. }
        | Event::Searched { .. }
        | Event::BlobProgress { .. }
        | Event::Progress { .. }
        | Event::Manifest { .. }
        | Event::Signed { .. }
        | Event::Tag { .. }
        | Event::Finished { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Stage;
    use oci_registry::Digest;

    #[test]
    fn a_log_has_a_line_about_the_total_every_thirty_seconds() {
        let style = crate::report::page::PLAIN;
        let lines = TextLines::new(Output::default(), style, false);
        let (start, digest) = (Instant::now(), Digest::of(b"1"));
        lines.total(&Event::Stage { stage: Stage::Content }, start);
        let mut shown = Vec::new();
        for second in 0..100_u64 {
            let event =
                Event::BlobProgress { repository: "r", digest: &digest, size: 100_000, sent: second * 1000 };
            shown.extend(lines.total(&event, start + Duration::from_secs(second)));
        }
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert!(shown[0].starts_with("  content: 29.3 KiB of "), "{shown:?}");
    }
}
