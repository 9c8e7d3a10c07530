//! Events on a terminal: a bar for each blob under way, and the other lines above the bars.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::InPlace;
use super::output::Output;
use super::{Style, clean};
use crate::event::{Event, Reporter};

/// The size in bytes of the smallest blob with a bar. Smaller ones are done before anybody can read a bar.
const WORTH_A_BAR: u64 = 512 * 1024;

/// Progress bars on standard error.
pub struct Bars {
    output: Output,
    style: Style,
    all: MultiProgress,
    blobs: Mutex<HashMap<(String, String), ProgressBar>>,
    in_place: InPlace,
}

impl Bars {
    /// Returns bars in `style`, and lines above them on `output`.
    pub fn new(output: Output, style: Style) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        Self { output, style, all, blobs: Mutex::default(), in_place: InPlace::default() }
    }

    fn bar(&self, repository: &str, digest: &str, size: u64) -> ProgressBar {
        let template = "  {msg:30!} [{bar:25}] {bytes:>10}/{total_bytes:10} {bytes_per_sec:>12} {eta:>4}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style =
            if self.style.unicode { style.progress_chars("━╸ ") } else { style.progress_chars("=> ") };
        let bar = self.all.add(ProgressBar::new(size).with_style(style));
        let image = repository.rsplit('/').next().unwrap_or_default();
        let short: String = digest.chars().skip("sha256:".len()).take(12).collect();
        bar.set_message(format!("{} {short}", clean::line(image)));
        bar
    }
}

impl Reporter for Bars {
    fn report(&self, event: &Event<'_>) {
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::BlobProgress { repository, digest, size, sent } if *size >= WORTH_A_BAR => {
                let key = ((*repository).to_owned(), digest.to_string());
                let bar = blobs.entry(key).or_insert_with(|| self.bar(repository, digest.as_str(), *size));
                bar.set_position(*sent);
                return;
            }
            Event::SearchProgress { digest, size, read } if *size >= WORTH_A_BAR => {
                let key = (String::new(), digest.to_string());
                let bar = blobs.entry(key).or_insert_with(|| self.bar("search", digest.as_str(), *size));
                bar.set_position(*read);
                return;
            }
            Event::Searched { digest, .. } => {
                if let Some(bar) = blobs.remove(&(String::new(), digest.to_string())) {
                    bar.finish_and_clear();
                }
            }
            Event::Blob { repository, digest, .. } => {
                if let Some(bar) = blobs.remove(&((*repository).to_owned(), digest.to_string())) {
                    bar.finish_and_clear();
                }
            }
            Event::Finished { .. } => {
                for (_, bar) in blobs.drain() {
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
