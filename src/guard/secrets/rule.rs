//! What a rule says, as data. The rules themselves are in `rules`, how they are applied in [`super::Search`].

use crate::model::Severity;

/// One kind of secret, and how it is recognized.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name in findings and in `publish.toml`: `github-token`.
    pub id: &'static str,
    /// The name for people: `GitHub token`.
    pub title: &'static str,
    /// How bad a finding is where nothing speaks against it.
    pub severity: Severity,
    /// What is recognized, in a sentence.
    pub about: &'static str,
    /// How it is recognized.
    pub(super) find: Find,
}

/// Where a rule looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Find {
    /// At the bytes around a keyword, in any file or text.
    Near(Near),
    /// At each line of files of certain names.
    Lines(Lines),
    /// At the path of a file: the ends of paths, as in [`Lines::files`].
    Name(&'static [&'static str]),
    /// At the name and the value of an environment variable, and at the lines of files of these names, which set such.
    Variable(&'static [&'static str]),
    /// At instructions and command lines: options, headers, and the like.
    Command,
}

/// A pattern that is tried where one of some keywords stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    /// At least three bytes each: the shorter they are, the slower is the pass over all bytes. None begins another.
    pub keywords: &'static [&'static str],
    /// Where the pattern is tried.
    pub start: Start,
    /// A pattern of bytes. The group `value` is what is secret; without one it is all.
    pub pattern: &'static str,
    /// The least Shannon entropy of the value, in bits a character.
    pub entropy: f64,
    /// What else must be true.
    pub check: Check,
}

/// Where a pattern is tried, seen from a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the keyword, which nothing of a word may stand before.
    Here,
    /// At the keyword, whatever stands before: it is a part of a longer name.
    Within,
    /// At the start of the run of letters, digits, `_` and `-` that stands before the keyword.
    Run,
    /// So many bytes before, which nothing of a word may stand before.
    Back(usize),
    /// At the last such text, at most 64 bytes before.
    Text(&'static str),
}

/// What must be true of a value beyond its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing: the form is enough.
    Form,
    /// The last six characters are the CRC-32 of what follows a prefix of four, in base 62. Proof where it holds; of
    /// medium severity where not.
    Crc32,
    /// What follows a `BEGIN` line is a key. Of low severity where it is encrypted.
    Pem,
    /// A file of `PuTTY`. Of low severity where it is encrypted.
    Putty,
    /// Nothing; of high severity in variables, whatever the rule says.
    InVariables,
    /// The name of AWS or of one of its access keys stands near.
    NearAws,
    /// The checksum of Bech32 (BIP 173) is right.
    Bech32,
    /// The parts of a JSON Web Token are JSON.
    Jwt,
    /// And its claims are those of a service account of Kubernetes.
    KubernetesJwt,
    /// Base64 of `USER:PASSWORD`.
    BasicAuth,
    /// Base64 of a private key in PEM.
    PemInBase64,
    /// A password of a URL: high where it looks random.
    UrlPassword,
    /// A password that somebody wrote down: any text but a placeholder.
    Password,
}

impl Check {
    /// Whether what passes may be a secret whatever stands around it.
    pub(super) fn proves(self) -> bool {
        matches!(self, Self::Crc32 | Self::Pem | Self::Putty)
    }

    /// Whether a checksum may prove what passes, so that it is a secret at any place.
    pub(super) fn is_certain(self) -> bool {
        matches!(self, Self::Crc32 | Self::Bech32)
    }
}

/// A pattern for each line of files of certain names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    /// The last parts of paths, in lower case: `.netrc`, `.m2/settings.xml`. A `*` stands for any characters of a name.
    pub files: &'static [&'static str],
    /// A pattern of bytes with the group `value`, tried at the start of each line. Where it has the group `name` too, that
    /// and the value decide.
    pub pattern: &'static str,
    /// What else must be true.
    pub check: Check,
}
