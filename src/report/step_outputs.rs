//! The outputs of a command for later steps and jobs of a CI: `changed`, `digest`, `tags` and so on.

use std::collections::BTreeSet;

use super::{clean, outcome};
use crate::model::access::AccessReport;
use crate::model::outcome::{ChangeResult, Outcome};
use crate::model::plan::{Action, Plan};
use crate::model::verification::Verification;
use oci_registry::Digest;

/// Ends a value of several lines in `GITHUB_OUTPUT`. No line of a value is the same, because each contains `:` or `@`.
const END: &str = "end_of_brokkr_publish";

/// Names and values. A value is a list of texts of one line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StepOutputs {
    values: Vec<(&'static str, Vec<String>)>,
}

impl StepOutputs {
    /// The outputs of a plan. `saved` is the digest of its file.
    pub fn of_plan(plan: &Plan, saved: Option<&Digest>) -> Self {
        let changed = plan.has_changes() || plan.summary().by_hand > 0;
        let there = |action: Action| matches!(action, Action::Create | Action::Move | Action::NoOp);
        let mut tags = Vec::new();
        let (mut references, mut digests) = (Vec::new(), BTreeSet::new());
        for repository in &plan.repositories {
            let named = repository.changes.iter().filter(|it| there(it.action) && it.after.is_some());
            tags.extend(named.map(|it| format!("{}:{}", repository.name, it.tag)));
            if let Some(digest) = repository.deployable() {
                references.push(format!("{}@{digest}", repository.name));
                digests.insert(digest.to_string());
            }
        }
        Self::new(changed)
            .with("plan-digest", saved.map(ToString::to_string))
            .content(digests, tags, references)
    }

    /// The outputs of an apply.
    pub fn of_outcome(outcome: &Outcome) -> Self {
        let there = |result: ChangeResult| {
            matches!(result, ChangeResult::Created | ChangeResult::Moved | ChangeResult::Unchanged)
        };
        let changes = outcome.changes.iter().filter(|it| there(it.result) && it.after.is_some());
        let tags = changes.map(|it| format!("{}:{}", it.repository, it.tag)).collect();
        let digests = outcome.repositories.iter().filter(|it| it.reference.is_some());
        let digests = digests.filter_map(|it| it.digest.as_ref()).map(ToString::to_string).collect();
        let references = outcome::references(outcome).into_iter().map(str::to_owned).collect();
        Self::new(outcome::has_changed(outcome)).content(digests, tags, references)
    }

    /// The outputs of a verification: `changed` if something drifted.
    pub fn of_verification(verification: &Verification) -> Self {
        Self::new(!verification.stands)
    }

    /// The outputs of a check of access.
    pub fn of_access(report: &AccessReport) -> Self {
        Self::default().with("granted", [report.granted.to_string()])
    }

    fn new(changed: bool) -> Self {
        Self::default().with("changed", [changed.to_string()])
    }

    fn with(mut self, name: &'static str, value: impl IntoIterator<Item = String>) -> Self {
        self.values.push((name, value.into_iter().map(|line| clean::line(&line)).collect()));
        self
    }

    fn content(self, digests: BTreeSet<String>, tags: Vec<String>, references: Vec<String>) -> Self {
        let only = if digests.len() == 1 { digests } else { BTreeSet::new() };
        self.with("digest", only).with("tags", tags).with("references", references)
    }

    /// Returns the lines for `GITHUB_OUTPUT`.
    pub fn github(&self) -> String {
        let line = |(name, value): &(&str, Vec<String>)| match value.as_slice() {
            [] => format!("{name}=\n"),
            [one] => format!("{name}={one}\n"),
            several => format!("{name}<<{END}\n{}\n{END}\n", several.join("\n")),
        };
        self.values.iter().map(line).collect()
    }

    /// Returns lines `NAME=VALUE`, for a dotenv report of GitLab and for shells that read such files. The prefix differs from that of
    /// the variables that this program reads.
    pub fn dotenv(&self) -> String {
        let line = |(name, value): &(&str, Vec<String>)| {
            let name = name.to_uppercase().replace('-', "_");
            format!("BROKKR_PUBLISHED_{name}={}\n", value.join(" "))
        };
        self.values.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_a_line_for_each_value() {
        let tags = ["r/a:1", "r/a:1.2"].map(str::to_owned).to_vec();
        let outputs = StepOutputs::new(true).with("plan-digest", None).content(
            BTreeSet::from(["sha256:ab".to_owned()]),
            tags,
            vec!["r/a@sha256:ab".to_owned()],
        );
        assert_eq!(
            outputs.github(),
            "changed=true\nplan-digest=\ndigest=sha256:ab\n\
             tags<<end_of_brokkr_publish\nr/a:1\nr/a:1.2\nend_of_brokkr_publish\nreferences=r/a@sha256:ab\n"
        );
        assert_eq!(
            outputs.dotenv(),
            "BROKKR_PUBLISHED_CHANGED=true\nBROKKR_PUBLISHED_PLAN_DIGEST=\nBROKKR_PUBLISHED_DIGEST=sha256:ab\n\
             BROKKR_PUBLISHED_TAGS=r/a:1 r/a:1.2\nBROKKR_PUBLISHED_REFERENCES=r/a@sha256:ab\n"
        );
    }

    #[test]
    fn a_value_forges_no_other_output() {
        let outputs =
            StepOutputs::default().with("tags", ["a\nchanged=false".to_owned(), END.to_owned() + "\nx=y"]);
        assert!(!outputs.github().lines().any(|line| line == "changed=false" || line == "x=y"));
    }

    #[test]
    fn two_digests_are_no_digest() {
        let digests = BTreeSet::from(["sha256:a".to_owned(), "sha256:b".to_owned()]);
        let outputs = StepOutputs::default().content(digests, Vec::new(), Vec::new());
        assert!(outputs.github().contains("digest=\n"));
    }
}
