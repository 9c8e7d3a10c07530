//! `[secrets]`: whether rules exist, globs are valid, and reasons are not blank.

use globset::GlobBuilder;

use super::problems::Problems;
use crate::config::{Secrets, raw, suggest};
use crate::diagnostic::Code;
use crate::model::secret_search::SecretAllowance;
use secret_scan::Rules;

pub(super) fn check_secrets(raw: raw::RawSecrets, problems: &mut Problems<'_>) -> Secrets {
    let written = problems.places.value(&["secrets", "policy"]);
    let policy_from = written.map(|it| it.source.name.clone()).unwrap_or_default();
    let (block, unsearched) = (raw.block.unwrap_or_default(), raw.unsearched.unwrap_or_default());
    let mut secrets = Secrets { policy: raw.policy, policy_from, block, unsearched, allow: Vec::new() };
    for (index, allow) in raw.allow.unwrap_or_default().into_iter().enumerate() {
        let position = index.to_string();
        let item = ["secrets", "allow", position.as_str()];
        let at = |key: &'static str| ["secrets", "allow", position.as_str(), key];
        if let Some(rule) = &allow.rule {
            known_rule(rule, &at("rule"), problems);
        }
        if let Some(path) = &allow.path
            && let Err(error) = GlobBuilder::new(path).literal_separator(true).build()
        {
            let message = format!("`{}` is not a glob: {}", path.escape_debug(), error.kind());
            let help =
                "`*` matches within a name, `**` across folders, `[ab]` a character, `[*]` a literal star";
            problems.wrong(Code::ConfigValue, message, &at("path"), "not a glob", help);
        }
        // A wrong value is missing here and has already been reported. The places still know that it was written.
        if ["rule", "path", "part", "value"].iter().all(|key| problems.places.value(&at(key)).is_none()) {
            let message = "an entry of `[[secrets.allow]]` does not say what it allows".to_owned();
            let help = "give it a `rule`, a `path`, a `part` or a `value`; `policy = \"warn\"` lets everything through";
            problems.wrong(Code::ConfigMissingKey, message, &item, "allows everything", help);
        }
        let Some(reason) = allow.reason else { continue };
        if reason.trim().is_empty() {
            let message = "the `reason` of an entry of `[[secrets.allow]]` is blank".to_owned();
            let help = "say why this is not a secret: the next reader of the file relies on it";
            problems.wrong(Code::ConfigValue, message, &at("reason"), "blank", help);
        }
        let path = allow.path.map(|path| path.trim_start_matches("./").trim_start_matches('/').to_owned());
        secrets.allow.push(SecretAllowance {
            rule: allow.rule,
            path,
            part: allow.part,
            value: allow.value,
            reason,
        });
    }
    secrets
}

fn known_rule(rule: &str, path: &[&str], problems: &mut Problems<'_>) {
    let rules = || Rules::standard().all().iter().map(|rule| rule.id);
    if rules().any(|known| known == rule) {
        return;
    }
    let message = format!("there is no rule `{}` that finds secrets", rule.escape_debug());
    let label = match suggest::nearest(rule, rules()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "no such rule".to_owned(),
    };
    let help = format!("the rules are {}; docs/reference/secrets.md lists them", suggest::listed(rules()));
    problems.wrong(Code::ConfigValue, message, path, &label, help);
}
