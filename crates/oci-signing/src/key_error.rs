//! The reasons why a key cannot be used.

/// The reason why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text has no PEM block.
    #[error("it is not a key in PEM form")]
    NotPem,
    /// The PEM block is of another kind.
    #[error("it is a PEM block `{0}`, not `{1}`")]
    Kind(String, &'static str),
    /// The key is not of P-256, or its bytes are malformed.
    #[error("it is not a key of ECDSA on the curve P-256{0}")]
    Algorithm(&'static str),
    /// The key is encrypted, and there is no password.
    #[error("it is encrypted, and no password is given")]
    Encrypted,
    /// The encryption is malformed or unknown.
    #[error("it is encrypted in an unknown way: {0}")]
    Encryption(String),
    /// The password is wrong, or the key was changed.
    #[error("the password does not decrypt it")]
    Password,
}
