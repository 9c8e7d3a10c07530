//! `[gates.*]`: the evidence that they require.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::raw;
use crate::diagnostic::Code;
use crate::model::gate::{GateSigner, PlannedGate};
use crate::model::retention::Age;

pub(super) fn check_gates(
    raw: IndexMap<String, raw::RawGate>,
    problems: &mut Problems<'_>,
) -> IndexMap<String, PlannedGate> {
    let mut gates = IndexMap::new();
    for (name, raw) in raw {
        let Some(evidence) = raw.require else { continue };
        let at = |key: &'static str| ["gates", name.as_str(), "require", key];
        let written = |key: &'static str| problems.places.value(&at(key)).is_some();
        let has_signature = written("signature");
        if !["signature", "min_age", "max_age"].into_iter().any(written) {
            let message = format!("the gate `{}` requires nothing", name.escape_debug());
            let help = "give it a `signature`, a `min_age` or a `max_age`";
            let path = ["gates", name.as_str(), "require"];
            problems.wrong(Code::ConfigMissingKey, message, &path, "always open", help);
        }
        if !has_signature && (evidence.predicates.is_some() || evidence.sbom == Some(true)) {
            let message = format!("the gate `{}` requires attestations of nobody", name.escape_debug());
            let help = "name their signer: `signature = { key = \"staging.pub\" }`; without one, anybody who may push could attach them";
            let path = ["gates", name.as_str(), "require"];
            problems.wrong(Code::ConfigMissingKey, message, &path, "no signer", help);
        }
        let signature = evidence.signature.map(|raw| GateSigner {
            key: raw.key,
            identity: raw.identity,
            issuer: raw.issuer,
            trusted_root: raw.trusted_root,
        });
        if let Some(signer) = &signature {
            let by_key = signer.key.is_some();
            let by_identity = signer.identity.is_some() && signer.issuer.is_some();
            if by_key == by_identity {
                let message = format!("the signer of the gate `{}` is not clear", name.escape_debug());
                let help = "give it a `key`, or an `identity` with its `issuer`";
                problems.wrong(Code::ConfigValue, message, &at("signature"), "one of the two", help);
            }
        }
        let min_age = age(evidence.min_age, &at("min_age"), problems);
        let max_age = age(evidence.max_age, &at("max_age"), problems);
        let (predicates, sbom) = (evidence.predicates.unwrap_or_default(), evidence.sbom.unwrap_or_default());
        gates.insert(name, PlannedGate { signature, predicates, sbom, min_age, max_age });
    }
    gates
}

fn age(text: Option<String>, path: &[&str], problems: &mut Problems<'_>) -> Option<Age> {
    match text?.parse::<Age>() {
        Ok(age) => Some(age),
        Err(error) => {
            let help = "write a whole number of hours, days or weeks: `\"48h\"`, `\"30d\"`, `\"6w\"`";
            problems.wrong(Code::ConfigValue, error.to_string(), path, "not an age", help);
            None
        }
    }
}
