//! The files and variables that hold keys.

use std::fs::File;
use std::io::Read;

use super::error::KeyProblem;
use crate::model::signing::KeyPlace;
use oci_content::Surroundings;
use oci_signing::{KeyError, PublicKey, SigningKey};

/// The size of the largest file that is read as a key or a trusted root.
const MAX_FILE: u64 = 1024 * 1024;

/// Reads a private key.
pub(super) fn read_key(place: &KeyPlace, surroundings: &Surroundings) -> Result<SigningKey, KeyProblem> {
    let text = match (&place.file, &place.env) {
        (Some(file), _) => read_text(file, surroundings)?,
        (None, Some(variable)) => (surroundings.environment)(variable)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| KeyProblem::Variable(variable.clone()))?,
        (None, None) => return Err(KeyProblem::NoPlace),
    };
    let password = (surroundings.environment)(&place.password_env);
    SigningKey::from_pem(&text, password.as_deref()).map_err(|error| {
        let password = matches!(error, KeyError::Encrypted | KeyError::Password);
        let password = password.then(|| place.password_env.clone());
        KeyProblem::Key { place: place.to_string(), password, error }
    })
}

/// Reads the public key in a file.
pub(super) fn read_public_key(path: &str, surroundings: &Surroundings) -> Result<PublicKey, KeyProblem> {
    let text = read_text(path, surroundings)?;
    let place = format!("the file `{}`", path.escape_debug());
    PublicKey::from_pem(&text).map_err(|error| KeyProblem::Key { place, password: None, error })
}

/// Reads a file of text, which must be inside the project.
pub(super) fn read_text(path: &str, surroundings: &Surroundings) -> Result<String, KeyProblem> {
    surroundings.confines.check(&surroundings.folder, path).map_err(KeyProblem::Outside)?;
    let failed = |error| KeyProblem::File { path: path.to_owned(), error };
    let file = File::open(surroundings.folder.join(path)).map_err(failed)?;
    let is_file = file.metadata().map_err(failed)?.is_file();
    if !is_file {
        return Err(failed(std::io::Error::other("it is not a file")));
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
