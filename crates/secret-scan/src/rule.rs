//! The form of a rule, as data. `rules` is the table, and `text_search` applies it.

use crate::severity::SecretSeverity;

/// One kind of secret, and how it is recognized.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name in findings: `github-token`.
    pub id: &'static str,
    /// The name for people: `GitHub token`.
    pub title: &'static str,
    /// The severity of a finding if nothing speaks against it.
    pub severity: SecretSeverity,
    /// A sentence that says which secrets the rule recognizes.
    pub description: &'static str,
    /// The way in which it is recognized.
    pub(crate) detection: Detection,
}

impl Rule {
    /// Returns the names of files that the rule is about: the last parts of paths, in lower case, in which a `*` matches any characters
    /// of a name. The list is empty if the rule looks at contents.
    pub fn file_names(&self) -> &'static [&'static str] {
        match self.detection {
            Detection::FileName(names) => names,
            _ => &[],
        }
    }

    /// Returns a rule of high severity for a token that is recognized by its prefix and its form, with no word characters around it.
    pub(crate) const fn token(
        id: &'static str,
        title: &'static str,
        description: &'static str,
        keywords: &'static [&'static str],
        pattern: &'static str,
    ) -> Self {
        let start = PatternStart::Here;
        let check = ValueCheck::Form;
        Self::near(id, title, description, NearKeyword { keywords, start, pattern, entropy: 3.0, check })
    }

    /// Returns a rule of high severity about the bytes near keywords.
    pub(crate) const fn near(
        id: &'static str,
        title: &'static str,
        description: &'static str,
        near: NearKeyword,
    ) -> Self {
        Self { id, title, severity: SecretSeverity::High, description, detection: Detection::Keyword(near) }
    }
}

/// The bytes or names that a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Detection {
    /// The bytes around a keyword, in any file or text.
    Keyword(NearKeyword),
    /// Each line of files with certain names.
    Lines(FileLines),
    /// The path of a file: the ends of paths, as in [`FileLines::files`].
    FileName(&'static [&'static str]),
    /// The name and the value of an environment variable, and the lines of files with these names, which set variables.
    Variable(&'static [&'static str]),
    /// The names and values in files of settings and in programs outside of packages: see `settings`.
    Setting,
    /// The structure of a file of keys, which `content` recognizes.
    Structure,
    /// A word that is all that a small file holds.
    Lone,
    /// Instructions and command lines, also in files of commands: options, headers, and similar arguments.
    Command,
}

/// A pattern that is tried at certain keywords.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NearKeyword {
    /// Keywords of at least three bytes: the commoner their first three are, the slower the pass over all bytes.
    pub keywords: &'static [&'static str],
    /// The place at which the pattern is tried.
    pub start: PatternStart,
    /// A pattern of bytes. The group `value` is the secret; without the group, the whole match is.
    pub pattern: &'static str,
    /// The least Shannon entropy of the value, in bits per character.
    pub entropy: f64,
    /// The further condition on the value.
    pub check: ValueCheck,
}

impl NearKeyword {
    /// Whether the pattern may look at many bytes at each of keywords that follow closely.
    pub(crate) fn is_long(&self) -> bool {
        self.start == PatternStart::Within && self.check == ValueCheck::PemInBase64
            || matches!(self.check, ValueCheck::Pem | ValueCheck::Putty)
    }
}

/// The place at which a pattern is tried, relative to a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatternStart {
    /// At the keyword, which no word character may precede.
    Here,
    /// As `Here`, if this byte is at this offset from the keyword. It spares the pattern at a keyword that common words begin with.
    HereIf(usize, u8),
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
pub(crate) enum ValueCheck {
    /// None: the pattern is enough.
    Form,
    /// The last six characters are the CRC-32 of the characters after a prefix of four, in base 62. A right checksum is proof; with a
    /// wrong one the severity is medium in packages.
    Crc32,
    /// None, but in a package the severity is medium: examples of such values are common in documentation.
    OfOwner,
    /// A key follows the `BEGIN` line. The severity is low if it is encrypted.
    Pem,
    /// A key file of `PuTTY`. The severity is low if it is encrypted.
    Putty,
    /// It looks random.
    Random,
    /// Base64 of 32 bytes, perhaps with the escapes of URLs.
    Signature,
    /// Another member of a JSON Web Key (RFC 7517) is nearby.
    NearJwk,
    /// The hash of a password, which begins with a sign that otherwise marks placeholders.
    Hash,
    /// As `BasicAuth`, in any text: the severity is medium unless the password is a strong one.
    HeaderAuth,
    /// None, but the severity is high in variables, whatever the rule says.
    InVariables,
    /// The name of AWS or one of its access keys is nearby.
    NearAws,
    /// A right checksum of Bech32 (BIP 173) is proof; with a wrong one the severity is medium in packages.
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

impl ValueCheck {
    /// Whether a value that passes may be a secret regardless of the bytes around it.
    pub(crate) fn proves(self) -> bool {
        matches!(self, Self::Crc32 | Self::Pem | Self::Putty)
    }

    /// Whether texts that others publish, such as the documentation in a package, often hold such a value.
    pub(crate) fn is_general(self) -> bool {
        matches!(
            self,
            Self::Pem
                | Self::Putty
                | Self::Random
                | Self::Crc32
                | Self::Bech32
                | Self::OfOwner
                | Self::Signature
                | Self::HeaderAuth
                | Self::BasicAuth
                | Self::NearJwk
                | Self::NearAws
                | Self::PemInBase64
                | Self::UrlPassword
        )
    }

    /// Whether a checksum may prove a value that passes, so that it is a secret at any place.
    pub(crate) fn is_certain(self) -> bool {
        matches!(self, Self::Crc32 | Self::Bech32)
    }
}

/// A pattern for each line of files of certain names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileLines {
    /// The last parts of paths, in lower case: `.netrc`, `.m2/settings.xml`. A `*` matches any characters of a name.
    pub files: &'static [&'static str],
    /// A pattern of bytes with the group `value`, tried at the start of each line. If it has the group `name` too, the name and the value
    /// decide together.
    pub pattern: &'static str,
    /// The further condition on the value.
    pub check: ValueCheck,
}
