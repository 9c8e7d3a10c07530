//! The places of `tests/corpus/secrets` at which people leave secrets, filled with values that are made here, and the search of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secret_scan::{Rules, SecretSeverity};

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

/// A place: `file PATH`, `variable NAME`, `label NAME`, `history INSTRUCTION`, `command WORDS`.
pub struct Place {
    /// The kind.
    pub kind: String,
    /// The path, the name or the instruction.
    pub argument: String,
    /// The text of a file, or the value.
    pub text: String,
}

/// Returns the places of a corpus.
pub fn places(corpus: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for line in corpus.lines() {
        if let Some(head) = line.strip_prefix("== ") {
            let (kind, argument) = head.split_once(' ').expect("a kind and an argument");
            places.push(Place { kind: kind.to_owned(), argument: argument.to_owned(), text: String::new() });
        } else if let Some(place) = places.last_mut() {
            place.text.push_str(line);
            place.text.push('\n');
        }
    }
    places
}

/// Returns the highest severity of the findings at `place`, whose values are made from `seed`.
pub fn severity(place: &Place, seed: u64) -> Option<SecretSeverity> {
    let mut values = Values::new(seed);
    let argument = values.filled(&place.argument);
    let text = values.filled(&place.text);
    let value = text.trim_end();
    let rules = Rules::standard();
    let config = match place.kind.as_str() {
        "file" => {
            let found = rules.search_bytes(Some(&argument), text.as_bytes());
            let of_name = rules.search_file_name(&argument);
            return found.into_iter().chain(of_name).map(|it| it.severity).max();
        }
        "variable" => serde_json::json!({ "config": { "Env": [format!("{argument}={value}")] } }),
        "label" => serde_json::json!({ "config": { "Labels": { argument: value } } }),
        "history" => serde_json::json!({ "history": [{ "created_by": argument }] }),
        "command" => {
            let words: Vec<&str> = argument.split(' ').collect();
            serde_json::json!({ "config": { "Cmd": words } })
        }
        other => panic!("`{other}` is no kind of place"),
    };
    let found = rules.search_config(config.to_string().as_bytes());
    found.into_iter().map(|it| it.found.severity).max()
}

/// Makes values with xorshift64*; the same seed makes the same values.
pub struct Values(u64);

impl Values {
    /// Returns the maker of the values of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut values = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        values.next();
        values
    }

    fn next(&mut self) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).expect("31 bits")
    }

    /// Returns `length` characters of `alphabet`.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| letters[self.next() % letters.len()]).collect()
    }

    /// Returns `length` letters and digits.
    pub fn alnum(&mut self, length: usize) -> String {
        self.text(&format!("{LETTERS}{DIGITS}"), length)
    }

    /// Returns the base64 of `length` bytes.
    pub fn base64(&mut self, length: usize) -> String {
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(self.next() % 256).expect("a byte")).collect();
        STANDARD.encode(bytes)
    }

    /// Returns a password as people are advised to make them.
    pub fn password(&mut self, signs: &str) -> String {
        let parts = [self.text("BCDFGHJKLM", 1), self.text("aeiouy", 1), self.text("bcdfghklmnprstvwz", 4)];
        format!("{}{}{}{}", parts.concat(), self.text(DIGITS, 2), self.text(signs, 1), self.alnum(4))
    }

    /// Returns a token of 36 characters that ends with a checksum.
    fn checked(&mut self, prefix: &str) -> String {
        const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let body = self.alnum(30);
        let mut crc = flate2::Crc::new();
        crc.update(body.as_bytes());
        let digit = |place: u32| char::from(BASE62[(crc.sum() / 62_u32.pow(place) % 62) as usize]);
        let sum: String = (0..6).rev().map(digit).collect();
        format!("{prefix}{body}{sum}")
    }

    /// Returns a private key in PEM.
    fn pem(&mut self, label: &str, start: &str, end: &str) -> String {
        let body = format!("{start}{}", self.base64(600));
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).expect("text")).collect();
        let (begin, close) = (["-----BE", "GIN"].concat(), ["-----E", "ND"].concat());
        format!("{begin} {label}-----{end}{}{end}{close} {label}-----{end}", lines.join(end))
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let hex = "0123456789abcdef";
        let numbered = |prefix: &str| name.strip_prefix(prefix).and_then(|it| it.parse().ok());
        Some(match name {
            "password" => self.password("!@#%*?-_"),
            "password_url" => self.password("!*-_"),
            "base64password" => {
                let password = self.password("!@#%");
                STANDARD.encode(password)
            }
            "token" => self.alnum(40),
            "github" => self.checked("ghp_"),
            "npm" => self.checked("npm_"),
            "basic" => {
                let token = self.alnum(24);
                STANDARD.encode(format!("ci:{token}"))
            }
            "dockerconfig" => {
                let auth = STANDARD.encode(format!("ci:{}", self.alnum(24)));
                STANDARD.encode(format!("{{\"auths\":{{\"registry.internal\":{{\"auth\":\"{auth}\"}}}}}}"))
            }
            "uuid" => {
                let mut part = |length| self.text(hex, length);
                format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12))
            }
            "jwt" => {
                let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
                let sign = URL_SAFE_NO_PAD.encode(self.alnum(32));
                format!(
                    "{}.{}.{sign}",
                    part(r#"{"alg":"HS256","typ":"JWT"}"#),
                    part(r#"{"sub":"ci","iat":1700000000}"#)
                )
            }
            "pem" => self.pem("RSA PRIVATE KEY", "MIIEp", "\n"),
            "pem_escaped" => self.pem("PRIVATE KEY", "MIIEv", "\\n"),
            "pem_base64" => {
                let key = self.pem("RSA PRIVATE KEY", "MIIEp", "\n");
                STANDARD.encode(key)
            }
            "openssh" => self.pem("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "\n"),
            "pgp" => self.pem("PGP PRIVATE KEY BLOCK", "lQOY", "\n"),
            _ if numbered("base64_").is_some() => self.base64(numbered("base64_")?),
            _ if numbered("hex").is_some() => self.text(hex, numbered("hex")?),
            _ if numbered("alnum").is_some() => self.alnum(numbered("alnum")?),
            _ if numbered("digits").is_some() => self.text(DIGITS, numbered("digits")?),
            _ if numbered("letters").is_some() => self.text(LETTERS, numbered("letters")?),
            _ if numbered("upper").is_some() => {
                self.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", numbered("upper")?)
            }
            _ => return None,
        })
    }

    /// Returns `text` with a value for each name in braces.
    pub fn filled(&mut self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once('{') {
            filled.push_str(before);
            let value = from.split_once('}').and_then(|(name, behind)| Some((self.value(name)?, behind)));
            match value {
                Some((value, behind)) => {
                    filled.push_str(&value);
                    rest = behind;
                }
                None => {
                    filled.push('{');
                    rest = from;
                }
            }
        }
        filled + rest
    }
}
