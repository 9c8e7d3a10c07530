//! Parts of a chart that are in its directory but that `.helmignore` leaves out.
//!
//! Helm says of such a file that it is missing, or packages the chart without it (helm/helm#3622, #8688, #12992). Both are puzzling,
//! because the file is there, so messages name the rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chart_file::{ChartFile, FileSpan};
use crate::finding::ChartFindings;
use crate::ignore::IgnoreRule;

/// How many parts are remembered. A chart with more that are left out has one cause for all.
const MAX_HIDDEN: usize = 1_000;
/// The help for all messages about them.
const HELP: &str = "remove or narrow that rule: unlike git, Helm lets the first rule decide that matches, and a rule with `!` \
                    leaves out everything that it does not match";

/// The ends of the names of templates.
const TEMPLATES: [&str; 3] = [".yaml", ".yml", ".tpl"];

/// The parts of a chart that `.helmignore` leaves out, by the names that messages have for them. Other files do not matter.
#[derive(Default)]
pub(crate) struct HiddenFiles {
    /// The name of the chart in messages.
    shown: String,
    /// The file with the rules.
    rules: Option<Arc<ChartFile>>,
    parts: BTreeMap<String, HidingRule>,
}

/// The rule that leaves a file out.
struct HidingRule {
    line: usize,
    text: String,
}

impl HiddenFiles {
    /// Returns an empty list for the chart that messages call `shown`, with the file of its rules.
    pub(crate) fn of(shown: &str, rules: Arc<ChartFile>) -> Self {
        Self { shown: shown.to_owned(), rules: Some(rules), parts: BTreeMap::new() }
    }

    /// Adds the file or directory `name`, relative to the chart, if it is a part of a chart; with the names of the charts `inside`, if it
    /// is the directory of dependencies.
    pub(crate) fn add(&mut self, name: &str, inside: Vec<String>, rule: &IgnoreRule) {
        // Helm's own rule leaves out hidden files among the templates, which is as people expect.
        if rule.line == 0 || !is_part(name) {
            return;
        }
        let inner = inside.into_iter().map(|inner| format!("{name}/{inner}"));
        for name in std::iter::once(name.to_owned()).chain(inner) {
            if self.parts.len() < MAX_HIDDEN {
                let rule = HidingRule { line: rule.line, text: rule.text.clone() };
                self.parts.insert(format!("{}/{name}", self.shown), rule);
            }
        }
    }

    /// Reports an error because the part that messages call `shown` is needed, if it is left out. Returns whether it is.
    pub(crate) fn report(&self, shown: &str, consequence: &str, findings: &mut ChartFindings) -> bool {
        let Some((span, rule)) = self.rule(shown) else { return false };
        let message = format!(
            "`{shown}` is there, but the rule `{}` of `.helmignore` leaves it out{consequence}",
            rule.text
        );
        findings.error(span, message, HELP);
        true
    }

    /// Reports a warning for each part of the chart itself that is left out and that nothing else reports.
    pub(crate) fn warn(&self, findings: &mut ChartFindings) {
        for part in ["values.yaml", "values.schema.json", "requirements.yaml", "templates", "crds"] {
            let shown = format!("{}/{part}", self.shown);
            if let Some((span, rule)) = self.rule(&shown) {
                let message = format!(
                    "the rule `{}` of `.helmignore` leaves out `{shown}`: the chart is packaged without it, as Helm does",
                    rule.text
                );
                findings.warning(span, message, HELP);
            }
        }
        // Other files among the templates, such as backups, are left out on purpose.
        let below = format!("{}/templates/", self.shown);
        let templates = self.parts.keys().filter(|shown| shown.starts_with(&below));
        let is_template = |shown: &&String| TEMPLATES.iter().any(|extension| shown.ends_with(extension));
        if let Some(shown) = templates.into_iter().find(is_template)
            && let Some((span, rule)) = self.rule(shown)
        {
            let message = format!(
                "the rule `{}` of `.helmignore` leaves out `{shown}`: the chart is packaged without it, as Helm does",
                rule.text
            );
            findings.warning(span, message, HELP);
        }
    }

    /// Returns the name in messages of the dependency `name` of the chart `chart`, if it is left out: a directory or a package.
    pub(crate) fn dependency(&self, chart: &str, name: &str) -> Option<&str> {
        let directory = format!("{chart}/charts/{name}");
        let is_package = |shown: &str| {
            let rest = shown.strip_prefix(&directory).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| {
                rest.strip_suffix(".tgz").is_some() && rest.starts_with(|first: char| first.is_ascii_digit())
            })
        };
        let mut near = self.parts.range(directory.clone()..).map(|(shown, _)| shown.as_str());
        near.by_ref().take_while(|shown| shown.starts_with(&directory)).find(|shown| {
            *shown == directory || is_package(shown) || shown.strip_prefix(&directory) == Some("/Chart.yaml")
        })
    }

    fn rule(&self, shown: &str) -> Option<(Option<FileSpan>, &HidingRule)> {
        let rule = self.parts.get(shown)?;
        Some((self.rules.as_ref().map(|file| FileSpan::of_line(file, rule.line)), rule))
    }
}

/// Whether `name` is a part of a chart, or of a chart under `charts/`, that Helm reads.
fn is_part(name: &str) -> bool {
    match name.split_once('/') {
        None => matches!(
            name,
            "Chart.yaml"
                | "Chart.lock"
                | "requirements.yaml"
                | "requirements.lock"
                | "values.yaml"
                | "values.schema.json"
                | "templates"
                | "crds"
                | "charts"
        ),
        Some(("charts", inner)) => inner.split_once('/').is_none_or(|(_, inner)| is_part(inner)),
        Some((folder, _)) => folder == "templates",
    }
}
