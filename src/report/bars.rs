//! Events on a terminal: a bar for each large blob under way, the total below them, and the other lines above.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::InPlace;
use super::output::Output;
use super::progress::{self, Progress};
use super::{Style, clean};
use crate::event::{Event, Reporter};
use oci_registry::Digest;

/// The size in bytes of the smallest blob with a bar. Smaller ones are done before anybody can read a bar.
const WORTH_A_BAR: u64 = 512 * 1024;

/// The label of a bar for a search. No repository has this name, because it names no registry.
const SEARCH: &str = "search";

/// Progress bars on standard error.
pub struct Bars {
    output: Output,
    style: Style,
    all: MultiProgress,
    drawn: Mutex<Drawn>,
    in_place: InPlace,
}

/// The bars that are drawn.
#[derive(Default)]
struct Drawn {
    blobs: HashMap<(String, String), ProgressBar>,
    total: Option<ProgressBar>,
    progress: Progress,
}

impl Bars {
    /// Returns bars in `style`, and lines above them on `output`.
    pub fn new(output: Output, style: Style) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        Self { output, style, all, drawn: Mutex::default(), in_place: InPlace::default() }
    }

    fn bar(&self, drawn: &Drawn, repository: &str, digest: &str, size: u64) -> ProgressBar {
        let (label, bar) = progress::columns(self.style.width);
        let drawing = if bar == 0 { String::new() } else { format!(" [{{bar:{bar}}}]") };
        let template = format!(
            "  {{msg:{label}!}}{drawing} {{bytes:>10}}/{{total_bytes:10}} {{bytes_per_sec:>12}} {{eta:>4}}"
        );
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style =
            if self.style.unicode { style.progress_chars("━╸ ") } else { style.progress_chars("=> ") };
        let bar = ProgressBar::new(size).with_style(style);
        let bar = match &drawn.total {
            Some(total) => self.all.insert_before(total, bar),
            None => self.all.add(bar),
        };
        let text = progress::label(&clean::line(repository), digest, label, self.style);
        bar.set_message(self.style.plain(text));
        bar
    }

    /// Moves the bar of a blob, if it is worth one.
    fn advance(&self, drawn: &mut Drawn, repository: &str, digest: &Digest, size: u64, to: u64) {
        if size < WORTH_A_BAR {
            return;
        }
        let key = (repository.to_owned(), digest.to_string());
        let bar = drawn.blobs.get(&key).cloned().unwrap_or_else(|| {
            let bar = self.bar(drawn, repository, digest.as_str(), size);
            drawn.blobs.insert(key, bar.clone());
            bar
        });
        bar.set_position(to);
    }

    /// Draws the total below the bars.
    fn total(&self, drawn: &mut Drawn) {
        let Some(reading) = drawn.progress.reading(Instant::now()) else { return };
        let total = drawn.total.get_or_insert_with(|| {
            let style =
                ProgressStyle::with_template("  {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            self.all.add(ProgressBar::new_spinner().with_style(style))
        });
        total.set_message(self.style.plain(reading.words()));
        total.tick();
    }
}

impl Reporter for Bars {
    fn report(&self, event: &Event<'_>) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.progress.take(event, Instant::now());
        match event {
            Event::BlobProgress { repository, digest, size, sent } => {
                self.advance(&mut drawn, repository, digest, *size, *sent);
                self.total(&mut drawn);
                return;
            }
            Event::SearchProgress { digest, size, read } => {
                self.advance(&mut drawn, SEARCH, digest, *size, *read);
                return;
            }
            Event::Searched { digest, .. } => {
                if let Some(bar) = drawn.blobs.remove(&(SEARCH.to_owned(), digest.to_string())) {
                    bar.finish_and_clear();
                }
            }
            Event::Blob { repository, digest, .. } => {
                if let Some(bar) = drawn.blobs.remove(&((*repository).to_owned(), digest.to_string())) {
                    bar.finish_and_clear();
                }
                self.total(&mut drawn);
            }
            Event::Stage { .. } => self.total(&mut drawn),
            Event::Finished { .. } => {
                let total = drawn.total.take();
                for bar in drawn.blobs.drain().map(|(_, bar)| bar).chain(total) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        if let Some(line) = self.in_place.line(event, self.style) {
            self.all.suspend(|| self.output.err(&line));
        }
    }
}
