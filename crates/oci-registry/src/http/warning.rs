//! The `Warning` header: `299 - "text"` (distribution-spec 1.1, "Warnings"). Warnings are shown, never acted on.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, WARNING};

use crate::error::redaction::Redaction;
use crate::error::text::printable;
use crate::notice::{Notice, Notify};

/// The most warnings that are shown for one registry.
const LIMIT: usize = 50;

/// The warnings of a registry, each reported once.
pub(super) struct Warnings {
    host: String,
    notify: Notify,
    seen: Mutex<HashSet<String>>,
}

impl Warnings {
    /// Returns the warnings of `host`, which are reported to `notify`.
    pub(super) fn new(host: &str, notify: Notify) -> Self {
        Self { host: host.to_owned(), notify, seen: Mutex::default() }
    }

    /// Reports each warning in the headers of an answer that was not reported before, without the credentials of the request.
    pub(super) fn look(&self, headers: &HeaderMap, redaction: &Redaction) {
        for value in headers.get_all(WARNING) {
            let Some(text) = text_of(&redaction.redact(&String::from_utf8_lossy(value.as_bytes()))) else {
                continue;
            };
            let text = redaction.redact(&text);
            let new = {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.len() < LIMIT && seen.insert(text.clone())
            };
            if new {
                (self.notify)(Notice::Warning { host: self.host.clone(), text });
            }
        }
    }
}

/// Returns the text of a header `299 - "text"`; clients need not show other codes and agents.
fn text_of(header: &str) -> Option<String> {
    let quoted = header.trim().strip_prefix("299 - \"")?.strip_suffix('"')?;
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Some(printable(&text, 500)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn only_the_specified_form_is_shown() {
        for (header, expected) in [
            (r#"299 - "over quota""#, Some("over quota")),
            (r#"299 - "a \"b\" \\""#, Some(r#"a "b" \"#)),
            ("299 - \"\u{1b}[2Jx\"", Some("x")),
            (r#"299 - """#, None),
            (r#"199 - "x""#, None),
            (r#"299 host "x""#, None),
            ("299 - x", None),
            (r#"299 - ""#, None),
        ] {
            assert_eq!(text_of(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn each_text_is_reported_once() {
        let reported = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&reported);
        let notify: Notify = Arc::new(move |notice| {
            if let Notice::Warning { host, text } = notice {
                sink.lock().expect("a lock").push(format!("{host}: {text}"));
            }
        });
        let warnings = Warnings::new("h", notify);
        let mut headers = HeaderMap::new();
        headers.append(WARNING, HeaderValue::from_static("299 - \"a\""));
        headers.append(WARNING, HeaderValue::from_static("299 - \"b\""));
        headers.append(WARNING, HeaderValue::from_static("299 - \"a\""));
        warnings.look(&headers, &Redaction::default());
        warnings.look(&headers, &Redaction::default());
        assert_eq!(*reported.lock().expect("a lock"), ["h: a", "h: b"]);
    }
}
