//! `[signing.*]`: the places of keys.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::{ApplyLimits, ApplyRules, DeclaredApproval, raw};
use crate::diagnostic::Code;
use crate::model::ResourceId;
use crate::model::signing::{
    ApproverIdentity, DeclaredPredicate, DeclaredSigner, KeyPlace, KeylessPlace, usual_issuer,
};

/// The variable of the password that cosign reads.
const PASSWORD: &str = "COSIGN_PASSWORD";

pub(super) fn check_signers(
    raw: IndexMap<String, raw::RawSigner>,
    problems: &mut Problems<'_>,
) -> IndexMap<String, DeclaredSigner> {
    let mut signers = IndexMap::new();
    for (name, raw) in raw {
        let one = match (problems.places.value(&["signing", &name, "key"]), &raw.keyless) {
            (Some(_), Some(_)) => Some((Code::ConfigValue, "both")),
            (None, None) => Some((Code::ConfigMissingKey, "neither")),
            _ => None,
        };
        if let Some((code, word)) = one {
            let message = format!("`[signing.{}]` has {word} `key` and `keyless`", name.escape_debug());
            let help = "give it one of the two: `key = { env = \"COSIGN_PRIVATE_KEY\" }`, or `keyless = { issuer = …, identity = … }`";
            problems.wrong(code, message, &["signing", &name], "one of them is needed", help);
        }
        if let Some(keyless) = raw.keyless {
            let (Some(identity), Some(issuer)) = (keyless.identity, keyless.issuer) else { continue };
            let raw::RawKeyless { token_env, fulcio, rekor, trusted_root, .. } = keyless;
            let place = KeylessPlace { identity, issuer, token_env, fulcio, rekor, trusted_root };
            signers.insert(name, DeclaredSigner::Keyless(place));
            continue;
        }
        let Some(key) = raw.key else { continue };
        let path = ["signing", name.as_str(), "key"];
        let written =
            |key: &'static str| problems.places.value(&["signing", name.as_str(), "key", key]).is_some();
        if written("file") == written("env") {
            let both = written("file");
            let message = format!(
                "the key of `[signing.{}]` has {} `file` and `env`",
                name.escape_debug(),
                if both { "both" } else { "neither" }
            );
            let help = "give it one of the two: `key = { file = \"cosign.key\" }` or `key = { env = \"COSIGN_PRIVATE_KEY\" }`";
            let code = if both { Code::ConfigValue } else { Code::ConfigMissingKey };
            problems.wrong(code, message, &path, "one of them is needed", help);
        }
        let password_env = key.password_env.unwrap_or_else(|| PASSWORD.to_owned());
        let key = KeyPlace { file: key.file, env: key.env, password_env };
        signers.insert(name, DeclaredSigner::Key { key, public_key: raw.public_key });
    }
    signers
}

/// Returns the predicates that a resource declares. Only signers can attest them.
pub(super) fn check_attest(
    id: &ResourceId,
    raw: Option<raw::RawAttest>,
    sign: Option<&[String]>,
    problems: &mut Problems<'_>,
) -> Vec<DeclaredPredicate> {
    let Some(raw) = raw else { return Vec::new() };
    if sign.is_none() {
        let message = format!("`attest` of {} has no signer", id.title());
        let help = "name one in `sign`, such as `sign = [\"release\"]`";
        problems.wrong(Code::ConfigMissingKey, message, &id.key("attest"), "nobody signs it", help);
    }
    let provenance = raw.provenance.unwrap_or_default().then_some(DeclaredPredicate::Provenance);
    let sboms = raw.sbom.map(raw::OneOrMany::into_vec).unwrap_or_default();
    let sboms = sboms.into_iter().map(|path| DeclaredPredicate::Sbom(path.0));
    let files = raw.predicates.unwrap_or_default();
    let files = files
        .into_iter()
        .filter_map(|it| Some(DeclaredPredicate::File { path: it.file?, predicate_type: it.r#type? }));
    provenance.into_iter().chain(sboms).chain(files).collect()
}

/// Checks `require_approval`. More approvals than approvers would never be there.
fn approval(raw: raw::RawApproval, problems: &mut Problems<'_>) -> DeclaredApproval {
    let (keys, count) = (raw.keys.unwrap_or_default(), raw.count.unwrap_or(1));
    let names = raw.identity.map(raw::OneOrMany::into_vec).unwrap_or_default();
    let mut identities = Vec::new();
    for identity in names.into_iter().map(|text| text.0) {
        let issuer = raw.issuer.clone().or_else(|| usual_issuer(&identity).map(str::to_owned));
        match issuer {
            Some(issuer) => identities.push(ApproverIdentity { identity, issuer }),
            None => {
                let message = format!("nothing says who confirms the identity `{}`", identity.escape_debug());
                let help =
                    "name the issuer of its tokens, such as `issuer = \"https://accounts.google.com\"`";
                let path = ["apply", "require_approval", "identity"];
                problems.wrong(Code::ConfigMissingKey, message, &path, "no `issuer`", help);
            }
        }
    }
    let path = ["apply", "require_approval"];
    if problems.places.value(&["apply", "require_approval", "keys"]).is_none()
        && problems.places.value(&["apply", "require_approval", "identity"]).is_none()
    {
        let message = "`require_approval` names nobody who may approve".to_owned();
        let help = "give it `keys`, or an `identity`: `{ keys = [\"anna.pub\"] }`";
        problems.wrong(Code::ConfigMissingKey, message, &path, "nobody", help);
    }
    // An identity with a star may be that of several people.
    let is_open = identities.iter().any(|it| it.identity.contains('*'));
    let most = keys.len() + identities.len();
    if count > most && !is_open && most > 0 {
        let message = format!("`require_approval` wants {count} approvals, but only {most} can be given");
        let help = "name more approvers, or lower `count`: each of them counts once";
        let path = ["apply", "require_approval", "count"];
        problems.wrong(Code::ConfigValue, message, &path, "more than there are approvers", help);
    }
    DeclaredApproval { keys, identities, trusted_root: raw.trusted_root, count }
}

/// Checks `[apply]`.
pub(super) fn check_apply(raw: raw::Apply, problems: &mut Problems<'_>) -> ApplyRules {
    let require_approval = raw.require_approval.map(|raw| approval(raw, problems));
    let texts =
        |list: Option<Vec<raw::NonEmptyText>>| list.into_iter().flatten().map(|text| text.0).collect();
    ApplyRules {
        on_tag_failure: raw.on_tag_failure.unwrap_or_default(),
        limits: ApplyLimits { registries: texts(raw.registries), variables: texts(raw.variables) },
        require_approval,
    }
}
