//! The credentials that a request carried, and how to remove them from the texts of its answer: a server may repeat
//! what it was sent. This module knows how credentials are written, not where answers are read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use url::form_urlencoded;

use super::disguised;
use super::text::is_invisible;

/// The text that replaces a credential.
const MASK: &str = "***";
/// The shortest secret that is searched for, in bytes: a shorter one occurs in half of all words.
const SHORTEST: usize = 4;

/// The number of access tokens that are remembered: they last for minutes, and are many.
const RECENT: usize = 16;

/// The credentials that a registry and its token service were sent. The two may be one program, and repeat them in any later answer, or in
/// an address that they lead to.
#[derive(Default)]
pub(crate) struct SentCredentials(Mutex<RememberedSecrets>);

/// Secrets, with the forms of each.
#[derive(Default)]
struct RememberedSecrets {
    /// Passwords and refresh tokens.
    lasting: BTreeMap<String, Vec<String>>,
    /// The access tokens that were sent last.
    recent: VecDeque<(String, Vec<String>)>,
}

impl SentCredentials {
    /// Remembers secrets that are sent.
    fn note(&self, secrets: &BTreeSet<String>, lasts: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            if lasts {
                known.lasting.entry(secret.clone()).or_insert_with(|| forms(secret));
            } else if !known.recent.iter().any(|(it, _)| it == secret) {
                known.recent.push_back((secret.clone(), forms(secret)));
                while known.recent.len() > RECENT {
                    known.recent.pop_front();
                }
            }
        }
    }

    /// Returns `text` without the credentials.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.redact_longer(text, SHORTEST)
    }

    /// Returns an address without the credentials. Short ones may be parts of the name of a repository by chance.
    pub(crate) fn redact_address(&self, text: &str) -> String {
        self.redact_longer(text, SHORTEST * 2)
    }

    fn redact_longer(&self, text: &str, shortest: usize) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.lasting.is_empty() && known.recent.is_empty() {
            return text.to_owned();
        }
        // Invisible characters are removed later, and would leave the credential behind.
        let clean: String = text
            .chars()
            .filter(|it| !is_invisible(*it) && (!it.is_control() || it.is_whitespace()))
            .collect();
        let recent = known.recent.iter().map(|(secret, forms)| (secret, forms));
        let all = || known.lasting.iter().chain(recent.clone()).filter(|(it, _)| it.len() >= shortest);
        let mut found: Vec<&String> =
            all().flat_map(|(_, forms)| forms).filter(|form| clean.contains(form.as_str())).collect();
        found.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let shown = if found.is_empty() {
            text.to_owned()
        } else {
            found.into_iter().fold(clean, |text, form| text.replace(form.as_str(), MASK))
        };
        let secrets: Vec<&str> = all().map(|(secret, _)| secret.as_str()).collect();
        if disguised::reveals(&shown, &secrets) { MASK.to_owned() } else { shown }
    }
}

/// The credentials to remove from one answer: those that were sent to its host so far, its own request included. It is never shown.
#[derive(Clone, Default)]
pub(crate) struct Redaction(Option<Arc<SentCredentials>>);

impl Redaction {
    /// Notes the credentials of a request as `sent`: the value of its authorization header, and a secret in its body.
    pub fn new(header: Option<&str>, in_body: Option<&str>, sent: &Arc<SentCredentials>) -> Self {
        let mut secrets = BTreeSet::new();
        if let Some(header) = header {
            let (scheme, value) = header.split_once(' ').unwrap_or(("", header));
            secrets.extend([header.to_owned(), value.to_owned()]);
            let decoded = Some(value).filter(|_| scheme.eq_ignore_ascii_case("basic"));
            let decoded = decoded.and_then(|value| STANDARD.decode(value).ok());
            if let Some(pair) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                secrets.extend(pair.split_once(':').map(|(_, word)| word.to_owned()));
                secrets.insert(pair);
            }
        }
        secrets.extend(in_body.map(str::to_owned));
        secrets.retain(|secret| secret.len() >= SHORTEST);
        let is_bearer =
            header.is_some_and(|it| it.get(..7).is_some_and(|it| it.eq_ignore_ascii_case("bearer ")));
        sent.note(&secrets, !is_bearer);
        Self(Some(Arc::clone(sent)))
    }

    /// Returns `text` without the credentials.
    pub fn redact(&self, text: &str) -> String {
        self.0.as_ref().map_or_else(|| text.to_owned(), |sent| sent.redact(text))
    }

    /// Whether the texts of one answer reveal a credential together.
    pub fn reveals(&self, texts: &[&str]) -> bool {
        let joined = texts.concat();
        self.redact(&joined) != joined
    }

    /// Returns `value` without the credentials, in keys and in texts.
    pub fn redact_json(&self, value: Value) -> Value {
        match value {
            _ if self.0.is_none() => value,
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.redact_json(item)).collect())
            }
            Value::Object(entries) => {
                let entries = entries.into_iter();
                Value::Object(
                    entries.map(|(key, item)| (self.redact(&key), self.redact_json(item))).collect(),
                )
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }
}

/// Returns the ways in which a secret may be written: as it is, in JSON, in JSON in JSON, in HTML, in an address, in hexadecimal digits,
/// and in base64.
fn forms(secret: &str) -> Vec<String> {
    let in_json = |text: &str| {
        let quoted = Value::String(text.to_owned()).to_string();
        quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
    };
    let once = in_json(secret);
    let twice = in_json(&once);
    let in_address: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let every_byte = |upper: bool| -> String {
        let byte = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        secret.bytes().map(byte).collect()
    };
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes =
        [("&quot;", "&#39;"), ("&#34;", "&#39;"), ("&#34;", "&#x27;"), ("&quot;", "&apos;"), ("\"", "'")];
    let mut forms: Vec<String> =
        quotes.iter().map(|(double, single)| html.replace('"', double).replace('\'', single)).collect();
    forms.extend([in_address.replace('+', "%20"), lower_escapes(&in_address)]);
    forms.extend([every_byte(true), every_byte(false), hex.to_uppercase(), hex]);
    forms.extend([once.replace('/', "\\/"), once, twice, secret.to_owned(), in_address]);
    forms.extend([STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret)));
    forms
}

/// Returns an address with its escapes in lower case.
fn lower_escapes(address: &str) -> String {
    let mut ahead = 0;
    let lower = |character: char| {
        let is_escape = ahead > 0;
        ahead = if character == '%' { 2_u8 } else { ahead.saturating_sub(1) };
        if is_escape { character.to_ascii_lowercase() } else { character }
    };
    address.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_secrets_are_masked_in_every_form() {
        let sent = Arc::new(SentCredentials::default());
        let pair = STANDARD.encode("acme:a/w\"rd+1");
        let basic = Redaction::new(Some(&format!("Basic {pair}")), None, &sent);
        let bearer = Redaction::new(Some("Bearer tok/en-1"), None, &sent);
        let own = Redaction::new(Some("own-token"), None, &sent);
        let in_body = Redaction::new(None, Some("in-the-body"), &sent);
        for (redaction, text, expected) in [
            (&basic, format!("got Basic {pair}, no"), "got ***, no"),
            (&basic, format!("got {pair}"), "got ***"),
            (&basic, "user acme:a/w\"rd+1".to_owned(), "user ***"),
            (&basic, "word a/w\"rd+1 or a/w\\\"rd+1".to_owned(), "word *** or ***"),
            (&basic, "?p=a%2Fw%22rd%2B1".to_owned(), "?p=***"),
            (&basic, STANDARD.encode("a/w\"rd+1"), "***"),
            (&bearer, "Bearer tok/en-1 and tok/en-1".to_owned(), "*** and ***"),
            (&bearer, URL_SAFE_NO_PAD.encode("tok/en-1"), "***"),
            (&own, "own-token".to_owned(), "***"),
            (&in_body, "in-the-body".to_owned(), "***"),
            (&basic, "acme:a/w&quot;rd+1 a/w&#34;rd+1".to_owned(), "*** ***"),
            (&basic, "a/w\\\\\\\"rd+1 a\\/w\\\"rd+1".to_owned(), "*** ***"),
            (&basic, "a%2fw%22rd%2b1 612f772272642b31 612F772272642B31".to_owned(), "*** *** ***"),
            (&basic, "%61%2F%77%22%72%64%2B%31".to_owned(), "***"),
            (&basic, "a\u{200b}/w\u{feff}\"r\u{0}d+1".to_owned(), "***"),
            (&bearer, "a/w\"rd+1, sent to the token service".to_owned(), "***, sent to the token service"),
            (&bearer, "acme may not".to_owned(), "acme may not"),
        ] {
            assert_eq!(redaction.redact(&text), expected);
        }
        let value = serde_json::json!({ "tok/en-1": ["Bearer tok/en-1", 1, null], "a": { "b": "tok/en-1" } });
        let expected = serde_json::json!({ "***": ["***", 1, null], "a": { "b": "***" } });
        assert_eq!(bearer.redact_json(value), expected);
    }

    #[test]
    fn other_texts_are_left_alone() {
        let sent = Arc::new(SentCredentials::default());
        assert_eq!(Redaction::default().redact("text"), "text");
        assert_eq!(Redaction::new(None, Some(""), &sent).redact("text"), "text");
        assert_eq!(Redaction::new(Some("Basic !"), Some("a"), &sent).redact("a text!"), "a text!");
    }
}
