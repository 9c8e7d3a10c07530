//! Signers with a key, and signers with an identity.

use std::sync::Arc;
use std::time::Duration;

use super::error::{KeyProblem, SignerError};
use super::files::{read_key, read_public_key, read_text};
use crate::model::signing::{DeclaredSigner, KeylessPlace, PlannedSigner, SignerCommand, SignerIdentity};
use oci_content::Surroundings;
use oci_signing::{
    CertificateIdentity, CommandSigner, KeylessServices, KeylessSigner, PublicKey, Signer, TokenSource,
    TrustedRoot, Verifier,
};

/// The variables of the token service of GitHub Actions, and of GitLab's token.
const GITHUB_TOKEN_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const GITHUB_TOKEN_SECRET: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
const GITLAB_TOKEN: &str = "SIGSTORE_ID_TOKEN";

/// The longest time that a program may take, in seconds.
const MAX_TIMEOUT: u32 = 600;

/// Returns the signer `name` for a plan. If a file with the public key is declared, the private one is not read.
///
/// # Errors
///
/// [`SignerError`] if neither key can be read.
pub fn planned(
    name: &str,
    declared: &DeclaredSigner,
    surroundings: &Surroundings,
) -> Result<PlannedSigner, SignerError> {
    let failed = |problem| SignerError { table: format!("signing.{name}"), problem };
    let (key, public_key) = match declared {
        DeclaredSigner::Key { key, public_key } => (key, public_key),
        DeclaredSigner::Keyless(keyless) => return Ok(PlannedSigner::Keyless { keyless: keyless.clone() }),
        DeclaredSigner::Command { command, public_key } => {
            let public = read_public_key(public_key, surroundings).map_err(failed)?;
            return Ok(PlannedSigner::Command { command: command.clone(), public_key: public.to_pem() });
        }
    };
    let public = match public_key {
        Some(path) => read_public_key(path, surroundings).map_err(failed)?,
        None => read_key(key, surroundings).map_err(failed)?.public_key().clone(),
    };
    Ok(PlannedSigner::Key { key: key.clone(), public_key: public.to_pem() })
}

/// Returns the text of the public key in a file, in PEM. `table` is the table that names it.
///
/// # Errors
///
/// [`SignerError`] if it cannot be read.
pub fn public_key_file(table: &str, path: &str, surroundings: &Surroundings) -> Result<String, SignerError> {
    let key = read_public_key(path, surroundings);
    key.map(|key| key.to_pem()).map_err(|problem| SignerError { table: table.to_owned(), problem })
}

/// Returns the signer `name`, with its private key or its token.
///
/// # Errors
///
/// [`SignerError`] if that cannot be read, or if the key is not the planned one.
pub fn open(name: &str, planned: &PlannedSigner, surroundings: &Surroundings) -> Result<Signer, SignerError> {
    let failed = |problem| SignerError { table: format!("signing.{name}"), problem };
    match planned {
        PlannedSigner::Key { key: place, public_key } => {
            let wanted = parse_public_key(public_key).map_err(failed)?;
            let key = read_key(place, surroundings).map_err(failed)?;
            if *key.public_key() == wanted {
                return Ok(Signer::Key(Box::new(key)));
            }
            let (wanted, found) = (wanted.fingerprint(), key.public_key().fingerprint());
            Err(failed(KeyProblem::OtherKey { place: place.to_string(), wanted, found }))
        }
        PlannedSigner::Command { command, public_key } => {
            let public = parse_public_key(public_key).map_err(failed)?;
            let signer = command_signer(name, command, public, surroundings).map_err(failed)?;
            Ok(Signer::Command(Box::new(signer)))
        }
        PlannedSigner::Keyless { keyless } => {
            let defaults = KeylessServices::default();
            let services = KeylessServices {
                fulcio: keyless.fulcio.clone().unwrap_or(defaults.fulcio),
                rekor: keyless.rekor.clone().unwrap_or(defaults.rekor),
                timestamp_authority: keyless.timestamp_authority.clone(),
            };
            let token = token(keyless.token_env.as_deref(), surroundings).map_err(failed)?;
            match KeylessSigner::new(Some(certificate_identity(keyless)), services, token) {
                Ok(signer) => Ok(Signer::Keyless(Box::new(signer))),
                Err(error) => Err(failed(KeyProblem::Keyless(error))),
            }
        }
    }
}

/// Returns the verifier of what the signer `name` signs.
///
/// # Errors
///
/// [`SignerError`] if the trusted root cannot be read, or the plan holds no public key, which only an edited plan does.
pub fn verifier(
    name: &str,
    planned: &PlannedSigner,
    surroundings: &Surroundings,
) -> Result<Verifier, SignerError> {
    let failed = |problem| SignerError { table: format!("signing.{name}"), problem };
    match planned {
        PlannedSigner::Key { public_key, .. } | PlannedSigner::Command { public_key, .. } => {
            parse_public_key(public_key).map(Verifier::Key).map_err(failed)
        }
        PlannedSigner::Keyless { keyless } => {
            let root = match &keyless.trusted_root {
                Some(path) => TrustedRoot::parse(&read_text(path, surroundings).map_err(failed)?),
                None => TrustedRoot::public_good(),
            };
            let root = root.map_err(|error| failed(KeyProblem::TrustedRoot(error)))?;
            Ok(Verifier::Identity(certificate_identity(keyless), Arc::new(root)))
        }
    }
}

/// Returns the identity that the signatures of a signer show.
pub fn identity(verifier: &Verifier) -> SignerIdentity {
    match verifier {
        Verifier::Key(key) => SignerIdentity { key: Some(key.fingerprint()), identity: None, issuer: None },
        Verifier::Identity(CertificateIdentity { identity, issuer, .. }, _) => {
            SignerIdentity { key: None, identity: Some(identity.clone()), issuer: Some(issuer.clone()) }
        }
    }
}

/// Returns a program that signs: a file of the project, or the first one of its name in `PATH`.
fn command_signer(
    name: &str,
    command: &SignerCommand,
    public_key: PublicKey,
    surroundings: &Surroundings,
) -> Result<CommandSigner, KeyProblem> {
    let (program, arguments) = command.run.split_first().ok_or(KeyProblem::NoPlace)?;
    let variable = |name: &str| (surroundings.environment)(name);
    let path = if program.contains('/') {
        surroundings.confines.check(&surroundings.folder, program).map_err(KeyProblem::Outside)?;
        Some(surroundings.folder.join(program))
    } else {
        let folders = variable("PATH").unwrap_or_default();
        let mut paths =
            std::env::split_paths(&folders).filter(|it| it.is_absolute()).map(|it| it.join(program));
        paths.find(|path| path.is_file())
    };
    let path = path.filter(|path| path.is_file()).ok_or_else(|| KeyProblem::Program(program.clone()))?;
    let names = ["PATH", "HOME"].into_iter().chain(command.env.iter().map(String::as_str));
    let environment = names.filter_map(|name| Some((name.to_owned(), variable(name)?))).collect();
    Ok(CommandSigner {
        name: name.to_owned(),
        program: path,
        arguments: arguments.to_vec(),
        folder: surroundings.folder.clone(),
        environment,
        timeout: Duration::from_secs(u64::from(command.timeout.min(MAX_TIMEOUT))),
        public_key,
    })
}

fn parse_public_key(pem: &str) -> Result<PublicKey, KeyProblem> {
    let failed = |error| KeyProblem::Key { place: "the plan".to_owned(), password: None, error };
    PublicKey::from_pem(pem).map_err(failed)
}

fn certificate_identity(keyless: &KeylessPlace) -> CertificateIdentity {
    CertificateIdentity {
        identity: keyless.identity.clone(),
        issuer: keyless.issuer.clone(),
        allows_timestamps: keyless.timestamp_authority.is_some(),
    }
}

/// Finds the OIDC token: in the variable that is declared, or as the CI gives it.
pub(super) fn token(token_env: Option<&str>, surroundings: &Surroundings) -> Result<TokenSource, KeyProblem> {
    let variable = |name: &str| (surroundings.environment)(name).filter(|value| !value.is_empty());
    if let Some(name) = token_env {
        return variable(name).map(TokenSource::Token).ok_or_else(|| KeyProblem::Token(name.to_owned()));
    }
    if let (Some(url), Some(secret)) = (variable(GITHUB_TOKEN_URL), variable(GITHUB_TOKEN_SECRET)) {
        return Ok(TokenSource::GitHub { url, secret });
    }
    variable(GITLAB_TOKEN).map(TokenSource::Token).ok_or_else(|| KeyProblem::Token(GITLAB_TOKEN.to_owned()))
}
