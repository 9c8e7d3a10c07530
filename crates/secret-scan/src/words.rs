//! The words of a shown text: which of them follow the name of a secret, look random, or are a known secret. Values that the rules
//! find in the text are hidden earlier.

use std::collections::BTreeSet;

use oci_registry::Digest;

/// The text that replaces a hidden word.
pub(crate) const HIDDEN: &str = "…";
/// The length from which a word may look random, in characters; the second applies to names of files.
const RANDOM: usize = 12;
const RANDOM_IN_PATH: usize = 16;
/// In a part with more words than these, not every run of words is tried.
const MOST_WORDS: usize = 16;
/// Commands whose options `-p` and `-u` take no password.
const OTHER_OPTIONS: &[&str] =
    &["mkdir", "cp", "set", "sort", "useradd", "adduser", "groupadd", "id", "date", "unzip", "install"];

/// Whether an unquoted value ends at this character.
fn ends(character: char) -> bool {
    character.is_whitespace() || "\"'`".contains(character)
}

fn separates(character: char) -> bool {
    ends(character) || "=:,;@\\()[]{}<>|&".contains(character)
}

/// Whether a secret follows a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// No secret in particular.
    Any,
    /// A secret, if it is assigned.
    Assigned,
    /// A secret.
    Secret,
    /// A secret, unless it looks like a path, because the option is short and many programs use it.
    Short,
}

fn follows(word: &str, before: &str) -> Follows {
    let lower = word.to_ascii_lowercase();
    let name = lower.trim_start_matches('-');
    let is_option = name.len() < lower.len();
    if ["-p", "-u"].contains(&lower.as_str()) {
        return if OTHER_OPTIONS.contains(&before) { Follows::Any } else { Follows::Short };
    }
    let is = |names: &[&str]| names.contains(&name);
    let ends = |ends: &[&str]| ends.iter().any(|it| name.ends_with(it));
    let holds = |parts: &[&str]| parts.iter().any(|it| name.contains(it));
    if !name.contains('/')
        && (is(&["pass", "pwd", "passphrase", "token", "bearer", "basic"]) || ends(&["password", "passwd"]))
    {
        return Follows::Secret;
    }
    if is_option && (name.starts_with("pass") || holds(&["secret", "token"]) || ends(&["key"])) {
        return Follows::Secret;
    }
    if holds(&["pass", "pwd", "secret", "token", "credential", "authorization"]) || ends(&["key"]) {
        return Follows::Assigned;
    }
    Follows::Any
}

/// Whether `word`, which comes after `between`, must be hidden according to `follows`.
fn is_value(follows: Follows, between: &str, word: &str) -> bool {
    // `$TOKEN`, `$(cat token)`: the name of a variable is not a secret.
    let reference = word.strip_prefix('$').is_some_and(|name| {
        name.bytes().all(|it| it.is_ascii_uppercase() || it == b'_' || it.is_ascii_digit())
    });
    if reference {
        return false;
    }
    let quoted = between.contains(['"', '\'', '`']);
    let apart = between.contains([';', '|', '&', '<', '>']) || (between.contains(',') && !quoted);
    let assigned = between.contains(['=', ':']);
    match follows {
        Follows::Any => false,
        Follows::Assigned => assigned && !apart,
        Follows::Secret => assigned || !apart,
        Follows::Short => !apart && !word.starts_with(['/', '.', '-']),
    }
}

/// Returns `text` without the values that follow names of secrets, and without words that look random.
pub(crate) fn without_values(text: &str) -> String {
    let is_mysql = ["mysql", "mariadb"].iter().any(|it| text.contains(it));
    let mut shown = String::with_capacity(text.len());
    let (mut rest, mut before, mut state) = (text, "", Follows::Any);
    while !rest.is_empty() {
        let (between, from) = rest.split_at(rest.find(|it| !separates(it)).unwrap_or(rest.len()));
        shown.push_str(between);
        let (word, behind) = from.split_at(from.find(separates).unwrap_or(from.len()));
        // The `n` of a `\n` before a word is not part of the word.
        let is_escaped = between.ends_with('\\') && word.starts_with(['n', 'r', 't']);
        let name = if is_escaped { word.get(1..).unwrap_or_default() } else { word };
        let next = follows(name, before);
        let attached = attached(word, behind, is_mysql);
        // `Authorization: Bearer …`: the secret is not `Bearer` but the word after it.
        let leads = ["bearer", "basic", "token"].contains(&name.to_ascii_lowercase().as_str())
            || (name.starts_with('-') && next != Follows::Any);
        if !leads && (is_value(state, between, word) || attached.is_some()) {
            shown.push_str(attached.unwrap_or_default());
            shown.push_str(HIDDEN);
            let quote = between.chars().next_back().filter(|it| "\"'`".contains(*it));
            let end = match quote {
                Some(quote) => from.find(quote),
                None => from.find(ends),
            };
            rest = from.get(end.unwrap_or(from.len())..).unwrap_or_default();
        } else {
            shown.push_str(&without_random(word));
            rest = behind;
        }
        state = next;
        before = name;
    }
    shown
}

/// Returns the option that a value is attached to: `-pVALUE` of `MySQL`, `-uUSER:VALUE` of curl.
fn attached<'w>(word: &'w str, behind: &str, is_mysql: bool) -> Option<&'w str> {
    let option = word.get(..2)?;
    let value = word.get(2..).filter(|it| !it.is_empty() && !it.starts_with('-'))?;
    let mixed = value.contains(|it: char| it.is_ascii_digit() || it.is_ascii_uppercase());
    match option {
        "-p" => (is_mysql || mixed).then_some(option),
        "-u" => behind.starts_with(':').then_some(option),
        _ => None,
    }
}

fn without_random(word: &str) -> String {
    if !word.contains('/') {
        return if looks_random(word) { HIDDEN.to_owned() } else { word.to_owned() };
    }
    // A slash can also be a digit of base64.
    let parts: Vec<&str> = word.split('/').collect();
    let mixed = parts.iter().filter(|part| changes(part) >= 2).count();
    let relative = !word.starts_with(['/', '.', '~']) && !word.contains('.');
    if relative && mixed * 2 >= parts.len() && looks_random(&word.replace('/', "")) {
        return HIDDEN.to_owned();
    }
    let parts = parts.into_iter().map(|part| if looks_random(part) { HIDDEN } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Returns `path` without the words in it that look random. Names made of hashes are common, and identify the file, so only a
/// word with small letters, capital letters and digits counts as random.
pub(crate) fn without_random_in_path(path: &str) -> String {
    let parts = |it: char| separates(it) || it == '/';
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while !rest.is_empty() {
        let (between, from) = rest.split_at(rest.find(|it| !parts(it)).unwrap_or(rest.len()));
        let (word, behind) = from.split_at(from.find(parts).unwrap_or(from.len()));
        let has = |class: fn(&u8) -> bool| word.bytes().any(|it| class(&it));
        let all = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
        let random = all && word.len() >= RANDOM_IN_PATH && looks_random(word);
        shown.push_str(between);
        shown.push_str(if random { HIDDEN } else { word });
        rest = behind;
    }
    shown
}

/// Whether a word looks as if nobody chose it: it is long, and characters of several kinds alternate.
fn looks_random(word: &str) -> bool {
    let length = word.chars().count();
    // Digests, and shortened digests.
    let hex = word.bytes().all(|it| it.is_ascii_hexdigit()) && [12, 16, 40, 64, 96, 128].contains(&length);
    if length < RANDOM || hex || entropy(word) < 2.8 {
        return false;
    }
    let changes = changes(word);
    let least = if word.bytes().any(|it| it.is_ascii_digit()) { 4 } else { 3 };
    changes >= least && changes * 5 >= length
}

/// Returns how often the kind of character changes, except after a capital letter before small ones, and next to punctuation.
fn changes(word: &str) -> usize {
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 3,
        _ => 0,
    };
    let kinds: Vec<u8> = word.bytes().map(|it| kind(&it)).collect();
    let pairs = kinds.iter().zip(kinds.iter().skip(1));
    pairs
        .filter(|(one, other)| one != other && **one != 0 && **other != 0 && (**one, **other) != (2, 1))
        .count()
}

/// Returns Shannon's entropy, in bits per character.
#[allow(clippy::cast_precision_loss)] // texts that are shown are short
fn entropy(word: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    for character in word.chars() {
        *counts.entry(character).or_insert(0_usize) += 1;
    }
    let length = word.chars().count() as f64;
    counts.values().map(|count| *count as f64 / length).map(|share| -share * share.log2()).sum()
}

/// Returns `text` without the words, and runs of words, that have at least `least` bytes and whose fingerprint is `known`.
pub(crate) fn without_known_words(text: &str, known: &BTreeSet<Digest>, least: usize) -> String {
    if known.is_empty() {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(ends) {
        let end = part.char_indices().next_back().filter(|(_, last)| ends(*last));
        let (words, end) = part.split_at(end.map_or(part.len(), |(at, _)| at));
        shown.push_str(&without_runs(words, known, least));
        shown.push_str(end);
    }
    shown
}

fn without_runs(part: &str, known: &BTreeSet<Digest>, least: usize) -> String {
    let is_known = |word: &str| word.len() >= least.max(1) && known.contains(&Digest::of(word.as_bytes()));
    let (mut starts, mut stops) = (vec![0], Vec::new());
    for (at, character) in part.char_indices().filter(|(_, it)| separates(*it) || *it == '/') {
        stops.push(at);
        starts.push(at + character.len_utf8());
        if character == '\\' {
            // Also start after the letter of `\n`.
            starts.push(at + 2);
        }
    }
    stops.push(part.len());
    let all = starts.len() <= MOST_WORDS;
    for start in starts {
        // Try the longest first.
        let mut behind: Vec<usize> = stops.iter().copied().filter(|stop| *stop > start).collect();
        if !all {
            behind.truncate(1);
        }
        for stop in behind.into_iter().rev() {
            let (Some(word), Some(before), Some(rest)) =
                (part.get(start..stop), part.get(..start), part.get(stop..))
            else {
                continue;
            };
            if is_known(word) {
                return format!("{before}{HIDDEN}{}", without_runs(rest, known, least));
            }
        }
    }
    part.to_owned()
}
