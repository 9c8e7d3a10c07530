//! The error envelope of registries: `{"errors":[{"code","message","detail"}]}` (distribution-spec 1.1, "Error Codes").
//! It is read leniently, because any body may come.

use std::fmt;

use serde_json::Value;

use super::redaction::Redaction;
use super::text::printable;
use crate::digest::Digest;

/// The errors that a registry reported. Empty if it said nothing that can be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorEnvelope {
    items: Vec<ErrorItem>,
}

/// One error of an [`ErrorEnvelope`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorItem {
    /// `DENIED`, `MANIFEST_UNKNOWN`…; empty if the body did not have the specified form.
    pub code: String,
    /// A text for people; may be empty.
    pub message: String,
    /// Any other detail, as compact JSON or text; may be empty.
    pub detail: String,
}

/// The most characters kept of one text.
const TEXT_LIMIT: usize = 500;
/// The most errors kept: a registry may name every layer that it lacks.
const ITEM_LIMIT: usize = 128;
/// The most errors shown.
const SHOWN: usize = 8;

impl ErrorEnvelope {
    /// Reads a body of any kind. Accepts the specified form, the forms that Docker Hub's token server
    /// (`{"details":…}`), GitHub (`{"message":…}`) and OAuth servers (`{"error":…}`) send, the XML of object storage
    /// (`<Error><Code>…`), and plain text. HTML is dropped, because it says nothing to a person in a terminal.
    pub fn parse(body: &[u8]) -> Self {
        Self::parse_without(body, &Redaction::default())
    }

    /// Reads a body like [`ErrorEnvelope::parse`], and removes the credentials of `redaction` if the body repeats them.
    pub(crate) fn parse_without(body: &[u8], redaction: &Redaction) -> Self {
        let text = String::from_utf8_lossy(body);
        let items = match serde_json::from_str::<Value>(&text) {
            Ok(value) => items_of(&redaction.redact_json(value)),
            Err(_) if text.trim_start().starts_with('<') => {
                of_storage(&redaction.redact(&text)).into_iter().collect()
            }
            Err(_) => {
                let message = printable(&redaction.redact(&text), TEXT_LIMIT);
                vec![ErrorItem { message, ..ErrorItem::default() }]
            }
        };
        let items: Vec<ErrorItem> = items.into_iter().filter(|item| *item != ErrorItem::default()).collect();
        let texts: Vec<&str> =
            items.iter().flat_map(|it| [it.code.as_str(), &it.message, &it.detail]).collect();
        if redaction.reveals(&texts) {
            return Self { items: vec![ErrorItem { message: "***".to_owned(), ..ErrorItem::default() }] };
        }
        Self { items }
    }

    /// Returns the errors, in order.
    pub fn items(&self) -> &[ErrorItem] {
        &self.items
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether there is a code to show.
    pub fn has_codes(&self) -> bool {
        self.items.iter().any(|item| !item.code.is_empty())
    }

    /// Whether one of the codes is `code`.
    pub fn has_code(&self, code: &str) -> bool {
        self.items.iter().any(|item| item.code.eq_ignore_ascii_case(code))
    }

    /// Returns the digests that messages and details name, in order.
    pub fn digests(&self) -> Vec<Digest> {
        let texts = self.items.iter().flat_map(|item| [&item.message, &item.detail]);
        let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':'));
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Whether a message or detail contains `words`, ignoring case.
    pub fn mentions(&self, words: &str) -> bool {
        let words = words.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&words);
        self.items.iter().any(|item| holds(&item.message) || holds(&item.detail))
    }
}

impl fmt::Display for ErrorEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, item) in self.items.iter().take(SHOWN).enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            let said = if item.message.is_empty() { &item.detail } else { &item.message };
            match (item.code.as_str(), said.as_str()) {
                ("", said) => write!(f, "{separator}{said}")?,
                (code, "") => write!(f, "{separator}{code}")?,
                (code, said) => write!(f, "{separator}{code}: {said}")?,
            }
        }
        match self.items.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Returns the errors of a JSON body.
fn items_of(value: &Value) -> Vec<ErrorItem> {
    if let Some(errors) = value.get("errors").and_then(Value::as_array) {
        return errors.iter().take(ITEM_LIMIT).map(item_of).collect();
    }
    match value {
        Value::String(_) | Value::Object(_) => vec![item_of(value)],
        _ => Vec::new(),
    }
}

/// Returns the error of an object storage: `<Error><Code>AccessDenied</Code><Message>…</Message>…` (Amazon S3, "Error
/// responses"; Azure and Google Cloud Storage do the same).
fn of_storage(text: &str) -> Option<ErrorItem> {
    let within = |text: &str, tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(printable(rest.split_once(&format!("</{tag}>"))?.0, TEXT_LIMIT))
    };
    let (_, error) = text.split_once("<Error>")?;
    let (code, message) = (within(error, "Code")?, within(error, "Message").unwrap_or_default());
    Some(ErrorItem { code, message, detail: String::new() })
}

/// Returns one error, from an object in any of the known forms or from a text.
fn item_of(value: &Value) -> ErrorItem {
    let first =
        |keys: &[&str]| keys.iter().filter_map(|key| value.get(key)).map(plain).find(|text| !text.is_empty());
    if let Some(inner @ Value::Object(_)) = value.get("error") {
        return item_of(inner);
    }
    if let Value::String(text) = value {
        return ErrorItem { message: printable(text, TEXT_LIMIT), ..ErrorItem::default() };
    }
    ErrorItem {
        code: first(&["code"]).unwrap_or_default(),
        message: first(&["message", "error_message", "error_description", "details", "error"])
            .unwrap_or_default(),
        detail: first(&["detail"]).unwrap_or_default(),
    }
}

/// Returns a value as text.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text, TEXT_LIMIT),
        other => printable(&other.to_string(), TEXT_LIMIT),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_body_is_read() {
        for (body, shown) in [
            (r#"{"errors":[{"code":"DENIED","message":"no","detail":{"a":1}}]}"#, "DENIED: no"),
            (r#"{"errors":[{"code":"DENIED","message":null,"detail":{"a":1}}]}"#, r#"DENIED: {"a":1}"#),
            (r#"{"errors":[{"code":"A"},{"code":"B","message":"b"}]}"#, "A; B: b"),
            (r#"{"errors":["text"]}"#, "text"),
            (r#"{"errors":[]}"#, ""),
            (r#"{"errors":[{}]}"#, ""),
            (r#"{"errors":[7]}"#, ""),
            (r#"{"details":"incorrect username or password"}"#, "incorrect username or password"),
            (r#"{"message":"Bad credentials"}"#, "Bad credentials"),
            (r#"{"error":"invalid_grant","error_description":"no"}"#, "no"),
            (r#"{"error":{"code":5,"message":"m"}}"#, "5: m"),
            ("plain\u{1b}[31m text\n", "plain text"),
            ("<html><h1>502</h1></html>", ""),
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X/></Error>",
                "AccessDenied: Request has expired",
            ),
            ("<Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
            ("<Error><Code>AccessDenied", ""),
            ("", ""),
            ("[1,2", "[1,2"),
            ("17", ""),
            (r#"{"errors":[{"code":"X\u001b[2J","message":"a\nb"}]}"#, "X: a b"),
        ] {
            assert_eq!(ErrorEnvelope::parse(body.as_bytes()).to_string(), shown, "{body}");
        }
    }

    #[test]
    fn codes_and_words_can_be_searched_for() {
        let envelope =
            ErrorEnvelope::parse(br#"{"errors":[{"code":"denied","message":"Secondary Rate limit"}]}"#);
        assert!(envelope.has_code("DENIED") && envelope.mentions("secondary rate"));
        assert!(!envelope.has_code("UNKNOWN") && envelope.has_codes() && !envelope.is_empty());
        assert_eq!(envelope.items().len(), 1);
    }

    #[test]
    fn digests_are_found_wherever_a_registry_names_them() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let (one, two) = (digest("one"), digest("two"));
        for errors in [
            serde_json::json!([{ "code": "MANIFEST_BLOB_UNKNOWN", "detail": one }, { "code": "X", "detail": two }]),
            serde_json::json!([{ "code": "MANIFEST_BLOB_UNKNOWN", "detail": { "digest": one, "other": two } }]),
            serde_json::json!([{ "message": format!("Layers with digests '[{one}, {two}]' do not exist") }]),
            serde_json::json!([{ "message": format!("unknown blob {one}"), "detail": { "message": format!("`{two}`") } }]),
        ] {
            let body = serde_json::json!({ "errors": errors }).to_string();
            let envelope = ErrorEnvelope::parse(body.as_bytes());
            assert_eq!(envelope.digests(), [one.clone(), two.clone()], "{body}");
        }
        let many: Vec<_> = (0..20).map(|_| serde_json::json!({ "code": "A", "detail": one })).collect();
        let body = serde_json::json!({ "errors": many }).to_string();
        let envelope = ErrorEnvelope::parse(body.as_bytes());
        assert_eq!(envelope.digests().len(), 20);
        assert!(envelope.to_string().ends_with("; and 12 more"), "{envelope}");
    }

    proptest! {
        #[test]
        fn no_body_is_too_strange(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let shown = ErrorEnvelope::parse(&body).to_string();
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
