//! `[signing.*]`: the places of keys.

use indexmap::IndexMap;

use super::problems::Problems;
use crate::config::{ApplyLimits, ApplyRules, DeclaredApproval, raw};
use crate::diagnostic::Code;
use crate::model::ResourceId;
use crate::model::signing::{
    ApproverIdentity, DeclaredPredicate, DeclaredSigner, KeyPlace, KeylessPlace, SignerCommand, usual_issuer,
};

/// The variable of the password that cosign reads.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// The time that a program may take, in seconds.
const COMMAND_TIMEOUT: u32 = 60;

/// The longest time that a program may take, in seconds.
const MAX_TIMEOUT: u32 = 600;

pub(super) fn check_signers(
    raw: IndexMap<String, raw::RawSigner>,
    problems: &mut Problems<'_>,
) -> IndexMap<String, DeclaredSigner> {
    let mut signers = IndexMap::new();
    for (name, raw) in raw {
        let forms = ["key", "keyless", "command"];
        let written: Vec<&str> = forms
            .into_iter()
            .filter(|form| problems.places.value(&["signing", &name, form]).is_some())
            .collect();
        if written.len() != 1 {
            let (code, word) = if written.is_empty() {
                (Code::ConfigMissingKey, "none of `key`, `keyless` and `command`".to_owned())
            } else {
                (Code::ConfigValue, format!("both `{}`", written.join("` and `")))
            };
            let message = format!("`[signing.{}]` has {word}", name.escape_debug());
            let help = "give it one of them: `key = { env = \"COSIGN_PRIVATE_KEY\" }`, `keyless = { issuer = …, identity = … }`, or `command = { run = [\"PROGRAM\"] }`";
            problems.wrong(code, message, &["signing", &name], "one of them is needed", help);
        }
        if let Some(command) = raw.command {
            let Some(public_key) = raw.public_key else {
                let message = format!("`[signing.{}]` has no `public_key`", name.escape_debug());
                let help =
                    "name the file of the public key: the signatures of the program are verified with it";
                problems.wrong(Code::ConfigMissingKey, message, &["signing", &name], "incomplete", help);
                continue;
            };
            let Some(run) = command.run else { continue };
            if command.timeout.is_some_and(|timeout| timeout > MAX_TIMEOUT) {
                let message = format!("the program of `[signing.{}]` may take too long", name.escape_debug());
                let help = format!("allow it at most {MAX_TIMEOUT} s for each signature");
                let path = ["signing", &name, "command", "timeout"];
                problems.wrong(Code::ConfigValue, message, &path, "too long", &help);
            }
            let env = command.env.unwrap_or_default();
            let command = SignerCommand { run, env, timeout: command.timeout.unwrap_or(COMMAND_TIMEOUT) };
            signers.insert(name, DeclaredSigner::Command { command, public_key });
            continue;
        }
        if let Some(keyless) = raw.keyless {
            let (Some(identity), Some(issuer)) = (keyless.identity, keyless.issuer) else { continue };
            let raw::RawKeyless { token_env, fulcio, rekor, timestamp_authority, trusted_root, .. } = keyless;
            if rekor.is_some() && timestamp_authority.is_some() {
                let message =
                    format!("`[signing.{}]` has both `rekor` and `timestamp_authority`", name.escape_debug());
                let help = "keep one of them: each shows when the certificate was used";
                problems.wrong(
                    Code::ConfigValue,
                    message,
                    &["signing", &name, "keyless"],
                    "one of the two",
                    help,
                );
            }
            let place = KeylessPlace {
                identity,
                issuer,
                token_env,
                fulcio,
                rekor,
                timestamp_authority,
                trusted_root,
            };
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

/// Whether a resource is promoted from a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromotionUse {
    /// Its source is not in a registry.
    Impossible,
    /// Its source is in a registry.
    Possible,
    /// It has gates too.
    Gated,
}

/// Returns the predicates that a resource declares. Only signers can attest them.
pub(super) fn check_attest(
    id: &ResourceId,
    raw: Option<raw::RawAttest>,
    sign: Option<&[String]>,
    promotion: PromotionUse,
    problems: &mut Problems<'_>,
) -> Vec<DeclaredPredicate> {
    let declared = raw.as_ref().and_then(|it| it.promotion);
    if declared == Some(true) && promotion == PromotionUse::Impossible {
        let message = format!("the promotion of {} cannot be recorded", id.title());
        let help = "only an image in a registry is promoted: `source = \"docker://…\"`";
        let path = id.key("attest");
        problems.wrong(Code::ConfigValue, message, &path, "its source is not in a registry", help);
    }
    let is_recorded = declared.unwrap_or(promotion == PromotionUse::Gated && sign.is_some());
    let promoted = is_recorded.then_some(DeclaredPredicate::Promotion);
    let Some(raw) = raw else { return promoted.into_iter().collect() };
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
    provenance.into_iter().chain(promoted).chain(sboms).chain(files).collect()
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
