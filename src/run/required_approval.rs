//! The approvals that a configuration requires.

use super::session::Result;
use crate::config::Config;
use crate::diagnostic::ToDiagnostic;
use crate::model::signing::RequiredApproval;
use crate::signing;
use oci_content::Surroundings;

/// Returns the approvals that `config` requires, with the public keys.
pub(super) fn required(config: &Config, surroundings: &Surroundings) -> Result<Option<RequiredApproval>> {
    let Some(declared) = &config.apply.require_approval else { return Ok(None) };
    let (mut keys, mut problems) = (Vec::new(), Vec::new());
    for path in &declared.keys {
        match signing::public_key_file("apply", path, surroundings) {
            Ok(key) => keys.push(key),
            Err(error) => {
                let place = config.places.value(&["apply", "require_approval"]);
                problems.push(error.to_diagnostic().at_maybe(place, ""));
            }
        }
    }
    let required = RequiredApproval {
        keys,
        identities: declared.identities.clone(),
        trusted_root: declared.trusted_root.clone(),
        count: declared.count,
    };
    if problems.is_empty() { Ok(Some(required)) } else { Err(problems) }
}
