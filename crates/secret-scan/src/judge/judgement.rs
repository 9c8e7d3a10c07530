//! The judgement on a value that a rule matched.

use std::borrow::Cow;

use super::entropy;
use super::known;
use crate::severity::SecretSeverity;
use oci_registry::Digest;

/// A value that counts as a secret.
pub(crate) struct Judgement<'v> {
    /// The severity, before the place is taken into account.
    pub severity: SecretSeverity,
    /// The severity in variables and in files of variables.
    pub in_variables: SecretSeverity,
    /// Whether it is a secret regardless of the bytes around it.
    pub proven: bool,
    /// Whether a checksum proves it, so that it is a secret at any place.
    pub certain: bool,
    /// The bytes that identify it.
    pub value: Cow<'v, [u8]>,
    /// The text to show instead of its beginning.
    pub shown: Option<String>,
}

impl<'v> Judgement<'v> {
    /// Returns the judgement that `value` is probably a secret of `severity`.
    pub(super) fn likely(severity: SecretSeverity, value: &'v [u8]) -> Self {
        let value = Cow::Borrowed(value);
        Self { severity, in_variables: severity, proven: false, certain: false, value, shown: None }
    }

    /// Returns the judgement on a private key, which is recognized by `key` and shown as `shown`.
    pub(super) fn on_key(severity: SecretSeverity, key: Vec<u8>, shown: String) -> Self {
        let value = Cow::Owned(key);
        Self { severity, in_variables: severity, proven: true, certain: false, value, shown: Some(shown) }
    }

    /// Whether somebody who has its fingerprint could find it by trying: it is short, or nothing that a machine generated.
    pub(crate) fn is_guessable(&self) -> bool {
        let is_key = self.proven && self.shown.is_some();
        !is_key && !entropy::resists_guessing(&self.value)
    }

    /// Returns the fingerprint, which identifies the value without revealing it, or `None` if the value is known to be public.
    pub(crate) fn fingerprint(&self) -> Option<Digest> {
        let fingerprint = Digest::of(&self.value);
        (!known::is_public(&fingerprint)).then_some(fingerprint)
    }
}
