//! `[gates.*]`: the evidence that they require.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::condition;
use crate::config::raw;
use crate::diagnostic::Code;
use crate::model::gate::{GateSigner, PlannedGate, VulnerabilityLimits};
use crate::model::retention::Age;
use crate::model::signing::usual_issuer;

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
        let path = ["gates", name.as_str(), "require"];
        let is_of_signer = ["predicate", "sbom", "vulnerabilities"].into_iter().any(written);
        if !["signature", "min_age", "max_age", "when"].into_iter().any(written) && !is_of_signer {
            let message = format!("the gate `{}` requires nothing", name.escape_debug());
            let help = "give it a `signature`, a `min_age`, a `max_age`, or a condition in `when`";
            problems.wrong(Code::ConfigMissingKey, message, &path, "always open", help);
        }
        if !has_signature && is_of_signer {
            let message = format!("the gate `{}` requires attestations of nobody", name.escape_debug());
            let help = "name their signer: `signature = { key = \"staging.pub\" }`; without one, anybody who may push could attach them";
            problems.wrong(Code::ConfigMissingKey, message, &path, "no signer", help);
        }
        let signature = evidence.signature.map(|raw| GateSigner {
            issuer: raw.issuer.or_else(|| {
                let usual = raw.identity.as_deref().filter(|_| raw.key.is_none()).and_then(usual_issuer);
                usual.map(str::to_owned)
            }),
            key: raw.key,
            identity: raw.identity,
            timestamps: raw.timestamps.unwrap_or_default(),
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
        let vulnerabilities = evidence.vulnerabilities.map(|raw| limits(raw, &name, problems));
        if let Some(when) = &evidence.when
            && let Err(why) = condition::check_condition(when)
        {
            let message = format!("`when` of the gate `{}` is not a condition: {why}", name.escape_debug());
            let help = "write an expression in CEL that is true or false, such as `image.age > 3600`";
            problems.wrong(Code::ConfigValue, message, &at("when"), "not a condition", help);
        }
        let predicates = evidence.predicate.map(raw::OneOrMany::into_vec).unwrap_or_default();
        let gate = PlannedGate {
            signature,
            predicates: predicates.into_iter().map(|text| text.0).collect(),
            sbom: evidence.sbom.unwrap_or_default(),
            min_age,
            max_age,
            vulnerabilities,
            when: evidence.when,
        };
        gates.insert(name, gate);
    }
    gates
}

fn limits(raw: raw::RawVulnerabilities, name: &str, problems: &mut Problems<'_>) -> VulnerabilityLimits {
    let most = match raw {
        raw::RawVulnerabilities::None(severity) => return VulnerabilityLimits::none_of(severity),
        raw::RawVulnerabilities::Most(most) => most,
    };
    let max_age = age(most.max_age, &["gates", name, "require", "vulnerabilities", "max_age"], problems);
    let raw::RawMostVulnerabilities { critical, high, medium, low, unknown, .. } = most;
    let limits = VulnerabilityLimits { critical, high, medium, low, unknown, max_age };
    if limits.limits().next().is_none() {
        let message = format!("`vulnerabilities` of the gate `{}` limits nothing", name.escape_debug());
        let help = "name a severity: `{ critical = 0 }`, or `vulnerabilities = \"high\"`";
        let path = ["gates", name, "require", "vulnerabilities"];
        problems.wrong(Code::ConfigMissingKey, message, &path, "any number", help);
    }
    limits
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
