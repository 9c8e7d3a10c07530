//! Tells a secret from an example: placeholders, entropy, checksums.

use super::checksum;
use super::rule::{Check, Near, Rule};
use crate::model::Severity;

/// What is thought of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No secret.
    No,
    /// Probably one, if it stands alone.
    Likely(Severity),
    /// One, whatever stands around it.
    Proven(Severity),
}

/// What is thought of `value`, which `rule` found.
pub(super) fn judge(rule: &Rule, near: &Near, value: &[u8]) -> Verdict {
    if entropy(value) < near.entropy {
        return Verdict::No;
    }
    match near.check {
        Check::Form => Verdict::Likely(rule.severity),
        Check::Crc32 => {
            if checksum::crc32_base62(value, 4) {
                Verdict::Proven(rule.severity)
            } else {
                Verdict::Likely(Severity::Medium)
            }
        }
    }
}

/// The Shannon entropy of `value`, in bits a byte.
#[allow(clippy::cast_precision_loss)] // values are short
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let length = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}
