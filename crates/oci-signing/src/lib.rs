#![doc = include_str!("../README.md")]
//!
//! # How it is laid out
//!
//! In reading order: `key` has keys, `encrypted` decrypts those of cosign, and `pem` reads both; `statement` is the claim that is signed;
//! `bundle` signs and verifies it; `attached` puts bundles into repositories and finds them there. `keyless` signs with certificates, and `identity`
//! verifies them: `certificate` reads them, with `der`; `log_entry` and `timestamp` prove when they were used, and `trusted_root` says who issues them.
//! `command` signs by
//! other programs. `signer` has signers of all kinds.

mod attached;
mod bundle;
mod certificate;
mod command;
mod der;
mod encrypted;
mod identity;
mod key;
mod key_error;
mod keyless;
mod log_entry;
mod pem;
mod signer;
mod statement;
mod timestamp;
mod trusted_root;

pub use attached::{AttachedBundle, BundleManifest, attached_bundles};
pub use bundle::{BUNDLE, Bundle, BundleError, SigningError};
pub use command::{CommandError, CommandSigner};
pub use identity::CertificateIdentity;
pub use key::{KeyError, PublicKey, SigningKey};
pub use keyless::{KeylessError, KeylessServices, KeylessSigner, TokenSource};
pub use signer::{Signer, SignerError, Verifier};
pub use statement::{PROVENANCE, ReadStatement, SIGNATURE, Statement};
pub use trusted_root::TrustedRoot;
