//! The form of a rule, as data. The rules themselves are in `rules`; [`super::Search`] applies them.

use crate::Severity;

/// One kind of secret, and how it is recognized.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name in findings and in `publish.toml`: `github-token`.
    pub id: &'static str,
    /// The name for people: `GitHub token`.
    pub title: &'static str,
    /// The severity of a finding if nothing speaks against it.
    pub severity: Severity,
    /// A sentence about what the rule recognizes.
    pub about: &'static str,
    /// The way in which it is recognized.
    pub(super) find: Find,
}

/// The bytes or names that a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Find {
    /// The bytes around a keyword, in any file or text.
    Near(Near),
    /// Each line of files with certain names.
    Lines(Lines),
    /// The path of a file: the ends of paths, as in [`Lines::files`].
    Name(&'static [&'static str]),
    /// The name and the value of an environment variable, and the lines of files with these names, which set variables.
    Variable(&'static [&'static str]),
    /// Instructions and command lines: options, headers, and similar arguments.
    Command,
}

/// A pattern that is tried at certain keywords.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    /// Keywords of at least three bytes: the shorter they are, the slower the pass over all bytes. None is the beginning of another.
    pub keywords: &'static [&'static str],
    /// The place at which the pattern is tried.
    pub start: Start,
    /// A pattern of bytes. The group `value` is the secret; without the group, the whole match is.
    pub pattern: &'static str,
    /// The least Shannon entropy of the value, in bits per character.
    pub entropy: f64,
    /// The further condition on the value.
    pub check: Check,
}

/// The place at which a pattern is tried, relative to a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the keyword, which no word character may precede.
    Here,
    /// At the keyword, regardless of what precedes it, because it is a part of a longer name.
    Within,
    /// At the start of the run of letters, digits, `_` and `-` that precedes the keyword.
    Run,
    /// This many bytes before the keyword. No word character may precede that place.
    Back(usize),
    /// At the last occurrence of this text, at most 64 bytes before the keyword.
    Text(&'static str),
}

/// The condition on a value beyond its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// None: the pattern is enough.
    Form,
    /// The last six characters are the CRC-32 of the characters after a prefix of four, in base 62. A right checksum is proof; with a
    /// wrong one the severity is medium.
    Crc32,
    /// A key follows the `BEGIN` line. The severity is low if it is encrypted.
    Pem,
    /// A key file of `PuTTY`. The severity is low if it is encrypted.
    Putty,
    /// None, but the severity is high in variables, whatever the rule says.
    InVariables,
    /// The name of AWS or one of its access keys is nearby.
    NearAws,
    /// The checksum of Bech32 (BIP 173) is right.
    Bech32,
    /// The parts of a JSON Web Token are JSON.
    Jwt,
    /// The parts of a JSON Web Token are JSON, and its claims are those of a service account of Kubernetes.
    KubernetesJwt,
    /// Base64 of `USER:PASSWORD`.
    BasicAuth,
    /// Base64 of a private key in PEM.
    PemInBase64,
    /// A password in a URL. The severity is high if it looks random.
    UrlPassword,
    /// A password that somebody wrote: any text except a placeholder.
    Password,
}

impl Check {
    /// Whether a value that passes may be a secret regardless of the bytes around it.
    pub(super) fn proves(self) -> bool {
        matches!(self, Self::Crc32 | Self::Pem | Self::Putty)
    }

    /// Whether a checksum may prove a value that passes, so that it is a secret at any place.
    pub(super) fn is_certain(self) -> bool {
        matches!(self, Self::Crc32 | Self::Bech32)
    }
}

/// A pattern for each line of files of certain names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    /// The last parts of paths, in lower case: `.netrc`, `.m2/settings.xml`. A `*` matches any characters of a name.
    pub files: &'static [&'static str],
    /// A pattern of bytes with the group `value`, tried at the start of each line. If it has the group `name` too, the name and the value
    /// decide together.
    pub pattern: &'static str,
    /// The further condition on the value.
    pub check: Check,
}
