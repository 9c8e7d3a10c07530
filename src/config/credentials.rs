//! Finds credentials that are written into the configuration, by their keys and by their form, and masks them.
//!
//! Their values are never part of a message, and every byte of them is a `*` in the texts that labels point into. The patterns
//! that every text is searched for are in [`oci_registry::mask`].

use std::ops::Range;
use std::sync::Arc;

use super::suggest;
use super::tree::{Node, NodeContent};
use crate::diagnostic::{Code, Diagnostic, Location, SourceText};
use oci_registry::mask::{assigned, masked, token_ranges, user_information};

/// A credential in a text.
pub(super) struct Credential {
    /// The path of the value that holds it; empty for a credential in a comment.
    path: Vec<String>,
    /// The bytes of the value, or of the credential in a comment.
    span: Range<usize>,
    /// The kind of credential.
    kind: CredentialForm,
}

/// The kinds of credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CredentialForm {
    /// The value of a key such as `password`.
    Key,
    /// A value that should be the name of a variable but is not.
    Variable,
    /// A user name and a password in an address.
    UserInformation,
    /// A text that starts like the tokens of a known service.
    Token,
    /// A private key in PEM (RFC 7468).
    PrivateKey,
}

/// Finds the credentials in a text that was parsed into `root`. Returns the text with the credentials masked.
pub(super) fn find_credentials(root: &Node, text: &str) -> (String, Vec<Credential>) {
    let mut masks = token_ranges(text);
    let mut found = Vec::new();
    let mut search =
        CredentialSearch { text, tokens: &masks, path: Vec::new(), masks: Vec::new(), found: &mut found };
    search.visit(root);
    let more = search.masks;
    for token in &masks {
        if !found.iter().any(|credential| contains(&credential.span, token)) {
            found.push(Credential { path: Vec::new(), span: token.clone(), kind: CredentialForm::Token });
        }
    }
    masks.extend(more);
    (masked(text.to_owned(), &masks), found)
}

/// The paths of the values that are credentials, in the layer of `profile` or in that of the file.
pub(super) fn paths(found: &[Credential], profile: Option<&str>) -> Vec<Vec<String>> {
    let path = |credential: &Credential| match (profile, credential.path.as_slice()) {
        (_, []) => None,
        (None, path) => Some(path.to_vec()),
        (Some(profile), [section, name, rest @ ..]) if section == "profile" && name == profile => {
            Some(rest.to_vec())
        }
        _ => None,
    };
    found.iter().filter_map(path).collect()
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A walk over the values of a text.
struct CredentialSearch<'a> {
    text: &'a str,
    tokens: &'a [Range<usize>],
    path: Vec<String>,
    masks: Vec<Range<usize>>,
    found: &'a mut Vec<Credential>,
}

impl CredentialSearch<'_> {
    fn visit(&mut self, node: &Node) {
        match &node.content {
            NodeContent::Table(table) => {
                for (key, node) in table {
                    self.path.push(key.clone());
                    self.visit(node);
                    self.path.pop();
                }
            }
            NodeContent::Array(items) => {
                for (index, node) in items.iter().enumerate() {
                    self.path.push(index.to_string());
                    self.visit(node);
                    self.path.pop();
                }
            }
            NodeContent::String(text) => self.visit_string(node, text),
            NodeContent::Integer(_)
            | NodeContent::Float(_)
            | NodeContent::Boolean(_)
            | NodeContent::Unfit(_) => {
                if self.by_key() == Some(CredentialForm::Key) {
                    self.add(CredentialForm::Key, node.value.clone(), node.value.clone());
                }
            }
        }
    }

    fn visit_string(&mut self, node: &Node, value: &str) {
        let span = node.value.clone();
        let Some(written) = self.text.get(span.clone()) else { return };
        let quotes = written.len() - written.trim_start_matches(['"', '\'']).len();
        let end_quotes = written.len() - written.trim_end_matches(['"', '\'']).len();
        let inner =
            (span.start + quotes).min(span.end)..span.end.saturating_sub(end_quotes).max(span.start + quotes);
        let inner = if inner.end <= span.end { inner } else { span.clone() };
        if value.contains("PRIVATE KEY-----") {
            return self.add(CredentialForm::PrivateKey, span, inner);
        }
        match self.by_key() {
            // A value that can be the name of a variable is shown and checked further.
            Some(CredentialForm::Variable) if is_variable(value) => {}
            Some(_) if value.is_empty() => {}
            Some(kind) => return self.add(kind, span, inner),
            // A variable may have any name, and its value may be right. No message needs to show it.
            None if self.is_secret_variable() && !value.contains("{{") => self.masks.push(inner.clone()),
            None => {}
        }
        if self.tokens.iter().any(|token| contains(&span, token)) {
            self.found.push(Credential { path: self.path.clone(), span, kind: CredentialForm::Token });
            return;
        }
        let ranges: Vec<_> = user_information(written)
            .map(|(_, user)| span.start + user.start..span.start + user.end)
            .collect();
        if let Some(range) = ranges.first() {
            let range = range.clone();
            self.masks.extend(ranges);
            return self.add(CredentialForm::UserInformation, span, range);
        }
        // An address may contain such words: `token:5000`.
        let other = match self.in_layer() {
            ["registries", _, "url"] => false,
            // The name of a file may contain them too. In it, a blank does not make an assignment.
            ["registries", _, "ca_file" | "client_certificate" | "client_key"] => value.contains('='),
            ["registries", _, _] => true,
            _ => false,
        };
        if other && let Some(range) = assigned(value).first() {
            // A table that is not TOML, as a variable may contain, is treated as text.
            let range = if written == value { span.start + range.start..span.end } else { inner };
            return self.add(CredentialForm::Key, span, range);
        }
        let is_url = matches!(self.in_layer(), ["registries", _, "url"]);
        if is_url
            && !value.starts_with("oci:")
            && let Some(at) = written.rfind('@')
        {
            let user = inner.start..span.start + at;
            self.add(CredentialForm::UserInformation, span, user);
        }
    }

    fn add(&mut self, kind: CredentialForm, span: Range<usize>, mask: Range<usize>) {
        self.masks.push(mask);
        self.found.push(Credential { path: self.path.clone(), span, kind });
    }

    /// Whether the value belongs to a variable of `[vars]` whose name is that of a secret.
    fn is_secret_variable(&self) -> bool {
        let tells =
            |key: &str| WORDS.iter().any(|word| suggest::folded(key).contains(word)) || is_misspelt(key);
        let [table, name, _] = self.in_layer();
        table == "vars" && tells(name)
    }

    /// The first three parts of the path, without the profile.
    fn in_layer(&self) -> [&str; 3] {
        let skip = if self.path.first().is_some_and(|first| first == "profile") { 2 } else { 0 };
        let mut parts = self.path.iter().skip(skip).map(String::as_str);
        let mut next = || parts.next().unwrap_or_default();
        [next(), next(), next()]
    }

    /// Whether the keys say that the value is a credential, or the name of a variable. `auth` takes nothing else.
    fn by_key(&self) -> Option<CredentialForm> {
        let skip = if self.path.first().is_some_and(|first| first == "profile") { 2 } else { 0 };
        let path = self.path.get(skip..)?;
        if let [section, .., last] | [section @ last] = path
            && section != "registries"
        {
            return outside_of_registries(path, last);
        }
        let [_, _, keys @ ..] = path else { return None };
        if keys.last().is_some_and(|key| suggest::folded(key).ends_with("_env")) {
            return Some(CredentialForm::Variable);
        }
        let telling = |key: &String| {
            let key = suggest::folded(key);
            matches!(key.as_str(), "auth" | "user" | "login" | "pass")
                || key.contains("username")
                || WORDS.iter().any(|word| key.contains(word))
                || is_misspelt(&key)
        };
        keys.iter().any(telling).then_some(CredentialForm::Key)
    }
}

/// Parts of the names of keys that are meant to hold credentials.
const WORDS: [&str; 7] = ["password", "passwd", "secret", "token", "credential", "api_key", "apikey"];

/// The tables whose members have names of one's own.
const NAMED: [&str; 8] =
    ["images", "charts", "artifacts", "tags", "retention", "gates", "signing", "profile"];

/// Whether an unknown key is meant to hold a credential, although no key outside of `[registries]` does. The names of variables, labels
/// and annotations are free, and so are those of images and rules.
fn outside_of_registries(path: &[String], last: &str) -> Option<CredentialForm> {
    // A variable is no table, so that the members of one are as wrong as unknown keys.
    let is_inside_variable = path.len() > 2 && path.first().is_some_and(|first| first == "vars");
    let is_free = !is_inside_variable
        && path.iter().any(|part| matches!(part.as_str(), "vars" | "labels" | "annotations" | "secrets"));
    let key = suggest::folded(last);
    // The table may say it: `[token]`. The names that people give are no keys.
    let is_named = |at: usize| at == 1 && NAMED.contains(&path.first().map_or("", String::as_str));
    let tables =
        path.iter().enumerate().filter(|(at, _)| !is_named(*at)).map(|(_, part)| suggest::folded(part));
    let tells = key == "auth"
        || tables.into_iter().any(|part| WORDS.iter().any(|word| part.contains(word)))
        || is_misspelt(&key);
    (!is_free && tells && !key.ends_with("_env")).then_some(CredentialForm::Key)
}

/// Whether a key is nearly the name of a credential: `pasword`, `tokne`, `secert`.
fn is_misspelt(key: &str) -> bool {
    let words =
        [("password", 2), ("passwd", 1), ("secret", 1), ("token", 1), ("username", 2), ("credentials", 2)];
    // Each edit adds or removes one letter at the most, and the distance takes far longer than the letters.
    let near = |part: &str, word: &str, most: usize| {
        part.len().abs_diff(word.len()) <= most
            && (letters(word) & !letters(part)).count_ones() as usize <= most
            && (letters(part) & !letters(word)).count_ones() as usize <= most
            && strsim::damerau_levenshtein(part, word) <= most
    };
    words.iter().any(|(word, most)| key.split('_').any(|part| near(part, word, *most)))
}

/// The lower-case letters of a text, a bit each.
fn letters(text: &str) -> u32 {
    text.bytes().filter(u8::is_ascii_lowercase).fold(0, |letters, byte| letters | 1 << (byte - b'a'))
}

fn is_variable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && token_ranges(text).is_empty()
}

impl Credential {
    /// The diagnostic, which points into the masked text.
    pub fn diagnostic(&self, source: &Arc<SourceText>) -> Diagnostic {
        let subject = if self.path.is_empty() { "a comment".to_owned() } else { suggest::value(&self.path) };
        let (message, help) = match self.kind {
            CredentialForm::Key => (
                format!("{subject} is a credential in plain text"),
                "name the environment variables that hold it: `auth = { username_env = \"REGISTRY_USER\", password_env = \"REGISTRY_PASSWORD\" }`",
            ),
            CredentialForm::Variable => (
                format!("{subject} is not the name of an environment variable; is it the credential itself?"),
                "write the name of the variable, such as `GITHUB_TOKEN`, not its value",
            ),
            CredentialForm::UserInformation => (
                format!("{subject} holds a user name or password in its address"),
                "remove the part before `@`; name the credentials of a registry with `auth`",
            ),
            CredentialForm::Token => (
                format!("{subject} holds what looks like an access token"),
                "remove it and revoke it: anyone who can read the file has it; name the environment variable that holds it instead",
            ),
            CredentialForm::PrivateKey => (
                format!("{subject} is a private key in plain text"),
                "keep the key in a file of its own, outside the repository, and write the name of that file; replace the key: anyone who can read the file has it",
            ),
        };
        Diagnostic::error(Code::ConfigLiteralCredential, message)
            .at(
                Location { source: Arc::clone(source), span: self.span.clone() },
                "a secret does not belong here",
            )
            .help(help)
    }
}
