//! Signers and signatures, as a plan records them.

use std::fmt;

use oci_registry::Digest;
use serde::{Deserialize, Serialize};

/// A signer, enough to sign and to verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum PlannedSigner {
    /// It has a key.
    Key {
        /// The place of the private key.
        key: KeyPlace,
        /// The public key, in PEM.
        public_key: String,
    },
    /// It gets a certificate for each signature.
    Keyless {
        /// The identity, and the services.
        keyless: KeylessPlace,
    },
    /// A program signs.
    Command {
        /// The program.
        command: SignerCommand,
        /// The public key, in PEM.
        public_key: String,
    },
}

/// A program that signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignerCommand {
    /// The program and its arguments. A program with a `/` in its name is a file, relative to the folder of `publish.toml`.
    pub run: Vec<String>,
    /// The environment variables that it gets, beside `PATH` and `HOME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The time that it may take, in seconds.
    pub timeout: u32,
}

/// The identity of a signer without a key of its own, and the services that it uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeylessPlace {
    /// The identity that the certificate shows: the URI of a workflow, or an e-mail address. Each `*` matches any text.
    pub identity: String,
    /// The issuer of the OIDC token.
    pub issuer: String,
    /// The environment variable that holds the token; left out if the CI gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// The address of Fulcio; left out if it is that of Sigstore's public instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulcio: Option<String>,
    /// The address of Rekor; left out if it is that of Sigstore's public instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rekor: Option<String>,
    /// The address of the authority whose timestamps show the time, instead of Rekor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_authority: Option<String>,
    /// The file of the trusted root, relative to the folder of `publish.toml`; left out if it is that of Sigstore's public instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
}

/// A signer, as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredSigner {
    /// It has a key.
    Key {
        /// The place of the private key.
        key: KeyPlace,
        /// The file of the public key, relative to the folder of `publish.toml`.
        public_key: Option<String>,
    },
    /// It gets a certificate for each signature.
    Keyless(KeylessPlace),
    /// A program signs.
    Command {
        /// The program.
        command: SignerCommand,
        /// The file of the public key, relative to the folder of `publish.toml`.
        public_key: String,
    },
}

/// The place of a private key. A configuration never holds the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyPlace {
    /// The file, relative to the folder of `publish.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The environment variable that holds the text of the key. It is used if there is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The environment variable that holds the password of an encrypted key.
    pub password_env: String,
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.env) {
            (Some(file), _) => write!(f, "the file `{}`", file.escape_debug()),
            (None, Some(variable)) => write!(f, "the variable `{}`", variable.escape_debug()),
            (None, None) => write!(f, "no place"),
        }
    }
}

/// A signature, or another signed statement, that a manifest is to have in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedSignature {
    /// The manifest that is signed.
    pub subject: Digest,
    /// The name of the signer.
    pub signer: String,
    /// The identity that the signature shows.
    pub identity: SignerIdentity,
    /// The statement.
    #[serde(flatten)]
    pub statement: PlannedStatement,
    /// The action to take.
    pub action: SignatureAction,
}

/// The statement that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlannedStatement {
    /// The type of the predicate.
    pub predicate_type: String,
    /// The origin of the predicate. A signature has none, because its predicate is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<PlannedPredicate>,
}

/// The origin of a predicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlannedPredicate {
    /// The publish itself, as SLSA provenance.
    Provenance,
    /// The promotion: the source, the destination, the plan, and the gates with their evidence.
    Promotion,
    /// A file.
    File {
        /// The path, relative to the folder of `publish.toml`.
        path: String,
        /// The digest of its content.
        digest: Digest,
    },
}

/// A predicate that a resource declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredPredicate {
    /// The provenance of the publish.
    Provenance,
    /// The record of the promotion.
    Promotion,
    /// A file with an SBOM, whose type its content shows.
    Sbom(String),
    /// A file with a predicate of this type.
    File {
        /// The path, relative to the folder of `publish.toml`.
        path: String,
        /// The type.
        predicate_type: String,
    },
}

/// The identity of a signer: a key, or what a certificate shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SignerIdentity {
    /// The digest of the public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// The identity in the certificate: the URI of a workflow, or an e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The issuer of the OIDC token that the certificate was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl fmt::Display for SignerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.identity) {
            (Some(fingerprint), _) => write!(f, "the key {}", fingerprint.short(12)),
            (None, identity) => write!(f, "a certificate for {}", identity.as_deref().unwrap_or_default()),
        }
    }
}

/// The action to take for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureAction {
    /// There is none that verifies: it is made.
    Sign,
    /// There is one that verifies.
    NoOp,
    /// There is none, and none is made, because another run published the manifest: the plan is blocked.
    Missing,
}

/// The approvals that a plan needs before it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RequiredApproval {
    /// The public keys of those who may approve, in PEM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The identities of those who may approve without a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<ApproverIdentity>,
    /// The file of the trusted root, relative to the folder of `publish.toml`; left out if it is that of Sigstore's public instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root: Option<String>,
    /// The number of them that must approve.
    pub count: usize,
}

/// The identity of an approver, as a certificate shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApproverIdentity {
    /// The e-mail address, or the URI of a workflow. Each `*` matches any text.
    pub identity: String,
    /// The issuer of the OIDC token.
    pub issuer: String,
}

/// Returns the issuer of the tokens of an identity whose URI shows it: a workflow of GitHub or GitLab.
pub fn usual_issuer(identity: &str) -> Option<&'static str> {
    let hosts = [
        ("https://github.com/", "https://token.actions.githubusercontent.com"),
        ("https://gitlab.com/", "https://gitlab.com"),
    ];
    hosts.into_iter().find(|(host, _)| identity.starts_with(host)).map(|(_, issuer)| issuer)
}
