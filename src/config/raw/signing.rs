//! `[signing.NAME]`, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{NonEmptyText, OneOrMany};

/// A signer. Images, charts and artifacts name it in `sign`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Signer")]
pub(in crate::config) struct RawSigner {
    /// The private key: ECDSA on the curve P-256, as PKCS#8 in PEM, or a key of `cosign generate-key-pair`. A signer has a `key`, or is
    /// `keyless`.
    #[schemars(extend("examples" = [{ "env": "COSIGN_PRIVATE_KEY" }, { "file": "cosign.key", "password_env": "COSIGN_PASSWORD" }]))]
    pub key: Option<RawKey>,
    /// A file with the public key in PEM, relative to the folder of `publish.toml`, so that `plan` and `verify` need no private
    /// key. Default: the public part of `key`.
    #[schemars(length(min = 1), extend("examples" = ["cosign.pub"]))]
    pub public_key: Option<String>,
    /// The program that signs, such as one of a key management service. It needs a `public_key`.
    #[schemars(extend("examples" = [{ "run": ["scripts/sign-with-kms", "alias/release"], "env": ["AWS_REGION"], "timeout": 30 }]))]
    pub command: Option<RawCommand>,
    /// The identity that signs without a key: Fulcio issues a certificate for each signature, to the identity of the job, and the log
    /// Rekor shows when it was used.
    #[schemars(extend("examples" = [{ "issuer": "https://token.actions.githubusercontent.com", "identity": "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1.2.3" }]))]
    pub keyless: Option<RawKeyless>,
}

/// A program that signs. It reads a request as JSON on its standard input, and writes its answer as JSON to its standard output.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SignerCommand")]
pub(in crate::config) struct RawCommand {
    /// The program and its arguments. No shell reads them. A program with a `/` in its name is a file, relative to the folder of
    /// `publish.toml`; another one is found in `PATH`.
    #[schemars(required, length(min = 1), inner(length(min = 1)), extend("examples" = [["scripts/sign-with-kms", "alias/release"]]))]
    pub run: Option<Vec<String>>,
    /// The environment variables that it gets, beside `PATH` and `HOME`. Default: none.
    #[schemars(inner(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$")), extend("uniqueItems" = true, "examples" = [["AWS_REGION"]]))]
    pub env: Option<Vec<String>>,
    /// The time that it may take for a signature, in seconds.
    #[schemars(range(min = 1), extend("default" = 60))]
    pub timeout: Option<u32>,
}

/// An identity that signs without a key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Keyless")]
pub(in crate::config) struct RawKeyless {
    /// The issuer of the OIDC token.
    #[schemars(required, length(min = 1), extend("examples" = ["https://token.actions.githubusercontent.com", "https://gitlab.com"]))]
    pub issuer: Option<String>,
    /// The identity that the certificate shows: the URI of the workflow, or an e-mail address. Each `*` matches any text, such as the version in
    /// `…/release.yml@refs/tags/v*`.
    #[schemars(required, length(min = 1), extend("examples" = ["https://github.com/acme/hello/.github/workflows/release.yml@refs/heads/main"]))]
    pub identity: Option<String>,
    /// The environment variable that holds the OIDC token. Default: the token of GitHub Actions (`id-token: write`), or `SIGSTORE_ID_TOKEN`, as
    /// GitLab sets it.
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), extend("examples" = ["SIGSTORE_ID_TOKEN"]))]
    pub token_env: Option<String>,
    /// The address of Fulcio. Default: that of Sigstore's public instance.
    #[schemars(length(min = 1), extend("examples" = ["https://fulcio.example.com"]))]
    pub fulcio: Option<String>,
    /// The address of Rekor. Default: that of Sigstore's public instance.
    #[schemars(length(min = 1), extend("examples" = ["https://rekor.example.com"]))]
    pub rekor: Option<String>,
    /// The address of an authority whose timestamps (RFC 3161) show when the certificate was used, instead of Rekor. Then no public log shows the
    /// signature. Default: none.
    #[schemars(length(min = 1), extend("examples" = ["https://timestamp.example.com/api/v1/timestamp"]))]
    pub timestamp_authority: Option<String>,
    /// The file of the trusted root, relative to the folder of `publish.toml`. Default: that of Sigstore's public instance, as of the program's
    /// release.
    #[schemars(length(min = 1), extend("examples" = ["trusted_root.json"]))]
    pub trusted_root: Option<String>,
}

/// The attestations of an image, a chart or an artifact. Each signer in `sign` signs them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Attest")]
pub(in crate::config) struct RawAttest {
    /// Whether the provenance of this publish is attested: the source, the commit, the builder, the plan and the configuration, as SLSA
    /// provenance.
    #[schemars(extend("default" = false))]
    pub provenance: Option<bool>,
    /// Whether the promotion of an image of a registry is recorded: the source, the destination, the plan, and the gates with their evidence.
    /// Default: `true` if the image has gates and signers.
    pub promotion: Option<bool>,
    /// The file of an SBOM, or a list of files, as SPDX or CycloneDX in JSON, relative to the folder of `publish.toml`.
    #[schemars(extend("examples" = ["dist/app.spdx.json"]))]
    pub sbom: Option<OneOrMany<NonEmptyText>>,
    /// Other files with a predicate in JSON, each with its type.
    #[schemars(extend("examples" = [[{ "file": "dist/vex.json", "type": "https://openvex.dev/ns/v0.2.0" }]]))]
    pub predicates: Option<Vec<RawPredicate>>,
}

/// A file with a predicate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Predicate")]
pub(in crate::config) struct RawPredicate {
    /// The file, relative to the folder of `publish.toml`.
    #[schemars(required, length(min = 1), extend("examples" = ["dist/vex.json"]))]
    pub file: Option<String>,
    /// The type of the predicate: a URI.
    #[schemars(required, length(min = 1), extend("examples" = ["https://openvex.dev/ns/v0.2.0"]))]
    pub r#type: Option<String>,
}

/// The approvals that a saved plan needs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approval")]
pub(in crate::config) struct RawApproval {
    /// The files of the public keys of those who may approve, in PEM, relative to the folder of `publish.toml`.
    #[schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true, "examples" = [["approvers/anna.pub"]]))]
    pub keys: Option<Vec<String>>,
    /// The identity of those who may approve without a key, or a list: an e-mail address, or the URI of a workflow. Each `*` matches any text.
    #[schemars(extend("examples" = ["anna@acme.com", ["anna@acme.com", "ben@acme.com"]]))]
    pub identity: Option<OneOrMany<NonEmptyText>>,
    /// The issuer of their OIDC tokens. Default: that of GitHub Actions or GitLab, if the identity is a workflow there.
    #[schemars(length(min = 1), extend("examples" = ["https://accounts.google.com", "https://github.com/login/oauth"]))]
    pub issuer: Option<String>,
    /// The file of the trusted root, relative to the folder of `publish.toml`. Default: that of Sigstore's public instance.
    #[schemars(length(min = 1), extend("examples" = ["trusted_root.json"]))]
    pub trusted_root: Option<String>,
    /// The number of them that must approve.
    #[schemars(range(min = 1), extend("default" = 1))]
    pub count: Option<usize>,
}

/// The behavior of `verify`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Verify")]
pub(in crate::config) struct RawVerify {
    /// Whether the signatures that `sign` declares are verified, of everything that tags name. A missing one is drift.
    #[schemars(extend("default" = false))]
    pub signatures: Option<bool>,
}

/// The place of a private key. A configuration never contains the key itself. Exactly one of `file` and `env` must be given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SigningKey")]
pub(in crate::config) struct RawKey {
    /// The file of the key, relative to the folder of `publish.toml`.
    #[schemars(length(min = 1), extend("examples" = ["cosign.key"]))]
    pub file: Option<String>,
    /// The environment variable that holds the text of the key.
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), extend("examples" = ["COSIGN_PRIVATE_KEY"]))]
    pub env: Option<String>,
    /// The environment variable that holds the password of an encrypted key.
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]*$"), extend("default" = "COSIGN_PASSWORD"))]
    pub password_env: Option<String>,
}
