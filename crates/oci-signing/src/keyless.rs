//! Signing without a key of one's own: Fulcio issues a certificate for a key that lives for one signature, to the identity that an OIDC
//! token shows, and the transparency log Rekor proves when that was.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use oci_registry::Digest;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::bundle::{Bundle, IN_TOTO, Material, RawBytes, encode};
use crate::certificate::SignerCertificate;
use crate::identity::CertificateIdentity;
use crate::key::SigningKey;
use crate::log_entry;
use crate::pem;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// The audience that Fulcio requires of a token.
const AUDIENCE: &str = "sigstore";

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// The pauses before a request is sent again.
const PAUSES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];

/// The time that a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The reason why nothing is signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeylessError {
    /// No OIDC token can be had here.
    #[error("there is no OIDC token: {0}")]
    NoToken(String),
    /// The token is no JSON web token with an issuer and a subject.
    #[error("the OIDC token cannot be read")]
    Token,
    /// The token shows another identity than the one that is to sign.
    #[error("the OIDC token is of `{found}`, not of `{wanted}`")]
    OtherIssuer {
        /// The issuer that is to be.
        wanted: String,
        /// The issuer of the token.
        found: String,
    },
    /// The certificate shows another identity than the one that is to sign.
    #[error("the certificate is for `{found}`, not for `{wanted}`")]
    OtherIdentity {
        /// The identity that is to be.
        wanted: String,
        /// The identity in the certificate.
        found: String,
    },
    /// A service cannot be reached, or refused.
    #[error("{service} at {url}: {reason}")]
    Service {
        /// The service.
        service: &'static str,
        /// Its address.
        url: String,
        /// The reason.
        reason: String,
    },
    /// The predicate is not JSON, or the system gives no random numbers.
    #[error("{0}")]
    Statement(String),
}

/// The origin of an OIDC token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// The token itself.
    Token(String),
    /// The token service of GitHub Actions: its address, and the secret that opens it.
    GitHub {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        secret: String,
    },
}

/// The services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeylessServices {
    /// The address of Fulcio.
    pub fulcio: String,
    /// The address of Rekor.
    pub rekor: String,
    /// The address of an authority for timestamps, which is asked instead of Rekor.
    pub timestamp_authority: Option<String>,
}

impl Default for KeylessServices {
    /// Returns those of Sigstore's public instance.
    fn default() -> Self {
        Self {
            fulcio: "https://fulcio.sigstore.dev".to_owned(),
            rekor: "https://rekor.sigstore.dev".to_owned(),
            timestamp_authority: None,
        }
    }
}

/// Signs with certificates of Fulcio.
#[derive(Debug)]
pub struct KeylessSigner {
    identity: Option<CertificateIdentity>,
    services: KeylessServices,
    token: TokenSource,
    client: Client,
}

impl KeylessSigner {
    /// Returns a signer as `identity`, or as whoever the token shows.
    ///
    /// # Errors
    ///
    /// [`KeylessError::Service`] if the system's certificates cannot be used.
    pub fn new(
        identity: Option<CertificateIdentity>,
        services: KeylessServices,
        token: TokenSource,
    ) -> Result<Self, KeylessError> {
        // Installing it fails only if another one is already installed, which works as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("oci-signing/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed("Fulcio", &services.fulcio, error.to_string()))?;
        Ok(Self { identity, services, token, client })
    }

    /// Signs `statement` about `subject`.
    ///
    /// # Errors
    ///
    /// [`KeylessError`], which shows neither token nor secret.
    pub async fn sign(&self, statement: &Statement, subject: &Digest) -> Result<Bundle, KeylessError> {
        let payload =
            statement.payload(subject).map_err(|error| KeylessError::Statement(error.to_string()))?;
        let token = self.token().await?;
        let claims = claims(&token).ok_or(KeylessError::Token)?;
        if let Some(wanted) = self.identity.as_ref().filter(|it| it.issuer != claims.issuer) {
            let (wanted, found) = (wanted.issuer.clone(), claims.issuer);
            return Err(KeylessError::OtherIssuer { wanted, found });
        }
        let key = SigningKey::generate().map_err(|error| KeylessError::Statement(error.to_string()))?;
        let no_random = || KeylessError::Statement("the system gives no random numbers".to_owned());
        let proof = key.sign(claims.subject.as_bytes()).ok_or_else(no_random)?;
        let certificate = self.certificate(&token, &key, &proof).await?;
        let shown = &certificate;
        if let Some(wanted) = self.identity.as_ref().filter(|it| !it.includes(&shown.identity, &shown.issuer))
        {
            let (wanted, found) = (wanted.identity.clone(), certificate.identity);
            return Err(KeylessError::OtherIdentity { wanted, found });
        }
        let signature = key.sign(&encode(IN_TOTO, &payload)).ok_or_else(no_random)?;
        let raw = Some(RawBytes { raw_bytes: BASE64_STANDARD.encode(certificate.der()) });
        let mut material = Material { certificate: raw, ..Material::default() };
        match &self.services.timestamp_authority {
            Some(authority) => {
                let answer = self.timestamp(authority, &signature).await?;
                let signed = BASE64_STANDARD.encode(answer);
                material.timestamp_verification_data =
                    Some(json!({ "rfc3161Timestamps": [{ "signedTimestamp": signed }] }));
            }
            None => {
                let unlogged = Bundle::assemble(&payload, &signature, material.clone());
                material.tlog_entries = vec![self.log(&unlogged, &certificate).await?];
            }
        }
        Ok(Bundle::assemble(&payload, &signature, material))
    }

    async fn token(&self) -> Result<String, KeylessError> {
        let (url, secret) = match &self.token {
            TokenSource::Token(token) => return Ok(token.clone()),
            TokenSource::GitHub { url, secret } => (url, secret),
        };
        let separator = if url.contains('?') { '&' } else { '?' };
        let address = format!("{url}{separator}audience={AUDIENCE}");
        let request = || self.client.request(Method::GET, &address).bearer_auth(secret);
        let shown = address.split('?').next().unwrap_or_default();
        let answer = ask("the token service of GitHub Actions", shown, request).await?;
        let token = answer.get("value").and_then(Value::as_str);
        token.map(str::to_owned).ok_or(KeylessError::Token)
    }

    async fn certificate(
        &self,
        token: &str,
        key: &SigningKey,
        proof: &[u8],
    ) -> Result<SignerCertificate, KeylessError> {
        let address = format!("{}/api/v2/signingCert", self.services.fulcio.trim_end_matches('/'));
        let body = json!({
            "credentials": { "oidcIdentityToken": token },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": key.public_key().to_pem() },
                "proofOfPossession": BASE64_STANDARD.encode(proof),
            },
        });
        let request = || self.client.request(Method::POST, &address).json(&body);
        let answer = ask("Fulcio", &self.services.fulcio, request).await?;
        let chain = ["signedCertificateEmbeddedSct", "signedCertificateDetachedSct"];
        let first =
            chain.iter().find_map(|form| answer.get(form)?.pointer("/chain/certificates/0")?.as_str());
        let der = first.and_then(pem::first_block).map(|block| block.bytes);
        let certificate = der.and_then(|der| SignerCertificate::parse(&der));
        let is_its = |it: &SignerCertificate| it.key == *key.public_key();
        certificate.filter(is_its).ok_or_else(|| {
            failed(
                "Fulcio",
                &self.services.fulcio,
                "it answered without a certificate for the key".to_owned(),
            )
        })
    }

    /// Returns the answer of an authority for timestamps about the signature (sigstore/timestamp-authority, `pkg/api/timestamp.go`).
    async fn timestamp(&self, authority: &str, signature: &[u8]) -> Result<Vec<u8>, KeylessError> {
        let digest = ring::digest::digest(&ring::digest::SHA256, signature);
        let body = json!({
            "artifactHash": BASE64_STANDARD.encode(digest),
            "hashAlgorithm": "sha256",
            "certificates": true,
        });
        let request = || self.client.request(Method::POST, authority).json(&body);
        let answer = ask_bytes("the timestamp authority", authority, request).await?;
        if Timestamp::parse(&answer).is_some_and(|it| it.is_about(signature)) {
            return Ok(answer);
        }
        let odd = "it answered without a timestamp of the signature".to_owned();
        Err(failed("the timestamp authority", authority, odd))
    }

    /// Enters the signature into the log; returns the entry.
    async fn log(&self, bundle: &Bundle, certificate: &SignerCertificate) -> Result<Value, KeylessError> {
        let address = format!("{}/api/v1/log/entries", self.services.rekor.trim_end_matches('/'));
        let verifier = BASE64_STANDARD.encode(pem::block("CERTIFICATE", certificate.der()));
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": { "proposedContent": { "envelope": bundle.envelope_json(), "verifiers": [verifier] } },
        });
        let request = || self.client.request(Method::POST, &address).json(&body);
        let answer = ask("Rekor", &self.services.rekor, request).await?;
        let odd = || failed("Rekor", &self.services.rekor, "it answered without an entry".to_owned());
        log_entry::from_answer(&answer).ok_or_else(odd)
    }
}

fn failed(service: &'static str, url: &str, reason: String) -> KeylessError {
    KeylessError::Service { service, url: url.to_owned(), reason }
}

/// Sends a request, again if the failure may pass. Returns the JSON of the answer.
async fn ask(
    service: &'static str,
    url: &str,
    request: impl Fn() -> RequestBuilder,
) -> Result<Value, KeylessError> {
    let answer = ask_bytes(service, url, request).await?;
    serde_json::from_slice(&answer)
        .map_err(|_| failed(service, url, "it did not answer with JSON".to_owned()))
}

/// Sends a request, again if the failure may pass. Returns the answer.
async fn ask_bytes(
    service: &'static str,
    url: &str,
    request: impl Fn() -> RequestBuilder,
) -> Result<Vec<u8>, KeylessError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let (reason, may_pass) = match request().send().await {
            Ok(answer) => {
                let status = answer.status();
                match answer.bytes().await {
                    Ok(body) if status.is_success() && body.len() <= MAX_ANSWER => return Ok(body.to_vec()),
                    Ok(_) => (format!("it answered {status}"), status.is_server_error() || status == 429),
                    Err(error) => (deepest(&error.without_url()), true),
                }
            }
            // The address may hold a secret.
            Err(error) => (deepest(&error.without_url()), true),
        };
        match pauses.next().filter(|_| may_pass) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(failed(service, url, reason)),
        }
    }
}

fn deepest(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => deepest(source),
        None => error.to_string(),
    }
}

/// The claims of a token that a certificate is made of.
struct Claims {
    issuer: String,
    subject: String,
}

fn claims(token: &str) -> Option<Claims> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let text = |name: &str| claims.get(name)?.as_str().map(str::to_owned);
    // Fulcio asks for a proof about the name that it puts into the certificate.
    Some(Claims { issuer: text("iss")?, subject: text("email").or_else(|| text("sub"))? })
}
