#![doc = include_str!("../README.md")]
//!
//! # How it is laid out
//!
//! In reading order: `key` has keys, `encrypted` decrypts those of cosign, and `pem` reads both; `statement` is the claim that is signed;
//! `bundle` signs and verifies it; `attached` puts bundles into repositories and finds them there.

mod attached;
mod bundle;
mod encrypted;
mod key;
mod pem;
mod statement;

pub use attached::{AttachedBundle, BundleManifest, attached_bundles};
pub use bundle::{BUNDLE, Bundle, BundleError, SigningError};
pub use key::{KeyError, PublicKey, SigningKey};
pub use statement::{PROVENANCE, ReadStatement, SIGNATURE, Statement};
