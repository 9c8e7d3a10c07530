//! The limits of what a plan may send, and to which place. They are those of the apply: of its `[apply]` and of its command line. A saved
//! plan is a file that others may have written.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::own::OwnConfig;
use super::session::Result;
use crate::config::ApplyLimits;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::credential_use::PlannedVariable;
use crate::model::plan::Plan;
use crate::model::signing::{DeclaredSigner, KeylessPlace, PlannedSigner};
use oci_registry::reference::RegistryEndpoint;
use oci_registry::{EnvironmentLookup, sent_variables};

/// Refuses a plan that sends to another place, or the value of another variable, than `limits` allow.
pub(super) fn check(plan: &Plan, limits: &ApplyLimits) -> Result<()> {
    let mut found = Vec::new();
    for planned in &plan.repositories {
        let Some(endpoint) = plan.registries.get(&planned.registry) else { continue };
        let place = endpoint.url.full_name(&planned.repository);
        if !limits.registries.is_empty() && !limits.registries.iter().any(|it| is_at(&place, it)) {
            let message = format!(
                "the plan sends to `{place}`, which is not among the places that this apply may send to"
            );
            found.push(refused(
                message,
                &format!("allow it with `--only-registry {place}`, or in `registries` of `[apply]`"),
            ));
        }
    }
    for PlannedVariable { variable, host } in named(plan.registries.values()) {
        if !limits.variables.is_empty() && !limits.variables.contains(&variable) {
            found.push(refused_variable(&variable, &host));
        }
    }
    found.dedup();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Refuses a saved plan that sends the value of a variable to a host, if neither the configuration of the apply sends it there nor
/// `limits` names the variable. Not called for an approved plan, whose digest was given.
pub(super) fn check_saved(plan: &Plan, own: &OwnConfig, limits: &ApplyLimits) -> Result<()> {
    if !own.has_file {
        return Ok(());
    }
    let declared = named(own.config.registries.values().map(|it| &it.endpoint));
    let foreign = named(plan.registries.values()).into_iter().filter(|it| !declared.contains(it));
    let foreign = foreign.filter(|it| !limits.variables.contains(&it.variable));
    let found: Vec<Diagnostic> = foreign.map(|it| refused_variable(&it.variable, &it.host)).collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Refuses a saved plan whose signers would run another program than the configuration of the apply declares, or send an OIDC token, or
/// the value of another variable, to another service. Not called for an approved plan, whose digest was given.
pub(super) fn check_signers(plan: &Plan, own: Option<&OwnConfig>) -> Result<()> {
    let declared: Vec<&DeclaredSigner> = own.iter().flat_map(|own| own.config.signing.values()).collect();
    let is_declared = |signer: &PlannedSigner| {
        match signer {
        PlannedSigner::Key { .. } => true,
        PlannedSigner::Keyless {
            keyless: KeylessPlace { token_env: None, fulcio: None, rekor: None, timestamp_authority: None, .. },
        } => true,
        PlannedSigner::Keyless { keyless } => declared.iter().any(|it| {
            matches!(it, DeclaredSigner::Keyless(own)
                if own.token_env == keyless.token_env && own.fulcio == keyless.fulcio && own.rekor == keyless.rekor && own.timestamp_authority == keyless.timestamp_authority)
        }),
        PlannedSigner::Command { command, .. } => declared
            .iter()
            .any(|it| matches!(it, DeclaredSigner::Command { command: own, .. } if own == command)),
    }
    };
    let foreign = plan.signers.iter().filter(|(_, signer)| !is_declared(signer));
    let found: Vec<Diagnostic> = foreign
        .map(|(name, signer)| {
            let what = match signer {
                PlannedSigner::Command { command, .. } => format!("runs `{}`", command.run.join(" ").escape_debug()),
                _ => "sends a token to services".to_owned(),
            };
            refused(
                format!("the signer `{}` of the plan {what}, which the configuration of this apply does not declare", name.escape_debug()),
                "declare the same `[signing]` in the `publish.toml` of this apply, name it with `--config`, or show with `--expect DIGEST` that it is the approved plan",
            )
        })
        .collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Returns the variables that the endpoints name, with the hosts that they go to.
fn named<'e>(endpoints: impl Iterator<Item = &'e RegistryEndpoint>) -> BTreeSet<PlannedVariable> {
    let nothing: EnvironmentLookup = Arc::new(|_| None);
    let sent = endpoints.flat_map(|endpoint| sent_variables(endpoint, &nothing));
    sent.map(|it| PlannedVariable { variable: it.variable, host: it.host }).collect()
}

/// Whether `place` is `allowed` or below it.
fn is_at(place: &str, allowed: &str) -> bool {
    let allowed = allowed.trim_end_matches('/');
    let rest = place.get(..allowed.len()).filter(|it| it.eq_ignore_ascii_case(allowed));
    let rest = rest.and_then(|_| place.get(allowed.len()..));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn refused_variable(variable: &str, host: &str) -> Diagnostic {
    refused(
        format!("the plan sends the value of `{variable}` to `{host}`, which this apply does not allow"),
        &format!(
            "if that is right, allow it with `--only-variable {variable}`, or show with `--expect DIGEST` that it is the approved plan"
        ),
    )
}

fn refused(message: String, help: &str) -> Diagnostic {
    Diagnostic::error(Code::PlanLimits, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_allowed_with_everything_below_it() {
        for (place, allowed, expected) in [
            ("ghcr.io/acme/app", "ghcr.io", true),
            ("ghcr.io/acme/app", "ghcr.io/acme", true),
            ("ghcr.io/acme/app", "GHCR.io/acme/", true),
            ("ghcr.io/acme/app", "ghcr.io/acme/app", true),
            ("ghcr.io/acme-evil/app", "ghcr.io/acme", false),
            ("ghcr.io.evil.test/acme/app", "ghcr.io", false),
            ("ghcr.io:444/acme/app", "ghcr.io", false),
            ("oci:dist/app", "oci:dist", true),
        ] {
            assert_eq!(is_at(place, allowed), expected, "{place} {allowed}");
        }
    }
}
