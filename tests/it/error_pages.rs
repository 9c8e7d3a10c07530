//! Each page of `docs/errors` shows what the program prints: for every code, `samples` runs the program so that it fails with that
//! code, and the `text` blocks of its page are compared with the output. `BROKKR_PUBLISH_UPDATE_ERROR_PAGES=1` rewrites the blocks.
//!
//! Digests are compared by their length only, because another version of a compression library gives other layers.

mod drawn;
mod samples;

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use brokkr_publish::diagnostic::Code;

/// The page of a code.
pub struct ErrorPage {
    /// The code.
    pub code: Code,
    path: PathBuf,
    text: String,
}

impl ErrorPage {
    fn of(code: Code) -> Self {
        let name = code.as_str().trim_start_matches("publish::").replace("::", "-").replace('_', "-");
        Self::read(code, &format!("docs/errors/{name}.md"))
    }

    /// Returns the guides that repeat the sample of the page.
    fn guides(&self) -> Vec<Self> {
        let guides: &[&str] = match self.code {
            Code::RegistryDenied => &["docs/guides/github-actions.md"],
            _ => &[],
        };
        guides.iter().map(|guide| Self::read(self.code, guide)).collect()
    }

    fn read(code: Code, path: &str) -> Self {
        let path = testkit::root().join(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { code, path, text }
    }

    /// Returns the first block of a language.
    pub fn block(&self, language: &str) -> Option<&str> {
        self.blocks(language).next()
    }

    fn blocks<'a>(&'a self, language: &str) -> impl Iterator<Item = &'a str> {
        let opening = format!("```{language}\n");
        let parts: Vec<&str> = self.text.split(&opening).skip(1).collect();
        parts.into_iter().filter_map(|part| part.split("```").next())
    }

    /// Compares the samples of the page with `printed`, or rewrites them. Returns the difference.
    fn compare(&self, printed: &[String], update: bool) -> Option<String> {
        let is_guide = self.path.parent().is_some_and(|folder| folder.ends_with("guides"));
        let heading = format!("error: {} (", self.code);
        let is_sample = |block: &&str| !is_guide || block.starts_with(&heading);
        let shown: Vec<&str> = self.blocks("text").filter(is_sample).collect();
        let name = self.path.file_name().unwrap_or_default().display();
        if shown.len() != printed.len() {
            return Some(format!("{name} has {} text blocks, but {} samples", shown.len(), printed.len()));
        }
        let same = |(shown, printed): (&&str, &String)| without_digests(shown) == without_digests(printed);
        if shown.iter().zip(printed).all(same) {
            return None;
        }
        if !update {
            let printed = printed.join("```\n\n```text\n");
            return Some(format!("{name} does not show what the program prints:\n\n{printed}"));
        }
        let mut text = self.text.clone();
        for (shown, printed) in shown.iter().zip(printed) {
            text = text.replacen(&format!("```text\n{shown}```"), &format!("```text\n{printed}```"), 1);
        }
        fs::write(&self.path, text).expect("written");
        None
    }
}

/// Returns `text` with every hexadecimal digit of digests and commits as `0`.
fn without_digests(text: &str) -> String {
    let digest = regex::Regex::new(r"\b[0-9a-f]{12,64}\b").expect("a pattern");
    digest.replace_all(text, |found: &regex::Captures<'_>| "0".repeat(found[0].len())).into_owned()
}

#[test]
fn every_page_shows_what_the_program_prints() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let update = std::env::var_os("BROKKR_PUBLISH_UPDATE_ERROR_PAGES").is_some();
    // Samples that wait for a registry stand in the second half of the catalogue, so the last is taken first.
    let waiting: Vec<Code> = Code::ALL.to_vec();
    let (waiting, wrong) = (Mutex::new(waiting), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(code) = waiting.lock().expect("a lock").pop() else { return };
                    let page = ErrorPage::of(code);
                    let found = std::panic::AssertUnwindSafe(|| runtime.block_on(samples::of(&page)));
                    let found = std::panic::catch_unwind(found);
                    let differences: Vec<String> = match found {
                        Ok(printed) => std::iter::once(&page)
                            .chain(&page.guides())
                            .filter_map(|page| page.compare(&printed, update))
                            .collect(),
                        Err(_) => vec![format!("{code}: the sample cannot be produced; see the panic above")],
                    };
                    wrong.lock().expect("a lock").extend(differences);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("a lock");
    assert!(
        wrong.is_empty(),
        "{}\n\nto rewrite the samples: BROKKR_PUBLISH_UPDATE_ERROR_PAGES=1 cargo test --test it error_pages::",
        wrong.join("\n\n")
    );
}

#[test]
fn every_page_is_short() {
    for code in Code::ALL {
        let page = ErrorPage::of(*code);
        let lines = page.text.lines().count();
        assert!((15..=75).contains(&lines), "{} has {lines} lines", page.path.display());
    }
}
