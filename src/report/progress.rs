//! The progress of an apply as one total: bytes that were handed over of those that are to be sent, the rate, and the time that is left.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Style;
use super::size::size;
use crate::event::{Event, Placed, Stage};

/// The rate is that of the last seconds: it follows the network, and does not jump.
const WINDOW: Duration = Duration::from_secs(20);

/// The most measurements that are kept.
const MOST: usize = 200;

/// The total of an apply, fed with its events.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The bytes that the plan sends.
    total: u64,
    /// The bytes of blobs that are in place.
    done: u64,
    /// The bytes of blobs under way, by repository and digest.
    under_way: HashMap<(String, String), u64>,
    stage: Option<Stage>,
    /// When how many bytes had been sent.
    measured: Vec<(Instant, u64)>,
}

/// The total at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The stage.
    pub stage: Stage,
    /// The bytes that were sent.
    pub sent: u64,
    /// The bytes that the plan sends.
    pub total: u64,
    /// The rate of the last seconds, if it is known.
    pub bytes_per_second: Option<u64>,
    /// The time that is left at this rate.
    pub seconds_left: Option<u64>,
}

impl Progress {
    /// Takes an event at `now`.
    pub(super) fn take(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::Plan { plan, .. } => {
                *self = Self { total: plan.summary().bytes_to_send, ..Self::default() }
            }
            Event::Stage { stage } => {
                self.stage = Some(*stage);
                self.measured.clear();
                self.measured.push((now, self.sent()));
            }
            Event::BlobProgress { repository, digest, sent, .. } => {
                self.under_way.insert(((*repository).to_owned(), digest.to_string()), *sent);
                self.measure(now);
            }
            Event::Blob { repository, digest, size, how } => {
                self.under_way.remove(&((*repository).to_owned(), digest.to_string()));
                // A blob that is there already was not counted in the plan.
                if *how != Placed::Present {
                    self.done = self.done.saturating_add(*size);
                }
                self.measure(now);
            }
            _ => {}
        }
    }

    fn sent(&self) -> u64 {
        self.done.saturating_add(self.under_way.values().sum())
    }

    fn measure(&mut self, now: Instant) {
        let old = |(at, _): &(Instant, u64)| now.duration_since(*at) > WINDOW;
        // The last measurement before the window is its beginning.
        let first = self.measured.iter().rposition(old).unwrap_or_default();
        self.measured.drain(..first);
        let recent = self.measured.last().is_some_and(|(at, _)| now.duration_since(*at) < WINDOW / 200);
        if !recent && self.measured.len() < MOST {
            self.measured.push((now, self.sent()));
        }
    }

    /// Returns the total at `now`, once a stage has begun.
    pub(super) fn reading(&self, now: Instant) -> Option<Reading> {
        let (stage, sent) = (self.stage?, self.sent());
        let total = self.total.max(sent);
        let rate = self.measured.first().and_then(|(since, before)| {
            let milliseconds = u64::try_from(now.duration_since(*since).as_millis()).ok()?;
            let bytes = sent.saturating_sub(*before);
            // Less than a second says nothing.
            (milliseconds >= 1000 && bytes > 0).then(|| bytes.saturating_mul(1000) / milliseconds)
        });
        let left = rate.filter(|rate| *rate > 0).map(|rate| (total - sent).div_ceil(rate));
        Some(Reading { stage, sent, total, bytes_per_second: rate, seconds_left: left })
    }
}

impl Reading {
    /// Returns the total in words: `content: 12.3 MiB of 45.0 MiB, 3.2 MiB/s, 9 s left`.
    pub(super) fn words(&self) -> String {
        let mut text = format!("{}:", stage(self.stage));
        if self.total == 0 {
            text.push_str(" nothing to send");
            return text;
        }
        text.push_str(&format!(" {} of {}", size(self.sent), size(self.total)));
        if self.sent < self.total {
            text.extend(self.bytes_per_second.map(|rate| format!(", {}/s", size(rate))));
            text.extend(self.seconds_left.map(|seconds| format!(", {} left", time(seconds))));
        }
        text
    }
}

/// The name of a stage for people.
pub(super) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Check => "checking",
        Stage::Preflight => "asking for rights",
        Stage::Secrets => "searching for secrets",
        Stage::Content => "content",
        Stage::Signatures => "signatures",
        Stage::ImmutableTags => "immutable tags",
        Stage::FloatingTags => "floating tags",
        Stage::Visibility => "visibility",
        Stage::ReadBack => "reading back",
    }
}

fn time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Returns the label of a blob, which names its registry, in at most `columns` characters.
pub(super) fn label(repository: &str, digest: &str, columns: usize, style: Style) -> String {
    let digits: String = digest.chars().skip("sha256:".len()).take(12).collect();
    let room = columns.saturating_sub(digits.len() + 1);
    // The registry says more than the digest.
    if room < 12 {
        return style.middle(repository, columns);
    }
    format!("{} {digits}", style.middle(repository, room))
}

/// Returns the columns of a label and of a bar on a line of `columns`, beside sizes, rate and time.
pub(super) fn columns(columns: usize) -> (usize, usize) {
    // Two spaces, the sizes (22), the rate (13), the time (5), and the spaces and brackets between them.
    let rest = columns.saturating_sub(2 + 22 + 13 + 5 + 3);
    let bar = if rest >= 44 { (rest / 3).min(30) } else { 0 };
    (rest.saturating_sub(if bar == 0 { 0 } else { bar + 3 }).clamp(14, 70), bar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::PLAIN;
    use oci_registry::Digest;

    fn blob(digest: &Digest, sent: u64) -> Event<'_> {
        Event::BlobProgress { repository: "ghcr.io/acme/app", digest, size: 1000, sent }
    }

    #[test]
    fn the_total_has_bytes_a_rate_and_the_time_that_is_left() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut progress = Progress { total: 3000, ..Progress::default() };
        assert_eq!(progress.reading(start), None);
        progress.take(&Event::Stage { stage: Stage::Content }, start);
        assert_eq!(progress.reading(start).map(|it| it.words()), Some("content: 0 B of 2.9 KiB".to_owned()));
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        progress.take(&blob(&one, 500), at(5));
        progress.take(&blob(&two, 500), at(10));
        assert_eq!(
            progress.reading(at(10)).map(|it| it.words()),
            Some("content: 1000 B of 2.9 KiB, 100 B/s, 20 s left".to_owned())
        );
        // A retry starts again.
        progress.take(&blob(&two, 0), at(11));
        assert_eq!(progress.reading(at(11)).map(|it| it.sent), Some(500));
        for (digest, how) in [(&one, Placed::Pushed), (&two, Placed::Mounted)] {
            progress.take(&Event::Blob { repository: "ghcr.io/acme/app", digest, size: 1000, how }, at(12));
        }
        let present = Digest::of(b"3");
        let event = Event::Blob { repository: "r", digest: &present, size: 9000, how: Placed::Present };
        progress.take(&event, at(12));
        assert_eq!(progress.reading(at(12)).map(|it| it.sent), Some(2000));
    }

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut progress = Progress { total: 1_000_000, ..Progress::default() };
        progress.take(&Event::Stage { stage: Stage::Content }, start);
        let digest = Digest::of(b"1");
        for second in 1..=100_u64 {
            let sent = if second <= 50 { second * 1000 } else { 50_000 + (second - 50) * 10 };
            progress.take(&blob(&digest, sent), start + Duration::from_secs(second));
        }
        let rate = progress.reading(start + Duration::from_secs(100)).and_then(|it| it.bytes_per_second);
        assert!(rate.is_some_and(|rate| rate < 20), "{rate:?}");
    }

    #[test]
    fn labels_and_bars_fit_the_width() {
        let digest = Digest::of(b"1");
        let long = "registry.example.com:5000/integration/environment/service-one";
        for (width, expected) in [(60, 15), (80, 35), (120, 47)] {
            let (label_columns, bar) = columns(width);
            let text = label(long, digest.as_str(), label_columns, PLAIN);
            assert!(text.chars().count() <= label_columns.max(28), "{width}: {text}");
            let whole = 2 + label_columns + if bar == 0 { 0 } else { bar + 3 } + 3 + 22 + 13 + 5;
            assert!(whole <= width.max(62), "{width}: {whole}");
            assert!(label_columns.abs_diff(expected) <= 12, "{width}: {label_columns} {bar}");
        }
        assert!(label(long, digest.as_str(), 47, PLAIN).starts_with("registry.examp"));
    }

    #[test]
    fn times() {
        for (seconds, text) in [(9, "9 s"), (61, "1 min 01 s"), (7260, "2 h 01 min")] {
            assert_eq!(time(seconds), text);
        }
    }
}
