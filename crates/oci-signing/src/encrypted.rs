//! Private keys that cosign encrypted with a password: scrypt makes a key of the password, and `NaCl`'s secretbox
//! (`XSalsa20` and `Poly1305`) encrypts the PKCS#8 key (secure-systems-lab/go-securesystemslib, `encrypted/encrypted.go`).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit, StreamCipher};
use serde::Deserialize;

use crate::key_error::KeyError;

/// The memory that deriving a key may take: twice that of cosign's strongest parameters.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// The passes over that memory: cosign makes one.
const MAX_PARALLELISM: u32 = 4;

/// The length of a `Poly1305` tag, which precedes the encrypted bytes.
const TAG: usize = 16;

#[derive(Deserialize)]
struct EncryptedKey {
    kdf: Derivation,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Derivation {
    name: String,
    params: ScryptParameters,
    salt: String,
}

#[derive(Deserialize)]
struct ScryptParameters {
    #[serde(rename = "N")]
    cost: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Returns the PKCS#8 key in `json`, the body of a PEM block of cosign.
pub(crate) fn decrypt(json: &[u8], password: &str) -> Result<Vec<u8>, KeyError> {
    let malformed = |reason: &str| KeyError::Encryption(reason.to_owned());
    let key: EncryptedKey =
        serde_json::from_slice(json).map_err(|error| KeyError::Encryption(error.to_string()))?;
    if key.kdf.name != "scrypt" || key.cipher.name != "nacl/secretbox" {
        return Err(malformed("it is not encrypted with scrypt and nacl/secretbox"));
    }
    let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| malformed("it is not base64"));
    let (salt, nonce) = (decode(&key.kdf.salt)?, decode(&key.cipher.nonce)?);
    let derived = derive(&key.kdf.params, &salt, password)?;
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| malformed("its nonce does not have 24 bytes"))?;
    open(&derived, &nonce, &decode(&key.ciphertext)?).ok_or(KeyError::Password)
}

fn derive(parameters: &ScryptParameters, salt: &[u8], password: &str) -> Result<[u8; 32], KeyError> {
    let ScryptParameters { cost, r, p } = *parameters;
    let memory = cost.checked_mul(128).and_then(|it| it.checked_mul(u64::from(r)));
    let is_small = memory.is_some_and(|memory| memory <= MAX_MEMORY) && (1..=MAX_PARALLELISM).contains(&p);
    let log = u8::try_from(cost.trailing_zeros()).ok().filter(|_| cost.is_power_of_two() && is_small);
    let unusable = || KeyError::Encryption("its parameters of scrypt are out of bounds".to_owned());
    let parameters = scrypt::Params::new(log.ok_or_else(unusable)?, r, p).map_err(|_| unusable())?;
    let mut derived = [0; 32];
    scrypt::scrypt(password.as_bytes(), salt, &parameters, &mut derived).map_err(|_| unusable())?;
    Ok(derived)
}

/// Returns the content of a secretbox, or `None` if the key is wrong or the box was changed.
fn open(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8]) -> Option<Vec<u8>> {
    let (tag, encrypted) = sealed.split_at_checked(TAG)?;
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    // The first 32 bytes of the stream are the key of the authenticator.
    let mut authenticator = [0; 32];
    stream.apply_keystream(&mut authenticator);
    let computed = Poly1305::new((&authenticator).into()).compute_unpadded(encrypted);
    if computed.as_slice() != tag {
        return None;
    }
    let mut content = encrypted.to_vec();
    stream.apply_keystream(&mut content);
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_take_all_memory_are_refused() {
        for (cost, r, p) in
            [(1 << 40, 8, 1), (1000, 8, 1), (0, 8, 1), (u64::MAX, 8, 1), (65536, 8, 1000), (2, 0, 1)]
        {
            let parameters = ScryptParameters { cost, r, p };
            assert!(derive(&parameters, b"salt", "password").is_err(), "{cost} {r} {p}");
        }
    }

    /// From `NaCl`'s own test of secretbox, the first bytes of its message.
    #[test]
    fn a_box_of_nacl_opens() {
        let bytes = |text: &str| hex::decode(text).expect("hex");
        let key = bytes("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
        let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        let sealed = bytes(concat!(
            "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a",
            "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae",
            "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74",
            "e355a5"
        ));
        let (key, nonce) = (key.try_into().expect("32"), nonce.try_into().expect("24"));
        let content = open(&key, &nonce, &sealed).expect("opens");
        assert_eq!(content.len(), 131);
        assert!(content.starts_with(&bytes("be075fc53c81f2d5cf141316ebeb0c7b")));
        let mut changed = sealed.clone();
        changed[40] ^= 1;
        assert!(open(&key, &nonce, &changed).is_none());
        assert!(open(&key, &nonce, &sealed[..10]).is_none());
    }
}
